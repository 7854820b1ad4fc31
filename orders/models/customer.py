from django.db import models

from orders.models.keys import LONGEST_KEY, KeyField, refuse_alike
from orders.models.stamped import Stamped
from whatsapp_bot.models import Contact

LONGEST_CUSTOMER = 200


class Customer(Stamped):
    name = models.CharField(max_length=LONGEST_CUSTOMER)
    reference = models.CharField(
        max_length=LONGEST_KEY, blank=True, help_text="As in your other systems."
    )
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
