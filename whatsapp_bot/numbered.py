"""Rows with a number that people can read to each other: `DEF-20250119143022`."""

import re
from functools import cache
from typing import Any, ClassVar, TypeVar

from django.db import OperationalError, connection, models, transaction
from django.db.models.signals import post_save
from django.utils import timezone

from whatsapp_bot import prepared
from whatsapp_bot.whatsapp_text import DASHES, in_plain_signs

M = TypeVar("M", bound=models.Model)

TRIES_TO_TAKE = 100
FREE = """
    WITH last AS (
        SELECT
            min(number) AS first,
            max(CAST(NULLIF(substr(number, {after}), '') AS integer)) AS place
        FROM {table} WHERE number {at_least} %s AND number {below} %s
    )
    SELECT number FROM (
        SELECT %s AS number FROM last WHERE coalesce(first, '') != %s
        UNION ALL
        SELECT %s || '-' || {places} FROM last
    ) AS free WHERE {is_ours} LIMIT 1
"""
"""The stem, or what comes after the last of those that begin with it."""
DIALECTS = {
    # To compare texts by their bytes, as a number's index has them. A number is left to whoever is
    # just taking it: nobody is waited for, who may be at it for a while, and may give it up.
    "postgresql": {
        "at_least": "~>=~",
        "below": "~<~",
        "places": "generate_series(coalesce(place, 1) + 1, coalesce(place, 1) + 100000)",
        "is_ours": "pg_try_advisory_xact_lock(hashtext(number))",
    },
    # There is one transaction at a time.
    "sqlite": {
        "at_least": ">=",
        "below": "<",
        "places": "(coalesce(place, 1) + 1)",
        "is_ours": "true",
    },
}


def number_of_ours(text: str) -> str:
    """The first number in `text` that a row of ours may have, as it is stored; "" for none.

    It may be written with another dash, or blanks after the letters: ` - 3 more` counts parts.
    """
    found = _ours().search(in_plain_signs(text))
    return "-".join(filter(None, found.groups())).upper() if found else ""


@cache
def _ours() -> re.Pattern[str]:
    prefixes = "|".join(kind.prefix for kind in NumberedQuerySet.__subclasses__())
    return re.compile(
        rf"\b({prefixes})[\s{DASHES}]*(\d{{14}})(?:[{DASHES}](\d+))?\b", re.IGNORECASE
    )


class NumberedQuerySet(models.QuerySet[M]):
    """For models with a unique `number` of at most 32 characters."""

    prefix: ClassVar[str]

    def spelled_out(self, number: str) -> str:
        """A number, or its beginning, as it is stored, of somebody who may leave the prefix out."""
        number = number.upper()
        return number if number.startswith(self.prefix) else f"{self.prefix}-{number}"

    def file(self, **values: Any) -> M:
        """Create a row with the next free number. Of Django's signals only `post_save` is sent.

        The number is the prefix and the second, in the factory's time zone; the second row in
        that second gets `-2`, and so on. Raises FieldDoesNotExist for values of no field, and
        OperationalError when others keep taking what is free.
        """
        row = self._made(**values)
        stem = f"{self.prefix}-{timezone.localtime():%Y%m%d%H%M%S}"
        with transaction.atomic(savepoint=False):
            self._store(row, stem)
            about = {"created": True, "raw": False, "using": self.db, "update_fields": None}
            post_save.send(self.model, instance=row, **about)
        return row

    def _store(self, row: M, stem: str) -> None:
        for _ in range(TRIES_TO_TAKE):
            # Somebody may store a number in the moment before we take it.
            if self._stored(row, *self._free(stem)):
                return
        raise OperationalError("Others keep taking the numbers that are free")

    def _stored(self, row: M, free: str, values: list[str]) -> bool:
        return prepared.insert_as_found(row, "number", free, values)

    def _made(self, **values: Any) -> M:
        row = prepared.new(self.model)
        for name, value in values.items():
            self.model._meta.get_field(name)  # which raises when there is no such field
            setattr(row, name, value)
        return row

    def _free(self, stem: str) -> tuple[str, list[str]]:
        """The statement that finds a number which nobody has, nor is just taking."""
        table, after = self.model._meta.db_table, len(stem) + 2
        sql = FREE.format(table=table, after=after, **DIALECTS[connection.vendor])
        return sql, [stem, f"{stem}.", stem, stem, stem]
