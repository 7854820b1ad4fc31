import re
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import IntegrityError, models, transaction
from django.utils import timezone, translation

from whatsapp_bot import tasks
from whatsapp_bot.delivery import Route, Status
from whatsapp_bot.whatsapp_text import clean, shortened, split
from whatsapp_bot.wording import Notice

if TYPE_CHECKING:
    from whatsapp_bot.models import Conversation, Message, MessageTemplate

OPTED_OUT = 21610
"""Twilio's code for it, which we use as well when we know it already."""
BLOCKED = "We have blocked the person."
LONGEST_SENT = 8000
_ASKS = re.compile(
    r"[?？؟](?!\w+=)|\b(?:please|kindly|pls)"
    r" (?:confirm|choose|(?:reply|answer) with|tell (?:me|us)|let (?:me|us) know)\b(?! if)",
    re.IGNORECASE,
)
"""The mark in `https://example.com/?order=7` asks nothing, nor does `let us know if ...`."""

LANGUAGE = RegexValidator(
    r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*\Z",
    "This is no code of a language, such as en or en-za.",
)
NUMBERS_OF_NOBODY = ("+999", "+155501")
"""No country has 999, and no area 555: the numbers of the simulator and of the demo."""
USER_IDS_OF_NOBODY = "ZZ."
_PHONE = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
_USER_ID = re.compile(r"[A-Z]{2}\.[A-Za-z0-9]{1,128}")


class Role(models.TextChoices):
    """What a contact is to the factory; a later one may see more."""

    UNKNOWN = "unknown", "unknown"
    CUSTOMER = "customer", "customer"
    WORKER = "worker", "worker"


class ContactQuerySet(models.QuerySet["Contact"]):
    def made_up(self) -> "ContactQuerySet":
        """Those for whom `is_made_up` is true."""
        made_up = models.Q(phone=None, user_id__startswith=USER_IDS_OF_NOBODY)
        for beginning in NUMBERS_OF_NOBODY:
            made_up |= models.Q(phone__startswith=beginning)
        return self.filter(made_up)


def is_made_up(address: str) -> bool:
    """Is this an address that nobody outside can have?"""
    return address.startswith((*NUMBERS_OF_NOBODY, USER_IDS_OF_NOBODY))


class Contact(models.Model):
    """A person on WhatsApp: known by a phone number, by a WhatsApp user id, or by both.

    The user id identifies: a phone number may pass on to somebody else.
    """

    phone = models.CharField(max_length=30, null=True, blank=True, unique=True)
    user_id = models.CharField(
        "WhatsApp user id", max_length=131, null=True, blank=True, unique=True
    )
    name = models.CharField(
        max_length=200, blank=True, help_text="As the person chose it on WhatsApp."
    )
    role = models.CharField(max_length=10, choices=Role, default=Role.UNKNOWN)
    language = models.CharField(
        max_length=10,
        blank=True,
        validators=[LANGUAGE],
        help_text="A code such as en or de, or with a country: en-za. Empty: the usual one.",
    )
    opted_out_at = models.DateTimeField(
        "stopped", null=True, blank=True, help_text="Since when we do not write by ourselves."
    )
    opt_out_told = models.BooleanField(default=True, editable=False)
    blocked_at = models.DateTimeField("blocked", null=True, blank=True, editable=False)
    written_at = models.DateTimeField("last message to the person", null=True, blank=True)
    created_at = models.DateTimeField("first seen", default=timezone.now, editable=False)

    objects = ContactQuerySet.as_manager()

    class Meta:
        permissions = [("write_to_contact", "Can write to people on WhatsApp")]
        constraints = [
            models.CheckConstraint(
                name="contact_has_an_address",
                condition=models.Q(phone__isnull=False) | models.Q(user_id__isnull=False),
                violation_error_message="A contact needs a phone number or a WhatsApp user id.",
            )
        ]

    def __str__(self) -> str:
        return self.name or self.address

    @property
    def address(self) -> str:
        """The phone number, or the user id of somebody who hides it: either can be written to."""
        return self.phone or self.user_id or ""

    @property
    def reply_address(self) -> str:
        """Where the last message came from: somebody who hides the number now may have shown it."""
        last = len(self.addresses) == 2 and self.messages.filter(direction="in").last()
        hides_number = last and "hides_number" in last.details
        return self.user_id if hides_number else self.address

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.phone, self.user_id)))

    @property
    def is_made_up(self) -> bool:
        return is_made_up(self.address)

    @property
    def is_blocked(self) -> bool:
        return self.blocked_at is not None

    @property
    def wants_news(self) -> bool:
        """Do we write by ourselves?"""
        return not (self.opted_out_at or self.blocked_at)

    @property
    def is_worker(self) -> bool:
        return self.role == Role.WORKER

    def clean(self) -> None:
        # Two contacts without a phone number are not two with the same one.
        self.phone = re.sub(r"[\s().\-\u2010-\u2015]", "", self.phone or "") or None
        self.user_id = (self.user_id or "").strip() or None
        if self.phone and not _PHONE.fullmatch(self.phone):
            raise ValidationError({"phone": "Please write it with its country: +27 82 123 4567."})
        if self.user_id and not _USER_ID.fullmatch(self.user_id):
            raise ValidationError({"user_id": "A WhatsApp user id looks like ZA.1a2b3c."})

    def opt_out(self, *, told: bool) -> None:
        """Have us write no more by ourselves. told: does the person know how things stand?"""
        self.opt_out_told = told or (self.opted_out_at is not None and self.opt_out_told)
        self.opted_out_at = self.opted_out_at or timezone.now()
        self.save(update_fields=["opted_out_at", "opt_out_told"])

    def opt_in(self) -> bool:
        """Have us write by ourselves again; False when we did already."""
        was_out = self.opted_out_at is not None
        if was_out:
            self.opted_out_at, self.opt_out_told = None, True
            self.save(update_fields=["opted_out_at", "opt_out_told"])
        return was_out

    def tell_of_opt_out(self) -> bool:
        """Note that the person is told of being opted out; False when that was known already."""
        if not self.opted_out_at or self.opt_out_told:
            return False
        self.opt_out_told = True
        self.save(update_fields=["opt_out_told"])
        return True

    def block(self) -> None:
        """Have us neither answer nor write. What the person sends is stored all the same."""
        self.blocked_at = self.blocked_at or timezone.now()
        self.save(update_fields=["blocked_at"])

    def unblock(self) -> None:
        """Have us answer again, and write unless the person has stopped that."""
        self.blocked_at = None
        self.save(update_fields=["blocked_at"])

    # Writing to the person -----------------------------------------------------------------------

    @transaction.atomic
    def notify(
        self, notice: Notice, by: AbstractBaseUser | None = None, **values: Any
    ) -> "Message | None":
        """Tell the person something, with the blanks of the notice filled in.

        Returns None when staff have switched it off, when the person has stopped our messages, or
        when we have blocked the person.
        """
        from whatsapp_bot.models import Conversation

        if not notice.is_on or not self.wants_news:
            return None
        plain = {name: str(value) for name, value in values.items()}
        with translation.override(self.language or settings.LANGUAGE_CODE):
            body = notice(**plain)
        conversation = Conversation.objects.of(self)
        return self._write(conversation, shortened(body), notice.key, plain, by)

    def send(self, text: str, by: AbstractBaseUser | None = None) -> "list[Message]":
        """Write `text` to the person: one message, or as many as it takes.

        What goes to somebody who has stopped our messages, or is blocked, fails and says so.
        """
        return self._write_parts(text, by)

    def answer(
        self, text: str, by: AbstractBaseUser | None = None, to: "Message | None" = None
    ) -> "list[Message]":
        """Write `text` to somebody who asked for it, and so gets it even after a stop.

        to: the message that it answers.
        """
        return self._write_parts(text, by, is_reply=True, to=to)

    @transaction.atomic
    def _write_parts(self, text: str, by: AbstractBaseUser | None, **how: Any) -> "list[Message]":
        from whatsapp_bot.models import Conversation
        from whatsapp_bot.texts import STAFF_MESSAGE

        conversation, key = Conversation.objects.of(self), STAFF_MESSAGE.key
        written = [
            self._write(conversation, part, key, {"text": part}, by, **how)
            for part in split(clean(text, LONGEST_SENT))
        ]
        if written and written[-1].status != Status.FAILED:
            asks = bool(_ASKS.search(text))
            conversation.expect(written[-1].address_after, written[-1], asks=asks)
        return written

    def _write(
        self,
        conversation: "Conversation",
        body: str,
        notice: str,
        values: dict[str, str],
        by: AbstractBaseUser | None = None,
        *,
        is_reply: bool = False,
        to: "Message | None" = None,
    ) -> "Message":
        """Store it to be sent as it may go. The conversation is locked already."""
        from whatsapp_bot.models import Message

        message = Message(
            contact=self,
            direction=Message.Direction.OUT,
            body=body,
            notice=notice,
            details={"values": values},
            in_reply_to=to,
            written_by=by,
            priority=Message.Priority.REPLY if is_reply else Message.Priority.NOTICE,
        )
        route, template = self.route_with_template(
            notice, is_reply=is_reply, conversation=conversation
        )
        match route:
            case Route.NOT_AT_ALL:
                message.status, message.error_code = Status.FAILED, OPTED_OUT
            case Route.BLOCKED:
                message.status = Status.FAILED
                message.details = {**message.details, "why": BLOCKED}
            case Route.HELD:
                message.status = Status.WAITING
                conversation.hold()
            case _:
                message.status, message.try_at = Status.QUEUED, timezone.now()
                message.goes_as(template)
                tasks.wake(tasks.deliver)
        message.save(force_insert=True)
        return message

    def route(self, notice: str, *, is_reply: bool = False) -> Route:
        """How a message, with the key of its notice, would go now."""
        return self.route_with_template(notice, is_reply=is_reply)[0]

    def route_with_template(
        self,
        notice: str,
        *,
        is_reply: bool,
        conversation: "Conversation | None" = None,
        closed: bool = False,
    ) -> "tuple[Route, MessageTemplate | None]":
        """How it would go now, and the template in whose words it does, if it is to be one.

        closed: the carrier says that the 24-hour window is, whatever we think.
        """
        from whatsapp_bot.models import Conversation

        if self.blocked_at:
            return Route.BLOCKED, None
        if self.opted_out_at and not is_reply:
            return Route.NOT_AT_ALL, None
        conversation = conversation or Conversation.objects.filter(contact=self).first()
        if conversation and conversation.window_is_open and not closed:
            return Route.FREELY, None
        template = self.template_for(notice)
        return (Route.AS_TEMPLATE if template else Route.HELD), template

    def template_for(self, notice: str) -> "MessageTemplate | None":
        """The message template in whose words the notice with this key may go to the person."""
        from whatsapp_bot.models import MessageTemplate

        return MessageTemplate.objects.usable(notice, self.language or settings.LANGUAGE_CODE)

    def learn_name(self, name: str) -> None:
        if name and name != self.name:
            self.name = name
            self.save(update_fields=["name"])

    def absorb(self, newer: "Contact") -> None:
        """Become one with `newer`, who is the same person after all: take over all that is theirs.

        To be called in a transaction that has locked both conversations.
        """
        self.conversation.go_on_from(newer.conversation)
        for relation in self._meta.get_fields(include_hidden=True):
            if relation.one_to_many and relation.auto_created:
                _hand_over(relation.related_model, relation.field.name, newer, self)
        newer.delete()
        self.phone = newer.phone or self.phone
        self.user_id = newer.user_id or self.user_id
        self.name = newer.name or self.name
        self.language = newer.language or self.language
        self.opted_out_at = self.opted_out_at or newer.opted_out_at
        self.opt_out_told = self.opt_out_told and newer.opt_out_told
        self.blocked_at = self.blocked_at or newer.blocked_at
        self.role = max(self.role, newer.role, key=Role.values.index)
        self.save()


def _hand_over(model: type[models.Model], field: str, giver: Contact, taker: Contact) -> None:
    """Point all rows of `model` from `giver` to `taker`, but for those that the taker has too."""
    rows = model._base_manager.filter(**{field: giver})
    try:
        with transaction.atomic():
            rows.update(**{field: taker})
    except IntegrityError:
        for row in rows:
            try:
                with transaction.atomic():
                    model._base_manager.filter(pk=row.pk).update(**{field: taker})
            except IntegrityError:
                row.delete()
