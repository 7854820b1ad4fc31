from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from whatsapp_bot.mails import tell_staff
from whatsapp_bot.models.contact import LONGEST_SENT, Contact
from whatsapp_bot.models.conversation import Conversation
from whatsapp_bot.models.message import Message, MessageQuerySet
from whatsapp_bot.models.staff import of_staff
from whatsapp_bot.numbered import NumberedQuerySet
from whatsapp_bot.recent import Recent
from whatsapp_bot.refusals import NotAllowed
from whatsapp_bot.whatsapp_text import clean, preview, split

MAIL_AGAIN_AFTER = timedelta(minutes=1)
SAME_EMERGENCY = timedelta(hours=1)
"""For how long what nobody has taken is what a person means who tells of an emergency again."""
LONGEST = 10_000
"""Letters, from which on what else the person says is in the conversation alone."""
MOST_COUNTED = 100
ALARM = "🚨"
"""What a request begins with that sounds like an emergency."""
TRIAL = "This is a trial: it was typed in the simulator, as somebody who is made up."


class HelpRequestQuerySet(NumberedQuerySet["HelpRequest"]):
    prefix = "HELP"

    def unanswered(self) -> "HelpRequestQuerySet":
        return self.filter(status=HelpRequest.Status.OPEN)

    def untaken(self) -> "HelpRequestQuerySet":
        """Those that nobody has taken yet."""
        return self.unanswered().filter(taken_by=None)

    def taken(self) -> "HelpRequestQuerySet":
        return self.unanswered().exclude(taken_by=None)

    @transaction.atomic
    def add(self, said: Message, since: datetime) -> None:
        """Leave for the team what was said, with what was left `since` if that is open."""
        text = said.body or "📎"
        left = self.unanswered().filter(contact=said.contact, created_at__gte=since)
        asked = left.select_for_update(no_key=True).first()
        if asked:
            asked.add(text)
        else:
            self.file(contact=said.contact, message=said, text=text)

    @transaction.atomic
    def alarm(self, said: Message) -> "HelpRequest":
        """Have the team see what sounds like an emergency: marked where it was just left for them.

        What a person says of one while theirs of just now is not taken is added to that, so that
        nobody buries what others say. Said after somebody has taken it, or long after, it is
        another one: that may be days later. What is not known yet is mailed.
        """
        untaken = self.untaken().filter(contact=said.contact).select_for_update(no_key=True)
        last = untaken.first()
        since = timezone.now() - SAME_EMERGENCY
        known = untaken.alarms().filter(created_at__gte=since).first()
        mail_at = timezone.now() if settings.ADMINS and not known else None
        if last and last.text.endswith(said.body) and not last.text.startswith(ALARM):
            last.text, last.mail_at = f"{ALARM} {last.text}", mail_at
            last.save(update_fields=["text", "mail_at"])
            return last
        if known:
            if not known.says(said.body):
                known.add(said.body)
            return known
        text = f"{ALARM} {said.body}"
        return self.file(contact=said.contact, message=said, text=text, mail_at=mail_at)

    def alarms(self) -> "HelpRequestQuerySet":
        """Those that sound like an emergency."""
        return self.filter(text__startswith=ALARM)

    def to_mail(self) -> "HelpRequestQuerySet":
        """What staff are to be told of by mail now: nobody has seen to it yet."""
        return self.untaken().filter(mail_at__lte=timezone.now())

    def mail(self) -> None:
        """Tell staff by mail of what they are to be told of, first what has waited longest."""
        for asked in self.to_mail().order_by("mail_at"):
            asked.mail()


class HelpRequest(models.Model):
    """A message that somebody left for the team, and who of the team sees to it.

    Every step is a verb. What is not allowed raises NotAllowed with the reason.
    """

    class Status(models.TextChoices):
        OPEN = "open", "open"
        ANSWERED = "answered", "answered"

    number = models.CharField(max_length=32, unique=True, editable=False)
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="help_requests")
    message = models.ForeignKey(
        Message, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    text = models.TextField()
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN, editable=False)
    created_at = models.DateTimeField("at", default=timezone.now, editable=False)
    taken_by = of_staff(editable=False, db_index=False)
    taken_at = models.DateTimeField("taken", null=True, blank=True, editable=False)
    answered_by = of_staff(editable=False, db_index=False)
    answered_at = models.DateTimeField("answered", null=True, blank=True, editable=False)
    mail_at = models.DateTimeField(null=True, blank=True, editable=False)
    """When staff are to be told of it by mail; None: they have been, or need not be."""

    objects = HelpRequestQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [
            # What waits, longest first; and from its other end what was answered, latest first.
            models.Index(fields=["-status", "created_at", "id"], name="help_request_waiting"),
            models.Index(
                fields=["mail_at"],
                name="help_request_to_mail",
                condition=models.Q(mail_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {preview(self.text)}"

    @property
    def is_open(self) -> bool:
        return self.status == self.Status.OPEN

    @property
    def is_trial(self) -> bool:
        """Was it typed in the simulator, as somebody who is made up?"""
        return self.contact.is_made_up

    @property
    def state(self) -> str:
        """open, taken or answered."""
        return "taken" if self.is_open and self.taken_by_id else self.status

    @property
    def version(self) -> str:
        """What it stands at; another one when somebody has taken a step, or said more."""
        return f"{self._step} {len(self.text)}"

    @property
    def _step(self) -> str:
        moments = (self.taken_at, self.answered_at)
        return " ".join([self.status, *(at.isoformat() if at else "-" for at in moments)])

    @property
    def answers(self) -> MessageQuerySet:
        """What staff wrote in answer to it, oldest first."""
        if not self.message_id:
            return Message.objects.none()
        return self.message.replies.exclude(notice="").order_by("pk")

    def says(self, text: str) -> bool:
        """Is this in it, by itself?"""
        told = self.text.removeprefix(f"{ALARM} ")
        return f"\n{text}\n" in f"\n{told}\n"

    def add(self, text: str) -> None:
        """The person has said this as well, which is kept as long as it can be read in one go."""
        if len(self.text) + len(text) < LONGEST:
            self.text = f"{self.text}\n{text}"
            self.save(update_fields=["text"])

    # Steps ---------------------------------------------------------------------------------------

    # Each begins from what is stored: what is changed in memory and not saved is forgotten.

    @transaction.atomic
    def take(self, by: AbstractBaseUser, *, over: bool = False) -> None:
        """`by` sees to it. over: also when a colleague has it, who then has it no more."""
        self._lock()
        if not self.is_open:
            raise NotAllowed("It is answered: open it again to take it.")
        if self.taken_by_id == by.pk:
            raise NotAllowed("You have it already.")
        if self.taken_by_id and not over:
            raise NotAllowed(f"{self.taken_by} has it. Take it over if you are to see to it.")
        self._keep(taken_by=by, taken_at=timezone.now())

    @transaction.atomic
    def hand_back(self, by: AbstractBaseUser) -> None:
        """`by` does not see to it after all: anybody may take it."""
        self._lock()
        if not self.is_open:
            raise NotAllowed("It is answered already.")
        if not self.taken_by_id:
            raise NotAllowed("Nobody has taken it.")
        if self.taken_by_id != by.pk:
            raise NotAllowed(f"{self.taken_by} has it, and you do not.")
        self._keep(taken_by=None, taken_at=None)

    @transaction.atomic
    def answer(
        self, text: str, by: AbstractBaseUser | None = None, *, seen: str | None = None
    ) -> list[Message]:
        """Write the answer to whoever asked; more than one may be written.

        seen: its version when `by` looked at it, else as it is in memory. What a colleague has
        taken or answered since then is not answered.
        """
        seen = self.version if seen is None else seen
        self.lock_to_answer()
        if news := self.news_since(seen, by):
            raise NotAllowed(news)
        self._become_answered(by)
        return self.contact.answer(text, by, to=self.message)

    @transaction.atomic
    def answer_once(self, text: str, by: AbstractBaseUser) -> list[Message]:
        """As `answer`; but what `by` has just written is not written again."""
        seen = self.version
        self.lock_to_answer()
        return self._just_written(text, by) or self.answer(text, by, seen=seen)

    @transaction.atomic
    def mark_answered(self, by: AbstractBaseUser) -> None:
        """It needs no answer of ours any more: somebody has called, say."""
        self._lock()
        if not self.is_open:
            raise NotAllowed("It is answered already.")
        self._become_answered(by)

    @transaction.atomic
    def reopen(self, by: AbstractBaseUser) -> None:
        """It is not answered after all. Whoever had taken it has it again."""
        self._lock()
        if self.is_open:
            raise NotAllowed("It is open already.")
        self._keep(status=self.Status.OPEN, answered_by=None, answered_at=None)

    # Telling of it by mail ----------------------------------------------------------------------

    def mail(self) -> None:
        """Tell staff, and try again in a while if no mail server takes it."""
        mine = HelpRequest.objects.to_mail().filter(pk=self.pk, mail_at=self.mail_at)
        if not mine.update(mail_at=timezone.now() + MAIL_AGAIN_AFTER):
            return  # Another worker has it in hand, or somebody has taken it.
        # The person may have said more, while others were told of.
        self.refresh_from_db()
        if tell_staff(self._in_a_subject(), self._in_a_mail()):
            HelpRequest.objects.filter(pk=self.pk, mail_at=self.mail_at).update(mail_at=None)

    def _in_a_subject(self) -> str:
        sounds = f"Andon: {self.number} sounds like an emergency"
        return f"{sounds} (a trial)" if self.is_trial else sounds

    def _in_a_mail(self) -> str:
        at = date_format(timezone.localtime(self.created_at), "H:i, j F Y")
        who = dict.fromkeys([str(self.contact), self.contact.address])
        page = reverse("admin:whatsapp_bot_helprequest_change", args=[self.pk])
        trial = f"{TRIAL}\n\n" if self.is_trial else ""
        return (
            f"{trial}{self.text}\n\nFrom {', '.join(who)}, at {at}.\n\n"
            f"Nobody has taken it yet:\n{settings.PUBLIC_URL}{page}\n"
        )

    # ---------------------------------------------------------------------------------------------

    def news_since(self, seen: str, by: AbstractBaseUser | None) -> str:
        """What `by` does not know who saw it at the version `seen`; "" for nothing."""
        step, _, length = seen.rpartition(" ")
        news = self._step_of_another(by) if step != self._step else ""
        more = "The person has written more since you opened it."
        return news or (more if length != str(len(self.text)) else "")

    def _step_of_another(self, by: AbstractBaseUser | None) -> str:
        """What a colleague of `by` has done last; "" for nothing."""
        step, who = ("taken", self.taken_by) if self.is_open else ("answered", self.answered_by)
        if who == by or (self.is_open and not who):
            return ""
        return f"{who or 'Somebody'} has {step} it since you opened it."

    def _just_written(self, text: str, by: AbstractBaseUser) -> list[Message]:
        """The messages as which `by` wrote the same a moment ago; none, when that is not so."""
        parts = split(clean(text, LONGEST_SENT))
        found = list(self.answers.just_written_by(by).filter(body__in=parts)[: len(parts)])
        return found if [one.body for one in found] == parts else []

    def lock_to_answer(self) -> None:
        """Have the conversation and the row for this transaction, in the order of everybody."""
        Conversation.objects.of(self.contact)
        self._lock()

    def _lock(self) -> None:
        rows = HelpRequest.objects.select_for_update(no_key=True)
        self.refresh_from_db(from_queryset=rows)

    def _become_answered(self, by: AbstractBaseUser | None) -> None:
        self._keep(status=self.Status.ANSWERED, answered_by=by, answered_at=timezone.now())

    def _keep(self, **values: object) -> None:
        for name, value in values.items():
            setattr(self, name, value)
        self.save(update_fields=values)


@Recent
def untaken_alarms() -> list[HelpRequest]:
    """What sounds like an emergency and nobody has taken yet, longest first; at most 100.

    Trials come last, so that they hide nothing that is real.
    """
    alarms = HelpRequest.objects.untaken().alarms().select_related("contact")
    first = alarms.order_by("created_at", "pk")[:MOST_COUNTED]
    return sorted(first, key=lambda asked: asked.is_trial)


@Recent
def untaken_requests() -> int:
    """How many help requests nobody has taken yet; at most 100."""
    return HelpRequest.objects.untaken().order_by()[:MOST_COUNTED].count()
