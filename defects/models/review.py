"""The review of a defect report, in the terms of nonconformance reports (ISO 9001, 8.7).

Every step is a verb. What is not allowed raises NotAllowed with the reasons, one sentence each.
"""

from typing import TYPE_CHECKING, NamedTuple

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db import models, transaction
from django.utils import timezone

from whatsapp_bot.models.staff import of_staff
from whatsapp_bot.refusals import NotAllowed
from whatsapp_bot.whatsapp_text import preview

if TYPE_CHECKING:
    from defects.models.parts import Note
    from defects.models.report import DefectReport


class Status(models.TextChoices):
    REPORTED = "reported", "reported"
    ACKNOWLEDGED = "acknowledged", "acknowledged"
    IN_REVIEW = "in_review", "in review"
    DECIDED = "decided", "decided"
    CLOSED = "closed", "closed"
    UNFOUNDED = "unfounded", "unfounded"
    DUPLICATE = "duplicate", "duplicate"


OPEN = [Status.REPORTED, Status.ACKNOWLEDGED, Status.IN_REVIEW, Status.DECIDED]
"""What somebody still has to do something about."""
UNDECIDED = OPEN[:3]
COUNTED = {"inspected", "nonconforming"}


class Transition(NamedTuple):
    """after: what a report has to be before. to: what it becomes."""

    after: list[Status]
    to: Status


TRANSITIONS = {
    "acknowledge": Transition([Status.REPORTED], Status.ACKNOWLEDGED),
    "begin_review": Transition([Status.ACKNOWLEDGED], Status.IN_REVIEW),
    "decide": Transition([Status.IN_REVIEW], Status.DECIDED),
    "close": Transition([Status.DECIDED], Status.CLOSED),
    "dismiss": Transition(UNDECIDED, Status.UNFOUNDED),
    "mark_duplicate": Transition(UNDECIDED, Status.DUPLICATE),
    "reopen": Transition(
        [Status.DECIDED, Status.CLOSED, Status.UNFOUNDED, Status.DUPLICATE], Status.IN_REVIEW
    ),
}
"""What each step of the review, by its verb, leads from and to."""


class Severity(models.TextChoices):
    MINOR = "minor", "minor"
    MAJOR = "major", "major"
    CRITICAL = "critical", "critical"


def colleagues() -> "models.QuerySet":
    """Who can be given something to do: staff who may open a report."""
    may_see = get_user_model().objects.with_perm(
        "defects.view_defectreport", backend="django.contrib.auth.backends.ModelBackend"
    )
    return may_see.filter(is_staff=True).order_by("username")


class DefectCategory(models.Model):
    """What kind of defect it is. Staff keep the list; a retired one stays with its reports."""

    name = models.CharField(max_length=80, unique=True)
    position = models.PositiveSmallIntegerField("place", default=0)
    is_active = models.BooleanField("can be chosen", default=True)

    class Meta:
        verbose_name_plural = "defect categories"
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class Reviewed(models.Model):
    """What a report knows of its review, and the steps of it."""

    Status = Status
    Severity = Severity

    status = models.CharField(max_length=15, choices=Status, default=Status.REPORTED)
    severity = models.CharField(max_length=10, choices=Severity, blank=True)
    category = models.ForeignKey(
        DefectCategory, models.PROTECT, null=True, blank=True, related_name="reports"
    )
    part = models.CharField(max_length=80, blank=True)
    lot = models.CharField(max_length=80, blank=True)
    inspected = models.PositiveIntegerField("quantity inspected", null=True, blank=True)
    nonconforming = models.PositiveIntegerField("quantity nonconforming", null=True, blank=True)
    containment = models.TextField(blank=True, help_text="What was done at once to contain it.")
    cause = models.TextField(blank=True)
    assignee = of_staff(related_name="assigned_reports", db_index=False)
    due_on = models.DateField("due", null=True, blank=True)
    duplicate_of = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="duplicates",
        db_index=False,
    )
    acknowledged_at = models.DateTimeField(null=True, blank=True, editable=False)
    decided_at = models.DateTimeField(null=True, blank=True, editable=False)
    decided_by = of_staff(editable=False, db_index=False)
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)
    updated_at = models.DateTimeField("last change", default=timezone.now, editable=False)
    urgency = models.PositiveSmallIntegerField(default=1, editable=False)

    class Meta:
        abstract = True

    def save(self, *args: object, **options: object) -> None:
        self.rank()
        self.updated_at = timezone.now()
        if fields := options.get("update_fields"):
            options["update_fields"] = {*fields, "urgency", "updated_at"}
        super().save(*args, **options)

    def rank(self) -> None:
        """Set the urgency: 0 critical and not acknowledged, 1 not acknowledged, 2 open, 3 done."""
        if self.status == Status.REPORTED:
            self.urgency = 0 if self.severity == Severity.CRITICAL else 1
        else:
            self.urgency = 2 if self.is_open else 3

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def is_decided(self) -> bool:
        return self.status in (Status.DECIDED, Status.CLOSED)

    # Steps ---------------------------------------------------------------------------------------

    # Each begins from what is stored: what is changed in memory and not saved is forgotten.

    @transaction.atomic
    def acknowledge(self, by: AbstractBaseUser | None) -> None:
        """Somebody of the team has seen it. The reporter is told."""
        to = self._begin("acknowledge")
        self.acknowledged_at = self.acknowledged_at or timezone.now()
        self._become(to, by)

    @transaction.atomic
    def begin_review(self, by: AbstractBaseUser | None) -> None:
        """Somebody looks into it; whoever does so is the assignee, unless there is one."""
        to = self._begin("begin_review")
        self.assignee = self.assignee or by
        self._become(to, by)

    @transaction.atomic
    def decide(self, by: AbstractBaseUser | None) -> None:
        """What becomes of the parts is decided, as its dispositions say. The reporter is told."""
        to = self._begin("decide")
        _refuse(self.problems_of_decision())
        self.decided_at, self.decided_by = timezone.now(), by
        self._become(to, by)

    @transaction.atomic
    def close(self, by: AbstractBaseUser | None) -> None:
        """All is done and verified. The reporter is told."""
        to = self._begin("close")
        _refuse(self.problems_of_closing())
        self.closed_at = timezone.now()
        self._become(to, by)

    @transaction.atomic
    def dismiss(self, by: AbstractBaseUser | None, reason: str) -> None:
        """There is no defect: it is unfounded."""
        to = self._begin("dismiss")
        _want(reason, "Why is it unfounded?")
        self._become(to, by, reason)

    @transaction.atomic
    def mark_duplicate(self, by: AbstractBaseUser | None, of: "DefectReport | None") -> None:
        """It is known from another report, whose news its reporter now hears as well."""
        to = self._begin("mark_duplicate")
        if of is None:
            raise NotAllowed("Which report is it a duplicate of?")
        kept = self._kept_for(of)
        if kept.pk == self.pk:
            raise NotAllowed("A report cannot be a duplicate of itself.")
        self.duplicate_of = kept
        self._become(to, by)
        for other in self.duplicates.all():
            other.duplicate_of = kept
            other._keep(by)

    @transaction.atomic
    def reopen(self, by: AbstractBaseUser | None, reason: str) -> None:
        """It is not over after all: back to the review."""
        to = self._begin("reopen")
        _want(reason, "Why is it opened again?")
        self.duplicate_of = self.decided_at = self.decided_by = self.closed_at = None
        self._become(to, by, reason)

    @transaction.atomic
    def assign(self, by: AbstractBaseUser | None, to: AbstractBaseUser | None) -> None:
        """Somebody is to see to it; None: nobody."""
        self._take_open()
        self.assignee = to
        self._keep(by)

    @transaction.atomic
    def categorise(self, by: AbstractBaseUser | None, category: DefectCategory) -> None:
        self._take_open()
        self.category = category
        self._keep(by)

    @transaction.atomic
    def amend(self, by: AbstractBaseUser | None, **values: object) -> None:
        """Note what was found out about it: its severity, quantities, cause and so on."""
        self._take_open()
        if all(getattr(self, name) == value for name, value in values.items()):
            return  # Else it would come again to whoever asks for what has changed.
        recounted = values.get("nonconforming", self.nonconforming) != self.nonconforming
        if recounted and self.is_decided:
            raise NotAllowed("It is decided: open it again to change how many are nonconforming.")
        for name, value in values.items():
            setattr(self, name, value)
        if values.keys() & COUNTED:
            _refuse(problems_of_counting(self.inspected, self.nonconforming))
        self._keep(by)

    def note(self, by: AbstractBaseUser | None, text: str) -> "Note":
        """Keep a note for colleagues, which the reporter never sees."""
        _want(text, "What is the note?")
        return self.notes.create(text=text.strip(), author=by)

    # What stands against a step ------------------------------------------------------------------

    def problems_of_decision(self) -> list[str]:
        """Why it cannot be decided, one sentence each."""
        dispositions = list(self.dispositions.all())
        if not dispositions:
            return ["It needs a disposition: what becomes of the parts?"]
        if self.nonconforming is None:
            return ["How many parts are nonconforming?"]
        problems = problems_of_counting(self.inspected, self.nonconforming)
        problems += [problem for one in dispositions if (problem := one.problem())]
        total = sum(one.quantity for one in dispositions)
        if total != self.nonconforming:
            problems.append(
                f"The dispositions are for {total} parts, but {self.nonconforming} are "
                "nonconforming: the numbers have to be the same."
            )
        return problems

    def problems_of_closing(self) -> list[str]:
        """Why it cannot be closed, one sentence each."""
        missing = [
            *([] if self.severity else ["It needs a severity."]),
            *([] if self.category else ["It needs a category."]),
        ]
        unverified = self.actions.filter(verified_at=None)
        return [
            *missing,
            *self.problems_of_decision(),
            *(f"The action “{preview(one.what, 40)}” is not verified yet." for one in unverified),
        ]

    @property
    def reporters(self) -> list[models.Model]:
        """Who reported it, here or in a report that was a duplicate of this one."""
        others = self.duplicates.select_related("reported_by")
        people = [self.reported_by, *(one.reported_by for one in others)]
        return list(dict.fromkeys(people))

    def touch(self) -> None:
        """What belongs to it has changed."""
        type(self)._base_manager.filter(pk=self.pk).update(updated_at=timezone.now())

    # ---------------------------------------------------------------------------------------------

    def _lock(self) -> None:
        rows = type(self)._base_manager.select_for_update(no_key=True)
        self.refresh_from_db(from_queryset=rows)

    def _kept_for(self, of: "DefectReport") -> "DefectReport":
        """The report that is kept when this one is a duplicate of `of`: that, or what that one is a
        duplicate of. It is ours until the transaction ends, so that it does not become one itself.
        """
        # Nobody is waited for: somebody may have that one, and want this.
        free = type(self)._base_manager.select_for_update(no_key=True, skip_locked=True)
        kept = free.filter(pk=of.pk).first()
        if kept and kept.duplicate_of_id:
            kept = free.filter(pk=kept.duplicate_of_id).first()
        if not kept:
            raise NotAllowed("Somebody is changing that report just now. Please try again.")
        return kept

    def _begin(self, verb: str) -> Status:
        """Have the row for this transaction; what it becomes, if its status lets it."""
        after, to = TRANSITIONS[verb]
        self._lock()
        if self.status == to:
            raise NotAllowed(f"It is {to.label} already.")
        if self.status not in after:
            before = " or ".join(status.label for status in after)
            now = Status(self.status).label
            raise NotAllowed(
                f"It is {now}, so it cannot become {to.label}: it has to be {before} first."
            )
        return to

    def _become(self, to: Status, by: AbstractBaseUser | None, reason: str = "") -> None:
        """Take on the status, and tell whoever is to be told of it."""
        self.status = to
        if reason:
            self.note(by, reason)
        self._keep(by)
        for report in [self, *self.duplicates.all()]:
            report.tell_news(by, of=self)

    def _take_open(self) -> None:
        self._lock()
        if not self.is_open:
            now = Status(self.status).label
            raise NotAllowed(f"It is {now}: open it again to change it.")

    def _keep(self, by: AbstractBaseUser | None) -> None:
        self._history_user = by
        self.save()


def problems_of_counting(inspected: int | None, nonconforming: int | None) -> list[str]:
    """What cannot be true of these quantities, one sentence each."""
    if inspected is None or nonconforming is None or nonconforming <= inspected:
        return []
    return [f"{nonconforming} cannot be nonconforming when only {inspected} were inspected."]


def _want(text: str, question: str) -> None:
    if not text.strip():
        raise NotAllowed(question)


def _refuse(problems: list[str]) -> None:
    if problems:
        raise NotAllowed(*problems)
