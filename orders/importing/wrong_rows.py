"""The rows that cannot be imported, as a file to mend and import again."""

from typing import IO, Self

from orders.importing.judging import Kind, Verdict
from orders.importing.preview import Preview
from orders.importing.sheet import Sheet
from orders.importing.tables import Cell
from whatsapp_bot.spreadsheets import Cells, Column, Value, XlsxSheet

WHY = "What is wrong"
FIRST_ROUNDED = 10**15
"""Spreadsheets keep fifteen digits of a number."""


class WrongRows:
    """Written as an XLSX file: with the columns of the sheet, and one that says what is wrong."""

    def __init__(self, file: IO[bytes], sheet: Sheet, preview: Preview) -> None:
        self._preview = preview
        # What is wrong stood there already in a file that was mended.
        headings = dict(enumerate(sheet.header.headings))
        self._places = [place for place in range(sheet.width) if headings.get(place) != WHY]
        columns = [Column(headings.get(one, ""), lambda row: row, 16) for one in self._places]
        why = Column(WHY, lambda row: row, 60)
        self._sheet = XlsxSheet(file, [*columns, why], Cells(), "Wrong rows")

    def take(self, verdicts: list[Verdict]) -> None:
        for verdict in verdicts:
            if verdict.kind == Kind.WRONG:
                cells = verdict.cells
                own = [_value(cells[p]) if p < len(cells) else None for p in self._places]
                self._sheet.add([*own, self._preview.in_words(verdict)])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._sheet.close({})


def _value(cell: Cell) -> Value:
    """Dates and numbers stay what they are; times, truths and long numbers become text."""
    if isinstance(cell, bool) or (isinstance(cell, int) and abs(cell) >= FIRST_ROUNDED):
        return str(cell)
    if cell is None or isinstance(cell, int | float):
        return cell  # type: ignore[return-value]
    if hasattr(cell, "year"):
        return cell  # type: ignore[return-value]
    return str(cell)
