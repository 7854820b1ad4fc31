"""Our account at Twilio, as far as the settings tell."""

from django.conf import settings

OF_A_TRIAL = "AC" + "0" * 32


def is_real() -> bool:
    """Is an account set, and not the made-up one of a trial?"""
    return settings.TWILIO_ACCOUNT_SID != OF_A_TRIAL


def is_there() -> bool:
    """Is there a Twilio to ask: the real one, or a fake one on this machine?"""
    return is_real() or bool(settings.TWILIO_API_URL)
