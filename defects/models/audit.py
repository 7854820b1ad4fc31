"""Who changed what, and through which door: rows that nobody edits."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import pairwise
from typing import Any

from django.db import models
from django.dispatch import receiver
from django.utils import timezone
from django.utils.formats import date_format
from simple_history.manager import HistoryManager
from simple_history.models import HistoricalRecords
from simple_history.signals import pre_create_historical_record

from whatsapp_bot.prepared import OftenNew


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


class Audited(OftenNew):
    """What every row of a history has beside who and when."""

    door = models.CharField(max_length=10, choices=Door, default=Door.COMMAND)

    class Meta:
        abstract = True


@receiver(pre_create_historical_record)
def _note_door(history_instance: Any, **_: Any) -> None:
    if isinstance(history_instance, Audited):
        history_instance.door = Door.now()


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a row as it was and became. about: of which row; "" for the report itself."""

    at: datetime
    who: str
    door: str
    about: str
    field: str
    before: str
    after: str


def changes_between(older: Any, newer: Any, about: str = "") -> Iterator[Change]:
    """What is different between two rows of a history, one after the other."""
    who = str(newer.history_user or "")
    for one in newer.diff_against(older, foreign_keys_are_objs=True).changes:
        field = newer._meta.get_field(one.field)
        yield Change(
            at=newer.history_date,
            who=who,
            door=Door(newer.door).label,
            about=about,
            field=str(field.verbose_name),
            before=_in_words(field, one.old),
            after=_in_words(field, one.new),
        )


def changes_in(history: Iterable[Any], about: str = "") -> Iterator[Change]:
    """All that changed in one row's history, which comes newest first."""
    for newer, older in pairwise(history):
        yield from changes_between(older, newer, about)


def _in_words(field: models.Field, value: Any) -> str:
    if value in (None, "") or getattr(value, "pk", value) is None:
        return "–"
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(value, datetime):
        return date_format(timezone.localtime(value), "j M Y, H:i")
    return str(value)
