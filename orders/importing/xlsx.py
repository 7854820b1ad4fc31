"""XLSX files as openpyxl reads them, but no more at once than memory holds.

A file of some kilobytes may be unpacked to gigabytes of cells, texts or styles. It says itself
which of its parts is which, so each is limited as it is read.
"""

import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from typing import IO, Any

from openpyxl.cell.text import Text
from openpyxl.reader.excel import SHARED_STRINGS, ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.utils.escape import unescape
from openpyxl.worksheet._reader import (
    DATA_TAG,
    FORMULA_TAG,
    ROW_TAG,
    SHEET_MAIN_NS,
    WorkSheetParser,
)
from openpyxl.xml.constants import ARC_WORKBOOK
from openpyxl.xml.functions import iterparse

from orders.importing.tables import (
    MEGABYTE,
    MOST_COLUMNS,
    NOT_WORKED_OUT,
    TOO_LARGE,
    Cell,
    Row,
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

_STRICT = b"http://purl.oclc.org/ooxml/spreadsheetml/main"
"""In such a file everything has another name."""
_TABLE_TAG, _TEXT_TAG = f"{{{SHEET_MAIN_NS}}}sst", f"{{{SHEET_MAIN_NS}}}si"


def open_book(file: IO[bytes]) -> dict[str, Callable[[], Iterator[Row]]]:
    """What reads the rows of each sheet that is not hidden, by its name.

    Raises Unreadable, or whatever else.
    """
    reader = ExcelReader(file, read_only=True, data_only=True, keep_links=False)
    reader.archive = _Archive(file)
    if _STRICT in reader.archive.read(ARC_WORKBOOK):
        raise Unreadable(
            "It is a “Strict Open XML Spreadsheet”. "
            "Please save it as “Excel Workbook”, and choose that."
        )
    reader.read_manifest()
    reader.read_workbook()
    apply_stylesheet(reader.archive, reader.wb)
    reader.shared_strings = list(_texts(reader))
    return {
        sheet.name: partial(_rows, reader, part.target)
        for sheet, part in reader.parser.find_sheets()
        if sheet.state == "visible"
        and part.target in reader.valid_files
        and "chartsheet" not in part.Type
    }


class _Archive(zipfile.ZipFile):
    """What is read as a whole must be small; the rest is opened, and read piece by piece."""

    def read(self, name: Any, pwd: bytes | None = None) -> bytes:
        if self.getinfo(name).file_size > LARGEST_WHOLE:
            raise Unreadable(TOO_LARGE)
        content = super().read(name, pwd)
        if content.count(b"<") > MOST_ELEMENTS:
            raise Unreadable(TOO_LARGE)
        return content


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


def _elements(reader: ExcelReader, part: str, within: str, tag: str) -> Iterator[Any]:
    """Those with this tag, each of which is forgotten once it is dealt with."""
    with reader.archive.open(part) as file:
        pieces = _Pieces(file)
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


def _texts(reader: ExcelReader) -> Iterator[str]:
    """What cells name by its place in this list, where it stands once for all of them."""
    part = reader.package.find(SHARED_STRINGS)
    if part is None:
        return
    elements = _elements(reader, part.PartName[1:], _TABLE_TAG, _TEXT_TAG)
    for number, element in enumerate(elements):
        if number >= MOST_TEXTS:
            raise Unreadable(TOO_LARGE)
        yield unescape(Text.from_tree(element).content)


def _rows(reader: ExcelReader, part: str) -> Iterator[Row]:
    parser = _Parser(
        None,
        reader.shared_strings,
        data_only=True,
        epoch=reader.wb.epoch,
        date_formats=reader.wb._date_formats,
        timedelta_formats=reader.wb._timedelta_formats,
    )
    count = 0
    for element in _elements(reader, part, DATA_TAG, ROW_TAG):
        count += len(element)
        if count > MOST_CELLS:
            raise Unreadable(TOO_LARGE)
        # No cell stands further left than in its place. Of those beyond, one tells of them all.
        element[MOST_COLUMNS:] = list(filter(len, element[MOST_COLUMNS:]))[:1]
        number, cells = parser.parse_row(element)
        parser.row_dimensions.clear()
        yield number, _in_columns({cell["column"]: cell["value"] for cell in cells})


def _in_columns(cells: dict[int, Cell]) -> list[Cell]:
    """The cells in their places, and behind the last place whatever is further to the right."""
    width = min(max(cells, default=0), MOST_COLUMNS)
    beyond = [cell for column, cell in cells.items() if column > MOST_COLUMNS]
    return [cells.get(column) for column in range(1, width + 1)] + beyond


class _Parser(WorkSheetParser):
    """For openpyxl a formula that nobody has worked out would be an empty cell.

    And what ends a line in a text of the cell's own would be written out there: `_x000D_`.
    """

    def parse_cell(self, element: Any) -> dict[str, Any]:
        if not (len(element) or element.attrib):
            self.col_counter += 1
            return {"column": self.col_counter, "value": None}
        cell = super().parse_cell(element)
        if cell["value"] and element.get("t") in ("inlineStr", "str"):
            cell["value"] = unescape(cell["value"])
        # One that came to an empty text says that it is a text.
        has_nothing = cell["value"] is None and cell["data_type"] != "str"
        if has_nothing and element.find(FORMULA_TAG) is not None:
            cell["value"] = NOT_WORKED_OUT
        return cell
