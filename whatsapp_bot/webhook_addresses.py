"""The addresses of ours that Twilio calls."""

from dataclasses import fields

from django.conf import settings
from django.urls import reverse

from whatsapp_bot.twilio.rest import Webhooks

OVERRIDES = "#rc=2&rp=all"
"""Twilio tries twice more after any failure; by itself it would lose a message to an error."""
SANDBOX = "+14155238886"
IN_WORDS = {
    "callback_url": "Webhook URL for incoming messages",
    "fallback_url": "Fallback URL",
    "status_callback_url": "Status callback URL",
}


def wanted(public_url: str) -> Webhooks:
    """What Twilio should call when we are reached at this address."""
    webhook, status = (public_url + reverse(name) for name in ("webhook", "status"))
    return Webhooks(webhook + OVERRIDES, webhook, status)


def differences(there: Webhooks, wanted: Webhooks) -> dict[str, tuple[str, str]]:
    """By their names on Twilio's pages: the addresses as they are and as they should be."""
    pairs = {
        IN_WORDS[field.name]: (getattr(there, field.name), getattr(wanted, field.name))
        for field in fields(Webhooks)
    }
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def why_no_sender() -> str:
    """What to do when our number is no WhatsApp sender of the account, in words for staff."""
    if settings.TWILIO_WHATSAPP_NUMBER == SANDBOX:
        return (
            "The addresses of Twilio's sandbox can be set by hand alone: in the console, Messaging "
            "→ Try it out → Send a WhatsApp message → Sandbox settings, under “When a message "
            "comes in” and “Status callback URL”."
        )
    return (
        f"{settings.TWILIO_WHATSAPP_NUMBER} is no WhatsApp sender of this account. Register it in "
        "the console, Messaging → Senders → WhatsApp senders, or correct TWILIO_WHATSAPP_NUMBER."
    )
