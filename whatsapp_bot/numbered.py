"""Rows with a number that people can read to each other: `DEF-20250119143022`."""

from typing import Any, ClassVar, TypeVar

from django.db import IntegrityError, models, transaction
from django.utils import timezone

TRIES = 100
"""More than can happen: one for each report that others make in the same moment."""

M = TypeVar("M", bound=models.Model)


class NumberedQuerySet(models.QuerySet[M]):
    """For models with a unique `number` of at most 32 characters."""

    prefix: ClassVar[str]

    def file(self, **values: Any) -> M:
        """Create a row with the next free number.

        The number is the prefix and the second, in the factory's time zone; the second row in
        that second gets `-2`, and so on.
        """
        stem = f"{self.prefix}-{timezone.localtime():%Y%m%d%H%M%S}"
        number = stem
        for _ in range(TRIES):
            try:
                with transaction.atomic():
                    return self.create(number=number, **values)
            except IntegrityError:
                if not self.filter(number=number).exists():
                    raise
                number = f"{stem}-{self._last_suffix(stem) + 1}"
        raise IntegrityError(f"No free number for {stem}")

    def _last_suffix(self, stem: str) -> int:
        """The highest of the suffixes that are taken; 1 for the number without one."""
        taken = self.filter(number__startswith=f"{stem}-").values_list("number", flat=True)
        return max((int(number.rpartition("-")[2]) for number in taken), default=1)
