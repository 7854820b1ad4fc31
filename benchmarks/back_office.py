"""How long does the back office take with a million reports, and all that comes with them?

    python -m benchmarks.back_office [--reports 1000000] [--only WORDS] [--plans] [--write]

Makes a test database beside that of DATABASE_URL, as the tests do, fills it and removes it again.
Opens each page several times as somebody who may do everything, and prints what the server takes
for it: the median, the longest, the statements, and a verdict. With --plans it also prints, of what
takes more than half of its limit, the slowest statement and how PostgreSQL goes about it. Exits
with 1 when the median of a page is over its limit.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from benchmarks.database import its_name, test_database  # isort: skip  Sets Django up.

from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from benchmarks.page import may_write, measured_on, table, write
from benchmarks.past import Past
from defects.models import DefectCategory, DefectReport
from orders.models import Line
from whatsapp_bot.admin.long_list import MOST_LISTED
from whatsapp_bot.models import Contact

TIMES = 5
LIST_LIMIT, DASHBOARD_LIMIT = 1.0, 2.0
"""In seconds."""
REPORTS = "/admin/defects/defectreport/"


@dataclass(frozen=True, slots=True)
class Opened:
    """A page, and how long it may take."""

    name: str
    path: str
    limit: float = LIST_LIMIT


def pages(me: User) -> dict[str, Iterator[Opened]]:
    """In groups."""
    return {
        "reports, all and by tab": _tabs(),
        "reports, filtered": _filters(me),
        "reports, ordered by a column": _orders(),
        "reports, searched": _searches(),
        "other lists, all and searched; one report, one contact": _other_lists(),
        "the dashboard": _dashboards(),
    }


def _reports(name: str, **query: object) -> Opened:
    return Opened(f"reports: {name}", f"{REPORTS}?{urlencode(query)}")


def _tabs() -> Iterator[Opened]:
    yield _reports("all")
    yield _reports("open", at_work="open")
    yield _reports("my open", at_work="mine")
    yield _reports("unacknowledged", status__exact="reported")
    yield _reports("critical", at_work="open", severity__exact="critical")
    last = -(-min(DefectReport.objects.count(), MOST_LISTED) // 50)
    yield _reports("second page", p=2)
    yield _reports("page in the middle", p=last // 2)
    yield _reports("last page", p=last)


def _filters(me: User) -> Iterator[Opened]:
    today = timezone.localdate()
    category, line = DefectCategory.objects.first(), Line.objects.first()
    yield _reports("closed", status__exact="closed")
    yield _reports("unfounded", status__exact="unfounded")
    yield _reports("minor", severity__exact="minor")
    yield _reports("of a category", category__id__exact=category.pk)
    yield _reports("of a form", form__id__exact=DefectReport.objects.first().form_id)
    yield _reports("of an assignee", assignee__id__exact=me.pk)
    yield _reports("of a line", line__id__exact=line.pk)
    for days, name in ((0, "today"), (30, "a month"), (365, "a year")):
        dates = {"created_at_from": today - timedelta(days=days), "created_at_to": today}
        yield _reports(f"reported within {name}", **dates)
    yield _reports("with a photo", photo="yes")
    yield _reports("without a photo", photo="no")
    yield _reports("without a photo, critical", photo="no", severity__exact="critical")
    both = {"category__id__exact": category.pk, "line__id__exact": line.pk}
    yield _reports("of a category and a line, minor", **both, severity__exact="minor")
    yield _reports(
        "behind the dashboard: closed this year", closed_at__date__gte=f"{today:%Y}-01-01"
    )
    yield _reports("behind the dashboard: of a shift", shift=1)


def _orders() -> Iterator[Opened]:
    columns = {
        "number": 1,
        "status": 4,
        "severity": 5,
        "category": 6,
        "reporter": 7,
        "line": 8,
        "assignee": 9,
        "age": 10,
    }
    for name, column in columns.items():
        yield _reports(f"ordered by {name}", o=column)


def _searches() -> Iterator[Opened]:
    newest = DefectReport.objects.order_by("-pk")[100]
    words = {
        "a number": newest.number,
        "a word that most have": "housing",
        "a word that many have": "leak",
        "a word that few have": "porosity",
        "a lot": newest.description.rpartition(" ")[2],
        "a word that none has": "zeppelin",
        "four words": "scratch housing flange mm",
        "a common and an absent word": "housing zeppelin",
        "a first name": "thandi",
        "a reporter": newest.reported_by.name.rpartition(" ")[2],
        "a phone number": newest.reported_by.phone,
        "an order": "AB-001234",
        "the beginning of all orders": "AB-",
        "two words that never come together": "scratch dent",
        "three letters": "oil",
        "two letters": "on",
        "two letters that none has": "qx",
        "one letter": "a",
        "one letter that none has": "ß",
        "a percent sign": "%",
    }
    for name, word in words.items():
        yield _reports(f"search for {name}", q=word)
    yield _reports("search within open ones", q="porosity", at_work="open")
    yield _reports("search within a category", q="leak", category__id__exact=1)
    yield _reports("search, second page", q="housing", p=2)


def _other_lists() -> Iterator[Opened]:
    lists = {
        "contacts": "whatsapp_bot/contact",
        "conversations": "whatsapp_bot/conversation",
        "messages": "whatsapp_bot/message",
        "help requests": "whatsapp_bot/helprequest",
        "files": "whatsapp_bot/media",
        "changes of reports": "defects/change",
        "orders": "orders/order",
    }
    number = DefectReport.objects.order_by("-pk")[100].number
    words = {"messages": ["housing", "porosity", "zeppelin", "thandi", "qx"]}
    words["changes of reports"] = [number, "zeppelin", "engineer3"]
    for name, place in lists.items():
        there = f"/admin/{place}/"
        yield Opened(f"{name}: all", there)
        yield Opened(f"{name}: second page", f"{there}?p=2")
        for word in words.get(name, ["thandi", "1234", "zeppelin"]):
            yield Opened(f"{name}: search for {word}", f"{there}?q={word}")
    messages = "/admin/whatsapp_bot/message/"
    yield Opened("messages: failed", f"{messages}?failed=open")
    yield Opened(
        "messages: of a person", f"{messages}?contact__id__exact={Contact.objects.first().pk}"
    )
    yield Opened("messages: pictures", f"{messages}?kind__exact=image")
    yield Opened("messages: waiting", f"{messages}?status__exact=waiting")
    changes = "/admin/defects/change/"
    yield Opened("changes of reports: through the admin", f"{changes}?door__exact=admin")
    choice = "/admin/autocomplete/?app_label=defects&model_name=defectreport&field_name=order"
    for word in ("", "AB-0012", "Customer 7", "zeppelin"):
        yield Opened(f"choice of an order: {word or 'all'}", f"{choice}&term={word}")
    report = DefectReport.objects.order_by("-pk")[100]
    yield Opened("a report", f"{REPORTS}{report.pk}/change/")
    yield Opened("a contact", f"/admin/whatsapp_bot/contact/{report.reported_by_id}/change/")


def _dashboards() -> Iterator[Opened]:
    today = timezone.localdate()
    for days in (7, 30, 90, 365):
        path = f"/admin/?since={today - timedelta(days=days - 1)}&until={today}"
        yield Opened(f"dashboard: {days} days", path, DASHBOARD_LIMIT)


def measure(client: Client, page: Opened, *, with_plan: bool) -> float:
    """Print what it takes; the median, in seconds."""
    taken = [_seconds(client, page.path) for _ in range(TIMES)]
    with CaptureQueriesContext(connection) as statements:
        _seconds(client, page.path)
    median = statistics.median(taken)
    print(
        f"{'ok  ' if median < page.limit else 'SLOW'} {page.name:45} {median:6.3f} s, "
        f"{min(taken):6.3f} to {max(taken):6.3f} s, {len(statements):3} statements",
        flush=True,
    )
    if with_plan and median > page.limit / 2:
        _explain(max(statements.captured_queries, key=lambda one: float(one["time"])))
    return median


def _seconds(client: Client, path: str) -> float:
    """What the server takes for the page, with nothing kept from before."""
    cache.clear()
    began = time.perf_counter()
    answer = client.get(path)
    took = time.perf_counter() - began
    assert answer.status_code == 200, (path, answer)  # noqa: S101
    return took


def _explain(statement: dict[str, str]) -> None:
    print(f"     {statement['time']} s: {statement['sql'][:2000]}")
    if connection.vendor == "postgresql" and statement["sql"].startswith("SELECT"):
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {statement['sql']}".replace("%", "%%"), [])
            for (line,) in cursor:
                print(f"       {line}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reports", type=int, default=1_000_000)
    parser.add_argument("--only", default="", help="pages with this in their name")
    parser.add_argument("--plans", action="store_true")
    may_write(parser)
    options = parser.parse_args()
    with test_database():
        name, began = its_name(), time.perf_counter()
        Past(options.reports).make()
        print(f"{name}: filled in {time.perf_counter() - began:.0f} s")
        took = measure_all(options.only, with_plan=options.plans)
    if options.write:
        write(
            "back_office",
            f"{measured_on(name)}: {options.reports:,} reports.",
            table(
                ["pages", "how many", f"seconds, medians of {TIMES} times", "the slowest of them"],
                (row(group, medians) for group, medians in took.items() if medians),
            ),
        )
    if any(median >= page.limit for group in took.values() for page, median in group.items()):
        sys.exit("SLOW: the median of a page is over its limit")


def measure_all(only: str, *, with_plan: bool) -> dict[str, dict[Opened, float]]:
    """The median of each page, in groups."""
    me = User.objects.get(username="engineer3")
    me.is_superuser = True
    me.save()
    client = Client()
    client.force_login(me)
    client.get(REPORTS)
    return {
        group: {
            page: measure(client, page, with_plan=with_plan) for page in these if only in page.name
        }
        for group, these in pages(me).items()
    }


def row(group: str, medians: dict[Opened, float]) -> list[str]:
    slowest = max(medians, key=medians.__getitem__)
    seconds = f"{min(medians.values()):.2f} to {medians[slowest]:.2f}"
    return [group, str(len(medians)), seconds, slowest.name]


if __name__ == "__main__":
    main()
