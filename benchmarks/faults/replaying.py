"""All that somebody said, said once more by somebody else, one message after the other.

Where that leads, and what is answered, is what it should have led to under any faults: the rows
say in which order they were taken, and that order is the one in which they are said again.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from unittest import mock

from benchmarks.faults.stored import Stored
from benchmarks.faults.traffic import Place, Told, anonymous
from benchmarks.faults.verdicts import some
from defects.models import DefectReport
from whatsapp_bot import receiving, reconcile
from whatsapp_bot.fake_twilio.memory import new_sid
from whatsapp_bot.models import Conversation, Message
from whatsapp_bot.tests.database import undone
from whatsapp_bot.twilio import webhook

MOST = 3000
"""Messages that are said again: more of them would take minutes. Whose is left to chance."""


@dataclass(frozen=True)
class End:
    """Where all that was said has led, whoever said it."""

    place: Place
    reports: tuple[str, ...]

    @classmethod
    def of(cls, address: str, says: str) -> "End":
        conversation = Conversation.objects.select_related("contact").get(contact__phone=address)
        made = DefectReport.objects.filter(reported_by=conversation.contact).order_by("pk")
        said = made.values_list("description", flat=True)
        return cls(Place.at(conversation, says=says), tuple(said))


@dataclass
class Differences:
    """What is otherwise than one message after the other has it."""

    answers: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)


def replayed(told: list[Told], stored: Stored, most: int = MOST) -> list[str]:
    """Whose answers, place or reports are not those of one message after the other."""
    by_sid = {one.sid: one for one in told}
    people = chosen(stored.heard, most)
    found = Differences()
    for address in people:
        # What nobody wrote is told elsewhere.
        turns = [(one, by_sid[one.sid]) for one in stored.heard[address] if one.sid in by_sid]
        with undone():
            compare(address, turns, stored.said, found)
    print(
        f"  {sum(len(stored.heard[one]) for one in people)} messages of {len(people)} of "
        f"{len(stored.heard)} people were said again, one after the other"
    )
    return [
        *some(found.answers, "messages were answered otherwise than one after the other"),
        *some(found.places, "conversations stand elsewhere than one message after the other leads"),
        *some(found.reports, "people have other reports than one message after the other makes"),
    ]


def compare(
    address: str,
    turns: list[tuple[Message, Told]],
    said: dict[str, list[Message]],
    found: Differences,
) -> None:
    """Say it all again as somebody else, and note what becomes of it that is otherwise."""
    shadow = shadow_of(address)
    for message, told in turns:
        was = bodies(said[message.sid], address, shadow)
        now = bodies(again(message, told), address, shadow)
        if was != now:
            found.answers.append(f"{message.body!r} got {was}, and not {now}")
    end, expected = End.of(address, address), End.of(shadow, address)
    if end.place != expected.place:
        found.places.append(f"{address} at {end.place.flow!r}, and not {expected.place.flow!r}")
    if end.reports != expected.reports:
        found.reports.append(f"{address} has {len(end.reports)} and not {len(expected.reports)}")


def bodies(messages: Iterable[Message], *addresses: str) -> list[str]:
    return [anonymous(one.body, *addresses) for one in messages]


def chosen(heard: dict[str, list[Message]], most: int) -> list[str]:
    """Who has written, at random, until that is as many messages as may be said again."""
    people = sorted(address for address, messages in heard.items() if messages)
    random.Random(1).shuffle(people)  # noqa: S311
    some_of_them, count = [], 0
    for address in people:
        count += len(heard[address])
        if count > most and some_of_them:
            break
        some_of_them.append(address)
    return some_of_them


def shadow_of(address: str) -> str:
    """Who says the same: a number that nobody else has."""
    return f"+279{address[4:]}"


def again(message: Message, told: Told) -> list[Message]:
    """What is replied when the shadow says the same at the same time, brought or fetched alike."""
    parameters = {
        **told.parameters,
        "MessageSid": new_sid(message.sid[:2]),
        "From": f"whatsapp:{shadow_of(told.address)}",
    }
    incoming = webhook.parse(parameters)
    turn, at = receiving.receive, message.created_at
    if message.was_fetched:
        incoming = replace(incoming, received_at=message.created_at)
        at = datetime.fromisoformat(message.details["fetched_at"])
        if message.details.get("why") == reconcile.TOO_LATE:
            turn = receiving.keep
    with mock.patch("django.utils.timezone.now", return_value=at):
        return turn(incoming).replies
