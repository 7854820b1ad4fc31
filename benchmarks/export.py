"""How long does it take to export very many reports, and in how much memory?

    python -m benchmarks.export [--reports 1000000] [--keep FOLDER] [--write]

Makes a test database beside that of DATABASE_URL, as the tests do, and removes it again. Exports
all reports as CSV and as XLSX with `manage.py export_defects`, in a process each, and prints the
seconds it took and the most memory that it had (VmHWM). Exits with 1 when that is too much.
"""

import argparse
import random
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from benchmarks.database import its_name, test_database  # isort: skip  Sets Django up.

from django.contrib.auth import get_user_model
from django.db import connection
from django.utils import timezone

from benchmarks import page
from benchmarks.servers import MB, managed
from defects.models import DefectCategory, DefectReport, ReportForm, Severity, Status
from orders.models import Line
from whatsapp_bot.models import Contact

BATCH = 10_000
COPIED_ANEW = ("id", "number")
MOST_MEMORY = {"csv": 200, "xlsx": 300}
"""In MB."""
WORDS = ["deep", "scratch", "on", "the", "front", "of", "housing", "cover", "oil", "leaks", "hole"]


def fill(reports: int) -> None:
    """Reports with all that a report may have: some thousand, and copies of them."""
    first = min(reports, BATCH)
    make(first)
    columns = [f.column for f in DefectReport._meta.concrete_fields if f.column not in COPIED_ANEW]
    names = ", ".join(columns)
    with connection.cursor() as cursor:
        for copy in range(1, -(-reports // first)):
            cursor.execute(
                f"INSERT INTO defects_defectreport (number, {names}) "  # noqa: S608
                f"SELECT substr(number, 1, 18) || '-' || %s, {names} FROM defects_defectreport "
                "ORDER BY id LIMIT %s",
                [str(copy), min(first, reports - copy * first)],
            )
        cursor.execute(
            "INSERT INTO defects_disposition (report_id, kind, quantity, reason) "
            "SELECT id, 'scrap', 3, '' FROM defects_defectreport WHERE id %% 2 = 0",
            [],
        )
        cursor.execute("ANALYZE")


def make(reports: int) -> None:
    chance = random.Random(7)  # noqa: S311
    people = Contact.objects.bulk_create(
        Contact(phone=f"+2783{n:08}", name=f"Person {n}") for n in range(1000)
    )
    lines = Line.objects.bulk_create(Line(name=f"Line {n}") for n in range(10))
    categories = DefectCategory.objects.bulk_create(
        DefectCategory(name=f"Category {n}") for n in range(10)
    )
    form = ReportForm.objects.get(key="defect")
    name = form.questions.first().name
    staff = get_user_model().objects.create(username="staff")
    now, batch = timezone.now(), []
    for n in range(reports):
        text = " ".join(chance.choices(WORDS, k=14))
        at = now - timedelta(minutes=reports - n)
        made = DefectReport(
            number=f"DEF-{n:014}",
            reported_by=people[n % 1000],
            form=form,
            description=text,
            answers=[{"name": name, "question": "What is wrong?", "answer": text}],
            line=lines[n % 10],
            category=categories[n % 7],
            severity=Severity.values[n % 3],
            status=Status.values[n % 7],
            part=f"P-{n % 1000}",
            lot=f"L-{n % 100}",
            inspected=100,
            nonconforming=n % 20,
            containment="Stopped the line and put the parts aside",
            cause="The tool was worn",
            assignee=staff,
            due_on=at.date(),
            acknowledged_at=at,
            decided_at=at,
            decided_by=staff,
            closed_at=at if n % 7 == 4 else None,
            created_at=at,
        )
        batch.append(made)
    DefectReport.objects.bulk_create(batch, batch_size=1000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reports", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, help="a folder for the files; else they are removed")
    page.may_write(parser)
    options = parser.parse_args()
    too_much, rows = [], []
    with test_database():
        name = its_name()
        fill(options.reports)
        connection.close()
        with tempfile.TemporaryDirectory() as folder:
            for kind, limit in MOST_MEMORY.items():
                place = (options.keep or Path(folder)) / f"defects.{kind}"
                used = managed("export_defects", "--format", kind, "--out", str(place), "--force")
                size = place.stat().st_size / MB
                print(
                    f"{name}: {options.reports:,} reports as {kind}: {used.seconds:.0f} s, "
                    f"{used.memory:.0f} MB of memory, file of {size:.0f} MB",
                    flush=True,
                )
                rows.append(
                    [kind, f"{used.seconds:.0f}", f"{used.memory:.0f}", str(limit), f"{size:.0f}"]
                )
                if used.memory > limit:
                    too_much.append(f"{kind} took {used.memory:.0f} MB, more than {limit}")
    if options.write:
        page.write(
            "export",
            f"{page.measured_on(name)}: {options.reports:,} reports.",
            page.table(["file", "seconds", "MB of memory", "at most", "MB of the file"], rows),
        )
    if too_much:
        sys.exit("WRONG: " + "; ".join(too_much))


if __name__ == "__main__":
    main()
