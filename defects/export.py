"""Defect reports as a file for spreadsheets: CSV or XLSX, however many they are.

Which reports, and in which order, is settled at the beginning, by their ids (8 bytes each); the
rows are then read a batch at a time. So the memory it takes does not grow with the reports, no
row comes twice or is left out when others are made meanwhile, and nothing is kept open in the
database for minutes.
"""

import csv
import io
import re
from array import array
from collections import namedtuple
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import IO, Any, Protocol

import xlsxwriter
from django.conf import settings
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from defects.models.forms import FormVersion
from defects.models.report import DefectReport
from defects.models.review import OPEN, Disposition, Severity, Status
from whatsapp_bot.models import Media
from whatsapp_bot.whatsapp_text import clean, length

BATCH = 1000
LONGEST_CELL = 32_767
"""Of a spreadsheet, in UTF-16 code units."""
MOST_ROWS = 1_048_575
"""On a sheet, without its header."""
CUT_MARK = "… [cut]"
_DAY_ZERO, _ONE_DAY = datetime(1899, 12, 30), timedelta(days=1)  # noqa: DTZ001
"""How XLSX counts days: right from 1 March 1900 on, which is soon enough."""

Value = str | int | datetime | date | None
Row = Any
"""A Report."""


@dataclass(frozen=True, slots=True)
class Column:
    """width: of the column on a sheet, in characters."""

    title: str
    value: Callable[[Row], Value]
    width: int = 14


@dataclass(slots=True)
class Result:
    """What is in the file. cut: cells that were longer than a spreadsheet holds."""

    rows: int = 0
    cut: int = 0
    sheets: int = 1


# Which reports ----------------------------------------------------------------------------------


def ids_of(reports: "QuerySet[DefectReport]") -> "array[int]":
    """The ids of the reports, in their order."""
    ids = reports.values_list("pk", flat=True).iterator(chunk_size=10_000)
    return array("q", ids)


FIELDS = [
    "pk",
    "number",
    "created_at",
    "reported_by__name",
    "reported_by__phone",
    "reported_by__user_id",
    "description",
    "form__title",
    "answers",
    "status",
    "severity",
    "category__name",
    "line__name",
    "order__number",
    "part",
    "lot",
    "inspected",
    "nonconforming",
    "containment",
    "cause",
    "assignee__username",
    "due_on",
    "acknowledged_at",
    "decided_at",
    "decided_by__username",
    "closed_at",
    "duplicate_of__number",
]


Report = namedtuple("Report", [*FIELDS, "dispositions", "photos"])  # type: ignore[misc]
"""A row that was read: its fields, what its dispositions say, and how many photos it has."""


def read(ids: "array[int]") -> Iterator[list[Row]]:
    """The reports with these ids, in that order, a batch at a time. What is gone is left out."""
    for first in range(0, len(ids), BATCH):
        batch = list(ids[first : first + BATCH])
        found = DefectReport.objects.filter(pk__in=batch).order_by().values_list(*FIELDS)
        values = {one[0]: one for one in found}
        dispositions, photos = _dispositions(batch), _photos(batch)
        yield [
            Report._make((*values[pk], dispositions.get(pk, []), photos.get(pk, 0)))
            for pk in batch
            if pk in values
        ]


def _dispositions(ids: list[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for one in Disposition.objects.filter(report__in=ids).order_by("pk"):
        why = f" ({one.reason})" if one.reason else ""
        found.setdefault(one.report_id, []).append(f"{one}{why}")
    return found


def _photos(ids: list[int]) -> dict[int, int]:
    is_picture = Q(content_type__startswith="image/") | Q(
        content_type="", said_type__startswith="image/"
    )
    report = "message__attachment__report"
    pictures = Media.objects.filter(is_picture, **{f"{report}__in": ids})
    return dict(pictures.order_by().values_list(report).annotate(Count("pk")))


# The columns ------------------------------------------------------------------------------------


def columns_for(reports: "QuerySet[DefectReport]") -> list[Column]:
    """The columns of a file with these reports; with one form, one for each of its questions."""
    forms = list(reports.order_by().values_list("form", flat=True).distinct()[:2])
    questions = _questions(forms[0]) if len(forms) == 1 and forms[0] else {}
    return [*COLUMNS, *_columns_of_answers(questions)]


def _questions(form: int) -> dict[str, str]:
    """All that a form has ever asked, by name: as its newest version words and orders it."""
    versions = FormVersion.objects.filter(form=form).order_by("-number")
    asked: dict[str, str] = {}
    for stored in versions.values_list("questions", flat=True):
        for question in stored:
            asked.setdefault(question["name"], question["text"])
    return asked


def _columns_of_answers(questions: dict[str, str]) -> list[Column]:
    own = [
        Column(text, lambda row, name=name: _answer(row, name), 24)
        for name, text in questions.items()
    ]
    title = "Other answers" if own else "Answers"
    return [*own, Column(title, lambda row: _answers_but(row, questions), 50)]


def _answer(row: Row, name: str) -> str:
    return next((one["answer"] or "" for one in row.answers or () if one["name"] == name), "")


def _answers_but(row: Row, questions: dict[str, str]) -> str:
    others = (one for one in row.answers or () if one["name"] not in questions)
    return "\n".join(f"{one['question']}: {one['answer'] or '–'}" for one in others)


def _days_open(row: Row) -> int | None:
    """Until it was closed, or until today; None when it came to nothing and nobody noted when."""
    until = row.closed_at or (timezone.now() if row.status in OPEN else None)
    return (until - row.created_at).days if until else None


_STATUS = dict(Status.choices)
_SEVERITY = dict(Severity.choices)

COLUMNS = [
    Column("Number", lambda row: row.number, 22),
    Column("Reported at", lambda row: row.created_at, 17),
    Column("Reporter", lambda row: row.reported_by__name, 20),
    Column("Phone or user id", lambda row: row.reported_by__phone or row.reported_by__user_id, 18),
    Column("Description", lambda row: row.description, 50),
    Column("Form", lambda row: row.form__title, 20),
    Column("Status", lambda row: _STATUS.get(row.status, row.status)),
    Column("Severity", lambda row: _SEVERITY.get(row.severity, row.severity), 10),
    Column("Category", lambda row: row.category__name),
    Column("Line", lambda row: row.line__name),
    Column("Order", lambda row: row.order__number),
    Column("Part", lambda row: row.part),
    Column("Lot", lambda row: row.lot),
    Column("Quantity inspected", lambda row: row.inspected, 10),
    Column("Quantity nonconforming", lambda row: row.nonconforming, 10),
    Column("Dispositions", lambda row: "\n".join(row.dispositions), 24),
    Column("Containment", lambda row: row.containment, 30),
    Column("Cause", lambda row: row.cause, 30),
    Column("Assignee", lambda row: row.assignee__username),
    Column("Due", lambda row: row.due_on, 12),
    Column("Acknowledged at", lambda row: row.acknowledged_at, 17),
    Column("Decided at", lambda row: row.decided_at, 17),
    Column("Decided by", lambda row: row.decided_by__username),
    Column("Closed at", lambda row: row.closed_at, 17),
    Column("Days open", _days_open, 10),
    Column("Duplicate of", lambda row: row.duplicate_of__number, 22),
    Column("Photos", lambda row: row.photos, 8),
]


# What a cell may hold ----------------------------------------------------------------------------

_INVISIBLE = r"\s\ufeff\u00ad\u180e\u2060\u200b-\u200f"
_RISKY = re.compile(rf"[{_INVISIBLE}]*[=+\-@＝＋－＠﹢﹣﹦﹫−]|[\t\r\n]")
_PLAIN_STARTS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?", re.ASCII)


def would_run(text: str) -> bool:
    """Might a spreadsheet take this text for a formula? A plain number has nothing to run."""
    if text[:1] in _PLAIN_STARTS:
        return False
    return bool(_RISKY.match(text)) and not _NUMBER.fullmatch(text)


def harmless(text: str) -> str:
    """`text` so that no spreadsheet that opens it in a CSV file runs it."""
    return f"'{text}" if would_run(text) else text


def cut_to_fit(text: str, limit: int = LONGEST_CELL) -> str:
    """`text` in at most so many UTF-16 code units; what is cut ends with a mark that says so."""
    if len(text) * 2 <= limit or length(text) <= limit:
        return text
    room = limit - len(CUT_MARK)
    start = text.encode("utf-16-le", "surrogatepass")[: room * 2]
    return start.decode("utf-16-le", "ignore") + CUT_MARK


@dataclass(slots=True)
class Cells:
    """Makes values fit for cells, and counts what had to be cut. limit: UTF-16 code units."""

    limit: int = LONGEST_CELL
    cut: int = 0

    def text(self, text: str) -> str:
        # Nearly all of it is plain and short, and a million reports have thirty million cells.
        if text.isascii() and text.isprintable():
            if len(text) <= self.limit:
                return text
        else:
            text = clean(text, len(text))
        short = cut_to_fit(text, self.limit)
        self.cut += short is not text
        return short


# The files ---------------------------------------------------------------------------------------


class Sheet(Protocol):
    """A file that is being written, row after row."""

    def add(self, row: list[Value]) -> None: ...

    def close(self, about: dict[str, str]) -> int:
        """Write what is left, and `about` if there is a place for it; how many sheets it has."""
        ...


class CsvSheet:
    """RFC 4180, in UTF-8 with a mark at the beginning, by which Excel knows that it is UTF-8."""

    def __init__(self, file: IO[bytes], columns: list[Column], cells: Cells) -> None:
        self._file = io.TextIOWrapper(file, "utf-8", newline="", write_through=False)
        self._file.write("\ufeff")
        self._writer = csv.writer(self._file)
        self._zone = timezone.get_current_timezone()
        # A cell must still fit when it has been made harmless.
        self._cells = cells
        cells.limit -= 1
        self.add([column.title for column in columns])

    def add(self, row: list[Value]) -> None:
        self._writer.writerow([self._plain(value) for value in row])

    def _plain(self, value: Value) -> str | int | None:
        if isinstance(value, str):
            return harmless(self._cells.text(value))
        if isinstance(value, datetime):
            return value.astimezone(self._zone).isoformat(" ", "seconds")[:19]
        if isinstance(value, date):
            return value.isoformat()
        return value

    def close(self, about: dict[str, str]) -> int:
        self._file.flush()
        self._file.detach()
        return 1


class XlsxSheet:
    """A workbook with as many sheets as it takes, and one about the file.

    Text is written as text: nothing in it is ever taken for a formula, a number or a link.
    """

    def __init__(
        self, file: IO[bytes], columns: list[Column], cells: Cells, most_rows: int = MOST_ROWS
    ) -> None:
        options = {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "use_zip64": True,
        }
        self._book = xlsxwriter.Workbook(file, options)
        self._bold = self._book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        self._moment = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm", "align": "left"})
        self._day = self._book.add_format({"num_format": "yyyy-mm-dd", "align": "left"})
        # So that it stays text when somebody edits the cell.
        self._quoted = self._book.add_format({"quote_prefix": True})
        self._zone = timezone.get_current_timezone()
        self._columns, self._cells, self._most_rows = columns, cells, most_rows
        self._titles = [cells.text(column.title) for column in columns]
        self._sheets = 0
        self._begin_sheet()

    def add(self, row: list[Value]) -> None:
        if self._filled == self._most_rows:
            self._end_sheet()
            self._begin_sheet()
        self._filled += 1
        for place, value in enumerate(row):
            if value is not None and value != "":
                self._write(self._filled, place, value)

    def close(self, about: dict[str, str]) -> int:
        self._end_sheet()
        sheet = self._book.add_worksheet("About")
        sheet.set_column(0, 0, 24)
        sheet.set_column(1, 1, 80)
        for number, (title, text) in enumerate(about.items()):
            sheet.write_string(number, 0, title, self._bold)
            sheet.write_string(number, 1, self._cells.text(text))
        self._book.close()
        return self._sheets

    def _begin_sheet(self) -> None:
        self._sheets += 1
        self._filled = 0
        name = "Defect reports" if self._sheets == 1 else f"Defect reports {self._sheets}"
        self._sheet = self._book.add_worksheet(name)
        self._sheet.freeze_panes(1, 1)
        for place, column in enumerate(self._columns):
            self._sheet.set_column(place, place, column.width)
        for place, title in enumerate(self._titles):
            self._sheet.write_string(0, place, title, self._bold)

    def _end_sheet(self) -> None:
        self._sheet.autofilter(0, 0, max(self._filled, 1), len(self._columns) - 1)

    def _write(self, row: int, place: int, value: Value) -> None:
        if isinstance(value, str):
            text = self._cells.text(value)
            style = self._quoted if would_run(text) else None
            self._sheet.write_string(row, place, text, style)
        elif isinstance(value, datetime):
            # In the factory's time zone, and without saying so: spreadsheets know no zones.
            there = value.astimezone(self._zone).replace(tzinfo=None)
            self._write_day(row, place, there, self._moment)
        elif isinstance(value, date):
            midnight = datetime.combine(value, time.min)
            self._write_day(row, place, midnight, self._day)
        else:
            self._sheet.write_number(row, place, value)

    def _write_day(self, row: int, place: int, day: datetime, style: Any) -> None:
        if day.year < 1900:  # Spreadsheets know none before.
            self._sheet.write_string(row, place, day.date().isoformat())
        else:
            self._sheet.write_number(row, place, (day - _DAY_ZERO) / _ONE_DAY, style)


SHEETS: dict[str, Callable[[IO[bytes], list[Column], Cells], Sheet]] = {
    "csv": CsvSheet,
    "xlsx": XlsxSheet,
}
CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(slots=True)
class Writing:
    """An export that is under way: which reports, as what, and what it is to say of itself."""

    reports: "QuerySet[DefectReport]"
    format: str
    about: dict[str, str] = field(default_factory=dict)

    def write(
        self, file: IO[bytes], progress: Callable[[int, int], None] = lambda done, total: None
    ) -> Result:
        """Write them all to `file`, which can be sought in; what has become of them.

        progress: told how many are written, of how many, after each batch. What it raises ends it.
        """
        ids = ids_of(self.reports)
        columns = columns_for(self.reports)
        cells, result = Cells(), Result()
        sheet = SHEETS[self.format](file, columns, cells)
        progress(0, len(ids))
        for batch in read(ids):
            for row in batch:
                sheet.add([column.value(row) for column in columns])
            result.rows += len(batch)
            progress(result.rows, len(ids))
        result.cut = cells.cut
        result.sheets = sheet.close(self._about(result))
        return result

    def _about(self, result: Result) -> dict[str, str]:
        return {
            "Reports": f"{result.rows:,}",
            "Made at": f"{timezone.localtime():%Y-%m-%d %H:%M}",
            "Time zone": settings.TIME_ZONE,
            **self.about,
            "Cut": cut_in_words(result.cut) or "Nothing was cut.",
        }


def cut_in_words(cut: int) -> str:
    """What was cut, in a sentence; "" when nothing was."""
    if not cut:
        return ""
    cells = "1 cell was" if cut == 1 else f"{cut:,} cells were"
    return (
        f"{cells} longer than the {LONGEST_CELL:,} characters that a spreadsheet holds in a cell. "
        f"What is cut ends with “{CUT_MARK}”."
    )
