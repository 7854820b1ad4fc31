"""SQLite waits for the disk while nobody else can write. A turn waits for it afterwards."""

import os
from contextlib import suppress

from django.conf import settings
from django.db import Error
from django.db.backends.base.base import BaseDatabaseWrapper

_sync = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


class NotOnDisk(Exception):
    """The disk failed: a power cut would perhaps take back what was written."""


class OnDiskAfterwards:
    """Has SQLite not wait for the disk meanwhile, and waits for it when that is over.

    Raises NotOnDisk, whatever else was raised meanwhile. SQLite's log is written in one order, and
    read up to where it breaks off: nothing is on the disk without what was written before. Whoever
    else writes waits for the disk as ever, and so for what turns have written that wait for it
    still. See https://www.sqlite.org/pragma.html#pragma_synchronous and
    https://www.sqlite.org/wal.html
    """

    def __init__(self, ours: BaseDatabaseWrapper) -> None:
        ends_with_it = not ours.in_atomic_block
        self.ours = ours
        self.log = _log_of(ours) if settings.SQLITE_SYNCHRONOUS == "FULL" and ends_with_it else ""

    def __enter__(self) -> None:
        if not self.log:
            return
        # Before anything is written: whoever opens it later is not told what failed until then.
        self.file = _opened(self.log)
        try:
            _set(self.ours, "NORMAL")
        except Error:
            self.__exit__()
            raise

    def __exit__(self, *raised: object) -> None:
        if not self.log:
            return
        if self.ours.connection:
            _set_back(self.ours)
        try:
            _sync(self.file)
        except OSError as error:
            _distrust(self.ours)
            raise NotOnDisk(str(error)) from error
        finally:
            # SQLite locks other files: closing this one gives nothing free that it has locked.
            os.close(self.file)


def _opened(log: str) -> int:
    try:
        return os.open(log, os.O_RDONLY)
    except OSError as error:
        raise NotOnDisk(str(error)) from error


def _set(ours: BaseDatabaseWrapper, level: str) -> None:
    with ours.wrap_database_errors:
        ours.connection.execute(f"PRAGMA synchronous = {level}")


def _set_back(ours: BaseDatabaseWrapper) -> None:
    """What cannot be set back goes: a new connection waits for the disk by itself."""
    try:
        _set(ours, "FULL")
    except Error:
        ours.close()


def _log_of(ours: BaseDatabaseWrapper) -> str:
    """The file in which SQLite has what was written last; "" where it keeps no such log."""
    if ours.connection is None:
        ours.ensure_connection()
    connection, log = getattr(ours, "its_log", (None, ""))
    if connection is not ours.connection:
        log = _find_log(ours)
        ours.its_log = ours.connection, log
    return log


def _find_log(ours: BaseDatabaseWrapper) -> str:
    """It is there from now on, for as long as we are connected, and its name is on the disk."""
    with ours.cursor() as cursor:
        (mode,) = cursor.execute("PRAGMA journal_mode").fetchone()
        files = cursor.execute("PRAGMA database_list").fetchall()
        cursor.execute("SELECT 1 FROM sqlite_master").fetchall()  # which makes it
    (database,) = (file for _, schema, file in files if schema == "main")
    if mode != "wal":
        return ""
    with suppress(OSError):  # SQLite does not mind either where a folder knows no such thing.
        folder = os.open(os.path.dirname(database), os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    return f"{database}-wal"


# A disk that failed -------------------------------------------------------------------------------


def queue_of(ours: BaseDatabaseWrapper) -> str:
    """The file at which turns queue. There is something in it while the log is not trusted."""
    return f"{ours.settings_dict['NAME']}-queue"


def _distrust(ours: BaseDatabaseWrapper) -> None:
    """Have the next turn write all of the log elsewhere: to ask once more would hide the error."""
    _mark(ours, 1)


def _mark(ours: BaseDatabaseWrapper, size: int) -> None:
    with suppress(OSError):  # It may be of somebody else.
        os.truncate(queue_of(ours), size)


def write_anew_if_distrusted(ours: BaseDatabaseWrapper, queue: int) -> None:
    """Have what is in the log in the database, and on the disk, and begin a new one.

    queue: the open file, at which it is our turn. Raises NotOnDisk.
    """
    if not os.fstat(queue).st_size:
        return
    for _ in range(2):  # SQLite is told of that error as well, once.
        with suppress(Error), ours.cursor() as cursor:
            (busy, *_) = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if not busy:
                _mark(ours, 0)
                return
    raise NotOnDisk("The log could not be written anew.")
