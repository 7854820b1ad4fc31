"""What we ask of Twilio: its REST API. For the worker and commands: its client is slow to import.

Facts are from Twilio's reference pages on the Message resource and its errors.
"""

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import requests
import urllib3
from django.conf import settings
from django.utils import timezone
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from whatsapp_bot.delivery import (
    DeliveryReport,
    Later,
    Misconfigured,
    Outcome,
    Parcel,
    Refused,
    Seen,
    Sent,
    Unknown,
    Unreached,
)
from whatsapp_bot.inbound import Incoming
from whatsapp_bot.twilio import webhook
from whatsapp_bot.twilio.codes import Treat, in_words, treatment
from whatsapp_bot.twilio.webhook import status_callback

CLOCKS_DIFFER = timedelta(minutes=5)
"""How far Twilio's clock may be from ours."""
SAME_TIME = timedelta(seconds=5)
"""Moments of Twilio's have whole seconds, and an answer takes a while."""
MOST_LOOKED_AT = 200
A_PAGE = 1000
"""Messages that Twilio lists at once, at most."""
NOT_KNOWN = 404
OF_PROXIES = (403, 407, 408, 413, 425)
"""What something on the way may answer, in its own words: then it has no code of Twilio's."""
WRONG_CREDENTIALS = 20003
"""Twilio's code for it, which we use as well for an answer without one."""

_of_thread = threading.local()


class Unreachable(Exception):
    """Twilio could not be asked, or gave no answer that can be read: says why, for staff.

    status: of its answer in HTTP, None without one.
    """

    def __init__(self, why: str, status: int | None = None) -> None:
        super().__init__(why)
        self.status = status

    @property
    def is_of_this(self) -> bool:
        """Twilio answers, and may have trouble with what we asked for alone."""
        return self.status not in (None, 401, 429)


class _Http(TwilioHttpClient):
    """Remembers what the last answer said of waiting, which the SDK's exceptions do not tell.

    date: what time it is at Twilio, as the last answer said.
    """

    retry_after: float = 0
    date: str = ""

    def request(self, *args: Any, **options: Any) -> Response:
        self.retry_after = 0
        response = super().request(*args, **options)
        self.retry_after = _seconds(response.headers.get("Retry-After"))
        self.date = response.headers.get("Date", "")
        _clock.heard(self.date)
        return response


class _Clock:
    """Twilio's, as its last answer told it; ours may be wrong, and set right at any moment."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[datetime, float]] = {}

    def heard(self, date: str) -> None:
        with suppress(ValueError, TypeError):
            there = parsedate_to_datetime(date).astimezone(UTC)
            self._said[settings.TWILIO_API_URL] = there, time.monotonic()

    def ahead(self) -> timedelta:
        """How far it is ahead of ours; none when that is less than an answer takes and tells."""
        if settings.TWILIO_API_URL not in self._said:
            return timedelta()
        there, at = self._said[settings.TWILIO_API_URL]
        ahead = there + timedelta(seconds=time.monotonic() - at) - timezone.now()
        return ahead if abs(ahead) > SAME_TIME else timedelta()


_clock = _Clock()


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
    _heed_environment(http.session)
    made = Client(settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN, http_client=http)
    if settings.TWILIO_API_URL:
        for domain in ("api", "content", "messaging"):
            getattr(made, domain).base_url = settings.TWILIO_API_URL
    return made


def _heed_environment(session: requests.Session) -> None:
    """Take proxies and certificates from the environment now, and not anew for each request.

    That takes a quarter of the time of one.
    """
    told = session.merge_environment_settings(_base(), {}, None, None, None)
    session.proxies, session.verify = told["proxies"], told["verify"]
    session.trust_env = False


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
        return Unreached() if _never_connected(error) else Unknown()
    except (TwilioException, ValueError, KeyError, TypeError):  # 2xx that cannot be read
        return Unknown()
    return Sent(sent.sid) if sent.sid else Unknown()


def look_up(parcel: Parcel, since: datetime) -> Outcome:
    """What Twilio has sent for us to that person with that text, or Unknown when it cannot say."""
    try:
        # Nothing was written later than now, unless our clock has been set back since.
        since = min(since, timezone.now()) + _clock.ahead() - CLOCKS_DIFFER
        found = [one for to in parcel.known_as for one in _sent_to(to, since)]
    except (TwilioException, requests.exceptions.RequestException, ValueError, KeyError, TypeError):
        return Unknown()
    directions = ("outbound-api", "outbound-reply") if parcel.is_answer else ("outbound-api",)
    same = [one for one in found if one.direction in directions and alike(one.body, parcel.body)]
    return Seen(tuple(one.sid for one in reversed(same)))


def _sent_to(to: str, since: datetime) -> list[Any]:
    """The last of ours to that person, newest first.

    Not by the date at which they were sent: what Twilio still has in its queue has none.
    """
    last = client().messages.list(
        to=address(to), from_=address(settings.TWILIO_WHATSAPP_NUMBER), limit=MOST_LOOKED_AT
    )
    return [one for one in last if one.date_created >= since]


# What we missed ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message that somebody sent to us, as Twilio's list has it. at: when Twilio got it."""

    sid: str
    at: datetime
    from_: str
    body: str
    files: int

    @property
    def is_from_somebody(self) -> bool:
        return bool(webhook.phone_number(self.from_) or webhook.user_id(self.from_))


@dataclass(frozen=True, slots=True)
class Departed:
    """A message from our number, as Twilio's list has it.

    at: when Twilio sent it. to: a phone number or WhatsApp user id. is_reply: it was the answer
    to a webhook.
    """

    report: DeliveryReport
    at: datetime
    to: str
    body: str
    is_reply: bool


def messages_to_us(since: datetime, until: datetime | None) -> Iterator[Arrived]:
    """What people sent to us in this time, newest first. Raises Unreachable, even half-way."""
    for one in _listed(since, until, to=address(settings.TWILIO_WHATSAPP_NUMBER)):
        if one.direction == "inbound":
            files = int(one.num_media or 0)
            yield Arrived(one.sid, _moment(one), one.from_ or "", one.body or "", files)


def messages_from_us(since: datetime) -> Iterator[Departed]:
    """What left since then, newest first. Raises Unreachable, even half-way."""
    for one in _listed(since, None, from_=address(settings.TWILIO_WHATSAPP_NUMBER)):
        if one.direction == "inbound":
            continue
        to = webhook.phone_number(one.to or "") or webhook.user_id(one.to or "") or ""
        is_reply = one.direction == "outbound-reply"
        yield Departed(_report(one), _moment(one), to, one.body or "", is_reply)


def has(sid: str) -> bool:
    """Does Twilio have a message with this SID? Raises Unreachable."""
    try:
        with _asking():
            return bool(client().messages(sid).fetch().sid)
    except Unreachable as error:
        if error.status != NOT_KNOWN:
            raise
        return False


def incoming(arrived: Arrived) -> Incoming:
    """The message as if its webhook had come, as far as Twilio keeps what that says.

    It keeps no profile name, location, quoted message or key of what was tapped. Raises
    Unreachable.
    """
    parameters = {"MessageSid": arrived.sid, "From": arrived.from_, "Body": arrived.body}
    if arrived.files:
        with _asking():
            files = client().messages(arrived.sid).media.list(limit=webhook.MOST_FILES)
        for position, file in enumerate(files):
            parameters[f"MediaUrl{position}"] = _base() + file.uri.removesuffix(".json")
            parameters[f"MediaContentType{position}"] = file.content_type or ""
    return replace(webhook.parse(parameters), received_at=arrived.at)


def _listed(since: datetime, until: datetime | None, **of_whom: str) -> Iterator[Any]:
    # The SDK writes moments as they are and calls them UTC.
    within = {"date_sent_after": (since + _clock.ahead()).astimezone(UTC)}
    if until:
        within["date_sent_before"] = (until + _clock.ahead()).astimezone(UTC)
    with _asking():
        yield from client().messages.stream(**of_whom, **within, page_size=A_PAGE)


def _moment(listed: Any) -> datetime:
    """When it was, by our clock."""
    return (listed.date_sent or listed.date_created) - _clock.ahead()


def _report(listed: Any) -> DeliveryReport:
    return DeliveryReport(
        sid=listed.sid,
        word=listed.status or "",
        status=webhook.STATUSES.get(listed.status),
        error_code=listed.error_code and int(listed.error_code),
        price=webhook.price(listed.price or ""),
        price_unit=(listed.price_unit or "")[:3].upper(),
    )


@contextmanager
def _asking() -> Iterator[None]:
    """Whatever comes between Twilio's answer and us is Unreachable."""
    try:
        yield
    except (TwilioRestException, TwilioServiceException) as error:
        raise _refusal(int(error.status), _code(error)) from None
    except requests.exceptions.RequestException as error:
        late = isinstance(error, requests.exceptions.Timeout)
        raise Unreachable(
            "Twilio does not answer in time." if late else "Twilio cannot be reached."
        ) from None
    except (TwilioException, ValueError, KeyError, TypeError, AttributeError) as error:
        # What the SDK makes of a list that was refused has no more than the answer.
        status = getattr(error.args[-1] if error.args else None, "status_code", 200)
        if status != 200:
            raise _refusal(status) from None
        raise Unreachable("Twilio's answer cannot be read.") from None


def _refusal(status: int, code: int = 0) -> Unreachable:
    if status >= 500:
        return Unreachable(f"Twilio has a fault ({status}).", status)
    if status in (401, NOT_KNOWN):
        return Unreachable(in_words(WRONG_CREDENTIALS if status == 401 else 20404), status)
    error = f", error {code}" if code else ""
    return Unreachable(f"Twilio answered {status}{error}.", status)


def _base() -> str:
    return settings.TWILIO_API_URL or "https://api.twilio.com"


# How we are set up there -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Account:
    """status: active, suspended or closed. ahead: seconds that Twilio's clock is before ours."""

    status: str
    ahead: float


@dataclass(frozen=True, slots=True)
class Webhooks:
    """The addresses of ours that Twilio calls; "" for none."""

    callback_url: str = ""
    fallback_url: str = ""
    status_callback_url: str = ""


@dataclass(frozen=True, slots=True)
class WhatsAppSender:
    """status: ONLINE when it works, ONLINE:UPDATING while Twilio carries out a change."""

    sid: str
    status: str
    webhooks: Webhooks


@dataclass(frozen=True, slots=True)
class Content:
    """A message template at Twilio. body: its wording. approval: Twilio's word; reason: Meta's."""

    body: str
    approval: str
    reason: str = ""


def account() -> Account:
    """Our account. Raises Unreachable, with status 401 for wrong credentials."""
    twilio = client()
    with _asking():
        fetched = twilio.api.accounts(settings.TWILIO_ACCOUNT_SID).fetch()
        there = parsedate_to_datetime(twilio.http_client.date)
    return Account(fetched.status or "", (there - datetime.now(UTC)).total_seconds())


def sender() -> WhatsAppSender | None:
    """Our number as a WhatsApp sender of the account, None when it is none. Raises Unreachable."""
    with _asking():
        senders = client().messaging.v2.channels_senders
        ours = address(settings.TWILIO_WHATSAPP_NUMBER)
        found = next((one for one in senders.stream("whatsapp") if one.sender_id == ours), None)
        fetched = found and senders(found.sid).fetch()
    if not fetched:
        return None
    given = fetched.webhook or {}
    names = ("callback_url", "fallback_url", "status_callback_url")
    addresses = Webhooks(**{name: given.get(name) or "" for name in names})
    return WhatsAppSender(fetched.sid, fetched.status or "", addresses)


def connect(sender: WhatsAppSender, webhooks: Webhooks) -> None:
    """Have Twilio call these addresses, by POST. Raises Unreachable."""
    from twilio.rest.messaging.v2.channels_sender import ChannelsSenderInstance as Sender

    given = {
        "callback_url": webhooks.callback_url,
        "callback_method": "POST",
        "fallback_url": webhooks.fallback_url,
        "fallback_method": "POST",
        "status_callback_url": webhooks.status_callback_url,
        "status_callback_method": "POST",
    }
    change = Sender.MessagingV2ChannelsSenderRequestsUpdate({"webhook": given})
    with _asking():
        client().messaging.v2.channels_senders(sender.sid).update(change)


def content(content_sid: str) -> Content:
    """A message template: one that Twilio does not know is unsubmitted. Raises Unreachable."""
    try:
        with _asking():
            there = client().content.v1.contents(content_sid)
            types = there.fetch().types or {}
            said = there.approval_fetch().fetch().whatsapp or {}
    except Unreachable as error:
        if error.status != NOT_KNOWN:
            raise
        return Content("", "unsubmitted", "Twilio has no content with this SID.")
    body = next((one["body"] for one in types.values() if one.get("body")), "")
    return Content(body, said.get("status") or "", said.get("rejection_reason") or "")


def address(phone_or_user_id: str) -> str:
    return f"whatsapp:{phone_or_user_id}"


def alike(one: str | None, other: str) -> bool:
    """Are they the same text, wherever lines break?"""
    return (one or "").split() == other.split()


def _outcome(error: TwilioException, retry_after: float) -> Outcome:
    status, code = int(error.status), _code(error)
    is_of_proxy = status in OF_PROXIES and code in (0, status)  # Where the SDK finds none.
    if status >= 500 or status < 400 or is_of_proxy:
        return Unknown()
    treat = treatment(code)
    if treat == Treat.NOT_TODAY:
        return Misconfigured(code)
    if status == 429 or treat == Treat.LATER:
        return Later(retry_after, code)
    if status == 401 or treat == Treat.SETUP:
        return Misconfigured(code or WRONG_CREDENTIALS)
    return Refused(code)


def _code(error: TwilioException) -> int:
    """Twilio's code for it; 0 for none, or for what somebody on the way put in its place."""
    found = re.fullmatch(r"\d{1,6}", str(error.code), re.ASCII)
    return int(found[0]) if found else 0


def _never_connected(error: requests.exceptions.RequestException) -> bool:
    """Did it end before anything of the request could have left?"""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    at_proxy = getattr(reason, "original_error", None)
    return isinstance(at_proxy or reason, urllib3.exceptions.NewConnectionError)


def _seconds(retry_after: str | None) -> float:
    """What a Retry-After header asks for; 0 for none, or a date, which Twilio does not send."""
    return float(retry_after) if re.fullmatch(r"\d{1,6}(\.\d+)?", retry_after or "") else 0
