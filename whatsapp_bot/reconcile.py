"""Asking Twilio what we missed: messages whose webhook never reached us, and what became of ours.

Twilio keeps every message, so after an outage of any length nothing is missing. What is here
already is left alone, so it does no harm to ask again, or twice at a time.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby, islice
from operator import attrgetter
from typing import TypeVar

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.db.models import Q, QuerySet
from django.utils import timezone

from whatsapp_bot import receiving
from whatsapp_bot.delivery import Status
from whatsapp_bot.inbound import Incoming
from whatsapp_bot.models import Channel, Message
from whatsapp_bot.models.conversation import WINDOW
from whatsapp_bot.texts import APOLOGIES, LATE, LATE_FOR_TEAM
from whatsapp_bot.twilio import rest
from whatsapp_bot.twilio.rest import Arrived, Departed, Unreachable
from whatsapp_bot.twilio.webhook import phone_number

log = structlog.get_logger("whatsapp_bot")

OVERLAP = timedelta(minutes=10)
"""How far behind Twilio's list may be, and what was on its way to us when we asked."""
FIRST_LOOK = timedelta(hours=24)
AT_ONCE = timedelta(days=1)
"""Messages of so long a time are held in memory, to be put in order."""
OPEN_FOR = timedelta(days=1)
"""How long after a message went we still ask, once an hour, what became of it."""
ON_ITS_WAY = timedelta(seconds=20)
"""How long Twilio may take to bring a message, which then tells more of it than the list."""
A_CHUNK = 500
SIGN_OF_LIFE = 10
FILES_ASKED_FOR = timedelta(days=1)
"""How long we ask for the files of a message, while Twilio does not say which they are."""
TOO_LATE = "It reached us too late to be answered: Twilio could not bring it."
NO_FILES = "Its files are missing: Twilio did not say for a day which they are."

T = TypeVar("T")


@dataclass
class Found:
    """What was there. fetched: messages from people that we did not have, of which some were
    answered, some needed no answer, and some came too late for one. failed: those that could not
    be stored, to be tried again. left: those that Twilio is perhaps bringing just now. completed:
    messages of ours of which we learnt something.
    """

    fetched: int = 0
    answered: int = 0
    silent: int = 0
    late: int = 0
    failed: int = 0
    left: int = 0
    completed: int = 0


def run(since: datetime | None = None) -> Found | None:
    """Fetch what we miss since then, or since we last had all; None when somebody else does.

    Raises Unreachable. What was found until then stays, and the next run goes on.
    """
    channel = Channel.objects.ours()
    if not channel.begin_reconciling():
        return None
    began = timezone.now()
    had_all_until = channel.reconciled_at
    if not had_all_until or had_all_until > began:
        # Never asked yet, or with a clock that was wrong.
        had_all_until = _before_we_asked()
    begin = min(since or had_all_until, began)
    errand = _Errand(channel)
    try:
        try:
            errand.take_in(begin, began)
        finally:
            # Else it may have been written to whoever had the number before.
            if channel.reconciled_at:
                errand.apologize(had_all_until)
        errand.complete(begin if since else _open_since(begin, began))
    except BaseException:
        channel.stop_reconciling()
        raise
    has_all = not errand.found.failed and begin <= had_all_until
    until = began - OVERLAP if has_all else None
    channel.end_reconciling(until, again_soon=errand.found.left > 0)
    return errand.found


def run_and_log() -> None:
    try:
        found = run()
    except Unreachable as error:
        log.warning("Twilio could not be asked", why=str(error))
        return
    if found and (found.fetched or found.failed or found.completed):
        log.info("reconciled", **vars(found))


def _before_we_asked() -> datetime:
    """Since when to look the first time: a day back, or to when we last heard anything."""
    last = Message.objects.filter(direction=Message.Direction.IN).order_by("-pk").first()
    a_day_ago = timezone.now() - FIRST_LOOK
    return min(last.created_at - OVERLAP, a_day_ago) if last else a_day_ago


def _open_since(begin: datetime, now: datetime) -> datetime:
    """Once an hour look at older ones too, which may have been read, billed or failed since."""
    return begin if (begin + OVERLAP).hour == now.hour else min(begin, now - OPEN_FOR)


class _Errand:
    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.found = Found()
        self.held_up: set[str] = set()
        """Of whom a message waits for its files: what they wrote after it waits as well."""
        self.of_nobody: list[Departed] = []
        """What left our number and is no message that we know."""
        self.seen_alive = time.monotonic()

    def take_in(self, begin: datetime, now: datetime) -> None:
        """Hear what people wrote, oldest first."""
        while begin:
            end = begin + AT_ONCE if begin + AT_ONCE < now else None
            # Twilio lists the newest first, and its moments are whole seconds.
            arrived = list(self._alive(rest.messages_to_us(begin, end)))
            arrived.reverse()
            arrived.sort(key=lambda one: one.at)
            for some in _chunks(arrived):
                for one in self._alive(_missing(some)):
                    if timezone.now() - one.at < ON_ITS_WAY:
                        self.found.left += 1
                    elif one.from_ in self.held_up:
                        self.found.failed += 1
                    else:
                        self._hear(one)
            begin = end

    def apologize(self, since: datetime) -> None:
        """Tell each person once whose last message, since then, came too late to be answered.

        It may have been taken in by a run before this one, which then ended half-way.
        """
        of_each = groupby(_too_late(since), key=attrgetter("contact_id"))
        for said in self._alive(list(late) for _, late in of_each):
            message = said[-1]
            if message.contact.conversation.window_is_open and not _was_spoken_since(message):
                is_for_team = any(one.was_passed_on for one in said)
                message.contact.notify(LATE_FOR_TEAM if is_for_team else LATE)

    def complete(self, since: datetime) -> None:
        """Learn what became of messages of ours, and have answers go that Twilio never got."""
        unconfirmed = _unconfirmed_answers()
        since = min([since, *(one.created_at - rest.CLOCKS_DIFFER for one in unconfirmed)])
        for some in _chunks(self._alive(rest.messages_from_us(since))):
            sids = [one.report.sid for one in some]
            ours = {message.sid: message for message in Message.objects.filter(sid__in=sids)}
            for one in self._alive(some):
                message = ours.get(one.report.sid) or _reply_without_sid(one)
                if not message:
                    self.of_nobody.append(one)
                elif message.would_learn(one.report):
                    self._learn(one, message)
        # Of most of them we have learnt the SID just now.
        for part in self._alive(unconfirmed.all()):
            self._doubt(part)

    def _doubt(self, part: Message) -> None:
        """Have the answer that this is a part of go, when Twilio has nothing that may be it.

        Rather nothing is said than something twice.
        """
        if part.contact.is_made_up or self._may_have_left(part) or _was_said_besides(part):
            return
        heard = part.in_reply_to
        if heard.was_followed:
            return
        try:
            # What was typed in the simulator, as somebody real, was answered there.
            is_real = rest.has(heard.sid)
        except Unreachable as error:
            if not error.is_of_this:
                raise
            return
        if is_real and heard.doubt_answer():
            log.warning("an answer perhaps never left", sid=heard.sid)

    def _may_have_left(self, part: Message) -> bool:
        began = part.created_at - rest.CLOCKS_DIFFER
        return any(
            one.to in part.contact.addresses or rest.alike(one.body, part.body)
            for one in self.of_nobody
            if one.at >= began
        )

    def _hear(self, arrived: Arrived) -> None:
        if not arrived.is_from_somebody:
            log.warning("a message from nobody we can name", sid=arrived.sid)
            return
        try:
            outcome = _take(_as_brought(arrived))
        except (OperationalError, InterfaceError):
            raise
        except Unreachable as error:
            if not error.is_of_this:
                raise
            log.warning("Twilio could not be asked", sid=arrived.sid, why=str(error))
            self.found.failed += 1
            self.held_up.add(arrived.from_)
            return
        except Exception as error:
            # Other people are not to wait for it.
            log.error("message not taken", sid=arrived.sid, exc_info=error)
            self.found.failed += 1
            return
        log.info("fetched", sid=arrived.sid, outcome=outcome)
        if outcome == "duplicate":
            return
        self.found.fetched += 1
        self.found.late += outcome == "late"
        self.found.silent += outcome == "silent"
        self.found.answered += outcome in ("answered", "trouble")

    def _learn(self, departed: Departed, message: Message) -> None:
        report = replace(departed.report, message_id=message.pk)
        self.found.completed += Message.objects.take_report(report)

    def _alive(self, things: Iterable[T]) -> Iterator[T]:
        """The same; while somebody takes them, nobody else takes us for dead."""
        for thing in things:
            if time.monotonic() - self.seen_alive > SIGN_OF_LIFE:
                self.channel.go_on_reconciling()
                self.seen_alive = time.monotonic()
            yield thing


def _as_brought(arrived: Arrived) -> Incoming:
    """The message as the webhook would have brought it, or at last without its files."""
    try:
        return rest.incoming(arrived)
    except Unreachable as error:
        if not error.is_of_this or timezone.now() - arrived.at < FILES_ASKED_FOR:
            raise
        log.error("the files of a message are given up", sid=arrived.sid, why=str(error))
        words = rest.incoming(replace(arrived, files=0))
        return replace(words, details={**words.details, "why": NO_FILES})


def _take(incoming: Incoming) -> str:
    """As if the webhook had brought it, if an answer still makes sense: the outcome."""
    limit = timedelta(minutes=settings.RECONCILE_ANSWER_WITHIN_MINUTES)
    if timezone.now() - incoming.received_at < limit:
        return receiving.receive(incoming).outcome
    return receiving.keep(replace(incoming, details={"why": TOO_LATE, **incoming.details})).outcome


def _missing(arrived: list[Arrived]) -> list[Arrived]:
    sids = [one.sid for one in arrived]
    held = set(Message.objects.filter(sid__in=sids).values_list("sid", flat=True))
    return [one for one in arrived if one.sid not in held]


def _reply_without_sid(departed: Departed) -> Message | None:
    """The reply of ours that this must be: to the same person, in the same words, about then.

    Its SID comes with the first status callback, which was lost. None when it is none of ours.
    """
    if not departed.is_reply:
        return None
    by = "phone" if phone_number(departed.to) else "user_id"
    replies = Message.objects.filter(
        **{f"contact__{by}": departed.to},
        direction=Message.Direction.OUT,
        sid=None,
        status=Status.SENT,
        in_reply_to__isnull=False,
        created_at__gte=departed.at - rest.CLOCKS_DIFFER,
        created_at__lte=departed.at + rest.CLOCKS_DIFFER,
    )
    same = [one for one in replies if rest.alike(one.body, departed.body)]
    return min(same, key=lambda one: (abs(one.created_at - departed.at), one.pk), default=None)


def _unconfirmed_answers() -> QuerySet[Message]:
    """Those that Twilio's list must have by now, and that the person may still wait for."""
    now = timezone.now()
    limit = timedelta(minutes=settings.RECONCILE_ANSWER_WITHIN_MINUTES)
    return Message.objects.unconfirmed_answers(now - limit, now - OVERLAP)


def _too_late(since: datetime) -> QuerySet[Message]:
    """What came too late to be answered, of what people wrote since then: person by person."""
    since = max(since.replace(microsecond=0), timezone.now() - WINDOW)
    late = Message.objects.filter(
        direction=Message.Direction.IN, created_at__gte=since, details__why=TOO_LATE
    )
    return late.select_related("contact__conversation").order_by("contact_id", "created_at", "pk")


def _was_spoken_since(message: Message) -> bool:
    """Has the person written since, or heard that it came too late?"""
    since = message.contact.messages.filter(created_at__gt=message.created_at)
    apologies = Q(notice__in=[one.key for one in APOLOGIES])
    return since.filter(Q(direction=Message.Direction.IN) | apologies).exists()


def _was_said_besides(part: Message) -> bool:
    """Were the same words said to the person about then? One of the two may be taken for both."""
    near = part.created_at - rest.CLOCKS_DIFFER, part.created_at + rest.CLOCKS_DIFFER
    others = part.contact.messages.filter(direction=Message.Direction.OUT, created_at__range=near)
    return any(rest.alike(one.body, part.body) for one in others.exclude(pk=part.pk))


def _chunks(things: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(things)
    while chunk := list(islice(iterator, A_CHUNK)):
        yield chunk
