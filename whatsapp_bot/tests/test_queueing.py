"""Turns queue for SQLite at a file, and nobody waits there for longer than at SQLite itself."""

import fcntl
import os
import threading

import pytest
from django.db import OperationalError, connection

from whatsapp_bot import queueing
from whatsapp_bot.queueing import in_turn

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL takes many writes"),
]


@pytest.fixture
def somebody_else(monkeypatch):
    """Somebody who has the turn, and ends it a little after we have come to wait for it."""
    queue = os.open(f"{connection.settings_dict['NAME']}-queue", os.O_RDONLY | os.O_CREAT)
    fcntl.flock(queue, fcntl.LOCK_EX)
    over = threading.Event()

    def end():
        over.set()
        os.close(queue)

    timer = threading.Timer(0.2, end)
    wait = fcntl.flock

    def come_and_wait(*arguments):
        timer.start()
        wait(*arguments)

    monkeypatch.setattr(fcntl, "flock", come_and_wait)
    yield over
    timer.join()


def busy_timeout():
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        return cursor.fetchone()[0]


def test_one_waits_for_the_other(somebody_else):
    with in_turn():
        assert somebody_else.is_set()


def test_who_has_waited_too_long_is_refused(somebody_else, monkeypatch):
    monkeypatch.setattr(queueing, "WORTH_COUNTING", 0.1)
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0.1)
    with pytest.raises(OperationalError), in_turn():
        pass


def test_what_was_waited_is_waited_no_more_at_sqlite(somebody_else, monkeypatch):
    monkeypatch.setattr(queueing, "WORTH_COUNTING", 0.1)
    with in_turn():
        assert busy_timeout() < 7900
    assert busy_timeout() == 8000


def test_a_turn_that_fails_lets_the_next_one_in():
    with pytest.raises(ValueError, match="broken"), in_turn():
        raise ValueError("broken")
    with in_turn():
        pass
