"""People who report a defect each and look it up: what they say, and what is right to answer."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

import benchmarks.database  # noqa: F401  isort: skip  Sets Django up.

from django.conf import settings
from django.urls import reverse

from whatsapp_bot.simulator.phone import FORM, Phone, sign

HOST = urlsplit(settings.PUBLIC_URL).hostname
EXPECTED = (
    "How can we help you today?",
    "What would you like to do?",
    "Please describe the defect:",
    "Defect Submitted! ID: DEF-",
    "What would you like to do?",
    "*Your reports*",
)


def script(number: int, turn: int) -> list[str]:
    return ["hi", "2", "1", f"Scratch {number}-{turn} on the front", "2", "2"]


def request(phone: Phone, text: str) -> bytes:
    """What Twilio would send for it, as it goes over the wire."""
    path, parameters = reverse("webhook"), phone.parameters(text)
    body = urlencode(parameters)
    return (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: {FORM}\r\n"
        f"X-Twilio-Signature: {sign(parameters, path)}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


@dataclass
class Reporter:
    """Somebody who reports a defect and looks at the list of own reports."""

    phone: Phone
    words: list[str] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    heard: int = 0
    number: str = ""

    def will_say(self, words: list[str]) -> None:
        self.words, self.heard = words, 0
        self.requests = [request(self.phone, text) for text in words]

    def next_request(self) -> bytes | None:
        return self.requests[self.heard] if self.heard < len(self.requests) else None

    def hear(self, answer: bytes) -> bool:
        self.heard += 1
        return answer.startswith(b"HTTP/1.1 200 ") and self.is_right(answer.decode())

    def is_right(self, answer: str) -> bool:
        if self.heard == 4:
            self.number = re.search(r"DEF-[\d-]+|$", answer)[0]
        own = [self.number, self.words[3]] if self.heard == 6 else []
        return all(part in answer for part in (EXPECTED[self.heard - 1], *own))


@dataclass
class FloorReporter(Reporter):
    """The same at the floor, which counts what each of them says."""

    said: int = 0

    def is_right(self, answer: str) -> bool:
        self.said += 1
        return f"<Body>This is message {self.said}.</Body>" in answer
