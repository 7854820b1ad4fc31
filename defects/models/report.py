import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import cache
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import models, transaction
from django.utils import timezone
from simple_history.models import HistoricalRecords

from defects.models.audit import Audited, Change, Door, ReadyManager, changes_in
from defects.models.forms import ReportForm
from defects.models.review import CorrectiveAction, Disposition, Reviewed
from defects.notices import NEWS, QUESTION
from orders.models import Line, Order, Shift
from whatsapp_bot.models import Contact, Conversation, Message
from whatsapp_bot.numbered import NumberedQuerySet
from whatsapp_bot.prepared import Query
from whatsapp_bot.whatsapp_text import preview
from whatsapp_bot.wording import Notice

MOST_CHANGES = 200
LARGEST_ID = 2**63 - 1


class DefectReportQuerySet(NumberedQuerySet["DefectReport"]):
    prefix = "DEF"

    def by(self, contact: Contact) -> "DefectReportQuerySet":
        """The contact's own reports, newest first."""
        return self.filter(reported_by=contact).order_by("-pk")

    def page(self, contact: Contact, size: int, below: str = "") -> "list[DefectReport]":
        """The newest of the contact's own reports, those with ids `below` that one."""
        return _page(size)(contact.pk, int(below or LARGEST_ID))

    def with_word(self, word: str) -> models.QuerySet:
        """The ids of the reports that a word is found in: number, text, reporter or order."""
        people = Contact.objects.filter(
            models.Q(name__icontains=word) | models.Q(phone__icontains=word)
        )
        orders = Order.objects.filter(number__icontains=word)
        return self.filter(
            models.Q(number__icontains=word)
            | models.Q(description__icontains=word)
            | models.Q(reported_by__in=people)
            | models.Q(order__in=orders)
        ).values("pk")

    def just_made_by(self, contact: Contact) -> "DefectReport | None":
        """The contact's last report, if a picture that comes now would belong to it."""
        since = timezone.now() - DefectReport.PICTURES_FOLLOW_WITHIN
        return self.by(contact).filter(created_at__gte=since).first()

    def made_in(self, shift: Shift | None) -> "DefectReportQuerySet":
        """Reports that were made in this shift; None: outside of all shifts."""
        found = self if shift is None else self.filter(shift.covers("created_at"))
        for other in Shift.objects.all():
            if other == shift:
                break
            # Where two overlap, the earlier one has the report.
            found = found.exclude(other.covers("created_at"))
        return found

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
        Order, models.SET_NULL, null=True, blank=True, related_name="defect_reports"
    )
    line = models.ForeignKey(
        Line, models.SET_NULL, null=True, blank=True, related_name="defect_reports"
    )
    created_at = models.DateTimeField("reported at", default=timezone.now, editable=False)

    objects = DefectReportQuerySet.as_manager()
    history = HistoricalRecords(
        bases=[Audited], history_manager=ReadyManager, excluded_fields=["answers", "urgency"]
    )

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
                fields=["created_at", "status", "category", "line", "nonconforming"],
                name="defect_report_created",
            ),
            models.Index(
                fields=["acknowledged_at", "created_at"], name="defect_report_acknowledged"
            ),
            models.Index(fields=["decided_at", "created_at"], name="defect_report_decided"),
            models.Index(fields=["closed_at", "created_at"], name="defect_report_closed"),
            models.Index(fields=["status", "-id"], name="defect_report_status"),
            models.Index(fields=["assignee", "-id"], name="defect_report_assignee"),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {preview(self.description)}"

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
            address = f"defects.reply:{self.pk}"
            conversation.expect(address, notice.key, asks=notice is QUESTION)
        return message

    # Who changed what ----------------------------------------------------------------------------

    @property
    def version(self) -> str:
        """Which state of the report this is; another one after any change of it or its parts."""
        newest = (one.aggregate(id=models.Max("history_id"))["id"] for one in self._histories())
        return ".".join(str(one or 0) for one in newest)

    def _histories(self) -> list[models.QuerySet]:
        parts = [part.history.filter(report=self) for part in (Disposition, CorrectiveAction)]
        return [self.history.all(), *parts]

    def changes(self) -> list[Change]:
        """What was changed in the report and its parts, the newest first."""
        found = list(changes_in(self.history.select_related("history_user")[:MOST_CHANGES]))
        for part in (Disposition, CorrectiveAction):
            found += _changes_of_parts(part.history.filter(report=self)[:MOST_CHANGES])
        return sorted(found, key=lambda change: change.at, reverse=True)

    def changes_since(self, version: str) -> list[Change]:
        """What was changed since that version; everything, when it is none."""
        ids = [int(one) for one in version.split(".") if one.isdecimal() and len(one) < 19]
        seen = [
            history.filter(history_id__lte=last).aggregate(at=models.Max("history_date"))["at"]
            for history, last in zip(self._histories(), ids, strict=False)
        ]
        since = max((at for at in seen if at), default=self.created_at)
        return [change for change in self.changes() if change.at > since]

    def attach(self, messages: Iterable[int]) -> None:
        """File messages, by their ids, with this report: their pictures, voice notes and so on."""
        Attachment.objects.bulk_create(
            (Attachment(report=self, message_id=message) for message in messages),
            ignore_conflicts=True,
        )


def _changes_of_parts(history: Iterable[Any]) -> Iterator[Change]:
    """What was changed in rows of a report, with those that came and went."""
    by_row: dict[int, list[Any]] = {}
    for row in history:
        by_row.setdefault(row.id, []).append(row)
    for rows in by_row.values():
        about = rows[0]._meta.verbose_name.removeprefix("historical ")
        yield from changes_in(rows, f"{about} “{rows[0].history_object}”")
        for row in rows:
            if row.history_type != "~":
                came = row.history_type == "+"
                yield Change(
                    at=row.history_date,
                    who=str(row.history_user or ""),
                    door=Door(row.door).label,
                    about=about,
                    field="",
                    before="" if came else str(row.history_object),
                    after=str(row.history_object) if came else "",
                )


class Attachment(models.Model):
    """A message that belongs to a report: what came with it, what we told, what was replied."""

    report = models.ForeignKey(DefectReport, models.CASCADE, related_name="attachments")
    message = models.OneToOneField(Message, models.CASCADE, related_name="attachment")

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return str(self.message)
