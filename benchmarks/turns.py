"""How many turns a second, beside the least that any Python service needs for one?

    python -m benchmarks.turns [--people 600] [--rounds 3] [--connections 8] [--workers 3]
                               [--contacts 100000] [--messages 1000000] [--commit-ms 0]
                               [--out FILE]

People report a defect each and look it up: hi, 2, 1, what is wrong, 2, 2. They do so at the floor
(see `floor.py`), at the product on an empty database, and at the product on one that is full, in
turn; the first round warms up and does not count. Every answer is checked.

Makes two test databases beside that of DATABASE_URL, as the tests do, and removes them again.
Prints medians, or writes all that was measured to FILE as JSON. Exits with 1 when an answer was
wrong.
"""

import argparse
import gc
import json
import os
import re
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings_test")

import django

django.setup()

from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext, setup_test_environment
from django.urls import reverse

from benchmarks import floor, load
from benchmarks.servers import Server, cpu_of_database, served
from config.tests.serving import beside
from whatsapp_bot.simulator.phone import FORM, Phone, quietly, sign

HOST = urlsplit(settings.PUBLIC_URL).hostname
FULL = "full"
"""What the name of the second database ends in."""
EXPECTED = (
    "How can we help you today?",
    "What would you like to do?",
    "Please describe the defect:",
    "Defect Submitted! ID: DEF-",
    "What would you like to do?",
    "*Your reports*",
)


def script(number: int, turn: int) -> list[str]:
    return ["hi", "2", "1", f"Scratch {number}-{turn} on the front", "2", "2"]


def request(phone: Phone, text: str) -> bytes:
    """What Twilio would send for it, as it goes over the wire."""
    path, parameters = reverse("webhook"), phone.parameters(text)
    body = urlencode(parameters)
    return (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: {FORM}\r\n"
        f"X-Twilio-Signature: {sign(parameters, path)}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


@dataclass
class Reporter:
    """Somebody who reports a defect and looks at the list of own reports."""

    phone: Phone
    words: list[str] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    heard: int = 0
    number: str = ""

    def will_say(self, words: list[str]) -> None:
        self.words, self.heard = words, 0
        self.requests = [request(self.phone, text) for text in words]

    def next_request(self) -> bytes | None:
        return self.requests[self.heard] if self.heard < len(self.requests) else None

    def hear(self, answer: bytes) -> bool:
        self.heard += 1
        return answer.startswith(b"HTTP/1.1 200 ") and self.is_right(answer.decode())

    def is_right(self, answer: str) -> bool:
        if self.heard == 4:
            self.number = re.search(r"DEF-[\d-]+|$", answer)[0]
        own = [self.number, self.words[3]] if self.heard == 6 else []
        return all(part in answer for part in (EXPECTED[self.heard - 1], *own))


@dataclass
class FloorReporter(Reporter):
    """The same at the floor, which counts what each of them says."""

    said: int = 0

    def is_right(self, answer: str) -> bool:
        self.said += 1
        return f"<Body>This is message {self.said}.</Body>" in answer


@dataclass
class Contestant:
    """What is measured: its server, the people who write to it, and what came of each round."""

    name: str
    server: Server
    database: str
    people: list[Reporter]
    start: float
    rounds: list[dict[str, float]] = field(default_factory=list)

    def run(self, turn: int, connections: int) -> load.Load:
        for number, person in enumerate(self.people):
            person.will_say(script(number, turn))
        gc.collect()
        cpu, of_database = self.server.cpu(), cpu_of_database(self.database)
        came = load.run(self.server.address, self.people, connections)
        cpu, of_database = (
            self.server.cpu() - cpu,
            cpu_of_database(self.database) - of_database,
        )
        per_1000 = 1000 / len(came.taken)
        self.rounds.append(
            {
                "turns_a_second": came.turns_a_second,
                **{f"p{percent}": came.percentile(percent) for percent in (50, 95, 99)},
                "cpu": cpu * per_1000,
                "cpu_of_database": of_database * per_1000,
                "cpu_of_load": came.own * per_1000,
                "memory": self.server.memory(),
            }
        )
        return came

    def medians(self) -> dict[str, float]:
        """Over all rounds but the first, which warmed up."""
        counted = self.rounds[1:] or self.rounds
        medians = {name: statistics.median(one[name] for one in counted) for name in counted[0]}
        return {**medians, "start": self.start}


# Databases ---------------------------------------------------------------------------------------


@contextmanager
def databases(commit_ms: float = 0) -> Iterator[str]:
    """An empty one, which the connection is to, and a copy of it that has the name given back.

    commit_ms: how much longer than the disk of this machine PostgreSQL takes for each commit.
    """
    creation = connection.creation
    creation.create_test_db(verbosity=0, autoclobber=True)
    with connection.cursor() as cursor:
        for table in floor.TABLES:
            cursor.execute(table.format(serial=floor.SERIAL[connection.vendor]))
    name = connection.settings_dict["NAME"]
    connection.close()
    full = creation.get_test_db_clone_settings(FULL)["NAME"]
    if connection.vendor == "sqlite":
        # What an ended run has left of its log would be read into the copy.
        for ending in ("-wal", "-shm"):
            Path(f"{full}{ending}").unlink(missing_ok=True)
    creation.clone_test_db(FULL, verbosity=0, autoclobber=True)
    if commit_ms:
        with connection.cursor() as cursor:
            cursor.execute(f'ALTER DATABASE "{name}" SET commit_delay = {commit_ms * 1000:.0f}')
            cursor.execute(f'ALTER DATABASE "{name}" SET commit_siblings = 0')
        connection.close()
    try:
        yield full
    finally:
        creation.destroy_test_db(name, verbosity=0, keepdb=False, suffix=FULL)
        creation.destroy_test_db(name, verbosity=0)


@contextmanager
def connected_to(name: str) -> Iterator[None]:
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


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


def statements() -> float:
    """How many the database gets in a turn, with BEGIN and COMMIT, by the whole conversation."""
    phone = Phone("+27820000001")
    with quietly():
        for text in script(0, 0):
            phone.say(text)
        with CaptureQueriesContext(connection) as captured:
            for text in script(0, 1):
                phone.say(text)
    return len(captured) / len(script(0, 0))


# The run -----------------------------------------------------------------------------------------


@contextmanager
def contestants(options: argparse.Namespace) -> Iterator[list[Contestant]]:
    """The floor and the product on the empty database, and the product on the full one."""
    with databases(options.commit_ms) as full, ExitStack() as stack:
        empty = str(connection.settings_dict["NAME"])
        addresses = [f"+2782{n:07}" for n in range(options.people)]
        make_known_at_the_floor(addresses)
        floor_app, product_app = "benchmarks.floor", "config.wsgi"
        made = []

        def enter(name: str, app: str, database: str, kind: type[Reporter]) -> None:
            people = [kind(Phone(address, f"Person {address}")) for address in addresses]
            people[0].will_say(["hi"])
            began = time.monotonic()
            server = stack.enter_context(served(app, beside(), options.workers))
            load.run(server.address, people[:1], 1)
            start = time.monotonic() - began
            made.append(Contestant(name, server, database, people, start))

        enter("floor", floor_app, empty, FloorReporter)
        enter("product", product_app, empty, Reporter)
        if options.messages:
            with connected_to(full):
                fill(options.contacts, options.messages)
                enter("product, full database", product_app, full, Reporter)
        yield made


def measure(options: argparse.Namespace) -> dict:
    with contestants(options) as all_of_them:
        wrong = []
        for turn in range(options.rounds + 1):
            for one in all_of_them:
                came = one.run(turn, options.connections)
                wrong += came.wrong
                print(
                    f"  {'warm-up' if not turn else f'round {turn}'}: {one.name}: "
                    f"{came.turns_a_second:.0f} turns/s, p99 {came.percentile(99):.0f} ms",
                    file=sys.stderr,
                )
        of_turn = {"floor": 6.0, "product": statements()}
        return {
            "vendor": connection.vendor,
            "commit_ms": options.commit_ms,
            "workers": options.workers,
            "connections": options.connections,
            "turns": len(came.taken),
            "wrong": [answer.decode(errors="replace") for answer in wrong],
            "statements": {name: 1000 * count for name, count in of_turn.items()},
            "contestants": {one.name: one.medians() for one in all_of_them},
            "rounds": {one.name: one.rounds for one in all_of_them},
        }


def report(came: dict) -> None:
    floor_is = came["contestants"]["floor"]
    print(
        f"{came['vendor']}: {came['workers']} workers, {came['connections']} connections, "
        f"{came['turns']} turns a round"
    )
    for name, one in came["contestants"].items():
        print(
            f"  {name}: {one['turns_a_second']:.0f} turns/s "
            f"({one['turns_a_second'] / floor_is['turns_a_second']:.2f} of the floor), "
            f"p50/p95/p99 {one['p50']:.1f}/{one['p95']:.1f}/{one['p99']:.1f} ms, "
            f"CPU s per 1,000 turns: server {one['cpu']:.2f}, database "
            f"{one['cpu_of_database']:.2f}, load {one['cpu_of_load']:.2f}, {one['memory']:.0f} MB, "
            f"first answer after {one['start']:.1f} s"
        )
    print(f"  statements per 1,000 turns: {came['statements']}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--messages", type=int, default=1_000_000, help="0: no full database")
    parser.add_argument(
        "--commit-ms", type=float, default=0, help="PostgreSQL, as a superuser: a slower disk"
    )
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if options.commit_ms and connection.vendor != "postgresql":
        parser.error("--commit-ms is for PostgreSQL: set TEST_DATABASE_URL")
    setup_test_environment()
    came = measure(options)
    if options.out:
        options.out.write_text(json.dumps(came, indent=1))
    report(came)
    if came["wrong"]:
        print(came["wrong"][0], file=sys.stderr)
        sys.exit(f"WRONG: {len(came['wrong'])} answers")


if __name__ == "__main__":
    main()
