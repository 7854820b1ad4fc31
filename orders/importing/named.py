"""Customers, lines and orders as a file names them."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from rapidfuzz import fuzz, process

from orders.importing.columns import Column
from orders.importing.tables import Cell
from orders.importing.values import CellWidget, Reference, Text, plain, quoted
from orders.models import Customer, Line, Order, order_key
from orders.models.customer import LONGEST_CUSTOMER
from orders.models.factory import LONGEST_LINE

ALIKE = 70
"""How alike, of 100, a name has to be to be suggested."""


class Customers:
    """Whom the file's orders are for.

    unknown: those that are not known, by name, with the number of rows that name them.
    new: those of them that are to be made; they have ids below zero until they are.
    """

    def __init__(self, *, makes: bool = False) -> None:
        self.makes = makes
        self.unknown: Counter[str] = Counter()
        self.new: dict[int, Customer] = {}
        self._names: dict[int | None, str] = {}
        self._references: dict[int | None, str] = {}
        self._by_name: dict[str, list[int]] = {}
        self._by_key: dict[str, int] = {}
        self._suggested: dict[str, str] = {}
        customers = Customer.objects.order_by("pk")
        for pk, name, reference in customers.values_list("pk", "name", "reference"):
            self._add(pk, name, reference)

    def _add(self, pk: int, name: str, reference: str) -> None:
        self._names[pk] = name
        self._by_name.setdefault(plain(name), []).append(pk)
        if key := order_key(reference):
            self._by_key[key] = pk
            self._references[pk] = reference

    def in_words(self, pk: int | None) -> str:
        """The name, with the reference where others are called the same."""
        name, reference = self._names.get(pk, ""), self._references.get(pk)
        is_shared = len(self._by_name.get(plain(name), [])) > 1
        return f"{name} ({reference})" if is_shared and reference else name

    def in_file(self, pk: int | None) -> str:
        """By what the customer is found again."""
        return self._references.get(pk) or self._names.get(pk, "")

    def find(self, name: str, reference: str) -> int:
        """The one who is called so, or has that reference. Raises ValueError."""
        pk = self._by_key.get(order_key(reference or name))
        if pk:
            return pk
        called = self._by_name.get(plain(name), []) if name else []
        if reference:  # of somebody else, who is called the same
            called = [one for one in called if one not in self._references]
        if len(called) > 1:
            raise ValueError(
                f"{len(called)} customers are called {quoted(name)}. "
                "Please write the reference instead."
            )
        return called[0] if called else self._unknown(name, reference)

    def _unknown(self, name: str, reference: str) -> int:
        called = name or reference
        self.unknown[called] += 1
        if self.makes:
            return self._make(called, reference)
        raise ValueError(
            f"The customer {quoted(called)} is not known.{self._suggestion(name)} "
            "Please mend it, or have customers that are not known made."
        )

    def _make(self, name: str, reference: str) -> int:
        pk = -len(self.new) - 1
        self.new[pk] = Customer(name=name, reference=reference)
        self._add(pk, name, reference)
        return pk

    def _suggestion(self, name: str) -> str:
        if name and name not in self._suggested and len(self._suggested) < 200:
            best = process.extractOne(
                name, self._names, scorer=fuzz.WRatio, processor=str.casefold, score_cutoff=ALIKE
            )
            self._suggested[name] = f" Is it {quoted(best[0])}?" if best else ""
        return self._suggested.get(name, "")

    def saved(self, pk: int) -> int:
        """The id of a customer who is made if that has not been done yet."""
        customer = self.new.get(pk)
        if not customer:
            return pk
        if not customer.pk:
            customer.save()
        return customer.pk


class CustomerCell(CellWidget):
    """A customer by name or reference; a column of its own may have the reference."""

    def __init__(self) -> None:
        super().__init__()
        self.customers: Customers
        self._name, self._reference = Text(LONGEST_CUSTOMER), Reference()

    def clean(self, value: Cell, row: Any = None, **kwargs: Any) -> int | None:
        name = self._name.clean(value) or ""
        reference = self._reference.clean(row.get("customer_number")) or ""
        return self.customers.find(name, reference) if name or reference else None

    def __deepcopy__(self, memo: Any) -> "CustomerCell":
        return type(self)()


class CustomerColumn(Column):
    widget: CustomerCell

    def in_words(self, value: Any) -> str:
        return self.widget.customers.in_words(value)

    def in_file(self, value: Any) -> str:
        return self.widget.customers.in_file(value)


_NAME, _REFERENCE = Text(LONGEST_LINE), Reference()


class LineCell(CellWidget):
    """A production line by its name."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: dict[str, Line] | None = None

    def understand(self, value: Any, row: Any) -> Line:
        if self._lines is None:
            self._lines = {plain(line.name): line for line in Line.objects.all()}
        name = _NAME.understand(value, row)
        line = self._lines.get(plain(name))
        if not line:
            known = ", ".join(line.name for line in list(self._lines.values())[:12])
            raise ValueError(
                f"There is no line {quoted(name)}. "
                + (f"Please write one of: {known}." if known else "Please add it under Lines.")
            )
        return line


class OrderCell(CellWidget):
    """An order by its number."""

    def __init__(self) -> None:
        super().__init__()
        self._found: dict[str, Order] = {}

    def look_up(self, cells: Iterable[Cell], *, with_lines: bool) -> None:
        """Find those that the rows at hand name."""
        keys = {key for cell in cells if (key := _REFERENCE.key_of(cell))}
        named = Order.objects.filter(key__in=keys)
        if with_lines:
            named = named.prefetch_related("lines")
        self._found = {one.key: one for one in named}

    def understand(self, value: Any, row: Any) -> Order:
        number = _REFERENCE.understand(value, row)
        order = self._found.get(order_key(number))
        if not order:
            raise ValueError(
                f"There is no order {quoted(number)}. Please mend the number, import the order "
                "first, or leave the cell empty when it is for stock."
            )
        return order


class OrderLineColumn(Column):
    """A line of a run's order, by its position there."""

    def fill(self, instance: Any, row: dict[str, Any]) -> None:
        position = self.clean(row)
        if position is None:
            return
        if not instance.order:
            raise ValueError("It is of no order. Please write which one, or leave this cell empty.")
        lines = {line.position: line for line in instance.order.lines.all()}
        if position not in lines:
            raise ValueError(
                f"The order {instance.order} has no line {position}. "
                "Please mend it, or leave the cell empty when the run is for the whole order."
            )
        instance.order_line = lines[position]

    def in_words(self, value: Any) -> str:
        return str(value.position) if value else ""
