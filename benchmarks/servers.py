"""gunicorn as in production, commands of manage.py, and what their processes use."""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

from django.conf import settings
from django.db import connection

from config.tests.serving import beside, gunicorn

TICKS = os.sysconf("SC_CLK_TCK")
MB = 1_000_000
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


def _resident(process: int) -> float:
    return _memory(process, "VmRSS")


def _memory(process: int, what: str) -> float:
    """In MB, with all that it shares; 0 when it has just ended."""
    found = re.search(rf"{what}:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    return int(found[1]) * 1024 / MB if found else 0


@dataclass(frozen=True, slots=True)
class Used:
    """What a command took, and the last line that it said. memory: the most that it had, in MB."""

    seconds: float
    cpu: float
    memory: float
    said: str


def managed(*command: str) -> Used:
    """A command of manage.py, in a process of its own on the database of this one."""
    began, cpu, most = time.monotonic(), _cpu_of_children(), 0.0
    with (
        tempfile.TemporaryFile("w+") as out,
        subprocess.Popen(  # noqa: S603
            [sys.executable, "manage.py", *command],
            cwd=settings.BASE_DIR,
            env=beside(),
            stdout=out,
        ) as process,
    ):
        try:
            while process.poll() is None:
                most = max(most, _memory(process.pid, "VmHWM"))
                time.sleep(0.05)
        finally:
            process.kill()
            process.wait()
        out.seek(0)
        said = out.read().splitlines() or [""]
    if process.returncode:
        sys.exit(f"WRONG: `manage.py {' '.join(command)}` failed.")
    return Used(time.monotonic() - began, _cpu_of_children() - cpu, most, said[-1].strip())


def _cpu_of_children() -> float:
    used = getrusage(RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


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
            process.wait()


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
