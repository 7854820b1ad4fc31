"""A turn is answered once the disk has it. The next one need not wait for that."""

import errno
import fcntl
import os
import shutil
import sqlite3
from contextlib import suppress
from unittest.mock import Mock

import pytest
from django.db import OperationalError, connection, transaction

from whatsapp_bot import on_disk
from whatsapp_bot.on_disk import NotOnDisk
from whatsapp_bot.queueing import in_turn
from whatsapp_bot.simulator import phone as simulator

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL waits by itself"),
]
NORMAL, FULL = 1, 2
"""As SQLite has them."""


@pytest.fixture
def durable(settings):
    """A database that waits for the disk, as it does outside of tests."""
    connection.close()
    options = connection.settings_dict["OPTIONS"]
    as_in_tests = options["init_command"]
    options["init_command"] = as_in_tests + "PRAGMA synchronous=FULL;"
    settings.SQLITE_SYNCHRONOUS = "FULL"
    yield
    options["init_command"] = as_in_tests
    connection.close()
    with suppress(FileNotFoundError):
        os.truncate(on_disk.queue_of(connection), 0)


@pytest.fixture
def waits(durable, monkeypatch):
    """What was stored whenever somebody waited for the disk, and whether others could write."""
    waits = []

    def wait(file):
        log = os.readlink(f"/proc/self/fd/{file}").removesuffix(" (deleted)")
        assert log == f"{os.path.realpath(connection.settings_dict['NAME'])}-wal"
        queue = os.open(f"{connection.settings_dict['NAME']}-queue", os.O_RDONLY)
        fcntl.flock(queue, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(queue)
        waits.append(stored())

    monkeypatch.setattr(on_disk, "_sync", wait)
    return waits


def stored(database=None):
    """The messages that a connection of its own finds."""
    with sqlite3.connect(database or connection.settings_dict["NAME"]) as other:
        found = [body for (body,) in other.execute("SELECT body FROM whatsapp_bot_message")]
    other.close()
    return found


def synchronous():
    with connection.cursor() as cursor:
        return cursor.execute("PRAGMA synchronous").fetchone()[0]


def test_a_turn_is_answered_once_the_disk_has_it_and_the_next_one_does_not_wait(waits, phone):
    (reply,) = phone.say("hi")
    assert waits == [["hi", reply]]


def test_so_is_the_same_message_again_which_writes_nothing(waits, phone):
    sid = "SM" + "1" * 32
    assert phone.say("hi", MessageSid=sid) == phone.say("hi", MessageSid=sid)
    assert len(waits) == 2


def test_sqlite_itself_waits_for_the_disk_but_for_turns(waits):
    assert synchronous() == FULL
    with in_turn():
        assert synchronous() == NORMAL
    assert synchronous() == FULL
    with pytest.raises(ValueError, match="broken"), in_turn():
        raise ValueError("broken")
    assert synchronous() == FULL
    with in_turn():
        connection.close()
    assert synchronous() == FULL
    assert len(waits) == 3


def test_what_cannot_wait_again_goes(waits, monkeypatch):
    def refuse(ours, level):
        if level == "FULL":
            raise OperationalError("disk I/O error")

    monkeypatch.setattr(on_disk, "_set", refuse)
    with in_turn():
        connection.connection.execute("PRAGMA synchronous = NORMAL")
        stored()
    assert connection.connection is None
    assert synchronous() == FULL


def test_within_a_transaction_whoever_ends_it_waits(waits):
    with transaction.atomic(), in_turn():
        assert synchronous() == FULL
    assert not waits


def test_whoever_wants_it_fast_waits_for_nothing(waits, settings):
    settings.SQLITE_SYNCHRONOUS = "NORMAL"
    with in_turn():
        pass
    assert not waits


def test_a_database_that_keeps_no_log_waits_itself(waits, monkeypatch):
    monkeypatch.setattr(on_disk, "_find_log", lambda ours: "")
    with in_turn():
        assert synchronous() == FULL
    assert not waits


def test_nothing_is_answered_when_the_disk_fails_and_then_all_is_written_anew(
    durable, phone, monkeypatch, tmp_path
):
    """To ask the disk once more would hide its error, which it tells only once."""
    message = phone.parameters("hi")
    with monkeypatch.context() as failing:
        failing.setattr(on_disk, "_sync", Mock(side_effect=OSError(errno.EIO, "I/O error")))
        assert simulator.post(message).status_code == 503
        with pytest.raises(NotOnDisk), in_turn():
            pass
    assert simulator.post(message).status_code == 200
    # That is without the log.
    copy = shutil.copy(connection.settings_dict["NAME"], tmp_path)
    assert stored(copy)[0] == "hi"
    assert os.stat(on_disk.queue_of(connection)).st_size == 0


def test_nor_is_anything_while_it_cannot_be_written_anew(waits, phone):
    with in_turn():
        pass
    os.truncate(on_disk.queue_of(connection), 1)
    with sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM whatsapp_bot_message").fetchall()
        connection.cursor().execute("PRAGMA busy_timeout = 10")
        connection.cursor().execute("CREATE TABLE written_since (a)")
        assert phone.post("hi").status_code == 503
        reader.execute("ROLLBACK")
        connection.cursor().execute("DROP TABLE written_since")
    reader.close()
    assert phone.post("hi").status_code == 200


def test_the_folder_is_on_the_disk_once_for_each_connection(waits, monkeypatch):
    folders = []
    monkeypatch.setattr(
        os, "fsync", lambda file: folders.append(os.readlink(f"/proc/self/fd/{file}"))
    )
    for _ in range(2):
        with in_turn():
            stored()
    assert folders == [os.path.dirname(os.path.realpath(connection.settings_dict["NAME"]))]
    connection.close()
    with in_turn():
        stored()
    assert len(folders) == 2


def test_the_log_is_found_where_the_database_really_is(durable, tmp_path, monkeypatch):
    name = connection.settings_dict["NAME"]
    link = tmp_path / "db.sqlite3"
    link.symlink_to(name)
    monkeypatch.setitem(connection.settings_dict, "NAME", str(link))
    connection.close()
    assert on_disk._log_of(connection) == f"{os.path.realpath(name)}-wal"
    connection.close()
