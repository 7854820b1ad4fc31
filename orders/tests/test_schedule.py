"""Conversations in which somebody asks for the production schedule."""

from datetime import UTC, datetime, time, timedelta

import pytest
import time_machine

from orders.models import Customer, CustomerLink, Line, Order, PinnedLine, ProductionRun, Shift
from whatsapp_bot.flows import addresses
from whatsapp_bot.models import Menu
from whatsapp_bot.recent import forget_all

# A Monday, 10:00 in Johannesburg.
NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def line(db):
    return Line.objects.create(name="Line 1")


@pytest.fixture
def order(db):
    customer = Customer.objects.create(name="Acme")
    return Order.objects.create(number="ORD-1", customer=customer, product="Gear", quantity=9)


def make_run(line, hours, product="Gear", days=0, **values):
    begins = NOW + timedelta(hours=hours)
    lasts = timedelta(days=days) or timedelta(hours=8)
    return ProductionRun.objects.create(
        line=line,
        product=product,
        begins=begins,
        ends=begins + lasts,
        quantity=500,
        **values,
    )


def ask(say, days="The next 7 days"):
    """Choose from the main menu, then the days, and where it is asked, all lines and shifts."""
    say("hi")
    reply = say("3")
    for choice in (days, "All lines", "The whole day"):
        if choice in reply:
            reply = say(choice)
    return reply


def test_a_worker_sees_every_line_by_day(say, worker, line, order):
    make_run(line, -2, order=order, status="running")
    make_run(Line.objects.create(name="Line 2"), 24, product="Lid")
    assert ask(say).startswith(
        "*Production in the next 7 days*\n\n"
        "*Monday 23 November*\n"
        "08:00–16:00 Line 1: 500 × Gear, running\n\n"
        "*Tuesday 24 November*\n"
        "10:00–18:00 Line 2: 500 × Lid, planned\n"
    )


def test_a_customer_sees_the_runs_of_own_orders(say, contact, line, order):
    CustomerLink.objects.create(contact=contact, customer=order.customer)
    make_run(line, 1, order=order)
    make_run(line, 2, product="Secret")
    other = Customer.objects.create(name="Other")
    theirs = Order.objects.create(number="ORD-2", customer=other, product="x", quantity=1)
    make_run(line, 3, product="Theirs", order=theirs)
    schedule = ask(say)
    assert "Gear" in schedule
    assert "Secret" not in schedule
    assert "Theirs" not in schedule


def test_others_are_told_whom_to_ask(say, line):
    make_run(line, 1, product="Secret")
    reply = ask(say)
    assert "please send *help*" in reply
    assert "Secret" not in reply


def test_nothing_planned(say, worker):
    assert ask(say).startswith("Nothing is planned for the next 7 days.")


def test_only_seven_days_and_nothing_cancelled_or_over(say, worker, line):
    make_run(line, -40, product="Over")
    make_run(line, 24 * 7, product="Later")
    make_run(line, 5, product="Off", status="cancelled")
    make_run(line, 24 * 6, product="Last")
    schedule = ask(say)
    assert "Last" in schedule
    assert not any(product in schedule for product in ("Over", "Later", "Off"))


def test_a_run_that_began_before_today_stands_under_today(say, worker, line):
    make_run(line, -12)
    assert "*Monday 23 November*\nSun 22:00–06:00" in ask(say)


def test_a_run_of_several_days_stands_under_each_and_tells_when_it_ends(say, worker, line):
    make_run(line, 0, days=2)
    schedule = ask(say)
    assert "*Monday 23 November*\n10:00–Wed 10:00" in schedule
    assert "*Tuesday 24 November*\nMon 10:00–Wed 10:00" in schedule


def test_a_night_shift_stands_under_the_day_it_begins(say, worker, line):
    make_run(line, 12)
    schedule = ask(say)
    assert "22:00–Tue 06:00" in schedule
    assert "*Tuesday" not in schedule


def test_more_than_fits_a_message(say, worker, line):
    for hour in range(100):
        make_run(line, hour, product=f"Product number {hour:03}")
    pages = [ask(say)]
    while "Send *more*" in pages[-1]:
        pages.append(say("more"))
    assert len(pages) > 2
    assert all(len(page) <= 1600 and "---" not in page for page in pages)
    every = "\n".join(pages)
    assert [every.count(f"number {hour:03}") for hour in range(100)] == [1] * 100
    assert all("*Monday 23" in page or "*Tuesday" in page or "day " in page for page in pages)


# By day, line and shift -------------------------------------------------------------------------------


@pytest.fixture
def shifts(db):
    for name, begins, ends in [("Early", 6, 14), ("Late", 14, 22), ("Night", 22, 6)]:
        Shift.objects.create(name=name, begins=time(begins), ends=time(ends))


@pytest.fixture
def busy(line, shifts):
    """Two lines, three shifts, today and tomorrow."""
    for name in ("Line 1", "Line 2"):
        here, _ = Line.objects.get_or_create(name=name)
        for day in (0, 1):
            for shift, hours in {"Early": -4, "Late": 4, "Night": 12}.items():
                make_run(here, 24 * day + hours, product=f"{shift} {day} of {name}")


def test_a_worker_chooses_day_line_and_shift(say, worker, busy):
    say("hi")
    assert say("3") == (
        "Which days would you like to see?\n\n"
        "1. Today\n2. Tomorrow\n3. The next 7 days\n4. My line: choose or change it"
    )
    assert say("tomorrow") == "Which line?\n\n1. Line 1\n2. Line 2\n3. All lines"
    assert say("2") == (
        "Which shift?\n\n1. Early 06:00–14:00\n2. Late 14:00–22:00\n3. Night 22:00–06:00\n"
        "4. The whole day"
    )
    assert say("3").startswith(
        "*Production tomorrow*\nLine 2, Night 22:00–06:00\n\n"
        "*Tuesday 24 November*\n"
        "22:00–Wed 06:00 Line 2: 500 × Night 1 of Line 2, planned\n\n"
    )


def test_back_leads_through_the_questions(say, worker, busy):
    say("hi")
    say("3")
    say("today")
    assert "Which shift?" in say("line 1")
    assert "Which line?" in say("back")
    assert "Which days" in say("back")
    assert "Check order status" in say("back")


def test_back_leads_from_the_schedule_to_what_it_was_narrowed_by(say, worker, busy):
    say("hi")
    say("3")
    say("tomorrow")
    say("2")
    assert "*Production tomorrow*" in say("3")
    assert "Which shift?" in say("back")
    assert "Which line?" in say("back")


def test_a_whole_day_is_that_day_alone(say, worker, busy):
    today = ask(say, "Today")
    assert today.startswith("*Production today*\n\n*Monday 23 November*\n")
    assert today.count(" of Line ") == 6
    assert " 1 of Line" not in today


def test_nothing_on_that_line_then(say, worker, busy):
    Line.objects.create(name="Line 3")
    say("hi")
    say("3")
    say("today")
    say("line 3")
    assert say("late").startswith("Nothing is planned for that time.")


def test_after_midnight_the_night_shift_of_today_is_also_the_one_at_work(say, worker, line, shifts):
    make_run(line, 12, product="Tonight")
    make_run(line, 36, product="Next night")
    with time_machine.travel(NOW + timedelta(hours=17), tick=False):
        say("hi")
        say("3")
        say("today")
        schedule = say("night")
    assert "*Monday 23 November*\n22:00–Tue 06:00 Line 1: 500 × Tonight" in schedule
    assert "*Tuesday 24 November*\n22:00–Wed 06:00 Line 1: 500 × Next night" in schedule


def test_many_lines_come_in_pages(say, worker, line):
    for letter in "ABCDEFGHIJKLMNOPQR":
        Line.objects.create(name=f"Line {letter}")
    make_run(Line.objects.get(name="Line R"), 1)
    say("hi")
    say("3")
    first = say("today")
    assert "8. Line G\n9. All lines" in first
    assert "1. Line H" in say("more")
    assert "3. Line R" in say("more")
    assert "Line R: 500 × Gear" in say("3")


def test_more_stays_on_the_line_and_shift(say, worker, busy, line):
    for number in range(60):
        make_run(line, -3, product=f"Product number {number:03}")
    say("hi")
    say("3")
    say("today")
    say("line 1")
    pages = [say("early")]
    while "Send *more*" in pages[-1]:
        pages.append(say("more"))
    assert len(pages) > 2
    every = "\n".join(pages)
    assert [every.count(f"number {number:03}") for number in range(60)] == [1] * 60
    assert "Line 2" not in every
    assert "Late" not in every


def test_a_customer_is_asked_for_the_days_alone(say, contact, busy, line, order):
    CustomerLink.objects.create(contact=contact, customer=order.customer)
    make_run(line, 1, product="Mine", order=order)
    say("hi")
    assert say("3").endswith("3. The next 7 days")
    schedule = say("today")
    assert "Line 1: 500 × Mine" in schedule
    assert " of Line " not in schedule


def test_a_menu_may_open_a_day_at_once(say, worker, busy):
    assert ("orders.schedule.runs:tomorrow", "Production schedule: tomorrow") in addresses()
    Menu.objects.get(key="main").add_item("Tomorrow", "orders.schedule.runs:tomorrow")
    forget_all()
    say("hi")
    assert say("tomorrow").startswith("*Production tomorrow*")


@pytest.mark.parametrize(
    "about", ["", "then", "today:x", "today:9999", "today:1:²", f"today:{10**30}"]
)
def test_what_is_no_schedule_is_gone(say, worker, about):
    Menu.objects.get(key="main").add_item("Odd", f"orders.schedule.runs:{about}")
    forget_all()
    say("hi")
    assert "no longer available" in say("odd")


# My line ----------------------------------------------------------------------------------------------


def test_a_worker_pins_a_line_and_sees_it_first(say, worker, busy):
    say("hi")
    say("3")
    assert say("4") == ("Which line do you work at? You will see it first.\n\n1. Line 1\n2. Line 2")
    assert "Line 2 is your line now" in say("line 2")
    say("hi")
    question = say("3")
    assert question.startswith(
        "*Line 2 today*\n06:00–14:00 Line 2: 500 × Early 0 of Line 2, planned\n"
    )
    assert "Which days would you like to see?" in question
    assert say("1").startswith("Which line?\n\n1. Line 2 (my line)\n2. Line 1\n3. All lines")


def test_and_takes_the_pin_away(say, worker, busy):
    Line.objects.get(name="Line 2").pin_for(worker)
    say("hi")
    say("3")
    assert "1. Line 2 (my line)\n2. Line 1\n3. No line of my own" in say("4")
    assert "no line of your own" in say("3")
    say("hi")
    assert say("3").startswith("Which days")
    assert not PinnedLine.objects.exists()


def test_of_a_full_day_on_my_line_it_tells_the_first(say, worker, line):
    line.pin_for(worker)
    say("hi")
    assert "*Line 1 today*\nNothing is planned.\n\nWhich days" in say("3")
    for hour in range(8):
        make_run(line, hour)
    say("hi")
    assert "… and 3 more\n\nWhich days" in say("3")


def test_changing_the_pin_leaves_one(say, worker, busy):
    for name in ("Line 1", "Line 2"):
        Line.objects.get(name=name).pin_for(worker)
    assert [str(pin.line) for pin in PinnedLine.objects.all()] == ["Line 2"]


def test_others_have_no_line(say, contact, line):
    line.pin_for(contact)
    Menu.objects.get(key="main").add_item("My line", "orders.my_line")
    forget_all()
    say("hi")
    assert "Only our workers" in say("my line")
    assert "Which days" not in say("3")
