"""Looks at what is to be imported, and imports it: at once when it is little, else by the worker.

It is gone through twice before anything is saved: for the preview, and again after it was
confirmed, since other people work meanwhile. Saving is one transaction: all of it, or nothing.
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import structlog
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import IntegrityError, OperationalError, transaction

from orders.importing.before import Before
from orders.importing.judging import JUDGES, Judge, Kind, Verdict
from orders.importing.preview import Preview
from orders.importing.sheet import Choices, Progress, Sheet
from orders.importing.tables import Table, Unreadable, open_table
from orders.importing.wrong_rows import WrongRows
from orders.models import Import
from orders.models.imports import may_import
from orders.tasks import work_on_imports
from whatsapp_bot import long_work, tasks
from whatsapp_bot.locked import LOCKED, is_locked
from whatsapp_bot.long_work import Stopped

log = structlog.get_logger("orders")

NOT_KEPT_YET = (
    "What was there before is being kept, as a file that sets it back. "
    "If you still read this in some minutes, it could not be kept."
)
CHANGED = "Something has changed since you looked, and nothing was imported. Please look again."
CONFIRM_AGAIN = f"{LOCKED} Nothing was imported. Please confirm again."


class Changed(Exception):
    """Since it was looked at, rows have become wrong. preview: as it is now."""

    def __init__(self, preview: dict[str, Any]) -> None:
        super().__init__()
        self.preview = preview


class Locked(Exception):
    """Somebody else was changing its rows for longer than one waits for them."""


def begin(imported: Import) -> None:
    """Go through it: now when it is little, else in the background."""
    if not imported.is_little:
        imported.save()
        tasks.wake(work_on_imports)
    elif imported.take_in_hand():
        try:
            work_on(imported, lambda done, total: None)
        except Exception:  # such as the storage being away: the worker goes on with it
            log.exception("work broke off", what="import", pk=imported.pk)
            imported.put_off()


def work_on(imported: Import, progress: Progress | None = None) -> None:
    """Go through an import that is in our hands, and note what has become of it."""
    began = time.monotonic()
    progress = progress or long_work.Progress(imported)
    try:
        if imported.by and not may_import(imported.by, imported.what):
            imported.finish(Import.Status.FAILED, "Whoever chose the file may not import any more.")
        elif imported.confirmed_at:
            _import(imported, progress)
        else:
            _look(imported, progress)
    except Stopped:
        log.info("an import was stopped", pk=imported.pk)
        return
    log.info(
        "import",
        pk=imported.pk,
        status=imported.status,
        rows=imported.rows,
        wrong=imported.wrong,
        seconds=round(time.monotonic() - began, 1),
    )


def _look(imported: Import, progress: Progress) -> None:
    """Say what it would do."""
    with tempfile.TemporaryFile() as wrong_rows:
        with _opened(imported) as table:
            preview = look(table, imported, wrong_rows, progress)
        place = ""
        if preview.get("counts", {}).get(Kind.WRONG):
            place = imported.new_place("imports")
            _put_away(wrong_rows, place)
    before = imported.wrong_rows.name
    is_ours = imported.settle(Import.Status.CHECKED, preview, wrong_rows=place)
    if left := before if is_ours else place:
        default_storage.delete(left)
    if not is_ours:
        raise Stopped


def _put_away(file: IO[bytes], place: str) -> None:
    file.seek(0)
    default_storage.save(place, File(file))


def look(
    table: Table, imported: Import, wrong_rows: IO[bytes], progress: Progress
) -> dict[str, Any]:
    """The preview of a table. wrong_rows: where those are written to, as XLSX."""
    choices = _choices(imported)
    judge = JUDGES[imported.what](choices)
    try:
        table.load()
        with Sheet(table, judge.columns, choices, progress) as sheet:
            preview = Preview(sheet, judge)
            with WrongRows(wrong_rows, sheet, preview) as wrong:
                for verdicts in try_out(sheet, judge, preview, progress):
                    wrong.take(verdicts)
            return preview.as_json()
    except Unreadable as unreadable:
        return {"sheets": table.sheets, "problem": str(unreadable)}


def try_out(
    sheet: Sheet, judge: Judge, preview: Preview, progress: Progress
) -> Iterator[list[Verdict]]:
    """What becomes of the rows, many at a time, without saving any. Nobody has to wait for it.

    Nothing, as long as it is not known which column they are known by.
    """
    if not sheet.has(judge.resource.identity):
        return
    for verdicts in judge.judge(sheet):
        judge.forget()
        preview.take(verdicts)
        progress(preview.total, sheet.total)
        yield verdicts


def _import(imported: Import, progress: Progress) -> None:
    choices = _choices(imported)
    judge = JUDGES[imported.what](choices)
    try:
        with _opened(imported) as table, Sheet(table, judge.columns, choices, progress) as sheet:
            preview = Preview(sheet, judge)
            for _ in try_out(sheet, judge, preview, progress):
                pass
            seen = preview.as_json()
            if preview.counts[Kind.WRONG] and not choices.leave_wrong:
                raise Changed(seen)
            save(imported, sheet, judge, seen)
    except Changed as changed:
        _have_confirmed_again(imported, changed.preview, CHANGED)
    except Locked:
        _have_confirmed_again(imported, seen, CONFIRM_AGAIN)
    except Unreadable as unreadable:
        imported.finish(Import.Status.FAILED, str(unreadable))


def _have_confirmed_again(imported: Import, preview: dict[str, Any], why: str) -> None:
    if not imported.settle(Import.Status.CHECKED, preview, confirmed_at=None, why=why):
        raise Stopped


def save(imported: Import, sheet: Sheet, judge: Judge, seen: dict[str, Any]) -> None:
    """Import all of it, or nothing. Raises Locked, or Changed when more is wrong than may be.

    seen: the preview of a moment ago.
    """
    preview = Preview(sheet, judge)
    with tempfile.TemporaryFile() as file:
        try:
            _save(imported, sheet, judge, preview, file)
        except IntegrityError:  # Somebody else has just made such an order.
            raise Changed(seen) from None
        except OperationalError as error:
            if is_locked(error):
                raise Locked from None
            raise
        if place := imported.before.name:
            _put_away(file, place)
            imported.why = ""
            imported.save(update_fields=["why"])


@transaction.atomic
def _save(imported: Import, sheet: Sheet, judge: Judge, preview: Preview, file: IO[bytes]) -> None:
    """file: where what was there before is written to, as XLSX."""
    judge.begin_for_good()
    with Before(file, judge) as before:
        for verdicts in judge.judge(sheet):
            preview.take(verdicts)
            if imported.by:  # Nobody gets at what the command imported.
                before.take(verdicts)
            judge.save()
    judge.finish()
    if preview.counts[Kind.WRONG] and not judge.choices.leave_wrong:
        raise Changed(preview.as_json())
    kept = {}
    if before.rows:
        # Named before it is there: whoever dies in between leaves nothing that no row names.
        kept = {"before": imported.new_place("imports"), "why": NOT_KEPT_YET}
    if not imported.settle(Import.Status.DONE, preview.as_json(), **kept):
        raise Stopped


def _choices(imported: Import) -> Choices:
    """What was decided, as far as whoever did so may do it still."""
    choices = Choices(**imported.choices)
    if imported.by and not imported.by.has_perm("orders.add_customer"):
        choices.make_customers = False
    return choices


@contextmanager
def _opened(imported: Import) -> Iterator[Table]:
    with imported.file.open("rb") as file:
        yield open_table(file, imported.name, imported.size)
