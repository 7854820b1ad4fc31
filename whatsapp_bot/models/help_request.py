from django.contrib.auth.models import AbstractBaseUser
from django.db import models
from django.utils import timezone

from whatsapp_bot.models.contact import Contact
from whatsapp_bot.models.message import Message
from whatsapp_bot.numbered import NumberedQuerySet
from whatsapp_bot.whatsapp_text import preview


class HelpRequestQuerySet(NumberedQuerySet["HelpRequest"]):
    prefix = "HELP"


class HelpRequest(models.Model):
    """A message that somebody left for the team."""

    class Status(models.TextChoices):
        OPEN = "open", "open"
        ANSWERED = "answered", "answered"

    number = models.CharField(max_length=32, unique=True, editable=False)
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="help_requests")
    message = models.ForeignKey(
        Message, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    text = models.TextField()
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    created_at = models.DateTimeField("at", default=timezone.now, editable=False)

    objects = HelpRequestQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.number}: {preview(self.text)}"

    def answer(self, text: str, by: AbstractBaseUser | None = None) -> list[Message]:
        """Write the answer to whoever asked."""
        self.status = self.Status.ANSWERED
        self.save(update_fields=["status"])
        return self.contact.answer(text, by, to=self.message)

    @property
    def answers(self) -> "models.QuerySet[Message]":
        """What staff wrote in answer to it, oldest first."""
        if not self.message_id:
            return Message.objects.none()
        return self.message.replies.exclude(notice="").order_by("pk")
