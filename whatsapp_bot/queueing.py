"""SQLite lets one write at a time, and has the others sleep and look again, up to 0.1 s each.

Turns queue at a file beside the database instead: the kernel wakes the next one at once.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection

WORTH_COUNTING = 1.0
"""Seconds."""


@contextmanager
def in_turn() -> Iterator[None]:
    """Be the only turn that writes; on PostgreSQL, or in memory, nobody has to wait for that.

    Raises OperationalError after as long as SQLite may wait. It waits itself for whatever else
    writes, within the same time.
    """
    if connection.vendor != "sqlite" or connection.is_in_memory_db():
        yield
        return
    began = time.monotonic()
    queue = os.open(f"{connection.settings_dict['NAME']}-queue", os.O_RDONLY | os.O_CREAT, 0o644)
    try:
        fcntl.flock(queue, fcntl.LOCK_EX)
        with _having_waited(time.monotonic() - began):
            yield
    finally:
        os.close(queue)


@contextmanager
def _having_waited(seconds: float) -> Iterator[None]:
    """Have SQLite itself wait for the rest of the time only, where that differs enough."""
    longest = connection.settings_dict["OPTIONS"]["timeout"]
    if seconds >= longest:
        raise OperationalError("database is locked")
    if seconds < WORTH_COUNTING:
        yield
        return
    _wait_for(longest - seconds)
    try:
        yield
    finally:
        _wait_for(longest)


def _wait_for(seconds: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")
