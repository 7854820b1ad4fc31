"""What Twilio sends to us: messages that came in and what became of those that went out."""

import http.client
import random
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode, urlsplit
from xml.etree import ElementTree

from twilio.request_validator import RequestValidator

from whatsapp_bot.fake_twilio.memory import Memory, Message

FORM = "application/x-www-form-urlencoded; charset=utf-8"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
EVENTS = {
    "delivered": "DELIVERED",
    "read": "READ",
    "undelivered": "UNDELIVERED",
    "failed": "UNDELIVERED",
}
FAILED = {"failed", "undelivered"}
RANKS = ["accepted", "queued", "sending", "sent", "delivered", "read"]


@dataclass
class Delivery:
    """A webhook request and how it ended: an HTTP status, or `failure` as `ct` or `rt`.

    ct: no connection; rt: no answer in time, or none that can be read.
    """

    url: str
    parameters: dict[str, str]
    headers: dict[str, str]
    status: int = 0
    body: str = ""
    failure: str = ""

    @property
    def went_well(self) -> bool:
        return 200 <= self.status < 300


@dataclass(frozen=True)
class Fate:
    """What becomes of a message that was accepted.

    statuses: one after the other, as told by status callbacks if `callbacks` is true; with
    `error_code`, the last one carries it. shuffled and doubled: how the callbacks arrive.
    early: they arrive before the answer to the send. delay: seconds before each.
    """

    statuses: tuple[str, ...] = ("sent", "delivered")
    callbacks: bool = True
    error_code: int | None = None
    shuffled: bool = False
    doubled: bool = False
    early: bool = False
    delay: float = 0

    @property
    def final(self) -> str:
        """The status that stays, whatever the order of telling."""
        return max(self.statuses, key=rank)

    def error(self, status: str) -> int | None:
        return self.error_code if status in FAILED else None

    @classmethod
    def failing(cls, code: int, **more: bool) -> "Fate":
        """Accepted, and later not delivered: 63016 and most others of WhatsApp come like this."""
        return cls(("sent", "undelivered"), error_code=code, **more)


def rank(status: str) -> int:
    """How far a status is; failures are the last of all."""
    return RANKS.index(status) if status in RANKS else len(RANKS)


SILENT = Fate(callbacks=False)


def rise(message: Message, status: str, error_code: int | None) -> None:
    """Take on a status unless the message is further already."""
    if rank(status) > rank(message.status):
        message.become(status, error_code)


@dataclass
class Overrides:
    """What stands behind the # of a webhook's URL; times in seconds."""

    retries: int = 1
    policies: frozenset[str] = frozenset({"ct"})
    connect: float = 5
    read: float = 15
    total: float = 15

    @classmethod
    def of(cls, url: str) -> "Overrides":
        given = {name: values[0] for name, values in parse_qs(urlsplit(url).fragment).items()}
        policies = frozenset(given.get("rp", "ct").split(","))
        return cls(
            retries=min(int(given.get("rc", 1)), 5),
            policies=policies,
            connect=min(int(given.get("ct", 5000)), 10_000) / 1000,
            read=min(int(given.get("rt", 15_000)), 15_000) / 1000,
            total=min(int(given.get("tt", 15_000)), 15_000) / 1000,
        )

    def apply_to(self, delivery: Delivery) -> bool:
        """Is this a failure to try again after?"""
        failure = delivery.failure or f"{delivery.status // 100}xx"
        return failure in {"ct", "rt", "4xx", "5xx"} and bool(self.policies & {failure, "all"})


class Webhooks:
    """Signs requests to us as Twilio does, and sends them to loopback alone.

    routes: where public addresses are in truth, such as `https://andon.example.com` to
    `http://127.0.0.1:8000`. The signature is for the public one.
    send: how a request is made; tests may put their own in its place.
    """

    def __init__(self, auth_token: str) -> None:
        self.routes: dict[str, str] = {}
        self.send: Callable[[Delivery, str, Overrides], None] = _send
        self._signing = RequestValidator(auth_token)
        self._lock = threading.Lock()
        self._deliveries: list[Delivery] = []
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="fake-twilio-webhooks")
        self._pending: set[Future] = set()
        self.stopping = threading.Event()

    @property
    def deliveries(self) -> list[Delivery]:
        with self._lock:
            return list(self._deliveries)

    def post(self, url: str, parameters: Mapping[str, str]) -> Delivery:
        """Send parameters to a URL, again as its overrides say. Returns the last try."""
        overrides = Overrides.of(url)
        ends = time.monotonic() + overrides.total
        bare = url.partition("#")[0]
        token = secrets.token_hex(16)
        for tried in range(overrides.retries + 1):
            delivery = self._try(bare, dict(parameters), token, overrides)
            over = time.monotonic() >= ends or self.stopping.is_set()
            if over or tried == overrides.retries or not overrides.apply_to(delivery):
                break
        return delivery

    def _try(
        self, url: str, parameters: dict[str, str], token: str, overrides: Overrides
    ) -> Delivery:
        headers = {
            "Content-Type": FORM,
            "Accept": "*/*",
            "User-Agent": "TwilioProxy/1.1",
            "I-Twilio-Idempotency-Token": token,
            "X-Twilio-Signature": self._signing.compute_signature(url, parameters),
        }
        delivery = Delivery(url, parameters, headers)
        self.send(delivery, self._address(url), overrides)
        with self._lock:
            self._deliveries.append(delivery)
        return delivery

    def _address(self, url: str) -> str:
        for public, real in self.routes.items():
            if url.startswith(public):
                return real + url.removeprefix(public)
        return url

    def soon(self, work: Callable[[], object]) -> None:
        """Do it on another thread, unless we are stopping."""
        with self._lock:
            if self.stopping.is_set():
                return
            future = self._pool.submit(work)
            self._pending.add(future)
        future.add_done_callback(self._done)

    def _done(self, future: Future) -> None:
        with self._lock:
            self._pending.discard(future)

    def settle(self, seconds: float = 10) -> None:
        """Wait until nothing is under way. Raises TimeoutError, and what went wrong on a thread."""
        with self._lock:
            pending = set(self._pending)
        done, late = wait(pending, seconds)
        for future in done:
            future.result()
        if late:
            raise TimeoutError(f"{len(late)} callbacks are still under way")

    def stop(self) -> None:
        with self._lock:
            self.stopping.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def tell(self, message: Message, fate: Fate, memory: Memory) -> None:
        """Send the status callbacks of a message's fate; the message takes it on as it is told."""
        told = list(fate.statuses) * (2 if fate.doubled else 1)
        if fate.shuffled:
            random.shuffle(told)
        for status in told:
            if fate.delay and self.stopping.wait(fate.delay):
                return
            with memory:
                rise(message, status, fate.error(status))
            self.post(
                message.status_callback, status_parameters(message, status, fate.error(status))
            )


def status_parameters(message: Message, status: str, code: int | None) -> dict[str, str]:
    """The parameters of a status callback for WhatsApp."""
    parameters = {
        "SmsSid": message.sid,
        "SmsStatus": status,
        "MessageSid": message.sid,
        "MessageStatus": status,
        "AccountSid": message.account_sid,
        "ApiVersion": "2010-04-01",
        "ChannelInstallSid": "XE" + "0" * 32,
        "ChannelPrefix": "whatsapp",
        "ChannelToAddress": message.to.removeprefix("whatsapp:")[:-4] + "XXXX",
        "From": message.from_ or "",
        "To": message.to,
    }
    if status in EVENTS:
        parameters["EventType"] = EVENTS[status]
    else:
        parameters["StructuredMessage"] = "true" if message.content_sid else "false"
    if message.messaging_service_sid:
        parameters["MessagingServiceSid"] = message.messaging_service_sid
    if code:
        parameters["ErrorCode"] = str(code)
        parameters["ChannelStatusMessage"] = "Not delivered by the channel"
    return parameters


def inbound_parameters(message: Message, media_urls: Iterable[str], name: str) -> dict[str, str]:
    """The parameters of the webhook for a message that came in by WhatsApp."""
    address = (message.from_ or "").removeprefix("whatsapp:")
    parameters = {
        "SmsMessageSid": message.sid,
        "SmsSid": message.sid,
        "MessageSid": message.sid,
        "AccountSid": message.account_sid,
        "ApiVersion": "2010-04-01",
        "From": message.from_ or "",
        "To": message.to,
        "Body": message.body,
        "ProfileName": name,
        "SmsStatus": "received",
        "NumSegments": "1",
        "NumMedia": str(len(message.media)),
        "MessageType": _message_type(message),
    }
    if address.startswith("+"):
        parameters["WaId"] = address[1:]
    for position, (media, url) in enumerate(zip(message.media, media_urls, strict=True)):
        parameters[f"MediaUrl{position}"] = url
        parameters[f"MediaContentType{position}"] = media.content_type
    return parameters


def _message_type(message: Message) -> str:
    if not message.media:
        return "text"
    family = message.media[0].content_type.partition("/")[0]
    return family if family in ("image", "audio", "video") else "document"


@dataclass
class Reply:
    """A <Message> in the answer to a webhook."""

    body: str
    media_urls: list[str] = field(default_factory=list)
    status_callback: str = ""


def replies(twiml: str) -> list[Reply]:
    """The messages in TwiML. Raises ValueError when it is none."""
    try:
        response = ElementTree.fromstring(twiml)  # noqa: S314  # nosec B314
    except ElementTree.ParseError as error:
        raise ValueError(str(error)) from None
    return [
        Reply(
            body=(element.findtext("Body") or element.text or "").strip(),
            media_urls=[media.text or "" for media in element.iterfind("Media")],
            status_callback=element.get("statusCallback") or element.get("action") or "",
        )
        for element in response.iterfind("Message")
    ]


def _send(delivery: Delivery, address: str, overrides: Overrides) -> None:
    """Over HTTP, and never off this machine."""
    parts = urlsplit(address)
    if parts.scheme != "http" or parts.hostname not in LOOPBACK:
        delivery.failure = "ct"
        return
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=overrides.connect)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    # The public host, which the signature is for.
    headers = {**delivery.headers, "Host": urlsplit(delivery.url).netloc}
    try:
        connection.connect()
    except OSError:
        delivery.failure = "ct"
        return
    try:
        connection.sock.settimeout(overrides.read)
        connection.request("POST", target, urlencode(delivery.parameters), headers)
        response = connection.getresponse()
        delivery.body = response.read().decode(errors="replace")
        delivery.status = response.status
    except (OSError, http.client.HTTPException):
        delivery.failure = "rt"
    finally:
        connection.close()
