from datetime import UTC, datetime
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import connection, models, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from orders.models.customer import Customer
from orders.models.keys import order_key
from orders.models.order import Order
from whatsapp_bot.models import Contact
from whatsapp_bot.models.contact import Role

log = structlog.get_logger("orders")


class CustomerLinkQuerySet(models.QuerySet["CustomerLink"]):
    def by_knowledge(self, contact: Contact, number: str, reference: str) -> "CustomerLink | None":
        """Link the contact to the customer whose order number and reference they know.

        None, after the same one statement, when that is wrong, the contact has a link already, or
        staff have undone this one before.
        """
        linked = CustomerLink.objects.filter(contact=contact)
        undone = UndoneLink.objects.filter(contact=contact, customer=OuterRef("customer"))
        known = Order.objects.numbered(number).filter(customer__key=order_key(reference))
        known = known.exclude(Exists(linked)).exclude(Exists(undone)).select_related("customer")
        order = known.first()
        if not order:
            return None
        link = self.create(
            contact=contact,
            customer=order.customer,
            origin=CustomerLink.Origin.THEMSELVES,
            order=order,
        )
        log.info("linked themselves", contact=contact.pk, customer=order.customer_id)
        return link


class CustomerLink(models.Model):
    """A contact who may know of a customer's orders.

    order: the one whose number somebody knew who linked themselves.
    """

    class Origin(models.TextChoices):
        STAFF = "staff", "staff"
        THEMSELVES = "themselves", "themselves"

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="links")
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="customer_links")
    created_at = models.DateTimeField("since", default=timezone.now, editable=False)
    origin = models.CharField(
        "linked by", max_length=10, choices=Origin, default=Origin.STAFF, editable=False
    )
    order = models.ForeignKey(
        Order,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
        verbose_name="with order",
    )

    objects = CustomerLinkQuerySet.as_manager()

    class Meta:
        verbose_name = "link to a customer"
        verbose_name_plural = "links to customers"
        constraints = [
            models.UniqueConstraint(fields=["contact", "customer"], name="customer_link_once")
        ]

    def __str__(self) -> str:
        return f"{self.contact} – {self.customer}"

    def save(self, **options: Any) -> None:
        super().save(**options)
        if self.contact.role == Role.UNKNOWN:
            self.contact.role = Role.CUSTOMER
            self.contact.save(update_fields=["role"])

    @transaction.atomic
    def undo(self, by: AbstractBaseUser | None = None) -> None:
        """Take the link away. The contact cannot make it again, only staff can."""
        UndoneLink.objects.update_or_create(
            contact=self.contact,
            customer=self.customer,
            defaults={"by": by, "at": timezone.now()},
        )
        self.delete()
        contact = self.contact
        if contact.role == Role.CUSTOMER and not contact.customer_links.exists():
            contact.role = Role.UNKNOWN
            contact.save(update_fields=["role"])
        log.info("link undone", contact=contact.pk, customer=self.customer_id)


class UndoneLink(models.Model):
    """A contact whom staff have unlinked from a customer, and who cannot link themselves again."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+")
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["contact", "customer"], name="undone_link_once")
        ]

    def __str__(self) -> str:
        return f"{self.contact} – {self.customer}"


class LinkingHour(models.Model):
    """How often anybody tried to link themselves within an hour, counted from the epoch."""

    ALLOWED = 100

    hour = models.PositiveIntegerField(primary_key=True)
    tries = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.tries}"

    @classmethod
    def forget_earlier(cls) -> None:
        """Delete the counts of hours that are over."""
        cls.objects.filter(hour__lt=cls._now()).delete()

    @staticmethod
    def _now() -> int:
        return int(timezone.now().timestamp()) // 3600

    @classmethod
    def count(cls) -> datetime | None:
        """Count one more try. Returns when the next hour begins, if this was one too many."""
        hour = cls._now()
        with connection.cursor() as cursor:
            # One statement, so that of tries at the same moment none is lost.
            cursor.execute(
                "INSERT INTO orders_linkinghour (hour, tries) VALUES (%s, 1) ON CONFLICT (hour) "
                "DO UPDATE SET tries = orders_linkinghour.tries + 1 RETURNING tries",
                [hour],
            )
            (tries,) = cursor.fetchone()
        if tries == cls.ALLOWED + 1:
            log.warning("too many tries to link themselves", allowed=cls.ALLOWED)
        return datetime.fromtimestamp((hour + 1) * 3600, tz=UTC) if tries > cls.ALLOWED else None
