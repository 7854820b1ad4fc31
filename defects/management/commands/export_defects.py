import os
import sys
import tempfile
import time
from argparse import ArgumentParser
from datetime import date, timedelta
from pathlib import Path
from shutil import copyfileobj
from typing import IO, Any
from urllib.parse import urlencode

from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet

from defects.export import Writing, cut_in_words
from defects.exporting import about_of
from defects.models import DefectReport, Export, Status
from orders.models.factory import midnight
from whatsapp_bot.spreadsheets import SHEETS
from whatsapp_bot.wording import span_in_full


class Command(BaseCommand):
    help = "Writes the defect reports of some days to a file for spreadsheets, newest first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", dest="first", type=_day, metavar="YYYY-MM-DD")
        parser.add_argument("--to", dest="last", type=_day, metavar="YYYY-MM-DD", help="included")
        parser.add_argument("--format", choices=SHEETS, default="csv")
        parser.add_argument("--status", action="append", choices=Status.values, default=[])
        parser.add_argument(
            "--out", help="the file, or - for standard output; else one named after the day, here"
        )
        parser.add_argument("--force", action="store_true", help="overwrite a file that is there")

    def handle(self, *, format: str, out: str | None, force: bool, **options: Any) -> None:
        first, last, statuses = options["first"], options["last"], options["status"]
        if first and last and first > last:
            raise CommandError(f"--from {first} is after --to {last}.")
        export = Export(
            query=_as_query(first, last, statuses),
            filters=_in_words(first, last, statuses),
            format=format,
        )
        reports = _reported(first, last).order_by("-pk")
        if statuses:
            reports = reports.filter(status__in=statuses)
        writing = Writing(reports, format, about_of(export))
        if out == "-":
            result = self._write_to_stdout(writing)
        else:
            place = Path(out or export.name)
            result = self._write_to(place, writing, force=force)
            self.stderr.write(f"{place}: {result.rows:,} reports.")
        if result.cut:
            self.stderr.write(cut_in_words(result.cut))
        export.done = export.total = result.rows
        export.cut = result.cut
        export.finish(Export.Status.DONE)

    def _write_to(self, place: Path, writing: Writing, *, force: bool) -> Any:
        """The file is there in full, or as it was before."""
        if place.exists() and not force:
            raise CommandError(f"{place} is there already. To overwrite it: --force")
        beside = place.with_name(f".{place.name}.{os.getpid()}")
        try:
            with beside.open("xb") as file:
                result = writing.write(file, self._progress())
            beside.replace(place)
        except OSError as error:
            raise CommandError(f"{place} cannot be written: {error.strerror}.") from None
        finally:
            beside.unlink(missing_ok=True)
        return result

    def _write_to_stdout(self, writing: Writing) -> Any:
        with tempfile.TemporaryFile() as file:
            result = writing.write(file, self._progress())
            file.seek(0)
            copyfileobj(file, _bytes_of(self.stdout))
        return result

    def _progress(self) -> Any:
        """Says on standard error how far it is: each second on a terminal, else each ten."""
        is_terminal = self.stderr.isatty()
        every = 1 if is_terminal else 10
        told = time.monotonic()

        def tell(done: int, total: int) -> None:
            nonlocal told
            if time.monotonic() < told + every:
                return
            told = time.monotonic()
            ending = "\r" if is_terminal and done < total else "\n"
            self.stderr.write(f"{done:,} of {total:,}", ending=ending)

        return tell


def _bytes_of(stdout: Any) -> IO[bytes]:
    return getattr(getattr(stdout, "_out", sys.stdout), "buffer", sys.stdout.buffer)


def _day(text: str) -> date:
    return date.fromisoformat(text)


_day.__name__ = "day, as in 2026-11-22"


def _reported(first: date | None, last: date | None) -> "QuerySet[DefectReport]":
    """Reports of these days, both included, in the factory's time zone."""
    reports = DefectReport.objects.all()
    if first:
        reports = reports.filter(created_at__gte=midnight(first))
    if last:
        reports = reports.filter(created_at__lt=midnight(last + timedelta(days=1)))
    return reports


def _as_query(first: date | None, last: date | None, statuses: list[str]) -> str:
    """That of the list which shows the same."""
    ends = {"created_at_from": first, "created_at_to": last}
    days = [(name, day.isoformat()) for name, day in ends.items() if day]
    return urlencode([*days, *(("status__exact", status) for status in statuses)])


def _in_words(first: date | None, last: date | None, statuses: list[str]) -> str:
    """As the list of reports says it."""
    chosen = " or ".join(status.label for status in Status if status in statuses)
    said = {"Status": chosen, "Reported at": span_in_full(first, last)}
    return "; ".join(f"{title}: {words}" for title, words in said.items() if words)
