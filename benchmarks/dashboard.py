"""How long does the dashboard take with a million reports and a million messages?

    python -m benchmarks.dashboard [--reports 1000000] [--messages 1000000]

Makes a test database beside that of DATABASE_URL, as the tests do, and removes it again. The rows
are spread over two years. Prints for the last 30, 90 and 365 days what the server takes for the
page, nothing kept from before, and the slowest statements. Exits with 1 when a page takes two
seconds or more.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings_test")

import django

django.setup()

from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.db.models import DateTimeField, Model
from django.test import Client
from django.test.utils import CaptureQueriesContext, setup_test_environment
from django.utils import timezone

from defects.models import DefectCategory, DefectReport, Severity, Status
from orders.models import Line, Shift
from whatsapp_bot.delivery import Status as Delivery
from whatsapp_bot.models import Contact, Message

BATCH = 10_000
COPIES = 50
OVER = timedelta(days=2 * 365)
LIMIT = 2.0
DAYS = (30, 90, 365)
TIMES = 3
chance = Random(1)  # noqa: S311


def reports(count: int) -> Iterable[DefectReport]:
    """Evenly over time; the last of them are open."""
    categories = [DefectCategory.objects.create(name=f"Category {n}").pk for n in range(12)]
    lines = [Line.objects.create(name=f"Line {n}").pk for n in range(8)]
    for name, hour in (("Early", 6), ("Late", 14), ("Night", 22)):
        Shift.objects.create(name=name, begins=f"{hour:02}:00", ends=f"{(hour + 8) % 24:02}:00")
    now, contact = timezone.now(), Contact.objects.get()
    for n in range(count):
        made = now - OVER * (1 - n / count)
        yield DefectReport(
            number=f"DEF-{n}",
            reported_by=contact,
            description="A deep scratch on the front of the housing, about 5 cm long",
            answers=[{"name": "description", "question": "Describe it", "answer": "A scratch"}],
            created_at=made,
            category_id=chance.choice([None, *categories]),
            line_id=chance.choice([None, *lines]),
            severity=chance.choice(Severity.values),
            nonconforming=chance.randrange(50),
            **_review(made, now),
        )


def _review(made: datetime, now: datetime) -> dict[str, object]:
    seen = made + timedelta(hours=chance.lognormvariate(1, 1))
    decided = seen + timedelta(hours=chance.lognormvariate(3, 1))
    closed = decided + timedelta(hours=chance.lognormvariate(4, 1))
    if seen > now:
        return {"urgency": 1}
    if chance.random() < 0.05:
        return {"status": Status.UNFOUNDED, "acknowledged_at": seen, "urgency": 3}
    if decided > now:
        return {"status": Status.ACKNOWLEDGED, "acknowledged_at": seen, "urgency": 2}
    done = {"acknowledged_at": seen, "decided_at": decided}
    if closed > now:
        return {**done, "status": Status.DECIDED, "urgency": 2}
    return {**done, "status": Status.CLOSED, "closed_at": closed, "urgency": 3}


def messages(count: int) -> Iterable[Message]:
    now, contact = timezone.now(), Contact.objects.get()
    for n in range(count):
        is_out, failed = n % 2, n % 100 == 1
        yield Message(
            contact=contact,
            direction=Message.Direction.OUT if is_out else Message.Direction.IN,
            sid=f"SM{n:032}",
            body="The seal leaks at the lower edge, since this morning",
            status=Delivery.FAILED if failed else Delivery.READ if is_out else Delivery.RECEIVED,
            error_code=chance.choice([63016, 63024]) if failed else None,
            price=None if failed else Decimal("-0.005"),
            price_unit="" if failed else "USD",
            created_at=now - OVER * (1 - n / count),
        )


def fill(model: type[Model], make: Callable[[int], Iterable[Model]], count: int) -> None:
    """On PostgreSQL it makes one row in COPIES itself; the others are like it, a little later."""
    copies = COPIES if connection.vendor == "postgresql" else 1
    model.objects.bulk_create(make(count // copies), batch_size=BATCH)
    if copies > 1:
        multiply(model, copies, OVER * copies / count)


def multiply(model: type[Model], copies: int, apart: timedelta) -> None:
    """Copy all rows, evenly over the time between one and the next."""
    later = f"INTERVAL '{apart.total_seconds() / copies} seconds' * copy"
    unlike = {"number": "number || '-' || copy", "sid": "'SM' || md5(sid || copy)"}
    columns = [one for one in model._meta.concrete_fields if not one.primary_key]
    names = ", ".join(f'"{one.column}"' for one in columns)
    values = ", ".join(
        f'"{one.column}" + {later}'
        if isinstance(one, DateTimeField)
        else unlike.get(one.column, f'"{one.column}"')
        for one in columns
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {model._meta.db_table} ({names}) SELECT {values} "  # noqa: S608
            f"FROM {model._meta.db_table}, generate_series(1, {copies - 1}) AS copy "
            "ORDER BY created_at, copy"
        )


def measure(client: Client) -> bool:
    """Print the times of each range; is each of them short enough?"""
    slowest: dict[str, float] = {}
    is_fast = True
    for days in DAYS:
        since = timezone.localdate() - timedelta(days=days - 1)
        path = f"/admin/?since={since}&until={timezone.localdate()}"
        taken = [_timed(lambda path=path: client.get(path)) for _ in range(TIMES)]
        cache.clear()
        with CaptureQueriesContext(connection) as statements:
            client.get(path)
        is_fast = is_fast and max(taken) < LIMIT
        each = ", ".join(f"{one:.2f}" for one in taken)
        print(f"{connection.vendor}: {days} days: {each} s, {len(statements)} statements")
        for one in statements.captured_queries:
            slowest[f"{days} days: {one['sql']}"] = float(one["time"])
    for sql in sorted(slowest, key=slowest.__getitem__, reverse=True)[:8]:
        print(f"  {slowest[sql]:.3f} s  {sql[:300]}")
    return is_fast


def _timed(ask: Callable[[], object]) -> float:
    cache.clear()
    began = time.perf_counter()
    answer = ask()
    took = time.perf_counter() - began
    assert answer.status_code == 200, answer  # noqa: S101
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reports", type=int, default=1_000_000)
    parser.add_argument("--messages", type=int, default=1_000_000)
    options = parser.parse_args()
    setup_test_environment()
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        Contact.objects.create(phone="+27820000001")
        fill(DefectReport, reports, options.reports)
        fill(Message, messages, options.messages)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
        client = Client()
        client.force_login(User.objects.create_superuser("manager"))
        is_fast = measure(client)
    finally:
        connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)
    if not is_fast:
        sys.exit(f"SLOW: a page took {LIMIT:g} s or more")


if __name__ == "__main__":
    main()
