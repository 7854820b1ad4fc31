"""The product as it runs in production: gunicorn, a worker and Twilio, each a process to break."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
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
PATIENCE = 60
"""Seconds within which a process has to be there."""


HAND_OVER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.executable, [sys.executable, "-m", *sys.argv[2:]])
"""
"""Systemd's way to hand over a socket: it is the process's third, which is told its own id."""


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
        self.twilio = FakeTwilio(
            settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN, settings.TWILIO_WHATSAPP_NUMBER
        )
        self.twilio.webhooks.routes[settings.PUBLIC_URL] = self.url
        self.twilio.fate = Fate(("sent", "delivered"))
        self.env = beside(
            **QUICK,
            TWILIO_API_URL=self.twilio.url,
            TWILIO_MEDIA_URL=self.twilio.media_url,
            MEDIA_ROOT=str(folder / "media"),
        )
        self.env.update(values)
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
        with urlopen(Request(f"{self.url}/health/", headers=host), timeout=PATIENCE):  # noqa: S310
            pass
        ends = time.monotonic() + PATIENCE
        while AWAKE not in self.log("worker"):
            if time.monotonic() > ends:
                raise TimeoutError("the worker did not start")
            time.sleep(0.05)

    def _keep_running(self) -> None:
        """Start again what has ended, at once."""
        while not self._ended.wait(0.05):
            with self._changing:
                if self.web.poll() is not None:
                    self.web = self._start_web()
                if self.worker.poll() is not None:
                    self.worker = self._start_worker()

    def log(self, process: str) -> str:
        """What `web` or `worker` has logged."""
        return (self.folder / f"{process}.log").read_text(errors="replace")

    # Breaking it

    def kill_web_worker(self, number: int) -> bool:
        """Kill one of gunicorn's workers; False when there is none at this moment."""
        workers = children(self.web.pid)
        return bool(workers) and kill([workers[number % len(workers)]])

    def kill_gunicorn(self) -> bool:
        """Kill all of it, as systemd does when the one dies that watches over the workers.

        False when it is only starting.
        """
        with self._changing:
            workers = children(self.web.pid)
            return bool(workers) and kill([self.web.pid, *workers])

    def kill_worker(self) -> bool:
        """False when it is only starting."""
        with self._changing:
            is_at_work = self.log("worker").count(AWAKE) > self._awake_before
            return is_at_work and kill([self.worker.pid])

    def restart_web(self) -> None:
        """As `systemctl restart andon` does: what is in hand is finished before it ends."""
        with self._changing:
            self.web.send_signal(signal.SIGTERM)
            self.web.wait(PATIENCE)
            self.web = self._start_web()


def crowding() -> float:
    """How many times longer than alone a piece of work takes here, as others use the machine."""
    began, worked = time.monotonic(), time.process_time()
    while time.process_time() - worked < 0.5:
        pass
    return max(1.0, (time.monotonic() - began) / 0.5)


def kill(pids: Iterable[int]) -> bool:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return True


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
