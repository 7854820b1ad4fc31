"""A turn's statements on PostgreSQL, handed to libpq as they are.

psycopg has a cursor made, looks up how each value is sent, and waits in Python, for each statement:
three times the work of what is left here. Values are sent and read as its cursors do it, by its
own Transformer (https://www.psycopg.org/psycopg3/docs/api/pq.html, .../api/adapt.html).
"""

from collections.abc import Sequence
from itertools import count
from typing import Any

import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

DONE = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)


def cursor(connection: "psycopg.Connection[Any]") -> "PreparedCursor":
    """The one of this connection, which goes when it goes."""
    kept = vars(connection)
    if "prepared_cursor" not in kept:
        kept["prepared_cursor"] = PreparedCursor(connection)
    return kept["prepared_cursor"]


class PreparedCursor:
    """A cursor on which each statement is planned once, whatever its values are."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self.connection = connection
        self.libpq = connection.pgconn
        self.adapting = Transformer(connection)
        self.names: dict[str, bytes] = {}
        self.numbers = count(1)

    def execute(self, sql: str, values: Sequence[Any]) -> "PreparedCursor":
        """Run it, in a transaction unless the connection commits by itself.

        Raises what psycopg's cursors raise.
        """
        self._begin()
        name = self.names.get(sql) or self._prepare(sql)
        sent = self.adapting.dump_sequence(values, [PyFormat.TEXT] * len(values))
        try:
            self.result = self._checked(self.libpq.exec_prepared(name, sent))
        except psycopg.errors.FeatureNotSupported:
            # A table has changed since, and the plan does not fit any more.
            del self.names[sql]
            raise
        return self

    def fetchall(self) -> list[tuple[Any, ...]]:
        self.adapting.set_pgresult(self.result)
        return self.adapting.load_rows(0, self.result.ntuples, tuple)

    def fetchone(self) -> tuple[Any, ...] | None:
        return next(iter(self.fetchall()), None)

    def _begin(self) -> None:
        is_idle = self.libpq.transaction_status == TransactionStatus.IDLE
        if is_idle and not self.connection.autocommit:
            self._checked(self.libpq.exec_(b"BEGIN"))

    def _prepare(self, sql: str) -> bytes:
        """Have it planned, the types of its values told by where they stand; its name."""
        name = f"andon_{next(self.numbers)}".encode()
        numbered = sql % tuple(f"${place}" for place in range(1, sql.count("%s") + 1))
        self._checked(self.libpq.prepare(name, numbered.encode()))
        self.names[sql] = name
        return name

    def _checked(self, result: PGresult) -> PGresult:
        if result.status in DONE:
            return result
        if self.libpq.status != ConnStatus.OK:
            raise psycopg.OperationalError(self.libpq.get_error_message())
        raise psycopg.errors.error_from_result(result, self.connection.info.encoding)
