"""The product beside the floor, on both databases, written to docs/performance.md.

    make bench                      # about ten minutes, on a machine that does nothing else
    python -m benchmarks [--quick]

SQLite, and PostgreSQL where BENCH_DATABASE_URL or TEST_DATABASE_URL names one or it listens on
127.0.0.1:5432 and lets us in. `--quick` is a look at whether it runs: it writes no figures.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from benchmarks.charts import bars

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "performance.md"
PICTURES = ROOT / "docs" / "pictures"
LOCAL = "postgres://127.0.0.1:5432/andon_bench"
IN_WORDS = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}
SLOWER_DISK = ["--commit-ms", "1", "--messages", "0"]
QUICK = {
    "turns": ["--people", "60", "--rounds", "1", "--contacts", "1000", "--messages", "10000"],
    "rate": ["--messages", "300", "--people", "100"],
}


def postgres() -> str | None:
    """The address of a PostgreSQL to measure on, if there is one."""
    given = os.environ.get("BENCH_DATABASE_URL") or os.environ.get("TEST_DATABASE_URL")
    if given:
        return given
    for user in (os.environ.get("USER") or "root", "postgres"):
        url = LOCAL.replace("://", f"://{user}@")
        try:
            connected(url).close()
        except psycopg.OperationalError:
            continue
        return url
    print("No PostgreSQL here: BENCH_DATABASE_URL=postgres://... names one.", file=sys.stderr)
    return None


def connected(url: str) -> psycopg.Connection:
    """To the database that every PostgreSQL has, of this server."""
    return psycopg.connect(re.sub(r"/\w+$", "/postgres", url), connect_timeout=3)


def may_be_slowed(url: str) -> bool:
    """May we have this PostgreSQL wait longer for its disk?"""
    with connected(url) as connection:
        (is_superuser,) = connection.execute("SHOW is_superuser").fetchone()
    if is_superuser != "on":
        print("The slower disk is skipped: that takes a superuser.", file=sys.stderr)
    return is_superuser == "on"


def run(module: str, database: str | None, options: list[str]) -> dict:
    """What a benchmark of its own process finds on this database; None: SQLite."""
    environment = {name: value for name, value in os.environ.items() if name != "TEST_DATABASE_URL"}
    if database:
        environment["TEST_DATABASE_URL"] = database
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "came.json"
        command = [sys.executable, "-m", f"benchmarks.{module}", "--out", str(out), *options]
        subprocess.run(command, cwd=ROOT, env=environment, check=True)  # noqa: S603
        return json.loads(out.read_text())


# What is written ---------------------------------------------------------------------------------


def in_words(turns: dict) -> str:
    """What was measured on."""
    slower = f" + {turns['commit_ms']:g} ms a commit" if turns["commit_ms"] else ""
    return IN_WORDS[turns["vendor"]] + slower


def table(turns: list[dict]) -> str:
    lines = [
        "| | turns a second | of the floor | p50, p95, p99 in ms | CPU s per 1,000 turns "
        "| SQL statements per 1,000 | MB a process | start to first answer |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in turns:
        least = one["contestants"]["floor"]
        for name, came in one["contestants"].items():
            cpu = f"{came['cpu']:.2f}"
            if came["cpu_of_database"]:
                cpu += f" + {came['cpu_of_database']:.2f} of the database"
            statements = one["statements"]["floor" if name == "floor" else "product"]
            lines.append(
                f"| {in_words(one)}: {name} | {came['turns_a_second']:,.0f} "
                f"| {came['turns_a_second'] / least['turns_a_second']:.2f} "
                f"| {came['p50']:.1f}, {came['p95']:.1f}, {came['p99']:.1f} | {cpu} "
                f"| {statements:,.0f} | {came['memory']:.0f} | {came['start']:.1f} s |"
            )
    return "\n".join(lines)


def rounds(turns: list[dict]) -> str:
    """How far the rounds are apart, to tell how quiet the machine was."""
    said = []
    for one in turns:
        for name, came in one["rounds"].items():
            speeds = [turn["turns_a_second"] for turn in came[1:]]
            said.append(
                f"- {in_words(one)}, {name}: " + ", ".join(f"{speed:,.0f}" for speed in speeds)
            )
    return "\n".join(said)


def figures(turns: list[dict], rates: list[dict], busy: float) -> str:
    first = turns[0]
    sending = " and ".join(
        f"{one['a_second']:.0f} a second on {IN_WORDS[one['vendor']]} "
        f"({one['cpu']:.1f} CPU s per 1,000)"
        for one in rates
    )
    load = max(came["cpu_of_load"] for one in turns for came in one["contestants"].values())
    return f"""
Measured on {datetime.now(UTC):%Y-%m-%d} on {machine()}, with {first["workers"]} gunicorn workers
and {first["connections"]} connections; {first["turns"]:,} turns a round, medians of \
{len(first["rounds"]["floor"]) - 1} rounds after a warm-up.

![Turns a second](pictures/performance-turns.svg)

![p99](pictures/performance-p99.svg)

{table(turns)}

Before it began, {busy:.1f} other processes wanted to run at a time: where that is more than a
little, the figures tell of them as well. The load generator, on the same machine, took at most
{load:.2f} CPU s per 1,000 turns. Turns a second in each round:

{rounds(turns)}

One worker sent {sending}.
"""


def machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores and {memory:.0f} GiB of memory, Python {platform.python_version()}"
    )


def write(turns: list[dict], rates: list[dict], busy: float) -> None:
    """The figures into their place in the page, and the charts beside it."""
    begin, end = "<!-- figures, written by make bench -->\n", "<!-- end of figures -->"
    before, _, rest = PAGE.read_text().partition(begin)
    after = rest.partition(end)[2]
    PAGE.write_text(f"{before}{begin}{figures(turns, rates, busy)}\n{end}{after}")
    for name, key, title, form in (
        ("turns", "turns_a_second", "Turns a second: more is better", "{:,.0f}"),
        ("p99", "p99", "99 of 100 turns are answered within: less is better", "{:.0f} ms"),
    ):
        groups = {
            in_words(one): [
                (contestant, came[key], contestant != "floor")
                for contestant, came in one["contestants"].items()
            ]
            for one in turns
        }
        (PICTURES / f"performance-{name}.svg").write_text(bars(title, groups, form))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    url, (_, busy, _) = postgres(), os.getloadavg()
    databases = [*([url] if url else []), None]
    given = QUICK if options.quick else {"turns": [], "rate": []}
    found = {module: [run(module, one, given[module]) for one in databases] for module in given}
    if url and may_be_slowed(url):
        found["turns"].insert(1, run("turns", url, [*given["turns"], *SLOWER_DISK]))
    if not options.quick:
        write(found["turns"], found["rate"], busy)
        print(f"Written to {PAGE.relative_to(ROOT)}.")


if __name__ == "__main__":
    main()
