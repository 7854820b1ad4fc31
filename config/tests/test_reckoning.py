"""The reckoning after `make faults` finds what is wrong, and nothing where nothing is."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from math import inf
from pathlib import Path
from unittest.mock import Mock, patch

import pytest
from django.utils import timezone

from benchmarks.faults import reckoning
from benchmarks.faults.clock import NO_STORM, Phase, no_storm
from benchmarks.faults.databases import Unavailable, who_runs_it
from benchmarks.faults.disk import Photographer
from benchmarks.faults.kills import TOO_BUSY, Death, answered_soon
from benchmarks.faults.pairs import first_sent, have_met, order_of, outcome, shown, two_turns
from benchmarks.faults.product import Restart, dead_of_gunicorn, errors_in
from benchmarks.faults.reckoning import (
    fetched_within,
    reckon,
    sent_once,
    settled_within,
    unbroken,
)
from benchmarks.faults.terminate import ended_cleanly, is_in_flight
from benchmarks.faults.traffic import (
    FILES,
    NO_ANSWER,
    REFUSED,
    STEPS,
    UNTIL_ANSWERED,
    Told,
    Traffic,
    Try,
)
from config.tests.straight import bring
from defects.models import DefectReport
from whatsapp_bot import receiving
from whatsapp_bot.delivery import Status
from whatsapp_bot.fake_twilio import FakeTwilio
from whatsapp_bot.fake_twilio import Message as Departed
from whatsapp_bot.fake_twilio.server import whatsapp
from whatsapp_bot.fake_twilio.trouble import Request
from whatsapp_bot.fake_twilio.webhooks import Delivery
from whatsapp_bot.models import Contact, Conversation, Media, Message
from whatsapp_bot.twilio import webhook

NEVER_ANSWERED = Try(0, 0.1, NO_ANSWER, "")


@pytest.fixture(scope="module")
def a_day(shared_rows: Callable[..., AbstractContextManager[None]]) -> Iterator[Traffic]:
    """Two people reported, each twice, and a third's messages had to be fetched."""
    with FakeTwilio.with_our_account() as twilio:
        twilio.webhooks.send = take
        traffic = Traffic(twilio, people=2)

        def pass_it() -> None:
            traffic.rehearse()
            for person in traffic.reporters:
                for _ in 2 * STEPS:
                    traffic.bring(traffic.write(person))
            somebody = traffic.somebody("+27860000001")
            for words in ("hi", "2", "1"):
                fetch(twilio, traffic.write(somebody, words))

        with shared_rows(pass_it):
            yield traffic


def take(delivery: Delivery, *_: object) -> None:
    delivery.status, _, delivery.body = bring("webhook", delivery.parameters)


def fetch(twilio: FakeTwilio, told: Told) -> None:
    """As the worker does, whose answer has left by now."""
    since = timezone.now() - timedelta(seconds=30)
    incoming = replace(webhook.parse(told.parameters), received_at=since)
    for reply in receiving.receive(incoming).replies:
        Message.objects.filter(pk=reply.pk).update(status=Status.DELIVERED, try_at=None)
        depart(twilio, told.address, reply.body)


def depart(twilio: FakeTwilio, address: str, body: str) -> None:
    twilio.memory.add(Departed("", "outbound-api", whatsapp(address), body=body))


@pytest.fixture
def traffic(db: None, a_day: Traffic) -> Iterator[Traffic]:
    others = [*a_day.others]
    tries = {told.sid: [*told.tries] for told in a_day.told}
    yield a_day
    a_day.others[:] = others
    for told in a_day.told:
        told.tries[:] = tries[told.sid]


@pytest.fixture
def report(traffic: Traffic) -> DefectReport:
    """Somebody's first one."""
    first = traffic.reporters[0]
    return DefectReport.objects.filter(reported_by__phone=first.address).earliest("pk")


def test_a_good_day(traffic: Traffic):
    assert reckon(traffic, failures=()) == []


# What people wrote -------------------------------------------------------------------------------


def test_a_lost_message(traffic: Traffic):
    row(traffic.told[-4]).delete()
    assert wrong(traffic, "1 messages were acknowledged and lost")


@pytest.mark.parametrize("phone", ["+27830000000", "+27831234567"], ids=["known", "a stranger's"])
def test_an_invented_message(traffic: Traffic, phone: str):
    contact, _ = Contact.objects.get_or_create(phone=phone)
    Message.objects.create(
        contact=contact, direction="in", sid="SM" + "0" * 32, body="hi", status="received"
    )
    assert wrong(traffic, "1 messages are there that nobody wrote")


def test_a_message_that_was_not_understood(traffic: Traffic):
    Message.objects.filter(pk=row(traffic.told[0]).pk).update(status=Status.TROUBLE)
    assert wrong(traffic, "1 messages were stored and not understood")


def test_a_message_that_was_never_fetched(traffic: Traffic):
    assert fetched_within(0, traffic.told) == []
    lost = traffic.told[-1]
    row(lost).delete()
    assert fetched_within(0, traffic.told) == [
        f"1 messages were not fetched within 0 s: {lost.sid}"
    ]


def test_a_message_that_nobody_took(traffic: Traffic):
    traffic.told[0].tries[:] = [NEVER_ANSWERED]
    assert wrong(traffic, "1 messages were never taken")


# How they were refused ---------------------------------------------------------------------------


def test_a_reset_instead_of_503(traffic: Traffic):
    traffic.told[0].tries.insert(0, NEVER_ANSWERED)
    assert wrong(traffic, "1 tries had no answer")
    assert reckoning.refused_with_503([NEVER_ANSWERED])


def test_503_where_nothing_was_taken_away(traffic: Traffic):
    traffic.told[0].tries.insert(0, Try(0, 0.1, REFUSED, ""))
    assert wrong(traffic, "1 tries had 503", failures=())
    assert not wrong(traffic, "1 tries had 503", failures=(REFUSED,))


def test_an_answer_while_the_database_is_away():
    assert reckoning.refused_with_503([Try(0, 0.1, REFUSED, ""), Try(0, 0.1, 200, "")])
    assert not reckoning.refused_with_503([Try(0, 0.1, REFUSED, "")])


def test_a_slow_refusal():
    assert reckoning.in_time([Try(0, 3, REFUSED, "")], 2)
    assert not reckoning.in_time([Try(0, 1, REFUSED, "")], 2)


def test_nobody_answered_any_more():
    assert reckoning.answered_again(0.1, inf) == ["1 times nobody was answered any more"]
    assert reckoning.answered_again(0.1, 0.2) == []


def test_an_answer_that_came_too_late_to_count(traffic: Traffic):
    now = max(one.ended for one in traffic.tries) + 1
    traffic.told[0].tries.append(Try(now, now + UNTIL_ANSWERED + 1, 200, ""))
    assert traffic.answered_after(now) == inf
    traffic.told[0].tries.append(Try(now, now + 2, 200, ""))
    assert traffic.answered_after(now) == pytest.approx(2)


# What they were answered -------------------------------------------------------------------------


def test_two_answers(traffic: Traffic):
    traffic.told[0].tries.append(
        replace(traffic.told[0].tries[0], body=traffic.told[1].tries[0].body)
    )
    assert wrong(traffic, "1 messages got different answers")


def test_a_doubled_answer(traffic: Traffic):
    reply = row(traffic.told[0]).replies.get()
    reply.pk = None
    reply.save(force_insert=True)
    assert wrong(traffic, "1 messages were answered more than once")


def test_an_answer_that_was_not_given(traffic: Traffic):
    row(traffic.told[0]).replies.update(body="Something else")
    assert wrong(traffic, "1 answers are not those that are stored")
    assert wrong(traffic, "1 messages were answered otherwise than one after the other")


def test_an_answer_from_another_place(traffic: Traffic):
    one, other = traffic.told[0], traffic.told[FILES]
    one.tries[:] = [replace(one.tries[0], body=other.tries[0].body)]
    assert wrong(traffic, "1 answers belong to another place of the conversation")


def test_what_was_fetched_and_not_answered(traffic: Traffic):
    row(traffic.told[-1]).replies.all().delete()
    assert wrong(traffic, "1 messages were not answered", undisturbed=False)


def test_what_was_fetched_and_is_said_to_be_late(traffic: Traffic):
    message = row(traffic.told[-1])
    message.replies.all().delete()
    message.leave_unanswered(receiving.OVERTAKEN)
    assert wrong(traffic, "1 messages were not answered", undisturbed=False)


def test_what_was_fetched_after_what_was_written_later(traffic: Traffic):
    """It has no answer, and is to have none."""
    somebody = traffic.somebody("+27860000002")
    late, sooner = traffic.write(somebody, "hi"), traffic.write(somebody, "2")
    traffic.bring(sooner)
    fetch(traffic.twilio, late)
    assert reckon(traffic) == []


def test_a_fetched_answer_that_never_left(traffic: Traffic):
    row(traffic.told[-1]).replies.update(status=Status.QUEUED)
    assert wrong(traffic, "1 answers are not known to have left")


def test_a_fetched_answer_that_went_twice(traffic: Traffic):
    somebody = traffic.somebody("+27860000003")
    told = traffic.write(somebody, "hi")
    fetch(traffic.twilio, told)
    assert reckon(traffic) == []
    depart(traffic.twilio, somebody.address, row(told).replies.get().body)
    assert wrong(traffic, "1 people were not sent what they were answered, once and in order")


# Where that led ----------------------------------------------------------------------------------


def test_a_place_where_nothing_leads(traffic: Traffic):
    theirs = Conversation.objects.filter(contact__phone=traffic.reporters[0].address)
    theirs.update(flow="help", state={})
    assert wrong(traffic, "1 conversations stand where no order of their messages leads")
    assert wrong(traffic, "1 conversations stand elsewhere than one message after the other leads")


def test_a_report_that_is_lost(traffic: Traffic, report: DefectReport):
    report.delete()
    assert wrong(traffic, "1 reports were lost")
    assert wrong(traffic, "1 people have other reports than one message after the other makes")


def test_a_doubled_report(traffic: Traffic, report: DefectReport):
    report.pk, report.number = None, "DEF-1"
    report.save(force_insert=True)
    assert wrong(traffic, "1 reports were made more often than their words were written")
    assert wrong(traffic, "1 numbers were told to nobody")


def test_another_number(traffic: Traffic, report: DefectReport):
    DefectReport.objects.filter(pk=report.pk).update(number="DEF-1")
    assert wrong(traffic, "1 reports are not those whose numbers were told")


def test_a_number_with_the_words_of_another_report(traffic: Traffic, report: DefectReport):
    DefectReport.objects.filter(pk=report.pk).update(description=traffic.told[0].fault + "!")
    assert wrong(traffic, "1 reports are not those whose numbers were told")


def test_a_number_of_somebody_elses_report(traffic: Traffic, report: DefectReport):
    other = Contact.objects.get(phone=traffic.reporters[1].address)
    DefectReport.objects.filter(pk=report.pk).update(reported_by=other)
    assert wrong(traffic, "1 reports are not those whose numbers were told", undisturbed=False)


# What staff wrote --------------------------------------------------------------------------------


def test_notices_that_were_lost_doubled_or_in_the_wrong_order(traffic: Traffic):
    twilio, contact = traffic.twilio, Contact.objects.create(phone="+27840000001")
    notices = [
        Message.objects.create(contact=contact, direction="out", body=f"No. {n}", status="sent")
        for n in range(3)
    ]
    for body in ("No. 1", "No. 0", "No. 1"):
        depart(twilio, contact.phone, body)
    Message.objects.filter(pk=notices[2].pk).update(status=Status.QUEUED)
    assert sent_once(twilio, notices) == [
        "1 notices were lost: No. 2",
        "1 notices were sent twice: No. 1",
        "1 notices are not known to have left: No. 2",
        f"1 people got notices in another order: {whatsapp(contact.phone)}",
    ]


def test_what_never_leaves_the_outbox(traffic: Traffic):
    assert settled_within(0) == []
    left = row(traffic.told[-1]).replies.get()
    Message.objects.filter(pk=left.pk).update(try_at=timezone.now())
    assert settled_within(0) == [f"1 messages were still in the outbox after 0 s: {left.pk}"]


def test_a_notice_in_order(traffic: Traffic):
    contact = Contact.objects.create(phone="+27840000002")
    notice = Message.objects.create(contact=contact, direction="out", body="Yes", status="sent")
    depart(traffic.twilio, contact.phone, "Yes")
    assert sent_once(traffic.twilio, [notice]) == []


# What the processes did --------------------------------------------------------------------------


def test_a_worker_of_gunicorn_that_died():
    log = (
        "[ERROR] Worker (pid:12) was sent SIGKILL! Perhaps out of memory?\n"
        "[ERROR] Worker (pid:13) exited with code 1.\n"
        "[INFO] Worker exiting (pid: 14)\n"
    )
    assert len(dead_of_gunicorn(log)) == 2
    assert dead_of_gunicorn(log, killed={12, 13}) == []


def test_a_product_that_broke_though_nothing_was_taken_away():
    assert unbroken(Mock(deaths=[], errors=[])) == []
    assert unbroken(Mock(deaths=["the worker ended with 1"], errors=["Traceback"])) == [
        "1 processes died by themselves: the worker ended with 1",
        "1 faults were logged: Traceback",
    ]


def test_faults_in_a_log():
    log = '{"event": "turn", "level": "info"}\n{"event": "stumbled", "level": "error"}\nTraceback'
    assert len(errors_in(log)) == 2


def test_answers_that_come_late_after_a_death():
    late = Death("web", 0, answered_after=3)
    assert answered_soon([late], crowd=1) == ["1 answers came later than 2.0 s: 3.0 s"]
    assert answered_soon([late], crowd=2) == []
    assert answered_soon([late], crowd=TOO_BUSY + 1) == []


def test_a_storm_of_requests():
    phases = [Phase("+0 s", 0, 10), Phase("+3600 s", 10, 20)]
    calm = [asked(at) for at in range(20)]
    assert no_storm(calm, phases) == []
    storm = [asked(15)] * 31
    assert no_storm([*calm, *storm], phases) == [
        "1 storms of requests: 41 of GET Messages at +3600 s"
    ]
    assert no_storm([asked(15)] * NO_STORM, phases) == []


def test_what_is_in_flight_when_it_is_asked_to_end():
    restart = Restart(asked=5, took=1, status=0)
    assert is_in_flight(Try(4, 6, 200, ""), restart)
    assert not is_in_flight(Try(5.5, 6, 200, ""), restart)


def test_pairs_that_never_meet():
    assert have_met(MET)
    assert not have_met(NOT_MET)
    assert first_sent(pair(Try(2, 3, 200, ""), Try(0, 1, 200, ""))) == 1


def test_a_pair_that_ends_as_no_order_does(traffic: Traffic, report: DefectReport):
    one, other = ([person.told[-1]] * 2 for person in traffic.reporters)
    orders = [outcome(other), outcome(one)]
    assert order_of(one, orders) == 1
    report.delete()
    assert order_of(one, orders) is None
    assert two_turns([one, MET], [None, 0]) == [
        f"1 pairs ended as no order of the two does: {one[0].address}"
    ]


def test_a_pair_of_which_one_was_never_taken():
    assert order_of(pair(NEVER_ANSWERED, NEVER_ANSWERED), []) is None


def test_pairs_that_show_nothing():
    assert shown([MET, MET], [0, 1], ["one", "other"]) == []
    assert shown([MET, MET], [0, 1], ["one", "one"]) == [
        "both orders end in the same place: nothing is shown"
    ]
    assert shown([MET, MET], [1, 1], ["one", "other"]) == ["only one of the two orders came about"]
    assert shown([MET, NOT_MET], [0, 1], ["one", "other"]) == ["only 1 of 2 pairs met"]


def test_a_restart_that_nobody_met_or_that_ended_badly():
    met = Try(4, 6, 200, "")
    assert ended_cleanly([Restart(asked=5, took=1, status=0)], [met]) == []
    assert ended_cleanly([Restart(asked=5, took=1, status=-9)], []) == [
        "nothing was ever in flight, so nothing is shown",
        "1 ends were no clean ones: -9",
    ]


def test_pictures_that_are_not_there(traffic: Traffic, tmp_path: Path):
    photographer = Photographer(traffic, tmp_path)
    photographer.told = traffic.told[:2]
    (tmp_path / "seal.jpg").write_bytes(b"1234")
    whole, cut = (
        Media.objects.create(message=row(told), status="stored", file="seal.jpg", size=4)
        for told in photographer.told
    )
    assert photographer.all_stored(1) == []
    assert photographer.all_stored(2) == ["there was space, so nothing is shown"]
    Media.objects.filter(pk=cut.pk).update(size=5)
    assert photographer.all_stored(1) == [f"1 pictures are not there in full: {cut.pk}"]
    cut.delete()
    assert photographer.all_stored(1) == ["some have no row"]
    Media.objects.filter(pk=whole.pk).update(status="missing", attempts=3)
    assert photographer.all_stored(0)[0] == (
        f"1 pictures are not stored: {whole.pk} is missing after 3 tries"
    )


# When it cannot go on ----------------------------------------------------------------------------


def test_whoever_is_interrupted_does_not_wait_for_what_nobody_takes():
    twilio = FakeTwilio.with_our_account()
    twilio.webhooks.send = refuse
    traffic = Traffic(twilio, gives_up=UNTIL_ANSWERED, duplicates=1)
    traffic.rehearse = Mock()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt), twilio:
        interrupt(traffic)
    assert time.monotonic() - began < UNTIL_ANSWERED / 2


def interrupt(traffic: Traffic) -> None:
    with traffic:
        while not traffic.failed:
            time.sleep(0.01)
        raise KeyboardInterrupt


def refuse(delivery: Delivery, *_: object) -> None:
    delivery.status = REFUSED


def test_no_user_to_run_postgresql_as():
    with (
        patch("os.geteuid", return_value=0),
        patch("pwd.getpwnam", side_effect=KeyError),
        pytest.raises(Unavailable, match="there is no user postgres"),
    ):
        who_runs_it()


def asked(at: float) -> Request:
    return Request("GET", "/", {}, {}, {}, at, route="Messages")


def pair(*tries: Try) -> list[Told]:
    return [Told("SM", "+27850000001", 0, "hi", {}, [one]) for one in tries]


MET = pair(Try(0, 2, 200, ""), Try(1, 3, 200, ""))
NOT_MET = pair(Try(0, 1, 200, ""), Try(2, 3, 200, ""))


def row(told: Told) -> Message:
    return Message.objects.get(sid=told.sid)


def wrong(traffic: Traffic, sentence: str, **how: object) -> bool:
    return any(line.startswith(sentence) for line in reckon(traffic, **how))
