from collections.abc import Iterable
from datetime import time

from django.db import models
from django.db.models import Q


class Line(models.Model):
    """A production line."""

    name = models.CharField(max_length=60, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


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
        """The shift that works at this time of day: the first of those that do."""
        return next((shift for shift in shifts if shift.has(moment)), None)

    def has(self, moment: time) -> bool:
        """Does it work at this time of day? Seconds do not count."""
        begins, ends = self._to_the_minute()
        if begins < ends:
            return begins <= moment < ends
        return moment >= begins or moment < ends

    def covers(self, at: str) -> Q:
        """Does it work at the moment in the field `at`, in the factory's time zone?"""
        begins, ends = self._to_the_minute()
        after, before = Q(**{f"{at}__time__gte": begins}), Q(**{f"{at}__time__lt": ends})
        return after & before if begins < ends else after | before

    def _to_the_minute(self) -> tuple[time, time]:
        return tuple(at.replace(second=0, microsecond=0) for at in (self.begins, self.ends))
