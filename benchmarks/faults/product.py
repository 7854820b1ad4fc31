"""The product as it runs in production: gunicorn, a worker and Twilio, each a process to break."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from django.conf import settings

from config.tests.serving import beside
from whatsapp_bot.fake_twilio import FakeTwilio, Fate

WEBHOOK = settings.PUBLIC_URL + "/whatsapp/webhook/"
QUICK = {
    "SEND_PAUSE_SECONDS": "0",
    "SEND_BACK_OFF_SECONDS": "0.1",
    "LOOK_UP_AFTER_SECONDS": "1",
    "TWILIO_TIMEOUT_SECONDS": "1",
    "FETCH_SECONDS": "1",
    "RECONCILE_EVERY_MINUTES": "0.1",
}
"""Waits that are as long as a run would have to be are shorter in it."""
AWAKE = "Andon's worker is at work."
UNTIL_THERE = UNTIL_GONE = 60
"""Seconds within which a process has started, or ended when it was asked to."""

DEAD_OF_GUNICORN = re.compile(r"Worker \(pid:(?P<pid>\d+)\) (?:was sent|exited)[^\"\n]*")
ERRORS = ('"level": "error"', '"level": "critical"', "Traceback", "[ERROR]", "[CRITICAL]")
"""What a line of a log has that tells of a fault: ours, Python's and gunicorn's."""
HAND_OVER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.executable, [sys.executable, "-m", *sys.argv[2:]])
"""
"""Systemd's way to hand over a socket: it is the process's third, which is told its own id."""


@dataclass(frozen=True)
class Restart:
    """asked: when it was asked to end, by the monotonic clock. took: seconds until it had."""

    asked: float
    took: float
    status: int


class Product:
    """Andon on the database of this process, until the block ends.

    folder: where it logs and keeps files. web: workers of gunicorn. values: further
    settings.

    The socket is held by us, as systemd holds that of `andon.socket`: whoever comes while
    gunicorn is away waits for it. What ends is started again, as systemd does.
    """

    def __init__(self, folder: Path, *, web: int = 3, **values: str):
        self.folder = folder
        for process in ("web", "worker"):
            (folder / f"{process}.log").touch()
        self.web_workers = web
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.twilio = FakeTwilio.with_our_account()
        self.twilio.webhooks.routes[settings.PUBLIC_URL] = self.url
        self.twilio.fate = Fate(("sent", "delivered"))
        self.env = beside(
            **QUICK,
            TWILIO_API_URL=self.twilio.url,
            TWILIO_MEDIA_URL=self.twilio.media_url,
            MEDIA_ROOT=str(folder / "media"),
        )
        self.env.update(values)
        self._killed: set[int] = set()
        self._died: list[str] = []
        self._ended = threading.Event()
        self._changing = threading.Lock()
        self._keeper = threading.Thread(target=self._keep_running)

    def __enter__(self) -> "Product":
        self.twilio.start()
        self.web, self.worker = self._start_web(), self._start_worker()
        try:
            self._await_start()
        except BaseException:
            self.__exit__()
            raise
        self._keeper.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._keeper.ident:
            self._keeper.join()
        for process in (self.web, self.worker):
            process.terminate()
        for process in (self.web, self.worker):
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                kill([process.pid, *children(process.pid)])
                process.wait()
        self.socket.close()
        self.twilio.stop()

    def _start_web(self) -> subprocess.Popen:
        gunicorn = ["gunicorn", "--workers", str(self.web_workers), "config.wsgi"]
        return self._start(
            [sys.executable, "-c", HAND_OVER, str(self.socket.fileno()), *gunicorn],
            "web.log",
            pass_fds=[self.socket.fileno()],
        )

    def _start_worker(self) -> subprocess.Popen:
        self._awake_before = self.log("worker").count(AWAKE)
        return self._start([sys.executable, "manage.py", "worker"], "worker.log")

    def _start(self, command: list[str], log: str, **how) -> subprocess.Popen:
        with (self.folder / log).open("ab") as file:
            return subprocess.Popen(  # noqa: S603
                command, cwd=settings.BASE_DIR, env=self.env, stdout=file, stderr=file, **how
            )

    def _await_start(self) -> None:
        host = {"Host": urlsplit(settings.PUBLIC_URL).netloc}
        with urlopen(Request(f"{self.url}/health/", headers=host), timeout=UNTIL_THERE):  # noqa: S310
            pass
        ends = time.monotonic() + UNTIL_THERE
        while AWAKE not in self.log("worker"):
            if time.monotonic() > ends:
                raise TimeoutError("the worker did not start")
            time.sleep(0.05)

    def _keep_running(self) -> None:
        """Start again what has ended, at once."""
        while not self._ended.wait(0.05):
            with self._changing:
                if self.web.poll() is not None:
                    self._note_death("gunicorn", self.web)
                    self.web = self._start_web()
                if self.worker.poll() is not None:
                    self._note_death("the worker", self.worker)
                    self.worker = self._start_worker()

    def _note_death(self, who: str, process: subprocess.Popen) -> None:
        if process.pid not in self._killed:
            self._died.append(f"{who} ended with {process.returncode}")

    def log(self, process: str) -> str:
        """What `web` or `worker` has logged."""
        return (self.folder / f"{process}.log").read_text(errors="replace")

    # What it did by itself -----------------------------------------------------------------------

    @property
    def deaths(self) -> list[str]:
        """Processes that died, or were ended by gunicorn, and not by us."""
        return [*self._died, *dead_of_gunicorn(self.log("web"), self._killed)]

    @property
    def errors(self) -> list[str]:
        """What it logged of faults that it did not expect."""
        return [*errors_in(self.log("web")), *errors_in(self.log("worker"))]

    # Breaking it ---------------------------------------------------------------------------------

    def kill_web_worker(self, number: int) -> bool:
        """Kill one of gunicorn's workers; False when there is none at this moment."""
        workers = children(self.web.pid)
        return bool(workers) and self._kill(workers[number % len(workers)])

    def kill_gunicorn(self) -> bool:
        """Kill all of it, as systemd does when the one dies that watches over the workers.

        False when it is only starting.
        """
        with self._changing:
            workers = children(self.web.pid)
            return bool(workers) and self._kill(self.web.pid, *workers)

    def kill_worker(self) -> bool:
        """False when it is only starting."""
        with self._changing:
            is_at_work = self.log("worker").count(AWAKE) > self._awake_before
            return is_at_work and self._kill(self.worker.pid)

    def _kill(self, *pids: int) -> bool:
        self._killed.update(pids)
        kill(pids)
        return True

    def restart_web(self) -> Restart:
        """As `systemctl restart andon` does: what is in hand is finished before it ends."""
        with self._changing:
            restart = end(self.web)
            self.web = self._start_web()
        return restart

    def restart_worker(self) -> Restart:
        """As `systemctl restart andon-worker` does."""
        with self._changing:
            restart = end(self.worker)
            self.worker = self._start_worker()
        return restart


def crowding() -> float:
    """How many times longer than alone a piece of work takes here, as others use the machine."""
    began, worked = time.monotonic(), time.process_time()
    while time.process_time() - worked < 0.5:
        pass
    return max(1.0, (time.monotonic() - began) / 0.5)


def kill(pids: Iterable[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def end(process: subprocess.Popen) -> Restart:
    """Ask it to end, and wait for it."""
    asked = time.monotonic()
    process.terminate()
    status = process.wait(UNTIL_GONE)
    return Restart(asked, time.monotonic() - asked, status)


def dead_of_gunicorn(log: str, killed: Collection[int] = ()) -> list[str]:
    """What its log says of workers that ended badly, but for those that we killed."""
    dead = DEAD_OF_GUNICORN.finditer(log)
    return [one[0] for one in dead if int(one["pid"]) not in killed]


def errors_in(log: str) -> list[str]:
    """Its lines that tell of a fault."""
    return [line for line in log.splitlines() if any(sign in line for sign in ERRORS)]


def children(pid: int) -> list[int]:
    """The processes that this one has started, oldest first."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError):
            # The name, in brackets, may hold anything.
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            if int(parent) == pid and state != "Z":
                found.append(int(stat.parent.name))
    return sorted(found)
