from django.db import models
from django.utils import timezone

from orders.models.keys import KeyField, refuse_alike
from orders.models.stamped import Stamped
from whatsapp_bot.models import Contact
from whatsapp_bot.models.contact import Role


class Customer(Stamped):
    name = models.CharField(max_length=200)
    reference = models.CharField(max_length=60, blank=True, help_text="As in your other systems.")
    key = KeyField(of="reference", null=True, blank=True)
    contacts = models.ManyToManyField(
        Contact, through="CustomerLink", related_name="customers", blank=True
    )

    class Meta:
        ordering = ["name"]
        indexes = [models.Index(fields=["updated_at", "id"], name="customer_updated")]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        refuse_alike(self, of="reference", what="A reference")


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
