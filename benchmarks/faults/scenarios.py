"""What can be done to it."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmarks.faults.databases import Cluster

BOTH = ("sqlite", "postgresql")
POSTGRESQL = ("postgresql",)


class Scenario(NamedTuple):
    """Where its function is, and the databases that it concerns."""

    module: str
    function: str
    databases: tuple[str, ...]


SCENARIOS = {
    "kills": Scenario("kills", "run", BOTH),
    "terminate": Scenario("terminate", "run", BOTH),
    "restarts": Scenario("postgresql", "restarts", POSTGRESQL),
    "down": Scenario("postgresql", "down", POSTGRESQL),
    "connections": Scenario("postgresql", "connections", POSTGRESQL),
    "lock": Scenario("postgresql", "lock", POSTGRESQL),
    "pairs": Scenario("pairs", "run", BOTH),
    "migrating": Scenario("migrating", "run", BOTH),
    "clock": Scenario("clock", "run", BOTH),
    "files": Scenario("disk", "files", BOTH),
    "disk": Scenario("disk", "everything", BOTH),
}


@dataclass(frozen=True)
class Run:
    """long: as often as it is done before a release. cluster: the server, if it is PostgreSQL."""

    folder: Path
    long: bool
    cluster: Cluster | None
