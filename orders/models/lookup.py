from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone

from orders.models.keys import LONGEST_KEY
from whatsapp_bot.models import Contact


class WrongLookupQuerySet(models.QuerySet["WrongLookup"]):
    def of(self, contact: Contact) -> "WrongLookupQuerySet":
        """What the contact asked for in vain within the last hour."""
        return self.filter(contact=contact, at__gt=timezone.now() - WrongLookup.REMEMBERED)


class WrongLookup(models.Model):
    """An order number that somebody asked for and may not know of, or that does not exist."""

    REMEMBERED = timedelta(hours=1)
    ALLOWED = 5

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="+", db_index=False)
    number = models.CharField(max_length=LONGEST_KEY)
    at = models.DateTimeField(default=timezone.now)

    objects = WrongLookupQuerySet.as_manager()

    class Meta:
        verbose_name = "wrong order number"
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
