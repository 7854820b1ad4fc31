"""Rows with a number that people can read to each other: `DEF-20250119143022`."""

from typing import Any, ClassVar, TypeVar

from django.db import connection, models, transaction
from django.utils import timezone

from whatsapp_bot import prepared

M = TypeVar("M", bound=models.Model)

BY_BYTE = {"postgresql": ("~>=~", "~<~"), "sqlite": (">=", "<")}
"""How to compare texts by their bytes, as a number's index has them."""


class NumberedQuerySet(models.QuerySet[M]):
    """For models with a unique `number` of at most 32 characters."""

    prefix: ClassVar[str]

    def file(self, **values: Any) -> M:
        """Create a row with the next free number.

        The number is the prefix and the second, in the factory's time zone; the second row in
        that second gets `-2`, and so on.
        """
        stem = f"{self.prefix}-{timezone.localtime():%Y%m%d%H%M%S}"
        with transaction.atomic(savepoint=False):
            _have_alone(stem)
            return self.create(number=self._next(stem), **values)

    def _next(self, stem: str) -> str:
        """The stem, or what comes after the last of those that begin with it."""
        at_least, below = BY_BYTE[connection.vendor]
        ((first, last),) = prepared.rows(
            "SELECT min(number), "  # noqa: S608  # nosec B608
            f"max(CAST(NULLIF(substr(number, {len(stem) + 2}), '') AS integer)) "
            f"FROM {self.model._meta.db_table} WHERE number {at_least} %s AND number {below} %s",
            [stem, f"{stem}."],
        )
        return f"{stem}-{(last or 1) + 1}" if first == stem else stem


def _have_alone(stem: str) -> None:
    """Have others wait who want a number of this second, until the transaction ends.

    On SQLite they wait already, since there is one transaction at a time.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [stem])
