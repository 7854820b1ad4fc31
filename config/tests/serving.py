"""Serving as in production: gunicorn, in a process of its own."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings


def gunicorn(*options: str) -> list[str]:
    return [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", *options, "config.wsgi"]


@contextmanager
def serving(environment: dict[str, str], *options: str) -> Iterator[str]:
    """The address at which it listens, with this environment, until the block ends."""
    with subprocess.Popen(
        gunicorn(*options),
        cwd=settings.BASE_DIR,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            said = next(line for line in server.stderr if "Listening at" in line)
            yield re.search(r"http://\S+", said)[0]
        finally:
            server.terminate()
            server.stderr.read()


@contextmanager
def working(environment: dict[str, str]) -> Iterator[None]:
    """The background worker, with this environment, until the block ends."""
    command = [sys.executable, "manage.py", "worker"]
    with subprocess.Popen(
        command, cwd=settings.BASE_DIR, env=environment, stdout=subprocess.DEVNULL
    ) as worker:
        try:
            yield
        finally:
            worker.terminate()
