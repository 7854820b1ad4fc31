"""Twilio on this machine: its REST endpoints and webhooks on loopback, with trouble as ordered.

`FakeTwilio` is all of it; `manage.py fake_twilio` runs it, and the fixture of that name too.
"""

from whatsapp_bot.fake_twilio.memory import Media, Message
from whatsapp_bot.fake_twilio.server import FakeTwilio
from whatsapp_bot.fake_twilio.webhooks import Delivery, Fate

__all__ = ["Delivery", "FakeTwilio", "Fate", "Media", "Message"]
