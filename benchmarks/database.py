"""Sets Django up when it is imported, which is before any model is; databases to measure on."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings_test")

import django

django.setup()

from django.db import connection
from django.test.utils import setup_test_environment

from benchmarks.processes import end_when_asked

SUFFIX = "full"
"""What the name of the second database ends in."""

end_when_asked()


def its_name() -> str:
    """The database's, with its version."""
    if connection.vendor == "sqlite":
        return f"SQLite {connection.Database.sqlite_version}"
    with connection.temporary_connection():
        version = connection.pg_version
    return f"PostgreSQL {version // 10_000}.{version % 10_000}"


@contextmanager
def test_database() -> Iterator[None]:
    """Beside that of DATABASE_URL, as the tests have one, until the block ends."""
    setup_test_environment()
    name = connection.creation._get_test_db_name()
    try:
        connection.creation.create_test_db(verbosity=0, autoclobber=True)
        yield
    finally:
        _remove(name)


@contextmanager
def copy_of_database() -> Iterator[str]:
    """A second one, like the one that the connection is to, until the block ends; its name."""
    creation = connection.creation
    name = creation.get_test_db_clone_settings(SUFFIX)["NAME"]
    try:
        _remove(name)
        connection.close()
        creation.clone_test_db(SUFFIX, verbosity=0)
        yield name
    finally:
        _remove(name)


@contextmanager
def connected_to(name: str) -> Iterator[None]:
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


def _remove(name: str) -> None:
    """Also when it is there in part, and whoever is connected to it."""
    connection.close()
    if connection.vendor == "sqlite":
        file = Path(name)
        for path in (file, *file.parent.glob(f"{file.name}-*")):
            path.unlink(missing_ok=True)
        return
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
