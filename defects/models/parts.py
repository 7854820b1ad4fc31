"""What belongs to a report: dispositions, corrective actions, and notes."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from defects.models.audit import AuditedRecords
from defects.models.review import UNDECIDED, Status
from whatsapp_bot.models.staff import of_staff
from whatsapp_bot.refusals import NotAllowed
from whatsapp_bot.whatsapp_text import preview

if TYPE_CHECKING:
    from defects.models.report import DefectReport

OWN_VERIFIER = "Who has verified it cannot be its owner."


class Part(models.Model):
    """What belongs to a report, and is shown with it: the report changes when it does."""

    report: "models.ForeignKey[DefectReport]"

    class Meta:
        abstract = True

    def save(self, *args: object, **options: object) -> None:
        super().save(*args, **options)
        self.report.touch()

    def delete(self, *args: object, **options: object) -> tuple[int, dict[str, int]]:
        gone = super().delete(*args, **options)
        self.report.touch()
        return gone


def _hold(report: "DefectReport") -> "DefectReport":
    """The report as it is stored; it stays so until the end of the transaction."""
    return type(report)._base_manager.select_for_update(no_key=True).get(pk=report.pk)


class Disposition(Part):
    """What is done with so many of the parts."""

    class Kind(models.TextChoices):
        USE_AS_IS = "use_as_is", "use as is"
        REWORK = "rework", "rework"
        REPAIR = "repair", "repair"
        SCRAP = "scrap", "scrap"
        RETURN = "return", "return to supplier"

    report = models.ForeignKey("DefectReport", models.CASCADE, related_name="dispositions")
    kind = models.CharField("disposition", max_length=10, choices=Kind)
    quantity = models.PositiveIntegerField()
    reason = models.CharField(
        max_length=300, blank=True, help_text="To use parts as they are wants a reason."
    )

    history = AuditedRecords()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["report", "kind"],
                name="disposition_once_a_report",
                violation_error_message="This disposition is there already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.quantity}"

    @transaction.atomic
    def save(self, *args: object, **options: object) -> None:
        self._check_undecided()
        super().save(*args, **options)

    @transaction.atomic
    def delete(self, *args: object, **options: object) -> tuple[int, dict[str, int]]:
        self._check_undecided()
        return super().delete(*args, **options)

    def problem(self) -> str:
        """What is wrong with it, in a sentence; "" when nothing is."""
        if self.quantity < 1:
            return f"How many parts are for {self.get_kind_display()}?"
        if self.kind == self.Kind.USE_AS_IS and not self.reason.strip():
            return "To use parts as they are wants a reason."
        return ""

    def _check_undecided(self) -> None:
        status = Status(_hold(self.report).status)
        if status not in UNDECIDED:
            raise NotAllowed(f"It is {status.label}: open it again to change the dispositions.")


class CorrectiveAction(Part):
    """What is done so that it does not happen again, and is verified by somebody else."""

    report = models.ForeignKey("DefectReport", models.CASCADE, related_name="actions")
    what = models.CharField(max_length=300)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="corrective_actions"
    )
    due_on = models.DateField("due", null=True, blank=True)
    done_at = models.DateTimeField("done", null=True, blank=True, editable=False)
    done_by = of_staff(models.PROTECT, editable=False)
    verified_at = models.DateTimeField("verified", null=True, blank=True, editable=False)
    verified_by = of_staff(models.PROTECT, editable=False)

    history = AuditedRecords()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return preview(self.what)

    @transaction.atomic
    def save(self, *args: object, **options: object) -> None:
        self._check_not_closed()
        if self.is_verified_by_its_own:
            raise NotAllowed(OWN_VERIFIER)
        super().save(*args, **options)

    @transaction.atomic
    def delete(self, *args: object, **options: object) -> tuple[int, dict[str, int]]:
        self._begin()
        if self.done_at:
            raise NotAllowed("It is done, so it stays. Take it back first.")
        return super().delete(*args, **options)

    def clean(self) -> None:
        if self.is_verified_by_its_own:
            raise ValidationError({"owner": OWN_VERIFIER})

    @property
    def state(self) -> str:
        """open, overdue, done or verified."""
        if self.verified_at:
            return "verified"
        if self.done_at:
            return "done"
        late = self.due_on and self.due_on < timezone.localdate()
        return "overdue" if late else "open"

    def may_be_verified_by(self, somebody: AbstractBaseUser) -> bool:
        """Is it somebody else who would verify it than who owns it or has done it?"""
        return somebody.pk not in (self.done_by_id, self.owner_id)

    @property
    def is_verified_by_its_own(self) -> bool:
        """Has it been verified by who may not?"""
        return self.verified_by is not None and not self.may_be_verified_by(self.verified_by)

    @transaction.atomic
    def finish(self, by: AbstractBaseUser) -> None:
        """It has been done."""
        self._begin()
        if self.done_at:
            raise NotAllowed("It is done already.")
        self.done_at, self.done_by = timezone.now(), by
        self._keep(by)

    @transaction.atomic
    def verify(self, by: AbstractBaseUser) -> None:
        """Somebody else has seen that it was done, and works."""
        self._begin()
        if not self.done_at:
            raise NotAllowed("It has to be done before it can be verified.")
        if self.verified_at:
            raise NotAllowed("It is verified already.")
        if not self.may_be_verified_by(by):
            raise NotAllowed("Somebody else has to verify it than who owns it or has done it.")
        self.verified_at, self.verified_by = timezone.now(), by
        self._keep(by)

    @transaction.atomic
    def take_back(self, by: AbstractBaseUser | None = None) -> None:
        """It is not done after all."""
        self._begin()
        self.done_at = self.done_by = self.verified_at = self.verified_by = None
        self._keep(by)

    def _begin(self) -> None:
        """As with a report: from what is stored, which is nobody else's meanwhile."""
        self._check_not_closed()
        self.refresh_from_db()

    def _keep(self, by: AbstractBaseUser | None) -> None:
        self._history_user = by
        self.save()

    def _check_not_closed(self) -> None:
        if _hold(self.report).status == Status.CLOSED:
            raise NotAllowed("The report is closed: open it again to change its actions.")


class Note(models.Model):
    """What colleagues write about a report, for each other."""

    report = models.ForeignKey("DefectReport", models.CASCADE, related_name="notes")
    text = models.TextField()
    author = of_staff()
    created_at = models.DateTimeField("at", default=timezone.now, editable=False)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return preview(self.text)
