"""Twilio: the only place that knows it."""
