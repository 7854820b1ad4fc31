"""Rows with a number that people can read to each other: `DEF-20250119143022`."""

from typing import Any, ClassVar, TypeVar

from django.db import IntegrityError, models, transaction
from django.utils import timezone

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
        while True:
            try:
                with transaction.atomic():
                    return self.create(number=number, **values)
            except IntegrityError:
                taken = self.filter(number__startswith=stem)
                if not taken.filter(number=number).exists():
                    raise
                number = f"{stem}-{taken.count() + 1}"
