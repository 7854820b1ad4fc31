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
            return self.create(number=self._free(stem), **values)

    def _free(self, stem: str) -> str:
        """A number that nobody has, nor is just taking.

        Nobody is waited for, since who takes one may be at it for a while, and may give it up.
        """
        number = self._next(stem)
        while not self._is_ours(number):
            number = _following(number, stem)
        return number

    def _is_ours(self, number: str) -> bool:
        """Take it, unless somebody else has it or is just taking it.

        On SQLite there is one transaction at a time.
        """
        if connection.vendor == "sqlite":
            return True
        ((taken,),) = prepared.rows("SELECT pg_try_advisory_xact_lock(hashtext(%s))", [number])
        # Whoever had it a moment ago has stored it by now.
        table = self.model._meta.db_table
        stored = f"SELECT 1 FROM {table} WHERE number = %s"  # noqa: S608  # nosec B608
        return taken and not prepared.rows(stored, [number])

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


def _following(number: str, stem: str) -> str:
    return f"{stem}-{int(number.removeprefix(stem).lstrip('-') or 1) + 1}"
