"""Serving as in production: gunicorn, in a process of its own."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection


def gunicorn(*options: str, app: str = "config.wsgi") -> list[str]:
    return [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", *options, app]


def beside(**values: str) -> dict[str, str]:
    """The environment of a process that works on the same database as this one.

    It may compile our modules once, as whoever installs Andon does.
    """
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        database = f"sqlite:///{name}"
    else:
        database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    around = {name: os.environ[name] for name in os.environ if name != "PYTHONDONTWRITEBYTECODE"}
    return {
        **around,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": database,
        **values,
    }


@contextmanager
def working(environment: dict[str, str]) -> Iterator[subprocess.Popen]:
    """A worker with this environment, which is at work until the block ends."""
    with subprocess.Popen(
        [sys.executable, "manage.py", "worker"],
        cwd=settings.BASE_DIR,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as worker:
        try:
            assert "at work" in worker.stdout.readline()
            yield worker
        finally:
            worker.terminate()


def started(environment: dict[str, str], *options: str) -> subprocess.Popen[str]:
    """gunicorn with this environment, whose log is to be read."""
    return subprocess.Popen(
        gunicorn(*options),
        cwd=settings.BASE_DIR,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def serving(environment: dict[str, str], *options: str) -> Iterator[str]:
    """The address at which it listens, with this environment, until the block ends."""
    with started(environment, *options) as server:
        try:
            said = next(line for line in server.stderr if "Listening at" in line)
            # A log that nobody reads would fill up and hold the server.
            reader = threading.Thread(target=server.stderr.read)
            reader.start()
            yield re.search(r"http://\S+", said)[0]
        finally:
            server.terminate()
            reader.join()
