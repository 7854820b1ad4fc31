"""Defect reports as a file for spreadsheets: CSV or XLSX, however many they are.

Which reports, and in which order, is settled at the beginning, by their ids (8 bytes each); the
rows are then read a batch at a time. So the memory it takes does not grow with the reports, no
row comes twice or is left out when others are made meanwhile, and nothing is kept open in the
database for minutes.
"""

from array import array
from collections import namedtuple
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from django.conf import settings
from django.db.models import Count, QuerySet
from django.utils import timezone

from defects.models.forms import FormVersion
from defects.models.parts import Disposition
from defects.models.report import DefectReport
from defects.models.review import OPEN, Severity, Status
from whatsapp_bot.models import Media
from whatsapp_bot.spreadsheets import CUT_MARK, LONGEST_CELL, SHEETS, Cells, Column

BATCH = 1000

Row = Any
"""A ReportRow."""


@dataclass(slots=True)
class Result:
    """What is in the file. cut: cells that were longer than a spreadsheet holds."""

    rows: int = 0
    cut: int = 0
    sheets: int = 1


# Which reports ----------------------------------------------------------------------------------


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
    "order__product",
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


ReportRow = namedtuple("ReportRow", [*FIELDS, "dispositions", "photos"])
"""A row that was read: its fields, what its dispositions say, and how many photos it has."""


def read(ids: "array[int]") -> Iterator[list[Row]]:
    """The reports with these ids, in that order, a batch at a time. What is gone is left out."""
    for first in range(0, len(ids), BATCH):
        batch = list(ids[first : first + BATCH])
        found = DefectReport.objects.filter(pk__in=batch).order_by().values_list(*FIELDS)
        values = {one[0]: one for one in found}
        dispositions, photos = _dispositions(batch), _photos(batch)
        yield [
            ReportRow._make((*values[pk], dispositions.get(pk, []), photos.get(pk, 0)))
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
    report = "message__attachment__report"
    pictures = Media.objects.pictures().filter(**{f"{report}__in": ids})
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
    return "\n".join(f"{_asked(one['question'])} {one['answer'] or '–'}" for one in others)


def _asked(question: str) -> str:
    """A question before its answer, with one mark at its end."""
    question = question.rstrip(" :")
    return question if question.endswith(("?", "!", ".")) else f"{question}:"


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
    Column("Product", lambda row: row.order__product, 20),
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


# Writing them ------------------------------------------------------------------------------------


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
        ids = array("q", self.reports.values_list("pk", flat=True).iterator(chunk_size=10_000))
        columns = columns_for(self.reports)
        cells, result = Cells(), Result()
        sheet = SHEETS[self.format](file, columns, cells, "Defect reports")
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
