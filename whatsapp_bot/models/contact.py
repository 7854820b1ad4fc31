from django.db import IntegrityError, models, transaction
from django.utils import timezone


class Role(models.TextChoices):
    UNKNOWN = "unknown", "unknown"
    CUSTOMER = "customer", "customer"
    WORKER = "worker", "worker"


class Contact(models.Model):
    """A person on WhatsApp: known by a phone number, by a WhatsApp user id, or by both.

    The user id identifies: a phone number may pass on to somebody else.
    """

    phone = models.CharField(max_length=16, null=True, blank=True, unique=True)
    user_id = models.CharField(
        "WhatsApp user id", max_length=131, null=True, blank=True, unique=True
    )
    name = models.CharField(
        max_length=200, blank=True, help_text="As the person chose it on WhatsApp."
    )
    role = models.CharField(max_length=10, choices=Role, default=Role.UNKNOWN)
    language = models.CharField(max_length=10, blank=True)
    created_at = models.DateTimeField("first seen", default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="contact_has_an_address",
                condition=models.Q(phone__isnull=False) | models.Q(user_id__isnull=False),
                violation_error_message="A contact needs a phone number or a WhatsApp user id.",
            )
        ]

    def __str__(self) -> str:
        return self.name or self.address

    @property
    def address(self) -> str:
        """The phone number, or the user id of somebody who hides it: either can be written to."""
        return self.phone or self.user_id or ""

    @property
    def is_worker(self) -> bool:
        return self.role == Role.WORKER

    def clean(self) -> None:
        # Two contacts without a phone number are not two with the same one.
        self.phone = self.phone or None
        self.user_id = self.user_id or None

    def learn_name(self, name: str) -> None:
        if name and name != self.name:
            self.name = name
            self.save(update_fields=["name"])

    def absorb(self, newer: "Contact") -> None:
        """Become one with `newer`, who is the same person after all: take over all that is theirs.

        To be called in a transaction that has locked both conversations.
        """
        self.conversation.go_on_from(newer.conversation)
        for relation in self._meta.related_objects:
            if relation.one_to_many:
                _hand_over(relation.related_model, relation.field.name, newer, self)
        newer.delete()
        self.phone = newer.phone or self.phone
        self.user_id = newer.user_id or self.user_id
        self.name = newer.name or self.name
        if self.role == Role.UNKNOWN:
            self.role = newer.role
        self.save()


def _hand_over(model: type[models.Model], field: str, giver: Contact, taker: Contact) -> None:
    """Point all rows of `model` from `giver` to `taker`, but for those that the taker has too."""
    rows = model._base_manager.filter(**{field: giver})
    try:
        with transaction.atomic():
            rows.update(**{field: taker})
    except IntegrityError:
        for row in rows:
            try:
                with transaction.atomic():
                    model._base_manager.filter(pk=row.pk).update(**{field: taker})
            except IntegrityError:
                row.delete()
