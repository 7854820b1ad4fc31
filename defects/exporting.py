"""Makes the exports that are too large to wait for, one after the other.

The rows are the truth, as in the outbox. Each export is made by a process of its own, so that its
work holds up no message, and its memory is given back. While that process lives the worker keeps
the claim; when the worker dies, the claim runs out and another one begins anew.
"""

import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress

import structlog
from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.utils import timezone

from defects.export import Writing
from defects.models import Export

log = structlog.get_logger("defects")

TELL_EVERY = 0.5
"""Seconds between two notes of how far it is."""


class Stopped(Exception):
    """It was cancelled, or is in other hands by now."""


def drain() -> None:
    """Make what is to be made."""
    while export := Export.objects.claim():
        _make_beside(export)


def _make_beside(export: Export) -> None:
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "prepare_export"]
    with subprocess.Popen(  # noqa: S603
        [*command, str(export.pk), str(export.attempts)], stdin=subprocess.DEVNULL
    ) as maker:
        while maker.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                maker.wait(1)
            if maker.returncode is None and not export.hold():
                maker.terminate()
                maker.wait()
    if maker.returncode:
        log.warning("an export broke off", export=export.pk, status=maker.returncode)
        export.let_go()


class Refused(Exception):
    """It cannot be made, and trying again would not change that. Its text is for staff."""


def make(export: Export) -> None:
    """Make the file of an export that is in our hands, and note what has become of it."""
    began = time.monotonic()
    try:
        _make(export)
    except Stopped:
        log.info("an export was stopped", export=export.pk)
        return
    except Refused as refused:
        export.finish(Export.Status.FAILED, str(refused))
    log.info(
        "export",
        export=export.pk,
        status=export.status,
        reports=export.done,
        cut=export.cut,
        seconds=round(time.monotonic() - began, 1),
    )


def _make(export: Export) -> None:
    from defects.admin.exports import reports_of  # The admin is loaded by now, and not before.

    writing = Writing(reports_of(export), export.format, about_of(export))
    with tempfile.TemporaryFile() as file:
        result = writing.write(file, _Progress(export))
        file.seek(0)
        default_storage.save(export.file.name, File(file))
    if not export.settle(result.rows, result.cut):
        default_storage.delete(export.file.name)
        raise Stopped


def about_of(export: Export) -> dict[str, str]:
    return {
        "Asked for by": export.by.get_username() if export.by else "manage.py export_defects",
        "Filters": export.filters or "none",
    }


class _Progress:
    """Notes how far it is, now and then. Raises Stopped."""

    def __init__(self, export: Export) -> None:
        self._export = export
        self._told = 0.0
        self._parent = os.getppid()

    def __call__(self, done: int, total: int) -> None:
        if os.getppid() != self._parent:
            self._export.let_go()
            raise Stopped
        is_last = done == total
        if is_last or time.monotonic() >= self._told + TELL_EVERY:
            self._told = time.monotonic()
            if not self._export.hold(done=done, total=total):
                raise Stopped


def delete_expired() -> None:
    """Delete files that were kept for long enough. The rows stay."""
    for export in Export.objects.expired(timezone.now()):
        export.delete_file()
