"""What becomes of each row of a sheet: new, changed, unchanged or wrong."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby
from typing import Any, NamedTuple

from django.db.models import Model
from import_export.results import RowResult

from orders.importing.columns import Column
from orders.importing.named import Customers
from orders.importing.resources import (
    BATCH,
    Change,
    OrderLineResource,
    OrderResource,
    ProductionRunResource,
    SheetResource,
)
from orders.importing.sheet import Choices, Sheet
from orders.importing.tables import Cell, Row
from orders.models import Order, OrderLine


class NamedRow(NamedTuple):
    """A row. named: its cells by the names of their columns."""

    number: int
    cells: list[Cell]
    named: dict[str, Cell]


class Kind(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    WRONG = "wrong"


_KINDS = {
    RowResult.IMPORT_TYPE_NEW: Kind.NEW,
    RowResult.IMPORT_TYPE_UPDATE: Kind.CHANGED,
    RowResult.IMPORT_TYPE_SKIP: Kind.UNCHANGED,
    RowResult.IMPORT_TYPE_INVALID: Kind.WRONG,
}


@dataclass(slots=True)
class Verdict:
    """What becomes of a row.

    came_of: what there is now, of the row itself first. faults: what is wrong, by the names of
    columns.
    """

    row: int
    cells: list[Cell]
    kind: Kind
    came_of: list[Model] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)

    def refuse(self, column: str, why: str) -> None:
        self.kind = Kind.WRONG
        self.faults.setdefault(column, why)


def _wrong(row: NamedRow, column: str, why: str) -> Verdict:
    return Verdict(row.number, row.cells, Kind.WRONG, faults={column: why})


class Judge:
    """Judges the rows of a kind, many at a time, and saves what came of those that are right."""

    resource_class: type[SheetResource]

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        self.resource = self.resource_class()
        self._seen: dict[str, int] = {}

    @property
    def columns(self) -> dict[str, Any]:
        return self.resource.columns

    def begin_for_good(self) -> None:
        """Go through the sheet anew, in a transaction; nobody else changes what is found."""
        self.resource.is_locking = True
        self._seen = {}

    def judge(self, sheet: Sheet) -> Iterator[list[Verdict]]:
        for batch in sheet.batches():
            yield self._judge([NamedRow(*row, sheet.named(row[1])) for row in batch])

    def _judge(self, rows: list[NamedRow]) -> list[Verdict]:
        self.resource.loader.load([row.named for row in rows])
        return [self._one(row) for row in rows]

    def _one(self, row: NamedRow) -> Verdict:
        first = self._first(self.resource.key_of(row.named), row.number)
        if first != row.number:
            return _wrong(row, self.resource.identity, self._twice(first))
        return self._verdict(self.resource, row, row.named)

    def _first(self, key: str | None, number: int) -> int:
        """The row with this key that came first."""
        return self._seen.setdefault(key, number) if key else number

    def _twice(self, first: int) -> str:
        return f"It is in row {first} already. Please take one of the two out."

    @staticmethod
    def _verdict(resource: SheetResource, row: NamedRow, says: dict[str, Cell]) -> Verdict:
        """What becomes of what the row says, by the names of columns."""
        result = resource.take(says, row.number)
        if result.errors:
            raise result.errors[0].error
        kind = _KINDS[result.import_type]
        verdict = Verdict(row.number, row.cells, kind, changes=resource.changes)
        if result.validation_error:
            named = {column.attribute: column.name for column in resource.columns.values()}
            for attribute, errors in result.validation_error.message_dict.items():
                verdict.faults[named.get(attribute, attribute)] = " ".join(errors)
        else:
            verdict.came_of = [resource.instance]
        return verdict

    def save(self) -> None:
        """Save what came of the rows that were judged since."""
        self.resource.save()

    def finish(self) -> None:
        """Have what depends on the rows follow, once all are saved."""

    def forget(self) -> None:
        self.resource.forget()


Marks = tuple[int, int]


def _marks(resource: SheetResource) -> Marks:
    return len(resource.create_instances), len(resource.update_instances)


def _back_to(resource: SheetResource, marks: Marks) -> None:
    """Forget what was to be saved since then."""
    del resource.create_instances[marks[0] :]
    del resource.update_instances[marks[1] :]


# Orders -------------------------------------------------------------------------------------------


OF_LINES = ("position", "product", "quantity")
"""What a row says of a line of an order, and not of the order."""


class OrderJudge(Judge):
    """Orders; several rows that say which line they are make one with several products."""

    resource_class = OrderResource
    resource: OrderResource

    def __init__(self, choices: Choices) -> None:
        super().__init__(choices)
        self.lines = OrderLineResource()
        for name in OF_LINES:  # which have looked at their columns
            self.lines.columns[name].widget = self.resource.columns[name].widget
        self._to_follow: set[int] = set()
        self.meet_customers()

    def meet_customers(self) -> None:
        self.customers = Customers(makes=self.choices.make_customers)
        self.resource.know(self.customers)

    def begin_for_good(self) -> None:
        super().begin_for_good()
        self.lines.is_locking = True
        self.meet_customers()

    def judge(self, sheet: Sheet) -> Iterator[list[Verdict]]:
        """Rows of one order that follow each other are judged together."""
        waiting: list[NamedRow] = []
        rows = (self._named(row, sheet) for batch in sheet.batches() for row in batch)
        for _, group in groupby(rows, key=self._key_of):
            waiting += group
            if len(waiting) >= BATCH:
                yield self._judge(waiting)
                waiting = []
        if waiting:
            yield self._judge(waiting)

    @staticmethod
    def _named(row: Row, sheet: Sheet) -> NamedRow:
        number, cells = row
        named = sheet.named(cells)
        if "customer_number" in named:
            named.setdefault("customer", None)
        return NamedRow(number, cells, named)

    def _key_of(self, row: NamedRow) -> str | None:
        return self.resource.key_of(row.named)

    def _judge(self, rows: list[NamedRow]) -> list[Verdict]:
        self.resource.loader.load([row.named for row in rows])
        self.lines.load(self.resource.loader.found)
        verdicts: list[Verdict] = []
        for key, group in groupby(rows, key=self._key_of):
            several = list(group)
            if key and any(row.named.get("position") not in (None, "") for row in several):
                verdicts += self._with_lines(key, several)
            else:
                verdicts += [self._one(row) for row in several]
        return verdicts

    def _one(self, row: NamedRow) -> Verdict:
        kept = _marks(self.resource)
        verdict = super()._one(row)
        order = self.resource.instance
        names = {column.name for column, _, _ in verdict.changes}
        if verdict.kind == Kind.CHANGED and self.lines.of.get(order.pk):
            for name in names & {"product", "quantity"}:
                verdict.refuse(
                    name, "This order has lines. Please say in a column “line” which one it is."
                )
                _back_to(self.resource, kept)
        elif verdict.kind == Kind.CHANGED and names & {"quantity", "status"}:
            self._to_follow.add(order.pk)
        return verdict

    def _twice(self, first: int) -> str:
        return (
            f"This order is in row {first} already. Please take one of the two out, or number the "
            "products of an order in a column “line”, with its rows below each other."
        )

    def _with_lines(self, key: str, rows: list[NamedRow]) -> list[Verdict]:
        """An order and its lines: all of its rows are right, or none is."""
        top = rows[0]
        first = self._first(key, top.number)
        if first != top.number:
            return [_wrong(row, "number", self._twice(first)) for row in rows]
        kept = _marks(self.resource), _marks(self.lines)
        head = self._head(rows)
        verdicts, lines = self._lines(rows, head)
        head["product"], head["quantity"] = OrderLine.together(lines)
        of_order = self._verdict(self.resource, top, head)
        for line in lines:
            line.order = self.resource.instance
        self._join(of_order, verdicts)
        if any(verdict.kind == Kind.WRONG for verdict in verdicts):
            _back_to(self.resource, kept[0])
            _back_to(self.lines, kept[1])
            _all_wrong(verdicts)
        return verdicts

    def _lines(
        self, rows: list[NamedRow], head: dict[str, Cell]
    ) -> tuple[list[Verdict], list[OrderLine]]:
        """What becomes of rows that are lines of an order, and all the lines that it has then."""
        order = self.lines.order = self.resource.loader.get_instance(head)
        lines = dict(self.lines.of[order.pk]) if order else {}
        verdicts: list[Verdict] = []
        positions: dict[int, int] = {}
        for row in rows:
            verdict = self._line(row, positions)
            self._refuse_two_ways(verdict, row, head)
            if verdict.kind != Kind.WRONG:
                lines[self.lines.instance.position] = self.lines.instance
            verdicts.append(verdict)
        return verdicts, [lines[position] for position in sorted(lines)]

    def _refuse_two_ways(self, verdict: Verdict, row: NamedRow, head: dict[str, Cell]) -> None:
        """Refuse what a row says of its order otherwise than the first that says it."""
        for name, column in self.columns.items():
            cell = row.named.get(name)
            is_said = name in head and cell not in (None, "")
            if is_said and not column.widget.is_same(cell, head[name]):
                verdict.refuse(name, _TWO_WAYS)

    def _line(self, row: NamedRow, positions: dict[int, int]) -> Verdict:
        own = {name: row.named.get(name) for name in OF_LINES}
        first = positions.setdefault(self.lines.position_of(own), row.number)
        if first != row.number:
            why = f"This line is in row {first} already. Please number it anew."
            return _wrong(row, "position", why)
        return self._verdict(self.lines, row, own)

    def _head(self, rows: list[NamedRow]) -> dict[str, Cell]:
        """What the rows say of the order: each cell as it is written first."""
        head: dict[str, Cell] = {}
        for row in rows:
            for name, cell in row.named.items():
                if name not in OF_LINES and head.get(name) in (None, ""):
                    head[name] = cell
        return head

    def _join(self, of_order: Verdict, verdicts: list[Verdict]) -> None:
        """Say in the verdicts of the rows what becomes of the order.

        Its changes are told with a line that is there already, where there is one.
        """
        follows = OF_LINES if self.lines.of.get(self.resource.instance.pk) else ()
        by_hand = [change for change in of_order.changes if change[0].name not in follows]
        first = verdicts[0]
        tells = next((one for one in verdicts if one.kind != Kind.NEW), first)
        tells.changes = [*by_hand, *tells.changes]
        if by_hand and tells.kind == Kind.UNCHANGED:
            tells.kind = Kind.CHANGED
        has_wrong_lines = any(verdict.kind == Kind.WRONG for verdict in verdicts)
        for name, why in of_order.faults.items():
            if name not in OF_LINES or not has_wrong_lines:
                first.refuse(name, why)
        for verdict in verdicts:
            verdict.came_of += of_order.came_of

    def save(self) -> None:
        for order in [*self.resource.create_instances, *self.resource.update_instances]:
            order.customer_id = self.customers.saved(order.customer_id)
        # New ones have no runs that they could follow, and say what their lines say.
        self._to_follow |= {
            line.order_id
            for line in [*self.lines.create_instances, *self.lines.update_instances]
            if line.order_id
        }
        super().save()
        self.lines.save()

    def finish(self) -> None:
        Order.objects.filter(pk__in=self._to_follow).follow()

    def forget(self) -> None:
        super().forget()
        self.lines.forget()


_TWO_WAYS = (
    "Another row of this order says something else. Please write the same in each, "
    "or leave all but the first empty."
)


def _all_wrong(verdicts: list[Verdict]) -> None:
    wrong = next(verdict.row for verdict in verdicts if verdict.kind == Kind.WRONG)
    for verdict in verdicts:
        if verdict.kind != Kind.WRONG:
            verdict.refuse("number", f"Another row of this order is wrong: row {wrong}.")


# Production runs ----------------------------------------------------------------------------------


class RunJudge(Judge):
    resource_class = ProductionRunResource

    def __init__(self, choices: Choices) -> None:
        super().__init__(choices)
        self._to_follow: set[int] = set()

    def _judge(self, rows: list[NamedRow]) -> list[Verdict]:
        names_lines = any(row.named.get("order_line") for row in rows)
        self.resource.names_lines = names_lines
        cells = [row.named.get("order") for row in rows]
        self.resource.columns["order"].widget.look_up(cells, with_lines=names_lines)
        return super()._judge(rows)

    def _one(self, row: NamedRow) -> Verdict:
        verdict = super()._one(row)
        if verdict.kind in (Kind.NEW, Kind.CHANGED):
            was = (before.pk for column, before, _ in verdict.changes if _is_order(column, before))
            self._to_follow |= {self.resource.instance.order_id, *was} - {None}
        return verdict

    def finish(self) -> None:
        Order.objects.filter(pk__in=self._to_follow).follow()


def _is_order(column: Column, value: Any) -> bool:
    return column.name == "order" and value is not None


JUDGES: dict[str, type[Judge]] = {"orders": OrderJudge, "runs": RunJudge}
