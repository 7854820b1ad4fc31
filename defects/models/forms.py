from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from whatsapp_bot.fingerprint import fingerprint
from whatsapp_bot.models import Conversation
from whatsapp_bot.models.staff import of_staff
from whatsapp_bot.recent import Recent
from whatsapp_bot.whatsapp_text import alike, digits_to_number, preview
from whatsapp_bot.wording import half_filled, placeholders_in

MOST_CHOICES = 100
LONGEST_CHOICE = 60


class ReportForm(models.Model):
    """The questions that make a report.

    Its `questions` and `thanks` are the draft that staff work on. What people are asked, and read
    when it is done, is `live`, a version that was published; none: nobody is asked.
    """

    key = models.SlugField(unique=True, help_text="What menu items call it by.")
    title = models.CharField(
        max_length=80, help_text="For staff, and on menus that it is put on from now on."
    )
    thanks = models.CharField(
        max_length=500,
        blank=True,
        help_text="What people read when they have submitted it; {number} is its number. "
        "Empty: “✅ Defect Submitted! ID: {number}”.",
    )
    live = models.ForeignKey(
        "FormVersion", models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.title

    @property
    def address(self) -> str:
        return f"report:{self.key}"

    @property
    def draft_address(self) -> str:
        return f"draft:{self.key}"

    @property
    def draft_differs(self) -> bool:
        """Would publishing change anything?"""
        if self.live is None:
            return True
        return (self.live.questions, self.live.thanks) != (self.draft(), self.thanks)

    @property
    def draft_is_kept(self) -> bool:
        """Is it a published version as well, so that nothing is lost when it is replaced?"""
        draft = self.draft()
        return any(
            version.questions == draft for version in self.versions.filter(thanks=self.thanks)
        )

    @property
    def draft_mark(self) -> str:
        """A short string that differs when anything of the draft does."""
        return fingerprint(self.draft(), self.thanks)

    def clean(self) -> None:
        if placeholders_in(self.thanks) - {"number"}:
            raise ValidationError({"thanks": "Only {number} can be filled in here."})
        if wrong := half_filled(self.thanks, {"number"}):
            raise ValidationError({"thanks": wrong})

    def draft(self) -> "list[dict[str, Any]]":
        """The draft's questions in order, as a version stores them."""
        return [question.as_stored() for question in self.questions.all()]

    def people_in_the_middle(self) -> int:
        """How many people are answering it at this time."""
        return Conversation.objects.active().filter(flow=self.address).count()

    @transaction.atomic
    def publish(self, user: AbstractBaseUser | None = None) -> "FormVersion":
        """Ask everybody what the draft asks now; people in the middle go on with it.

        Raises ValidationError when it asks nothing.
        """
        self._hold()
        if not self.questions.exists():
            raise ValidationError("A form needs at least one question before it is published.")
        if self.draft_differs:
            last = self.versions.aggregate(last=models.Max("number"))["last"] or 0
            self.live = self.versions.create(
                number=last + 1, questions=self.draft(), thanks=self.thanks, published_by=user
            )
            self.save(update_fields=["live"])
        return self.live

    @transaction.atomic
    def go_back_to(self, version: "FormVersion", user: AbstractBaseUser | None = None) -> None:
        """Make an earlier version the draft, and publish it as a new one."""
        self._hold()
        self.questions.all().delete()
        Question.objects.bulk_create(version.rows(form=self))
        self.thanks = version.thanks
        self.save(update_fields=["thanks"])
        self.publish(user)

    def _hold(self) -> None:
        """Nobody else publishes it until the transaction ends."""
        held = type(self).objects.select_for_update(no_key=True)
        self.refresh_from_db(fields=["live"], from_queryset=held)

    def withdraw(self) -> None:
        """Ask nobody any more."""
        self.live = None
        self.save(update_fields=["live"])


class FormVersion(models.Model):
    """What a report form asked from the day it was published. Never changed."""

    form = models.ForeignKey(ReportForm, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    questions = models.JSONField(default=list)
    thanks = models.CharField(max_length=500, blank=True, default="", db_default="")
    published_at = models.DateTimeField(default=timezone.now)
    published_by = of_staff()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["form", "number"], name="form_version_number_once")
        ]

    def __str__(self) -> str:
        return f"{self.form}, version {self.number}"

    def rows(self, **values: Any) -> "list[Question]":
        """Its questions, not saved."""
        return [Question(**stored, **values) for stored in self.questions]


class Question(models.Model):
    """A question of a form's draft.

    only_when, equals: ask it only when the earlier question of this name has this answer.
    """

    class Kind(models.TextChoices):
        TEXT = "text", "text"
        NUMBER = "number", "number"
        CHOICE = "choice", "choice"
        YES_NO = "yes_no", "yes or no"
        DATE = "date", "date"
        PHOTO = "photo", "photo"
        ORDER = "order", "order"

    TOLD_BY_ANSWER = (Kind.CHOICE, Kind.ORDER, Kind.NUMBER)
    """Of these the raw answer alone tells people what it was about."""
    STORED = (
        "position",
        "name",
        "kind",
        "text",
        "help_text",
        "required",
        "choices",
        "example",
        "only_when",
        "equals",
    )

    form = models.ForeignKey(ReportForm, models.CASCADE, related_name="questions")
    position = models.PositiveSmallIntegerField("place", default=0)
    text = models.CharField(
        "question", max_length=300, help_text="As the bot asks it, for example: How many parts?"
    )
    name = models.SlugField(
        help_text="What the answer is stored under. It stays when the question is reworded."
    )
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.TEXT)
    required = models.BooleanField(default=True)
    choices = models.TextField(
        blank=True, help_text="For a choice: one on each line, as they are shown."
    )
    help_text = models.CharField(max_length=300, blank=True, help_text="Stands below the question.")
    example = models.CharField(
        max_length=100, blank=True, help_text="Shown after three wrong answers."
    )
    only_when = models.SlugField(
        blank=True,
        help_text="Ask only when an earlier choice, or yes or no, was answered so: its name here,",
    )
    equals = models.CharField(
        "is answered", max_length=60, blank=True, help_text="and the answer here."
    )

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["form", "name"], name="question_name_once_per_form")
        ]

    def __str__(self) -> str:
        return self.text

    def as_stored(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.STORED}

    def choice_keys(self) -> list[str]:
        """What can be chosen: each choice is its own key, so that no other one takes its place."""
        if self.kind == self.Kind.YES_NO:
            return ["yes", "no"]
        if self.kind != self.Kind.CHOICE:
            return []
        return list(
            dict.fromkeys(line.strip() for line in self.choices.splitlines() if line.strip())
        )

    def key_of(self, answer: str) -> str | None:
        """The choice that staff mean by `answer`, however they write its case."""
        meant = answer.strip().casefold()
        return next((key for key in self.choice_keys() if key.casefold() == meant), None)

    def is_due(self, questions: "Iterable[Question]", answers: Mapping[str, str]) -> bool:
        """Is it to be asked, after these raw answers to the form's `questions`?"""
        if not self.only_when:
            return True
        condition = next((one for one in questions if one.name == self.only_when), None)
        if not condition or not condition.is_due(questions, answers):
            return False
        return answers.get(self.only_when) == condition.key_of(self.equals)

    def problem(self, earlier: "list[Question]") -> tuple[str, str] | None:
        """Why it cannot be asked after the `earlier` questions: the field, and a sentence."""
        if self.name in [question.name for question in earlier]:
            return "name", f"There is another question with the name {self.name}."
        if self.kind == self.Kind.CHOICE and (problem := self._problem_of_choices()):
            return "choices", problem
        return self._problem_of_condition(earlier)

    def _problem_of_choices(self) -> str:
        lines = self.choice_keys()
        if len(lines) < 2:
            return "A choice needs at least two lines to choose from."
        if len(lines) > MOST_CHOICES:
            return f"Nobody reads more than {MOST_CHOICES} lines on a phone: it has {len(lines)}."
        if long := next((line for line in lines if len(line) > LONGEST_CHOICE), ""):
            return f"“{preview(long)}” has more than {LONGEST_CHOICE} characters."
        if twice := alike(lines):
            return f"“{twice[0]}” is there twice: nobody could tell the two apart."
        if number := self._misleading_choice():
            return (
                f"“{number}” would be taken for the number of another line. Please say what it is "
                f"of, as in “{number} parts”."
            )
        return ""

    def _misleading_choice(self) -> str:
        """A line that is the number of another one, by which people choose; "" for none."""
        lines = self.choice_keys()
        for place, line in enumerate(lines, 1):
            number = digits_to_number(line)
            if number is not None and number != place and 1 <= number <= len(lines):
                return line
        return ""

    def _problem_of_condition(self, earlier: "list[Question]") -> tuple[str, str] | None:
        if not self.only_when and not self.equals:
            return None
        if not (self.only_when and self.equals):
            return "equals", "A condition needs both: the name of a question and the answer to it."
        if self.only_when == self.name:
            return "only_when", "A question cannot depend on its own answer."
        condition = next((one for one in earlier if one.name == self.only_when), None)
        if not condition:
            return "only_when", f"No question before this one has the name {self.only_when}."
        if not condition.choice_keys():
            return (
                "only_when",
                f"{self.only_when} has no fixed answers: it is no choice or yes or no.",
            )
        if condition.key_of(self.equals) is None:
            answers = ", ".join(condition.choice_keys())
            return (
                "equals",
                f"{self.equals} is no answer to {self.only_when}. Its answers: {answers}.",
            )
        return None


def problems_in(questions: "list[Question]") -> dict[int, tuple[str, str]]:
    """What is wrong with a form's questions, by their places: the field, and a sentence."""
    found = {place: one.problem(questions[:place]) for place, one in enumerate(questions)}
    return {place: problem for place, problem in found.items() if problem}


@Recent
def report_forms() -> dict[str, tuple[ReportForm, list[Question]]]:
    """All published forms with the questions of their live version, by key."""
    published = ReportForm.objects.exclude(live=None).select_related("live")
    return {form.key: (form, form.live.rows()) for form in published}
