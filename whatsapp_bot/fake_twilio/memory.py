"""What the fake Twilio remembers: messages, media, numbers, senders and content templates."""

import secrets
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

API = "/2010-04-01"
IN_PROGRESS = {"accepted", "queued", "scheduled", "sending"}


def new_sid(prefix: str) -> str:
    return prefix + secrets.token_hex(16)


def now() -> datetime:
    """Twilio's times have whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def rfc_2822(moment: datetime | None) -> str | None:
    return moment and format_datetime(moment)


def iso_8601(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Media:
    """A file of a message.

    missing: how many more times it is not found, as in the first second after its webhook.
    redirect: where its address leads instead of to our own CDN.
    endless: the CDN repeats the content for as long as somebody reads.
    """

    content_type: str
    content: bytes = b""
    missing: int = 0
    redirect: str = ""
    endless: bool = False
    sid: str = field(default_factory=lambda: new_sid("ME"))
    message_sid: str = ""
    created: datetime = field(default_factory=now)


@dataclass
class Message:
    """A message, in or out. Addresses are as Twilio writes them: `whatsapp:+27…`."""

    account_sid: str
    direction: str
    to: str
    from_: str | None = None
    body: str = ""
    status: str = "queued"
    media: list[Media] = field(default_factory=list)
    media_urls: list[str] = field(default_factory=list)
    messaging_service_sid: str | None = None
    content_sid: str | None = None
    content_variables: dict[str, str] = field(default_factory=dict)
    status_callback: str = ""
    error_code: int | None = None
    error_message: str | None = None
    price: str | None = None
    created: datetime = field(default_factory=now)
    updated: datetime = field(default_factory=now)
    sent: datetime | None = None
    shows_from: datetime = field(default_factory=lambda: datetime.now(UTC))
    sid: str = ""

    def __post_init__(self) -> None:
        self.sid = self.sid or new_sid("MM" if self.media or self.media_urls else "SM")
        for media in self.media:
            media.message_sid = self.sid

    @property
    def uri(self) -> str:
        return f"{API}/Accounts/{self.account_sid}/Messages/{self.sid}"

    @property
    def when(self) -> datetime:
        """The moment by which lists are in order."""
        return self.sent or self.created

    def become(self, status: str, error_code: int | None = None, why: str | None = None) -> None:
        """Take on a status; what is sent has a date and a price."""
        self.status, self.updated = status, now()
        self.error_code, self.error_message = error_code, why
        if status not in IN_PROGRESS and self.sent is None:
            self.sent = self.updated
            self.price = None if status in ("failed", "canceled") else "-0.00500"

    def resource(self) -> dict[str, Any]:
        """The fields of the Message resource."""
        return {
            "account_sid": self.account_sid,
            "api_version": "2010-04-01",
            "body": self.body,
            "date_created": rfc_2822(self.created),
            "date_sent": rfc_2822(self.sent),
            "date_updated": rfc_2822(self.updated),
            "direction": self.direction,
            "error_code": self.error_code,
            "error_message": self.error_message,
            "from": self.from_,
            "messaging_service_sid": self.messaging_service_sid,
            "num_media": str(len(self.media) or len(self.media_urls)),
            "num_segments": "0" if self.status in ("accepted", "scheduled") else "1",
            "price": self.price,
            "price_unit": self.price and "USD",
            "sid": self.sid,
            "status": self.status,
            "subresource_uris": {"media": f"{self.uri}/Media.json"},
            "to": self.to,
            "uri": f"{self.uri}.json",
        }


class Memory:
    """Everything stored, guarded by one lock: take it with `with memory:`.

    approved: called with the SID of a content template that is not here, may know its wording; it
    then is one that WhatsApp has approved.
    """

    def __init__(self, account_sid: str, number: str) -> None:
        self.account_sid = account_sid
        self.created = now()
        self.shows_after = 0.0
        self._lock = threading.RLock()
        self._messages: dict[str, Message] = {}
        self._by_recipient: dict[str, dict[str, Message]] = {}
        self.numbers: dict[str, dict[str, Any]] = {}
        self.senders: dict[str, dict[str, Any]] = {}
        self.contents: dict[str, dict[str, Any]] = {}
        self.approvals: dict[str, dict[str, Any]] = {}
        self.approved: Callable[[str], str | None] = lambda sid: None
        self.typing: list[str] = []
        self.add_number(number)
        self.add_sender(number)

    def __enter__(self) -> "Memory":
        self._lock.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def add(self, message: Message) -> Message:
        """Store a message; it is listed `shows_after` seconds from now."""
        message.shows_from = datetime.now(UTC) + timedelta(seconds=self.shows_after)
        with self:
            self._messages[message.sid] = message
            self._by_recipient.setdefault(message.to, {})[message.sid] = message
        return message

    def forget(self, sid: str) -> None:
        with self:
            message = self._messages.pop(sid)
            del self._by_recipient[message.to][sid]

    def message(self, sid: str) -> Message | None:
        return self._messages.get(sid)

    def messages(
        self, wanted: Callable[[Message], bool] = lambda message: True, to: str = ""
    ) -> list[Message]:
        """The messages that are wanted, to everybody or one address, oldest first."""
        with self:
            stored = self._by_recipient.get(to, {}) if to else self._messages
            return [message for message in stored.values() if wanted(message)]

    def media(self, sid: str) -> Media | None:
        with self:
            files = (media for message in self._messages.values() for media in message.media)
            return next((media for media in files if media.sid == sid), None)

    def content(self, sid: str) -> dict[str, Any] | None:
        return self.contents.get(sid) or self._approved(sid)

    def _approved(self, sid: str) -> dict[str, Any] | None:
        if not (body := self.approved(sid)):
            return None
        types = {"twilio/text": {"body": body}}
        return {"sid": sid, "language": "en", "types": types, "variables": {}}

    def approval(self, sid: str) -> dict[str, Any]:
        """How WhatsApp stands to a content template that is here."""
        standing = {
            "allow_category_change": True,
            "category": "",
            "content_type": "",
            "name": "",
            "rejection_reason": "",
            "status": "unsubmitted" if sid in self.contents else "approved",
        }
        return self.approvals.get(sid, standing)

    def sends_from(self, address: str) -> bool:
        return address in {sender["sender_id"] for sender in self.senders.values()} or address in {
            number["phone_number"] for number in self.numbers.values()
        }

    def add_number(self, phone_number: str, **fields: str) -> dict[str, Any]:
        sid = new_sid("PN")
        number = {
            "account_sid": self.account_sid,
            "address_requirements": "none",
            "address_sid": None,
            "api_version": "2010-04-01",
            "beta": False,
            "bundle_sid": None,
            "capabilities": {"fax": False, "mms": True, "sms": True, "voice": True},
            "date_created": rfc_2822(now()),
            "date_updated": rfc_2822(now()),
            "friendly_name": phone_number,
            "identity_sid": None,
            "origin": "twilio",
            "phone_number": phone_number,
            "sid": sid,
            "sms_application_sid": "",
            "sms_fallback_method": "POST",
            "sms_fallback_url": "",
            "sms_method": "POST",
            "sms_url": "",
            "status": "in-use",
            "status_callback": "",
            "status_callback_method": "POST",
            "trunk_sid": None,
            "uri": f"{API}/Accounts/{self.account_sid}/IncomingPhoneNumbers/{sid}.json",
            "voice_application_sid": "",
            "voice_caller_id_lookup": False,
            "voice_fallback_method": "POST",
            "voice_fallback_url": "",
            "voice_method": "POST",
            "voice_url": "",
            **fields,
        }
        with self:
            self.numbers[sid] = number
        return number

    def add_sender(self, phone_number: str) -> dict[str, Any]:
        """A WhatsApp sender: where its messages go is kept here, not with the number."""
        sid = new_sid("XE")
        sender = {
            "sid": sid,
            "sender_id": f"whatsapp:{phone_number}",
            "status": "ONLINE",
            "configuration": {"waba_id": "100000000000000"},
            "webhook": {
                "callback_url": "",
                "callback_method": "POST",
                "fallback_url": "",
                "fallback_method": "POST",
                "status_callback_url": "",
                "status_callback_method": "POST",
            },
            "profile": {"name": "Andon"},
            "properties": {"quality_rating": "HIGH", "messaging_limit": "10K Customers/24hr"},
            "offline_reasons": None,
        }
        with self:
            self.senders[sid] = sender
        return sender

    def status_address_of(self, address: str) -> str:
        """Where callbacks go when a message names no address of its own."""
        with self:
            found = (s for s in self.senders.values() if s["sender_id"] == address)
            return next((sender["webhook"]["status_callback_url"] for sender in found), "")

    def addresses_of(self, address: str) -> Iterable[tuple[str, str]]:
        """Where messages to this address of ours go, with the fallback, best first."""
        with self:
            for sender in self.senders.values():
                if sender["sender_id"] == address:
                    yield sender["webhook"]["callback_url"], sender["webhook"]["fallback_url"]
            for number in self.numbers.values():
                if number["phone_number"] == address.removeprefix("whatsapp:"):
                    yield number["sms_url"], number["sms_fallback_url"]
