"""Makes an export that is too large to wait for, in a process of its own."""

import tempfile
import time

import structlog
from django.core.files import File
from django.core.files.storage import default_storage

from defects.export import Writing
from defects.models import Export
from whatsapp_bot.long_work import Progress, Stopped

log = structlog.get_logger("defects")


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
        result = writing.write(file, Progress(export))
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
