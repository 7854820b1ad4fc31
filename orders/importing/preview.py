"""What an import would do, or did: for a page and for a terminal."""

from collections import Counter
from typing import Any

from orders.importing.columns import Column, letter
from orders.importing.judging import Judge, Kind, OrderJudge, Verdict
from orders.importing.sheet import Sheet
from orders.importing.tables import TOO_WIDE, Cell
from orders.importing.values import as_shown, quoted
from whatsapp_bot.whatsapp_text import clean

SHOWN = 100
"""Rows of each kind."""
FAULTS_SHOWN = 500
LONGEST_SHOWN = 200
CUSTOMERS_SHOWN = 100


class Preview:
    """Counts all rows, and keeps the first ones of each kind to show."""

    def __init__(self, sheet: Sheet, judge: Judge) -> None:
        self._sheet, self._judge = sheet, judge
        self.counts: Counter[Kind] = Counter()
        self._shown: dict[Kind, list[dict[str, Any]]] = {kind: [] for kind in Kind}

    @property
    def total(self) -> int:
        return self.counts.total()

    def take(self, verdicts: list[Verdict]) -> None:
        for verdict in verdicts:
            self.counts[verdict.kind] += 1
            shown = self._shown[verdict.kind]
            if len(shown) < (FAULTS_SHOWN if verdict.kind == Kind.WRONG else SHOWN):
                shown.append(self._row(verdict))

    def _row(self, verdict: Verdict) -> dict[str, Any]:
        row: dict[str, Any] = {"row": verdict.row, "name": self._name(verdict)}
        if verdict.kind == Kind.WRONG:
            row["faults"] = [list(self._fault(verdict, *fault)) for fault in verdict.faults.items()]
        elif verdict.kind == Kind.CHANGED:
            row["changes"] = [
                [column.title, _short(column.in_words(before)), _short(column.in_words(after))]
                for column, before, after in verdict.changes
            ]
        else:
            row["values"] = [
                _short(column.in_words(_value(column, verdict))) for column in self._columns()
            ]
        return row

    def _name(self, verdict: Verdict) -> str:
        return _short(as_shown(self._cell(verdict, self._judge.resource.identity)))

    def _fault(self, verdict: Verdict, name: str, why: str) -> tuple[str, str, str]:
        """The column by its heading, what is in the cell, and what is wrong."""
        place = self.place_of(name)
        heading = self._judge.columns[name].title if place is None else self._heading(place)
        return heading, _short(as_shown(self._cell(verdict, name))), why

    def place_of(self, name: str) -> int | None:
        place = self._sheet.header.place_of(name)
        if place is None and name == "customer":
            return self._sheet.header.place_of("customer_number")
        return place

    def _cell(self, verdict: Verdict, name: str) -> Cell:
        place = self.place_of(name)
        return verdict.cells[place] if place is not None and place < len(verdict.cells) else None

    def _heading(self, place: int) -> str:
        return self._sheet.header.heading(place)

    def _columns(self) -> list[Column]:
        """Those that are shown, in the order of the file."""
        found = self._sheet.header.found
        return [found[place] for place in sorted(found) if found[place].is_shown]

    def in_words(self, verdict: Verdict) -> str:
        """What is wrong with a row, in a cell beside it."""
        faults = (self._fault(verdict, *fault) for fault in verdict.faults.items())
        return "\n".join(f"{heading}: {why}" for heading, _, why in faults)

    def as_json(self) -> dict[str, Any]:
        """As it is kept with the import, for its page.

        sheets: their names. header: the number of the row with the headings. columns: where they
        are, their headings, an example, and the name of the column that each is, or "". cut: what
        to know of a table that is too wide, or "". titles: what the `values` of a row are called.
        questions: which columns may mean one thing or another, and the choices. is_numbered: has it
        the column that rows are known by? missing: titles of needed columns that are not there.
        rows: by kind, the first ones: number, name, and faults, changes or values. counts: of all
        rows, by kind. Of orders also unknown: customers, with how many rows name them, of
        unknown_count in all.
        """
        header = self._sheet.header
        below = [cells for number, cells in self._sheet.first_rows if number > header.number]
        example = {
            place: next((cell for cells in below for cell in cells[place : place + 1] if cell), "")
            for place in self._sheet.places
        }
        return {
            "sheets": self._sheet.sheets,
            "header": header.number,
            "columns": [
                {
                    "place": place,
                    "letter": letter(place),
                    "heading": header.heading(place),
                    "example": _short(as_shown(example[place])),
                    "name": header.found[place].name if place in header.found else "",
                }
                for place in self._sheet.places
            ],
            "cut": TOO_WIDE if self._sheet.is_cut else "",
            "titles": [one.title for one in self._columns()],
            "questions": [
                {
                    "name": column.name,
                    "heading": self._heading(self.place_of(column.name) or 0),
                    "choices": list(column.widget.choices.items()),
                }
                for column in self._sheet.open_questions()
            ],
            "is_numbered": self._sheet.has(self._judge.resource.identity),
            "missing": [
                column.title
                for column in self._judge.columns.values()
                if column.is_needed and self.place_of(column.name) is None
            ],
            "rows": self._shown,
            "counts": dict(self.counts),
            **self._customers(),
        }

    def _customers(self) -> dict[str, Any]:
        if not isinstance(self._judge, OrderJudge):
            return {}
        unknown = self._judge.customers.unknown.most_common()
        return {
            "unknown": [[quoted(name), count] for name, count in unknown[:CUSTOMERS_SHOWN]],
            "unknown_count": len(unknown),
        }


def _value(column: Column, verdict: Verdict) -> Any:
    attribute = column.attribute or column.name
    return next((getattr(one, attribute) for one in verdict.came_of if hasattr(one, attribute)), "")


def _short(text: str) -> str:
    text = clean(text, LONGEST_SHOWN + 1)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
