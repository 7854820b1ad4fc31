"""Has long work done by a process of its own, so that it holds up no message.

Its memory is given back when it ends. While that process lives the worker keeps the claim.
"""

import os
import signal
import subprocess
import sys
import time
from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand

from whatsapp_bot.models.in_hand import InHand

log = structlog.get_logger("whatsapp_bot")

PATIENCE = 30
"""Seconds that it has to end by itself, once it is ours no more: it may be putting a file away."""
TELL_EVERY = 0.5
"""Seconds between two notes of how far it is."""


class Stopped(Exception):
    """It was cancelled, or is in other hands by now."""


def drain(kind: type[InHand], command: str) -> None:
    """Have what there is to do of a kind done, one after the other."""
    while work := kind._default_manager.claim():
        work_beside(work, command)


def work_beside(work: InHand, command: str) -> None:
    """Have `manage.py command` work on it, and wait until that has ended."""
    arguments = [str(settings.BASE_DIR / "manage.py"), command, str(work.pk), str(work.attempts)]
    with subprocess.Popen(  # noqa: S603
        [sys.executable, *arguments], stdin=subprocess.DEVNULL
    ) as maker:
        while maker.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                maker.wait(1)
            if maker.returncode is None and not work.hold():
                _end(maker)
    if maker.returncode:
        what = work._meta.verbose_name
        log.warning("work broke off", what=what, pk=work.pk, status=maker.returncode)
        # Told to end, as its worker is: the claim runs out, and the next one begins it anew.
        if maker.returncode != -signal.SIGTERM:
            work.put_off()


def _end(maker: "subprocess.Popen[bytes]") -> None:
    """It is done, and tidying up, or will hear soon that nobody wants it."""
    try:
        maker.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        maker.terminate()
        maker.wait()


class WorkCommand(BaseCommand):
    """What is done in that process with work of a kind that the worker has in hand."""

    requires_system_checks = []
    kind: type[InHand]

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("pk", type=int)
        parser.add_argument("attempt", type=int)

    def handle(self, *, pk: int, attempt: int, **options: Any) -> None:
        os.nice(10)
        rows = self.kind._default_manager
        if mine := rows.filter(pk=pk, attempts=attempt, status=InHand.RUNNING).first():
            self.work_on(mine)

    def work_on(self, work: Any) -> None:
        raise NotImplementedError


class Progress:
    """Notes how far work is, now and then. Raises Stopped."""

    def __init__(self, work: InHand) -> None:
        self._work = work
        self._told = 0.0
        self._parent = os.getppid()

    def __call__(self, done: int, total: int) -> None:
        if os.getppid() != self._parent:
            self._work.let_go()
            raise Stopped
        is_last = done == total
        if is_last or time.monotonic() >= self._told + TELL_EVERY:
            self._told = time.monotonic()
            if not self._work.hold(done=done, total=total):
                raise Stopped
