from collections import defaultdict
from datetime import date
from functools import reduce
from typing import TYPE_CHECKING, Any, TypeVar

from django.core.validators import MinValueValidator
from django.db import models, transaction
from django.db.models import Max, Value
from django.db.models.functions import Length, Replace, Upper
from django.utils import timezone

from orders.models.customer import Customer
from orders.models.keys import (
    BETWEEN,
    LONGEST_KEY,
    SHORTEST_IN_WORDS,
    KeyField,
    LastFour,
    end_in,
    ends_in,
    keys_in,
    order_key,
    refuse_alike,
)
from orders.models.placing import placed
from orders.models.progress import Need, Next, Step, needs_of, next_run
from orders.models.stamped import Stamped, StampedQuerySet
from whatsapp_bot.models import Contact
from whatsapp_bot.whatsapp_text import preview

if TYPE_CHECKING:
    from orders.models.run import ProductionRun

AT_ONCE = 1000
LONGEST_PRODUCT = 200
MOST_PIECES = 2_147_483_647
"""That a line of an order or a run can be of: as many as their columns hold."""
MOST_ALIKE = 20
OPEN = ["received", "planned", "in_production", "ready", "shipped", "on_hold"]
"""The statuses of an order that is not over. The index of open orders stands on it."""

_REFERENCE = models.F("customer_reference")
Part = TypeVar("Part", bound="OrderPart")


class OrderQuerySet(StampedQuerySet["Order"]):
    def visible_to(self, contact: Contact) -> "OrderQuerySet":
        """A worker may ask for any order, others for those of customers they are linked to."""
        if contact.is_worker:
            return self
        return self.filter(customer__links__contact=contact)

    def open(self) -> "OrderQuerySet":
        return self.filter(status__in=OPEN)

    def late(self) -> "OrderQuerySet":
        """Open, past the due date, and not even shipped."""
        here = self.open().exclude(status=Order.Status.SHIPPED)
        return here.filter(due_date__lt=timezone.localdate())

    def open_of(self, contact: Contact) -> "OrderQuerySet":
        """The open orders of the contact's customers, the next due first."""
        return self.open()._of(contact)

    def begun_of(self, contact: Contact) -> "OrderQuerySet":
        """Those of the contact's customers whose making has begun: what changed last first."""
        begun = self.filter(status__in=[Order.Status.IN_PRODUCTION, *Order.Status.made()])
        return begun._of(contact).order_by("-updated_at", "-pk")

    def _of(self, contact: Contact) -> "OrderQuerySet":
        # With the customers looked up before, an index has them in order.
        return self.filter(
            customer__in=list(contact.customer_links.values_list("customer", flat=True))
        )

    def numbered(self, number: str) -> "OrderQuerySet":
        return self.filter(key=order_key(number))

    def named_in(self, words: str) -> "OrderQuerySet":
        """Those whose number these words are, or hold: `my order is ORD-1001.` The longest first.

        So `ORD 1001` is not the order 1001, where there are both.
        """
        return self.filter(key__in=keys_in(words)).order_by(Length("key").desc())

    def ending_in(self, words: str) -> list["Order"]:
        """Those whose number ends in the one that these words hold: `no. 1001` is ORD-1001."""
        end = end_in(words)
        if not end:
            return []
        alike = self.alias(last=LastFour("key")).filter(last=end[-4:], key__endswith=end)
        # The shortest first: in a long row of numbers many are alike, and few of them end so.
        shortest = alike.order_by(Length("key"))[:MOST_ALIKE]
        found = [one for one in shortest if ends_in(one.number, end)]
        return sorted(found, key=lambda order: order.key)

    def meant_by(self, words: str) -> list["Order"]:
        """The one whose number these words are, or hold; else those whose number ends so."""
        named = self.named_in(words).first()
        return [named] if named else self.ending_in(words)

    def called_by(self, contact: Contact, keys: list[str]) -> "OrderQuerySet":
        """The contact's own ones for which the customer's own number is one of these keys."""
        long = [key for key in keys if len(key) >= SHORTEST_IN_WORDS]
        if not long:
            return self.none()
        plain = reduce(lambda plain, sign: Replace(plain, Value(sign)), BETWEEN, _REFERENCE)
        named = self._of(contact).alias(reference=Upper(plain)).filter(reference__in=long)
        return named.order_by("key")

    def meant_or_called(self, contact: Contact, words: str) -> "list[Order]":
        """As meant_by; else the contact's own ones that the customer calls so."""
        return self.meant_by(words) or list(self.called_by(contact, keys_in(words)))

    def with_progress(self) -> "OrderQuerySet":
        """With what their progress and dates follow from, for several orders at once."""
        return self.prefetch_related("lines", "runs")

    def _with_lists(self) -> "OrderQuerySet":
        """With the same, in a third of the time, for orders that are thrown away afterwards.

        Nothing reads these lists anew when lines or runs change.
        """
        lines, runs = (
            models.Prefetch("lines", to_attr="lines_read"),
            models.Prefetch("runs", to_attr="runs_read"),
        )
        return self.prefetch_related(lines, runs)

    def follow(self) -> None:
        """Have product, quantity and status follow from their lines and runs.

        Lines and runs call it when they are saved or deleted. Who makes many of them at once
        calls it afterwards, once for all orders.
        """
        ids = list(self.values_list("pk", flat=True))
        for first in range(0, len(ids), AT_ONCE):
            Order.objects.filter(pk__in=ids[first : first + AT_ONCE])._follow_together()

    @transaction.atomic
    def _follow_together(self) -> None:
        # Locked before the runs are read: else two that are saved at once would miss each other.
        orders = list(self.order_by("pk").select_for_update(no_key=True)._with_lists())
        other: list[Order] = []
        same: dict[str, list[int]] = defaultdict(list)
        for order in orders:
            if order.work_out():
                other.append(order)
            else:
                same[order.status].append(order.pk)
        # They are there and locked. A bulk_update() would take several times as long.
        Order.objects.bulk_create(
            other,
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=["product", "quantity", "status"],
        )
        for status, ids in same.items():
            Order.objects.filter(pk__in=ids).update(status=status)


class Order(Stamped):
    class Status(models.TextChoices):
        RECEIVED = "received", "received"
        PLANNED = "planned", "planned"
        IN_PRODUCTION = "in_production", "in production"
        READY = "ready", "ready"
        SHIPPED = "shipped", "shipped"
        DELIVERED = "delivered", "delivered"
        ON_HOLD = "on_hold", "on hold"
        CANCELLED = "cancelled", "cancelled"

        @classmethod
        def made(cls) -> "list[Order.Status]":
            return [cls.READY, cls.SHIPPED, cls.DELIVERED]

        @classmethod
        def led_by_production(cls) -> "list[Order.Status]":
            """What an order is while it follows from its runs, in this order."""
            return [cls.RECEIVED, cls.PLANNED, cls.IN_PRODUCTION, cls.READY]

    number = models.CharField(max_length=LONGEST_KEY)
    key = KeyField(of="number")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="orders", db_index=False)
    customer_reference = models.CharField(max_length=LONGEST_KEY, blank=True)
    product = models.CharField(
        max_length=LONGEST_PRODUCT, help_text="With lines below: what they say, together."
    )
    quantity = models.PositiveBigIntegerField(
        validators=[MinValueValidator(1)], help_text="With lines below: what they add up to."
    )
    due_date = models.DateField(null=True, blank=True)
    status = models.CharField(max_length=15, choices=Status, default=Status.RECEIVED)
    notes = models.TextField("notes for the customer", blank=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["due_date", "pk"]
        indexes = [
            models.Index(fields=["updated_at", "id"], name="order_updated"),
            models.Index(fields=["customer", "updated_at", "id"], name="order_customer_updated"),
            models.Index(fields=["status", "updated_at", "id"], name="order_status_updated"),
            models.Index(fields=["customer_reference"], name="order_customer_reference"),
            models.Index(fields=["due_date", "id"], name="order_due"),
            models.Index(LastFour("key"), name="order_end"),
            models.Index(
                fields=["customer", "due_date", "id"],
                name="order_open",
                condition=models.Q(status__in=OPEN),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def clean(self) -> None:
        refuse_alike(self, of="number", what="An order number")

    @transaction.atomic
    def put_lines(self, wanted: list[dict[str, Any]]) -> bool:
        """Give it these lines, each with product, quantity and perhaps position, and no others.

        Returns False when it had just these. What follows from lines is left to `follow`.
        """
        there = {line.position: line for line in self.lines.all()}
        said = placed(wanted, list(there.values()))
        gone = [line.pk for position, line in there.items() if position not in said]
        new = [
            OrderLine(order=self, **line)
            for position, line in said.items()
            if position not in there
        ]
        other = [line for line in there.values() if line.differs_from(said.get(line.position))]
        for line in other:
            line.product = said[line.position]["product"]
            line.quantity = said[line.position]["quantity"]
        if gone:
            OrderLine.objects.filter(pk__in=gone).delete()
        OrderLine.objects.bulk_update(other, ["product", "quantity"])
        OrderLine.objects.bulk_create(new)
        return bool(gone or new or other)

    # Progress ------------------------------------------------------------------------------------

    def needs(self) -> list[Need]:
        """What is to be made for it: of each line, or else the whole."""
        lines, runs = self._lines, self._runs
        return needs_of(lines, runs) if lines else [Need(self.product, self.quantity, runs)]

    @property
    def _lines(self) -> "list[OrderLine]":
        return self.lines_read if "lines_read" in vars(self) else list(self.lines.all())

    @property
    def _runs(self) -> "list[ProductionRun]":
        return self.runs_read if "runs_read" in vars(self) else list(self.runs.all())

    @property
    def is_made(self) -> bool:
        """Is it made, whatever its runs say?"""
        return self.status in Order.Status.made()

    def made(self) -> int:
        """How many have been made so far: all once it is ready, until then what the runs made."""
        return self.quantity if self.is_made else sum(need.made for need in self.needs())

    def promised(self) -> date | None:
        """When it will be made: when the runs that are planned for what is missing end.

        Until they cover it, and once it is made: the due date, unless that is over. What is on
        hold, cancelled or has left has none.
        """
        Status = Order.Status
        if self.status in (Status.ON_HOLD, Status.CANCELLED, Status.SHIPPED, Status.DELIVERED):
            return None
        now = timezone.now()
        missing = [] if self.is_made else [need for need in self.needs() if need.missing]
        ends = [need.covered_at(now) for need in missing]
        if ends and all(ends):
            return timezone.localdate(max(filter(None, ends)))
        in_time = self.due_date and self.due_date >= timezone.localdate(now)
        return self.due_date if in_time else None

    def next_step(self) -> Step | None:
        """What happens next with it; None when it is over."""
        match self.status:
            case Order.Status.CANCELLED | Order.Status.DELIVERED:
                return None
            case Order.Status.ON_HOLD:
                return Step(Next.DECIDE)
            case Order.Status.SHIPPED:
                return Step(Next.DELIVER)
            case Order.Status.READY:
                return Step(Next.SHIP)
        if not any(need.missing for need in self.needs()):
            return Step(Next.FINISH)
        return next_run(self.runs.all(), timezone.now())

    def work_out(self) -> bool:
        """Work out product, quantity and status. True: it is of other products, or quantities."""
        before = self.product, self.quantity
        if lines := self._lines:
            self.product, self.quantity = OrderLine.together(lines)
        led = Order.Status.led_by_production()
        if self.status in led:
            self.status = max(Order.Status(self.status), self._led_to(), key=led.index)
        return before != (self.product, self.quantity)

    def _led_to(self) -> "Order.Status":
        """How far its runs have led it. Ready: nothing is missing, and no run is to come."""
        runs = self._runs
        is_at_work = any(run.is_open for run in runs)
        if not any(run.has_begun for run in runs):
            return Order.Status.PLANNED if is_at_work else Order.Status.RECEIVED
        is_missing = any(need.missing for need in self.needs())
        return Order.Status.IN_PRODUCTION if is_at_work or is_missing else Order.Status.READY


class OrderPartQuerySet(StampedQuerySet[Part]):
    @transaction.atomic
    def delete(self) -> tuple[int, dict[str, int]]:
        orders = list(self.values_list("order_id", flat=True))
        deleted = super().delete()
        Order.objects.filter(pk__in=orders).follow()
        return deleted

    delete.alters_data = True
    delete.queryset_only = True


class OrderPart(Stamped):
    """What an order follows from. With it changes the order, and the one that had it before."""

    objects = OrderPartQuerySet.as_manager()

    class Meta:
        abstract = True

    @transaction.atomic
    def save(self, **options: Any) -> None:
        same = type(self)._base_manager.filter(pk=self.pk)
        before = [] if self._state.adding else list(same.values_list("order_id", flat=True))
        super().save(**options)
        Order.objects.filter(pk__in=[self.order_id, *before]).follow()

    @transaction.atomic
    def delete(self, **options: Any) -> tuple[int, dict[str, int]]:
        deleted = super().delete(**options)
        Order.objects.filter(pk=self.order_id).follow()
        return deleted


class OrderLine(OrderPart):
    """One of several products of an order."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="lines", db_index=False)
    position = models.PositiveIntegerField(blank=True, help_text="Empty: the next one.")
    product = models.CharField(max_length=LONGEST_PRODUCT)
    quantity = models.PositiveIntegerField(validators=[MinValueValidator(1)])

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["order", "position"], name="order_line_once")
        ]
        indexes = [models.Index(fields=["updated_at", "id"], name="order_line_updated")]

    def __str__(self) -> str:
        return f"{self.order}/{self.position} {self.product}"

    @staticmethod
    def together(lines: "list[OrderLine]") -> tuple[str, int]:
        """What an order with these lines is of, and how many of it."""
        products = dict.fromkeys(line.product for line in lines)
        return preview(", ".join(products), LONGEST_PRODUCT), sum(line.quantity for line in lines)

    def differs_from(self, wanted: dict[str, Any] | None) -> bool:
        """Is what is wanted at its position something else?"""
        return wanted is not None and (self.product, self.quantity) != (
            wanted["product"],
            wanted["quantity"],
        )

    def save(self, **options: Any) -> None:
        if self.position is None:
            last = self.order.lines.aggregate(last=Max("position"))["last"] or 0
            self.position = last + 1
        super().save(**options)
