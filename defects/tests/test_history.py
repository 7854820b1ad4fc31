"""A person's own reports."""

import time
from datetime import UTC, datetime

import pytest
import time_machine

from defects.models import DefectReport
from orders.models import WrongLookup
from whatsapp_bot.models import Contact


def ask(say):
    say("hi")
    say("2")
    return say("2")


@pytest.fixture
def report(say, contact) -> DefectReport:
    for text in ("hi", "2", "1", "Bent frame"):
        say(text)
    return DefectReport.objects.get()


@pytest.mark.parametrize("before", [[], ["menu"], ["2"], ["1"]])
@pytest.mark.parametrize("asked", ["{}", "{}?", "Status of {}", "what happened to {}"])
def test_a_report_is_told_of_by_its_number(say, report, before, asked):
    for text in before:
        say(text)
    told = say(asked.format(report.number.lower()))
    assert told.startswith(f"{report.number}\nBent frame\n")
    assert "received, waiting for our team" in told
    assert not WrongLookup.objects.exists()


@pytest.mark.parametrize("dash", ["–", "\u2011", " ", " - ", ""])
def test_its_number_may_have_another_dash(say, report, dash):
    assert say(report.number.replace("-", dash)).startswith(f"{report.number}\nBent frame\n")


def test_what_else_is_said_of_it_is_added(say, report):
    say("menu")
    told = say(f"{report.number} is wrong, it was line 4")
    assert told.startswith(f"Thank you! I have added that to your report {report.number}.")


@pytest.mark.parametrize("more", [" - 3 more parts found", "\n- 2 more", " \u2013 4 of 10"])
def test_how_many_more_there_are_is_no_part_of_its_number(say, report, more):
    say("menu")
    told = say(f"{report.number}{more}")
    assert told.startswith(f"Thank you! I have added that to your report {report.number}.")


def test_nobody_is_told_of_the_report_of_another(report, new_phone):
    other = new_phone()
    other.say("hi")
    (told,) = other.say(f"Status of {report.number}")
    assert "Bent" not in told


@pytest.mark.parametrize(
    "asked",
    [
        *("any news on my report", "What happened with my last report?", "show me my reports"),
        "Did anybody look at my complaint?",
    ],
)
def test_who_asks_for_the_own_reports_sees_them(say, report, asked):
    assert say(asked).startswith("*Your reports*")


def test_a_long_message_holds_nobody_up(say, report):
    say("menu")
    begun = time.perf_counter()
    say("how " * 20_000)
    assert time.perf_counter() - begun < 5


def test_nothing_reported_yet(say):
    assert ask(say).startswith("You have not reported anything yet.")


@time_machine.travel(datetime(2025, 1, 19, 22, 30, tzinfo=UTC))
def test_the_last_five_newest_first_then_more(say, contact):
    for count in range(1, 8):
        DefectReport.objects.file(reported_by=contact, description=f"Thing {count}")
    first = ask(say)
    assert [line for line in first.splitlines() if line.startswith("Thing")] == [
        f"Thing {count}" for count in (7, 6, 5, 4, 3)
    ]
    assert "20 January 2025, received, waiting for our team" in first
    assert first.endswith("Send *more* to see more, or *menu* for the main menu.")
    second = say("more")
    assert "Thing 2" in second
    assert "Thing 1" in second
    assert "more" not in second
    assert say("more") == "That is all there is.\n\nSend *menu* for the main menu."
    say("menu")
    assert "did not get" in say("more")


def test_more_than_there_is_is_no_word_about_the_report_just_made(say):
    for text in ("hi", "2", "1", "Bent frame", "2", "2"):
        say(text)
    assert say("more") == "That is all there is.\n\nSend *menu* for the main menu."
    assert not DefectReport.objects.get().attachments.exists()


@pytest.mark.parametrize("status", DefectReport.Status)
def test_every_status_has_plain_words(say, contact, status):
    DefectReport.objects.file(reported_by=contact, description="Thing", status=status)
    assert "Thing\n" in ask(say)


def test_reports_of_others_are_not_shown(say, contact):
    other = Contact.objects.create(phone="+27820009999")
    report = DefectReport.objects.file(reported_by=other, description="Somebody else's")
    assert report.number not in ask(say)


def test_a_preview_is_one_short_line_and_keeps_its_marks_to_itself(say, contact):
    DefectReport.objects.file(reported_by=contact, description="*bold*\n" + "long " * 50)
    (line,) = [line for line in ask(say).splitlines() if "bold" in line]
    assert len(line) <= 60
    assert "*bold*" not in line
