"""A copy of SQLite's file, as docs/production.md has it made."""

import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from django.conf import settings

HANDBOOK = Path(settings.BASE_DIR) / "docs/production.md"
ROWS = 20_000
ADD = "INSERT INTO said (text) VALUES (?)"


@contextmanager
def written_to(database: Path) -> Iterator[None]:
    """Somebody writes to it without a break."""
    ended = threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            while not ended.is_set():
                connection.execute(ADD, ["again"])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        ended.set()
        writer.join()


def test_a_copy_is_whole_though_somebody_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    database = tmp_path / "db.sqlite3"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE said (id INTEGER PRIMARY KEY, text TEXT)")
        connection.executemany(ADD, [["a few words" * 20]] * ROWS)
        connection.commit()
    handbook = HANDBOOK.read_text(encoding="utf-8")
    (command,) = re.findall(r'^sqlite3 /var/lib/andon/db\.sqlite3 "(.+)"$', handbook, re.M)
    with written_to(database), closing(sqlite3.connect(database)) as connection:
        connection.execute(command)
    with closing(sqlite3.connect(tmp_path / "andon.sqlite3")) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert copy.execute("SELECT count(*) >= ? FROM said", [ROWS]).fetchone() == (True,)
