"""A message as the front desk hears it, whoever carried it."""

from dataclasses import dataclass, field
from datetime import datetime

from django.db import models


class Kind(models.TextChoices):
    TEXT = "text", "text"
    IMAGE = "image", "picture"
    AUDIO = "audio", "voice note"
    VIDEO = "video", "video"
    DOCUMENT = "document", "document"
    LOCATION = "location", "location"
    OTHER = "other", "other"

    @property
    def is_attachment(self) -> bool:
        """Is it something that belongs to a report, and not only words?"""
        return self not in (Kind.TEXT, Kind.OTHER)

    @property
    def is_picture(self) -> bool:
        """Can it be seen, and come in an album?"""
        return self in (Kind.IMAGE, Kind.VIDEO)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who wrote. At least one of the two is known.

    phone: `+` and digits. user_id: `ZA.1a2b…`, for people who hide their number.
    """

    phone: str | None = None
    user_id: str | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class File:
    url: str
    content_type: str


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message, verified and cleaned.

    text: what the person typed, or the label of what they tapped. payload: the key of what they
    tapped. quoted_sid: the message that they replied to. details: whatever else came with it.
    received_at: when the carrier got it, where we fetched it later and nobody waits for an answer.
    """

    sid: str
    sender: Sender
    kind: Kind = Kind.TEXT
    text: str = ""
    payload: str = ""
    files: tuple[File, ...] = ()
    quoted_sid: str = ""
    details: dict = field(default_factory=dict)
    received_at: datetime | None = None
