"""SQLite lets one write at a time, and has the others sleep and look again, up to 0.1 s each.

Turns queue at a file beside the database instead: the kernel wakes the next one at once.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection

AS_LONG_AS_SQLITE = 8.0
"""Seconds: as long as whoever looks at SQLite itself waits, by our settings."""
WORTH_COUNTING = 1.0


@contextmanager
def in_turn() -> Iterator[None]:
    """Be the only turn that writes; on PostgreSQL, or in memory, nobody has to wait for that.

    Raises OperationalError after AS_LONG_AS_SQLITE. Whatever else writes is waited for by SQLite,
    within the same time.
    """
    place = str(connection.settings_dict["NAME"])
    if connection.vendor != "sqlite" or "memory" in place:
        yield
        return
    began = time.monotonic()
    queue = os.open(f"{place}-queue", os.O_RDONLY | os.O_CREAT, 0o644)
    try:
        fcntl.flock(queue, fcntl.LOCK_EX)
        with _what_is_left(AS_LONG_AS_SQLITE - (time.monotonic() - began)):
            yield
    finally:
        os.close(queue)


@contextmanager
def _what_is_left(seconds: float) -> Iterator[None]:
    """Have SQLite itself wait for so long only, where that differs enough."""
    if seconds <= 0:
        raise OperationalError("database is locked")
    if seconds > AS_LONG_AS_SQLITE - WORTH_COUNTING:
        yield
        return
    _wait_for(seconds)
    try:
        yield
    finally:
        _wait_for(AS_LONG_AS_SQLITE)


def _wait_for(seconds: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")
