"""The floor: the least that a Python service does which checks a message, keeps it and answers.

A WSGI application without a framework. The signature is checked by Twilio's SDK, and one
transaction of four plain statements does the rest, prepared and on a connection that stays, as
durable as the product's. gunicorn runs it just as it runs the product.
"""

import json
import os
import sqlite3
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

import psycopg
from twilio.request_validator import RequestValidator

TABLES = (
    "CREATE TABLE floor_message (id {serial} PRIMARY KEY, contact text NOT NULL, "
    "direction text NOT NULL, sid text UNIQUE, body text NOT NULL, created_at text NOT NULL "
    "DEFAULT current_timestamp)",
    "CREATE TABLE floor_state (contact text PRIMARY KEY, state text NOT NULL)",
)
SERIAL = {"postgresql": "bigserial", "sqlite": "integer"}

HEAR = (
    "INSERT INTO floor_message (contact, direction, sid, body) VALUES (?, 'in', ?, ?) "
    "ON CONFLICT (sid) DO NOTHING"
)
READ = "SELECT state FROM floor_state WHERE contact = ? FOR UPDATE"
STAND = "UPDATE floor_state SET state = ? WHERE contact = ?"
REPLY = "INSERT INTO floor_message (contact, direction, body) VALUES (?, 'out', ?)"
STATEMENTS = 6
"""In a turn: these, with BEGIN and COMMIT."""


class Postgres:
    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url, autocommit=True)
        self.transaction = self.connection.transaction
        self.statements = {sql: sql.replace("?", "%s") for sql in (HEAR, READ, STAND, REPLY)}

    def execute(self, sql: str, *values: str) -> Any:
        return self.connection.execute(self.statements[sql], values, prepare=True)


class SQLite:
    def __init__(self, path: str) -> None:
        self.connection = sqlite3.connect(path, timeout=8, isolation_level="IMMEDIATE")
        durable = os.environ.get("SQLITE_SYNCHRONOUS", "FULL")
        self.connection.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous={durable};")

    def transaction(self) -> sqlite3.Connection:
        return self.connection

    def execute(self, sql: str, *values: str) -> Any:
        # Nobody else writes from the first statement on.
        return self.connection.execute(sql.removesuffix(" FOR UPDATE"), values)


@cache
def database() -> Postgres | SQLite:
    """The one of this process."""
    url = os.environ["DATABASE_URL"]
    is_file = url.startswith("sqlite:///")
    return SQLite(url.removeprefix("sqlite:///")) if is_file else Postgres(url)


def take_turn(sid: str, contact: str, said: str) -> str:
    ours = database()
    with ours.transaction():
        ours.execute(HEAR, contact, sid, said)
        state = json.loads(ours.execute(READ, contact).fetchone()[0])
        state["count"] += 1
        reply = f"This is message {state['count']}."
        ours.execute(STAND, json.dumps(state), contact)
        ours.execute(REPLY, contact, reply)
    return reply


VALIDATOR = RequestValidator(os.environ.get("TWILIO_AUTH_TOKEN", ""))
PUBLIC_URL = os.environ.get("PUBLIC_URL", "")


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    parameters = dict(parse_qsl(body.decode(), keep_blank_values=True))
    url, signature = PUBLIC_URL + environ["PATH_INFO"], environ["HTTP_X_TWILIO_SIGNATURE"]
    if not VALIDATOR.validate(url, parameters, signature):
        start_response("403 Forbidden", [("Content-Length", "0")])
        return []
    reply = take_turn(parameters["MessageSid"], parameters["From"], parameters["Body"])
    answer = f"<Response><Message><Body>{reply}</Body></Message></Response>".encode()
    length = str(len(answer))
    start_response("200 OK", [("Content-Type", "text/xml"), ("Content-Length", length)])
    return [answer]
