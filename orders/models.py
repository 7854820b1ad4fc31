import re
import unicodedata
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q, Sum
from django.utils import timezone

from whatsapp_bot.models import Contact
from whatsapp_bot.models.contact import Role

_IGNORED = re.compile(r"[\s\u00ad\u200b\-\u2010-\u2015\u2212\ufe58\ufe63\uff0d]+")


def order_key(number: str) -> str:
    """An order number as it is compared: without case, spaces and dashes."""
    return _IGNORED.sub("", unicodedata.normalize("NFKC", number)).upper()


class Customer(models.Model):
    name = models.CharField(max_length=200)
    reference = models.CharField(max_length=60, blank=True, help_text="As in your other systems.")
    contacts = models.ManyToManyField(
        Contact, through="CustomerLink", related_name="customers", blank=True
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class CustomerLink(models.Model):
    """A contact who may know of a customer's orders."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="links")
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="customer_links")
    created_at = models.DateTimeField("since", default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["contact", "customer"], name="customer_link_once")
        ]

    def __str__(self) -> str:
        return f"{self.contact} – {self.customer}"

    def save(self, **options) -> None:
        super().save(**options)
        Contact.objects.filter(pk=self.contact_id, role=Role.UNKNOWN).update(role=Role.CUSTOMER)


class Line(models.Model):
    """A production line."""

    name = models.CharField(max_length=60, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Shift(models.Model):
    """A part of the day that a crew works; one that ends before it begins ends the next day."""

    name = models.CharField(max_length=60, unique=True)
    begins = models.TimeField()
    ends = models.TimeField()

    class Meta:
        ordering = ["begins"]

    def __str__(self) -> str:
        return f"{self.name} {self.begins:%H:%M}–{self.ends:%H:%M}"

    @staticmethod
    def at(moment: time, shifts: "Iterable[Shift]") -> "Shift | None":
        """The shift that works at this time of day: the first of those that do."""
        return next((shift for shift in shifts if shift.has(moment)), None)

    def has(self, moment: time) -> bool:
        """Does it work at this time of day? Seconds do not count."""
        begins, ends = self._to_the_minute()
        if begins < ends:
            return begins <= moment < ends
        return moment >= begins or moment < ends

    def covers(self, at: str) -> Q:
        """Does it work at the moment in the field `at`, in the factory's time zone?"""
        begins, ends = self._to_the_minute()
        after, before = Q(**{f"{at}__time__gte": begins}), Q(**{f"{at}__time__lt": ends})
        return after & before if begins < ends else after | before

    def _to_the_minute(self) -> tuple[time, time]:
        return tuple(at.replace(second=0, microsecond=0) for at in (self.begins, self.ends))


class OrderQuerySet(models.QuerySet["Order"]):
    def visible_to(self, contact: Contact) -> "OrderQuerySet":
        """A worker may ask for any order, others for those of customers they are linked to."""
        if contact.is_worker:
            return self
        return self.filter(customer__links__contact=contact)

    def open(self) -> "OrderQuerySet":
        return self.exclude(status__in=Order.Status.over())

    def numbered(self, number: str) -> "OrderQuerySet":
        return self.filter(key=order_key(number))


class Order(models.Model):
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
    key = models.CharField(max_length=60, unique=True, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="orders")
    customer_reference = models.CharField(max_length=60, blank=True)
    product = models.CharField(max_length=200)
    quantity = models.PositiveIntegerField()
    due_date = models.DateField(null=True, blank=True)
    status = models.CharField(max_length=15, choices=Status, default=Status.RECEIVED)
    notes = models.TextField("notes for the customer", blank=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["due_date", "pk"]

    def __str__(self) -> str:
        return self.number

    def save(self, **options) -> None:
        self.key = order_key(self.number)
        super().save(**options)

    def clean(self) -> None:
        self.key = order_key(self.number)
        if not self.key:
            raise ValidationError({"number": "An order number needs a letter or a digit."})
        alike = Order.objects.filter(key=self.key).exclude(pk=self.pk).first()
        if alike:
            raise ValidationError({"number": f"There is an order {alike.number} already."})

    def made(self) -> int:
        """How many have been made so far: all once it is ready, until then what the runs made."""
        if self.status in Order.Status.made():
            return self.quantity
        return self.runs.aggregate(made=Sum("made"))["made"] or 0


class ProductionRunQuerySet(models.QuerySet["ProductionRun"]):
    def visible_to(self, contact: Contact) -> "ProductionRunQuerySet":
        """A worker sees every line, others the runs of orders that are theirs."""
        if contact.is_worker:
            return self
        return self.filter(order__customer__links__contact=contact)

    def between(self, first: date, last: date) -> "ProductionRunQuerySet":
        """Runs that work on any day from `first` to `last`, both included."""
        runs = self.filter(
            begins__lt=_midnight(last + timedelta(days=1)), ends__gt=_midnight(first)
        )
        return runs.exclude(status=ProductionRun.Status.CANCELLED)


class ProductionRun(models.Model):
    """When a line makes what, for an order or for stock."""

    class Status(models.TextChoices):
        PLANNED = "planned", "planned"
        RUNNING = "running", "running"
        FINISHED = "finished", "finished"
        CANCELLED = "cancelled", "cancelled"

    order = models.ForeignKey(
        Order, models.CASCADE, null=True, blank=True, related_name="runs", help_text="Empty: stock."
    )
    line = models.ForeignKey(Line, models.PROTECT, related_name="runs")
    product = models.CharField(max_length=200)
    begins = models.DateTimeField("planned start", db_index=True)
    ends = models.DateTimeField("planned end", db_index=True)
    quantity = models.PositiveIntegerField("quantity planned")
    made = models.PositiveIntegerField(default=0)
    scrapped = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=10, choices=Status, default=Status.PLANNED)

    objects = ProductionRunQuerySet.as_manager()

    class Meta:
        ordering = ["begins", "line__name", "pk"]
        constraints = [
            models.CheckConstraint(
                name="run_ends_after_it_begins",
                condition=models.Q(ends__gt=models.F("begins")),
                violation_error_message="A run has to end after it begins.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.product} on {self.line}"

    def is_listed(self, day: date, first: date) -> bool:
        """Is it work of `day`, in a list of days from `first` on?

        The morning after a night shift is not, unless the list begins with it.
        """
        begins, ends = timezone.localtime(self.begins), timezone.localtime(self.ends)
        works = begins < _midnight(day + timedelta(days=1)) and ends > _midnight(day)
        is_tail = begins.date() == day - timedelta(days=1) and ends.date() == day and ends.hour < 12
        return works and (day == first or not is_tail)


class WrongLookupQuerySet(models.QuerySet["WrongLookup"]):
    def of(self, contact: Contact) -> "WrongLookupQuerySet":
        """What the contact asked for in vain within the last hour."""
        return self.filter(contact=contact, at__gt=timezone.now() - WrongLookup.REMEMBERED)


class WrongLookup(models.Model):
    """An order number that somebody asked for and may not know of, or that does not exist."""

    REMEMBERED = timedelta(hours=1)
    ALLOWED = 5

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="+", db_index=False)
    number = models.CharField(max_length=60)
    at = models.DateTimeField(default=timezone.now)

    objects = WrongLookupQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["contact", "at"], name="wrong_lookup_contact_at")]

    def __str__(self) -> str:
        return self.number

    @classmethod
    def wait_until(cls, contact: Contact) -> datetime | None:
        """When the contact may try again; None when that is now. Workers may always."""
        if contact.is_worker:
            return None
        tries = list(cls.objects.of(contact).order_by("-at").values_list("at", flat=True))
        return tries[cls.ALLOWED - 1] + cls.REMEMBERED if len(tries) >= cls.ALLOWED else None


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
