"""What an import changes, as a file that sets it back: it is imported like any other."""

from typing import IO, Any, Self

from orders.importing.columns import Column
from orders.importing.judging import Judge, Kind, Verdict
from orders.models import Order, OrderLine
from whatsapp_bot import spreadsheets
from whatsapp_bot.spreadsheets import Cells, Value, XlsxSheet

CANCELLED = Order.Status.CANCELLED
"""What becomes of what is new, as nothing is deleted. Runs call it the same."""


class Before:
    """Written as an XLSX file: what changed rows said, and new ones as cancelled. rows: of it."""

    def __init__(self, file: IO[bytes], judge: Judge) -> None:
        self._identity = judge.resource.identity
        self._columns = [one for one in judge.columns.values() if one.is_shown]
        titles = [spreadsheets.Column(one.title, lambda row: row, 20) for one in self._columns]
        self._sheet = XlsxSheet(file, titles, Cells(), "Before")
        self._last_new: Any = None
        self.rows = 0

    def take(self, verdicts: list[Verdict]) -> None:
        """Those whose rows are not saved yet."""
        for verdict in verdicts:
            if said := self._said(verdict):
                self._sheet.add([self._cell(one, said) for one in self._columns])
                self.rows += 1

    @staticmethod
    def _cell(column: Column, said: dict[str, Any]) -> Value:
        return column.in_file(said[column.name]) if column.name in said else None

    def _said(self, verdict: Verdict) -> dict[str, Any]:
        """By the names of columns. Of a line that joins an order, what the order itself said."""
        if verdict.kind not in (Kind.NEW, Kind.CHANGED):
            return {}
        own, whole = verdict.came_of[0], verdict.came_of[-1]
        known = {self._identity: getattr(whole, self._identity)}
        if whole._state.adding:
            is_first, self._last_new = whole is not self._last_new, whole
            return {**known, "status": CANCELLED} if is_first else {}
        if not verdict.changes:
            return {}
        was_there = isinstance(own, OrderLine) and not own._state.adding
        position = {"position": own.position} if was_there else {}
        return {**known, **position, **{one.name: was for one, was, _ in verdict.changes}}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._sheet.close({})
