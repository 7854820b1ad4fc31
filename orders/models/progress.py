"""How far an order is, when it will be made, and what happens next: all from its runs."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone

from orders.models.keys import product_key

if TYPE_CHECKING:
    from orders.models.order import OrderLine
    from orders.models.run import ProductionRun


class Next(models.TextChoices):
    """What happens next with an order."""

    PLAN = "plan", "production is planned"
    BEGIN = "begin", "production begins"
    GO_ON = "go_on", "production goes on"
    MAKE = "make", "the rest is made"
    FINISH = "finish", "it is made ready to be shipped"
    SHIP = "ship", "shipping"
    DELIVER = "deliver", "delivery"
    DECIDE = "decide", "the team decides how it goes on"


@dataclass(frozen=True, slots=True)
class Step:
    """What happens next, and on which day, where that is known."""

    what: Next
    on: date | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """A quantity of something that is to be made, and the runs that make it."""

    product: str
    quantity: int
    runs: "list[ProductionRun]"

    @property
    def made(self) -> int:
        """How many of them are made: what is made beyond the quantity is not for the order."""
        return min(sum(run.made for run in self.runs), self.quantity)

    @property
    def missing(self) -> int:
        return self.quantity - self.made

    def covered_at(self, now: datetime) -> datetime | None:
        """When the runs to come will have made what is missing; None when they do not."""
        missing = self.missing
        for run in sorted(self.runs, key=lambda run: run.ends):
            if missing <= 0:
                break
            missing -= run.to_come(now)
            if missing <= 0:
                return run.ends
        return now if missing <= 0 else None


def needs_of(lines: "Iterable[OrderLine]", runs: "Iterable[ProductionRun]") -> list[Need]:
    """What is to be made for each line.

    A run that names no line counts for the one line with its product, if there is just one.
    """
    lines, runs = list(lines), list(runs)
    by_product: dict[str, list[int]] = {}
    for line in lines:
        by_product.setdefault(product_key(line.product), []).append(line.pk)
    by_line: dict[int, list[ProductionRun]] = {line.pk: [] for line in lines}
    for run in runs:
        alike = by_product.get(product_key(run.product), [])
        line = run.order_line_id or (alike[0] if len(alike) == 1 else None)
        if line in by_line:
            by_line[line].append(run)
    return [Need(line.product, line.quantity, by_line[line.pk]) for line in lines]


def next_run(runs: "Iterable[ProductionRun]", now: datetime) -> Step:
    """What production does next, while something is missing."""
    coming = sorted((run for run in runs if run.to_come(now)), key=lambda run: run.begins)
    if any(run.is_running for run in runs):
        return Step(Next.MAKE)
    if not coming:
        return Step(Next.PLAN)
    begun = any(run.has_begun for run in runs)
    begins = timezone.localdate(max(coming[0].begins, now))
    return Step(Next.GO_ON if begun else Next.BEGIN, begins)
