"""What was promised, against what the database has: all that is wrong, in words."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from math import inf

from django.conf import settings
from django.db.models import Q

from benchmarks.faults.product import Product
from benchmarks.faults.replaying import replayed
from benchmarks.faults.stored import Stored, heard, reconnect
from benchmarks.faults.traffic import (
    REFUSED,
    Place,
    Told,
    Traffic,
    Try,
    wait_until,
    whatever_fault,
)
from benchmarks.faults.verdicts import some, unless
from defects.models import DefectReport
from whatsapp_bot import receiving, reconcile
from whatsapp_bot.delivery import Status
from whatsapp_bot.desk import MOST_A_MINUTE
from whatsapp_bot.fake_twilio import FakeTwilio
from whatsapp_bot.fake_twilio.server import whatsapp
from whatsapp_bot.fake_twilio.webhooks import replies
from whatsapp_bot.models import Conversation, Message

FILED = re.compile(r"Submitted! ID: (DEF-[\d-]*\d)")
"""What is answered to whoever has filed a report."""
GONE = (Status.SENT, Status.DELIVERED)


def reckon(
    traffic: Traffic, *, undisturbed: bool = True, failures: Collection[int] = (REFUSED,)
) -> list[str]:
    """All that is wrong after this traffic, when nothing of the product runs any more.

    undisturbed: each message was taken sooner or later before its person wrote the next one, so
    that every answer and every place is known. failures: the statuses of tries that may have
    failed, if any may.
    """
    wrong = [
        *as_promised(traffic, failures=failures),
        *reports_once(traffic.reported, all_of_them=undisturbed),
        *reports_as_told(traffic.reported, exactly=undisturbed),
    ]
    if undisturbed:
        wrong += each_taken(traffic.reported)
        wrong += answered_as_expected(traffic)
        wrong += standing_where_expected(traffic)
    return wrong


def as_promised(traffic: Traffic, *, failures: Collection[int]) -> list[str]:
    """The same, whatever people wrote, and in whichever order."""
    reconnect()
    told = traffic.told
    stored = Stored.of(told)
    return [
        *each_stored_once(told),
        *nothing_invented(traffic),
        *same_answer_to_each_copy(told, stored),
        *answers_are_those_stored(told, stored),
        *only_these_failures(traffic.tries, failures),
        *no_trouble(),
        *each_answered(stored),
        *fetched_answers_sent_once(traffic.twilio, told),
        *replayed(told, stored),
    ]


# What people wrote -------------------------------------------------------------------------------


def each_taken(told: list[Told]) -> list[str]:
    never = (f"{one.words!r} of {one.address}" for one in told if not one.is_acknowledged)
    return some(never, "messages were never taken")


def each_stored_once(told: list[Told]) -> list[str]:
    times = Counter(heard().values_list("sid", flat=True))
    lost = (one.sid for one in told if one.is_acknowledged and not times[one.sid])
    return [
        *some(lost, "messages were acknowledged and lost"),
        *some((sid for sid in times if times[sid] > 1), "messages are stored more than once"),
    ]


def fetched_within(seconds: float, told: list[Told]) -> list[str]:
    """Wait for those as well that nobody could take when Twilio brought them."""
    reconnect()
    wait_until(lambda: not _missing(told), seconds)
    return some(_missing(told), f"messages were not fetched within {seconds:g} s")


def _missing(told: list[Told]) -> list[str]:
    there = set(heard().values_list("sid", flat=True))
    return [one.sid for one in told if one.sid not in there]


def nothing_invented(traffic: Traffic) -> list[str]:
    """Also under numbers of which we know nothing."""
    written = {one.sid for one in (*traffic.told, *traffic.rehearsed)}
    there = heard().values_list("sid", flat=True)
    return some(
        (sid for sid in there if sid not in written), "messages are there that nobody wrote"
    )


def no_trouble() -> list[str]:
    troubled = heard().filter(status=Status.TROUBLE)
    return some(troubled.values_list("sid", flat=True), "messages were stored and not understood")


def only_these_failures(tries: Iterable[Try], allowed: Collection[int]) -> list[str]:
    """Those that Twilio tries again after, as it does without an answer and after 503."""
    others = defaultdict(list)
    for one in tries:
        if not one.is_good and one.status not in allowed:
            others[one.status].append(one.ended - one.began)
    return [
        f"{len(took)} tries had {status or 'no answer'}, after {min(took):.1f} to {max(took):.1f} s"
        for status, took in others.items()
    ]


# What they were answered -------------------------------------------------------------------------


def same_answer_to_each_copy(told: list[Told], stored: Stored) -> list[str]:
    twice = (one.sid for one in told if len(stored.said[one.sid]) > 1)
    return [
        *some((one.sid for one in told if len(one.answers) > 1), "messages got different answers"),
        *some(twice, "messages were answered more than once"),
    ]


def answers_are_those_stored(told: list[Told], stored: Stored) -> list[str]:
    """Whoever brought a message that was fetched meanwhile is given none: it is sent."""
    fetched = stored.fetched
    different = (
        one.sid
        for one in told
        for answer in one.answers
        if _words(reply.body for reply in replies(answer))
        != _words(reply.body for reply in stored.said[one.sid] if one.sid not in fetched)
    )
    return some(different, "answers are not those that are stored")


def _words(bodies: Iterable[str]) -> list[str]:
    """What they say, however it is spread over lines and messages."""
    return " ".join(bodies).split()


def each_answered(stored: Stored) -> list[str]:
    """Each message has an answer, or is one of those that rightly have none, which are counted."""
    counted, silent = Counter[str](), []
    for messages in stored.heard.values():
        for place, message in enumerate(messages):
            answered = stored.said[message.sid]
            why = "answered" if answered else why_unanswered(message, messages[:place])
            counted[why] += 1
            if not why:
                silent.append(f"{message.sid} ({message.why or 'who knows why'})")
    print("  " + ", ".join(f"{counted[why]} {why}" for why in sorted(counted) if why))
    return some(silent, "messages were not answered")


def why_unanswered(message: Message, before: list[Message]) -> str:
    """Why it rightly has no answer, after all that was taken before; "" when it should have one."""
    minute = timedelta(minutes=1)
    near = [one for one in before if abs(message.created_at - one.created_at) < minute]
    if len(near) > MOST_A_MINUTE:
        return "too many within a minute"
    if not message.was_fetched:
        return ""
    waited = datetime.fromisoformat(message.details["fetched_at"]) - message.created_at
    if waited >= timedelta(minutes=settings.RECONCILE_ANSWER_WITHIN_MINUTES):
        return "fetched too late" if message.why == reconcile.TOO_LATE else ""
    later = (one.created_at - message.created_at for one in before)
    is_overtaken = any(by > receiving.ABOUT_THE_SAME_TIME for by in later)
    if is_overtaken and message.why == receiving.OVERTAKEN:
        return "fetched after what the person wrote later"
    return ""


def answered_as_expected(traffic: Traffic) -> list[str]:
    surprising = (
        f"{one.words!r} got {answer!r}"
        for one in traffic.reported
        for answer in one.answers
        if whatever_fault(answer, one.address) != traffic.expected_after(one).answer
    )
    return some(surprising, "answers belong to another place of the conversation")


def standing_where_expected(traffic: Traffic) -> list[str]:
    last = {one.address: one for one in traffic.reported}
    standing = Conversation.objects.filter(contact__phone__in=last).select_related("contact")
    astray = []
    for conversation in standing:
        told = last[conversation.contact.phone]
        place, expected = Place.at(conversation), traffic.expected_after(told)
        if (place.flow, place.asking) != (expected.flow, expected.asking):
            astray.append(f"{told.address} at {conversation.flow!r} after {told.words!r}")
    return some(astray, "conversations stand where no order of their messages leads")


# Their reports -----------------------------------------------------------------------------------


def reports_once(told: list[Told], *, all_of_them: bool) -> list[str]:
    """all_of_them: whoever answered the question for it has a report."""
    theirs = DefectReport.objects.filter(reported_by__phone__in={one.address for one in told})
    made = Counter(theirs.values_list("reported_by__phone", "description"))
    written = Counter((one.address, one.words) for one in told)
    doubled = (words for words, times in made.items() if times > written[words] > 0)
    due = {(one.address, one.fault) for one in told if one.files_report and one.is_acknowledged}
    return [
        *some(doubled, "reports were made more often than their words were written"),
        *some((words for words in made if not written[words]), "reports nobody made"),
        *some((words for words in due if all_of_them and not made[words]), "reports were lost"),
    ]


def reports_as_told(told: list[Told], *, exactly: bool) -> list[str]:
    """Who is told that a report was filed has the one with that number, and each has been told.

    exactly: each is told its own in the step that says what the report says.
    """
    said = Stored.of(told).said
    made = {
        one.number: one
        for one in DefectReport.objects.filter(
            reported_by__phone__in={one.address for one in told}
        ).select_related("reported_by")
    }
    numbers = [(one, number) for one in told for number in _numbers(one, said[one.sid])]
    named = Counter(number for _, number in numbers)
    others = (
        f"{one.address} was told {number}"
        for one, number in numbers
        if number not in made
        or made[number].reported_by.phone != one.address
        or (exactly and made[number].description != one.fault)
    )
    filed = {one.sid for one, _ in numbers}
    without = (
        f"{one.words!r} of {one.address}"
        for one in told
        if exactly and one.files_report and one.is_acknowledged and one.sid not in filed
    )
    return [
        *some(others, "reports are not those whose numbers were told"),
        *some((number for number in named if named[number] > 1), "numbers were told twice"),
        *some((number for number in made if not named[number]), "numbers were told to nobody"),
        *some(without, "reports were made without a number being told"),
    ]


def _numbers(told: Told, said: list[Message]) -> set[str]:
    """The numbers of the reports that were filed with it, as answered or stored."""
    texts = [*told.answers, *(one.body for one in said)]
    return {number for text in texts for number in FILED.findall(text)}


# What we sent ------------------------------------------------------------------------------------


def settled_within(seconds: float) -> list[str]:
    """Wait until nothing is left to be sent."""
    reconnect()
    left = Message.objects.unsettled()
    wait_until(lambda: not left.exists(), seconds)
    waiting = left.values_list("pk", flat=True)
    return some(waiting, f"messages were still in the outbox after {seconds:g} s")


def sent_once(twilio: FakeTwilio, notices: Iterable[Message]) -> list[str]:
    """Each notice arrived, once, in order, and is known to have left."""
    notices = list(notices)
    written = Counter(one.body for one in notices)
    arrived = [one for one in twilio.sent if one.body in written]
    times = Counter(one.body for one in arrived)
    left = Message.objects.filter(pk__in=[one.pk for one in notices], status__in=GONE)
    known = set(left.values_list("pk", flat=True))
    return [
        *some((one.body for one in notices if not times[one.body]), "notices were lost"),
        *some((one.body for one in notices if times[one.body] > 1), "notices were sent twice"),
        *some(
            (one.body for one in notices if one.pk not in known),
            "notices are not known to have left",
        ),
        *some(_out_of_order(notices, arrived), "people got notices in another order"),
    ]


def _out_of_order(notices: list[Message], arrived: list) -> list[str]:
    """To whom they went in another order than they were written in, however often each went."""
    order = {one.body: place for place, one in enumerate(notices)}
    got = defaultdict(list)
    for one in arrived:
        got[one.to].append(order[one.body])
    return [to for to, places in got.items() if places != sorted(places)]


def fetched_answers_sent_once(twilio: FakeTwilio, told: list[Told]) -> list[str]:
    """What was answered to messages that were fetched went to each person, once, in order.

    Several short ones go as one.
    """
    by_outbox = Message.objects.filter(
        Q(in_reply_to__details__has_key="fetched_at") | Q(details__has_key="doubted"), notice=""
    )
    due, got = defaultdict(list), defaultdict(list)
    for reply in by_outbox.select_related("contact").order_by("pk"):
        due[whatsapp(reply.contact.phone)].append(reply.body)
    for one in twilio.sent:
        got[one.to].append(one.body)
    people = {whatsapp(one.address) for one in told}
    wrong = (one for one in sorted(people) if _words(due[one]) != _words(got[one]))
    return [
        *some(
            by_outbox.exclude(status__in=GONE).values_list("pk", flat=True),
            "answers are not known to have left",
        ),
        *some(wrong, "people were not sent what they were answered, once and in order"),
    ]


# What the web server did -------------------------------------------------------------------------


def refused_with_503(tries: Iterable[Try]) -> list[str]:
    """Of these all: there was nothing that could have taken them."""
    others = (one.status or "no answer" for one in tries if one.status != REFUSED)
    return some(others, "tries were not refused with 503")


def in_time(tries: Iterable[Try], seconds: float) -> list[str]:
    slow = (f"{one.ended - one.began:.1f} s" for one in tries if one.ended - one.began > seconds)
    return some(slow, f"answers took longer than {seconds:g} s")


def answered_again(*waits: float) -> list[str]:
    """Each time that all was well again, somebody had a good answer."""
    in_vain = sum(one == inf for one in waits)
    return unless(not in_vain, f"{in_vain} times nobody was answered any more")


def unbroken(product: Product) -> list[str]:
    """Nothing was taken away from it, so none of it died, and none of it met a fault."""
    return [*no_other_deaths(product), *some(product.errors, "faults were logged")]


def no_other_deaths(product: Product) -> list[str]:
    """Than those of which we are the cause."""
    return some(product.deaths, "processes died by themselves")
