"""How fast Andon is, beside the least for it and with very much in it: see docs/performance.md.

    make bench                      # the product beside the floor; some eight minutes
    make bench ARGS=all             # and the further ones, with a million of everything; an hour
    make bench ARGS="orders api"    # some of these
    make bench ARGS=--quick         # a look at whether it runs, which writes no figures

On SQLite, and on PostgreSQL where BENCH_DATABASE_URL or TEST_DATABASE_URL names one or it listens
on 127.0.0.1:5432 and lets us in. Ctrl-C or SIGTERM ends it, and leaves nothing behind.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from benchmarks.figures import tell_aims, write_all
from benchmarks.page import ROOT
from benchmarks.processes import finish

LOCAL = "postgres://127.0.0.1:5432/postgres"
SCHEMES = ("postgres://", "postgresql://")
URLS = ("BENCH_DATABASE_URL", "TEST_DATABASE_URL")
BESIDE_THE_FLOOR = ("turns", "rate")
FURTHER = ("orders", "api", "back_office", "export", "importing")
POSTGRESQL_ALONE = ("orders", "api", "back_office")
SLOWER_DISK = ["--commit-ms", "1", "--messages", "0"]
NO_FLUSH = ["--no-flush", "--messages", "0"]
FEW_ORDERS = ["--orders", "10000", "--runs", "20000"]
SHORT_FORMS = {
    "turns": ["--people", "60", "--rounds", "2", "--contacts", "1000", "--messages", "10000"],
    "rate": ["--messages", "300", "--people", "100"],
    "orders": FEW_ORDERS,
    "api": FEW_ORDERS,
    "back_office": ["--reports", "10000"],
    "export": ["--reports", "5000"],
    "importing": ["--rows", "2000"],
}
BUSY = 0.5
"""Processes for each core that want to run before we begin: from there on they are named."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("which", nargs="*", metavar="BENCHMARK", help=f"all, {', '.join(FURTHER)}")
    parser.add_argument("--quick", action="store_true", help="writes no figures")
    options = parser.parse_args()
    for name in options.which:
        if name not in ("all", *FURTHER):
            parser.error(f"{name}: not among all, {', '.join(FURTHER)}")
    try:
        run_all(options.which, quick=options.quick)
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)


def run_all(which: list[str], *, quick: bool) -> None:
    busy, url = how_busy(), postgres()
    print(busy)
    if not which or "all" in which:
        beside_the_floor(url, busy, quick=quick)
    further = FURTHER if "all" in which else which
    missed = [name for name in further if not measure_further(name, url, quick=quick)]
    if missed:
        sys.exit(f"Over a limit, or wrong: {', '.join(missed)}.")


def how_busy() -> str:
    """A sentence for the page."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load <= BUSY * cores:
        return "The machine did little else before it began."
    return (
        f"**The machine was busy** before it began: {load:.1f} processes wanted to run at a time, "
        f"on {cores} cores, so the figures tell of them as well."
    )


# PostgreSQL --------------------------------------------------------------------------------------


def postgres() -> str | None:
    """The address of a PostgreSQL to measure on, if there is one."""
    for name in URLS:
        if given := os.environ.get(name):
            if not given.startswith(SCHEMES):
                sys.exit(f"{name} names no PostgreSQL: its address begins with {SCHEMES[0]}")
            try:
                connected(given).close()
            except psycopg.Error as error:
                sys.exit(f"{name} leads to no PostgreSQL that lets us in: {error}")
            return given
    for user in (os.environ.get("USER") or "root", "postgres"):
        url = LOCAL.replace("://", f"://{user}@")
        try:
            connected(url).close()
        except psycopg.OperationalError:
            continue
        return urlsplit(url)._replace(path="/andon_bench").geturl()
    print("No PostgreSQL here: BENCH_DATABASE_URL=postgres://... names one.", file=sys.stderr)
    return None


def connected(url: str) -> psycopg.Connection:
    """To the database that every PostgreSQL has, of this server."""
    return psycopg.connect(urlsplit(url)._replace(path="/postgres").geturl(), connect_timeout=3)


def may_be_slowed(url: str) -> bool:
    """May we have this PostgreSQL wait longer for its disk?"""
    with connected(url) as connection:
        (is_superuser,) = connection.execute("SHOW is_superuser").fetchone()
    if is_superuser != "on":
        print("The slower disk is skipped: that takes a superuser.", file=sys.stderr)
    return is_superuser == "on"


# The runs ----------------------------------------------------------------------------------------


def beside_the_floor(url: str | None, busy: str, *, quick: bool) -> None:
    databases = [*([url] if url else []), None]
    given = {module: SHORT_FORMS[module] if quick else [] for module in BESIDE_THE_FLOOR}
    turns, rates = (
        [found_by(module, one, given[module]) for one in databases] for module in BESIDE_THE_FLOOR
    )
    if url and may_be_slowed(url):
        turns.insert(1, found_by("turns", url, [*given["turns"], *SLOWER_DISK]))
    turns.append(found_by("turns", None, [*given["turns"], *NO_FLUSH]))
    tell_aims(turns, rates)
    if not quick:
        write_all(turns, rates, busy)


def found_by(module: str, database: str | None, options: list[str]) -> dict:
    """What a benchmark finds on this database; None: SQLite."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "came.json"
        if run(module, database, ["--out", str(out), *options]):
            sys.exit(f"benchmarks.{module} did not run to its end, so nothing is written.")
        return json.loads(out.read_text())


def measure_further(name: str, url: str | None, *, quick: bool) -> bool:
    """Is it within its limits?"""
    if not url and name in POSTGRESQL_ALONE:
        print(f"{name}: SKIPPED, since it is for PostgreSQL.")
        return True
    return run(name, url, SHORT_FORMS[name] if quick else ["--write"]) == 0


def run(module: str, database: str | None, options: list[str]) -> int:
    """A benchmark in a process of its own; its exit status."""
    environment = {name: value for name, value in os.environ.items() if name not in URLS}
    if database:
        environment["TEST_DATABASE_URL"] = database
    print(f"\n== {module} on {'PostgreSQL' if database else 'SQLite'}", flush=True)
    # What it says is seen at once, also in a file.
    command = [sys.executable, "-u", "-m", f"benchmarks.{module}", *options]
    return finish(command, cwd=ROOT, env=environment)


if __name__ == "__main__":
    main()
