"""The life of a report, and what it refuses."""

import threading
from contextlib import suppress
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.utils import timezone

from defects.models import (
    CorrectiveAction,
    DefectCategory,
    DefectReport,
    Disposition,
    Door,
    NotAllowed,
    Severity,
    Status,
)
from defects.tests.people import a_report
from whatsapp_bot.models import Message
from whatsapp_bot.tests.database import all_at_once

pytestmark = pytest.mark.django_db
Kind = Disposition.Kind


@pytest.fixture
def anna():
    return get_user_model().objects.create_user("anna", is_staff=True)


@pytest.fixture
def ben():
    return get_user_model().objects.create_user("ben", is_staff=True)


@pytest.fixture
def in_review(report, anna):
    report.acknowledge(anna)
    report.begin_review(anna)
    return report


@pytest.fixture
def decided(in_review, anna):
    in_review.severity, in_review.nonconforming = Severity.MAJOR, 10
    in_review.category = DefectCategory.objects.create(name="Surface")
    in_review.save()
    in_review.dispositions.create(kind=Kind.SCRAP, quantity=10)
    in_review.decide(anna)
    return in_review


def refusal(step, *about):
    with pytest.raises(NotAllowed) as refused:
        step(*about)
    return " ".join(refused.value.reasons)


def told(report):
    notices = Message.objects.filter(contact=report.reported_by).exclude(notice="").order_by("pk")
    return list(notices.values_list("notice", flat=True))


def test_from_reported_to_closed(decided, anna, ben):
    action = decided.actions.create(what="New tool guide", owner=anna)
    action.finish(anna)
    action.verify(ben)
    decided.close(ben)
    decided.refresh_from_db()
    assert decided.status == Status.CLOSED
    assert (decided.assignee, decided.decided_by) == (anna, anna)
    assert decided.acknowledged_at <= decided.decided_at <= decided.closed_at
    assert told(decided) == ["news.acknowledged", "news.decided", "news.closed"]


@pytest.mark.parametrize(
    ("step", "status", "sentence"),
    [
        ("acknowledge", Status.IN_REVIEW, "cannot become acknowledged: it has to be reported"),
        ("acknowledge", Status.ACKNOWLEDGED, "It is acknowledged already."),
        ("begin_review", Status.REPORTED, "it has to be acknowledged first"),
        ("decide", Status.ACKNOWLEDGED, "it has to be in review first"),
        ("close", Status.IN_REVIEW, "it has to be decided first"),
        ("close", Status.UNFOUNDED, "It is unfounded, so it cannot become closed"),
    ],
)
def test_steps_have_an_order(report, anna, step, status, sentence):
    DefectReport.objects.update(status=status)
    assert sentence in refusal(getattr(report, step), anna)
    report.refresh_from_db()
    assert report.status == status
    assert told(report) == []


def test_a_decision_wants_quantities_that_add_up(in_review, anna):
    assert "needs a disposition" in refusal(in_review.decide, anna)
    in_review.dispositions.create(kind=Kind.SCRAP, quantity=3)
    assert "How many parts are nonconforming?" in refusal(in_review.decide, anna)
    in_review.nonconforming = 10
    in_review.save()
    assert "for 3 parts, but 10 are nonconforming" in refusal(in_review.decide, anna)
    as_is = in_review.dispositions.create(kind=Kind.USE_AS_IS, quantity=7)
    assert "wants a reason" in refusal(in_review.decide, anna)
    as_is.reason = "Within tolerance after measuring"
    as_is.save()
    in_review.decide(anna)
    assert in_review.status == Status.DECIDED


def test_no_more_are_nonconforming_than_were_inspected(in_review, anna):
    sentence = "3 cannot be nonconforming when only 2 were inspected."
    assert refusal(lambda: in_review.amend(anna, inspected=2, nonconforming=3)) == sentence
    in_review.amend(anna, inspected=2)
    assert refusal(lambda: in_review.amend(anna, nonconforming=3)) == sentence
    in_review.refresh_from_db()
    assert (in_review.inspected, in_review.nonconforming) == (2, None)
    in_review.amend(anna, nonconforming=2)
    in_review.amend(anna, inspected=None)
    in_review.amend(anna, nonconforming=3)


def test_nor_is_it_decided_like_that(in_review, anna):
    in_review.inspected, in_review.nonconforming = 2, 3
    in_review.save()
    in_review.dispositions.create(kind=Kind.SCRAP, quantity=3)
    assert "only 2 were inspected" in refusal(in_review.decide, anna)


def test_what_is_decided_stays_until_it_is_opened_again(decided, anna):
    disposition = decided.dispositions.get()
    disposition.report = decided
    disposition.quantity = 5
    assert "open it again" in refusal(disposition.save)
    assert "open it again" in refusal(disposition.delete)
    assert "Why is it opened again?" in refusal(decided.reopen, anna, " ")
    decided.reopen(anna, "The customer sent more.")
    assert (decided.status, decided.decided_at) == (Status.IN_REVIEW, None)
    assert decided.notes.get().text == "The customer sent more."


def test_closing_lists_all_that_is_missing(decided, anna):
    decided.severity, decided.category = "", None
    decided.save()
    decided.actions.create(what="New tool guide", owner=anna)
    reasons = refusal(decided.close, anna)
    assert "needs a severity" in reasons
    assert "needs a category" in reasons
    assert "“New tool guide” is not verified yet" in reasons


def test_an_action_is_verified_by_somebody_else(decided, anna, ben):
    action = decided.actions.create(what="New tool guide", owner=anna)
    assert "has to be done before" in refusal(action.verify, ben)
    action.finish(ben)
    assert "done already" in refusal(action.finish, ben)
    for somebody in (anna, ben):
        assert "Somebody else" in refusal(action.verify, somebody)
    carl = get_user_model().objects.create_user("carl")
    action.verify(carl)
    assert "verified already" in refusal(action.verify, carl)
    assert "it stays" in refusal(action.delete)
    assert action.state == "verified"
    action.take_back()
    assert action.state == "open"


def test_actions_of_a_closed_report_stay(decided, anna, ben):
    action = decided.actions.create(what="New tool guide", owner=anna)
    action.finish(anna)
    action.verify(ben)
    decided.close(ben)
    action = CorrectiveAction.objects.get()
    assert "closed: open it again" in refusal(action.take_back)
    assert "closed: open it again" in refusal(action.delete)


def test_an_action_is_late_after_its_day(report, anna):
    today = timezone.localdate()
    action = report.actions.create(what="x", owner=anna, due_on=today)
    assert action.state == "open"
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        assert action.state == "overdue"


def test_unfounded_wants_a_reason_and_the_reporter_hears_nothing(report, anna):
    assert "Why is it unfounded?" in refusal(report.dismiss, anna, "")
    report.dismiss(anna, "That is how it is drawn.")
    assert report.status == Status.UNFOUNDED
    assert told(report) == []


def test_a_duplicate_keeps_both_reporters_at_the_kept_one(report, new_phone, anna):
    again = a_report(new_phone)
    assert "duplicate of itself" in refusal(report.mark_duplicate, anna, report)
    again.mark_duplicate(anna, report)
    assert report.reporters == [report.reported_by, again.reported_by]
    report.acknowledge(anna)
    assert told(report) == told(again) == ["news.acknowledged"]
    assert again.number in Message.objects.get(contact=again.reported_by).body


def test_a_duplicate_of_a_duplicate_belongs_to_the_first(report, new_phone, anna):
    second, third = a_report(new_phone), a_report(new_phone)
    third.mark_duplicate(anna, second)
    second.mark_duplicate(anna, report)
    third.refresh_from_db()
    assert third.duplicate_of == second.duplicate_of == report
    fourth = a_report(new_phone)
    fourth.mark_duplicate(anna, third)
    assert fourth.duplicate_of == report


def test_of_what_became_a_duplicate_meanwhile_it_is_one_of_the_kept_one(report, new_phone, anna):
    second, third = a_report(new_phone), a_report(new_phone)
    seen = DefectReport.objects.get(pk=second.pk)
    second.mark_duplicate(anna, report)
    third.mark_duplicate(anna, seen)
    assert third.duplicate_of == report


@pytest.mark.django_db(transaction=True)
def test_two_that_become_duplicates_of_each_other_at_once_do_not(new_phone, db):
    """Each reviewer has a report in hand and wants the other one."""
    first, second = a_report(new_phone), a_report(new_phone)
    both_have_theirs = threading.Barrier(2 if connection.vendor == "postgresql" else 1)

    def mark(pair):
        with suppress(NotAllowed), transaction.atomic():
            report, of = (DefectReport.objects.get(pk=one.pk) for one in pair)
            report._lock()
            both_have_theirs.wait(20)
            report.mark_duplicate(None, of)
            return "marked"

    came = all_at_once(mark, [(first, second), (second, first)])
    assert None in came, "one of them at least is refused"
    for report in DefectReport.objects.all():
        kept = report.duplicate_of
        assert kept is None or kept.duplicate_of is None


def test_a_step_begins_from_what_is_stored(report, anna):
    stale = DefectReport.objects.get()
    DefectReport.objects.update(part="P-100")
    stale.acknowledge(anna)
    assert DefectReport.objects.get().part == "P-100"
    other = DefectReport.objects.get()
    stale.begin_review(anna)
    assert "in review already" in refusal(other.begin_review, anna)


def test_assigning_and_categorising(report, anna, ben):
    report.assign(anna, ben)
    report.categorise(anna, DefectCategory.objects.create(name="Surface"))
    report.dismiss(anna, "no")
    assert "open it again to change it" in refusal(report.assign, anna, anna)


def test_the_urgent_come_first(new_phone, anna):
    closed, minor, critical, seen = (a_report(new_phone) for _ in range(4))
    DefectReport.objects.filter(pk=critical.pk).update(severity=Severity.CRITICAL)
    critical.refresh_from_db()
    critical.save()
    closed.dismiss(anna, "no")
    seen.acknowledge(anna)
    in_order = DefectReport.objects.order_by("urgency", "-pk")
    assert list(in_order) == [critical, minor, seen, closed]


# Who changed what ---------------------------------------------------------------------------------


def test_every_change_is_kept_with_who_and_through_which_door(say, anna):
    for text in ("hi", "2", "1", "Deep scratch"):
        say(text)
    while not DefectReport.objects.exists():
        say("skip")
    report = DefectReport.objects.get()
    report.acknowledge(anna)
    second, first = report.history.all()
    assert (first.door, first.history_user) == (Door.WHATSAPP, None)
    assert (second.door, second.history_user) == (Door.COMMAND, anna)
    (change,) = second.diff_against(first, included_fields=["status"]).changes
    assert (change.old, change.new) == ("reported", "acknowledged")
