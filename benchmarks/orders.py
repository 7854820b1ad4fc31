"""How long does the database take for orders, with a million of them and two million runs?

    python -m benchmarks.orders [--orders 1000000] [--runs 2000000] [--write]

For PostgreSQL. Makes a test database beside that of DATABASE_URL, as the tests do, and removes it
again. Orders are of a thousand customers, and runs on a hundred lines, evenly over fourteen years
up to two months ahead. Prints for each question what the database takes for its statements:
planning and execution, the slowest of several times, as EXPLAIN ANALYZE has it, and the plans.
Exits with 1 when one takes ten milliseconds or more.
"""

import argparse
import re
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta

from benchmarks.database import its_name, test_database  # isort: skip  Sets Django up.

from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from benchmarks import page
from orders.models import Customer, CustomerLink, Line, Order, ProductionRun, Shift
from whatsapp_bot.models import Contact
from whatsapp_bot.models.contact import Role

LIMIT_MS = 10.0
TIMES = 5
TIME = re.compile(r"(?:Planning|Execution) Time: ([\d.]+)")
A_PAGE = 100
CUSTOMERS, LINES = 1000, 100
PAST, AHEAD = timedelta(days=14 * 365), timedelta(days=60)

Questions = dict[str, Callable[[], object]]
"""By what is asked."""


def fill(orders: int, runs: int) -> None:
    Customer.objects.bulk_create(
        Customer(name=f"Customer {n}", reference=f"K-{n}") for n in range(CUSTOMERS)
    )
    Line.objects.bulk_create(Line(name=f"Line {n}") for n in range(LINES))
    for name, hour in (("Early", 6), ("Late", 14), ("Night", 22)):
        Shift.objects.create(name=name, begins=f"{hour:02}:00", ends=f"{(hour + 8) % 24:02}:00")
    customer, line = (model.objects.earliest("pk").pk for model in (Customer, Line))
    begins = timezone.now() - PAST
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orders_order (number, key, customer_id, customer_reference, product, "
            "quantity, due_date, status, notes, created_at, updated_at) "
            "SELECT 'ORD-' || n, 'ORD' || n, %(customer)s + n %% %(customers)s, 'PO-' || n, "
            "'Steel bracket ' || n %% 50, 500, made::date + 30, "
            "CASE WHEN n %% 50 = 0 THEN 'cancelled' WHEN made < now() - INTERVAL '60 days' "
            "THEN 'delivered' ELSE 'in_production' END, '', made, made "
            "FROM (SELECT n, %(begins)s::timestamptz + n * %(step)s * INTERVAL '1 second' "
            "AS made FROM generate_series(0, %(orders)s - 1) AS n) AS these",
            {
                "customer": customer,
                "customers": CUSTOMERS,
                "begins": begins,
                "step": PAST.total_seconds() / orders,
                "orders": orders,
            },
        )
        first = Order.objects.earliest("pk").pk
        cursor.execute(
            "INSERT INTO orders_productionrun (reference, key, order_id, line_id, product, begins, "
            "ends, quantity, made, scrapped, status, created_at, updated_at) "
            "SELECT 'MO-' || n, 'MO' || n, %(first)s + n * %(orders)s::bigint / %(runs)s, "
            "%(line)s + n %% %(lines)s, 'Steel bracket ' || n %% 50, starts, "
            "starts + INTERVAL '8 hours', 250, CASE WHEN starts < now() THEN 250 ELSE 0 END, 3, "
            "CASE WHEN starts < now() THEN 'finished' ELSE 'planned' END, starts, starts "
            "FROM (SELECT n, %(begins)s::timestamptz + n * %(step)s * INTERVAL '1 second' "
            "AS starts FROM generate_series(0, %(runs)s - 1) AS n) AS these",
            {
                "first": first,
                "orders": orders,
                "line": line,
                "lines": LINES,
                "begins": begins,
                "step": (PAST + AHEAD).total_seconds() / runs,
                "runs": runs,
            },
        )
        cursor.execute("VACUUM ANALYZE")


def people() -> tuple[Contact, Contact]:
    """A worker, and a buyer of one of the customers."""
    worker = Contact.objects.create(phone="+27820000001", role=Role.WORKER)
    buyer = Contact.objects.create(phone="+27820000002")
    CustomerLink.objects.create(contact=buyer, customer=Customer.objects.all()[7])
    return worker, buyer


def questions() -> Questions:
    worker, buyer = people()
    theirs = Order.objects.filter(customer=Customer.objects.all()[7]).latest("pk")
    today = timezone.localdate()
    line, shift = Line.objects.all()[7], Shift.objects.get(name="Late")
    on_line = ProductionRun.objects.filter(line=line).select_related("line")
    since = {"updated_at__gte": Order.objects.order_by("-pk")[A_PAGE * 20].updated_at}
    runs = ProductionRun.objects.select_related("line")

    def looked_up(contact: Contact, number: str) -> object:
        return Order.objects.visible_to(contact).named_in(number).with_progress().first()

    def alike(contact: Contact, number: str) -> object:
        return Order.objects.visible_to(contact).meant_by(number)

    def open_page(contact: Contact, first: int) -> object:
        return list(Order.objects.open_of(contact)[first : first + 9])

    def page(queryset: QuerySet) -> object:
        return list(queryset.order_by("updated_at", "pk")[:A_PAGE])

    return {
        "an order, asked for by a worker": lambda: looked_up(worker, theirs.number.lower()),
        "an order, asked for by its customer": lambda: looked_up(buyer, theirs.number),
        "an order, asked for by its last digits": lambda: alike(worker, theirs.number[-4:]),
        "the same by its customer": lambda: alike(buyer, theirs.number[-4:]),
        "an order of somebody else": lambda: looked_up(buyer, "ORD-1"),
        "a link that is wrong": lambda: CustomerLink.objects.by_knowledge(worker, "ORD-1", "K-9"),
        "a customer's open orders": lambda: open_page(buyer, 0),
        "their second page": lambda: open_page(buyer, 8),
        "today on all lines": lambda: list(runs.between(today, today)),
        "a shift of today on all lines": lambda: list(runs.during(*shift.hours(today))),
        "a line's next 7 days": lambda: list(on_line.between(today, today + timedelta(days=6))),
        "a shift of a line": lambda: list(on_line.during(*shift.hours(today))),
        "a customer's runs of today": lambda: list(runs.visible_to(buyer).between(today, today)),
        "a page of what changed, orders": lambda: page(
            Order.objects.filter(**since).select_related("customer").with_progress()
        ),
        "a page of what changed, runs": lambda: page(ProductionRun.objects.filter(**since)),
        "the first page of all orders": lambda: page(Order.objects.with_progress()),
    }


def measured(statements: list[str]) -> tuple[float, list[str]]:
    """What the statements take together, in milliseconds, and their plans."""
    took, plans = 0.0, []
    for sql in statements:
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN (ANALYZE, BUFFERS) " + sql.replace("%", "%%"), [])
            plan = [row[0] for row in cursor.fetchall()]
        took += sum(float(ms) for ms in TIME.findall("\n".join(plan)))
        plans += plan
    return took, plans


def measure(of: Questions, *, plans: bool) -> Iterator[tuple[str, int, float]]:
    """Print what each takes; the question, its statements and how many ms they take."""
    for title, ask in of.items():
        with CaptureQueriesContext(connection) as captured:
            ask()
        statements = [one["sql"] for one in captured.captured_queries]
        tries = [measured(statements) for _ in range(TIMES)]
        slowest, plan = max(tries, key=lambda one: one[0])
        print(f"{slowest:7.2f} ms  {len(statements)} statements  {title}")
        if plans or slowest >= LIMIT_MS:
            print("\n".join(f"             {line}" for line in plan))
        yield title, len(statements), slowest


def parser(about: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=2_000_000)
    page.may_write(parser)
    return parser


def measure_at(
    options: argparse.Namespace, asked: Callable[[], Questions], part: str, *, plans: bool
) -> None:
    """With so many orders and runs; exits with 1 when something takes too long."""
    if connection.vendor != "postgresql":
        sys.exit("This measures PostgreSQL: set DATABASE_URL or TEST_DATABASE_URL.")
    with test_database():
        name = its_name()
        fill(options.orders, options.runs)
        took = list(measure(asked(), plans=plans))
    if options.write:
        page.write(
            part,
            f"{page.measured_on(name)}: {options.orders:,} orders and {options.runs:,} runs; the "
            f"slowest of {TIMES} times.",
            page.table(
                ["question", "statements", "ms"],
                ([title, str(statements), f"{ms:.2f}"] for title, statements, ms in took),
            ),
        )
    if any(ms >= LIMIT_MS for *_, ms in took):
        sys.exit(f"SLOW: something took {LIMIT_MS:g} ms or more")


if __name__ == "__main__":
    measure_at(parser(__doc__).parse_args(), questions, "orders", plans=True)
