"""Writing files for spreadsheets: CSV or XLSX, row after row, in little memory.

Whatever was typed into a cell stays text: nothing in it is run where the file is opened.
"""

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from math import isfinite
from typing import IO, Any, Protocol

from django.utils import timezone

from whatsapp_bot.whatsapp_text import clean, length

LONGEST_CELL = 32_767
"""Of a spreadsheet, in UTF-16 code units."""
MOST_ROWS = 1_048_575
"""On a sheet, without its header."""
CUT_MARK = "… [cut]"
_DAY_ZERO, _ONE_DAY = datetime(1899, 12, 30), timedelta(days=1)  # noqa: DTZ001
"""How XLSX counts days: right from 1 March 1900 on, which is soon enough."""

Value = str | int | datetime | date | None
Row = Any
"""What the columns take their values from."""


@dataclass(frozen=True, slots=True)
class Column:
    """width: of the column on a sheet, in characters."""

    title: str
    value: Callable[[Row], Value]
    width: int = 14


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

    def __init__(
        self, file: IO[bytes], columns: list[Column], cells: Cells, name: str = ""
    ) -> None:
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
    """A workbook with as many sheets called `name` as it takes, and one about the file.

    Text is written as text: nothing in it is ever taken for a formula, a number or a link.
    """

    def __init__(
        self,
        file: IO[bytes],
        columns: list[Column],
        cells: Cells,
        name: str = "Rows",
        most_rows: int = MOST_ROWS,
    ) -> None:
        import xlsxwriter  # slow to import, and only such a file needs it

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
        self._columns, self._cells, self._name, self._most_rows = columns, cells, name, most_rows
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
        if about:
            self._add_about(about)
        self._book.close()
        return self._sheets

    def _add_about(self, about: dict[str, str]) -> None:
        sheet = self._book.add_worksheet("About")
        sheet.set_column(0, 0, 24)
        sheet.set_column(1, 1, 80)
        for number, (title, text) in enumerate(about.items()):
            sheet.write_string(number, 0, title, self._bold)
            sheet.write_string(number, 1, self._cells.text(text))

    def _begin_sheet(self) -> None:
        self._sheets += 1
        self._filled = 0
        name = self._name if self._sheets == 1 else f"{self._name} {self._sheets}"
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
            # To the second, as in a CSV: some round what is left up, at midnight to the next day.
            there = value.astimezone(self._zone).replace(tzinfo=None, microsecond=0)
            self._write_day(row, place, there, self._moment)
        elif isinstance(value, date):
            midnight = datetime.combine(value, time.min)
            self._write_day(row, place, midnight, self._day)
        elif isinstance(value, float) and not isfinite(value):
            self._sheet.write_string(row, place, str(value))
        else:
            self._sheet.write_number(row, place, value)

    def _write_day(self, row: int, place: int, day: datetime, style: Any) -> None:
        if day.year < 1900:  # Spreadsheets know none before.
            self._sheet.write_string(row, place, day.date().isoformat())
        else:
            self._sheet.write_number(row, place, (day - _DAY_ZERO) / _ONE_DAY, style)


SHEETS: dict[str, Callable[[IO[bytes], list[Column], Cells, str], Sheet]] = {
    "csv": CsvSheet,
    "xlsx": XlsxSheet,
}
CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
