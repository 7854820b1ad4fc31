"""Files in which people keep tables: CSV however it was saved, and XLSX.

What cannot be read is refused with one sentence that says what to do about it.
"""

import codecs
import csv
import io
import re
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import IO, Any, Self

from whatsapp_bot.whatsapp_text import clean

LARGEST_FILE = 25 * 1024 * 1024
LARGEST_SHEET = 200 * 1024 * 1024
"""Of an XLSX file, unpacked: a row of twelve cells takes some 500 bytes."""
LARGEST_PART = 60 * 1024 * 1024
"""Of everything else in an XLSX file: its texts above all. Any part may be what is read."""
MOST_PARTS = 10_000
TOO_LARGE = (
    "It is too large when it is unpacked. "
    "Please copy the rows to a new file without pictures and colours, or save it as CSV."
)
MOST_ROWS = 200_000
LAST_ROW = 1_048_576
"""Of a spreadsheet, with the empty ones."""
TOO_FAR_DOWN = f"It goes on below row {LAST_ROW:,}. Please take out the empty rows in it."
MOST_COLUMNS = 100
TOO_WIDE = (
    f"It has more than {MOST_COLUMNS} columns, and only the first {MOST_COLUMNS} are read. "
    "If one further to the right is needed, please move it to the left, and choose the file again."
)
MEGABYTE = 1024 * 1024
NOT_WORKED_OUT = "#FORMULA?"
"""For a formula without its value, as programs save it that do not reckon."""
LONGEST_ROW = MEGABYTE
"""Characters of a row of CSV: each of them may be a cell, which takes many times as much memory."""

_SEPARATORS = ";\t,|"
_SAMPLE = 64 * 1024
_BATCH = 1000
_DOS = re.compile(rb"[\x81\x8d\x8f\x90\x9d]|[A-Za-z][\x84\x94\x9f][a-z]")
"""What no text in Windows-1252 has: it is from DOS or an old Mac, and ü, ä or ö there."""
_STRANGE_LETTERS = (
    "Some of its letters cannot be read. "
    "Please save it as “CSV UTF-8”, or as XLSX, and choose that."
)
_PART = b"PK\1\2"
"""With this a part of a ZIP file is named in its list."""
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
"""How old Excel files begin, and new ones with a password."""
_PROTECTED = "It is protected with a password. Please save it without one, and choose it again."

Cell = str | int | float | bool | datetime | date | time | timedelta | None
Row = tuple[int, list[Cell]]
"""A row with its number, as a spreadsheet shows it."""


class Unreadable(Exception):
    """The file cannot be read. Its text says why, and what to do, to whoever chose it."""


class Table:
    """A file that is open for reading, and what is in it.

    sheets: once it is loaded, the names of those that are not hidden; a CSV file has none.
    weight: how many bytes of text there are to go through.
    is_cut: once they are read, whether there was something to the right of MOST_COLUMNS.
    """

    sheets: list[str] = []
    weight = 0
    is_cut = False

    def load(self) -> None:
        """Read what comes before the rows, which may take seconds. Raises Unreadable."""

    def rows(self, sheet: str = "") -> Iterator[Row]:
        """The rows that are not empty. Raises Unreadable, also later on."""
        self.load()
        filled = 0
        for number, cells in self._rows(sheet):
            if number > LAST_ROW:
                raise Unreadable(TOO_FAR_DOWN)
            if _stripped(cells[MOST_COLUMNS:]):
                self.is_cut = True
            cells = _stripped(cells[:MOST_COLUMNS])
            if not cells:
                continue
            filled += 1
            if filled > MOST_ROWS:
                raise Unreadable(
                    f"It has more than {MOST_ROWS:,} rows. Please divide it into several files."
                )
            yield number, cells

    def _rows(self, sheet: str) -> Iterator[Row]:
        raise NotImplementedError


def _stripped(cells: list[Cell]) -> list[Cell]:
    """Without those at the end in which nothing is to be seen."""
    while cells and is_blank(cells[-1]):
        cells.pop()
    return cells


def is_blank(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and not clean(cell, len(cell)))


def open_table(file: IO[bytes], name: str, size: int) -> Table:
    """The table in a file. name: what it is called. Raises Unreadable."""
    if not size:
        raise Unreadable("It is empty. Please choose the file that has the rows in it.")
    if size > LARGEST_FILE:
        raise Unreadable(
            f"It has {size // MEGABYTE} MB, and {LARGEST_FILE // MEGABYTE} are the most. "
            "Please divide it into several files."
        )
    start = file.read(8)
    file.seek(0)
    if start.startswith(b"PK"):
        return _Xlsx(file)
    if start.startswith(_OLE):
        raise Unreadable(_about_old_excel(file))
    if start.startswith(b"%PDF"):
        raise Unreadable("It is a PDF. Please choose a CSV or XLSX file.")
    if not name.lower().endswith((".csv", ".txt", ".tsv")):
        raise Unreadable("It is no table that can be read here. Please choose a CSV or XLSX file.")
    return _Csv(file, size)


def _about_old_excel(file: IO[bytes]) -> str:
    if "EncryptedPackage".encode("utf-16-le") in file.read(MEGABYTE):
        return _PROTECTED
    return "It is an Excel file of the old kind. Please save it as XLSX, and choose that."


# CSV ----------------------------------------------------------------------------------------------


class _Csv(Table):
    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self.weight = file, size
        self._encoding = _encoding_of(file)
        with self._text() as text:
            sample = text.read(_SAMPLE)
        if _is_binary(sample):
            raise Unreadable("There is no text in it. Please choose a CSV or XLSX file.")
        self._skips_first = sample[:4].lower() == "sep="
        self._separator = sample[4] if self._skips_first else _separator_of(sample)

    def _rows(self, sheet: str) -> Iterator[Row]:
        with self._text() as text:
            if self._skips_first:  # Excel does not show that line, nor count it.
                text.readline()
            lines = _Lines(text)
            rows = csv.reader(lines, delimiter=self._separator)
            try:
                for number, cells in enumerate(rows, 1):
                    lines.begin_row()
                    yield number, cells
            except csv.Error:
                raise Unreadable(
                    f"Row {lines.row} and what follows cannot be read. Is there a quotation "
                    "mark that is not closed? Please mend it, or save it as XLSX."
                ) from None

    @contextmanager
    def _text(self) -> Iterator[io.TextIOWrapper]:
        """Its text from the beginning, in lines as spreadsheets see them: U+2028 ends none."""
        self._file.seek(0)
        text = io.TextIOWrapper(self._file, self._encoding, newline="")
        try:
            yield text
        except UnicodeDecodeError:
            raise Unreadable(_STRANGE_LETTERS) from None
        finally:
            if not self._file.closed:
                text.detach()  # which would close it otherwise


class _Lines:
    """The lines of a text. Raises Unreadable when those of one row are too long, or do not end."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text, self.row = text, 0
        self.begin_row()

    def begin_row(self) -> None:
        self._left = LONGEST_ROW
        self.row += 1

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = self._text.readline(self._left + 1)
        self._left -= len(line)
        if self._left < 0:
            raise Unreadable(
                f"A row of it has more than {LONGEST_ROW:,} characters. "
                "Please take out the columns that are not needed."
            )
        if not line and self._left < LONGEST_ROW:
            # All that follows would be one cell of it.
            raise Unreadable(
                f"Row {self.row} has a quotation mark that is not closed. "
                "Please mend it, or save it as XLSX."
            )
        if not line:
            raise StopIteration
        return line


def _encoding_of(file: IO[bytes]) -> str:
    """Raises Unreadable."""
    start = file.read(4096)
    file.seek(0)
    if start.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    even, odd = start[::2].count(0), start[1::2].count(0)
    if max(even, odd) > len(start) // 4:
        return "utf-16-be" if even > odd else "utf-16-le"
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while block := file.read(MEGABYTE):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        _refuse_dos(file)
        return "cp1252"
    return "utf-8"


def _refuse_dos(file: IO[bytes]) -> None:
    file.seek(0)
    while block := file.read(MEGABYTE):
        if _DOS.search(block):
            raise Unreadable(_STRANGE_LETTERS)


def _is_binary(text: str) -> bool:
    strange = sum(character < " " and character not in "\t\r\n\f\x1a" for character in text)
    return not text.strip() or strange > len(text) // 10


def _separator_of(sample: str) -> str:
    """The character that divides most lines into equally many cells, and into the most."""
    lines = io.StringIO(sample, newline="").readlines()[:50]
    if len(lines) > 1 and len(sample) == _SAMPLE:
        lines = lines[:-1]

    def evenness(separator: str) -> tuple[int, int]:
        try:
            widths = Counter(len(row) for row in csv.reader(lines, delimiter=separator))
        except csv.Error:
            return (0, 0)
        del widths[0], widths[1]
        width, count = max(widths.items(), key=lambda one: (one[1], one[0]), default=(0, 0))
        return count, width

    return max(_SEPARATORS, key=evenness) if lines else ","


# XLSX ---------------------------------------------------------------------------------------------

_DAMAGED = "It is damaged. Please open it in your spreadsheet program, save it anew, and try again."


class _Xlsx(Table):
    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.weight = file, _weight_of(file)
        self._sheets: dict[str, Callable[[], Iterator[Row]]] = {}

    def load(self) -> None:
        if self._sheets:
            return
        from orders.importing.xlsx import open_book  # slow to import, and only such a file needs it

        self._sheets = _trying(lambda: open_book(self._file))
        self.sheets = list(self._sheets)
        if not self.sheets:
            raise Unreadable("There is no sheet in it. Please choose the file that has the rows.")

    def _rows(self, sheet: str) -> Iterator[Row]:
        rows = self._sheets.get(sheet, self._sheets[self.sheets[0]])()
        while batch := _trying(lambda: list(islice(rows, _BATCH))):
            yield from batch


def _trying(read: Callable[[], Any]) -> Any:
    try:
        with warnings.catch_warnings():
            # It says of cells what it does not understand: nothing that is read here.
            warnings.simplefilter("ignore")
            return read()
    except (MemoryError, Unreadable):
        raise
    except Exception:
        # Whatever openpyxl stumbles over, and it has no exception of its own for most of it.
        raise Unreadable(_DAMAGED) from None


def _weight_of(file: IO[bytes]) -> int:
    """How much there is to read. Python unpacks no more of a file than it says it has."""
    blocks = iter(lambda: file.read(MEGABYTE), b"")
    if sum(block.count(_PART) for block in blocks) > MOST_PARTS:
        raise Unreadable(TOO_LARGE)
    try:
        with zipfile.ZipFile(file) as packed:
            parts = packed.infolist()
    except (zipfile.BadZipFile, ValueError, OSError):
        raise Unreadable(_DAMAGED) from None
    finally:
        file.seek(0)
    names = {part.filename for part in parts}
    if "xl/workbook.xml" not in names:
        other = "an OpenDocument file" if "content.xml" in names else "no XLSX file"
        raise Unreadable(f"It is {other}. Please save the table as XLSX or CSV, and choose that.")
    if any(part.flag_bits & 1 for part in parts):
        raise Unreadable(_PROTECTED)
    sheets = sum(part.file_size for part in parts if part.filename.startswith("xl/worksheets/"))
    others = sum(part.file_size for part in parts) - sheets
    if sheets > LARGEST_SHEET or others > LARGEST_PART:
        raise Unreadable(TOO_LARGE)
    return sheets + others
