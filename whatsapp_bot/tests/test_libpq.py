"""What is handed to libpq comes back as psycopg's own cursors bring it, faults as well."""

from datetime import UTC, datetime
from decimal import Decimal

import psycopg
import pytest
from django.db import DataError, OperationalError, connection, transaction
from psycopg import IsolationLevel
from psycopg.pq import TransactionStatus

from whatsapp_bot import libpq, prepared

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="it is PostgreSQL's library"),
]
AT = datetime(2025, 1, 19, 14, 30, 22, 123456, tzinfo=UTC)
KINDS = "SELECT %s::text, %s::int, %s::bigint, %s::boolean, %s::numeric, %s::timestamptz, %s::text"
OF_EACH = ("Grüße 👋 100 % 'so'", 7, 2**40, True, Decimal("-0.005"), AT, None)


@pytest.fixture
def ours():
    connection.ensure_connection()
    return connection.connection


@pytest.fixture
def another():
    """A connection that no test stands on."""
    parameters = connection.get_connection_params()
    with psycopg.connect(**{**parameters, "cursor_factory": psycopg.Cursor}) as connected:
        yield connected


def test_values_come_back_as_they_went(ours):
    assert libpq.cursor(ours).execute(KINDS, OF_EACH).fetchall() == [OF_EACH]
    assert libpq.cursor(ours).execute(KINDS, (None,) * 7).fetchone() == (None,) * 7
    assert libpq.cursor(ours).execute("SELECT 1 WHERE %s = ''", ["x"]).fetchone() is None


@pytest.mark.parametrize("moment", ["2025-07-01 00:30:00.5+02", "0001-01-01 00:00Z", "1883-11-18"])
def test_moments_are_read_as_django_reads_them(ours, moment):
    select = "SELECT %s::text::timestamptz"
    with connection.cursor() as cursor:
        cursor.execute(select, [moment])
        (by_django,) = cursor.fetchone()
    (by_us,) = libpq.cursor(ours).execute(select, [moment]).fetchone()
    assert (by_us, by_us.tzinfo) == (by_django, by_django.tzinfo)


def test_a_statement_is_planned_once(ours):
    for value in ("a", "b", None):
        libpq.cursor(ours).execute("SELECT %s::text AS planned_once", [value])
    planned = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s"
    assert prepared.rows(planned, ["%planned_once%"]) == [(1,)]


def test_a_transaction_begins_with_the_first_statement_and_can_be_undone(another):
    cursor = libpq.PreparedCursor(another)
    cursor.execute("CREATE TEMP TABLE undone (a text)", [])
    assert another.info.transaction_status == TransactionStatus.INTRANS
    another.rollback()
    with pytest.raises(psycopg.errors.UndefinedTable):
        cursor.execute("SELECT a FROM undone", [])
    another.rollback()
    another.autocommit = True
    cursor.execute("SELECT 1", [])
    assert another.info.transaction_status == TransactionStatus.IDLE


def test_a_transaction_ends_with_its_last_statement(another):
    cursor = libpq.PreparedCursor(another)
    cursor.execute("CREATE TEMP TABLE ended (a text)", [])
    insert = "INSERT INTO ended VALUES (%s) RETURNING a"
    assert cursor.execute(insert, ["x"], commit=True).fetchone() == ("x",)
    assert another.info.transaction_status == TransactionStatus.IDLE
    another.rollback()
    # One that both begins and ends a transaction, and more than goes to the server at once.
    long = "y" * 5_000_000
    assert cursor.execute(insert, [long], commit=True).fetchone() == (long,)
    assert cursor.execute("SELECT count(*) FROM ended", []).fetchone() == (2,)


def test_a_last_statement_that_fails_ends_nothing(another):
    cursor = libpq.PreparedCursor(another)
    cursor.execute("CREATE TEMP TABLE failed (a integer UNIQUE DEFERRABLE)", [])
    cursor.execute("INSERT INTO failed VALUES (1)", [], commit=True)
    with pytest.raises(psycopg.errors.UniqueViolation):
        cursor.execute("INSERT INTO failed VALUES (%s)", [1], commit=True)
    assert another.info.transaction_status == TransactionStatus.INERROR
    another.rollback()
    assert cursor.execute("SELECT count(*) FROM failed", []).fetchone() == (1,)
    cursor.execute("SET CONSTRAINTS ALL DEFERRED", [])
    with pytest.raises(psycopg.errors.UniqueViolation):  # which only the COMMIT finds
        cursor.execute("INSERT INTO failed VALUES (%s)", [1], commit=True)
    assert another.info.transaction_status == TransactionStatus.IDLE
    assert cursor.execute("SELECT count(*) FROM failed", []).fetchone() == (1,)


def test_a_changed_table_is_planned_for_again(another):
    another.autocommit = True
    cursor = libpq.PreparedCursor(another)
    cursor.execute("CREATE TEMP TABLE changed (a text)", [])
    cursor.execute("SELECT * FROM changed", [])
    another.execute("ALTER TABLE changed ADD b integer DEFAULT 1")
    with pytest.raises(psycopg.errors.FeatureNotSupported):
        cursor.execute("SELECT * FROM changed", [])
    assert cursor.execute("SELECT * FROM changed", []).fetchall() == []


def test_after_one_table_has_changed_no_plan_is_relied_on(another):
    another.autocommit = True
    cursor = libpq.PreparedCursor(another)
    for table in ("one", "two"):
        cursor.execute(f"CREATE TEMP TABLE {table} (a text)", [])
    for select in ("SELECT * FROM one", "SELECT * FROM two"):
        cursor.execute(select, [])
    for table in ("one", "two"):
        another.execute(f"ALTER TABLE {table} ADD b text")
    with pytest.raises(psycopg.errors.FeatureNotSupported):
        cursor.execute("SELECT * FROM one", [])
    assert cursor.execute("SELECT * FROM one", []).fetchall() == []
    assert cursor.execute("SELECT * FROM two", []).fetchall() == []


class Pooler:
    """What PgBouncer does with statements: each text is prepared once for all who share it."""

    def __init__(self, libpq):
        self.libpq, self.prepared, self.names = libpq, {}, {}

    def __getattr__(self, name):
        return getattr(self.libpq, name)

    def prepare(self, name, text):
        self.names[name] = self.prepared.setdefault(text, name)
        is_new = self.names[name] == name
        return self.libpq.prepare(name, text) if is_new else self.libpq.exec_(b"SELECT 1")

    def exec_prepared(self, name, sent):
        return self.libpq.exec_prepared(self.names[name], sent)


def test_a_changed_table_is_planned_for_again_behind_a_pooler(another):
    another.autocommit = True
    one, other = libpq.PreparedCursor(another), libpq.PreparedCursor(another)
    one.libpq = other.libpq = Pooler(another.pgconn)
    one.execute("CREATE TEMP TABLE pooled (a text)", [])
    one.execute("SELECT * FROM pooled WHERE a = %s", ["x"])
    another.execute("ALTER TABLE pooled ADD b integer DEFAULT 1")
    for cursor in (one, other):
        with pytest.raises(psycopg.errors.FeatureNotSupported):
            cursor.execute("SELECT * FROM pooled WHERE a = %s", ["x"])
        assert cursor.execute("SELECT * FROM pooled WHERE a = %s", ["x"]).fetchall() == []


def test_a_fault_leaves_the_transaction_to_be_undone():
    with pytest.raises(DataError), transaction.atomic():
        prepared.rows("SELECT %s::integer", ["not one"])
    with pytest.raises(DataError), transaction.atomic():
        prepared.rows("SELECT %s::text", ["a NUL: \0"])
    assert prepared.rows("SELECT %s::integer", [1]) == [(1,)]


@pytest.mark.parametrize("end", ["by the server", "by us"])
def test_a_connection_that_is_gone_is_said_to_be(another, ours, end):
    cursor = libpq.PreparedCursor(another)
    cursor.execute("SELECT 1", [])
    if end == "by us":
        another.close()
    else:
        prepared.rows("SELECT pg_terminate_backend(%s)", [another.info.backend_pid])
    with pytest.raises(psycopg.OperationalError):
        cursor.execute("SELECT 1", [])


def test_each_connection_has_its_own(ours, another):
    first = libpq.cursor(ours)
    assert libpq.cursor(ours) is first
    assert libpq.cursor(another) is not first


def test_a_lock_is_waited_for_no_longer_than_the_settings_say(another):
    waits = "SELECT pg_advisory_xact_lock(%s)"
    libpq.PreparedCursor(another).execute(waits, [4711])
    with transaction.atomic():
        prepared.rows("SELECT set_config('lock_timeout', %s, true)", ["50ms"])
        with pytest.raises(OperationalError), transaction.atomic():
            prepared.rows(waits, [4711])


@pytest.mark.parametrize(
    ("name", "value"), [("prepare_threshold", 5), ("isolation_level", IsolationLevel.SERIALIZABLE)]
)
def test_what_the_settings_have_otherwise_is_left_to_django(monkeypatch, name, value):
    monkeypatch.setattr(libpq, "cursor", None)
    monkeypatch.setattr(psycopg.Connection, name, value)
    assert prepared.rows("SELECT %s::integer", [1]) == [(1,)]


def test_two_that_share_the_server_never_take_the_one_s_statement_for_the_other_s(ours):
    """As with a pooler: what each of them prepares first has another name than what others do."""
    one, other = libpq.PreparedCursor(ours), libpq.PreparedCursor(ours)
    assert one.execute("SELECT %s::text", ["a"]).fetchall() == [("a",)]
    assert other.execute("SELECT %s::int + 1", [1]).fetchall() == [(2,)]
