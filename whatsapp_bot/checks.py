"""What `manage.py check` says about the settings.

Values that cannot be right stop the start already; these may be meant, and are worth a word.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import connection

from whatsapp_bot.twilio import account


@register
def check_names(**_: Any) -> list[CheckMessage]:
    return [
        Warning(
            f"{name} is no setting, and does nothing.",
            hint=f"Is {meant} meant? .env.example has them all.",
            id="whatsapp_bot.W003",
        )
        for name, meant in settings.NOT_SETTINGS.items()
        if meant
    ]


def has_mail_server() -> bool:
    return not settings.EMAIL_BACKEND.endswith(("dummy.EmailBackend", "console.EmailBackend"))


@register
def check_mail(**_: Any) -> list[CheckMessage]:
    if has_mail_server() or not settings.ADMINS:
        return []
    return [
        Warning(
            "ALARM_EMAILS names whom to tell, but there is no mail server: nobody is told.",
            hint="Set EMAIL_URL, such as smtp+tls://user:password@host:587.",
            id="whatsapp_bot.W004",
        )
    ]


@register(Tags.security, deploy=True)
def check_public_url(**_: Any) -> list[CheckMessage]:
    if settings.PUBLIC_URL.startswith("https://"):
        return []
    return [
        Warning(
            "PUBLIC_URL is not https: what people write can be read on the way.",
            hint="Set it to the address that Twilio calls, such as https://andon.example.com.",
            id="whatsapp_bot.W001",
        )
    ]


@register(Tags.security, deploy=True)
def check_trial_account(**_: Any) -> list[CheckMessage]:
    if account.is_real():
        return []
    return [
        Warning(
            "No Twilio account is set: only the simulator can talk to the bot.",
            hint="Set TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_WHATSAPP_NUMBER in .env.",
            id="whatsapp_bot.W002",
        )
    ]


@register(Tags.security, deploy=True)
def check_places(**_: Any) -> list[CheckMessage]:
    return [
        Warning(
            f"{what} in the folder of the program, where a new installation loses them: {place}.",
            hint=f"Set {name} in .env.",
            id="whatsapp_bot.W005",
        )
        for name, what, place in _places()
        if place.is_relative_to(Path(settings.BASE_DIR).resolve())
    ]


def _places() -> Iterator[tuple[str, str, Path]]:
    """The settings that say where on this machine something is kept, what that is, and where."""
    if connection.vendor == "sqlite":
        yield "DATABASE_URL", "The data are", place_of_database()
    if not settings.MEDIA_STORAGE_URL:
        yield "MEDIA_ROOT", "What people send is kept", Path(settings.MEDIA_ROOT).resolve()


def place_of_database() -> Path:
    """Where SQLite keeps it, also where that was set as seen from the folder of the start."""
    name = connection.settings_dict["NAME"]
    return Path(name) if connection.is_in_memory_db() else Path(name).resolve()
