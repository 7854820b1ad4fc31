"""A table that is being imported: where its headings are, and what its columns mean."""

import pickle
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import chain, dropwhile, islice
from typing import Any, Self

from orders.importing.columns import SEARCHED, Column, Header, choose, find_header
from orders.importing.tables import Cell, Row, Table, Unreadable, is_blank
from orders.importing.values import CellWidget, plain

BATCH = 1000
IN_MEMORY = 4 * 1024 * 1024

Progress = Callable[[int, int], None]
"""Told how many rows are done, of how many; 0 when that is not known. What it raises ends it."""


@dataclass
class Choices:
    """What was decided by hand.

    sheet: its name. header: the number of the row with the headings. columns: which place, as text,
    is which column; everything else is left out. said: the same by headings, as another file may
    have its columns at other places. meanings: of columns that leave it open.
    """

    sheet: str = ""
    header: int | None = None
    columns: dict[str, str] | None = None
    said: dict[str, list[str]] = field(default_factory=dict)
    meanings: dict[str, str] = field(default_factory=dict)
    make_customers: bool = False
    leave_wrong: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def for_another_file(self) -> "Choices":
        """What holds for a file with the same headings too: its rows are decided about anew."""
        return Choices(sheet=self.sheet, said=self.said, meanings=self.meanings)


def _from(number: int, rows: Iterator[Row]) -> Iterator[Row]:
    """The rows from that one on: what stands above headings that were chosen is no data."""
    return dropwhile(lambda row: row[0] < number, rows)


class Sheet:
    """The rows of a table, read once and kept beside, since a column is looked at as a whole."""

    def __init__(
        self, table: Table, columns: dict[str, Column], choices: Choices, progress: Progress
    ) -> None:
        rows = _from(choices.header or 0, table.rows(choices.sheet))
        first = list(islice(rows, SEARCHED))
        if not first and choices.header is None:
            what = "sheet" if len(table.sheets) > 1 else "file"
            raise Unreadable(f"There is nothing in it. Please choose the {what} that has the rows.")
        self.header: Header = find_header(
            first, list(columns.values()), choices.header, choices.said
        )
        if choices.columns is not None:
            choose(self.header, columns, choices.columns)
        self.first_rows = first
        self.total = 0
        self._beyond: set[int] = set()
        self._places = {column.name: place for place, column in self.header.found.items()}
        for name, column in columns.items():
            column.widget.choice = choices.meanings.get(name, "")
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  Closed at the end of `with`.
        below = (row for row in first if row[0] > self.header.number)
        self._keep(chain(below, rows), progress)
        self.is_cut, self.sheets = table.is_cut, table.sheets

    def _keep(self, rows: Iterator[Row], progress: Progress) -> None:
        looking: list[tuple[int, CellWidget]] = [
            (place, column.widget)
            for place, column in self.header.found.items()
            if column.widget.choices
        ]
        while batch := list(islice(rows, BATCH)):
            batch = [row for row in batch if not self._is_header_again(row[1])]
            for _, cells in batch:
                self._beyond.update(self._places_beyond(cells))
                for place, widget in looking:
                    if place < len(cells):
                        widget.look(cells[place])
            pickle.dump(batch, self._file)
            self.total += len(batch)
            progress(self.total, 0)

    def _places_beyond(self, cells: list[Cell]) -> Iterator[int]:
        """Where something stands to the right of the last heading."""
        headings = len(self.header.headings)
        return (place for place in range(headings, len(cells)) if not is_blank(cells[place]))

    @property
    def width(self) -> int:
        return max([len(self.header.headings), *(place + 1 for place in self._beyond)])

    @property
    def places(self) -> list[int]:
        """Of the columns that have a heading, or something in them to the right of the last one."""
        headed = {place for place, heading in enumerate(self.header.headings) if heading}
        return sorted(headed | self._beyond | set(self.header.found))

    def _is_header_again(self, cells: list[Cell]) -> bool:
        """Printed lists have the headings on each page."""
        return len(cells) == len(self.header.headings) and all(
            plain(str(cell or "")) == plain(heading)
            for cell, heading in zip(cells, self.header.headings, strict=True)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def batches(self) -> Iterator[list[Row]]:
        """The rows below the headings, many at a time."""
        self._file.seek(0)
        left = self.total
        while left > 0:
            batch = pickle.load(self._file)  # noqa: S301  # nosec B301  We have just written it.
            left -= len(batch)
            yield batch

    def named(self, cells: list[Cell]) -> dict[str, Cell]:
        """A row's cells by the names of their columns."""
        return {
            name: cells[place] if place < len(cells) else None
            for name, place in self._places.items()
        }

    def has(self, name: str) -> bool:
        return name in self._places

    def open_questions(self) -> list[Column]:
        """Columns that may mean one thing or another, as nobody has said which yet."""
        columns = self.header.found.values()
        return [one for one in columns if one.widget.is_open() and not one.widget.choice]
