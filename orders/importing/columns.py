"""Which columns a table has: found by their headings, wherever the row with the headings is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from import_export.fields import Field

from orders.importing.tables import Cell, Row
from orders.importing.values import EMPTY, CellWidget, Choice, empties, plain
from whatsapp_bot.spreadsheets import Value
from whatsapp_bot.whatsapp_text import clean

SEARCHED = 30
"""The headings are among so many rows at the beginning, unless somebody says where they are."""

Said = Mapping[str, list[str]]
"""What was said of columns in an earlier file: headings, with the name of each column that has it,
from left to right; an empty name leaves it out."""


class Column(Field):
    """A column that can be imported.

    title: what it is called. headings: other names for it, with commas between them.
    perhaps: names that may be of something else, and are its own where nothing else is.
    attribute: None for one that only helps to understand another.
    is_needed: something new has to have it.
    """

    widget: CellWidget

    def __init__(
        self,
        name: str,
        title: str,
        widget: CellWidget,
        headings: str = "",
        *,
        perhaps: str = "",
        attribute: str | None = "",
        is_needed: bool = False,
    ) -> None:
        super().__init__(
            attribute=name if attribute == "" else attribute,
            column_name=name,
            widget=widget,
        )
        self.name, self.title, self.is_needed = name, title, is_needed
        self.headings = {_heading(one) for one in [name, title, *headings.split(",")]} - {""}
        self.perhaps = {_heading(one) for one in perhaps.split(",")} - {""}

    def get_value(self, instance: Any) -> Any:
        return getattr(instance, self.attribute, None)  # a new run has no line yet

    def save(self, instance: Any, row: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        if empties(row.get(self.name)) and self._may_be_empty(instance):
            has_null = instance._meta.get_field(self.attribute).null
            setattr(instance, self.attribute, None if has_null else "")
        else:
            self.fill(instance, row)

    def fill(self, instance: Any, row: dict[str, Any]) -> None:
        """Write there what the cell says; what is empty leaves things as they are."""
        value = self.clean(row)
        if value is not None:
            setattr(instance, self.attribute, value)

    def _may_be_empty(self, instance: Any) -> bool:
        return instance._meta.get_field(self.attribute).blank and not self.is_needed

    @property
    def is_shown(self) -> bool:
        """Does it say something itself, of the row or, as `position`, of a line of it?"""
        return bool(self.attribute) or self.name == "position"

    def in_words(self, value: Any) -> str:
        """A value of it, for people."""
        if isinstance(self.widget, Choice):
            return self.widget.labels.get(value, value)
        if isinstance(value, datetime):
            return f"{timezone.localtime(value):%-d %b %Y, %H:%M}"
        if isinstance(value, date):
            return f"{value:%-d %b %Y}"
        if isinstance(value, int):
            return f"{value:,}"
        return str(value or "")

    def in_file(self, value: Any) -> Value:
        """A value of it, to be imported again: days and numbers stay what they are."""
        return value if isinstance(value, int | date) else self.in_words(value) or EMPTY


def _heading(words: str) -> str:
    """A heading as it is compared: `Order #` is one of numbers."""
    return plain(words.replace("#", "no"))


@dataclass(slots=True)
class Header:
    """The row with the headings. found: which place has which column."""

    number: int
    headings: list[str]
    found: dict[int, Column] = field(default_factory=dict)

    def heading(self, place: int) -> str:
        """A column as its owner would look for it: by its heading, or its letter."""
        named = self.headings[place] if place < len(self.headings) else ""
        return named or f"column {letter(place)}"

    def place_of(self, name: str) -> int | None:
        return next((place for place, one in self.found.items() if one.name == name), None)


def find_header(
    rows: list[Row], columns: list[Column], number: int | None = None, said: Said | None = None
) -> Header:
    """The row, among the first ones, that names the most columns; or the one with that number."""
    if number is not None:
        cells = next((cells for at, cells in rows if at == number), [])
        return _as_header(number, cells, columns, said or {})
    headers = [_as_header(at, cells, columns, said or {}) for at, cells in rows[:SEARCHED]]
    best = max(headers, key=lambda header: (len(header.found), -header.number))
    return best if len(best.found) > 1 else headers[0]


def _as_header(number: int, cells: list[Cell], columns: list[Column], said: Said) -> Header:
    header = Header(number, [" ".join(clean(str(cell or ""), 100).split()) for cell in cells])
    by_name = {column.name: column for column in columns}
    names = {heading: iter(of) for heading, of in said.items()}
    for place, heading in enumerate(header.headings):
        name = next(names.get(header.heading(place), iter(())), None)
        column = _named(heading, columns) if name is None else by_name.get(name)
        if column and header.place_of(column.name) is None:
            header.found[place] = column
    _guess(header, columns, said)
    return header


def _guess(header: Header, columns: list[Column], said: Said) -> None:
    """Take headings that may mean this or that for the first column that nothing else is."""
    for place, heading in enumerate(header.headings):
        if place in header.found or header.heading(place) in said:
            continue
        for column in columns:
            if _heading(heading) in column.perhaps and header.place_of(column.name) is None:
                header.found[place] = column
                break


def _named(heading: str, columns: Iterable[Column]) -> Column | None:
    """The column that a heading means, also with something behind it: `Qty (pcs)`."""
    for words in (heading, heading.partition("(")[0], heading.partition("[")[0]):
        for column in columns:
            if _heading(words) in column.headings:
                return column
    return None


def choose(header: Header, columns: dict[str, Column], chosen: dict[str, str]) -> None:
    """Take what was chosen by hand: places, as text, with the names of columns."""
    header.found = {
        int(place): columns[name] for place, name in chosen.items() if columns.get(name)
    }


def letter(place: int) -> str:
    """What spreadsheets call a column: A for 0, AA for 26."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
