import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from orders.importing.judging import JUDGES, Judge, Kind
from orders.importing.preview import Preview
from orders.importing.sheet import Choices, Sheet
from orders.importing.tables import Unreadable, open_table
from orders.importing.values import EMPTY, quoted
from orders.importing.work import Changed, Locked, save, try_out
from orders.models import Import
from whatsapp_bot.locked import LOCKED

SHOWN = 20


class Command(BaseCommand):
    help = (
        "Imports orders, or production runs, from a CSV or XLSX file. Exits with 1, and imports "
        "nothing, when rows are wrong."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="say what it would do")
        parser.add_argument("--what", choices=Import.What.values, default=Import.What.ORDERS)
        parser.add_argument("--sheet", default="", help="of an XLSX file; else the first one")
        parser.add_argument("--header", type=int, help="the number of the row with the headings")
        parser.add_argument(
            "--dates", choices=["day", "month"], help="what 03/04/2026 begins with, if unclear"
        )
        parser.add_argument(
            "--numbers", choices=["thousands", "decimals"], help="what 1,000 is, if unclear"
        )
        parser.add_argument(
            "--make-customers", action="store_true", help="make those that are not known"
        )
        parser.add_argument("--leave-wrong", action="store_true", help="import the right rows")

    def handle(self, *, file: Path, what: str, dry_run: bool, **options: Any) -> None:
        judge = JUDGES[what](self._choices(what, **options))
        try:
            with file.open("rb") as opened:
                size = file.stat().st_size
                table = open_table(opened, file.name, size)
                table.load()
                _check_sheet(options["sheet"], table.sheets)
                with Sheet(table, judge.columns, judge.choices, self._progress()) as sheet:
                    imported = Import(what=what, name=Import.short_name(file.name), size=size)
                    self._import(imported, sheet, judge, dry_run=dry_run)
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from None
        except Unreadable as unreadable:
            raise CommandError(f"{file}: {unreadable}") from None

    def _choices(self, what: str, **options: Any) -> Choices:
        columns = JUDGES[what].resource_class().columns
        meant = {"day": "dates", "month": "dates", "thousands": "numbers", "decimals": "numbers"}
        meanings = {}
        for name, column in columns.items():
            for choice in column.widget.choices:
                if options.get(meant[choice]) == choice:
                    meanings[name] = choice
        return Choices(
            sheet=options["sheet"],
            header=options["header"],
            meanings=meanings,
            make_customers=options["make_customers"],
            leave_wrong=options["leave_wrong"],
        )

    def _import(self, imported: Import, sheet: Sheet, judge: Judge, *, dry_run: bool) -> None:
        preview = Preview(sheet, judge)
        for _ in try_out(sheet, judge, preview, self._progress()):
            pass
        seen = preview.as_json()
        self._tell(seen, makes=judge.choices.make_customers)
        self._refuse_what_is_open(seen)
        wrong = preview.counts[Kind.WRONG]
        if wrong and (dry_run or not judge.choices.leave_wrong):
            raise CommandError(f"{_rows(wrong)} wrong. Nothing was imported.")
        if dry_run:
            self.stdout.write("Nothing was imported: it was a dry run.")
            return
        try:
            with transaction.atomic():
                imported.status = Import.Status.RUNNING
                imported.save()
                save(imported, sheet, judge, seen)
        except Changed:
            raise CommandError("Something changed meanwhile. Please try again.") from None
        except Locked:
            raise CommandError(f"{LOCKED} Please try again.") from None
        self.stdout.write(
            f"Imported: {imported.new:,} new, {imported.changed:,} changed, "
            f"{imported.unchanged:,} unchanged, {imported.wrong:,} left out."
        )

    def _tell(self, seen: dict[str, Any], *, makes: bool) -> None:
        counts = seen["counts"]
        told = ", ".join(f"{counts.get(kind, 0):,} {kind.value}" for kind in Kind)
        self.stdout.write(f"Headings in row {seen['header']}. {told}.")
        unused = [quoted(one["heading"]) for one in seen["columns"] if not one["name"]]
        if unused:
            columns, are = ("column", "is") if len(unused) == 1 else ("columns", "are")
            self.stdout.write(f"The {columns} {', '.join(unused)} {are} left out.")
        if seen["cut"]:
            self.stdout.write(seen["cut"])
        for name, count in seen.get("unknown", [])[:SHOWN]:
            self.stdout.write(f"Customer not known: {name} ({count:,})")
        for row in seen["rows"][Kind.CHANGED][:SHOWN]:
            changes = "; ".join(
                f"{title}: {before or EMPTY} → {after or EMPTY}"
                for title, before, after in row["changes"]
            )
            self.stdout.write(f"Row {row['row']}, {row['name']}: {changes}")
        for row in seen["rows"][Kind.WRONG]:
            for heading, _, why in row["faults"]:
                self.stderr.write(f"Row {row['row']}, {heading}: {why}")
        if seen.get("unknown") and not makes:
            self.stderr.write("--make-customers makes the customers that are not known.")
        more = counts.get(Kind.WRONG, 0) - len(seen["rows"][Kind.WRONG])
        if more > 0:
            self.stderr.write(f"{_rows(more)} wrong as well.")

    def _refuse_what_is_open(self, seen: dict[str, Any]) -> None:
        for question in seen["questions"]:
            options = {"day": "--dates", "thousands": "--numbers"}[question["choices"][0][0]]
            said = ", ".join(f"{key} ({label})" for key, label in question["choices"])
            raise CommandError(f"{question['heading']}: please say with {options} one of {said}.")
        if not seen["counts"]:
            sheets = seen["sheets"]
            other = f", or with --sheet which of {', '.join(sheets)}" if len(sheets) > 1 else ""
            which = f"Please say with --header which row has them{other}."
            raise CommandError(f"{_why_none(seen)} {which}")

    def _progress(self) -> Any:
        """Says on standard error how far it is, each ten seconds."""
        told = time.monotonic()

        def tell(done: int, total: int) -> None:
            nonlocal told
            if time.monotonic() > told + 10:
                told = time.monotonic()
                self.stderr.write(f"{done:,} of {total:,}" if total else f"{done:,} rows read")

        return tell


def _check_sheet(wanted: str, sheets: list[str]) -> None:
    """Raises CommandError: else another sheet than was meant would be imported."""
    if not wanted or wanted in sheets:
        return
    there_are = f"There are: {', '.join(sheets)}." if sheets else "A CSV file has none."
    raise CommandError(f"There is no sheet {quoted(wanted)}. {there_are}")


def _why_none(seen: dict[str, Any]) -> str:
    """Why no row was looked at."""
    if not any(one["name"] for one in seen["columns"]):
        return "The headings were not found."
    if not seen["is_numbered"]:
        return f"No column was found for: {', '.join(seen['missing'])}. Are these the headings?"
    return f"There are no rows below the headings, which are in row {seen['header']}."


def _rows(count: int) -> str:
    return "1 row is" if count == 1 else f"{count:,} rows are"
