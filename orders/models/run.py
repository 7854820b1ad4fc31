from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from orders.models.factory import Line, midnight
from orders.models.keys import LONGEST_KEY, KeyField, refuse_alike
from orders.models.order import (
    LONGEST_PRODUCT,
    OPEN,
    Order,
    OrderLine,
    OrderPart,
    OrderPartQuerySet,
)
from whatsapp_bot.models import Contact


class ProductionRunQuerySet(OrderPartQuerySet["ProductionRun"]):
    def visible_to(self, contact: Contact) -> "ProductionRunQuerySet":
        """A worker sees every line, others the runs of open orders that are theirs."""
        if contact.is_worker:
            return self
        # Of the orders that are over there are many, and hardly one has a run in sight.
        return self.filter(order__customer__links__contact=contact, order__status__in=OPEN)

    def between(self, first: date, last: date) -> "ProductionRunQuerySet":
        """Runs that work on any day from `first` to `last`, both included."""
        return self.during(midnight(first), midnight(last + timedelta(days=1)))

    def during(self, begins: datetime, ends: datetime) -> "ProductionRunQuerySet":
        """Runs that work at any moment between the two."""
        runs = self.filter(begins__lt=ends, ends__gt=begins)
        return runs.exclude(status=ProductionRun.Status.CANCELLED)


class ProductionRun(OrderPart):
    """When a line makes what, for an order or for stock."""

    class Status(models.TextChoices):
        PLANNED = "planned", "planned"
        RUNNING = "running", "running"
        FINISHED = "finished", "finished"
        CANCELLED = "cancelled", "cancelled"

    reference = models.CharField(
        max_length=LONGEST_KEY, blank=True, help_text="Its number in your other systems."
    )
    key = KeyField(of="reference", null=True, blank=True)
    order = models.ForeignKey(
        Order, models.CASCADE, null=True, blank=True, related_name="runs", help_text="Empty: stock."
    )
    order_line = models.ForeignKey(
        OrderLine,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="runs",
        help_text="Of an order with several products.",
    )
    line = models.ForeignKey(Line, models.PROTECT, related_name="runs", db_index=False)
    product = models.CharField(max_length=LONGEST_PRODUCT)
    begins = models.DateTimeField("planned start", db_index=True)
    ends = models.DateTimeField("planned end")
    quantity = models.PositiveIntegerField("quantity planned")
    made = models.PositiveIntegerField(default=0)
    scrapped = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=10, choices=Status, default=Status.PLANNED)

    objects = ProductionRunQuerySet.as_manager()

    class Meta:
        ordering = ["begins", "line__name", "pk"]
        indexes = [
            models.Index(fields=["updated_at", "id"], name="run_updated"),
            models.Index(fields=["status", "updated_at", "id"], name="run_status_updated"),
            models.Index(fields=["ends", "begins"], name="run_ends"),
            models.Index(fields=["line", "ends", "begins"], name="run_line"),
        ]
        constraints = [
            models.CheckConstraint(
                name="run_ends_after_it_begins",
                condition=models.Q(ends__gt=models.F("begins")),
                violation_error_message="A run has to end after it begins.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.product} on {self.line}"

    def clean(self) -> None:
        refuse_alike(self, of="reference", what="A reference")
        if self.order_line and self.order_id not in (None, self.order_line.order_id):
            raise ValidationError({"order_line": "This line is another order's."})

    def save(self, **options: Any) -> None:
        if self.order_line:
            self.order_id = self.order_line.order_id
        super().save(**options)

    @property
    def is_running(self) -> bool:
        return self.status == ProductionRun.Status.RUNNING

    @property
    def is_open(self) -> bool:
        """Is it still to be made, or being made?"""
        return self.status in (ProductionRun.Status.PLANNED, ProductionRun.Status.RUNNING)

    @property
    def has_begun(self) -> bool:
        return self.made > 0 or self.status in (
            ProductionRun.Status.RUNNING,
            ProductionRun.Status.FINISHED,
        )

    def to_come(self, now: datetime) -> int:
        """How many it is still to make. A run that should be over and is not promises nothing."""
        is_late = self.ends <= now
        return max(self.quantity - self.made, 0) if self.is_open and not is_late else 0

    def is_listed(self, day: date, first: date) -> bool:
        """Is it work of `day`, in a list of days from `first` on?

        The morning after a night shift is not, unless the list begins with it.
        """
        begins, ends = timezone.localtime(self.begins), timezone.localtime(self.ends)
        works = begins < midnight(day + timedelta(days=1)) and ends > midnight(day)
        is_tail = begins.date() == day - timedelta(days=1) and ends.date() == day and ends.hour < 12
        return works and (day == first or not is_tail)
