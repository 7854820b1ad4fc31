"""Databases of a run's own, which nobody else uses and which are gone afterwards."""

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SETTINGS = {"listen_addresses": "'127.0.0.1'", "max_connections": "40"}


class Unavailable(Exception):
    """What a scenario needs is not on this machine; says what."""


class Cluster:
    """A PostgreSQL server of our own on a free port, with its data in `folder`.

    It does not run as root, so root has the user postgres run it.
    """

    def __init__(self, folder: Path) -> None:
        self.programs = newest_programs()
        self.data = folder / "postgresql"
        self.log = folder / "postgresql.log"
        self.user = who_runs_it()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]

    def __enter__(self) -> "Cluster":
        self.data.mkdir()
        self.log.touch()
        if self.user:
            for path in (self.data, self.log):
                shutil.chown(path, self.user)
        self._run("initdb", "--username", "andon", "--auth", "trust", "--encoding", "UTF8", "-N")
        with (self.data / "postgresql.conf").open("a") as conf:
            settings = {**SETTINGS, "port": str(self.port), "unix_socket_directories": "''"}
            conf.writelines(f"{name} = {value}\n" for name, value in settings.items())
        try:
            self.start()
            self._psql("CREATE DATABASE andon")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if (self.data / "postmaster.pid").exists():
            self.stop()

    @property
    def url(self) -> str:
        return f"postgres://andon@127.0.0.1:{self.port}/andon"

    def start(self) -> None:
        self._run("pg_ctl", "start", "-w", "-l", str(self.log))

    def stop(self) -> None:
        """At once, as in a crash: the next start recovers."""
        self._run("pg_ctl", "stop", "-w", "-m", "immediate")

    def start_again(self) -> None:
        """If it has given up: without space it cannot even write down that it has none."""
        stopped = subprocess.run(  # noqa: S603
            [self.programs / "pg_ctl", "-D", str(self.data), "status"],
            user=self.user,
            cwd="/",
            check=False,
            stdout=subprocess.DEVNULL,
        )
        if stopped.returncode:
            self.start()

    def restart(self) -> None:
        self._run("pg_ctl", "restart", "-w", "-m", "immediate", "-l", str(self.log))

    def _psql(self, statement: str) -> None:
        address = f"postgres://andon@127.0.0.1:{self.port}/postgres"
        subprocess.run(  # noqa: S603
            [self.programs / "psql", "-X", "-q", "-c", statement, address],
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def _run(self, program: str, *options: str) -> None:
        subprocess.run(  # noqa: S603
            [self.programs / program, "-D", str(self.data), *options],
            check=True,
            user=self.user,
            cwd="/",
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            stdout=subprocess.DEVNULL,
        )


def who_runs_it() -> str | None:
    """Somebody else, if we are root."""
    if os.geteuid():
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError as missing:
        raise Unavailable("there is no user postgres, who runs PostgreSQL for root") from missing


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[None]:
    """A file system of so many bytes in this folder, until the block ends. For root alone."""
    if os.geteuid():
        raise Unavailable("only root can mount a small disk")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "andon-faults", str(folder)]
    if subprocess.run(mount, check=False, stderr=subprocess.DEVNULL).returncode:  # noqa: S603
        raise Unavailable("a small disk cannot be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S603, S607


def newest_programs() -> Path:
    """The folder of the server's programs, as Debian has it or in the path."""
    debian = Path("/usr/lib/postgresql").glob("*/bin/pg_ctl")
    found = sorted(debian, key=lambda path: int(path.parts[4])) or [shutil.which("pg_ctl")]
    if not found[-1]:
        raise Unavailable("PostgreSQL's server is not installed")
    return Path(found[-1]).parent
