"""What we ask of Twilio: its REST API. For the worker and commands: its client is slow to import.

Facts are from Twilio's reference pages on the Message resource and its errors.
"""

import json
import re
import threading
from datetime import datetime, timedelta
from typing import Any

import requests
import urllib3
from django.conf import settings
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from whatsapp_bot.delivery import (
    Later,
    Misconfigured,
    Outcome,
    Parcel,
    Refused,
    Seen,
    Sent,
    Unknown,
)
from whatsapp_bot.twilio.codes import Treat, treatment
from whatsapp_bot.twilio.webhook import status_callback

CLOCKS_DIFFER = timedelta(minutes=5)
"""How far Twilio's clock may be from ours."""
MOST_LOOKED_AT = 200

_of_thread = threading.local()


class Unreachable(Exception):
    """Twilio could not be asked, or gave no answer that can be read."""


class _Http(TwilioHttpClient):
    """Remembers what the last answer said of waiting, which the SDK's exceptions do not tell."""

    retry_after: float = 0

    def request(self, *args: Any, **options: Any) -> Response:
        self.retry_after = 0
        response = super().request(*args, **options)
        self.retry_after = _seconds(response.headers.get("Retry-After"))
        return response


def client() -> Client:
    """This thread's client, which keeps its connection open."""
    account = settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN, settings.TWILIO_API_URL
    if getattr(_of_thread, "account", None) != account:
        close()
        _of_thread.client = _new_client()
        _of_thread.account = account
    return _of_thread.client


def _new_client() -> Client:
    http = _Http(timeout=settings.TWILIO_TIMEOUT_SECONDS)
    made = Client(settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN, http_client=http)
    if settings.TWILIO_API_URL:
        for domain in ("api", "content", "messaging"):
            getattr(made, domain).base_url = settings.TWILIO_API_URL
    return made


def close() -> None:
    """Close this thread's connection."""
    if getattr(_of_thread, "account", None):
        _of_thread.client.http_client.session.close()
        _of_thread.account = None


def send(parcel: Parcel) -> Outcome:
    """Hand a message to Twilio, once. Never raises for what Twilio or the network do."""
    twilio = client()
    content: dict[str, Any] = {"body": parcel.body}
    if parcel.content_sid:
        content = {
            "content_sid": parcel.content_sid,
            "content_variables": json.dumps(parcel.variables or {}),
        }
    try:
        sent = twilio.messages.create(
            to=address(parcel.to),
            from_=address(settings.TWILIO_WHATSAPP_NUMBER),
            status_callback=status_callback(parcel.message_id),
            **content,
        )
    except (TwilioRestException, TwilioServiceException) as error:
        return _outcome(error, twilio.http_client.retry_after)
    except requests.exceptions.RequestException as error:
        return Later() if _never_connected(error) else Unknown()
    except (TwilioException, ValueError, KeyError, TypeError):  # 2xx that cannot be read
        return Unknown()
    return Sent(sent.sid) if sent.sid else Unknown()


def look_up(parcel: Parcel, since: datetime) -> Outcome:
    """What Twilio has sent for us to that address with that text, or Unknown when it cannot say."""
    try:
        found = client().messages.list(
            to=address(parcel.to),
            from_=address(settings.TWILIO_WHATSAPP_NUMBER),
            date_sent_after=since - CLOCKS_DIFFER,
            limit=MOST_LOOKED_AT,
        )
    except (TwilioException, requests.exceptions.RequestException, ValueError, KeyError):
        return Unknown()
    same = [
        one for one in found if one.direction == "outbound-api" and _alike(one.body, parcel.body)
    ]
    return Seen(tuple(one.sid for one in reversed(same)))


def address(phone_or_user_id: str) -> str:
    return f"whatsapp:{phone_or_user_id}"


def _alike(one: str | None, other: str) -> bool:
    """Are they the same text, wherever lines break?"""
    return (one or "").split() == other.split()


def _outcome(error: TwilioException, retry_after: float) -> Outcome:
    status, code = int(error.status), int(error.code or 0)
    if status >= 500 or status < 400:
        return Unknown()
    treat = Treat.LATER if status == 429 else treatment(code)
    if status == 401 or treat == Treat.SETUP:
        return Misconfigured(code)
    return Later(retry_after, code) if treat == Treat.LATER else Refused(code)


def _never_connected(error: requests.exceptions.RequestException) -> bool:
    """Did it end before anything of the request could have left?"""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(reason, urllib3.exceptions.NewConnectionError)


def _seconds(retry_after: str | None) -> float:
    """What a Retry-After header asks for; 0 for none, or a date, which Twilio does not send."""
    return float(retry_after) if re.fullmatch(r"\d{1,6}(\.\d+)?", retry_after or "") else 0
