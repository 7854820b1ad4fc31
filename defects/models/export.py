"""Exports: who took which reports out of here, and the files while they are being fetched."""

import secrets
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

LONGEST_QUERY = 4000


class ExportQuerySet(models.QuerySet["Export"]):
    def unfinished(self) -> "ExportQuerySet":
        return self.filter(status__in=[Export.Status.WAITING, Export.Status.RUNNING])

    def due(self, now: datetime) -> "ExportQuerySet":
        """What nobody has in hand, or whoever had it in hand has died; the oldest first."""
        return self.unfinished().filter(claimed_until__lte=now).order_by("pk")

    @transaction.atomic
    def claim(self) -> "Export | None":
        """Take the next one in hand, which nobody else takes until the claim runs out."""
        for export in self.due(timezone.now()).select_for_update(skip_locked=True)[:10]:
            if export.take_in_hand():
                return export
        return None

    def expired(self, now: datetime) -> "ExportQuerySet":
        """Those whose files are to be deleted."""
        return self.filter(expires_at__lte=now).exclude(file="")


class Export(models.Model):
    """One export, from the press of the button on. The rows stay, as the log of who took what.

    by: nobody when it was made by `manage.py export_defects`. query: the list's filters, search and
    order, as in its address. done, total: rows. cut: cells that were too long for a spreadsheet.
    file: from the first try on the place where it belongs; it is there once it is done.
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

    CLAIM = timedelta(seconds=30)
    KEPT = timedelta(days=1)
    TRIES = 3

    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="exports",
    )
    query = models.CharField("filters", max_length=LONGEST_QUERY, blank=True)
    format = models.CharField(max_length=4, choices=Format, default=Format.CSV)
    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING)
    why = models.CharField(max_length=200, blank=True)
    done = models.PositiveIntegerField("reports so far", default=0)
    total = models.PositiveIntegerField("reports", default=0)
    cut = models.PositiveIntegerField("cells cut", default=0)
    file = models.FileField(blank=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    claimed_until = models.DateTimeField(default=timezone.now, editable=False)
    created_at = models.DateTimeField("asked for", default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True, editable=False)
    expires_at = models.DateTimeField("kept until", null=True, blank=True, editable=False)

    objects = ExportQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(
                fields=["claimed_until", "id"],
                name="export_unfinished",
                condition=models.Q(status__in=["waiting", "running"]),
            ),
            models.Index(
                fields=["expires_at"], name="export_to_delete", condition=~models.Q(file="")
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """What its file is called when it is saved."""
        return f"defects-{timezone.localtime(self.created_at):%Y-%m-%d}.{self.format}"

    @property
    def filters(self) -> str:
        """The list's filters, search and order, for people; "" for the whole list."""
        named = parse_qsl(self.query, keep_blank_values=True)
        return ", ".join(f"{_in_words(name)}: {value}" for name, value in named)

    @property
    def is_unfinished(self) -> bool:
        return self.status in (self.Status.WAITING, self.Status.RUNNING)

    @property
    def can_be_downloaded(self) -> bool:
        return self.status == self.Status.DONE and bool(self.file)

    def new_place(self) -> str:
        """A place in the storage that nobody can guess."""
        return f"exports/{secrets.token_hex(16)}"

    # In hand -------------------------------------------------------------------------------------

    def take_in_hand(self) -> bool:
        """Begin, or begin anew; False when everybody who had it in hand so far has died of it."""
        if self.attempts >= self.TRIES:
            self.finish(self.Status.FAILED, "Making it broke down.")
            return False
        if self.file:  # Whoever died may have left something there.
            self.file.delete(save=False)
        self.attempts += 1
        self.status = self.Status.RUNNING
        self.done = self.total = 0
        self.file = self.new_place()
        self.claimed_until = timezone.now() + self.CLAIM
        self.expires_at = timezone.now() + self.KEPT
        self.save()
        return True

    def hold(self, **values: int) -> bool:
        """Keep it in hand, and note how far it is; False when it is ours no more."""
        ours = type(self).objects.filter(
            pk=self.pk, status=self.Status.RUNNING, attempts=self.attempts
        )
        return bool(ours.update(claimed_until=timezone.now() + self.CLAIM, **values))

    def let_go(self) -> None:
        """Have somebody else begin it anew, at once."""
        ours = type(self).objects.filter(
            pk=self.pk, status=self.Status.RUNNING, attempts=self.attempts
        )
        ours.update(claimed_until=timezone.now())

    @transaction.atomic
    def settle(self, rows: int, cut: int) -> bool:
        """It is done, and its file is in its place; False when it is ours no more."""
        locked = type(self).objects.select_for_update().get(pk=self.pk)
        if locked.status != self.Status.RUNNING or locked.attempts != self.attempts:
            return False
        self.done, self.total, self.cut = rows, rows, cut
        self.expires_at = timezone.now() + self.KEPT
        self.finish(self.Status.DONE)
        return True

    def finish(self, status: "Export.Status", why: str = "") -> None:
        self.status, self.why, self.finished_at = status, why[:200], timezone.now()
        self.save()

    def cancel(self) -> bool:
        """Make it no more; False when it was finished already."""
        unfinished = type(self).objects.unfinished().filter(pk=self.pk)
        now = timezone.now()
        return bool(unfinished.update(status=self.Status.CANCELLED, finished_at=now))

    def delete_file(self) -> None:
        self.file.delete(save=False)
        self.save(update_fields=["file"])


def _in_words(parameter: str) -> str:
    known = {"q": "search", "o": "order"}
    return known.get(parameter) or parameter.removesuffix("__exact").replace("__", " ")
