"""A message's way through the webhook, as both sides saw it."""

import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpResponse

from whatsapp_bot.simulator.phone import Phone

LONGEST_SHOWN = 20_000


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was brought to the webhook, what it answered, and how long that took."""

    parameters: dict[str, str]
    response: HttpResponse
    ms: float

    @classmethod
    def of(cls, phone: Phone, parameters: dict[str, str]) -> "Exchange":
        """Bring these parameters to the real webhook."""
        started = time.monotonic()
        response = phone.post(**parameters)
        return cls(parameters, response, round((time.monotonic() - started) * 1000, 1))

    @property
    def sid(self) -> str:
        return self.parameters["MessageSid"]

    @property
    def accepted(self) -> bool:
        return self.response.status_code == 200

    @property
    def trouble(self) -> str:
        """Why the message was not accepted, in one sentence."""
        status = self.response.status_code
        why = self.response.content.decode(errors="replace").strip()
        if status >= 500 or not self.response.headers["Content-Type"].startswith("text/plain"):
            return f"The webhook answered {status}. The message was not taken."
        return f"The webhook refused the message: {status}, {why.rstrip('.')}."

    def as_json(self) -> dict[str, Any]:
        environ = self.response.request
        body = self.response.content.decode(errors="replace")
        return {
            "url": settings.PUBLIC_URL + environ["PATH_INFO"],
            "sent": {
                "Content-Type": environ["CONTENT_TYPE"],
                "X-Twilio-Signature": environ["HTTP_X_TWILIO_SIGNATURE"],
            },
            "parameters": self.parameters,
            "status": f"{self.response.status_code} {self.response.reason_phrase}",
            "got": dict(self.response.headers),
            "body": body[:LONGEST_SHOWN],
            "ms": self.ms,
        }
