"""What is asked of the database, and by several at once."""

import fcntl
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Model
from django.test.utils import CaptureQueriesContext

NO_STATEMENT = re.compile(r"BEGIN|COMMIT|SAVEPOINT|RELEASE SAVEPOINT")


def statements(of: Callable[[], Any]) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        of()
    made = [query["sql"] for query in captured.captured_queries]
    return [sql for sql in made if not NO_STATEMENT.match(sql)]


def analyze(*models: type[Model]) -> None:
    """Have the planner know how many rows there are in the tables of these models.

    Of those alone: PostgreSQL's own tables would stay locked for the tests beside this one.
    """
    with connection.cursor() as cursor:
        for model in models:
            cursor.execute(f'ANALYZE "{model._meta.db_table}"')


def undoing_changes(model: type[Model]) -> list[str]:
    """The statements after which the model's table holds again what it holds now."""
    table, key = model._meta.db_table, model._meta.pk.column
    if not model._base_manager.exists():
        return [f'DELETE FROM "{table}"']  # noqa: S608
    kept = f"kept_{table}"
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE TABLE "{kept}" AS SELECT * FROM "{table}"')  # noqa: S608
    same = f'SELECT * FROM "{table}" INTERSECT SELECT * FROM "{kept}"'  # noqa: S608
    return [
        f'DELETE FROM "{table}" WHERE "{key}" NOT IN (SELECT "{key}" FROM ({same}) AS same)',  # noqa: S608
        f'INSERT INTO "{table}" SELECT * FROM "{kept}" EXCEPT SELECT * FROM "{table}"',  # noqa: S608
    ]


@contextmanager
def undone() -> Iterator[None]:
    """What is done within is not there afterwards."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def all_at_once(do: Callable[[Any], Any], things: Iterable[Any]) -> list[Any]:
    """What doing it with each gives, in their order; each in a thread with its own connection."""

    def alone(thing: Any) -> Any:
        try:
            return do(thing)
        finally:
            connection.close()

    things = list(things)
    alone_here = _only_crowd() if len(things) > 1 else nullcontext()
    with alone_here, ThreadPoolExecutor(len(things)) as pool:
        return list(pool.map(alone, things))


@contextmanager
def _only_crowd() -> Iterator[None]:
    """Two of them, in tests beside each other, would be more than PostgreSQL lets in."""
    with (settings.BASE_DIR / "conftest.py").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def held_by_another(row: Model) -> Iterator[None]:
    """Somebody else is changing this row, for longer than our own connection waits."""
    held, done = threading.Event(), threading.Event()

    def hold(_: None) -> None:
        with transaction.atomic():
            type(row).objects.select_for_update().get(pk=row.pk)
            held.set()
            done.wait(20)

    on_sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor, ThreadPoolExecutor(1) as pool:
        cursor.execute("PRAGMA busy_timeout = 50" if on_sqlite else "SET lock_timeout = 50")
        holding = pool.submit(all_at_once, hold, [None])
        try:
            assert held.wait(20)
            yield
        finally:
            done.set()
        holding.result()
    connection.close()
