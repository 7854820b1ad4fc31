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
        number, is_ours = self._next(stem)
        while not (is_ours and self._is_unused(number)):
            number = _following(number, stem)
            ((is_ours,),) = prepared.rows(f"SELECT {_taking('%s')}", [number])
        return number

    def _next(self, stem: str) -> tuple[str, bool]:
        """The stem, or what comes after the last of those that begin with it; could we take it?"""
        at_least, below = BY_BYTE[connection.vendor]
        last = f"max(CAST(NULLIF(substr(number, {len(stem) + 2}), '') AS integer))"
        ((number, is_ours),) = prepared.rows(
            f"SELECT number, {_taking('number')} FROM ("  # noqa: S608  # nosec B608
            f"SELECT CASE WHEN min(number) = %s THEN %s || '-' || (coalesce({last}, 1) + 1) "
            f"ELSE %s END AS number FROM {self.model._meta.db_table} "
            f"WHERE number {at_least} %s AND number {below} %s) AS next",
            [stem, stem, stem, stem, f"{stem}."],
        )
        return number, bool(is_ours)

    def _is_unused(self, number: str) -> bool:
        """Has nobody stored it in the moment before we took it? On SQLite nobody can have."""
        if connection.vendor == "sqlite":
            return True
        table = self.model._meta.db_table
        stored = f"SELECT 1 FROM {table} WHERE number = %s"  # noqa: S608  # nosec B608
        return not prepared.rows(stored, [number])


def _taking(number: str) -> str:
    """SQL that takes it, unless somebody else is just taking it; is it ours?

    On SQLite there is one transaction at a time.
    """
    if connection.vendor == "sqlite":
        return "1"
    return f"pg_try_advisory_xact_lock(hashtext({number}))"


def _following(number: str, stem: str) -> str:
    return f"{stem}-{int(number.removeprefix(stem).lstrip('-') or 1) + 1}"
