"""The outbox: hands what is queued to the carrier, and notes what became of it.

The rows are the truth. A message is claimed in one transaction, handed over outside of any, and
settled in another: a worker that dies in between leaves it claimed, and when the claim runs out
it is looked up at the carrier before anything is sent again.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import cache

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from whatsapp_bot import tasks
from whatsapp_bot.delivery import (
    Later,
    Misconfigured,
    Outcome,
    Parcel,
    Refused,
    Route,
    Seen,
    Sent,
    Status,
    Unknown,
    Unreached,
)
from whatsapp_bot.models import Channel, Contact, Conversation, Message
from whatsapp_bot.models.channel import AHEAD_SECONDS
from whatsapp_bot.models.contact import BLOCKED, OPTED_OUT, is_made_up
from whatsapp_bot.twilio import rest
from whatsapp_bot.whatsapp_text import MAX_LENGTH, length

log = structlog.get_logger("whatsapp_bot")

A_DAY = timedelta(hours=24)
A_WHILE = timedelta(minutes=1)
A_LOOK = 0.1
"""Seconds between two looks for what is due, while something is on its way."""
A_MOMENT = 0.01
"""Seconds within which outcomes are noted together: to note ten costs little more than one."""
GAVE_UP = "Twilio did not take it in {attempts} tries."
TOO_LATE = "It had not left when the person wrote again, so it was not sent any more."
NOBODY_KNOWS = "Nobody knows whether it arrived: Twilio could not tell for a day."


@dataclass(frozen=True, slots=True)
class Errand:
    """What to do with a parcel: hand it over `at` this second of the epoch, or look it up.

    attempts: which try of the message it is, to tell whether we still have it in hand.
    """

    parcel: Parcel
    attempts: int
    at: float = 0
    look_up_since: datetime | None = None
    claimed_at: float = field(default_factory=time.monotonic)

    @property
    def is_overdue(self) -> bool:
        """Has the claim run out, so that somebody else may have it in hand?"""
        return time.monotonic() - self.claimed_at > settings.SEND_CLAIM_SECONDS


told_to_end = threading.Event()
"""Set once this process is to end: it begins nothing more."""


def drain(seconds: float = 600) -> int:
    """Send what is due until nothing is, for so long at most; how many were settled.

    Other workers may do the same at the same time.
    """
    ends = time.monotonic() + seconds
    flying: dict[Future[Outcome], Errand] = {}
    settled = ended = 0
    try:
        while True:
            is_over = told_to_end.is_set() or time.monotonic() >= ends
            wanted = settings.SEND_AT_ONCE - len(flying)
            # While they end, in batches: to claim one costs as much as to claim many.
            if not is_over and wanted >= (settings.SEND_AT_ONCE // 2 if ended else 1):
                errands = claim(wanted)
                flying |= {_carriers().submit(_run, errand): errand for errand in errands}
            if not flying:
                break
            # A slow one does not keep those waiting that come meanwhile.
            wait(flying, A_LOOK, return_when=FIRST_COMPLETED)
            ended = _settle_done(flying, A_MOMENT)
            settled += ended
    except Exception:
        # Somebody held a lock for too long: what is on its way has an outcome all the same.
        _settle_done(flying)
        raise
    wake()
    return settled


def wake() -> None:
    """Have the worker send, if something is due and may go."""
    now = timezone.now()
    if Message.objects.due(now).exists() and Channel.objects.ours().room(1, now):
        tasks.enqueue(tasks.deliver)


def _settle_done(flying: dict[Future[Outcome], Errand], within: float | None = None) -> int:
    """Settle what is done within so many seconds, or all of it; how many that are.

    One that somebody has locked waits, until its claim runs out and it is looked up.
    """
    done, _ = wait(flying, within)
    settled = settle([(flying[future], future.result()) for future in done])
    ended = [
        future
        for future in done
        if flying[future].parcel.message_id in settled or flying[future].is_overdue
    ]
    for future in ended:
        del flying[future]
    if len(ended) < len(done):
        time.sleep(A_MOMENT)
    return len(ended)


@cache
def _carriers() -> ThreadPoolExecutor:
    """The threads that talk to the carrier. They never touch the database."""
    return ThreadPoolExecutor(settings.SEND_AT_ONCE, thread_name_prefix="carrier")


def rest_carriers() -> None:
    """Let the threads go, and their connections with them."""
    if _carriers.cache_info().currsize:
        _carriers().shutdown()
        _carriers.cache_clear()


def _run(errand: Errand) -> Outcome:
    if is_made_up(errand.parcel.to) and not settings.TWILIO_API_URL:
        return Sent(f"SM{secrets.token_hex(16)}")  # The simulator shows it, and nothing leaves.
    try:
        if errand.look_up_since:
            return rest.look_up(errand.parcel, errand.look_up_since)
        # No longer than that, should the clock be set back meanwhile.
        time.sleep(min(max(0, errand.at - time.time()), AHEAD_SECONDS))
        return Unknown() if errand.is_overdue else rest.send(errand.parcel)
    except Exception as error:
        message = errand.parcel.message_id
        log.error("a message could not be handed over", message=message, exc_info=error)
        return Unknown()


# Claiming ----------------------------------------------------------------------------------------


@transaction.atomic
def claim(wanted: int) -> list[Errand]:
    """Take up to so many due messages in hand, which nobody else takes until the claim runs out."""
    now = timezone.now()
    channel = Channel.objects.locked()
    room = channel.room(wanted, now)
    if room < 1:
        return []
    locked = Message.objects.due(now).select_for_update(of=("self",), skip_locked=True)
    due = list(locked.select_related("contact__conversation")[:room])
    to_look_up = [message for message in due if message.status != Status.QUEUED]
    to_send = [message for message in due if message.status == Status.QUEUED]
    parcels = _packed(_pack, to_send)
    packed = [message.pk for _, message in parcels]
    _take_in_hand(packed, Status.SENDING, now)
    Message.objects.filter(pk__in=packed).update(attempts=F("attempts") + 1, tried_at=now)
    Contact.objects.filter(messages__in=packed).update(written_at=now)
    lost = _packed(_parcel, to_look_up)
    _take_in_hand([message.pk for _, message in lost], Status.UNKNOWN, now)
    slots = channel.reserve(len(parcels)) if parcels else []
    return [
        *(
            Errand(parcel, message.attempts + 1, at)
            for (parcel, message), at in zip(parcels, slots, strict=True)
        ),
        *(Errand(parcel, one.attempts, look_up_since=one.created_at) for parcel, one in lost),
    ]


def _take_in_hand(ids: list[int], status: Status, now: datetime) -> None:
    if ids:
        until = now + timedelta(seconds=settings.SEND_CLAIM_SECONDS)
        Message.objects.filter(pk__in=ids).update(status=status, try_at=until)


Pack = Callable[[Message], Parcel | None]


def _packed(pack: Pack, messages: list[Message]) -> list[tuple[Parcel, Message]]:
    """Those of the messages that go, each with what is sent of it."""
    return [(parcel, one) for one in messages if (parcel := _or_put_off(pack, one))]


def _or_put_off(pack: Pack, message: Message) -> Parcel | None:
    """Whatever befalls one of them holds up nobody but its own person."""
    try:
        with transaction.atomic():
            return pack(message)
    except Exception as error:
        log.error("a message could not be packed", message=message.pk, exc_info=error)
        later = timezone.now() + A_WHILE
        Message.objects.filter(pk=message.pk).update(try_at=later)
        return None


def _pack(message: Message) -> Parcel | None:
    """The message as it goes now; None when it does not go."""
    if message.comes_too_late:
        message.settle(Status.FAILED, why=TOO_LATE)
        return None
    contact = message.contact
    route, template = contact.route_with_template(
        message.notice,
        is_reply=message.priority == Message.Priority.REPLY,
        conversation=getattr(contact, "conversation", None),
        closed=message.details.get("closed", False),
    )
    match route:
        case Route.NOT_AT_ALL:
            message.settle(Status.FAILED, OPTED_OUT)
            return None
        case Route.BLOCKED:
            message.settle(Status.FAILED, why=BLOCKED)
            return None
        case Route.HELD:
            _hold(message)
            return None
    is_new = message.goes_as(template)
    if template and not template.holds(message):
        _hold(message)  # It was written before there was a template, with words of its own.
        return None
    if is_new:
        message.save(update_fields=["template", "details"])
    if message.is_turn and not template:
        _let_it_carry(message)
    return _parcel(message)


def _hold(message: Message) -> None:
    """Have it wait until the person writes, unless that has happened in this moment."""
    conversation = Conversation.objects.of(message.contact)
    if conversation.window_is_open and not message.details.get("closed"):
        return
    conversation.hold()
    conversation.expect_later(message)
    message.status, message.try_at = Status.WAITING, None
    message.goes_as(None)
    message.forget("closed")
    message.save(update_fields=["status", "try_at", "template", "details"])


def _let_it_carry(message: Message) -> None:
    """Several short replies to one person become one message."""
    waiting = message.contact.messages.filter(pk__gt=message.pk, status__in=[Status.QUEUED])
    carried, size = [], length(message.body)
    for other in waiting.order_by("pk")[:10]:
        size += length(other.body) + 2
        if not other.is_turn or other.comes_too_late or size > MAX_LENGTH:
            break
        carried.append(other.pk)
    if carried or "carries" in message.details:
        message.details = {**message.details, "carries": carried}
        message.save(update_fields=["details"])
        _take_in_hand(carried, Status.SENDING, timezone.now())


def _parcel(message: Message) -> Parcel:
    template = message.template
    return Parcel(
        message_id=message.pk,
        to=message.contact.reply_address,
        known_as=message.contact.addresses,
        body=template.in_words(message.values) if template else message.in_words(),
        content_sid=template.content_sid if template else "",
        variables=template.filled(message.values) if template else None,
        is_answer=message.is_turn and not message.attempts,
    )


# Settling ----------------------------------------------------------------------------------------


@transaction.atomic
def settle(results: Iterable[tuple[Errand, Outcome]]) -> set[int]:
    """Note what became of what was handed over or looked up; the ids of those that nobody held."""
    results = {errand.parcel.message_id: (errand, outcome) for errand, outcome in results}
    locked = Message.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
    free = list(locked.select_related("contact").filter(pk__in=results).order_by("pk"))
    outcomes = [results[message.pk][1] for message in free]
    for message in free:
        _settle_one(message, *results[message.pk])
    _note_what_it_says_of_our_number(outcomes)
    return {message.pk for message in free}


def _note_what_it_says_of_our_number(outcomes: list[Outcome]) -> None:
    def any_is(*kinds: type[Outcome]) -> bool:
        return any(isinstance(outcome, kinds) for outcome in outcomes)

    if any_is(Sent, Refused, Misconfigured, Later, Seen):
        channel = Channel.objects.ours()
        channel.be_in_touch()
        # What was taken beside one that was not had been on its way before.
        if any_is(Sent, Refused) and not any_is(Misconfigured):
            channel.go_on()
    elif any_is(Unreached):
        Channel.objects.locked().lose_touch()


def _settle_one(message: Message, errand: Errand, outcome: Outcome) -> None:
    said = asdict(outcome)
    log.info("sending", message=message.pk, outcome=type(outcome).__name__, **said)
    if message.attempts != errand.attempts and not isinstance(outcome, Sent):
        return  # We were so slow that somebody else has it in hand since.
    if message.status in (Status.SENDING, Status.UNKNOWN):
        _SETTLE[type(outcome)](message, outcome)
    elif isinstance(outcome, Sent) and message.status in (Status.QUEUED, Status.WAITING):
        _sent(message, outcome)  # Taken for lost, and yet it left.
    elif isinstance(outcome, Sent) and not message.sid:
        # Its report was quicker than we.
        message.sid = outcome.sid
        message.save(update_fields=["sid"])


def _sent(message: Message, outcome: Sent) -> None:
    message.sid = outcome.sid
    message.settle(Status.SENT)


def _later(message: Message, outcome: Later) -> None:
    _try_again(message, message.back_off(outcome.after))


def _unreached(message: Message, outcome: Unreached) -> None:
    """The network may be away for days, which fails no message."""
    _queue_without_fault(message, A_WHILE)


def _refused(message: Message, outcome: Refused) -> None:
    message.settle(Status.FAILED, outcome.code)


def _misconfigured(message: Message, outcome: Misconfigured) -> None:
    _queue_without_fault(message, timedelta())
    Channel.objects.locked().stop(outcome.code)


def _unknown(message: Message, outcome: Unknown) -> None:
    """To be looked up, once it must show at the carrier if it arrived."""
    if message.tried_at and timezone.now() - message.tried_at > A_DAY:
        message.settle(Status.FAILED, why=NOBODY_KNOWS)
        return
    _change(message, Status.UNKNOWN, timedelta(seconds=settings.LOOK_UP_AFTER_SECONDS))


def _seen(message: Message, outcome: Seen) -> None:
    """The one that no other row has is ours; without one, nothing arrived."""
    others = Message.objects.exclude(pk=message.pk)
    held = set(others.filter(sid__in=outcome.sids).values_list("sid", flat=True))
    ours = next((sid for sid in outcome.sids if sid not in held), None)
    if ours:
        _sent(message, Sent(ours))
    else:
        _try_again(message, message.back_off())


_SETTLE: dict[type, Callable[[Message, Outcome], None]] = {
    Sent: _sent,
    Later: _later,
    Unreached: _unreached,
    Refused: _refused,
    Misconfigured: _misconfigured,
    Unknown: _unknown,
    Seen: _seen,
}


def _try_again(message: Message, after: timedelta | None) -> None:
    if after is None:
        message.settle(Status.FAILED, why=GAVE_UP.format(attempts=message.attempts))
    else:
        _queue(message, after)


def _queue_without_fault(message: Message, after: timedelta) -> None:
    """It is no fault of this message, so the try does not count."""
    message.attempts = max(0, message.attempts - 1)
    _queue(message, after)


def _queue(message: Message, after: timedelta) -> None:
    _change(message, Status.QUEUED, after)


def _change(message: Message, status: Status, after: timedelta) -> None:
    message.status, message.try_at = status, timezone.now() + after
    message.save(update_fields=["status", "try_at", "attempts"])
    message.carried.update(status=message.status, try_at=message.try_at)
