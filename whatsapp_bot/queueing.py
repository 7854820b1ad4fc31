"""SQLite lets one write at a time, and has the others sleep and look again, up to 0.1 s each.

Turns queue at a file beside the database instead: the kernel wakes the next one at once, which does
not wait either until the disk has what this one wrote.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from django.db import DEFAULT_DB_ALIAS, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from whatsapp_bot.on_disk import OnDiskAfterwards, queue_of, write_anew_if_distrusted

WORTH_COUNTING = 1.0
"""Seconds."""
AT_ONCE = nullcontext()


@contextmanager
def in_turn() -> Iterator[None]:
    """Be the only turn that writes; on PostgreSQL, or in memory, nobody has to wait for that.

    What it wrote is on the disk when it ends, and what it read. Raises OperationalError after as
    long as SQLite may wait, which itself waits for whatever else writes within the same time; and
    NotOnDisk.
    """
    ours = connections[DEFAULT_DB_ALIAS]
    if ours.vendor != "sqlite" or ours.is_in_memory_db():
        yield
        return
    with OnDiskAfterwards(ours):
        began = time.monotonic()
        queue = os.open(queue_of(ours), os.O_RDONLY | os.O_CREAT, 0o644)
        try:
            fcntl.flock(queue, fcntl.LOCK_EX)
            waited = time.monotonic() - began
            write_anew_if_distrusted(ours, queue)
            with _having_waited(ours, waited) if waited > WORTH_COUNTING else AT_ONCE:
                yield
        finally:
            os.close(queue)


@contextmanager
def _having_waited(ours: BaseDatabaseWrapper, seconds: float) -> Iterator[None]:
    """Have SQLite itself wait for the rest of the time only."""
    longest = ours.settings_dict["OPTIONS"]["timeout"]
    if seconds >= longest:
        raise OperationalError("database is locked")
    _wait_for(ours, longest - seconds)
    try:
        yield
    finally:
        _wait_for(ours, longest)


def _wait_for(ours: BaseDatabaseWrapper, seconds: float) -> None:
    with ours.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")
