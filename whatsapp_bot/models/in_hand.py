"""Work that takes long, and that a worker may die of: a row of it is the truth.

One worker at a time has it in hand, and keeps its claim as long as it lives. When the claim runs
out, another one begins anew. What broke off, as it does while the storage is away, waits a while
before it is begun anew, longer each time.
"""

import secrets
from datetime import datetime, timedelta
from typing import Self, TypeVar

from django.db import models, transaction
from django.utils import timezone

W = TypeVar("W", bound="InHand")


class InHandQuerySet(models.QuerySet[W]):
    def unfinished(self) -> Self:
        return self.filter(status__in=InHand.UNFINISHED)

    def due(self, now: datetime) -> Self:
        """What nobody has in hand, or whoever had it in hand has died; the oldest first."""
        return self.unfinished().filter(claimed_until__lte=now).order_by("pk")

    @transaction.atomic
    def claim(self) -> W | None:
        """Take the next one in hand, which nobody else takes until the claim runs out."""
        for one in self.due(timezone.now()).select_for_update(skip_locked=True)[:10]:
            if one.take_in_hand():
                return one
        return None

    def expire(self) -> None:
        """Delete files that were kept for long enough. The rows stay."""
        over = self.filter(expires_at__lte=timezone.now())
        for one in over.exclude(self.model.HAS_NO_FILES):
            one.expire()


class InHand(models.Model):
    """done, total: rows. why: it failed. file: what is kept with it until `expires_at`."""

    WAITING, RUNNING, FAILED, CANCELLED = "waiting", "running", "failed", "cancelled"
    UNFINISHED = (WAITING, RUNNING)
    BROKE_DOWN = "Making it broke down."
    HAS_NO_FILES = models.Q(file="")
    """Whoever keeps others as well says so here, and in the index for `expire()`."""
    CLAIM = timedelta(seconds=30)
    WAITS = tuple(timedelta(minutes=wait) for wait in (1, 5, 20, 60))
    """After the first try that broke off, the second, and so on: together more than an hour."""
    TRIES = len(WAITS) + 1

    status: "models.CharField[str, str]"
    why = models.CharField(max_length=200, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    file = models.FileField(blank=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    claimed_until = models.DateTimeField(default=timezone.now, editable=False)
    created_at = models.DateTimeField("asked for", default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True, editable=False)
    expires_at = models.DateTimeField("kept until", null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    @property
    def is_unfinished(self) -> bool:
        return self.status in self.UNFINISHED

    @staticmethod
    def new_place(folder: str) -> str:
        """A place in the storage that nobody can guess."""
        return f"{folder}/{secrets.token_hex(16)}"

    def begin(self) -> None:
        """Put away what somebody who died may have left."""

    def take_in_hand(self) -> bool:
        """Begin, or begin anew; False when everybody who had it in hand so far has died of it."""
        if self.attempts >= self.TRIES:
            self.finish(self.FAILED, self.BROKE_DOWN)
            return False
        self.begin()
        self.attempts += 1
        self.status = self.RUNNING
        self.done = self.total = 0
        self.claimed_until = timezone.now() + self.CLAIM
        self.save()
        return True

    def hold(self, **values: int) -> bool:
        """Keep it in hand, and note how far it is; False when it is ours no more."""
        return bool(self._ours().update(claimed_until=timezone.now() + self.CLAIM, **values))

    def let_go(self) -> None:
        """Have somebody else begin it anew, at once."""
        self._ours().update(claimed_until=timezone.now())

    def put_off(self) -> None:
        """It broke off: have somebody begin it anew after a while, or give it up at once."""
        wait = (*self.WAITS, timedelta())[self.attempts - 1]
        self._ours().update(status=self.WAITING, claimed_until=timezone.now() + wait)

    def why_it_waits(self) -> str:
        """In a sentence for staff."""
        if self.attempts and self.claimed_until > timezone.now():
            at = timezone.localtime(self.claimed_until)
            return f"It broke off, and is tried again by itself at {at:%H:%M}."
        return "It waits for its turn."

    def _ours(self) -> "models.QuerySet[Self]":
        rows = type(self)._default_manager
        return rows.filter(pk=self.pk, status=self.RUNNING, attempts=self.attempts)

    def is_still_ours(self) -> bool:
        """Asked within a transaction: then it stays so until that ends."""
        locked = type(self)._default_manager.select_for_update().get(pk=self.pk)
        return locked.status == self.RUNNING and locked.attempts == self.attempts

    def finish(self, status: str, why: str = "") -> None:
        self.status, self.why, self.finished_at = status, why[:200], timezone.now()
        self.save()

    def cancel(self) -> bool:
        """Make it no more; False when it was finished already."""
        unfinished = type(self)._default_manager.filter(pk=self.pk, status__in=self.UNFINISHED)
        return bool(unfinished.update(status=self.CANCELLED, finished_at=timezone.now()))

    def expire(self) -> None:
        """Delete what was kept long enough of it."""
        self.delete_file()

    def delete_file(self) -> None:
        self.file.delete(save=False)
        self.save(update_fields=["file"])
