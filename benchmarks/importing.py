"""How long does it take to import very many orders, and in how much memory?

    python -m benchmarks.importing [--rows 100000] [--keep FOLDER] [--write]

Makes a test database beside that of DATABASE_URL, as the tests do, and removes it again. Imports
the orders of a CSV and of an XLSX file with `manage.py import_orders`, in a process each: as new
ones, a second time, which changes nothing, and with another quantity in each row. Then as many
production runs for them. Prints the seconds it took and the most memory that it had (VmHWM). Exits
with 1 when that is too much.
"""

import argparse
import csv
import sys
import tempfile
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

from benchmarks.database import its_name, test_database  # isort: skip  Sets Django up.

import xlsxwriter
from django.db import connection

from benchmarks import page
from benchmarks.servers import MB, managed
from orders.models import Customer, Line, Order, ProductionRun

CUSTOMERS = 2000
MOST_SECONDS = 60
MOST_MEMORY = 300
"""In MB."""
ORDERS = [
    "Order no.",
    "Customer",
    "Customer no.",
    "PO number",
    "Product",
    "Qty",
    "Delivery date",
    "Status",
    "Remarks",
]
RUNS = ["Run", "Order", "Machine", "Product", "Start", "End", "Planned", "Produced", "Status"]
STATUSES = ["received", "Planned", "in production", "On hold"]
FIRST_DAY = date(2026, 1, 5)


def orders(rows: int) -> Iterator[list]:
    for n in range(rows):
        customer = n % CUSTOMERS
        due = FIRST_DAY + timedelta(days=n % 360)
        yield [
            f"ORD-{n:07}",
            f"Customer {customer} Ltd",
            f"K-{customer}",
            f"PO {n * 7 % 1000003}",
            f"Housing cover no. {n % 3000}, anodised",
            f"{1 + n % 9}.{n % 1000:03}" if n % 3 else 1 + n % 990,
            f"{due:%d.%m.%Y}" if n % 2 else due,
            STATUSES[n % 4],
            f"Please ring before delivery, gate {n % 40}." if n % 5 == 0 else "",
        ]


def runs(rows: int) -> Iterator[list]:
    for n in range(rows):
        begins = datetime(2026, 1, 5, 6) + timedelta(hours=8 * (n // 10))  # noqa: DTZ001
        yield [
            f"R-{n:07}",
            f"ORD-{n:07}",
            f"Line {n % 10}",
            f"Housing cover no. {n % 3000}, anodised",
            begins,
            begins + timedelta(hours=8),
            500,
            n % 400 if n % 2 else 0,
            "planned" if n % 3 else "running",
        ]


def write_csv(place: Path, title: list[str], rows: Iterator[list]) -> None:
    with place.open("w", newline="", encoding="cp1252") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(title)
        writer.writerows(rows)


def write_xlsx(place: Path, title: list[str], rows: Iterator[list]) -> None:
    book = xlsxwriter.Workbook(place, {"default_date_format": "dd.mm.yyyy hh:mm"})
    sheet = book.add_worksheet()
    for number, row in enumerate([title, *rows]):
        sheet.write_row(number, 0, row)
    book.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--keep", type=Path, help="a folder for the files; else they are removed")
    page.may_write(parser)
    options = parser.parse_args()
    too_much: list[str] = []
    rows: list[list[str]] = []

    def measure(what: str, place: Path, expected: str) -> None:
        used = managed("import_orders", str(place), "--what", what)
        size = place.stat().st_size / MB
        print(
            f"{name}: {options.rows:,} {what} from {place.name} ({size:.0f} MB): "
            f"{used.seconds:.0f} s ({used.cpu:.0f} s of the processor), {used.memory:.0f} MB. "
            f"{used.said}",
            flush=True,
        )
        rows.append(
            [
                f"{what}, {expected}",
                f"{place.suffix[1:]}, {size:.0f} MB",
                f"{used.seconds:.0f}",
                f"{used.cpu:.0f}",
                f"{used.memory:.0f}",
            ]
        )
        if f"{options.rows:,} {expected}" not in used.said:
            too_much.append(f"{place.name} was to be {expected}")
        if used.seconds > MOST_SECONDS or used.memory > MOST_MEMORY:
            too_much.append(f"{place.name} took {used.seconds:.0f} s and {used.memory:.0f} MB")

    with test_database():
        name = its_name()
        Customer.objects.bulk_create(
            Customer(name=f"Customer {n} Ltd", reference=f"K-{n}") for n in range(CUSTOMERS)
        )
        Line.objects.bulk_create(Line(name=f"Line {n}") for n in range(10))
        connection.close()
        with tempfile.TemporaryDirectory() as temporary:
            folder = options.keep or Path(temporary)
            for kind, write in (("csv", write_csv), ("xlsx", write_xlsx)):
                place = folder / f"orders.{kind}"
                write(place, ORDERS, orders(options.rows))
                measure("orders", place, "new")
                measure("orders", place, "unchanged")
                place = folder / f"orders-changed.{kind}"
                write(
                    place, ORDERS, ([*row[:5], 123_456, *row[6:]] for row in orders(options.rows))
                )
                measure("orders", place, "changed")
                place = folder / f"runs.{kind}"
                write(place, RUNS, runs(options.rows))
                measure("runs", place, "new")
                measure("runs", place, "unchanged")
                ProductionRun.objects.all()._raw_delete(connection.alias)
                Order.objects.all()._raw_delete(connection.alias)
                connection.close()
    if options.write:
        page.write(
            "importing",
            f"{page.measured_on(name)}: {options.rows:,} rows a file; at most {MOST_SECONDS} s and "
            f"{MOST_MEMORY} MB.",
            page.table(
                ["rows", "file", "seconds", "of the import's processor", "MB of memory"], rows
            ),
        )
    if too_much:
        sys.exit("WRONG: " + "; ".join(too_much))


if __name__ == "__main__":
    main()
