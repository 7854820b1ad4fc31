"""gunicorn as in production, its log in a file, and what its processes use."""

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection

from config.tests.serving import gunicorn

TICKS = os.sysconf("SC_CLK_TCK")
LONGEST_START = 30


@dataclass(frozen=True, slots=True)
class Server:
    """address: where it listens. master: the process whose children do the work."""

    address: tuple[str, int]
    master: int

    @property
    def workers(self) -> list[int]:
        children = Path(f"/proc/{self.master}/task/{self.master}/children").read_text()
        return [int(child) for child in children.split()]

    def cpu(self) -> float:
        """CPU seconds that its processes have used so far."""
        return sum(cpu_of(process) for process in (self.master, *self.workers))

    def memory(self) -> float:
        """What the largest of its workers has in memory, in MB, with all that it shares."""
        return max(_resident(worker) for worker in self.workers)


def cpu_of(process: int) -> float:
    """CPU seconds that it has used so far, with its dead children."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS


def most_memory_of(process: subprocess.Popen) -> float:
    """What it has in memory at most until it ends, in MB, with all that it shares."""
    status, most = Path(f"/proc/{process.pid}/status"), 0
    while process.poll() is None:
        if found := re.search(r"VmHWM:\s+(\d+)", status.read_text()):
            most = max(most, int(found[1]))
        time.sleep(0.05)
    return most / 1024


def _resident(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024 / 1e6


@contextmanager
def served(app: str, environment: dict[str, str], workers: int) -> Iterator[Server]:
    """Such a server, which listens until the block ends."""
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(  # noqa: S603
            gunicorn("--workers", str(workers), app=app),
            cwd=settings.BASE_DIR,
            env=environment,
            stderr=log,
        ) as process,
    ):
        try:
            yield Server(_listening(process, log.fileno()), process.pid)
        finally:
            process.terminate()


def _listening(process: subprocess.Popen, log: int) -> tuple[str, int]:
    ends = time.monotonic() + LONGEST_START
    while time.monotonic() < ends and process.poll() is None:
        found = re.search(rb"Listening at: http://([\d.]+):(\d+)", os.pread(log, 100_000, 0))
        if found:
            return found[1].decode(), int(found[2])
        time.sleep(0.01)
    raise RuntimeError(os.pread(log, 100_000, 0).decode())


def cpu_of_database(name: str) -> float:
    """CPU seconds that PostgreSQL has used for those who are connected to this database.

    0 where it is on another machine, or a file.
    """
    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
            [name],
        )
        backends = [pid for (pid,) in cursor.fetchall()]
    return sum(cpu_of(backend) for backend in backends if _is_postgres(backend))


def _is_postgres(process: int) -> bool:
    name = Path(f"/proc/{process}/comm")
    return name.exists() and "postgres" in name.read_text()
