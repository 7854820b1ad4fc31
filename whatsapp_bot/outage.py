"""The database being away: noticed, told once, and waited for."""

import threading

import structlog
from django.db import Error, InterfaceError, OperationalError, connection

log = structlog.get_logger("whatsapp_bot")

DOES_NOT_ANSWER = "The database does not answer: {why}"
IS_IT_THERE = "Is it running? Is DATABASE_URL right?"


def why_away(error: Exception) -> str:
    """Why the database does not answer; "" when the error is none of it, or it does.

    Then a statement that failed had waited for a lock, took too long, or lost its connection.
    """
    is_of_database = isinstance(error, OperationalError | InterfaceError)
    return _why_silent() if is_of_database else ""


def _why_silent() -> str:
    connection.close_if_unusable_or_obsolete()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error as error:
        return in_a_line(error)
    return ""


def in_a_line(error: Error) -> str:
    """The first of what the database says of it, which names what is wrong."""
    why, *_ = str(error).split("\n")
    return why


class Outage:
    """However many threads come upon it, it is one line when it begins and one when it is over."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting = 0

    def wait(self, why: str, ended: threading.Event) -> None:
        """Until the database answers this thread again, or we are to end."""
        with self._lock:
            self._waiting += 1
            if self._waiting == 1:
                log.error("the database is away", why=why)
        while not ended.wait(1) and _why_silent():
            pass
        with self._lock:
            self._waiting -= 1
            if not (self._waiting or ended.is_set()):
                log.warning("the database is back")
