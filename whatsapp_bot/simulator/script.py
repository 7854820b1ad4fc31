"""Conversations as text that anybody can read, write and replay.

    # A worker asks what he has reported.
    as worker

    > hi
    < 👋 Welcome! How can we help you today?
    |
    | 1. Check order status
    …

A line begins with what it is: `as` whom one writes from here on, `>` what is said, `<` what is
replied, `|` another line of the one above, `#` a remark. In a reply `…` (or `...`) stands for
anything; on a line of its own for any number of lines. `> [image] words` sends a picture;
[voice note], [video], [document], [location] and [other] go the same way. Without a `<`, silence
is expected.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import dates

from whatsapp_bot.inbound import Kind
from whatsapp_bot.models import Conversation, Message
from whatsapp_bot.simulator import phone
from whatsapp_bot.simulator.attachments import parameters_for
from whatsapp_bot.simulator.errors import CannotDo
from whatsapp_bot.simulator.people import CAST, Person, newcomer, word_for

KINDS = {
    "image": Kind.IMAGE,
    "voice note": Kind.AUDIO,
    "video": Kind.VIDEO,
    "document": Kind.DOCUMENT,
    "location": Kind.LOCATION,
    "other": Kind.OTHER,
}
_NAMES = {kind: name for name, kind in KINDS.items()}
_ATTACHED = re.compile(rf"\[({'|'.join(KINDS)})\] ?")
_ANYTHING = re.compile(r"…|\.\.\.")


class Unreadable(Exception):
    """A script with a line that means nothing. line: its number."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line
        self.why = why


@dataclass(slots=True)
class Said:
    """One message of a person and the replies expected. line: its number in the script."""

    line: int
    whom: str
    lines: list[str]
    replies: "list[Reply]" = field(default_factory=list)

    def parameters(self) -> dict[str, str]:
        """Raises CannotDo when it cannot be sent."""
        text = "\n".join(self.lines)
        attached = _ATTACHED.match(text)
        if attached:
            return parameters_for(KINDS[attached[1]], text[attached.end() :])
        return parameters_for(Kind.TEXT, text.removeprefix("\\"))


@dataclass(slots=True)
class Reply:
    line: int
    lines: list[str]


@dataclass(frozen=True, slots=True)
class Difference:
    """The first line of a script that is not what happened. None: there was, or is, nothing."""

    line: int
    expected: str | None
    replied: str | None

    def __str__(self) -> str:
        expected = "(nothing more)" if self.expected is None else self.expected
        replied = "(nothing more)" if self.replied is None else self.replied
        return f"line {self.line} differs\n  expected: {expected}\n  replied:  {replied}"


# Reading ------------------------------------------------------------------------------------------


def read(text: str) -> list[Said]:
    """The messages of a script, in order.

    Raises Unreadable.
    """
    script: list[Said] = []
    whom = ""
    open_lines: list[str] | None = None
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        line = line.rstrip()
        mark, rest = line[:1], line[1:].removeprefix(" ")
        if not line or mark == "#":
            continue
        if line.startswith("as "):
            whom, open_lines = _whom(number, line[3:].strip()), None
        elif mark == ">" and whom:
            open_lines = [rest]
            script.append(Said(number, whom, open_lines))
        elif mark == "<" and script:
            open_lines = [rest]
            script[-1].replies.append(Reply(number, open_lines))
        elif mark == "|" and open_lines is not None:
            open_lines.append(rest)
        else:
            raise Unreadable(number, _what_is_wrong(mark))
    return script


def _whom(number: int, word: str) -> str:
    if word in CAST:
        return word
    try:
        return Person.at(word).address
    except CannotDo:
        known = ", ".join(CAST)
        why = f"I do not know {word!r}: write as {known}, or as a phone number."
        raise Unreadable(number, why) from None


def _what_is_wrong(mark: str) -> str:
    return {
        ">": "Say first who writes, for example: as worker",
        "<": "There is nothing that this could be the reply to.",
        "|": "There is nothing that this could go on from.",
    }.get(mark, "A line begins with as, >, <, | or #.")


# Replaying ----------------------------------------------------------------------------------------


def replay(script: list[Said]) -> Difference | None:
    """The first difference, if any, when the script is said to the real webhook.

    Everybody in it is new, but for contacts named by their number. Nothing of it stays.
    """
    with transaction.atomic():
        try:
            return next(_differences(script), None)
        finally:
            transaction.set_rollback(True)


def _differences(script: list[Said]) -> Iterator[Difference]:
    people: dict[str, Person] = {}
    for said in script:
        person = people.get(said.whom) or people.setdefault(said.whom, _arrive(said.whom))
        yield from _differences_after(said, person)


def _arrive(whom: str) -> Person:
    if whom in CAST:
        return newcomer(whom)
    person = Person.at(whom)
    # What they are and own counts, but not where they stopped talking.
    Conversation.objects.filter(contact=person.contact()).delete()
    return person


def _differences_after(said: Said, person: Person) -> Iterator[Difference]:
    try:
        exchange = person.say(**said.parameters())
    except CannotDo as error:
        yield Difference(said.line, str(error), None)
        return
    if not exchange.accepted:
        yield Difference(said.line, "a reply", exchange.trouble)
        return
    replies = [reply.split("\n") for reply in phone.replies(exchange.response)]
    for expected, reply in zip(said.replies, replies, strict=False):
        yield from _differences_of(expected, reply)
    for expected in said.replies[len(replies) :]:
        yield Difference(expected.line, expected.lines[0], None)
    for reply in replies[len(said.replies) :]:
        last = said.replies[-1] if said.replies else said
        yield Difference(last.line + len(last.lines) - 1, None, reply[0])


def _differences_of(expected: Reply, replied: list[str]) -> Iterator[Difference]:
    """At most one. `reached` holds the lines of the reply that the expected ones may lead to."""
    reached = {0}
    for offset, line in enumerate(expected.lines):
        before = min(reached)
        reached = _after(line, reached, replied)
        if not reached:
            there = replied[before] if before < len(replied) else None
            yield Difference(expected.line + offset, line, there)
            return
    if len(replied) not in reached:
        yield Difference(expected.line + len(expected.lines) - 1, None, replied[max(reached)])


def _after(line: str, reached: set[int], replied: list[str]) -> set[int]:
    if _ANYTHING.fullmatch(line):
        return set(range(min(reached), len(replied) + 1))
    pattern = re.compile(".*".join(map(re.escape, _ANYTHING.split(line))))
    return {
        index + 1
        for index in reached
        if index < len(replied) and pattern.fullmatch(replied[index].rstrip())
    }


# Writing ------------------------------------------------------------------------------------------


def write(messages: Iterable[Message]) -> str:
    """Stored messages of one contact as a script; numbers of reports and dates become `…`."""
    lines: list[str] = []
    for message in messages:
        if not lines:
            lines += [*_HEAD, f"as {word_for(message.contact)}"]
        if message.direction == Message.Direction.IN:
            lines += ["", *_marked(">", _said(message))]
        elif message.in_reply_to_id:
            lines += _marked("<", masked(message.body))
        else:
            lines += ["# Written later, which no replay waits for:", *_marked("#", message.read)]
    return "\n".join(lines) + "\n"


_HEAD = [
    "# > is what the person says, < what the bot replies, | another line of it,",
    "# and … in a reply stands for anything.",
    "",
]


def _said(message: Message) -> str:
    kind, text = Kind(message.kind), message.body
    if kind == Kind.TEXT:
        needs_mark = text.startswith("\\") or _ATTACHED.match(text)
        return f"\\{text}" if needs_mark else text
    if kind == Kind.DOCUMENT:
        text = message.file_name
    if kind == Kind.LOCATION:
        text = ", ".join(message.location)
    return f"[{_NAMES[kind]}] {text}".rstrip()


def _marked(mark: str, text: str) -> list[str]:
    first, *others = text.split("\n")
    further = "#" if mark == "#" else "|"
    return [f"{mark} {first}".rstrip(), *(f"{further} {line}".rstrip() for line in others)]


def masked(reply: str) -> str:
    """A reply with `…` for what is another one the next time."""
    months = "|".join(str(month) for month in dates.MONTHS.values())
    days = "|".join(str(day) for day in dates.WEEKDAYS.values())
    date = rf"(?:\b(?:{days}) )?\b\d{{1,2}} (?:{months})\b(?: \d{{4}})?"
    reply = re.sub(rf"{date}|\b\d{{4}}-\d\d-\d\d\b", "…", reply)
    return re.sub(r"\b([A-Z]{2,})-\d{14}(?:-\d+)?\b", r"\1-…", reply)
