"""A turn's statements on PostgreSQL, handed to libpq as they are.

psycopg has a cursor made, looks up how each value is sent, and waits in Python, for each statement:
three times the work of what is left here. Values are sent and read as its cursors do it, by its
own Transformer (https://www.psycopg.org/psycopg3/docs/api/pq.html, .../api/adapt.html). BEGIN and
COMMIT go with a statement, and not before and after it
(https://www.postgresql.org/docs/current/libpq-pipeline-mode.html).
"""

import hashlib
import select
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from typing import Any

import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult
from psycopg.types.datetime import TimestamptzLoader

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
        self.adapting = Transformer(_with_fast_times(connection))
        self.names: dict[str, bytes] = {}
        self.numbers = count(1)
        self.changes = 0
        self.poll = select.poll()
        self.poll.register(self.libpq.socket)

    def execute(self, sql: str, values: Sequence[Any], *, commit: bool = False) -> "PreparedCursor":
        """Run it, in a transaction unless the connection commits by itself.

        commit: the transaction ends with it. Raises what psycopg's cursors raise.
        """
        name = self.names.get(sql) or self._prepare(sql)
        sent = self.adapting.dump_sequence(values, [PyFormat.TEXT] * len(values))
        try:
            self.result = self._run(name, sent, commit=commit)
        except psycopg.errors.FeatureNotSupported:
            # A table has changed since, and that plan does not fit any more; nor may others.
            self.names.clear()
            self.changes += 1
            raise
        return self

    def fetchall(self) -> list[tuple[Any, ...]]:
        self.adapting.set_pgresult(self.result)
        return self.adapting.load_rows(0, self.result.ntuples, tuple)

    def fetchone(self) -> tuple[Any, ...] | None:
        return next(iter(self.fetchall()), None)

    def _run(self, name: bytes, sent: Sequence[Any], *, commit: bool) -> PGresult:
        """What the statement with this name finds."""
        is_idle = self.libpq.transaction_status == TransactionStatus.IDLE
        begin = is_idle and not self.connection.autocommit
        if not (begin or commit):
            return self._checked(self.libpq.exec_prepared(name, sent))
        self.libpq.enter_pipeline_mode()
        try:
            if begin:
                self.libpq.send_query_params(b"BEGIN", None)
            self.libpq.send_query_prepared(name, sent)
            if commit:
                self.libpq.send_query_params(b"COMMIT", None)
            self.libpq.pipeline_sync()
            results = [self._next_result() for _ in range(begin + 1 + commit)]
            self._received()  # of the end
        finally:
            # One that is lost stays as it is.
            with suppress(psycopg.OperationalError):
                self.libpq.exit_pipeline_mode()
        return [self._checked(result) for result in results][begin]

    def _next_result(self) -> PGresult | None:
        """What came of the next statement; after each of them libpq says that it was all."""
        result = self._received()
        if result:
            self._received()
        return result

    def _received(self) -> PGresult | None:
        """What libpq has next, others having their turn in this process until it is there."""
        libpq = self.libpq
        while libpq.is_busy():
            unsent = libpq.flush()
            self.poll.modify(libpq.socket, select.POLLIN | (select.POLLOUT if unsent else 0))
            self.poll.poll()
            libpq.consume_input()
        return libpq.get_result()

    def _prepare(self, sql: str) -> bytes:
        """Have it planned, the types of its values told by where they stand; its name."""
        text = sql % tuple(f"${place}" for place in range(1, sql.count("%s") + 1))
        if self.changes:
            # PgBouncer has what it knows planned once only, whoever prepares it.
            text = f"{text} /* {self.changes} */"
        # A pooler that shares the server among us must never take another's statement for it.
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        name = f"andon_{digest}_{next(self.numbers)}".encode()
        self._checked(self.libpq.prepare(name, text.encode()))
        self.names[sql] = name
        return name

    def _checked(self, result: PGresult | None) -> PGresult:
        if result and result.status in DONE:
            return result
        if self.libpq.status != ConnStatus.OK:
            raise psycopg.OperationalError(self.libpq.get_error_message())
        raise psycopg.errors.error_from_result(result, self.connection.info.encoding)


def _with_fast_times(connection: "psycopg.Connection[Any]") -> "psycopg.Cursor[Any]":
    """What knows how values are read: as on this connection, but moments with psycopg's own C.

    Django has them read in Python, to change their time zone: it is UTC here anyway.
    """
    cursor = connection.cursor()
    cursor.adapters.register_loader("timestamptz", TimestamptzLoader)
    return cursor
