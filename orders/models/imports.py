"""Imports: who brought which file in, and what became of its rows."""

from datetime import datetime, timedelta
from typing import Any

from django.core.files import File
from django.db import models, transaction
from django.utils import timezone

from whatsapp_bot.models.in_hand import InHand, InHandQuerySet
from whatsapp_bot.models.staff import of_staff
from whatsapp_bot.whatsapp_text import clean

LONGEST_NAME = 200

_OF_ORDERS = ["order", "orderline"]
_NEEDED = {
    "orders": [f"orders.{verb}_{what}" for verb in ("add", "change") for what in _OF_ORDERS],
    "runs": ["orders.add_productionrun", "orders.change_productionrun"],
}


def may_import(user: Any, what: str) -> bool:
    """May this person import orders, or production runs? Whoever adds and changes them may."""
    may = user.is_active and user.is_staff
    return may and user.has_perms(["orders.add_import", *_NEEDED[what]])


_HAS_NO_FILES = models.Q(file="", wrong_rows="", before="")


class Import(InHand):
    """One import, from the choice of the file on. The rows stay, as the log of who did what.

    by: nobody when it was `manage.py import_orders`. name: of the file.
    weight: bytes of text in it.
    file: what was chosen, until it is imported, given up, or a day old.
    choices: what was decided by hand. preview: what it would do, as it was looked at.
    wrong_rows: those that cannot be imported, as a file to mend.
    before: what it has changed, as a file that sets it back; in its place once `why` is empty.
    """

    class What(models.TextChoices):
        ORDERS = "orders", "orders"
        RUNS = "runs", "production runs"

    class Status(models.TextChoices):
        WAITING = "waiting", "waiting"
        RUNNING = "running", "being read"
        CHECKED = "checked", "to be confirmed"
        DONE = "done", "done"
        FAILED = "failed", "failed"
        CANCELLED = "cancelled", "discarded"

    HAS_NO_FILES = _HAS_NO_FILES
    KEPT = timedelta(days=1)
    KEPT_BEFORE = timedelta(days=7)
    """On Monday somebody finds out that Friday's file was the wrong one."""
    LITTLE = 400_000
    """Bytes of text: some thousand rows, which are worth waiting for."""
    BROKE_DOWN = "Reading it broke down."

    by = of_staff(models.PROTECT, related_name="imports")
    what = models.CharField(max_length=10, choices=What, default=What.ORDERS)
    name = models.CharField("file", max_length=LONGEST_NAME)
    size = models.PositiveIntegerField("bytes", default=0)
    weight = models.PositiveIntegerField(default=0, editable=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING)
    choices = models.JSONField(default=dict, editable=False)
    preview = models.JSONField(default=dict, editable=False)
    wrong_rows = models.FileField(blank=True, editable=False)
    before = models.FileField(blank=True, default="", db_default="", editable=False)
    confirmed_at = models.DateTimeField("confirmed", null=True, blank=True, editable=False)
    new = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    wrong = models.PositiveIntegerField(default=0)

    objects = InHandQuerySet["Import"].as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(
                fields=["claimed_until", "id"],
                name="import_unfinished",
                condition=models.Q(status__in=["waiting", "running"]),
            ),
            models.Index(
                fields=["expires_at"],
                name="import_to_delete",
                condition=~_HAS_NO_FILES,
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def short_name(name: str) -> str:
        """A file's name as it is kept: with its end, which says what kind of file it is."""
        name = clean(name, len(name)) or "file"
        return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 50]}…{name[-49:]}"

    @property
    def rows(self) -> int:
        return self.new + self.changed + self.unchanged + self.wrong

    @property
    def is_little(self) -> bool:
        return self.weight <= self.LITTLE

    @property
    def is_checked(self) -> bool:
        return self.status == self.Status.CHECKED

    @property
    def is_done(self) -> bool:
        return self.status == self.Status.DONE

    @property
    def began_saving_at(self) -> datetime:
        """Nothing of it was saved before; the command saves at once."""
        return self.confirmed_at or self.created_at

    @property
    def is_open(self) -> bool:
        return self.is_unfinished or self.is_checked

    @property
    def can_be_discarded(self) -> bool:
        """Does it wait for something, or has it failed and left its file?"""
        return self.is_open or (self.status == self.Status.FAILED and bool(self.file))

    @property
    def can_be_confirmed(self) -> bool:
        """Is it known what it would do, and does it do anything?"""
        is_clear = not (self.preview.get("problem") or self.preview.get("questions"))
        return self.is_checked and is_clear and bool(self.new or self.changed)

    def keep(self, chosen: File) -> None:
        """Put the file away, for a day at most, whatever becomes of it."""
        self.file.save(self.new_place("imports"), chosen, save=False)
        self.expires_at = timezone.now() + self.KEPT

    @transaction.atomic
    def settle(self, status: "Import.Status", preview: dict[str, Any], **values: Any) -> bool:
        """It was gone through, with these results; False when it is ours no more."""
        if not self.is_still_ours():
            return False
        for kind in ("new", "changed", "unchanged", "wrong"):
            setattr(self, kind, preview.get("counts", {}).get(kind, 0))
        self.preview = preview
        for name, value in {"why": "", **values}.items():
            setattr(self, name, value)
        self.status, self.done, self.total = status, self.rows, self.rows
        self.expires_at = timezone.now() + self.KEPT
        if status == self.Status.DONE:
            self.finished_at, self.preview = timezone.now(), {}
            # Named until it is gone: whoever dies in between leaves it to be deleted with the rest.
            transaction.on_commit(self.delete_file, robust=True)
        self.save()
        return True

    def check_again(self, choices: dict[str, Any]) -> bool:
        """Have it looked at with other choices; False when that is too late."""
        return self._wait(choices=choices)

    def confirm(self, *, leave_wrong: bool = False) -> bool:
        """Have it done as it was looked at; False when that was decided already."""
        choices = {**self.choices, "leave_wrong": leave_wrong}
        return self._wait(choices=choices, confirmed_at=timezone.now())

    def _wait(self, **values: Any) -> bool:
        checked = type(self).objects.filter(pk=self.pk, status=self.Status.CHECKED)
        # What is little is done at once, by whoever has decided.
        until = timezone.now() + (self.CLAIM if self.is_little else timedelta(0))
        values |= {"status": self.Status.WAITING, "attempts": 0, "why": "", "claimed_until": until}
        values["expires_at"] = timezone.now() + self.KEPT
        waits = checked.update(**values)
        self.refresh_from_db()
        return bool(waits)

    def discard(self) -> bool:
        """Give it up, and its files; False when it is over already."""
        return self._give_up(*self.UNFINISHED, self.Status.CHECKED, self.Status.FAILED)

    def _give_up(self, *statuses: str) -> bool:
        mine = type(self).objects.filter(pk=self.pk, status__in=statuses)
        if not mine.update(status=self.Status.CANCELLED, finished_at=timezone.now()):
            return False
        self.refresh_from_db()
        # The files are deleted with those of the day when the storage is away.
        transaction.on_commit(self.delete_files, robust=True)
        return True

    @property
    def before_until(self) -> datetime:
        """How long what was there before is kept."""
        return (self.finished_at or self.created_at) + self.KEPT_BEFORE

    def delete_files(self) -> None:
        """What they were read from, and what is wrong in them. The counts stay."""
        self.file.delete(save=False)
        self.wrong_rows.delete(save=False)
        if self.before_until <= timezone.now():
            self.before.delete(save=False)
        self.preview, self.expires_at = {}, self.before_until
        self.save(update_fields=["file", "wrong_rows", "before", "preview", "expires_at"])

    def expire(self) -> None:
        """Delete its files, unless somebody is at it: what waits or runs is not given up."""
        if self._give_up(self.Status.CHECKED):
            return
        self.refresh_from_db()
        if not self.is_unfinished:
            self.delete_files()
