"""Exports: who took which reports out of here, and the files while they are being fetched."""

from datetime import timedelta
from functools import partial

from django.core.files.storage import default_storage
from django.db import models, transaction
from django.utils import timezone

from whatsapp_bot.models.in_hand import InHand, InHandQuerySet
from whatsapp_bot.models.staff import of_staff

LONGEST_QUERY = 4000


class Export(InHand):
    """One export, from the press of the button on. The rows stay, as the log of who took what.

    by: nobody when it was made by `manage.py export_defects`. query: the list's filters, search and
    order, as in its address. filters: the same in the words of the list at that time, "" for all.
    done, total: rows. cut: cells that were too long for a spreadsheet. file: from the first try on
    the place where it belongs; it is there once it is done.
    """

    class Format(models.TextChoices):
        CSV = "csv", "CSV"
        XLSX = "xlsx", "Excel"

    class Status(models.TextChoices):
        WAITING = "waiting", "waiting"
        RUNNING = "running", "being made"
        DONE = "done", "done"
        FAILED = "failed", "failed"
        CANCELLED = "cancelled", "cancelled"

    KEPT = timedelta(days=1)

    by = of_staff(models.PROTECT, related_name="exports")
    query = models.CharField(max_length=LONGEST_QUERY, blank=True)
    filters = models.TextField(blank=True, default="", db_default="")
    format = models.CharField(max_length=4, choices=Format, default=Format.CSV)
    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING)
    done = models.PositiveIntegerField("reports so far", default=0)
    total = models.PositiveIntegerField("reports", default=0)
    cut = models.PositiveIntegerField("cells cut", default=0)

    objects = InHandQuerySet["Export"].as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(
                fields=["claimed_until", "id"],
                name="export_unfinished",
                condition=models.Q(status__in=["waiting", "running"]),
            ),
            models.Index(
                fields=["expires_at"], name="export_to_delete", condition=~InHand.HAS_NO_FILES
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """What its file is called when it is saved."""
        return f"defects-{timezone.localtime(self.created_at):%Y-%m-%d}.{self.format}"

    @property
    def can_be_downloaded(self) -> bool:
        return self.status == self.Status.DONE and bool(self.file)

    def begin(self) -> None:
        if place := self.file.name:
            # It need not hold up the next try when the storage is away.
            transaction.on_commit(partial(default_storage.delete, place), robust=True)
        self.file = self.new_place("exports")
        self.expires_at = timezone.now() + self.KEPT

    @transaction.atomic
    def settle(self, rows: int, cut: int) -> bool:
        """It is done, and its file is in its place; False when it is ours no more."""
        if not self.is_still_ours():
            return False
        self.done, self.total, self.cut = rows, rows, cut
        self.expires_at = timezone.now() + self.KEPT
        self.finish(self.Status.DONE)
        return True
