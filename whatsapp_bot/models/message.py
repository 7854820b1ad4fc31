from django.db import models, transaction
from django.utils import timezone

from whatsapp_bot.delivery import DeliveryReport, Status
from whatsapp_bot.inbound import Incoming, Kind
from whatsapp_bot.models.contact import Contact
from whatsapp_bot.whatsapp_text import preview, split

MOST_REPLIES = 10
"""Messages in reply to one: Twilio takes more for a loop and stops them (error 14107)."""


class MessageQuerySet(models.QuerySet["Message"]):
    def hear(self, contact: Contact, incoming: Incoming) -> "Message":
        """Store what came in, with a row for each of its files.

        Raises IntegrityError when its SID is stored already.
        """
        message = self.create(
            contact=contact,
            direction=Message.Direction.IN,
            kind=incoming.kind,
            sid=incoming.sid,
            body=incoming.text,
            quoted_sid=incoming.quoted_sid,
            details=incoming.details,
            status=Status.RECEIVED,
        )
        if incoming.files:
            Media.objects.bulk_create(
                Media(
                    message=message, position=position, url=file.url, content_type=file.content_type
                )
                for position, file in enumerate(incoming.files)
            )
        return message

    def reply(self, message: "Message", text: str) -> "list[Message]":
        """Store `text` as the reply to `message`: one row for each message that it takes."""
        replies = [
            Message(
                contact_id=message.contact_id,
                direction=Message.Direction.OUT,
                body=part,
                in_reply_to=message,
                status=Status.SENT,
            )
            for part in split(text)[:MOST_REPLIES]
        ]
        return self.bulk_create(replies) if len(replies) > 1 else [self._saved(replies[0])]

    @transaction.atomic
    def take_report(self, report: DeliveryReport) -> bool:
        """Note what the carrier says of a message of ours; False when it is none of ours."""
        out = self.filter(direction=Message.Direction.OUT).select_for_update()
        message = out.filter(sid=report.sid).first()
        message = message or out.filter(pk=report.message_id, sid=None).first()
        if not message:
            return False
        message.learn(report)
        return True

    def _saved(self, message: "Message") -> "Message":
        message.save(force_insert=True)
        return message

    def replies_to(self, sid: str) -> "list[Message] | None":
        """What was replied to the stored message with this SID; None when there is none."""
        if not self.filter(sid=sid).exists():
            return None
        return list(self.filter(in_reply_to__sid=sid).order_by("pk"))


class Message(models.Model):
    """One message, in or out: the log of everything said, which nothing is ever taken from."""

    class Direction(models.TextChoices):
        IN = "in", "in"
        OUT = "out", "out"

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="messages", db_index=False)
    direction = models.CharField(max_length=3, choices=Direction)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.TEXT)
    sid = models.CharField("SID", max_length=34, null=True, blank=True, unique=True)
    body = models.TextField(blank=True)
    in_reply_to = models.ForeignKey(
        "self", models.CASCADE, null=True, blank=True, related_name="replies"
    )
    quoted_sid = models.CharField("SID of the quoted message", max_length=34, blank=True)
    details = models.JSONField(default=dict, blank=True, help_text="Whatever else came with it.")
    status = models.CharField(max_length=10, choices=Status)
    error_code = models.PositiveIntegerField(null=True, blank=True)
    price = models.DecimalField(max_digits=12, decimal_places=6, null=True, blank=True)
    price_unit = models.CharField(max_length=3, blank=True)
    created_at = models.DateTimeField("at", default=timezone.now, editable=False)

    objects = MessageQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["contact", "id"], name="message_contact_id")]

    def __str__(self) -> str:
        return preview(self.body) or self.get_kind_display()

    def learn(self, report: DeliveryReport) -> None:
        """Note what the carrier says: the status only rises, the rest is filled in."""
        self.sid = self.sid or report.sid
        if report.status is None:
            self.details = {**self.details, "status": report.word}
        elif report.status.rank > Status(self.status).rank:
            self.status = report.status
        if report.status == Status.FAILED:
            self.error_code = self.error_code or report.error_code
        if report.price is not None:
            self.price, self.price_unit = report.price, report.price_unit
        self.save()

    @property
    def has_attachment(self) -> bool:
        return Kind(self.kind).is_attachment


class Media(models.Model):
    """A file that came with a message: where it is, until it has been fetched."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="media", db_index=False)
    position = models.PositiveSmallIntegerField(default=0)
    url = models.TextField("URL")
    content_type = models.CharField(max_length=100, blank=True)

    class Meta:
        verbose_name_plural = "media"
        constraints = [
            models.UniqueConstraint(fields=["message", "position"], name="media_position_once")
        ]

    def __str__(self) -> str:
        return self.content_type or "file"
