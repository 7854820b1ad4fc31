from typing import Any

from django.db import models
from django.db.models import Max, Sum

from orders.models.customer import Customer
from orders.models.keys import KeyField, order_key, refuse_alike
from orders.models.stamped import Stamped, StampedQuerySet
from whatsapp_bot.models import Contact


class OrderQuerySet(StampedQuerySet["Order"]):
    def visible_to(self, contact: Contact) -> "OrderQuerySet":
        """A worker may ask for any order, others for those of customers they are linked to."""
        if contact.is_worker:
            return self
        return self.filter(customer__links__contact=contact)

    def open(self) -> "OrderQuerySet":
        return self.exclude(status__in=Order.Status.over())

    def numbered(self, number: str) -> "OrderQuerySet":
        return self.filter(key=order_key(number))


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
        def over(cls) -> "list[Order.Status]":
            return [cls.DELIVERED, cls.CANCELLED]

        @classmethod
        def made(cls) -> "list[Order.Status]":
            return [cls.READY, cls.SHIPPED, cls.DELIVERED]

    number = models.CharField(max_length=60)
    key = KeyField(of="number")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="orders")
    customer_reference = models.CharField(max_length=60, blank=True)
    product = models.CharField(
        max_length=200, help_text="With lines below: what they say, together."
    )
    quantity = models.PositiveBigIntegerField(help_text="With lines below: what they add up to.")
    due_date = models.DateField(null=True, blank=True)
    status = models.CharField(max_length=15, choices=Status, default=Status.RECEIVED)
    notes = models.TextField("notes for the customer", blank=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["due_date", "pk"]
        indexes = [models.Index(fields=["updated_at", "id"], name="order_updated")]

    def __str__(self) -> str:
        return self.number

    def clean(self) -> None:
        refuse_alike(self, of="number", what="An order number")

    def made(self) -> int:
        """How many have been made so far: all once it is ready, until then what the runs made."""
        if self.status in Order.Status.made():
            return self.quantity
        return self.runs.aggregate(made=Sum("made"))["made"] or 0


class OrderLine(Stamped):
    """One of several products of an order."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="lines", db_index=False)
    position = models.PositiveIntegerField(blank=True, help_text="Empty: the next one.")
    product = models.CharField(max_length=200)
    quantity = models.PositiveIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["order", "position"], name="order_line_once")
        ]
        indexes = [models.Index(fields=["updated_at", "id"], name="order_line_updated")]

    def __str__(self) -> str:
        return f"{self.order}/{self.position} {self.product}"

    def save(self, **options: Any) -> None:
        if self.position is None:
            last = self.order.lines.aggregate(last=Max("position"))["last"] or 0
            self.position = last + 1
        super().save(**options)
