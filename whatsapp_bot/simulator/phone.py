"""A phone without WhatsApp: what is said on it reaches the real webhook as Twilio would send it."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree

import structlog
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from structlog.typing import EventDict, WrappedLogger
from twilio.request_validator import RequestValidator

FORM = "application/x-www-form-urlencoded"


class Phone:
    """The phone of one person.

    address: `+27821234567`, or a WhatsApp user id such as `ZA.1a2b3c` of somebody who hides the
    number. name: the profile name.
    """

    def __init__(self, address: str, name: str = "") -> None:
        self.address = address
        self.name = name

    def say(self, text: str = "", **parameters: str) -> list[str]:
        """Send `text`, with further Twilio parameters, and return what the bot replies."""
        return replies(self.post(text, **parameters))

    def send(self, kind: str, content_type: str = "", text: str = "", **more: str) -> list[str]:
        """Send an `image`, `audio`, `video` or `document`, and return what the bot replies."""
        url = f"https://api.twilio.com/2010-04-01/Accounts/media/ME{secrets.token_hex(16)}"
        return self.say(
            text,
            MessageType=kind,
            NumMedia="1",
            MediaUrl0=url,
            MediaContentType0=content_type or {"image": "image/jpeg", "audio": "audio/ogg"}[kind],
            **more,
        )

    def post(self, text: str = "", **parameters: str) -> HttpResponse:
        return post(self.parameters(text, **parameters))

    def parameters(self, text: str = "", **more: str) -> dict[str, str]:
        """A Twilio webhook's parameters for a message with `text`; `more` are added or replace."""
        sid = f"SM{secrets.token_hex(16)}"
        given = {
            "MessageSid": sid,
            "SmsSid": sid,
            "SmsMessageSid": sid,
            "AccountSid": settings.TWILIO_ACCOUNT_SID,
            "From": f"whatsapp:{self.address}",
            "To": f"whatsapp:{settings.TWILIO_WHATSAPP_NUMBER}",
            "Body": text,
            "NumMedia": "0",
            "NumSegments": "1",
            "MessageType": "text",
            "SmsStatus": "received",
            "ApiVersion": "2010-04-01",
            "ProfileName": self.name,
            **more,
        }
        if self.address.startswith("+"):
            given.setdefault("WaId", self.address[1:])
        return given


@contextmanager
def quietly() -> Iterator[None]:
    """Without the log lines of turns, in commands that show the conversation itself."""
    processors = structlog.get_config()["processors"]
    processors.insert(0, _drop_what_went_well)
    try:
        yield
    finally:
        processors.remove(_drop_what_went_well)


def _drop_what_went_well(_logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    if method == "info":
        raise structlog.DropEvent
    return event


def sign(parameters: Any, path: str) -> str:
    """The signature that Twilio would put on these parameters to this path of ours."""
    url = settings.PUBLIC_URL + path
    return RequestValidator(settings.TWILIO_AUTH_TOKEN).compute_signature(url, parameters)


def post(parameters: dict[str, str], **headers: str) -> HttpResponse:
    """Bring parameters to the webhook, signed; `headers` are added or replace."""
    path = reverse("webhook")
    return _client().post(
        path,
        urlencode(parameters),
        content_type=FORM,
        headers={"x-twilio-signature": sign(parameters, path), **headers},
        SERVER_NAME=urlsplit(settings.PUBLIC_URL).hostname,
    )


@cache
def _client() -> Client:
    return Client(enforce_csrf_checks=True, raise_request_exception=False)


def replies(response: HttpResponse) -> list[str]:
    """The messages in the webhook's answer.

    Raises ValueError when it is not the answer to an accepted message.
    """
    if response.status_code != 200:
        raise ValueError(f"The webhook answered {response.status_code}")
    answer = ElementTree.fromstring(response.content)  # noqa: S314  # nosec B314
    return [body.text or "" for body in answer.iterfind("Message/Body")]
