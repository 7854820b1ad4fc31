"""Conversations in which somebody asks for the production schedule."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from orders.models import Customer, CustomerLink, Line, Order, ProductionRun

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


def ask(say):
    say("hi")
    return say("3")


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
    assert "choose help" in reply
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
