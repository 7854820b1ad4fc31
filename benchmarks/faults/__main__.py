"""Breaks Andon on purpose, and counts what is left.

    python -m benchmarks.faults [SCENARIO ...] [--database sqlite|postgresql] [--long]

Each scenario runs on each database that it concerns, in a process and on a database of its own.
Exits with 1 when anything was lost, doubled or answered wrongly.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from benchmarks.faults.databases import Cluster, Unavailable, small_disk

BOTH = ("sqlite", "postgresql")
POSTGRESQL = ("postgresql",)
SCENARIOS = {
    "kills": ("kills", "run", BOTH),
    "terminate": ("terminate", "run", BOTH),
    "restarts": ("postgresql", "restarts", POSTGRESQL),
    "down": ("postgresql", "down", POSTGRESQL),
    "connections": ("postgresql", "connections", POSTGRESQL),
    "lock": ("postgresql", "lock", POSTGRESQL),
    "pairs": ("pairs", "run", BOTH),
    "migrating": ("migrating", "run", BOTH),
    "clock": ("clock", "run", BOTH),
    "files": ("disk", "files", BOTH),
    "disk": ("disk", "everything", BOTH),
}
"""What can be done to it: the module, the function, and the databases that it concerns."""
SMALL = 400_000_000
"""Bytes of the disk that is filled up."""
SKIPPED = 77


@dataclass(frozen=True)
class Run:
    """long: as often as it is done before a release. cluster: the server, if it is PostgreSQL."""

    folder: Path
    long: bool
    cluster: Cluster | None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=", ".join(SCENARIOS))
    parser.add_argument("--database", choices=BOTH, help="only this one")
    parser.add_argument("--long", action="store_true", help="the long run, which takes hours")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if unknown := set(options.scenarios) - set(SCENARIOS):
        parser.error(f"{', '.join(unknown)}: not among {', '.join(SCENARIOS)}")
    if options.here:
        sys.exit(run_here(options.scenarios[0], options.database, options.long))
    sys.exit(run_all(options))


def run_all(options: argparse.Namespace) -> int:
    """Each in a process of its own; 1 when one of them went wrong."""
    verdicts = {}
    for scenario in options.scenarios or SCENARIOS:
        for database in SCENARIOS[scenario][2]:
            if options.database in (None, database):
                print(f"\n== {scenario} on {database}", flush=True)
                how = ["--here", "--database", database, *(["--long"] if options.long else [])]
                command = [sys.executable, "-m", "benchmarks.faults", scenario, *how]
                verdicts[scenario, database] = subprocess.run(command, check=False).returncode  # noqa: S603
    print("\n== verdict")
    words = {0: "nothing lost", SKIPPED: "SKIPPED"}
    for (scenario, database), code in verdicts.items():
        print(f"  {scenario:12} {database:12} {words.get(code, 'WRONG')}")
    return int(any(code not in words for code in verdicts.values()))


def run_here(scenario: str, database: str, long: bool) -> int:
    # So that what was started ends with us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="andon-faults-"))
    folder.chmod(0o755)  # PostgreSQL runs as somebody else.
    try:
        with ExitStack() as stack:
            if scenario == "disk":
                stack.enter_context(small_disk(folder, SMALL))
            cluster = stack.enter_context(Cluster(folder)) if database == "postgresql" else None
            url = cluster.url if cluster else f"sqlite:///{folder / 'db.sqlite3'}"
            wrong = run_on(url, scenario, Run(folder, long, cluster))
    except Unavailable as missing:
        print(f"  SKIPPED: {missing}")
        wrong = None
    took = time.monotonic() - began
    for line in wrong or ():
        print(f"  WRONG: {line}")
    if wrong:
        print(f"  what it logged is in {folder}")
    else:
        shutil.rmtree(folder)
    print(f"  took {took:.0f} s", flush=True)
    return SKIPPED if wrong is None else int(bool(wrong))


def run_on(url: str, scenario: str, run: Run) -> list[str]:
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings_test"
    os.environ["TEST_DATABASE_URL"] = url
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections

    call_command("migrate", verbosity=0)
    module, function, _ = SCENARIOS[scenario]
    try:
        return getattr(import_module(f"benchmarks.faults.{module}"), function)(run)
    finally:
        connections.close_all()


if __name__ == "__main__":
    main()
