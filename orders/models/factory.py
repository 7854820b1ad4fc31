from collections.abc import Collection, Iterable
from datetime import date, datetime, time, timedelta
from itertools import zip_longest

from django.db import models
from django.db.models import Q
from django.utils import timezone

from whatsapp_bot.models import Contact
from whatsapp_bot.models.contact import Role

LONGEST_LINE = 60


class LineQuerySet(models.QuerySet["Line"]):
    def pinned_by(self, contact: Contact) -> "Line | None":
        """The worker's own line."""
        pin = PinnedLine.objects.filter(contact=contact).select_related("line").first()
        return pin.line if pin else None


class Line(models.Model):
    """A production line."""

    name = models.CharField(max_length=LONGEST_LINE, unique=True)

    objects = LineQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def pin_for(self, contact: Contact) -> None:
        """Have the worker see this line first."""
        PinnedLine.objects.update_or_create(contact=contact, defaults={"line": self})


class PinnedLine(models.Model):
    """The line that a worker sees first."""

    contact = models.ForeignKey(
        Contact, models.CASCADE, related_name="+", limit_choices_to={"role": Role.WORKER}
    )
    line = models.ForeignKey(Line, models.CASCADE, related_name="+")

    class Meta:
        verbose_name = "worker's line"
        verbose_name_plural = "workers' lines"
        constraints = [
            models.UniqueConstraint(
                fields=["contact"],
                name="one_pinned_line",
                violation_error_message="This worker has a line already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.contact}: {self.line}"


class Shift(models.Model):
    """A part of the day that a crew works; one that ends before it begins ends the next day."""

    name = models.CharField(max_length=60, unique=True)
    begins = models.TimeField()
    ends = models.TimeField()

    class Meta:
        ordering = ["begins"]

    def __str__(self) -> str:
        return f"{self.name} {self.begins:%H:%M}–{self.ends:%H:%M}"

    @staticmethod
    def at(moment: time, shifts: "Iterable[Shift]") -> "Shift | None":
        """The shift that works at this time of day: of several the one that began first.

        shifts: as they are ordered. Those that began yesterday come before those of today.
        """
        at_work = [shift for shift in shifts if shift.has(moment)]
        return min(at_work, key=lambda one: one._to_the_minute()[0] <= moment, default=None)

    @classmethod
    def covered(cls, at: str, by: "Shift | None", shifts: "Collection[Shift]") -> Q:
        """Is this the shift (None: none) at the moment in the field `at`, in the factory's zone?"""
        edges = sorted({time.min, *(edge for one in shifts for edge in one._to_the_minute())})
        covered = Q(pk__in=[])
        for begins, ends in zip_longest(edges, edges[1:]):
            if cls.at(begins, shifts) == by:
                until = Q(**{f"{at}__time__lt": ends}) if ends else Q()
                covered |= Q(**{f"{at}__time__gte": begins}) & until
        return covered

    def has(self, moment: time) -> bool:
        """Does it work at this time of day? Seconds do not count."""
        begins, ends = self._to_the_minute()
        if begins < ends:
            return begins <= moment < ends
        return moment >= begins or moment < ends

    def hours(self, day: date) -> tuple[datetime, datetime]:
        """When the one that begins on this day begins and ends."""
        begins, ends = self._to_the_minute()
        last = day if begins < ends else day + timedelta(days=1)
        return moment_of(day, begins), moment_of(last, ends)

    def _to_the_minute(self) -> tuple[time, time]:
        return tuple(at.replace(second=0, microsecond=0) for at in (self.begins, self.ends))


def midnight(day: date) -> datetime:
    """When the day begins in the factory."""
    return moment_of(day, time.min)


def moment_of(day: date, at: time) -> datetime:
    """When it is this time of the day in the factory."""
    return timezone.make_aware(datetime.combine(day, at))
