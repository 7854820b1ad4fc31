"""Looking for words in what people wrote.

On PostgreSQL an index of groups of three characters finds them, of which a blank may be one. All
that is asked for has to be there for that: one condition on one table, in capitals.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import connection, transaction
from django.db.migrations import RunPython
from django.db.models import Q, QuerySet

Rows = TypeVar("Rows", bound=QuerySet)

MOST_WORDS = 8
MOST_IDS = 1000
PENDING_KILOBYTES = 512
"""So little is put aside to be sorted into the index later that nobody has to wait for it."""

_WORDS = re.compile(r"\S*\w\S*")


def terms_in(text: str) -> list[str]:
    """What to look for. What has neither letter nor digit is no word."""
    return _WORDS.findall(text)[:MOST_WORDS]


def with_each_word(rows: Rows, text: str, condition: Callable[[str], Q]) -> Rows:
    """Those of which the condition holds for each word; none when there is no word."""
    terms = terms_in(text)
    found = rows if terms else rows.none()
    for word in terms:
        found = found.filter(condition(word))
    return found


def has(word: str, *fields: str) -> Q:
    """Is the word in one of the fields? One or two letters are looked for where words begin."""
    lookups = {f"{field}__icontains": word for field in fields}
    if len(word) < 3:
        lookups = {f"{field}__icontains": f" {word}" for field in fields}
        lookups |= {f"{field}__istartswith": word for field in fields}
    return Q(**lookups, _connector=Q.OR)


def ids_of(found: QuerySet) -> QuerySet | list[int]:
    """The ids themselves while they are few, so that an index leads to the rows that have them.

    When they are many, so are the rows, and the first of them are soon found without one.
    """
    ids = list(found.values_list("pk", flat=True)[: MOST_IDS + 1])
    return ids if len(ids) <= MOST_IDS else found.values("pk")


@contextmanager
def by_index(text: str) -> Iterator[None]:
    """Have PostgreSQL find several words by their index.

    Of a list that is cut it would read the table and hope that enough of them come soon, which
    words that are frequent and never come together do not.
    """
    if len(terms_in(text)) < 2 or connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
        yield


def word_index(name: str, table: str, *columns: str) -> RunPython:
    """For a migration: an index of the words in these columns. SQLite has none of that kind."""

    def add(apps: Any, schema_editor: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            words = ", ".join(f"UPPER({column}) gin_trgm_ops" for column in columns)
            schema_editor.execute(
                f"CREATE INDEX {name} ON {table} USING gin ({words}) "
                f"WITH (gin_pending_list_limit = {PENDING_KILOBYTES})"
            )

    def remove(apps: Any, schema_editor: Any) -> None:
        # The extension stays: something else may use it by now.
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP INDEX {name}")

    return RunPython(add, remove)
