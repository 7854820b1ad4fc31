"""What the database has of all that was said."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

from benchmarks.faults.traffic import Told
from whatsapp_bot.models import Message
from whatsapp_bot.models.message import MessageQuerySet


def reconnect() -> None:
    """The database may have been restarted since we last asked it."""
    if not connection.is_usable():
        connection.close()


def heard() -> MessageQuerySet:
    """What people wrote."""
    return Message.objects.filter(direction=Message.Direction.IN)


@dataclass(frozen=True)
class Stored:
    """heard: what each person wrote, in the order in which it was taken. said: what was replied to
    each message, by its SID, an empty list for nothing.
    """

    heard: dict[str, list[Message]]
    said: dict[str, list[Message]]

    @classmethod
    def of(cls, told: Iterable[Told]) -> "Stored":
        """What there is of the people who wrote these."""
        theirs: dict[str, list[Message]] = {one.address: [] for one in told}
        for message in heard().select_related("contact").order_by("pk").iterator():
            if message.contact.phone in theirs:
                theirs[message.contact.phone].append(message)
        return cls(theirs, _said())

    @property
    def fetched(self) -> set[str]:
        """The SIDs of what no webhook brought."""
        return {one.sid for told in self.heard.values() for one in told if one.was_fetched}


def _said() -> dict[str, list[Message]]:
    said: dict[str, list[Message]] = defaultdict(list)
    replies = Message.objects.filter(in_reply_to__isnull=False, notice="")
    for reply in replies.select_related("in_reply_to").order_by("pk").iterator():
        if "again_of" not in reply.details:
            said[reply.in_reply_to.sid].append(reply)
    return said
