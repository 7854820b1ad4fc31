"""What was promised, against what the database has: all that is wrong, in words."""

import time
from collections import Counter
from collections.abc import Callable, Iterable

from django.db import connection

from benchmarks.faults.traffic import STEPS, Told, Traffic, anonymous, asking, fault
from defects.models import DefectReport
from whatsapp_bot.delivery import Status
from whatsapp_bot.fake_twilio import FakeTwilio
from whatsapp_bot.models import Conversation, Message
from whatsapp_bot.models.message import MessageQuerySet

A_FEW = 3


def reckon(traffic: Traffic, *, undisturbed: bool = True) -> list[str]:
    """All that is wrong after this traffic.

    undisturbed: each message was taken sooner or later before its person wrote the next one, so
    that every answer and every place is known.
    """
    connection.close()
    told = traffic.told
    wrong = [
        *each_stored_once(told),
        *nothing_invented(told),
        *same_answer_to_each_copy(told),
        *only_good_refusals(told),
        *no_trouble(told),
        *reports_once(told, all_of_them=undisturbed),
    ]
    if undisturbed:
        wrong += some(
            (f"{one.words!r} was never taken" for one in told if not one.is_acknowledged),
            "messages were never taken",
        )
        wrong += answered_as_expected(traffic)
        wrong += standing_where_expected(traffic)
    return wrong


def each_stored_once(told: list[Told]) -> list[str]:
    stored = Counter(ours().values_list("sid", flat=True))
    acknowledged = [one for one in told if one.is_acknowledged]
    lost = (one.sid for one in acknowledged if not stored[one.sid])
    doubled = (sid for sid, times in stored.items() if times > 1)
    return [
        *some(lost, "messages were acknowledged and lost"),
        *some(doubled, "messages are stored more than once"),
    ]


def all_fetched(told: list[Told]) -> list[str]:
    """Those as well that nobody could take when Twilio brought them."""
    stored = set(ours().values_list("sid", flat=True))
    return some((one.sid for one in told if one.sid not in stored), "messages were lost")


def nothing_invented(told: list[Told]) -> list[str]:
    sids = {one.sid for one in told}
    people = {one.address for one in told}
    stored = ours().filter(contact__phone__in=people).values_list("sid", flat=True)
    return some((sid for sid in stored if sid not in sids), "messages are there that nobody wrote")


def same_answer_to_each_copy(told: list[Told]) -> list[str]:
    different = (one.sid for one in told if len(one.answers) > 1)
    replies = Counter(
        Message.objects.filter(in_reply_to__isnull=False).values_list("in_reply_to__sid", flat=True)
    )
    twice = (one.sid for one in told if replies[one.sid] > 1)
    return [
        *some(different, "messages got different answers"),
        *some(twice, "messages were answered more than once"),
    ]


def only_good_refusals(told: list[Told]) -> list[str]:
    """No answer at all and 503 are failures that Twilio tries again after; others lose it."""
    statuses = Counter(one.status for message in told for one in message.tries)
    return [
        f"{count} answers were {status}"
        for status, count in statuses.items()
        if status not in (0, 503) and not 200 <= status < 300
    ]


def no_trouble(told: list[Told]) -> list[str]:
    return some(
        ours().filter(status=Status.TROUBLE).values_list("sid", flat=True),
        "messages were stored and not understood",
    )


def reports_once(told: list[Told], *, all_of_them: bool) -> list[str]:
    """all_of_them: whoever answered the last question has a report."""
    theirs = DefectReport.objects.filter(reported_by__phone__in={one.address for one in told})
    made = Counter(theirs.values_list("reported_by__phone", "description"))
    written = Counter((one.address, one.words) for one in told)
    doubled = (words for words, times in made.items() if times > written[words] > 0)
    last = [one for one in told if one.turn % len(STEPS) == len(STEPS) - 1]
    due = {
        (one.address, fault(one.address, one.turn // len(STEPS)))
        for one in last
        if one.is_acknowledged
    }
    return [
        *some(doubled, "reports were made more often than their words were written"),
        *some((words for words in made if not written[words]), "reports nobody made"),
        *some((words for words in due if all_of_them and not made[words]), "reports were lost"),
    ]


def answered_as_expected(traffic: Traffic) -> list[str]:
    surprising = (
        f"{one.words!r} got {answer!r}"
        for one in traffic.told
        for answer in one.answers
        if anonymous(answer, one.address) != traffic.expected_after(one).answer
    )
    return some(surprising, "answers belong to another place of the conversation")


def standing_where_expected(traffic: Traffic) -> list[str]:
    last = {one.address: one for one in traffic.told}
    standing = Conversation.objects.filter(contact__phone__in=last).select_related("contact")
    astray = []
    for conversation in standing:
        told = last[conversation.contact.phone]
        expected = traffic.expected_after(told)
        if (conversation.flow, asking(conversation, told)) != (expected.flow, expected.asking):
            astray.append(f"{told.address} at {conversation.flow!r} after {told.words!r}")
    return some(astray, "conversations stand where no order of their messages leads")


def sent_once(twilio: FakeTwilio, notices: Iterable[Message]) -> list[str]:
    """Each notice arrived, once, and is known to have left."""
    arrived = Counter(message.body for message in twilio.sent)
    stored = {one.pk: one for one in Message.objects.filter(pk__in=[one.pk for one in notices])}
    gone = (Status.SENT, Status.DELIVERED)
    return [
        *some((one.body for one in notices if not arrived[one.body]), "notices were lost"),
        *some((one.body for one in notices if arrived[one.body] > 1), "notices were sent twice"),
        *some(
            (one.body for one in notices if stored[one.pk].status not in gone),
            "notices are not known to have left",
        ),
    ]


def ours() -> MessageQuerySet:
    return Message.objects.filter(direction=Message.Direction.IN)


def some(which: Iterable[object], what: str) -> list[str]:
    """One line with how many there are and the first of them; nothing when there are none."""
    found = list(which)
    if not found:
        return []
    return [f"{len(found)} {what}: {', '.join(map(str, found[:A_FEW]))}"]


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    ends = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends:
            return False
        time.sleep(0.2)
    return True
