"""XLSX files as openpyxl reads them, but no more at once than memory holds.

A file of some kilobytes may be unpacked to gigabytes of cells, texts or styles. It says itself
which of its parts is which, so each is limited as it is read.
"""

import zipfile
from collections.abc import Iterator
from typing import IO, Any

from openpyxl.cell.text import Text
from openpyxl.reader.excel import SHARED_STRINGS, ExcelReader
from openpyxl.workbook.workbook import Workbook
from openpyxl.worksheet import _read_only
from openpyxl.worksheet._reader import FORMULA_TAG, ROW_TAG, SHEET_MAIN_NS, WorkSheetParser
from openpyxl.xml.functions import iterparse

from orders.importing.tables import (
    LAST_ROW,
    MEGABYTE,
    MOST_COLUMNS,
    NOT_WORKED_OUT,
    TOO_FAR_DOWN,
    TOO_LARGE,
    Unreadable,
)

LONGEST_PIECE = 2 * MEGABYTE
"""Bytes of a row, of a text, or of whatever else stands before or between them."""
LARGEST_WHOLE = 8 * MEGABYTE
MOST_ELEMENTS = 200_000
"""Of a part that is read as a whole: each becomes an object of some kilobytes."""
MOST_TEXTS = 2_000_000
MOST_CELLS = 10_000_000
"""Of a sheet, with the empty ones. In 200 MB there are half as many that have something in them."""

_DATA_TAG = f"{{{SHEET_MAIN_NS}}}sheetData"
_TEXT_TAG = f"{{{SHEET_MAIN_NS}}}si"


def open_book(file: IO[bytes]) -> Workbook:
    """The workbook in a file, whose sheets are read later. Raises Unreadable, or whatever else."""
    reader = _Reader(file, read_only=True, data_only=True, keep_links=False)
    reader.archive = _Archive(file)
    reader.read()
    return reader.wb


class _Archive(zipfile.ZipFile):
    """What is read as a whole must be small; the rest is opened, and read piece by piece."""

    def read(self, name: Any, pwd: bytes | None = None) -> bytes:
        if self.getinfo(name).file_size > LARGEST_WHOLE:
            raise Unreadable(TOO_LARGE)
        content = super().read(name, pwd)
        if content.count(b"<") > MOST_ELEMENTS:
            raise Unreadable(TOO_LARGE)
        return content


class _Reader(ExcelReader):
    def read_strings(self) -> None:
        part = self.package.find(SHARED_STRINGS)
        if part is not None:
            with self.archive.open(part.PartName[1:]) as file:
                self.shared_strings = list(_texts(_Pieces(file)))

    def read_chartsheet(self, sheet: Any, rel: Any) -> None:
        """It has no rows."""


class _Pieces:
    """A file that is read piece by piece. Raises Unreadable when one has no end."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.begin()

    def begin(self) -> None:
        self._left = LONGEST_PIECE

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(size)
        self._left -= len(block)
        if self._left < 0:
            raise Unreadable(TOO_LARGE)
        return block


def _elements(pieces: _Pieces, within: str, tag: str) -> Iterator[Any]:
    """Those with this tag, each of which is forgotten once it is dealt with."""
    around = None
    for event, element in iterparse(pieces, ["start", "end"]):
        if event == "start":
            around = element if around is None and element.tag == within else around
        elif element is around:
            return  # What stands behind them can be long, and is not needed.
        elif element.tag == tag and around is not None:
            yield element
            around.clear()
            pieces.begin()


def _texts(pieces: _Pieces) -> Iterator[str]:
    for number, element in enumerate(_elements(pieces, f"{{{SHEET_MAIN_NS}}}sst", _TEXT_TAG)):
        if number >= MOST_TEXTS:
            raise Unreadable(TOO_LARGE)
        yield Text.from_tree(element).content.replace("x005F_", "")


class _Parser(WorkSheetParser):
    """Reads the rows of a sheet and nothing else.

    For openpyxl a formula that nobody has worked out would be an empty cell.
    """

    def __init__(self, source: IO[bytes], *args: Any, **options: Any) -> None:
        super().__init__(_Pieces(source), *args, **options)

    def parse_dimensions(self) -> None:
        """What a file says of its own size is not always so."""

    def parse(self) -> Iterator[tuple[int, list[dict[str, Any]]]]:
        cells = 0
        for element in _elements(self.source, _DATA_TAG, ROW_TAG):
            cells += len(element)
            if cells > MOST_CELLS:
                raise Unreadable(TOO_LARGE)
            del element[MOST_COLUMNS + 1 :]  # No cell stands further left than in its place.
            row = self.parse_row(element)
            self.row_dimensions.clear()
            if self.row_counter > LAST_ROW:
                # Those before it are made up, as empty ones.
                raise Unreadable(TOO_FAR_DOWN)
            yield row

    def parse_cell(self, element: Any) -> dict[str, Any]:
        if not (len(element) or element.attrib):
            self.col_counter += 1
            return {"column": self.col_counter, "value": None}
        cell = super().parse_cell(element)
        # One that came to an empty text says that it is a text.
        has_nothing = cell["value"] is None and cell["data_type"] != "str"
        if has_nothing and element.find(FORMULA_TAG) is not None:
            cell["value"] = NOT_WORKED_OUT
        return cell


_read_only.WorkSheetParser = _Parser
