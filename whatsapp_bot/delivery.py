"""What becomes of a message that leaves."""

from dataclasses import dataclass
from decimal import Decimal

from django.db import models


class Status(models.TextChoices):
    """Of a message: in, the first two; out, the others."""

    RECEIVED = "received", "received"
    TROUBLE = "trouble", "stored, but could not be handled"
    WAITING = "waiting", "waits until the person writes"
    QUEUED = "queued", "queued"
    SENDING = "sending", "being sent"
    UNKNOWN = "unknown", "perhaps sent, being looked up"
    SENT = "sent", "sent"
    DELIVERED = "delivered", "delivered"
    READ = "read", "read"
    FAILED = "failed", "failed"

    @property
    def rank(self) -> tuple[bool, int]:
        """How far it is: reports come in any order, and a status only ever rises.

        It may reach one device of a person and not another one: then it has arrived.
        """
        return self.has_arrived, list(Status).index(self)

    @property
    def has_arrived(self) -> bool:
        return self in (Status.DELIVERED, Status.READ)


class Route(models.TextChoices):
    """How a message to somebody would go now."""

    FREELY = "freely", "It goes at once."
    AS_TEMPLATE = "template", "It goes at once, in the words of the approved message template."
    HELD = "held", "It waits until the person writes to us, and goes then."
    NOT_AT_ALL = "not at all", "It is not sent: the person has stopped our messages."
    BLOCKED = "blocked", "It is not sent: we have blocked the person."

    @property
    def is_shut(self) -> bool:
        return self in (Route.NOT_AT_ALL, Route.BLOCKED)


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message on its way to the carrier.

    to: a phone number or WhatsApp user id; known_as: all that the person is known by, since an
    earlier try may have gone to another one. content_sid: of the message template that goes
    instead of `body`, with its `variables`. is_answer: if it has left, it was as the answer to a
    webhook.
    """

    message_id: int
    to: str
    known_as: tuple[str, ...]
    body: str
    content_sid: str = ""
    variables: dict[str, str] | None = None
    is_answer: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """The carrier has it."""

    sid: str


@dataclass(frozen=True, slots=True)
class Later:
    """The carrier did not take it, and will. after: seconds that it asks us to wait."""

    after: float = 0
    code: int | None = None


@dataclass(frozen=True, slots=True)
class Unreached:
    """Nothing of it left: no connection to the carrier came about."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The carrier will not take it."""

    code: int


@dataclass(frozen=True, slots=True)
class Misconfigured:
    """The carrier takes nothing from us, because of how we are set up there, or for today."""

    code: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody knows whether the carrier took it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the carrier has that looks like it: the SIDs, oldest first."""

    sids: tuple[str, ...]


Outcome = Sent | Later | Unreached | Refused | Misconfigured | Unknown | Seen


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What the carrier says of a message of ours.

    message_id: our id, where the carrier was given it. status: None when its word for it is not
    known; `word` then is kept. price: as the carrier bills it, negative, in `price_unit`.
    """

    sid: str
    word: str
    message_id: int | None = None
    status: Status | None = None
    error_code: int | None = None
    price: Decimal | None = None
    price_unit: str = ""
