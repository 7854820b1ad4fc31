"""Breaks Andon on purpose, and counts what is left.

    python -m benchmarks.faults [SCENARIO ...] [--database sqlite|postgresql] [--long]

Each scenario runs on each database that it concerns, in a process and on a database of its own.
Exits with 1 when anything was lost, doubled or answered wrongly, and with 2 when a scenario did not
run to its end. Ctrl-C or SIGTERM ends it, and leaves nothing behind.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path

from benchmarks.faults.databases import Cluster, Unavailable, small_disk
from benchmarks.faults.scenarios import BOTH, SCENARIOS, Run
from benchmarks.processes import end_when_asked, finish

SMALL = 400_000_000
"""Bytes of the disk that is filled up."""
WRONG, SKIPPED, STOPPED = 3, 77, 130
"""Exit statuses of a scenario; any other but 0 is a fault of the harness, or of the machine."""
WORDS = {0: "nothing lost", WRONG: "WRONG", SKIPPED: "SKIPPED", STOPPED: "stopped"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=", ".join(SCENARIOS))
    parser.add_argument("--database", choices=BOTH, help="only this one")
    parser.add_argument("--long", action="store_true", help="the long run, which takes hours")
    parser.add_argument("--here", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)
    options = parser.parse_args()
    for name in options.scenarios:
        if name not in SCENARIOS:
            parser.error(f"{name}: not among {', '.join(SCENARIOS)}")
        if options.database not in (None, *SCENARIOS[name].databases):
            parser.error(f"{name} concerns {' and '.join(SCENARIOS[name].databases)} alone")
    if options.here:
        sys.exit(run_here(options.scenarios[0], options.database, options.long, options.here))
    sys.exit(run_all(options))


def run_all(options: argparse.Namespace) -> int:
    """Each in a process of its own; 0 when nothing was wrong with any."""
    verdicts = {}
    try:
        for scenario in options.scenarios or SCENARIOS:
            for database in SCENARIOS[scenario].databases:
                if options.database in (None, database):
                    verdicts[scenario, database] = STOPPED
                    verdicts[scenario, database] = run_beside(scenario, database, options.long)
    except KeyboardInterrupt:
        pass
    print("\n== verdict")
    for (scenario, database), status in verdicts.items():
        print(f"  {scenario:12} {database:12} {WORDS.get(status, 'did not run to its end')}")
    return status_of_all(set(verdicts.values()))


def status_of_all(statuses: set[int]) -> int:
    if WRONG in statuses:
        return 1
    if statuses - set(WORDS):
        return 2
    return STOPPED if STOPPED in statuses else 0


def run_beside(scenario: str, database: str, long: bool) -> int:
    """In a process of its own, whose folder stays when there is something to look into."""
    print(f"\n== {scenario} on {database}", flush=True)
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="andon-faults-"))
    folder.chmod(0o755)  # PostgreSQL runs as somebody else.
    how = ["--database", database, *(["--long"] if long else []), "--here", str(folder)]
    status = STOPPED
    try:
        # What it says is seen at once, also in a file.
        status = finish([sys.executable, "-u", "-m", "benchmarks.faults", scenario, *how])
    finally:
        if status in (0, SKIPPED, STOPPED):
            shutil.rmtree(folder)
        else:
            print(f"  what it logged is in {folder}")
    print(f"  took {time.monotonic() - began:.0f} s", flush=True)
    return status


def run_here(scenario: str, database: str, long: bool, folder: Path) -> int:
    """In this process; its exit status."""
    end_when_asked()
    try:
        with ExitStack() as stack:
            place = stack.enter_context(small_place(folder)) if scenario == "disk" else folder
            cluster = stack.enter_context(Cluster(place)) if database == "postgresql" else None
            url = cluster.url if cluster else f"sqlite:///{place / 'db.sqlite3'}"
            wrong = run_on(url, scenario, Run(place, long, cluster))
    except Unavailable as missing:
        print(f"  SKIPPED: {missing}")
        return SKIPPED
    for line in wrong:
        print(f"  WRONG: {line}")
    return WRONG if wrong else 0


@contextmanager
def small_place(folder: Path) -> Iterator[Path]:
    """A small disk in this folder, which keeps the logs when the disk goes."""
    place = folder / "disk"
    place.mkdir()
    with small_disk(place, SMALL):
        try:
            yield place
        finally:
            for log in place.glob("*.log"):
                shutil.copy(log, folder)


def run_on(url: str, scenario: str, run: Run) -> list[str]:
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings_test"
    os.environ["TEST_DATABASE_URL"] = url
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections

    call_command("migrate", verbosity=0)
    # It imports models, which it can from here on.
    module = import_module(f"benchmarks.faults.{SCENARIOS[scenario].module}")
    try:
        return getattr(module, SCENARIOS[scenario].function)(run)
    finally:
        connections.close_all()


if __name__ == "__main__":
    main()
