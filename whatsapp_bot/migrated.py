"""Is the database as this program needs it?"""

from functools import cache

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

Migrations = frozenset[tuple[str, str]]
"""Each by its app and name."""


def missing_migrations() -> Migrations:
    """Those that are needed and not applied."""
    return needed_migrations() - _applied()


def later_migrations() -> Migrations:
    """Those that are applied and come after all that are needed."""
    last = dict(sorted(needed_migrations()))
    return frozenset((app, name) for app, name in _applied() if name > last.get(app, name))


@cache
def needed_migrations() -> Migrations:
    """Those of the program that runs: what is installed since is for the one after the restart."""
    return frozenset(MigrationLoader(None).graph.nodes)


def _applied() -> Migrations:
    return frozenset(MigrationRecorder(connection).applied_migrations())
