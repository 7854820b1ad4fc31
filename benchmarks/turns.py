"""How many turns a second, beside the least that any Python service needs for one?

    python -m benchmarks.turns [--people 600] [--rounds 5] [--connections 8] [--workers 3]
                               [--contacts 100000] [--messages 1000000] [--commit-ms 0]
                               [--out FILE]

People report a defect each and look it up: hi, 2, 1, what is wrong, 2, 2. They do so at the floor
(see `floor.py`), at the product on an empty database, and at the product on one that is full, in
turn, and every other round the other way round; the first round warms up and does not count. Every
answer is checked.

Makes two test databases beside that of DATABASE_URL, as the tests do, and removes them again.
Prints medians, or writes all that was measured to FILE as JSON. Exits with 1 when an answer was
wrong.
"""

import argparse
import gc
import json
import os
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.database import connected_to  # isort: skip  Sets Django up.

from django.db import connection
from django.test.utils import CaptureQueriesContext

from benchmarks import floor, load
from benchmarks.figures import FLOOR, FULL, PRODUCT, in_words, ratios, spread
from benchmarks.filling import databases, fill, make_known_at_the_floor
from benchmarks.reporters import FloorReporter, Reporter, script
from benchmarks.servers import Server, cpu_of_database, served
from config.tests.serving import beside
from whatsapp_bot.simulator.phone import Phone, quietly


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


def say(what: str) -> None:
    """What it is at."""
    print(f"  {what}", file=sys.stderr)


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
            came = load.run(server.address, people[:1], 1)
            start = time.monotonic() - began
            if came.wrong:
                sys.exit(f"WRONG: the first answer: {came.wrong[0].decode(errors='replace')}")
            made.append(Contestant(name, server, database, people, start))

        enter(FLOOR, floor_app, empty, FloorReporter)
        enter(PRODUCT, product_app, empty, Reporter)
        if options.messages:
            with connected_to(full):
                say(f"filling a database with {options.messages:,} messages")
                fill(options.contacts, options.messages)
                enter(FULL, product_app, full, Reporter)
        yield made


def measure(options: argparse.Namespace) -> dict:
    with contestants(options) as all_of_them:
        wrong = []
        for turn in range(options.rounds + 1):
            # Nobody is always the one who comes after somebody else.
            for one in all_of_them if turn % 2 else reversed(all_of_them):
                came = one.run(turn, options.connections)
                wrong += came.wrong
                say(
                    f"{'warm-up' if not turn else f'round {turn}'}: {one.name}: "
                    f"{came.turns_a_second:.0f} turns/s, p99 {came.percentile(99):.0f} ms"
                )
        of_turn = {FLOOR: floor.STATEMENTS, PRODUCT: statements()}
        return {
            "vendor": connection.vendor,
            "commit_ms": options.commit_ms,
            "waits_for_disk": not options.no_flush,
            "workers": options.workers,
            "connections": options.connections,
            "turns": len(came.taken),
            "wrong": [answer.decode(errors="replace") for answer in wrong],
            "statements": {name: 1000 * count for name, count in of_turn.items()},
            "contestants": {one.name: one.medians() for one in all_of_them},
            "rounds": {one.name: one.rounds for one in all_of_them},
        }


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


def report(came: dict) -> None:
    print(
        f"{in_words(came)}: {came['workers']} workers, {came['connections']} connections, "
        f"{came['turns']} turns a round"
    )
    for name, one in came["contestants"].items():
        print(
            f"  {name}: {one['turns_a_second']:.0f} turns/s "
            f"({spread(ratios(came, 'turns_a_second', name))} of the floor's), "
            f"p50/p95/p99 {one['p50']:.1f}/{one['p95']:.1f}/{one['p99']:.1f} ms "
            f"(p99 {spread(ratios(came, 'p99', name))} times the floor's), "
            f"CPU s per 1,000 turns: server {one['cpu']:.2f}, database "
            f"{one['cpu_of_database']:.2f}, load {one['cpu_of_load']:.2f}, {one['memory']:.0f} MB, "
            f"first answer after {one['start']:.1f} s"
        )
    print(f"  statements per 1,000 turns: {came['statements']}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--messages", type=int, default=1_000_000, help="0: no full database")
    parser.add_argument(
        "--commit-ms", type=float, default=0, help="PostgreSQL, as a superuser: a slower disk"
    )
    parser.add_argument(
        "--no-flush", action="store_true", help="SQLite: a power cut may take back what was stored"
    )
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if options.commit_ms and connection.vendor != "postgresql":
        parser.error("--commit-ms is for PostgreSQL: set TEST_DATABASE_URL")
    if options.no_flush:
        os.environ["SQLITE_SYNCHRONOUS"] = "NORMAL"
    came = measure(options)
    if options.out:
        options.out.write_text(json.dumps(came, indent=1))
    report(came)
    if came["wrong"]:
        print(came["wrong"][0], file=sys.stderr)
        sys.exit(f"WRONG: {len(came['wrong'])} answers")


if __name__ == "__main__":
    main()
