from collections.abc import Iterable
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from orders.models import Line, Order
from whatsapp_bot.models import Contact, Message
from whatsapp_bot.numbered import NumberedQuerySet
from whatsapp_bot.recent import Recent
from whatsapp_bot.whatsapp_text import preview


class ReportForm(models.Model):
    """The questions that make a report. Published ones can be opened by a menu."""

    key = models.SlugField(unique=True, help_text="What menu items call it by.")
    title = models.CharField(max_length=80)
    published = models.BooleanField(default=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.title


class Question(models.Model):
    class Kind(models.TextChoices):
        TEXT = "text", "text"
        NUMBER = "number", "number"
        CHOICE = "choice", "choice"
        YES_NO = "yes_no", "yes or no"
        DATE = "date", "date"
        PHOTO = "photo", "photo"
        ORDER = "order", "order"

    form = models.ForeignKey(ReportForm, models.CASCADE, related_name="questions")
    position = models.PositiveSmallIntegerField(default=0)
    name = models.SlugField(
        help_text="What the answer is stored under; it stays when the text changes."
    )
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.TEXT)
    text = models.CharField(max_length=300, help_text="The question, as the bot asks it.")
    help_text = models.CharField(max_length=300, blank=True)
    required = models.BooleanField(default=True)
    choices = models.TextField(
        blank=True,
        help_text="For a choice: one on each line, as “key = label” or only the label.",
    )
    example = models.CharField(
        max_length=100, blank=True, help_text="Shown after three wrong answers."
    )

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["form", "name"], name="question_name_once_per_form")
        ]

    def __str__(self) -> str:
        return self.text

    def clean(self) -> None:
        if self.kind == self.Kind.CHOICE and len(self.choice_pairs()) < 2:
            raise ValidationError({"choices": "A choice needs at least two lines to choose from."})

    def choice_pairs(self) -> list[tuple[str, str]]:
        """The choices as (key, label)."""
        lines = (line.partition("=") for line in self.choices.splitlines() if line.strip())
        pairs = ((key.strip(), (label or key).strip()) for key, _, label in lines)
        return list(dict(pairs).items())


@Recent
def report_forms() -> dict[str, tuple[ReportForm, list[Question]]]:
    """All published forms with their questions in order, by key."""
    published = ReportForm.objects.filter(published=True).prefetch_related("questions")
    return {form.key: (form, list(form.questions.all())) for form in published}


class DefectReportQuerySet(NumberedQuerySet["DefectReport"]):
    prefix = "DEF"

    def by(self, contact: Contact) -> "DefectReportQuerySet":
        """The contact's own reports, newest first."""
        return self.filter(reported_by=contact).order_by("-pk")

    def just_made_by(self, contact: Contact) -> "DefectReport | None":
        """The contact's last report, if a picture that comes now would belong to it."""
        since = timezone.now() - DefectReport.PICTURES_FOLLOW_WITHIN
        return self.by(contact).filter(created_at__gte=since).first()


class DefectReport(models.Model):
    """One nonconformance report: what somebody saw on the shop floor or in a delivery."""

    PICTURES_FOLLOW_WITHIN = timedelta(minutes=30)

    class Status(models.TextChoices):
        REPORTED = "reported", "reported"
        ACKNOWLEDGED = "acknowledged", "acknowledged"
        IN_REVIEW = "in_review", "in review"
        DECIDED = "decided", "decided"
        CLOSED = "closed", "closed"
        UNFOUNDED = "unfounded", "unfounded"
        DUPLICATE = "duplicate", "duplicate"

    number = models.CharField(max_length=32, unique=True, editable=False)
    reported_by = models.ForeignKey(
        Contact, models.CASCADE, related_name="defect_reports", db_index=False
    )
    form = models.ForeignKey(
        ReportForm, models.SET_NULL, null=True, blank=True, related_name="reports", editable=False
    )
    description = models.TextField()
    answers = models.JSONField(
        default=list, blank=True, editable=False, help_text="A list of name, question and answer."
    )
    order = models.ForeignKey(
        Order, models.SET_NULL, null=True, blank=True, related_name="defect_reports"
    )
    line = models.ForeignKey(
        Line, models.SET_NULL, null=True, blank=True, related_name="defect_reports"
    )
    status = models.CharField(max_length=15, choices=Status, default=Status.REPORTED)
    created_at = models.DateTimeField("reported at", default=timezone.now, editable=False)

    objects = DefectReportQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["reported_by", "-id"], name="defect_report_reporter")]

    def __str__(self) -> str:
        return f"{self.number}: {preview(self.description)}"

    def attach(self, messages: Iterable[int]) -> None:
        """File messages, by their ids, with this report: their pictures, voice notes and so on."""
        Attachment.objects.bulk_create(
            (Attachment(report=self, message_id=message) for message in messages),
            ignore_conflicts=True,
        )


class Attachment(models.Model):
    """A message with a picture, voice note, document or location that belongs to a report."""

    report = models.ForeignKey(DefectReport, models.CASCADE, related_name="attachments")
    message = models.OneToOneField(Message, models.CASCADE, related_name="attachment")

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return str(self.message)
