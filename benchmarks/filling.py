"""The databases that turns are measured on: an empty one and a full one, each with the floor's."""

from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.database import copy_of_database, test_database  # isort: skip  Sets Django up.

from django.db import connection

from benchmarks import floor


@contextmanager
def databases(commit_ms: float = 0) -> Iterator[str]:
    """An empty one, which the connection is to, and a copy of it that has the name given back.

    commit_ms: how much longer than the disk of this machine PostgreSQL takes for each commit.
    """
    with test_database():
        with connection.cursor() as cursor:
            for table in floor.TABLES:
                cursor.execute(table.format(serial=floor.SERIAL[connection.vendor]))
        with copy_of_database() as full:
            if commit_ms:
                slow_down(commit_ms)
            yield full


def slow_down(commit_ms: float) -> None:
    with connection.cursor() as cursor:
        name = connection.settings_dict["NAME"]
        cursor.execute(f'ALTER DATABASE "{name}" SET commit_delay = {commit_ms * 1000:.0f}')
        cursor.execute(f'ALTER DATABASE "{name}" SET commit_siblings = 0')
    connection.close()


def make_known_at_the_floor(addresses: list[str]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO floor_state VALUES (%s, %s)",
            [(f"whatsapp:{address}", '{"count": 0}') for address in addresses],
        )


def fill(contacts: int, messages: int) -> None:
    """People who wrote in turn, with the answer to each of their messages."""
    now = "now()" if connection.vendor == "postgresql" else "datetime('now')"
    one = """
        WITH RECURSIVE series(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM series WHERE n < %s)
        INSERT INTO {} SELECT {} FROM series ORDER BY n
    """
    empty, false = "'{}'", "false"
    with connection.cursor() as cursor:
        cursor.execute(
            one.format(
                "whatsapp_bot_contact (phone, name, role, language, opt_out_told, created_at)",
                f"'+2783' || (1000000 + n), 'Person ' || n, 'unknown', '', true, {now}",
            ),
            [contacts - 1],
        )
        cursor.execute(
            "INSERT INTO whatsapp_bot_conversation (contact_id, flow, state, heard_at, holds) "  # noqa: S608
            f"SELECT id, 'menu:main', {empty}, {now}, {false} FROM whatsapp_bot_contact"
        )
        cursor.execute("SELECT min(id) FROM whatsapp_bot_contact")
        (first,) = cursor.fetchone()
        is_in = "n %% 2 = 0"
        cursor.execute(
            one.format(
                "whatsapp_bot_message (contact_id, direction, kind, sid, body, quoted_sid, "
                "details, status, price_unit, created_at, priority, notice, attempts)",
                f"{first} + n / 2 %% {contacts}, CASE WHEN {is_in} THEN 'in' ELSE 'out' END, "
                f"'text', CASE WHEN {is_in} THEN 'SM' || n END, 'The seal leaks at the edge', '', "
                f"{empty}, CASE WHEN {is_in} THEN 'received' ELSE 'sent' END, '', {now}, 0, '', 0",
            ),
            [messages - 1],
        )
        if connection.vendor == "postgresql":
            # PostgreSQL may just have begun to do so by itself.
            cursor.execute("SET lock_timeout = 0")
            cursor.execute("VACUUM ANALYZE")
        else:
            cursor.execute("ANALYZE")
