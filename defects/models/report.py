import re
from collections.abc import Iterable
from datetime import timedelta
from functools import cache
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import models, transaction
from django.db.models.signals import pre_delete
from django.dispatch import receiver
from django.utils import timezone

from defects.models.audit import AuditedRecords, Change
from defects.models.forms import ReportForm
from defects.models.review import OPEN, Reviewed, Status
from defects.notices import NEWS, QUESTION
from orders.models import Line, Order, Shift
from whatsapp_bot import prepared
from whatsapp_bot.fingerprint import id_in
from whatsapp_bot.models import Contact, Conversation, Media, Message
from whatsapp_bot.numbered import NumberedQuerySet
from whatsapp_bot.prepared import Query
from whatsapp_bot.search import has, ids_of, with_each_word
from whatsapp_bot.whatsapp_text import preview
from whatsapp_bot.wording import Notice

MOST_CHANGES = 200
LARGEST_ID = 2**63 - 1
NEVER_LOOKED_UP = [
    *("number", "form", "reported_by", "order", "line"),
    *("category", "assignee", "duplicate_of", "decided_by"),
]
"""Of what a report was before, nobody asks by these: an index of each would be kept for nothing."""

HISTORY = AuditedRecords(
    excluded_fields=["answers", "urgency", "updated_at"], no_db_index=NEVER_LOOKED_UP
)


class DefectReportQuerySet(NumberedQuerySet["DefectReport"]):
    prefix = "DEF"

    def _made(self, **values: Any) -> "DefectReport":
        report = super()._made(**values)
        report.rank()
        return report

    def _stored(self, report: "DefectReport", free: str, values: list[str]) -> bool:
        first = HISTORY.begin(report)
        return prepared.insert_as_found(report, "number", free, values, copy=first)

    def open(self) -> "DefectReportQuerySet":
        """What somebody still has to do something about."""
        return self.filter(status__in=OPEN)

    def over(self) -> "DefectReportQuerySet":
        return self.exclude(status__in=OPEN)

    def by(self, contact: Contact) -> "DefectReportQuerySet":
        """The contact's own reports, newest first."""
        return self.filter(reported_by=contact).order_by("-pk")

    def page(self, contact: Contact, size: int, below: str = "") -> "list[DefectReport]":
        """The newest of the contact's own reports, those with ids `below` that one."""
        return _page(size)(contact.pk, min(int(below or LARGEST_ID), LARGEST_ID))

    def with_words(self, text: str) -> "DefectReportQuerySet":
        """Those in which each word is found: in number, text, reporter or order."""

        def has_it(word: str) -> models.Q:
            people = Contact.objects.filter(has(word, "name", "phone"))
            orders = Order.objects.filter(has(word, "number"))
            return (
                has(word, "number", "description")
                | models.Q(reported_by__in=ids_of(people))
                | models.Q(order__in=ids_of(orders))
            )

        return with_each_word(self, text, has_it)

    def just_made_by(self, contact: Contact) -> "DefectReport | None":
        """The contact's last report, if a picture that comes now would belong to it."""
        since = timezone.now() - DefectReport.PICTURES_FOLLOW_WITHIN
        return self.by(contact).filter(created_at__gte=since).first()

    def made_in(self, shift: Shift | None) -> "DefectReportQuerySet":
        """Reports that were made in this shift; None: outside of all shifts."""
        return self.filter(Shift.covered("created_at", shift, Shift.objects.all()))

    def quoted_by(self, contact: Contact, sid: str) -> "DefectReport | None":
        """The contact's report that our message with this SID is about, or names."""
        quoted = contact.messages.filter(sid=sid).first()
        if not quoted:
            return None
        mine = self.by(contact)
        numbers = re.findall(r"\b[A-Z]{2,5}-\d[\d-]*\d", quoted.body)[:10]
        same = [quoted.pk, quoted.details.get("again_of", 0)]
        return (
            mine.filter(attachments__message__in=same).first()
            or mine.filter(number__in=numbers).first()
        )


@cache
def _page(size: int) -> Query["DefectReport"]:
    """So many of a contact's reports below an id, with what is told of them."""
    told = ("number", "description", "status", "created_at")
    newest = DefectReport.objects.order_by("-pk").only(*told)
    return Query(newest.filter(reported_by=0).filter(pk__lt=0)[:size])


def _of_the_known(field: str, *others: str, name: str) -> models.Index:
    """An index of the reports that have a value in this field, as a new one has not."""
    is_known = models.Q((f"{field}__isnull", False))
    return models.Index(fields=[field, *others], name=f"defect_report_{name}", condition=is_known)


class DefectReport(Reviewed):
    """One nonconformance report: what somebody saw on the shop floor or in a delivery."""

    PICTURES_FOLLOW_WITHIN = timedelta(minutes=30)

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
        Order,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="defect_reports",
        db_index=False,
    )
    line = models.ForeignKey(
        Line, models.SET_NULL, null=True, blank=True, related_name="defect_reports", db_index=False
    )
    created_at = models.DateTimeField("reported at", default=timezone.now, editable=False)

    objects = DefectReportQuerySet.as_manager()
    history = HISTORY

    class Meta:
        ordering = ["-pk"]
        permissions = [
            ("review_defectreport", "Can review defect reports"),
            ("export_defectreport", "Can export defect reports"),
            ("view_dashboard", "Can see the dashboard"),
        ]
        indexes = [
            models.Index(fields=["reported_by", "-id"], name="defect_report_reporter"),
            models.Index(fields=["urgency", "-id"], name="defect_report_urgency"),
            # All that the dashboard adds up is in the indexes: it never has to read the rows.
            models.Index(
                fields=["created_at", "status", "category", "line", "nonconforming", "order"],
                name="defect_report_created",
            ),
            _of_the_known("acknowledged_at", "created_at", name="acknowledged"),
            _of_the_known("decided_at", "created_at", name="decided"),
            _of_the_known("closed_at", "created_at", name="closed"),
            _of_the_known("order", name="order"),
            _of_the_known("line", name="line"),
            _of_the_known("duplicate_of", name="duplicate_of"),
            _of_the_known("decided_by", name="decided_by"),
            models.Index(fields=["status", "-id"], name="defect_report_status"),
            models.Index(fields=["assignee", "-id"], name="defect_report_assignee"),
            models.Index(fields=["updated_at", "id"], name="defect_report_updated"),
            # For with_words the migrations add defect_report_words, which only PostgreSQL can.
        ]

    def __str__(self) -> str:
        return f"{self.number}: {preview(self.description)}"

    @property
    def reply_address(self) -> str:
        """Where what is said about it is filed with it."""
        return f"defects.reply:{self.pk}"

    @property
    def in_short(self) -> dict[str, str]:
        """What notices call it by."""
        return {"number": self.number, "preview": preview(self.description, 40)}

    @property
    def news(self) -> Notice | None:
        """What the reporter is told of its status; None: nothing."""
        return NEWS.get(self.status)

    def tell_news(
        self, by: AbstractBaseUser | None = None, of: "DefectReport | None" = None
    ) -> Message | None:
        """Tell the reporter that the status has changed, if that is to be told.

        of: the report of which this one is a duplicate, and whose news it shares.
        """
        news = (of or self).news
        return self._tell(news, by) if news else None

    def ask(self, question: str, by: AbstractBaseUser | None = None) -> Message | None:
        """Ask the reporter something; the answer is filed with the report."""
        return self._tell(QUESTION, by, question=question)

    @transaction.atomic
    def _tell(
        self, notice: Notice, by: AbstractBaseUser | None = None, **values: str
    ) -> Message | None:
        message = self.reported_by.notify(notice, by, **self.in_short, **values)
        if message:
            self.attach([message.pk])
            conversation = Conversation.objects.of(self.reported_by)
            conversation.expect(self.reply_address, message, asks=notice is QUESTION)
        return message

    @property
    def files(self) -> models.QuerySet[Media]:
        """Its photos, voice notes and documents, with their messages, in the order they came in."""
        files = Media.objects.filter(message__attachment__report=self)
        return files.select_related("message").order_by("pk")

    # Who changed what ----------------------------------------------------------------------------

    @property
    def version(self) -> str:
        """Which state of the report this is; another one after any change of it or its parts."""
        newest = self._changes().aggregate(pk=models.Max("pk"))["pk"]
        return str(newest or 0)

    def changes(self) -> list[Change]:
        """What was changed in the report and its parts, the newest first."""
        return list(self._changes()[:MOST_CHANGES])

    @property
    def closed_by(self) -> str:
        """Who closed it last; "" when nobody is known to have."""
        closed = {"of": Change.Of.REPORT, "field": "status", "after": Status.CLOSED.label}
        change = self._changes().filter(**closed).first()
        return change.who if change else ""

    def changes_since(self, version: str) -> list[Change]:
        """What was changed since that version; everything, when it is none."""
        return list(self._changes().filter(pk__gt=id_in(version))[:MOST_CHANGES])

    def _changes(self) -> models.QuerySet[Change]:
        return Change.objects.filter(report=self)

    def attach(self, messages: Iterable[int]) -> None:
        """File messages, by their ids, with this report: their pictures, voice notes and so on."""
        attached = [Attachment(report=self, message_id=message) for message in messages]
        Attachment.objects.bulk_create(attached, ignore_conflicts=True)


class Attachment(models.Model):
    """A message that belongs to a report: what came with it, what we told, what was replied."""

    report = models.ForeignKey(DefectReport, models.CASCADE, related_name="attachments")
    message = models.OneToOneField(Message, models.CASCADE, related_name="attachment")

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return str(self.message)


@receiver(pre_delete, sender=Order)
@receiver(pre_delete, sender=Line)
def _lose(instance: Order | Line, **_: Any) -> None:
    """Reports that refer to what is deleted change with that, as their histories then say."""
    name = instance._meta.model_name
    for report in instance.defect_reports.select_for_update(no_key=True):
        setattr(report, name, None)
        report.save(update_fields=[name])
