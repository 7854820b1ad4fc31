"""Who changed what, and through which door: rows that nobody edits."""

from typing import Any

from django.db import models
from django.dispatch import receiver
from simple_history.models import HistoricalRecords
from simple_history.signals import pre_create_historical_record


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


class Audited(models.Model):
    """What every row of a history has beside who and when."""

    door = models.CharField(max_length=10, choices=Door, default=Door.COMMAND)

    class Meta:
        abstract = True


@receiver(pre_create_historical_record)
def _note_door(history_instance: Any, **_: Any) -> None:
    if isinstance(history_instance, Audited):
        history_instance.door = Door.now()
