from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import IntegrityError, OperationalError, models, transaction
from django.utils import timezone

from whatsapp_bot import prepared
from whatsapp_bot.delivery import Status
from whatsapp_bot.inbound import Sender
from whatsapp_bot.models.contact import Contact

if TYPE_CHECKING:
    from whatsapp_bot.models.message import Message
    from whatsapp_bot.models.template import MessageTemplate

TRIES_TO_LEARN = 5
REPLY_WITHIN = timedelta(days=1)
WINDOW = timedelta(hours=24) - timedelta(minutes=1)
"""How long after a person's last message anything may be written: WhatsApp's day, less a little."""


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def of(self, contact: Contact) -> "Conversation":
        """The contact's conversation, which nobody else can have until the transaction ends."""
        locked = self.select_for_update(no_key=True)
        # Somebody else may make it in this moment.
        return locked.get_or_create(contact=contact)[0]

    def active(self) -> "ConversationQuerySet":
        """Those that have not fallen silent for so long that they start again."""
        silence = timedelta(hours=settings.CONVERSATION_TIMEOUT_HOURS)
        return self.filter(heard_at__gte=timezone.now() - silence)


class ConversationManager(models.Manager.from_queryset(ConversationQuerySet)):
    """What a turn begins with."""

    def locked(self, sender: Sender) -> "Conversation":
        """The sender's conversation, which nobody else can have until the transaction ends.

        A new sender gets a contact and a conversation. Raises OperationalError when others keep
        changing who the sender is.
        """
        for _ in range(TRIES_TO_LEARN):
            conversation = self._learn(sender)
            if conversation:
                return conversation
        raise OperationalError("The sender's contact is being changed by others")

    def locked_to_hear(self, message: "Message", sender: Sender) -> "Conversation":
        """The same, with a new message of the sender stored; fast when nothing of them is new."""
        given = {"contact__phone": sender.phone, "contact__user_id": sender.user_id}
        known = {name: value for name, value in given.items() if value}
        locking, values = _locking(*known), [*known.values()]
        conversation = prepared.find_and_insert(locking, values, message, "contact_id")
        if not conversation:
            conversation = self.locked(sender)
            message.contact_id = conversation.pk
            prepared.insert(message)
        message.contact = conversation.contact
        return conversation

    def _learn(self, sender: Sender) -> "Conversation | None":
        """The conversation, with what is new about the sender; None: look again."""
        try:
            with transaction.atomic():
                self._begin(sender)
                return _the_one(list(self._known_as(sender)), sender)
        except IntegrityError:  # Somebody else learnt the same in this moment.
            return None

    def _known_as(self, sender: Sender) -> models.QuerySet["Conversation"]:
        locked = self.select_related("contact").select_for_update(no_key=True)
        return locked.filter(contact__in=_contacts_of(sender)).order_by("contact")

    def _begin(self, sender: Sender) -> None:
        """Make the contact and its conversation, unless somebody else does so just now."""
        contact = Contact(phone=sender.phone, user_id=sender.user_id, name=sender.name)
        Contact.objects.bulk_create([contact], ignore_conflicts=True)
        silent = Contact.objects.filter(pk__in=_contacts_of(sender), conversation=None)
        self.bulk_create([Conversation(contact=one) for one in silent], ignore_conflicts=True)


@cache
def _locking(*known: str) -> prepared.Query["Conversation"]:
    """Locks the conversation whose contact has the given values in these fields."""
    joined = Conversation.objects.select_related("contact").select_for_update(no_key=True)
    joined = joined.defer("contact__created_at", "contact__written_at")
    return prepared.Query(joined.filter(**dict.fromkeys(known, "")))


def _contacts_of(sender: Sender) -> models.QuerySet[Contact]:
    """The ids of the contacts with the sender's phone number or user id.

    A union, since SQLite reads the whole table for an OR.
    """
    known = {"phone": sender.phone, "user_id": sender.user_id}
    first, *rest = (
        Contact.objects.filter(**{name: value}).values("pk")
        for name, value in known.items()
        if value
    )
    return first.union(*rest) if rest else first


class Conversation(models.Model):
    """Where we are with a contact. Its row is the lock that makes two messages two turns."""

    contact = models.OneToOneField(Contact, models.CASCADE, primary_key=True)
    flow = models.CharField(
        "under way", max_length=120, blank=True, help_text="The address of the flow; empty at rest."
    )
    state = models.JSONField(default=dict, blank=True)
    heard_at = models.DateTimeField("last message from the person", null=True, blank=True)

    holds = models.BooleanField(
        default=False, editable=False, help_text="Do messages wait until the person writes?"
    )

    objects = ConversationManager()

    class Meta:
        permissions = [("use_simulator", "Can use the simulator")]

    def __str__(self) -> str:
        return f"Conversation with {self.contact}"

    @property
    def window_is_open(self) -> bool:
        """May anything be written to the person, who wrote less than 24 hours ago?"""
        return self.heard_at is not None and timezone.now() - self.heard_at < WINDOW

    def hear(self, moment: datetime) -> None:
        """Note that the person wrote then, which may be before what we heard last."""
        self.heard_at = max(self.heard_at or moment, moment)

    def conclude(self, replies: "Sequence[Message]") -> None:
        """Store where the turn led, and what was replied: the last thing in its transaction."""
        prepared.update_and_insert(self, ("flow", "state", "heard_at"), replies)

    def hold(self) -> None:
        """Note that messages wait until the person writes."""
        self.holds = True
        self.save(update_fields=["holds"])

    def release(self) -> None:
        """Have the messages go that wait for the person, who has written now."""
        if self.holds:
            self.holds = False
            self._expect_what_waited()
            self.save(update_fields=["holds", "state"])
            self.contact.messages.release()

    def release_for(self, template: "MessageTemplate") -> int:
        """Have those go that waited for this template, and fit it; how many that are."""
        waiting = self.contact.messages.waiting().filter(notice=template.notice)
        fitting = [message.pk for message in waiting if template.holds(message)]
        if not fitting:
            return 0
        count = self.contact.messages.filter(pk__in=fitting).release()
        self.holds = self.contact.messages.waiting().exists()
        if self.state.get("expects_then", {}).get("message") in fitting:
            self._expect_what_waited()
        self.save(update_fields=["holds", "state"])
        return count

    def expect(self, address: str, told: "Message", *, asks: bool) -> None:
        """Have what the person says within a day, when nothing else is under way, open `address`.

        told: what it may be a reply to; while that waits, it takes the place of nothing that the
        person has read. asks: that is a question, so also a number is the answer. Until it is
        answered, nothing that does not ask takes its place.
        """
        about = {"address": address, "notice": told.notice, "message": told.pk, "asks": asks}
        if told.status == Status.WAITING:
            self._expect_then(about)
        else:
            self._expect_from_now(about)
        self.save(update_fields=["state"])

    def expect_later(self, told: "Message") -> None:
        """Have no reply be expected to what waits now, until it goes."""
        about = self.state.get("expects", {})
        if about.get("message") == told.details.get("again_of", told.pk):
            self.state = {**self.state, "expects": {}}
            self._expect_then({name: about[name] for name in about if name != "until"})
            self.save(update_fields=["state"])

    def expect_still(self, told: "Message") -> None:
        """Have a reply be expected again, within a day of now, to what goes again."""
        about = self.state.get("expects", {})
        if about.get("message") == told.details["again_of"]:
            self._expect_from_now(about)
            self.save(update_fields=["state"])

    def _expect_then(self, about: dict[str, Any]) -> None:
        self._have_expected("expects_then", about)

    def _expect_what_waited(self) -> None:
        about = self.state.get("expects_then")
        if about:
            self.state = {**self.state, "expects_then": {}}
            self._expect_from_now(about)

    def _expect_from_now(self, about: dict[str, Any]) -> None:
        until = (timezone.now() + REPLY_WITHIN).isoformat()
        self._have_expected("expects", {**about, "until": until, "just": True})

    def _have_expected(self, when: str, about: dict[str, Any]) -> None:
        self.state = {**self.state, when: _more_urgent(about, self.state.get(when))}

    def stand_at(self, address: str) -> None:
        """Have the next message open what is at `address`."""
        self.flow, self.state, self.heard_at = address, {}, timezone.now()
        self.save()

    def go_on_from(self, other: "Conversation") -> None:
        """Stand where the one of the two stands that was heard later.

        What the other one was in the middle of is put aside, to be offered again.
        """
        later = other.heard_at and (not self.heard_at or other.heard_at > self.heard_at)
        now, before = (other, self) if later else (self, other)
        kept = [*before.state.get("kept", []), *now.state.get("kept", [])]
        aside = [*before.state.get("aside", []), *now.state.get("aside", [])]
        if before.state.get("asking", {}).get("answers"):
            aside.append({"flow": before.flow, "asking": before.state["asking"], "kept": []})
        self.flow, self.heard_at = now.flow, now.heard_at
        # What staff asked the other one is still to be answered.
        expects = {
            when: _more_urgent(now.state.get(when), before.state.get(when))
            for when in ("expects", "expects_then")
        }
        self.state = {**now.state, "kept": kept, "aside": aside, **expects}
        self.holds = self.holds or other.holds
        self.save()


def _is_expected_still(about: dict[str, Any]) -> bool:
    """Is it still to be replied to? What waits has no end yet."""
    return "until" not in about or timezone.now() <= datetime.fromisoformat(about["until"])


def _more_urgent(*expected: dict[str, Any] | None) -> dict[str, Any]:
    """Of what may be replied to the first, and what asks before what tells."""
    open_still = [about for about in expected if about and _is_expected_still(about)]
    return max(open_still, key=lambda about: about["asks"], default={})


def _the_one(known: list[Conversation], sender: Sender) -> Conversation | None:
    """Which of the conversations known under the sender's phone or user id is the sender's.

    Learns what is new: a user id for a phone number, another phone number, or that two
    contacts are one person. A phone number with another user id has passed on to somebody new.
    """
    by_phone = next((one for one in known if one.contact.phone == sender.phone), None)
    by_user_id = next((one for one in known if one.contact.user_id == sender.user_id), None)
    if not sender.user_id:
        return by_phone
    if not sender.phone or by_phone is by_user_id:
        return by_user_id
    if by_phone and not by_phone.contact.user_id:
        if by_user_id:
            return _merged(by_phone, by_user_id, sender)
        _note(by_phone.contact, user_id=sender.user_id)
        return by_phone
    if by_phone:
        _note(by_phone.contact, phone=None)
    if by_user_id:
        _note(by_user_id.contact, phone=sender.phone)
    return by_user_id


def _merged(one: Conversation, other: Conversation, sender: Sender) -> Conversation:
    older, newer = sorted((one, other), key=lambda conversation: conversation.contact.pk)
    older.contact.conversation = older
    newer.contact.conversation = newer
    older.contact.absorb(newer.contact)
    _note(older.contact, phone=sender.phone, user_id=sender.user_id)
    return older


def _note(contact: Contact, **values: str | None) -> None:
    for name, value in values.items():
        setattr(contact, name, value)
    contact.save(update_fields=values)
