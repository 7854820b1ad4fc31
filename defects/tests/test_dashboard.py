"""The dashboard's figures against a small world that was counted by hand, and its page."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import RequestFactory
from django.urls import resolve
from django.utils import timezone

from defects.admin.dashboard import Lists, Page, in_words
from defects.dashboard import Period, count_up, figures
from defects.models import DefectCategory, DefectReport, Status
from orders.models import Customer, Line, Order, Shift
from whatsapp_bot.delivery import Status as Delivery
from whatsapp_bot.models import Contact, Message
from whatsapp_bot.tests.staff import staff

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 20, 12, tzinfo=timezone.get_default_timezone())
MARCH = Period(date(2026, 3, 1), date(2026, 3, 20))
numbers = count(1)


@pytest.fixture(autouse=True)
def _at_noon():
    with time_machine.travel(NOW, tick=False):
        yield


def at(day: int, hour: int = 9, minute: int = 0, *, month: int = 3) -> datetime:
    """In March 2026, in the factory's time zone, two hours before UTC."""
    naive = datetime(2026, month, day, hour, minute)  # noqa: DTZ001
    return timezone.make_aware(naive)


def a_report(made: datetime, status: str = Status.REPORTED, **values) -> DefectReport:
    contact, _ = Contact.objects.get_or_create(phone="+27820000001")
    return DefectReport.objects.create(
        number=f"DEF-{next(numbers)}",
        reported_by=contact,
        description="Scratch",
        created_at=made,
        status=status,
        **values,
    )


def a_message(made: datetime, direction: str = "out", **values) -> Message:
    contact, _ = Contact.objects.get_or_create(phone="+27820000001")
    values.setdefault("status", Delivery.READ if direction == "out" else Delivery.RECEIVED)
    return Message.objects.create(
        contact=contact, direction=direction, created_at=made, body="x", **values
    )


@pytest.fixture
def factory():
    """Seven reports of the period, two of them no defects; two older ones; six messages."""
    surface, bore, paint = (
        DefectCategory.objects.create(name=n) for n in ("Surface", "Bore", "Paint")
    )
    one, two = (Line.objects.create(name=name) for name in ("Line 1", "Line 2"))
    for name, begins, ends in (("Day", 6, 18), ("Night", 22, 6)):
        Shift.objects.create(name=name, begins=time(begins), ends=time(ends))
    done = {"acknowledged_at": at(2, 10), "decided_at": at(3), "closed_at": at(5)}
    a_report(
        at(2), Status.CLOSED, severity="major", category=surface, line=one, nonconforming=4, **done
    )
    a_report(
        at(2, 12),
        Status.DECIDED,
        severity="major",
        category=bore,
        line=one,
        nonconforming=50,
        acknowledged_at=at(2, 15),
        decided_at=at(4, 12),
    )
    a_report(
        at(3, 23),
        Status.IN_REVIEW,
        severity="minor",
        category=surface,
        line=two,
        nonconforming=6,
        acknowledged_at=at(4, 8),
    )
    a_report(at(4, 3), severity="critical", category=surface, line=two)
    a_report(at(4, 19))
    a_report(at(5), Status.UNFOUNDED, category=surface, line=one, nonconforming=9)
    a_report(at(6), Status.DUPLICATE, category=paint, nonconforming=9)
    # Before the period: one closed within it, one still open.
    a_report(
        at(20, month=2),
        Status.CLOSED,
        category=paint,
        nonconforming=1,
        acknowledged_at=at(21, month=2),
        decided_at=at(22, month=2),
        closed_at=at(10),
    )
    a_report(at(21, month=2), severity="critical", category=paint)
    billed = {"price": Decimal("-0.0050"), "price_unit": "USD"}
    a_message(at(2), "in", **billed)
    a_message(at(2), **billed)
    a_message(at(2), price=Decimal("-0.02"), price_unit="EUR")
    a_message(at(3), "in")
    a_message(at(3), status=Delivery.FAILED, error_code=63024)
    a_message(at(4), status=Delivery.FAILED)
    a_message(at(4), status=Delivery.QUEUED)
    a_message(at(28, month=2))


def page_for(user: User, period: Period = MARCH) -> Page:
    request = RequestFactory().get("/admin/")
    request.user = user
    return Page(count_up(period), Lists(request))


@pytest.fixture
def page(factory, admin_user) -> Page:
    return page_for(admin_user)


# The figures -------------------------------------------------------------------------------------


def test_what_is_open_is_counted_however_old(factory):
    shown = count_up(MARCH)
    assert shown.open == {
        ("decided", "major"): 1,
        ("in_review", "minor"): 1,
        ("reported", "critical"): 2,
        ("reported", ""): 1,
    }
    assert (shown.open_count, shown.unseen_critical) == (5, 2)


def test_each_day_has_what_was_reported_and_closed(factory):
    shown = count_up(MARCH)
    days = {day.day.day: (day.reported, day.closed) for day in shown.days}
    assert len(days) == 20
    assert {day: counts for day, counts in days.items() if any(counts)} == {
        2: (2, 0),
        3: (1, 0),
        4: (2, 0),
        5: (1, 1),
        6: (1, 0),
        10: (0, 1),
    }
    assert (shown.reported, shown.closed, shown.dismissed) == (7, 2, 2)


def test_the_pareto_ranks_defects_and_adds_up_shares(factory):
    shown = count_up(MARCH)
    by_count = [(one.name, one.count, round(one.share, 3)) for one in shown.by_count()]
    assert by_count == [("Surface", 3, 0.75), ("Bore", 1, 1.0)]
    by_parts = [(one.name, one.parts, round(one.share, 3)) for one in shown.by_parts()]
    assert by_parts == [("Bore", 50, 0.833), ("Surface", 10, 1.0)]
    assert (shown.uncategorised.count, shown.parts) == (1, 60)


def test_by_line_and_by_shift(factory):
    shown = count_up(MARCH)
    assert [(one.name, one.count, one.parts) for one in shown.lines] == [
        ("Line 1", 2, 54),
        ("Line 2", 2, 6),
        ("no line", 1, 0),
    ]
    assert [(one.name, one.count, one.parts) for one in shown.shifts] == [
        ("Day 06:00–18:00", 2, 54),
        ("Night 22:00–06:00", 2, 6),
        ("outside the shifts", 1, 0),
    ]


def an_order(number: str, product: str) -> Order:
    acme, _ = Customer.objects.get_or_create(name="Acme")
    return Order.objects.create(number=number, customer=acme, product=product, quantity=10)


def test_by_product_are_the_orders_of_the_reports(factory, admin_user):
    first, again = (an_order(number, "Pump, 5 & 6 bar") for number in ("ORD-1", "ORD-2"))
    gear = an_order("ORD-3", "Gear")
    a_report(at(7), order=first, nonconforming=4)
    a_report(at(8), order=again)
    a_report(at(8), order=gear, nonconforming=30)
    a_report(at(8), Status.UNFOUNDED, order=gear, nonconforming=30)
    a_report(at(20, month=2), order=gear)
    page = page_for(admin_user)
    products = [(one.name, one.count, one.parts) for one in page.shown.products]
    assert products == [("Pump, 5 & 6 bar", 2, 4), ("Gear", 1, 30)]
    chart = page.charts["products"]
    for row in chart.rows:
        assert rows_behind(row.cells[0].link, admin_user) == row.cells[0].value
    assert chart.note == "5 without an order are left out."
    assert rows_behind(chart.note_link, admin_user) == 5


def test_of_many_products_are_those_that_come_most_often(admin_user):
    for number in range(12):
        a_report(at(8), order=an_order(f"ORD-{number}", f"Gear {number}"))
    a_report(at(8), order=Order.objects.get(number="ORD-11"))
    chart = page_for(admin_user).charts["products"]
    assert [row.name for row in chart.rows][:3] == ["Gear 11", "Gear 0", "Gear 1"]
    assert len(chart.rows) == 10
    assert chart.about.endswith("The 10 that come most often.")


def test_times_are_those_of_the_steps_of_the_period(factory):
    took = count_up(MARCH).took
    # 1, 3 and 9 hours; 24 and 48 hours; 3 and 18 days.
    assert took["acknowledged"].count == 3
    assert took["acknowledged"].median == timedelta(hours=3)
    assert took["acknowledged"].most == timedelta(hours=7.8)
    assert (took["decided"].median, took["decided"].most) == (
        timedelta(hours=36),
        timedelta(hours=45.6),
    )
    assert (took["closed"].median, took["closed"].most) == (
        timedelta(days=10.5),
        timedelta(days=16.5),
    )


def test_what_came_to_nothing_was_acknowledged_all_the_same(db):
    a_report(at(5), Status.UNFOUNDED, acknowledged_at=at(5, 10))
    shown = count_up(MARCH)
    assert (shown.reported, shown.founded, shown.took["acknowledged"].count) == (1, 0, 1)


def test_messages_failures_and_what_they_cost(factory):
    shown = count_up(MARCH)
    said = {day.day.day: (day.received, day.sent) for day in shown.days if day.received or day.sent}
    assert said == {2: (1, 2), 3: (1, 1), 4: (0, 2)}
    assert {(one.code, one.count) for one in shown.failures} == {(63024, 1), (None, 1)}
    dollars, euros = shown.costs
    assert (dollars.currency, dollars.billed, dollars.billed_count) == ("USD", Decimal("0.01"), 2)
    # Neither what failed nor what has not left yet costs anything.
    assert (dollars.estimated, dollars.estimated_count) == (Decimal("0.005"), 1)
    assert dollars.total == Decimal("0.015")
    assert (euros.currency, euros.billed, euros.estimated) == ("EUR", Decimal("0.02"), 0)


def test_the_estimate_is_a_setting(factory, settings):
    settings.MESSAGE_COST = 0.25
    assert count_up(MARCH).costs[0].estimated == Decimal("0.25")


@pytest.mark.parametrize(
    ("made", "is_in"),
    [
        (at(1, 0), True),
        (at(1, 0) - timedelta(seconds=1), False),
        (at(20, 23, 59), True),
        (at(21, 0) - timedelta(microseconds=1), True),
        (at(21, 0), False),
    ],
)
def test_days_begin_at_midnight_in_the_factory(made, is_in, admin_user):
    a_report(made)
    shown = count_up(MARCH)
    assert shown.reported == is_in
    if is_in:
        assert [day.day for day in shown.days if day.reported] == [made.date()]
    assert rows_behind(page_for(admin_user).tiles[1].link, admin_user) == is_in


@pytest.mark.parametrize(
    ("moment", "name"),
    [
        ((5, 59), "Night"),
        ((6, 0), "Early"),
        ((13, 59), "Early"),
        ((14, 0), "Early"),
        ((14, 10), "Late"),
        ((21, 59), "Late"),
        ((22, 0), "Night"),
        ((0, 0), "Night"),
    ],
)
def test_a_shift_may_go_over_midnight_or_into_the_next(moment, name, admin_user):
    for shift, begins, ends in (
        ("Early", time(6), time(14, 10)),
        ("Late", time(14), time(22)),
        ("Night", time(22), time(6)),
    ):
        Shift.objects.create(name=shift, begins=begins, ends=ends)
    a_report(at(3, *moment))
    page = page_for(admin_user)
    assert [one.name.split()[0] for one in page.shown.shifts if one.count] == [name]
    for row in page.charts["shifts"].rows:
        if row.cells[0].link:
            assert rows_behind(row.cells[0].link, admin_user) == 1


@pytest.mark.parametrize(
    ("moment", "name"),
    [
        ((5, 59), "Night"),
        ((6, 5), "Night"),
        ((6, 15), "Day"),
        ((18, 5), "Day"),
        ((18, 15), "Night"),
    ],
)
def test_at_a_handover_the_crew_that_came_first_has_the_report(moment, name, admin_user):
    Shift.objects.create(name="Day", begins=time(6), ends=time(18, 15))
    Shift.objects.create(name="Night", begins=time(18), ends=time(6, 15))
    a_report(at(3, *moment))
    page = page_for(admin_user)
    (row,) = (one for one in page.charts["shifts"].rows if one.cells[0].value)
    assert row.name.split()[0] == name
    assert rows_behind(row.cells[0].link, admin_user) == 1


def test_a_shift_round_the_clock_has_everything(admin_user):
    Shift.objects.create(name="All day", begins=time(7), ends=time(7))
    for hour in (0, 7, 23):
        a_report(at(3, hour))
    (group,) = count_up(MARCH).shifts
    assert group.count == 3


def test_it_takes_few_statements(factory, django_assert_max_num_queries):
    with django_assert_max_num_queries(21):
        count_up(MARCH)


def test_figures_are_kept_for_a_short_time(factory, django_assert_num_queries):
    before = figures(MARCH)
    with django_assert_num_queries(0):
        assert figures(MARCH).reported == before.reported


# The lists behind them ---------------------------------------------------------------------------


def rows_behind(link: str, user: User) -> int:
    """How many rows the list has that the link leads to."""
    request = RequestFactory().get(link)
    request.user = user
    opened = resolve(urlsplit(link).path).func.model_admin
    changes = opened.get_changelist_instance(request)
    return changes.get_queryset(request).count()


def test_each_chart_links_to_as_many_rows(page, admin_user):
    checked = 0
    for chart in page.charts.values():
        for row in chart.rows:
            for cell in row.cells[: None if chart.name == "open" else 2]:
                if cell.link and chart.name != "pareto-parts":
                    assert rows_behind(cell.link, admin_user) == cell.value, (chart.name, row.name)
                    checked += 1
    assert checked > 20


def test_a_reply_that_went_with_another_one_costs_nothing(db):
    a_message(at(3), price=0)
    (dollars,) = count_up(MARCH).costs
    assert (dollars.billed_count, dollars.estimated_count, dollars.estimated) == (0, 0, 0)


def test_each_other_figure_links_to_as_many_rows(page, admin_user):
    open_now, reported, closed, parts, failed, *costs = page.tiles
    for tile, behind in ((open_now, 5), (reported, 7), (closed, 2), (parts, 3), (failed, 2)):
        assert rows_behind(tile.link, admin_user) == behind, tile.title
    assert parts.about == "in 3 reports"
    assert rows_behind(open_now.about_link, admin_user) == 2
    assert rows_behind(reported.about_link, admin_user) == 2
    assert rows_behind(costs[0].link, admin_user) == 7
    cells = [
        *(row["count"] for row in page.times),
        *(cell for _, cell in page.failures),
        *(row["count"] for row in page.costs),
    ]
    assert len(cells) == 8
    for cell in cells:
        assert rows_behind(cell.link, admin_user) == cell.value
    for name, behind in (("pareto_reports", 1), ("pareto_parts", None)):
        link = page.charts[name].note_link
        assert (rows_behind(link, admin_user) if link else None) == behind


def test_what_was_sent_again_has_not_failed_by_that(factory, admin_user):
    a_message(at(5), status=Delivery.FAILED, error_code=63024, details={"again": 1})
    page = page_for(admin_user)
    failed = page.tiles[4]
    assert failed.text == "2"
    assert rows_behind(failed.link, admin_user) == 2
    for _, cell in page.failures:
        assert rows_behind(cell.link, admin_user) == cell.value == 1


def test_the_lists_open(page, admin_client):
    links = {
        cell.link for chart in page.charts.values() for row in chart.rows for cell in row.cells
    }
    links |= {tile.link for tile in page.tiles} | {row["count"].link for row in page.costs}
    for link in filter(None, links):
        answer = admin_client.get(link)
        assert answer.status_code == 200, link
    # What a list refuses, it answers with a redirect to itself.
    assert admin_client.get("/admin/defects/defectreport/?nonsense=1").status_code == 302


def test_shifts_by_nonsense_are_none(factory, admin_client):
    for value in ("999", "none"):
        assert admin_client.get(f"/admin/defects/defectreport/?shift={value}").status_code == 200


# The page ----------------------------------------------------------------------------------------


def get(client, query: str = "") -> str:
    answer = client.get(f"/admin/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_page_shows_it_all(factory, admin_client):
    shown = get(admin_client, "?since=2026-03-01&until=2026-03-20")
    for words in (
        "Dashboard",
        "1 March to 20 March 2026",
        "2 critical, not acknowledged",
        "2 unfounded or duplicates",
        "Surface leads with 75% of all reports.",
        "Bore alone makes 83% of all nonconforming parts.",
        "10.5 days",
        "16.5 days",
        "This phone number is not on WhatsApp.",
        "Africa/Johannesburg",
    ):
        assert words in shown, words
    assert shown.count("<canvas") == 7
    assert "<script>" not in shown.split('class="dashboard"')[1]


def test_who_may_not_see_it_gets_the_plain_index(factory, client):
    client.force_login(staff("somebody", "view_defectreport"))
    shown = get(client)
    assert "Can see the dashboard" in shown
    assert "Defect reports" in shown
    assert "dashboard.js" not in shown
    assert "canvas" not in shown


def test_figures_are_no_links_to_what_one_may_not_open(factory, client):
    client.force_login(staff("somebody", "view_dashboard"))
    shown = get(client)
    assert "canvas" in shown
    assert "defectreport/?" not in shown
    assert "message/?" not in shown


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ("", date(2026, 2, 19), NOW.date()),
        ("?range=7", date(2026, 3, 14), NOW.date()),
        ("?range=90", date(2025, 12, 21), NOW.date()),
        ("?range=month", date(2026, 2, 1), date(2026, 2, 28)),
        ("?range=year", date(2026, 1, 1), NOW.date()),
        ("?range=nonsense", date(2026, 2, 19), NOW.date()),
        ("?since=2026-01-05&until=2026-01-05", date(2026, 1, 5), date(2026, 1, 5)),
        ("?since=2026-03-05&until=2026-12-31", date(2026, 3, 5), NOW.date()),
    ],
)
def test_the_period_is_in_the_address(query, first, last, admin_client):
    answer = admin_client.get(f"/admin/{query}")
    assert answer.context["dashboard"].period == Period(first, last)


@pytest.mark.parametrize(
    ("since", "until", "sentence"),
    [
        ("yesterday", "2026-03-01", "“yesterday” is no date such as 2026-03-20."),
        ("2026-02-30", "2026-03-01", "“2026-02-30” is no date"),
        ("", "2026-03-01", "Which day is it from?"),
        ("2026-03-01", "", "Which day is it to?"),
        ("2026-03-05", "2026-03-01", "The first day is after the last one."),
        ("2026-03-21", "2026-03-22", "These days have not come yet."),
        ("2023-01-01", "2026-03-01", "two years at most"),
        ("0001-01-01", "0001-01-02", "There is nothing before 2000."),
        ("2026-03-01", "9999-12-31", "two years at most"),
        ("<script>", "2026-03-01", "“&lt;script&gt;” is no date"),
    ],
)
def test_wrong_dates_get_a_sentence_and_stay(since, until, sentence, admin_client):
    shown = get(admin_client, f"?since={since}&until={until}")
    assert sentence in shown
    assert "these are the last 30 days" in shown
    for typed in filter(None, (since.replace("<", "&lt;").replace(">", "&gt;"), until)):
        assert f'value="{typed}"' in shown


def test_without_reports_it_says_what_to_do(admin_client):
    shown = get(admin_client)
    assert "No defect has been reported yet." in shown
    assert "Nothing in this period." in shown
    assert "/simulator/" in shown


def test_a_long_period_goes_by_weeks_and_loses_nothing(factory, admin_user):
    page = page_for(admin_user, Period(date(2025, 11, 1), date(2026, 3, 20)))
    trend = page.charts["trend"]
    assert trend.title == "Reported and closed each week"
    assert sum(row.cells[0].value for row in trend.rows) == page.shown.reported == 9
    for row in trend.rows:
        for cell in filter(lambda cell: cell.link, row.cells):
            assert rows_behind(cell.link, admin_user) == cell.value
    assert parse_qs(urlsplit(trend.rows[-1].cells[0].link).query) == {}


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (None, "–"),
        (timedelta(seconds=20), "0 minutes"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=59, seconds=50), "1 hour"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(hours=5.52), "5.5 hours"),
        (timedelta(days=2), "2 days"),
        (timedelta(days=10.54), "10.5 days"),
    ],
)
def test_times_in_words(span, words):
    assert in_words(span) == words
