"""Who changed what, and through which door: rows that nobody edits.

The histories hold every row as it was after each save. What was different is worked out once, when
it happens, and kept as it read then, so that it can be looked up by field, person, door and day.
"""

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import models
from django.dispatch import receiver
from django.utils import timezone
from simple_history.manager import HistoryManager
from simple_history.models import HistoricalRecords
from simple_history.signals import post_create_historical_record, pre_create_historical_record

from whatsapp_bot import prepared
from whatsapp_bot.whatsapp_text import preview
from whatsapp_bot.wording import day_and_time


class Door(models.TextChoices):
    ADMIN = "admin", "admin"
    WHATSAPP = "whatsapp", "WhatsApp"
    API = "api", "API"
    COMMAND = "command", "command or background work"

    @classmethod
    def now(cls) -> "Door":
        """The door through which the request that is under way came in."""
        request = getattr(HistoricalRecords.context, "request", None)
        first = request.path_info.split("/")[1] if request else ""
        by_path = {"whatsapp": cls.WHATSAPP, "simulator": cls.WHATSAPP, "admin": cls.ADMIN}
        return by_path.get(first, cls.API if first == "api" else cls.COMMAND)


class ReadyManager(HistoryManager):
    """simple_history's, which else is made anew each time that somebody looks at a history."""

    @classmethod
    @cache
    def from_queryset(
        cls, queryset_class: type[models.QuerySet], class_name: str | None = None
    ) -> type[models.Manager]:
        return super().from_queryset(queryset_class, class_name)


class Audited(models.Model):
    """What every row of a history has beside who and when."""

    door = models.CharField(max_length=10, choices=Door, default=Door.COMMAND)

    class Meta:
        abstract = True


class AuditedRecords(HistoricalRecords):
    """The history of reports, or of parts of them."""

    def __init__(self, **options: Any) -> None:
        super().__init__(bases=[Audited], history_manager=ReadyManager, **options)

    def begin(self, new: models.Model) -> models.Model:
        """Begin the history of a row that is being filed, which nobody else does then.

        The first row of it, with what the filed one does not have, is to be stored with that.
        simple_history would make and save it in three times as long; none of its signals is sent.
        """
        vars(new)["_history_is_begun"] = True
        user = self.get_history_user(new)
        return prepared.new(
            getattr(type(new), self.manager_name).model,
            history_date=timezone.now(),
            history_type="+",
            history_user_id=user and user.pk,
            door=Door.now(),
        )

    def create_historical_record(
        self, instance: models.Model, history_type: str, using: str | None = None
    ) -> None:
        if not vars(instance).pop("_history_is_begun", False):
            super().create_historical_record(instance, history_type, using)


class Change(models.Model):
    """One field of a report, or of a part of it, as it was and became, in the words of that day.

    It outlives the report and whoever made it. That a part came or went has no field.
    """

    class Of(models.TextChoices):
        REPORT = "defectreport", "report"
        DISPOSITION = "disposition", "disposition"
        ACTION = "correctiveaction", "corrective action"

    report = models.ForeignKey(
        "DefectReport", models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    number = models.CharField("report", max_length=32, db_index=True)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, db_index=False, related_name="+"
    )
    who = models.CharField("by", max_length=150, blank=True)
    door = models.CharField("through", max_length=10, choices=Door)
    of = models.CharField(max_length=20, choices=Of)
    part = models.CharField(max_length=100, blank=True)
    field = models.CharField(max_length=50, blank=True)
    before = models.TextField("from", blank=True)
    after = models.TextField("to", blank=True)

    class Meta:
        verbose_name = "change of a report"
        verbose_name_plural = "changes of reports"
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["-at", "-id"], name="change_at"),
            models.Index(fields=["report", "-at", "-id"], name="change_report"),
            models.Index(fields=["by", "-at", "-id"], name="change_by"),
            models.Index(fields=["door", "-at", "-id"], name="change_door"),
            models.Index(fields=["of", "field", "-at", "-id"], name="change_field"),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.what}"

    @property
    def what(self) -> str:
        """What was changed, in words."""
        field = audited_fields().get((self.of, self.field), self.field)
        of = self.get_of_display()
        words = f"{of} “{preview(self.part, 30)}” {field}" if self.part else field or of
        return words.strip()


@cache
def audited_fields() -> dict[tuple[str, str], str]:
    """The names of the fields whose changes are kept, by whose they are and the field."""
    return {
        (of.value, field.name): str(field.verbose_name)
        for of in Change.Of
        for field in apps.get_model("defects", of).history.model.tracked_fields
        if _is_told(field)
    }


def _is_told(field: models.Field) -> bool:
    """Not when something was done, which is when it changed; but by whom."""
    return not field.primary_key and (field.editable or field.is_relation)


def changes_between(older: Any, newer: Any, row: Any) -> list[Change]:
    """What is different between two rows of the history of a report, or of a part of it."""
    differences = [
        (field.name, _in_words(field, before), _in_words(field, after))
        for field in type(newer).tracked_fields
        if _is_told(field)
        and (before := getattr(older, field.attname)) != (after := getattr(newer, field.attname))
    ]
    return list(_changes(newer, row, differences))


def _changes(newer: Any, row: Any, differences: list[tuple[str, str, str]]) -> Iterator[Change]:
    of = Change.Of(row._meta.model_name)
    report = row if of is Change.Of.REPORT else row.report
    for field, before, after in differences:
        yield Change(
            report_id=report.pk or newer.id,
            number=report.number,
            at=newer.history_date,
            by_id=newer.history_user_id,
            who=str(newer.history_user or ""),
            door=newer.door,
            of=of,
            part="" if of is Change.Of.REPORT else str(row)[:100],
            field=field,
            before=before,
            after=after,
        )


@receiver(pre_create_historical_record)
def _note_door(history_instance: Any, **_: Any) -> None:
    if isinstance(history_instance, Audited):
        history_instance.door = Door.now()


@receiver(post_create_historical_record)
def _note_changes(history_instance: Any, instance: Any, **_: Any) -> None:
    if isinstance(history_instance, Audited):
        Change.objects.bulk_create(_changes_of(history_instance, instance))


def _changes_of(newer: Any, row: Any) -> list[Change]:
    if newer.history_type == "~":
        earlier = type(newer).objects.filter(id=newer.id, history_id__lt=newer.history_id)
        older = earlier.order_by("-history_id").first()
        return changes_between(older, newer, row) if older else []
    if newer.history_type == "-":
        return list(_changes(newer, row, [("", str(row), "")]))
    # That there is a report is no change of it.
    came = [] if row._meta.model_name == Change.Of.REPORT else [("", "", str(row))]
    return list(_changes(newer, row, came))


def _in_words(field: models.Field, value: Any) -> str:
    if value in (None, ""):
        return ""
    if field.is_relation:
        found = field.related_model._base_manager.filter(pk=value).first()
        return str(found or f"one that is gone ({value})")
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(value, datetime):
        return day_and_time(value)
    return str(value)
