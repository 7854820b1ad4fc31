"""Our number: how fast we send from it, and whether the carrier takes anything from us."""

import time
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import models
from django.utils import timezone

from whatsapp_bot.mails import tell_staff
from whatsapp_bot.twilio import codes

log = structlog.get_logger("whatsapp_bot")

TRY_AGAIN_AFTER = timedelta(minutes=1)
TELL_AGAIN_AFTER = timedelta(hours=6)
"""What is refused may be taken at first and refused later, time and again."""
WORKER_IS_SILENT = timedelta(minutes=1)
"""It says that it is at work three times as often."""
CUT_OFF_AFTER = timedelta(hours=1)
CUT_OFF = (
    "For more than an hour no connection to Twilio has come about: does the machine of the worker "
    "reach https://api.twilio.com?"
)
AHEAD_SECONDS = 5
"""How far ahead messages are given their moments: well before a claim on them runs out."""


class ChannelQuerySet(models.QuerySet["Channel"]):
    def ours(self) -> "Channel":
        """The number we send from."""
        number = settings.TWILIO_WHATSAPP_NUMBER
        return self.filter(number=number).first() or self.get_or_create(number=number)[0]

    def locked(self) -> "Channel":
        """The number we send from, for this transaction alone: workers take turns at it."""
        locked = self.select_for_update().filter(number=settings.TWILIO_WHATSAPP_NUMBER)
        return locked.first() or (self.ours() and locked.get())

    def note_work(self) -> None:
        """A worker is at work."""
        self.filter(pk=self.ours().pk).update(worked_at=timezone.now())

    def left_reconciling(self) -> "ChannelQuerySet":
        """Those of whose messages somebody began to ask, and did not come to the end."""
        return self.filter(reconciling_until__lte=timezone.now())

    def to_mail(self) -> "ChannelQuerySet":
        """Those of whose trouble staff are to be told by mail now."""
        return self.filter(mail_at__lte=timezone.now())

    def mail(self) -> None:
        for channel in self.to_mail():
            channel.mail()


class Channel(models.Model):
    """A number that we send from.

    free_at: when the next message may go, in seconds of the epoch. stopped_at and code: since
    when the carrier takes nothing from us because of our set-up there, and its word for it.
    unreached_since: since when no connection to the carrier has come about. mail_at: when staff
    are to be mailed about one or the other; None: they have been, or need not be. alarmed_at:
    when they heard last of it.
    reconciled_at: up to when we surely have all that the carrier has for us. reconciling_until:
    until when somebody has it in hand to ask for what came since; nobody, when it is past.
    worked_at: when a worker last said that it is at work.
    """

    number = models.CharField(max_length=30, unique=True)
    free_at = models.FloatField(default=0)
    stopped_at = models.DateTimeField(null=True, blank=True)
    unreached_since = models.DateTimeField(null=True, blank=True)
    mail_at = models.DateTimeField(null=True, blank=True)
    alarmed_at = models.DateTimeField(null=True, blank=True)
    code = models.PositiveIntegerField(null=True, blank=True)
    try_at = models.DateTimeField(null=True, blank=True)
    reconciled_at = models.DateTimeField(null=True, blank=True)
    reconciling_until = models.DateTimeField(null=True, blank=True)
    worked_at = models.DateTimeField(null=True, blank=True)

    objects = ChannelQuerySet.as_manager()

    def __str__(self) -> str:
        return self.number

    @property
    def is_sending(self) -> bool:
        """Has a message been given its moment lately?"""
        return time.time() - self.free_at < WORKER_IS_SILENT.total_seconds()

    @property
    def has_worker(self) -> bool:
        return bool(self.worked_at) and abs(timezone.now() - self.worked_at) < WORKER_IS_SILENT

    @property
    def trouble(self) -> str:
        """Why nothing goes out, in a sentence for staff; "" when all is well."""
        if self.stopped_at and self.code:
            return codes.in_words(self.code)
        return CUT_OFF if self.is_cut_off else ""

    @property
    def is_cut_off(self) -> bool:
        since = self.unreached_since
        return since is not None and timezone.now() - since > CUT_OFF_AFTER

    def room(self, wanted: int, now: datetime) -> int:
        """How many messages may be handed over now: one, to see, while it is stopped."""
        if self.stopped_at:
            # What is further ahead than that, only a wrong clock can have said.
            waits = self.try_at and now < self.try_at <= now + 2 * TRY_AGAIN_AFTER
            return 0 if waits else 1
        left = AHEAD_SECONDS - (self._next_at() - time.time())
        return min(wanted, int(left * settings.SEND_PER_SECOND) + 1) if left > 0 else 0

    def reserve(self, count: int) -> list[float]:
        """When each of `count` messages may go, in seconds of the epoch, to keep to the rate."""
        pause = 1 / settings.SEND_PER_SECOND
        first = self._next_at()
        self.free_at = first + count * pause
        if self.stopped_at:
            # Its answer may take a while: no other one is handed over to see meanwhile.
            self.try_at = timezone.now() + TRY_AGAIN_AFTER
        self.save(update_fields=["free_at", "try_at"])
        return [first + place * pause for place in range(count)]

    def _next_at(self) -> float:
        """When the next message may go. Never so late as only a wrong clock can have said."""
        now = time.time()
        latest = now + AHEAD_SECONDS + 2 / settings.SEND_PER_SECOND
        return max(self.free_at, now) if self.free_at < latest else now

    def stop(self, code: int) -> None:
        """The carrier takes nothing, or delivers nothing: wait a while. Staff hear of it once."""
        now = timezone.now()
        self.stopped_at = self.stopped_at or now
        self.code, self.try_at = code, now + TRY_AGAIN_AFTER
        self.save(update_fields=["stopped_at", "code", "try_at"])
        self._have_staff_told()

    def lose_touch(self) -> None:
        """No connection came about. Staff hear of it once that has been so for long."""
        if not self.unreached_since:
            self.unreached_since = timezone.now()
            self.save(update_fields=["unreached_since"])
        elif self.is_cut_off:
            self._have_staff_told()

    def be_in_touch(self) -> None:
        """The carrier has answered, whatever that was."""
        if self.is_cut_off:
            log.info("sending goes on")
        if self.unreached_since:
            self.unreached_since = None
            self.save(update_fields=["unreached_since"])

    def _have_staff_told(self) -> None:
        """By a worker: a mail server may be slow, and whoever sends or stores would wait for it."""
        now = timezone.now()
        if any(at and abs(now - at) < TELL_AGAIN_AFTER for at in (self.mail_at, self.alarmed_at)):
            return
        self.mail_at = now
        self.save(update_fields=["mail_at"])
        log.error("sending is stopped", code=self.code, why=self.trouble)

    def mail(self) -> None:
        """Tell staff while it is so, and try again in a while if no mail server takes it."""
        now = timezone.now()
        mine = Channel.objects.to_mail().filter(pk=self.pk, mail_at=self.mail_at)
        if not mine.update(mail_at=now + TRY_AGAIN_AFTER):
            return  # Another worker has it in hand.
        self.refresh_from_db()
        mine = Channel.objects.filter(pk=self.pk, mail_at=self.mail_at)
        if not self.trouble:
            mine.update(mail_at=None)
        elif self._tell_staff():
            mine.update(mail_at=None, alarmed_at=now)

    def _tell_staff(self) -> bool:
        return tell_staff(
            "Andon cannot send messages",
            f"{self.trouble}\n\nMessages wait and go as soon as this is mended. "
            "To see what is wrong: python manage.py doctor",
        )

    def go_on(self) -> None:
        """The carrier has taken something."""
        if self.stopped_at:
            self.stopped_at = self.code = self.try_at = None
            self.save(update_fields=["stopped_at", "code", "try_at"])
            log.info("sending goes on")

    # Asking what we missed -----------------------------------------------------------------------

    def begin_reconciling(self) -> bool:
        """Take it in hand to ask the carrier; False when somebody else has."""
        free = models.Q(reconciling_until=None) | models.Q(reconciling_until__lte=timezone.now())
        # Later than anybody takes it in hand for: the clock was wrong.
        free |= models.Q(reconciling_until__gt=_claimed() + TRY_AGAIN_AFTER)
        mine = Channel.objects.filter(free, pk=self.pk)
        return mine.update(reconciling_until=_claimed()) == 1

    def go_on_reconciling(self) -> None:
        """Keep it in hand."""
        self.reconciling_until = _claimed()
        self.save(update_fields=["reconciling_until"])

    def stop_reconciling(self) -> None:
        """Leave the rest for another try, soon."""
        self.reconciling_until = timezone.now() + TRY_AGAIN_AFTER
        self.save(update_fields=["reconciling_until"])

    def end_reconciling(self, complete_until: datetime | None, *, again_soon: bool) -> None:
        """We have all that the carrier had until then; None: all that we were asked to look for."""
        self.reconciling_until = timezone.now() + TRY_AGAIN_AFTER if again_soon else None
        self.reconciled_at = complete_until or self.reconciled_at
        self.save(update_fields=["reconciling_until", "reconciled_at"])


def _claimed() -> datetime:
    """Until when a run that gives no sign of life is not taken for dead."""
    return timezone.now() + timedelta(seconds=settings.SEND_CLAIM_SECONDS)
