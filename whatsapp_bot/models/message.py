import random
from datetime import datetime, timedelta
from enum import Enum

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.postgres.indexes import BrinIndex
from django.db import models, transaction
from django.db.models.functions import Coalesce
from django.utils import timezone

from whatsapp_bot import prepared, tasks
from whatsapp_bot.addresses import MORE_FOR_TEAM
from whatsapp_bot.delivery import DeliveryReport, Route, Status
from whatsapp_bot.inbound import Incoming, Kind
from whatsapp_bot.models.channel import Channel
from whatsapp_bot.models.contact import Contact
from whatsapp_bot.models.conversation import Conversation
from whatsapp_bot.models.staff import of_staff
from whatsapp_bot.models.template import MessageTemplate
from whatsapp_bot.recent import Recent
from whatsapp_bot.search import has, ids_of, with_each_word
from whatsapp_bot.twilio import codes
from whatsapp_bot.whatsapp_text import preview, split


class Resent(Enum):
    """What comes of sending a message again, one or several."""

    ON_ITS_WAY = "{count} is on its way again", "{count} are on their way again"
    WAITS = "{count} waits until the person writes", "{count} wait until the person writes"
    ALREADY = "{count} had been sent again already", "{count} had been sent again already"
    NOT_FAILED = "{count} had not failed", "{count} had not failed"
    STOPPED = (
        "{count} was not sent, because the person has stopped our messages",
        "{count} were not sent, because the people have stopped our messages",
    )
    BLOCKED = (
        "{count} was not sent, because we have blocked the person",
        "{count} were not sent, because we have blocked the people",
    )

    def of(self, count: int) -> str:
        return self.value[count != 1].format(count=count)


LATELY = timedelta(days=7)
JUST = timedelta(minutes=1)
CLOCKS_DIFFER = timedelta(minutes=1)
"""By less than that, on several machines; a moment that lies further ahead is a wrong clock's."""
LONGEST_WAIT = 1800
"""Seconds: so long after trouble of many hours is over, a message goes at the latest."""
SOME_HOURS = timedelta(hours=4)
"""Between two tries of what is too much for one day."""
TRIES_BEYOND_A_DAY = 8
"""Some hours apart: whatever the day began with, it is over by then."""
TRIES_AS_TEMPLATE = 3
"""Twilio may go on calling approved what WhatsApp goes on refusing."""
MOST_FAILED = 100
ARRIVED = "The one before it had arrived after all, so it was not needed."

MOST_REPLIES = 10
"""Messages in reply to one: Twilio takes more for a loop and stops them (error 14107)."""


class MessageQuerySet(models.QuerySet["Message"]):
    def to_show(self) -> "MessageQuerySet":
        """With all that a bubble shows."""
        return self.select_related("contact", "written_by").prefetch_related("media")

    def latest_before(self, pk: int | None, most: int) -> "list[Message]":
        """The last so many messages, of those before the one with this id; the oldest first."""
        before = self if pk is None else self.filter(pk__lt=pk)
        return list(before.order_by("-pk")[:most])[::-1]

    def around(self, message: "Message", before: int, after: int) -> "list[Message]":
        """Up to so many before the message and after it, and whatever replies to it."""
        later = self.filter(pk__gte=message.pk).order_by("pk")[: after + 1]
        found = [*self.latest_before(message.pk, before), *later]
        found += self.filter(in_reply_to=message).order_by("pk")
        return sorted({one.pk: one for one in found}.values(), key=lambda one: one.pk)

    def unsettled(self) -> "MessageQuerySet":
        """What the outbox has in hand: queued, being sent, or perhaps sent."""
        return self.filter(try_at__isnull=False)

    def tried_in_vain(self, before: datetime) -> "MessageQuerySet":
        """What was written before then and has been tried, and waits to be tried further."""
        between_tries = [Status.QUEUED, Status.UNKNOWN]
        return self.unsettled().filter(
            status__in=between_tries, tried_at__isnull=False, created_at__lt=before
        )

    def due(self, now: datetime) -> "MessageQuerySet":
        """What the outbox may take up now, the most urgent first.

        Of each person only the first that is not settled: order is kept while one is retried.
        """
        earlier = self.model.objects.unsettled().filter(
            contact=models.OuterRef("contact"), pk__lt=models.OuterRef("pk")
        )
        pause = timedelta(seconds=settings.SEND_PAUSE_SECONDS)
        return self.filter(
            ~models.Exists(earlier),
            models.Q(priority=Message.Priority.REPLY)
            | models.Q(contact__written_at=None)
            | models.Q(contact__written_at__lte=now - pause)
            # That cannot be: the clock was wrong.
            | models.Q(contact__written_at__gt=now + pause),
            try_at__lte=now,
        ).order_by("priority", "try_at", "pk")

    def just_written_by(self, staff: AbstractBaseUser | None) -> "MessageQuerySet":
        """What they wrote a moment ago, and did not fail: a button is soon hit twice."""
        lately = self.filter(written_by=staff, created_at__gte=timezone.now() - JUST)
        return lately.exclude(status=Status.FAILED)

    def waiting(self) -> "MessageQuerySet":
        """What waits until the person writes."""
        return self.filter(status=Status.WAITING)

    def release(self) -> int:
        """Have what waits go as soon as it can; how many that are."""
        count = self.waiting().update(status=Status.QUEUED, try_at=timezone.now())
        if count:
            tasks.wake(tasks.deliver)
        return count

    def put_off_no_longer(self) -> int:
        """Have go what a clock that was ahead has put off; how many that are."""
        now = timezone.now()
        put_off_at = Coalesce("tried_at", "created_at")
        later = self.filter(status=Status.QUEUED, try_at__gt=now).alias(put_off_at=put_off_at)
        return later.filter(put_off_at__gt=now + CLOCKS_DIFFER).update(try_at=now)

    def look_up_first(self) -> int:
        """Have what has not gone yet be looked up first, since it may have; how many that are.

        Of a backup nobody knows what has gone since it was taken.
        """
        not_gone, now = self.filter(status__in=[Status.QUEUED, Status.WAITING]), timezone.now()
        return not_gone.update(status=Status.UNKNOWN, tried_at=now, try_at=now)

    def unconfirmed_answers(self, since: datetime, until: datetime) -> "MessageQuerySet":
        """Answers to webhooks of this time, of which the carrier has not told even the SID.

        What went with another reply has no SID either, and costs nothing of its own.
        """
        answers = self.filter(
            direction=Message.Direction.OUT,
            status=Status.SENT,
            sid=None,
            attempts=0,
            notice="",
            price=None,
            in_reply_to__isnull=False,
            in_reply_to__details__fetched_at__isnull=True,
            created_at__range=(since, until),
        )
        return answers.select_related("contact", "in_reply_to").order_by("pk")

    def earlier_turn(self, sid: str) -> "Message | None":
        """The reply of the bot with this SID, unless it is the last one of these messages."""
        turns = self.filter(in_reply_to__isnull=False, notice="")
        later = turns.filter(pk__gt=models.OuterRef("pk")).exclude(
            in_reply_to=models.OuterRef("in_reply_to")
        )
        return turns.filter(models.Exists(later), sid=sid).first()

    @transaction.atomic
    def take_report(self, report: DeliveryReport) -> bool:
        """Note what the carrier says of a message of ours; False when it is none of ours."""
        out = self.filter(direction=Message.Direction.OUT).select_for_update()
        # Not by the SID that it lacks: another report may just be storing that, and be waited for.
        message = out.filter(sid=report.sid).first() or out.filter(pk=report.message_id).first()
        if not message or message.sid not in (None, report.sid):
            return False
        message.learn(report)
        return True

    def failed(self) -> "MessageQuerySet":
        """What did not arrive and was not sent again, the newest first."""
        failed = self.filter(status=Status.FAILED, details__again__isnull=True)
        return failed.order_by("-pk")

    def with_words(self, text: str) -> "MessageQuerySet":
        """Those in which each word is found: in the text, the person or the SID."""

        def has_it(word: str) -> models.Q:
            people = Contact.objects.filter(has(word, "name", "phone", "user_id"))
            return has(word, "body") | models.Q(contact__in=ids_of(people)) | models.Q(sid=word)

        return with_each_word(self, text, has_it)

    def to_look_at(self) -> "MessageQuerySet":
        """Those that came as pictures or videos: of their files nothing need be known yet."""
        return self.filter(kind__in=[kind for kind in Kind if kind.is_picture])

    def replies_to(self, sid: str) -> "list[Message] | None":
        """What was replied to the stored message with this SID; None when there is none.

        But for what the outbox sends, since the message was fetched or a reply failed, was lost or
        doubted: it must not go twice.
        """
        message = self.filter(sid=sid).first()
        if not message:
            return None
        if message.was_fetched:
            return []
        by_answer = self.filter(in_reply_to__sid=sid, notice="", attempts=0, try_at=None)
        replies = by_answer.order_by("pk")
        return [reply for reply in replies if not {"again_of", "doubted"} & reply.details.keys()]


class MessageManager(models.Manager.from_queryset(MessageQuerySet)):
    """What a turn does, which asks for no messages and so has no need of a query."""

    def hear(self, incoming: Incoming) -> "tuple[Conversation, Message]":
        """Store what came in, with a row for each of its files, and lock the conversation.

        Raises IntegrityError when its SID is stored already, else as `Conversation.objects.locked`.
        """
        message = _as_it_came(incoming)
        conversation = Conversation.objects.locked_to_hear(message, incoming.sender)
        for position, file in enumerate(incoming.files):
            message.media.create(position=position, url=file.url, said_type=file.content_type)
        if incoming.files:
            tasks.wake(tasks.fetch_files)
        return conversation, message

    def reply(self, message: "Message", text: str) -> "list[Message]":
        """Store `text` as the reply to `message`: one row for each message that it takes."""
        replies = self.replies(message, text)
        for reply in replies:
            prepared.insert(reply)
        return replies

    def replies(self, message: "Message", text: str) -> "list[Message]":
        """The rows of a reply, which are to be stored in this transaction.

        They go with the answer to the webhook, or from the outbox, as TWILIO_REPLY_WITH says. Who
        brought a message that was fetched waits for no answer.
        """
        by_outbox = message.was_fetched or settings.TWILIO_REPLY_WITH == "api"
        replies = [
            prepared.new(
                Message,
                contact_id=message.contact_id,
                direction=Message.Direction.OUT,
                body=part,
                in_reply_to_id=message.pk,
                status=Status.QUEUED if by_outbox else Status.SENT,
                try_at=timezone.now() if by_outbox else None,
            )
            for part in split(text)[:MOST_REPLIES]
        ]
        if by_outbox:
            tasks.wake(tasks.deliver)
        return replies


def _as_it_came(incoming: Incoming) -> "Message":
    """The message, which is not stored yet, and of nobody."""
    now = timezone.now()
    fetched = {"fetched_at": now.isoformat()} if incoming.received_at else {}
    hidden = {} if incoming.sender.phone else {"hides_number": True}
    return prepared.new(
        Message,
        direction=Message.Direction.IN,
        kind=incoming.kind,
        sid=incoming.sid,
        body=incoming.text,
        quoted_sid=incoming.quoted_sid,
        details={**incoming.details, **fetched, **hidden},
        status=Status.RECEIVED,
        created_at=incoming.received_at or now,
    )


class Message(models.Model):
    """One message, in or out: the log of everything said, which nothing is ever taken from.

    details, of what came in: Twilio's parameters that have no column, by their names,
    "fetched_at" when no webhook brought it, "hides_number" when a user id alone said who wrote, and
    "passed_on" when it was left for the team unanswered. Of what we send: "values" that fill the
    blanks of its notice, and how it reads "as_template"; the ids of the replies that it "carries",
    of the message that was sent "again" for it, and of the first one that it is sent "again_of";
    "closed" where the carrier said so of the 24-hour window, "doubted" where an answer perhaps
    never left, and the "status" whose word we do not know. Of both: "why" it failed or stayed
    unanswered.
    """

    class Direction(models.TextChoices):
        IN = "in", "in"
        OUT = "out", "out"

    class Priority(models.IntegerChoices):
        """Which of the messages to different people go first."""

        REPLY = 0, "reply"
        NOTICE = 1, "notice"

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="messages", db_index=False)
    direction = models.CharField(max_length=3, choices=Direction)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.TEXT)
    sid = models.CharField("SID", max_length=34, null=True, blank=True)  # noqa: DJ001
    body = models.TextField(blank=True)
    in_reply_to = models.ForeignKey(
        "self", models.CASCADE, null=True, blank=True, related_name="replies", db_index=False
    )
    quoted_sid = models.CharField("SID of the quoted message", max_length=34, blank=True)
    details = models.JSONField(default=dict, blank=True, help_text="Whatever else came with it.")
    status = models.CharField(max_length=10, choices=Status)
    error_code = models.PositiveIntegerField(null=True, blank=True)
    price = models.DecimalField(max_digits=12, decimal_places=6, null=True, blank=True)
    price_unit = models.CharField(max_length=3, blank=True)
    created_at = models.DateTimeField("at", default=timezone.now, editable=False)

    # Of what we send only.
    priority = models.PositiveSmallIntegerField(choices=Priority, default=Priority.REPLY)
    notice = models.CharField(max_length=80, blank=True)
    template = models.ForeignKey(
        MessageTemplate, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    written_by = of_staff(db_index=False)
    attempts = models.PositiveSmallIntegerField(default=0)
    # Set as long as the outbox has it in hand. SQLite cannot use a partial index on the status.
    try_at = models.DateTimeField("next try", null=True, blank=True)
    tried_at = models.DateTimeField("last try", null=True, blank=True)

    objects = MessageManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["sid"], name="message_sid", condition=models.Q(sid__isnull=False)
            )
        ]
        indexes = [
            models.Index(fields=["contact", "id"], name="message_contact_id"),
            models.Index(
                fields=["in_reply_to"],
                name="message_in_reply_to",
                condition=models.Q(in_reply_to__isnull=False),
            ),
            # For with_words the migrations add message_words, which only PostgreSQL can.
            # A few pages for a million rows, and next to nothing to keep; SQLite makes a usual one.
            BrinIndex(fields=["created_at"], name="message_created"),
            models.Index(
                fields=["priority", "try_at", "id"],
                name="message_unsettled",
                condition=models.Q(try_at__isnull=False),
            ),
            models.Index(
                fields=["contact", "id"],
                name="message_unsettled_of_contact",
                condition=models.Q(try_at__isnull=False),
            ),
            models.Index(
                fields=["-id"], name="message_failed", condition=models.Q(status=Status.FAILED)
            ),
        ]

    def __str__(self) -> str:
        return preview(self.read) or self.get_kind_display()

    @property
    def has_attachment(self) -> bool:
        return Kind(self.kind).is_attachment

    @property
    def is_turn(self) -> bool:
        """Is it what the bot replied by itself?"""
        return self.in_reply_to_id is not None and not self.notice

    @property
    def address_after(self) -> str:
        """Where what is said after it is left for the team."""
        return f"{MORE_FOR_TEAM}:{self.pk}"

    @property
    def was_fetched(self) -> bool:
        """Did we have to ask Twilio for it, since no webhook brought it?"""
        return "fetched_at" in self.details

    @property
    def file_name(self) -> str:
        """What its file was called by who sent it."""
        return self.details.get("FileName", "")

    @property
    def location(self) -> list[str]:
        """The latitude and the longitude that were sent, in degrees; each "" where none were."""
        return [self.details.get(name, "") for name in ("Latitude", "Longitude")]

    @property
    def values(self) -> dict[str, str]:
        """What fills the blanks of its notice."""
        return self.details.get("values", {})

    @property
    def carried(self) -> "models.QuerySet[Message]":
        """The short replies that go with it, in their order."""
        return Message.objects.filter(pk__in=self.details.get("carries", [])).order_by("pk")

    def forget(self, name: str) -> None:
        """Have no such details any more. That is not saved yet."""
        self.details = {key: value for key, value in self.details.items() if key != name}

    @property
    def why(self) -> str:
        """Why it failed, waits, or was not answered, in a sentence for staff."""
        return codes.in_words(self.error_code) if self.error_code else self.details.get("why", "")

    @property
    def was_followed(self) -> bool:
        """Has the person written since?"""
        heard = Message.objects.filter(direction=Message.Direction.IN)
        return heard.filter(contact=self.contact_id, pk__gt=self.pk).exists()

    def leave_unanswered(self, why: str) -> None:
        """Note why, for staff to read beside it."""
        self.details = {**self.details, "why": why}
        self.save(update_fields=["details"])

    def note_passed_on(self) -> None:
        """Note that it was left for the team, which the person does not know yet."""
        self.details = {**self.details, "passed_on": True}
        self.save(update_fields=["details"])

    @property
    def was_passed_on(self) -> bool:
        """Was it left for the team, without an answer that says so?"""
        return "passed_on" in self.details

    @transaction.atomic
    def doubt_answer(self) -> bool:
        """Have its answer be looked up at the carrier, and sent if it is not there.

        False when nobody waits for that: the person has written since, or we have heard of it.
        """
        Conversation.objects.of(self.contact)
        answer = self.replies.filter(notice="").select_for_update(no_key=True).order_by("pk")
        is_known = any(part.sid or part.status != Status.SENT for part in answer)
        if is_known or self.was_followed:
            return False
        now = timezone.now()
        for part in answer:
            part.status, part.tried_at, part.try_at = Status.UNKNOWN, now, now
            part.details = {**part.details, "doubted": True}
            part.save(update_fields=["status", "tried_at", "try_at", "details"])
        tasks.wake(tasks.deliver)
        return True

    @property
    def comes_too_late(self) -> bool:
        """Is it an answer that perhaps never left, and has the person written since?"""
        return "doubted" in self.details and self.in_reply_to.was_followed

    @property
    def sent_again_as(self) -> int | None:
        """The id of the later message as which it was sent again."""
        again = self.details.get("again", 0)
        return again if again > self.pk else None

    @property
    def can_be_sent_again(self) -> bool:
        return self.status == Status.FAILED and "again" not in self.details

    @property
    def read(self) -> str:
        """What the person reads: the words of the template that it goes as, or what was written."""
        return self.details.get("as_template", self.body)

    def goes_as(self, template: MessageTemplate | None) -> bool:
        """Have it go in the words of this template, or as it was written; is that new?"""
        before = self.template_id, self.details.get("as_template")
        self.template = template
        self.forget("as_template")
        if template:
            self.details["as_template"] = template.in_words(self.values)
        return before != (self.template_id, self.details.get("as_template"))

    def in_words(self) -> str:
        """What leaves: with it go the short replies that it carries."""
        bodies = self.carried.values_list("body", flat=True) if "carries" in self.details else []
        return "\n\n".join([self.body, *bodies])

    def would_learn(self, report: DeliveryReport) -> bool:
        """Does this report say anything of it that we do not know yet?"""
        rises = report.status is not None and self._rises_to(report.status)
        billed = self.price is None and report.price is not None
        both_failed = self.status == report.status == Status.FAILED
        explained = both_failed and report.error_code and not self.error_code
        return bool(not self.sid or rises or billed or explained)

    def _rises_to(self, status: Status) -> bool:
        return status.rank > Status(self.status).rank

    def learn(self, report: DeliveryReport) -> None:
        """Note what the carrier says: the status only rises, the rest is filled in.

        What we had given up without knowing may turn out to have arrived. Whatever a word means
        that is new to us, the carrier has the message.
        """
        given_up = self.status == Status.FAILED and not self.sid
        self.sid = self.sid or report.sid
        if report.price is not None:
            self.price, self.price_unit = report.price, report.price_unit
        if report.status is None:
            self.details = {**self.details, "status": report.word}
        status = report.status or Status.SENT
        if given_up or self._rises_to(status):
            self.settle(status, report.error_code)
            return
        if status == self.status == Status.FAILED:
            self.error_code = self.error_code or report.error_code or None
        self.save()

    def settle(self, status: Status, error_code: int | None = None, why: str = "") -> None:
        """Have it become sent, delivered, read or failed, and what it carries with it."""
        self.status, self.try_at = status, None
        if status == Status.FAILED:
            self.error_code = self.error_code or error_code or None  # A code of 0 says nothing.
            self.details = {**self.details, "why": why} if why else self.details
        else:
            # It had been given up, or was said to have failed, and went all the same.
            self.error_code = None
            self.forget("why")
        prepared.update(
            self, ("sid", "status", "try_at", "error_code", "details", "price", "price_unit")
        )
        if "carries" in self.details:
            # What goes with another one costs nothing of its own.
            price = {} if status == Status.FAILED else {"price": 0, "price_unit": ""}
            self.carried.update(status=status, try_at=None, error_code=self.error_code, **price)
        if status == Status.FAILED:
            self._follow_up()
        elif status.has_arrived and self.sent_again_as:
            self._call_off_what_goes_again()

    def _follow_up(self) -> None:
        """What follows from the way it failed."""
        match codes.treatment(self.error_code):
            # Known already, it may be over by now: the person may just have started again.
            case codes.Treat.OPTED_OUT if not self.contact.opted_out_at:
                self.contact.opt_out(told=False)
            case codes.Treat.LATER:
                self._try_again()
            case codes.Treat.SETUP:
                self._stop_all()
                self._try_again()
            case codes.Treat.NOT_TODAY:
                self._stop_all()
                if self.attempts < TRIES_BEYOND_A_DAY:
                    self.send_again(attempts=self.attempts, after=SOME_HOURS)
            case codes.Treat.ONCE_MORE if self.attempts < 2:
                self._try_again()
            case codes.Treat.WINDOW if not self.template_id:
                self.send_again(attempts=self.attempts, closed=True)
            case (codes.Treat.TEMPLATE | codes.Treat.WINDOW) as treat if self.template:
                self.template.lose_approval(self.error_code)
                if treat == codes.Treat.TEMPLATE and self.attempts < TRIES_AS_TEMPLATE:
                    self.send_again(attempts=self.attempts, closed=True)  # Mostly it waits then.

    def _stop_all(self) -> None:
        Channel.objects.locked().stop(self.error_code or 0)

    def _call_off_what_goes_again(self) -> None:
        """It had failed for one device of the person, say: what has not left stays here."""
        again = self._sent_again()
        while again and again.status == Status.FAILED:
            again = again._sent_again()
        if again and again.status in (Status.QUEUED, Status.WAITING) and not again.sid:
            again._call_off(self)

    def _sent_again(self) -> "Message | None":
        rows = Message.objects.select_for_update(no_key=True)
        return rows.filter(pk=self.details.get("again")).first()

    def _call_off(self, arrived: "Message") -> None:
        self.forget("carries")  # That goes by itself.
        self.details["again"] = arrived.pk
        self.settle(Status.FAILED, why=ARRIVED)

    def _try_again(self) -> None:
        wait = self.back_off()
        if wait is not None:
            self.send_again(attempts=self.attempts, after=wait)

    def back_off(self, at_least: float = 0) -> timedelta | None:
        """How long to wait before the next try; None when it has had all its tries."""
        return back_off(max(self.attempts, 1), at_least)

    @transaction.atomic
    def send_again_now(self, by: AbstractBaseUser | None = None) -> Resent:
        """Send it again if that makes sense: for staff, who choose among what failed."""
        if self.status != Status.FAILED:
            return Resent.NOT_FAILED
        is_reply = self.priority == Message.Priority.REPLY
        route = self.contact.route(self.notice, is_reply=is_reply)
        match route:
            case Route.NOT_AT_ALL:
                return Resent.STOPPED
            case Route.BLOCKED:
                return Resent.BLOCKED
        conversation = Conversation.objects.of(self.contact)
        again = self.send_again(by)
        if not again:
            return Resent.ALREADY
        conversation.expect_still(again)
        return Resent.WAITS if route == Route.HELD else Resent.ON_ITS_WAY

    @transaction.atomic
    def send_again(
        self,
        by: AbstractBaseUser | None = None,
        *,
        attempts: int = 0,
        after: timedelta = timedelta(),
        closed: bool = False,
    ) -> "Message | None":
        """Queue the same anew, as a message of its own; None when that was done already.

        attempts: how often it was tried before. closed: the carrier says that the 24-hour window
        is, whatever we thought.
        """
        failed = Message.objects.select_for_update().get(pk=self.pk)
        if not failed.can_be_sent_again:
            return None
        details = {
            "values": failed.values,
            "again_of": failed.details.get("again_of", failed.pk),
            **({"closed": True} if closed else {}),
        }
        again = Message.objects.create(
            contact_id=failed.contact_id,
            direction=Message.Direction.OUT,
            kind=failed.kind,
            body=failed.in_words(),
            in_reply_to_id=failed.in_reply_to_id,
            priority=failed.priority,
            notice=failed.notice,
            written_by=by or failed.written_by,
            details=details,
            status=Status.QUEUED,
            attempts=attempts,
            try_at=timezone.now() + after,
        )
        for one in [failed, *failed.carried]:
            one.details = {**one.details, "again": again.pk}
            one.save(update_fields=["details"])
        self.details = failed.details
        tasks.wake(tasks.deliver)
        return again


@Recent
def failed_lately() -> int:
    """How many messages of the last days failed and were not sent again; at most 100."""
    since = timezone.now() - LATELY
    # By their ids, in whose order they are indexed: most may have failed long ago.
    older = Message.objects.filter(status=Status.FAILED, created_at__lte=since).order_by("-pk")
    last = Coalesce(models.Subquery(older.values("pk")[:1]), 0)
    lately = Message.objects.failed().filter(pk__gt=last)
    return len(lately.values_list("pk")[:MOST_FAILED])


def back_off(attempts: int, at_least: float = 0) -> timedelta | None:
    """How long to wait after so many attempts, in all below a day; None when there were enough.

    at_least: seconds that the carrier asks for; it is asked again after LONGEST_WAIT all the same.
    """
    if attempts >= settings.SEND_ATTEMPTS:
        return None
    # Two that failed together do not come back together.
    jitter = random.uniform(0.75, 1.25)  # noqa: S311
    seconds = max(_usual_wait(attempts) * jitter, min(at_least, LONGEST_WAIT))
    return timedelta(seconds=seconds)


def tried_for() -> timedelta:
    """How long all the tries of a message take, more or less."""
    return timedelta(seconds=sum(map(_usual_wait, range(1, settings.SEND_ATTEMPTS))))


def _usual_wait(attempts: int) -> float:
    """Seconds."""
    return min(settings.SEND_BACK_OFF_SECONDS * 5 ** (attempts - 1), LONGEST_WAIT)
