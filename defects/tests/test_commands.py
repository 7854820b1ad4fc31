"""The commands for trying things out."""

import io
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from defects.dashboard import Period, count_up
from defects.models import DefectReport
from orders.models import Order, ProductionRun
from whatsapp_bot.models import Contact, HelpRequest, Message

pytestmark = pytest.mark.django_db


def run(*command: str) -> str:
    out = io.StringIO()
    call_command(*command, stdout=out)
    return out.getvalue()


def test_the_demo_is_a_small_factory():
    out = run("demo", "--anyway")
    assert {order.status for order in Order.objects.all()} == set(Order.Status.values)
    assert set(Contact.objects.values_list("role", flat=True)) == {"unknown", "customer", "worker"}
    assert ProductionRun.objects.filter(order_line=None).count() == 90
    said = DefectReport.objects.filter(created_at__gte=timezone.now() - timedelta(hours=1))
    assert said.count() == 4
    assert HelpRequest.objects.count() == 1
    assert "Login: staff" in out
    assert "Login: manager" in out


def test_the_demo_shows_what_follows_from_runs(phone):
    with time_machine.travel("2026-03-20 10:00Z", tick=False):
        out = run("demo", "--anyway")
        assert "order ORD-1031, reference K-20417" in out
        for said in ("hi", "1", "1", "ORD-1031"):
            phone.say(said)
        (answer,) = phone.say("K-20417")
    assert "You are linked to Acme Tractors" in answer
    assert "• Steel bracket: 400 of 400 made\n• Bearing cover: 60 of 150 made" in answer
    assert "We expect to have it made by 24 March 2026" in answer


def test_the_demo_has_a_past():
    """Two months of it: what the dashboard shows, and the same every time."""
    with time_machine.travel("2026-03-20 10:00Z", tick=False):
        run("demo", "--anyway")
        shown = count_up(Period.of_days(60))
    assert shown.reported > 150
    assert shown.closed > 100
    assert shown.unseen_critical == 1
    assert len(shown.by_count()) == 7
    assert all(group.count for group in [*shown.lines, *shown.shifts])
    assert all(took.count > 100 for took in shown.took.values())
    assert shown.failed
    assert shown.costs[0].billed > shown.costs[0].estimated > 0
    report = DefectReport.objects.filter(status="closed").first()
    assert [row.status for row in report.history.order_by("pk")] == ["reported", "closed"]
    assert not report.problems_of_closing()
    assert report.urgency == 3


def test_a_second_time_changes_nothing():
    run("demo", "--anyway")
    before = User.objects.count(), Message.objects.count(), Order.objects.count()
    assert "Login" not in run("demo", "--anyway")
    assert before == (User.objects.count(), Message.objects.count(), Order.objects.count())


def test_chat_ends_with_the_input(monkeypatch):
    def end(prompt):
        raise EOFError

    monkeypatch.setattr("builtins.input", end)
    assert "Say hi!" in run("chat")


@pytest.mark.parametrize("who", ["worker", "somebody"])
def test_chat_as_nobody_is_refused_in_words(who):
    with pytest.raises(CommandError, match=r"There is no worker yet|is no role"):
        run("chat", who)


def test_the_demo_is_refused_where_it_is_meant_seriously():
    with pytest.raises(CommandError, match="DEBUG is false here"):
        run("demo")
    assert not Order.objects.exists()
