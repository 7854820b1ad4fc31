"""Statements that are always the same: made once in a process, and planned once by the database.

A turn is a few of them. What they are is said with querysets and models, as everywhere; Django
would put them together anew each time, which takes longer than to run them.
"""

import json
import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache, partial
from types import NoneType
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.base import ModelState

from whatsapp_bot import libpq

M = TypeVar("M", bound=models.Model)


# Statements -------------------------------------------------------------------------------------


def _ours() -> BaseDatabaseWrapper:
    """The connection of this thread, and not what Django finds it by each time."""
    return connections[DEFAULT_DB_ALIAS]


def _run(
    ours: BaseDatabaseWrapper, sql: str, values: Sequence[Any], *, is_last: bool = False
) -> Any:
    """Run it; the cursor that has what was found.

    is_last: it is the last statement of its transaction, which it may end. Django's cursors are
    used where somebody wants to know what is run, more than DEBUG does, or where the settings have
    transactions or statements be other than usual; else there is little between us and the
    database.
    """
    if ours.connection is None:  # as it mostly is not: to have Django see takes longer
        ours.ensure_connection()
    if ours.force_debug_cursor or ours.execute_wrappers or _is_set_up_otherwise(ours):
        cursor = ours.cursor()
        cursor.execute(sql, values)
        return cursor
    ours.validate_no_broken_transaction()
    with ours.wrap_database_errors:
        if ours.vendor == "postgresql":
            is_outermost = ours.in_atomic_block and not ours.savepoint_ids
            ends = is_last and is_outermost and not ours.needs_rollback
            return libpq.cursor(ours.connection).execute(sql, values, commit=ends)
        return ours.connection.execute(_with_question_marks(sql), values)


def _is_set_up_otherwise(ours: BaseDatabaseWrapper) -> bool:
    """Is there more to a BEGIN, or does psycopg itself prepare statements, and deallocate all?"""
    if ours.vendor != "postgresql":
        return False
    psycopg = ours.connection
    return psycopg.isolation_level is not None or psycopg.prepare_threshold is not None


@cache
def _with_question_marks(sql: str) -> str:
    """As SQLite has blanks."""
    return sql % (("?",) * sql.count("%s"))


def rows(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """What a statement finds that is put plainly."""
    return _run(_ours(), sql, values).fetchall()


# New objects ------------------------------------------------------------------------------------


@cache
def _blank(model: type[M]) -> tuple[dict[str, Any], list[tuple[str, Callable[[], Any]]]]:
    """The defaults of its columns, and what makes those that are made anew for each row."""
    defaults = {field.attname: field.get_default() for field in model._meta.concrete_fields}
    fields = [field for field in model._meta.concrete_fields if field.has_default()]
    made = [(field.attname, field.default) for field in fields if callable(field.default)]
    return defaults, made


def _made(model: type[M], columns: dict[str, Any]) -> M:
    row = model.__new__(model)
    row.__dict__.update(columns, _state=ModelState())
    return row


def new(model: type[M], **values: Any) -> M:
    """What `model(**values)` is, of columns; no signals are sent.

    Django asks each field anew for its default, which takes three times as long.
    """
    defaults, anew = _blank(model)
    made = {name: make() for name, make in anew if name not in values}
    return _made(model, defaults | made | values)


# What is found ----------------------------------------------------------------------------------


class _Part(Generic[M]):
    """The columns of a row that are one object."""

    def __init__(self, about: dict[str, Any], select: Sequence[Any]) -> None:
        self.model: type[M] = about["model"]
        first, *_, last = about["select_fields"]
        self.columns = slice(first, last + 1)
        self.names = [column.target.attname for column, *_ in select[self.columns]]

    def of(self, row: Sequence[Any], db: str) -> M:
        there = _made(self.model, dict(zip(self.names, row[self.columns], strict=True)))
        there._state.adding, there._state.db = False, db
        return there


class Query(Generic[M]):
    """A query of objects, which may have others joined with `select_related`, that are all there.

    It is run with values in the place of those that `example` filters by, in the order of its
    statement: one `filter` after the other, and in each by name. What is joined does not have what
    was found: they would be a circle that only the collector breaks.
    """

    def __init__(self, example: "models.QuerySet[M]") -> None:
        self.compiler = example.query.get_compiler(connection=connection)
        self.sql, _ = self.compiler.as_sql()
        select, about = self.compiler.select, self.compiler.klass_info
        self.converters = self.compiler.get_converters([column for column, *_ in select])
        self.part: _Part[M] = _Part(about, select)
        joined = about.get("related_klass_infos", ())
        self.joined = [(one["local_setter"], _Part(one, select)) for one in joined]
        self.db = example.db

    def __call__(self, *values: Any) -> list[M]:
        return self.of(_ours(), values)

    def of(self, ours: BaseDatabaseWrapper, values: Sequence[Any]) -> list[M]:
        return self.objects(_run(ours, self.sql, values).fetchall())

    def objects(self, rows: list[tuple[Any, ...]]) -> list[M]:
        """What stands in these rows, which may have more columns."""
        return list(map(self._object, self.compiler.apply_converters(rows, self.converters)))

    def _object(self, row: Sequence[Any]) -> M:
        found = self.part.of(row, self.db)
        for join, part in self.joined:
            join(found, part.of(row, self.db))
        return found


# What is written --------------------------------------------------------------------------------


AS_THEY_ARE = (models.CharField, models.TextField, models.IntegerField, models.ForeignKey)
"""Fields whose values need nothing done to be stored, unless they are of an enumeration."""

# SQLite would ask each None in vain how it is to be stored: a thirtieth of a turn.
sqlite3.register_adapter(NoneType, {}.get)  # which finds None, faster than a lambda


def _readying(field: models.Field) -> Callable[[Any], Any] | None:
    """What has to be done with a value of the field to store it."""
    if isinstance(field, models.JSONField):
        return partial(_as_json, (field.encoder or json.JSONEncoder)().encode)
    if isinstance(field, models.DateTimeField):
        # psycopg sends it as it is.
        return _aware if connection.vendor == "postgresql" else _as_text
    if isinstance(field, AS_THEY_ARE):
        plain = int if isinstance(field, models.IntegerField) else str
        return plain if field.choices else None
    return partial(field.get_db_prep_save, connection=connection)


def _as_json(encode: Callable[[Any], str], value: Any) -> str:
    return "{}" if value == {} else encode(value)  # as most are


def _aware(moment: datetime) -> datetime:
    """The moment itself. Without a time zone it could be any."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return moment


def _as_text(moment: datetime) -> str:
    """As Django stores it on SQLite."""
    return str(_aware(moment).astimezone(UTC).replace(tzinfo=None))


class Writing:
    """A statement that writes columns of one object."""

    def __init__(self, sql: str, fields: Sequence[models.Field]) -> None:
        self.sql = sql
        self.names = [field.attname for field in fields]
        numbered = enumerate(map(_readying, fields))
        self.to_ready = [(place, ready) for place, ready in numbered if ready]

    def values(self, row: models.Model) -> list[Any]:
        values = list(map(row.__dict__.__getitem__, self.names))
        for place, ready in self.to_ready:
            if values[place] is not None:
                values[place] = ready(values[place])
        return values


def _to_insert(model: type[models.Model]) -> list[models.Field]:
    return [field for field in model._meta.concrete_fields if field is not model._meta.auto_field]


def _insert_into(
    model: type[models.Model], fields: Sequence[models.Field], source: str, returning: str = ""
) -> str:
    """A statement that stores a row, from VALUES or a SELECT; PostgreSQL's tells the row's id."""
    sql = f'INSERT INTO "{model._meta.db_table}" ({_columns(fields)}) {source}'  # nosec B608
    returning = returning or f'"{model._meta.pk.column}"'
    return f"{sql} RETURNING {returning}" if connection.vendor == "postgresql" else sql


def _columns(fields: Sequence[models.Field]) -> str:
    return ", ".join(f'"{field.column}"' for field in fields)


def _blanks(fields: Sequence[models.Field]) -> str:
    return ", ".join(["%s"] * len(fields))


@cache
def _inserting(model: type[models.Model]) -> Writing:
    fields = _to_insert(model)
    return Writing(_insert_into(model, fields, f"VALUES ({_blanks(fields)})"), fields)


@cache
def _updating(model: type[models.Model], names: tuple[str, ...]) -> Writing:
    fields = [model._meta.get_field(name) for name in names]
    columns = ", ".join(f'"{field.column}" = %s' for field in fields)
    key = model._meta.pk
    sql = f'UPDATE "{model._meta.db_table}" SET {columns} WHERE "{key.column}" = %s'  # noqa: S608  # nosec B608
    return Writing(sql, [*fields, key])


# Storing ----------------------------------------------------------------------------------------


def insert(row: models.Model) -> None:
    """Store a new object, as `save` would; no signals are sent, and no field has its `pre_save`."""
    _insert(_ours(), row)


def find_and_insert(
    query: Query[M], values: Sequence[Any], new: models.Model, link: str
) -> M | None:
    """What is found, with a new row stored whose column `link` has its id; no signals are sent.

    Nothing is stored when nothing is found. PostgreSQL does both in one statement.
    """
    ours = _ours()
    if ours.vendor != "postgresql":
        for found in query.of(ours, values):
            setattr(new, link, found.pk)
            _insert(ours, new)
            return found
        return None
    writing = _finding_and_inserting(query, type(new), link)
    for row in _run(ours, writing.sql, [*values, *writing.values(new)]).fetchall():
        (found,) = query.objects([row])
        setattr(new, link, found.pk)
        _is_stored(new, row[-1], ours)
        return found
    return None


@cache
def _finding_and_inserting(query: Query[Any], model: type[models.Model], link: str) -> Writing:
    """What is found comes with the id of the new row behind it."""
    own = [field for field in _to_insert(model) if field.attname != link]
    names = [f"c{number}" for number, _ in enumerate(query.compiler.select)]
    key = names[query.part.names.index(query.part.model._meta.pk.attname)]
    source = f"SELECT {key}, {_blanks(own)} FROM found"  # noqa: S608  # nosec B608
    inserting = _insert_into(model, [model._meta.get_field(link), *own], source)
    sql = (
        f"WITH found ({', '.join(names)}) AS ({query.sql}), new AS ({inserting}) "  # noqa: S608  # nosec B608
        "SELECT found.*, new.* FROM found, new"
    )
    return Writing(sql, own)


def insert_as_found(
    new: models.Model,
    name: str,
    sql: str,
    values: Sequence[Any],
    copy: models.Model | None = None,
) -> bool:
    """Store a new object whose column `name` is what a statement finds; no signals are sent.

    copy: a new object of another table that is stored with it, and has the same in all columns
    that both have. False: nothing is stored, since nothing was found, or on PostgreSQL, which does
    it in one statement, another row has just got it.
    """
    ours = _ours()
    if ours.vendor != "postgresql":
        return _find_and_insert_one_by_one(ours, new, name, sql, values, copy)
    both = [new, copy] if copy else [new]
    whole, writings = _inserting_as_found(name, sql, *map(type, both))
    given = [
        value for writing, row in zip(writings, both, strict=True) for value in writing.values(row)
    ]
    for key, value in _run(ours, whole, [*values, *given]).fetchall():
        setattr(new, name, value)
        _is_stored(new, key, ours)
        return True
    return False


def _find_and_insert_one_by_one(
    ours: BaseDatabaseWrapper,
    new: models.Model,
    name: str,
    sql: str,
    values: Sequence[Any],
    copy: models.Model | None,
) -> bool:
    for (value,) in _run(ours, sql, values).fetchall():
        setattr(new, name, value)
        _insert(ours, new)
        if copy:
            stored = f'"{new._meta.db_table}" WHERE "{new._meta.pk.column}" = %s'
            copying = _copying(type(new), type(copy), stored)
            _run(ours, copying.sql, [*copying.values(copy), new.pk])
        return True
    return False


@cache
def _inserting_as_found(
    name: str, sql: str, model: type[models.Model], *copied: type[models.Model]
) -> tuple[str, list[Writing]]:
    """The statement, and what of it is to write an object and its copy."""
    field = model._meta.get_field(name)
    own = [one for one in _to_insert(model) if one is not field]
    source = f'SELECT value, {_blanks(own)} FROM found ON CONFLICT ("{field.column}") DO NOTHING'  # noqa: S608  # nosec B608
    inserting = Writing(_insert_into(model, [field, *own], source, returning="*"), own)
    writings = [inserting, *(_copying(model, other, "new") for other in copied)]
    named = zip(("new", "copy"), writings, strict=False)
    parts = ", ".join(f"{part} AS ({writing.sql})" for part, writing in named)
    found = _columns([model._meta.pk, field])
    return f"WITH found (value) AS ({sql}), {parts} SELECT {found} FROM new", writings  # noqa: S608  # nosec B608


@cache
def _copying(model: type[models.Model], other: type[models.Model], source: str) -> Writing:
    """Stores a row of another table, with what a row of the model has in columns of that name."""
    columns = {field.column for field in model._meta.concrete_fields}
    fields = _to_insert(other)
    shared = [field for field in fields if field.column in columns]
    own = [field for field in fields if field.column not in columns]
    copied = f"SELECT {_columns(shared)}, {_blanks(own)} FROM {source}"  # noqa: S608  # nosec B608
    return Writing(_insert_into(other, [*shared, *own], copied), own)


def update(there: models.Model, names: tuple[str, ...]) -> None:
    """Store these fields of an object that is there; no signals are sent."""
    _update(_ours(), there, names)


def update_and_insert(
    there: models.Model, names: tuple[str, ...], new: Sequence[models.Model]
) -> None:
    """Store these fields of an object that is there, and new objects; no signals are sent.

    Nothing may be left to do in the transaction: PostgreSQL does it with the last of the new ones
    in one statement, which also ends the transaction.
    """
    ours = _ours()
    if ours.vendor != "postgresql" or not new:
        _update(ours, there, names)
        for row in new:
            _insert(ours, row)
        return
    *others, last = new
    for row in others:
        _insert(ours, row)
    updating, inserting = _updating(type(there), names), _inserting(type(last))
    sql = f"WITH there AS ({updating.sql}) {inserting.sql}"
    values = updating.values(there) + inserting.values(last)
    _store(ours, last, sql, values, is_last=True)


def _update(ours: BaseDatabaseWrapper, there: models.Model, names: tuple[str, ...]) -> None:
    updating = _updating(type(there), names)
    _run(ours, updating.sql, updating.values(there))


def _insert(ours: BaseDatabaseWrapper, row: models.Model) -> None:
    writing = _inserting(type(row))
    _store(ours, row, writing.sql, writing.values(row))


def _store(
    ours: BaseDatabaseWrapper,
    row: models.Model,
    sql: str,
    values: list[Any],
    *,
    is_last: bool = False,
) -> None:
    cursor = _run(ours, sql, values, is_last=is_last)
    key = cursor.fetchone()[0] if ours.vendor == "postgresql" else cursor.lastrowid
    _is_stored(row, key, ours)


def _is_stored(row: models.Model, key: int, ours: BaseDatabaseWrapper) -> None:
    row.pk = key
    row._state.adding, row._state.db = False, ours.alias
