"""The fake Twilio as two HTTP servers on loopback: the API, and the CDN that has the media."""

import hashlib
import hmac
import json
import os
import secrets
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

from django.conf import settings

from whatsapp_bot.fake_twilio.memory import Media, Memory, Message, new_sid, now
from whatsapp_bot.fake_twilio.rest import LONGEST_BODY, Answer, Problem, Rest
from whatsapp_bot.fake_twilio.trouble import Kind, Request, Trouble, Troubles
from whatsapp_bot.fake_twilio.webhooks import (
    SILENT,
    Delivery,
    Fate,
    Webhooks,
    inbound_parameters,
    replies,
    rise,
    status_parameters,
)

HOST = "127.0.0.1"
PAGE = b"<!DOCTYPE html><title>Please wait</title><h1>We will be back in a moment</h1>"
LARGEST_BODY = 1_000_000


@dataclass(frozen=True)
class Alert:
    """What Twilio would list among its errors: a code such as 11200, and whose message it was."""

    code: int
    message_sid: str


class FakeTwilio:
    """Start it with `with`, or with `start` and `stop`.

    account_sid, auth_token: what clients must know. number: `+` and digits of our sender.
    port, media_port: 0 takes a free one. on_request: called with every request and its answer.
    """

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        number: str,
        *,
        port: int = 0,
        media_port: int = 0,
        on_request: Callable[[Request], None] | None = None,
    ) -> None:
        self.number = number
        self.memory = Memory(account_sid, number)
        self.trouble = Troubles()
        self.webhooks = Webhooks(auth_token)
        self.fate: Fate = SILENT
        self.cdn_requests: list[Request] = []
        self.alerts: list[Alert] = []
        self.faults: list[str] = []
        self._requests: list[Request] = []
        self._fates: list[tuple[str, Fate]] = []
        self._lock = threading.Lock()
        self._on_request = on_request
        self._key = secrets.token_bytes(16)
        self._api = _Server(port, _ApiHandler, self)
        try:
            self._cdn = _Server(media_port, _CdnHandler, self)
        except OSError:
            self._api.server_close()
            raise
        self.rest = Rest(self.memory, auth_token, self.url, self.link, self._begin)

    @classmethod
    def with_our_account(cls, **more: Any) -> "FakeTwilio":
        """With the account and the number of the settings."""
        account = settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN
        return cls(*account, settings.TWILIO_WHATSAPP_NUMBER, **more)

    def __enter__(self) -> "FakeTwilio":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> "FakeTwilio":
        self._api.start()
        self._cdn.start()
        return self

    def stop(self) -> None:
        """Every thread and connection of ours is gone afterwards."""
        self.webhooks.stop()
        self._api.stop()
        self._cdn.stop()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._api.server_port}"

    @property
    def media_url(self) -> str:
        return f"http://{HOST}:{self._cdn.server_port}"

    # For tests: what was there

    @property
    def messages(self) -> list[Message]:
        """All messages, oldest first."""
        return self.memory.messages()

    @property
    def sent(self) -> list[Message]:
        """The messages that went out, oldest first."""
        return self.memory.messages(lambda message: message.direction != "inbound")

    def sent_to(self, address: str) -> list[Message]:
        """What went out to a phone number or WhatsApp user id, oldest first."""
        return self.memory.messages(
            lambda message: message.direction != "inbound", to=whatsapp(address)
        )

    @property
    def requests(self) -> list[Request]:
        """All requests to the API, as they came."""
        with self._lock:
            return list(self._requests)

    @property
    def leaks(self) -> list[Request]:
        """Requests that brought credentials to the CDN."""
        with self._lock:
            return [request for request in self.cdn_requests if "authorization" in request.headers]

    # For tests: what happens

    def receive(
        self,
        from_: str,
        body: str = "",
        media: Iterable[Media] = (),
        *,
        name: str = "",
        post_to: str | None = None,
        **parameters: str,
    ) -> Message:
        """Somebody writes to us. The message is stored, whatever becomes of its webhook.

        from_: a phone number or WhatsApp user id. post_to: where the webhook goes; by default
        where the sender or the number is connected to, "" is nowhere. parameters: further ones
        of the webhook, or others in their place. The reply in the answer is sent.
        """
        message = Message(
            account_sid=self.memory.account_sid,
            direction="inbound",
            from_=whatsapp(from_),
            to=whatsapp(self.number),
            body=body,
            status="received",
            media=list(media),
            price="-0.00500",
            sent=now(),
            sid=parameters.get("MessageSid", ""),
        )
        self.memory.add(message)
        connected = next(((a, b) for a, b in self.memory.addresses_of(message.to) if a), ("", ""))
        url, fallback = connected if post_to is None else (post_to, "")
        if url:
            urls = [self.media_address(message, file) for file in message.media]
            given = {**inbound_parameters(message, urls, name), **parameters}
            self._deliver(message, url, fallback, given)
        return message

    def media_address(self, message: Message, media: Media) -> str:
        """What a webhook has as MediaUrl."""
        return f"{self.url}{message.uri}/Media/{media.sid}"

    def decide(self, *fates: Fate, to: str = "") -> None:
        """What becomes of the next messages, one fate each; to: of those to this address."""
        with self._lock:
            self._fates += [(to and whatsapp(to), fate) for fate in fates]

    def report(self, message: Message, status: str, error_code: int | None = None) -> Delivery:
        """Send one status callback now, whatever was sent before, and see how it is answered."""
        with self.memory:
            rise(message, status, error_code)
        parameters = status_parameters(message, status, error_code)
        return self.webhooks.post(message.status_callback, parameters)

    def review(self, content_sid: str, status: str = "approved", reason: str = "") -> None:
        """WhatsApp approves of a content template, or rejects it for a reason."""
        with self.memory:
            approval = self.memory.approvals[content_sid]
            approval.update(status=status, rejection_reason=reason)

    # Webhooks

    def _deliver(
        self, message: Message, url: str, fallback: str, parameters: dict[str, str]
    ) -> None:
        delivery = self.webhooks.post(url, parameters)
        if not delivery.went_well:
            self._alert(11200, message)
            if not fallback:
                return
            trouble = {"ErrorCode": "11200", "ErrorUrl": url.partition("#")[0]}
            delivery = self.webhooks.post(fallback, {**parameters, **trouble})
            if not delivery.went_well:
                return
        self._reply(message, delivery)

    def _reply(self, message: Message, delivery: Delivery) -> None:
        """Send what the answer to a webhook says."""
        if not delivery.body.strip():
            return
        try:
            said = replies(delivery.body)
        except ValueError:
            self._alert(12100, message)
            return
        for reply in said:
            if not (reply.body or reply.media_urls) or len(reply.body) > LONGEST_BODY:
                self._alert(14103, message)
                continue
            out = Message(
                account_sid=message.account_sid,
                direction="outbound-reply",
                from_=message.to,
                to=message.from_ or "",
                body=reply.body,
                media_urls=reply.media_urls,
                status_callback=reply.status_callback
                and urljoin(delivery.url, reply.status_callback),
            )
            self._begin(self.memory.add(out))

    def _alert(self, code: int, message: Message) -> None:
        with self._lock:
            self.alerts.append(Alert(code, message.sid))

    def _begin(self, message: Message) -> None:
        """Let a message that was accepted meet its fate."""
        fate = self._fate_of(message)
        if message.from_ is None:
            message.from_ = whatsapp(self.number)
        if not message.status_callback:
            message.status_callback = self.memory.status_address_of(message.from_)
        if not fate.statuses:
            return
        if not fate.callbacks or not message.status_callback:
            with self.memory:
                message.become(fate.final, fate.error(fate.final))
        elif fate.early:
            self.webhooks.tell(message, fate, self.memory)
        else:
            self.webhooks.soon(lambda: self.webhooks.tell(message, fate, self.memory))

    def _fate_of(self, message: Message) -> Fate:
        with self._lock:
            for position, (to, fate) in enumerate(self._fates):
                if to in ("", message.to):
                    del self._fates[position]
                    return fate
        return self.fate

    # Requests

    def answer(self, request: Request) -> tuple[Answer | None, Trouble | None]:
        """What a request is answered with, None for nothing at all; and its trouble."""
        self.rest.name(request)
        trouble = self.trouble.for_request(request)
        request.trouble = trouble.name if trouble else ""
        with self._lock:
            self._requests.append(request)
        answer = self._troubled(request, trouble) if trouble else self.rest.handle(request)
        request.status = answer.status if answer else 0
        if self._on_request:
            self._on_request(request)
        return answer, trouble

    def _troubled(self, request: Request, trouble: Trouble) -> Answer | None:
        if trouble.kind == Kind.WAIT and not trouble.done:
            self.webhooks.stopping.wait(trouble.seconds)
            return self.rest.handle(request)
        answer = self.rest.handle(request) if trouble.done else None
        if trouble.kind == Kind.WAIT:
            self.webhooks.stopping.wait(trouble.seconds)
            return answer
        if trouble.kind in (Kind.CUT, Kind.RESET):
            return None
        if trouble.html:
            return Answer(trouble.status, headers={"Content-Type": "text/html"}, body=PAGE)
        answer = Problem(trouble.code, trouble.status).answer()
        if trouble.status == 429:
            answer.headers["Retry-After"] = f"{trouble.seconds:g}"
        return answer

    def link(self, media: Media) -> str:
        """The signed address of a file at the CDN, good for a few hours."""
        path = f"/{self.memory.account_sid}/{media.sid}"
        expires = str(int(time.time()) + 4 * 3600)
        query = {
            "Expires": expires,
            "Signature": self._signature(path, expires),
            "Key-Pair-Id": "K" + "0" * 13,
        }
        return f"{self.media_url}{path}?{urlencode(query)}"

    def _signature(self, path: str, expires: str) -> str:
        return hmac.new(self._key, f"{path} {expires}".encode(), hashlib.sha256).hexdigest()

    def answer_from_cdn(self, request: Request) -> tuple[int, Media | None]:
        """A status and the file: signed links only, and nobody who brings other credentials."""
        with self._lock:
            self.cdn_requests.append(request)
        expires = request.query.get("Expires", "")
        if "authorization" in request.headers:
            return 400, None
        signature = request.query.get("Signature", "")
        if not hmac.compare_digest(
            signature.encode(), self._signature(request.path, expires).encode()
        ):
            return 403, None
        if int(expires) < time.time():
            return 403, None
        media = self.memory.media(request.path.rpartition("/")[2])
        return (200, media) if media else (404, None)


def whatsapp(address: str) -> str:
    """An address as Twilio writes it."""
    return address if address.startswith("whatsapp:") else f"whatsapp:{address}"


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128

    def __init__(self, port: int, handler: type[BaseHTTPRequestHandler], fake: FakeTwilio) -> None:
        super().__init__((HOST, port), handler)
        self.fake = fake
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join()
        # Clients keep connections open; the threads that wait on them end with these.
        with self._lock:
            for connection in self._connections:
                _hang_up(connection)
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is gone is no fault; anything else is one of ours."""
        error = sys.exception()
        if not isinstance(error, OSError):
            self.fake.faults.append(repr(error))
            super().handle_error(request, client_address)


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "FakeTwilio"
    sys_version = ""
    # One packet an answer; otherwise each waits for the client to acknowledge its headers.
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 60
    server: _Server

    def log_message(self, *_: Any) -> None:
        """Lines of the library's own would hold addresses."""

    def _request(self) -> Request | None:
        """What was asked; None when it is too large, or not a form or JSON."""
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            return None
        body = self.rfile.read(int(length))
        parts = urlsplit(self.path)
        form, given = {}, None
        try:
            if "json" in self.headers.get("Content-Type", ""):
                given = json.loads(body)
            else:
                form = parse_qs(body.decode(), keep_blank_values=True)
        except ValueError:
            return None
        query = parse_qs(parts.query, keep_blank_values=True)
        return Request(
            method=self.command,
            path=parts.path,
            query={name: values[0] for name, values in query.items()},
            form={name: values[0] for name, values in form.items()},
            headers={name.lower(): value for name, value in self.headers.items()},
            at=time.monotonic(),
            media_urls=form.get("MediaUrl", []),
            json=given if isinstance(given, dict) else None,
        )

    def _answer(self, answer: Answer) -> None:
        content = answer.encoded()
        headers = {"Content-Type": "application/json;charset=utf-8", **answer.headers}
        self.send_response(answer.status)
        for name, value in headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.send_header("Twilio-Request-Id", new_sid("RQ"))
        self.end_headers()
        self.wfile.write(content)


class _ApiHandler(_Handler):
    def _serve(self) -> None:
        request = self._request()
        if request is None:
            self.close_connection = True
            self._answer(Problem(20001).answer())
            return
        answer, trouble = self.server.fake.answer(request)
        if answer is not None:
            self._answer(answer)
            return
        self.close_connection = True
        if trouble and trouble.kind == Kind.RESET:
            _reset(self.connection)

    do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = _serve  # noqa: N815


def _reset(connection: socket.socket) -> None:
    """Close it so that the client is told of a reset, not of an end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(connection.detach())


class _CdnHandler(_Handler):
    def do_GET(self) -> None:
        request = self._request()
        if request is None:
            self.close_connection = True
            self._answer(Answer(400))
            return
        status, media = self.server.fake.answer_from_cdn(request)
        if media is None:
            self._answer(Answer(status, headers={"Content-Type": "application/xml"}))
        elif media.endless:
            self._pour(media)
        else:
            kind = {"Content-Type": media.content_type}
            self._answer(Answer(200, headers=kind, body=media.content))

    def _pour(self, media: Media) -> None:
        """Content without an end, until nobody reads on."""
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", media.content_type)
        self.end_headers()
        while not self.server.fake.webhooks.stopping.is_set():
            self.wfile.write(media.content or b"\0" * 65536)
