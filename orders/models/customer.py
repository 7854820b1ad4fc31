from django.db import models

from orders.models.keys import KeyField, refuse_alike
from orders.models.stamped import Stamped
from whatsapp_bot.models import Contact


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
