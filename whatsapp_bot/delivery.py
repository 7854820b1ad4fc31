"""What becomes of a message that leaves."""

from dataclasses import dataclass
from decimal import Decimal

from django.db import models


class Status(models.TextChoices):
    """Of a message: in, the first two; out, the others, of which a later one stands for ever."""

    RECEIVED = "received", "received"
    TROUBLE = "trouble", "stored, but could not be handled"
    SENT = "sent", "sent"
    DELIVERED = "delivered", "delivered"
    READ = "read", "read"
    FAILED = "failed", "failed"

    @property
    def rank(self) -> int:
        """How far it is: reports come in any order, and a status only ever rises."""
        return list(Status).index(self)


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
