"""Message templates: what may be sent when a person has not written for 24 hours."""

import re
from typing import TYPE_CHECKING

import structlog
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from whatsapp_bot import tasks
from whatsapp_bot.models.contact import LANGUAGE
from whatsapp_bot.twilio import codes
from whatsapp_bot.whatsapp_text import length
from whatsapp_bot.wording import Text, placeholders_in

if TYPE_CHECKING:
    from whatsapp_bot.models import Contact, Message
    from whatsapp_bot.twilio.rest import Content

log = structlog.get_logger("whatsapp_bot")

_CONTENT_SID = re.compile(r"HX[0-9a-fA-F]{32}")
_BLANK = re.compile(r"\{\{\s*(\w+)\s*}}")
LONGEST = 1024
"""What WhatsApp takes with all blanks filled in (error 63021)."""
NO_LANGUAGE = "This is no code of a language, such as en or en_ZA."


class MessageTemplateQuerySet(models.QuerySet["MessageTemplate"]):
    def usable(self, notice: str, language: str) -> "MessageTemplate | None":
        """The approved template for this notice, in this language or a wider one (en for en-za)."""
        approved = self.filter(notice=notice, approval=MessageTemplate.Approval.APPROVED)
        by_language = {one.language.lower().replace("_", "-"): one for one in approved}
        language = language.lower().replace("_", "-")
        return by_language.get(language) or by_language.get(language.partition("-")[0])

    def learn_approvals(self) -> None:
        """Ask Twilio how each stands, and have go what waits for those that it says are approved.

        What it does not say stays as it was. For the worker.
        """
        from whatsapp_bot.twilio.rest import Unreachable

        for template in self.all():
            try:
                template.learn_approval()
                template.refresh_from_db()
                template.release_what_waits()
            except Unreachable as error:
                log.warning("approval not known", template=template.pk, why=str(error))
                if not error.is_of_this:
                    return  # The others would wait as long, and files meanwhile.
            except MessageTemplate.DoesNotExist:
                continue  # Staff have just deleted it.


class MessageTemplate(models.Model):
    """Meta-approved content for a notice, as it is kept at Twilio.

    variables: for each of its blanks what of the notice goes in, as {"1": "number"}.
    """

    class Approval(models.TextChoices):
        UNSUBMITTED = "unsubmitted", "not submitted"
        PENDING = "pending", "being looked at by Meta"
        APPROVED = "approved", "approved"
        REJECTED = "rejected", "rejected"
        PAUSED = "paused", "paused by Meta"

    notice = models.CharField(max_length=80)
    language = models.CharField(max_length=10, default="en")
    content_sid = models.CharField(
        "content SID", max_length=34, help_text="HX and 32 hexadecimal digits, as Twilio shows it."
    )
    body = models.TextField(
        "wording", help_text="As approved, with its blanks: Your report {{1}} is closed."
    )
    variables = models.JSONField(default=dict, blank=True)
    approval = models.CharField(max_length=12, choices=Approval, default=Approval.UNSUBMITTED)
    reason = models.TextField("Meta's reason", blank=True, editable=False)
    checked_at = models.DateTimeField("asked Twilio", null=True, blank=True, editable=False)

    objects = MessageTemplateQuerySet.as_manager()

    class Meta:
        ordering = ["notice", "language"]
        constraints = [
            models.UniqueConstraint(
                fields=["notice", "language"],
                name="template_once_per_notice",
                violation_error_message="There is a template for this notice in this language.",
            )
        ]

    def __str__(self) -> str:
        declared = Text.declared.get(self.notice)
        return declared.about if declared else self.notice

    def clean(self) -> None:
        self.content_sid = self.content_sid.strip()
        self.language = _as_twilio_writes(self.language.strip())
        problems = {
            "language": self._problem_of_language(),
            "content_sid": self._problem_of_content_sid(),
            "body": self._problem_of_blanks(),
        }
        # What is wrong with the wording is not said of what goes into it as well.
        if self.body and not problems["body"]:
            problems["variables"] = self._problem_of_variables()
        if problems := {name: problem for name, problem in problems.items() if problem}:
            raise ValidationError(problems)

    # An empty field has been complained about already.

    def _problem_of_language(self) -> str:
        try:
            LANGUAGE(self.language)
        except ValidationError:
            return NO_LANGUAGE if self.language else ""
        return ""

    def _problem_of_content_sid(self) -> str:
        is_one = not self.content_sid or _CONTENT_SID.fullmatch(self.content_sid)
        return "" if is_one else "It is HX and 32 hexadecimal digits."

    @property
    def blanks(self) -> set[str]:
        return set(_BLANK.findall(self.body))

    def _problem_of_blanks(self) -> str:
        numbered = {str(number + 1) for number in range(len(self.blanks))}
        missing = sorted(numbered - self.blanks, key=int)
        if not missing:
            return ""
        return f"Its blanks are numbered 1, 2, 3 without gaps: {{{{{missing[0]}}}}} is missing."

    def _problem_of_variables(self) -> str:
        if not isinstance(self.variables, dict):
            return 'Please write it as {"1": "number"}.'
        blanks = self.blanks
        if missing := sorted(blanks - set(self.variables)):
            return f"What goes into {{{{{missing[0]}}}}}?"
        if spare := sorted(set(self.variables) - blanks):
            return f"There is no {{{{{spare[0]}}}}} in the wording."
        declared = Text.declared.get(self.notice)
        known = placeholders_in(declared.default) if declared else frozenset()
        if unknown := sorted(set(map(str, self.variables.values())) - known):
            names = ", ".join(sorted(known)) or "nothing"
            return f"{unknown[0]} is not part of this notice. It has: {names}."
        return ""

    def learn_approval(self) -> "Content":
        """Ask Twilio how it stands, note that, and return what it has; nothing is sent.

        Raises Unreachable. For the worker and commands: it is slow to load.
        """
        from whatsapp_bot.twilio import rest

        content = rest.content(self.content_sid)
        approval = _APPROVALS.get(content.approval, self.Approval.PENDING)
        self._stands(approval, content.reason)
        return content

    def lose_approval(self, code: int | None) -> None:
        """Take it for approved no longer, since a message failed for it, and have Twilio asked."""
        if self.approval == self.Approval.APPROVED:
            approval = _APPROVALS_BY_CODE.get(code, self.Approval.UNSUBMITTED)
            self._stands(approval, f"A message failed: {codes.in_words(code or 0)}")
            tasks.wake(tasks.learn_approvals)

    def _stands(self, approval: str, reason: str) -> None:
        """Note what Twilio says of it, unless staff have put another content there meanwhile."""
        said = {"approval": approval, "reason": reason, "checked_at": timezone.now()}
        stored = type(self).objects.filter(pk=self.pk, content_sid=self.content_sid)
        if stored.update(**said):
            for name, value in said.items():
                setattr(self, name, value)

    def forget_approval(self) -> None:
        """Forget what Twilio said, which was of other content."""
        self.approval, self.reason, self.checked_at = self.Approval.UNSUBMITTED, "", None

    @property
    def said(self) -> str:
        """What Twilio says of it, in a sentence."""
        if not self.checked_at:
            return "It has not been asked yet."
        return self.reason or _SAID[self.approval]

    def release_what_waits(self) -> int:
        """Have the messages go that waited for it, if it may be used; how many that are."""
        from whatsapp_bot.models import Contact, Message

        if self.approval != self.Approval.APPROVED:
            return 0
        waiting = Message.objects.waiting().filter(notice=self.notice)
        people = Contact.objects.filter(pk__in=waiting.values("contact")).order_by("pk")
        own = [one for one in people if one.template_for(self.notice) == self]
        return sum(map(self._release_for, own))

    @transaction.atomic
    def _release_for(self, contact: "Contact") -> int:
        """Of each person by itself, so that nobody who writes waits for all the others."""
        from whatsapp_bot.models import Conversation

        return Conversation.objects.of(contact).release_for(self)

    def holds(self, message: "Message") -> bool:
        """Does what was written fit, with the words around it?"""
        return length(self.in_words(message.values)) <= LONGEST

    def filled(self, values: dict[str, str]) -> dict[str, str]:
        """Its variables for Twilio. None may be empty or hold a new line (error 63013 or 21656)."""
        return {
            blank: " ".join(str(values.get(name, "")).split()) or "–"
            for blank, name in self.variables.items()
        }

    def in_words(self, values: dict[str, str]) -> str:
        """What the person reads."""
        filled = self.filled(values)
        return _BLANK.sub(lambda blank: filled.get(blank[1], blank[0]), self.body)


def _as_twilio_writes(language: str) -> str:
    """The code of a language as Twilio has it: en_ZA for en-za."""
    code, separator, country = language.replace("-", "_").partition("_")
    return code.lower() + separator + country.upper()


_APPROVALS = {
    "unsubmitted": MessageTemplate.Approval.UNSUBMITTED,
    "approved": MessageTemplate.Approval.APPROVED,
    "rejected": MessageTemplate.Approval.REJECTED,
    "paused": MessageTemplate.Approval.PAUSED,
    "disabled": MessageTemplate.Approval.PAUSED,
}
"""By Twilio's words for it; received, pending and any new one are being looked at."""

_APPROVALS_BY_CODE = {
    63040: MessageTemplate.Approval.REJECTED,
    63041: MessageTemplate.Approval.PAUSED,
    63042: MessageTemplate.Approval.PAUSED,
}
"""By Twilio's errors; what others say is that there is none which was approved."""

_SAID = {
    MessageTemplate.Approval.UNSUBMITTED: "Twilio has it, and nobody has submitted it to Meta.",
    MessageTemplate.Approval.PENDING: "Meta is looking at it.",
    MessageTemplate.Approval.APPROVED: "It is approved.",
    MessageTemplate.Approval.REJECTED: "Meta has rejected it, and gives no reason.",
    MessageTemplate.Approval.PAUSED: "Meta has paused it.",
}
