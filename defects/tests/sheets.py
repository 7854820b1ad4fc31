"""Reads CSV and XLSX files back, knowing nothing of how they were written."""

import csv
import io
import re
import zipfile
from datetime import datetime, timedelta
from xml.etree import ElementTree

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_NAME = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def csv_rows(content: bytes) -> list[list[str]]:
    """All rows, the header first."""
    assert content.startswith(b"\xef\xbb\xbf"), "Excel would not take it for UTF-8"
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))


def xlsx_sheets(content: bytes) -> dict[str, list[list[str | float]]]:
    """The rows of each sheet by its name. Cells that are not there are ""."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        assert book.testzip() is None
        shared = _shared_strings(book)
        relations = _parse(book.read("xl/_rels/workbook.xml.rels"))
        places = {one.get("Id"): one.get("Target") for one in relations}
        named = _parse(book.read("xl/workbook.xml")).iter(f"{_MAIN}sheet")
        return {
            sheet.get("name"): _rows(book.read(f"xl/{places[sheet.get(_NAME)]}"), shared)
            for sheet in named
        }


def xlsx_rows(content: bytes) -> list[list[str | float]]:
    """All rows of the first sheet, the header first."""
    return next(iter(xlsx_sheets(content).values()))


def moment(number: float) -> datetime:
    """A day and time as XLSX stores it."""
    return datetime(1899, 12, 30) + timedelta(seconds=round(number * 86400))  # noqa: DTZ001


def _parse(xml: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(xml)  # noqa: S314  We have just written it.


def _shared_strings(book: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in book.namelist():
        return []
    root = _parse(book.read("xl/sharedStrings.xml"))
    return [_text(one) for one in root.iter(f"{_MAIN}si")]


def _rows(sheet: bytes, shared: list[str]) -> list[list[str | float]]:
    root = _parse(sheet)
    assert not list(root.iter(f"{_MAIN}f")), "there is a formula"
    assert not list(root.iter(f"{_MAIN}hyperlink")), "there is a link"
    found = [{_place(c): _value(c, shared) for c in row} for row in root.iter(f"{_MAIN}row")]
    width = max((max(cells, default=-1) + 1 for cells in found), default=0)
    return [[cells.get(place, "") for place in range(width)] for cells in found]


def _place(cell: ElementTree.Element) -> int:
    letters = re.match("[A-Z]+", cell.get("r"))[0]
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _value(cell: ElementTree.Element, shared: list[str]) -> str | float:
    match cell.get("t"):
        case "inlineStr":
            return _text(cell)
        case "s":
            return shared[int(cell.findtext(f"{_MAIN}v"))]
    value = cell.findtext(f"{_MAIN}v")
    return float(value) if value else ""


def _text(element: ElementTree.Element) -> str:
    text = "".join(one.text or "" for one in element.iter(f"{_MAIN}t"))
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda code: chr(int(code[1], 16)), text)
