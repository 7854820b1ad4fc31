"""SQLite lets one write at a time, and has the others sleep and look again, up to 0.1 s each.

Turns queue at a file beside the database instead: the kernel wakes the next one at once.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

WORTH_COUNTING = 1.0
"""Seconds."""


@contextmanager
def in_turn() -> Iterator[None]:
    """Be the only turn that writes; on PostgreSQL, or in memory, nobody has to wait for that.

    Raises OperationalError after as long as SQLite may wait. It waits itself for whatever else
    writes, within the same time.
    """
    ours = connections[DEFAULT_DB_ALIAS]
    if ours.vendor != "sqlite" or ours.is_in_memory_db():
        yield
        return
    began = time.monotonic()
    queue = os.open(f"{ours.settings_dict['NAME']}-queue", os.O_RDONLY | os.O_CREAT, 0o644)
    try:
        fcntl.flock(queue, fcntl.LOCK_EX)
        with _having_waited(ours, time.monotonic() - began):
            yield
    finally:
        os.close(queue)


@contextmanager
def _having_waited(ours: BaseDatabaseWrapper, seconds: float) -> Iterator[None]:
    """Have SQLite itself wait for the rest of the time only, where that differs enough."""
    longest = ours.settings_dict["OPTIONS"]["timeout"]
    if seconds >= longest:
        raise OperationalError("database is locked")
    if seconds < WORTH_COUNTING:
        yield
        return
    _wait_for(ours, longest - seconds)
    try:
        yield
    finally:
        _wait_for(ours, longest)


def _wait_for(ours: BaseDatabaseWrapper, seconds: float) -> None:
    with ours.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")
