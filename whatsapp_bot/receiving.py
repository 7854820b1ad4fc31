"""A message comes in: it is stored, and answered, kept for later, or not answered at all."""

from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import (
    IntegrityError,
    InterfaceError,
    NotSupportedError,
    OperationalError,
    transaction,
)
from django.utils import translation

from whatsapp_bot import texts
from whatsapp_bot.delivery import Status
from whatsapp_bot.desk import COURTESIES, WORDS, Desk, stop_or_start
from whatsapp_bot.dialog import words_in
from whatsapp_bot.emergency import tells_of_emergency
from whatsapp_bot.inbound import Incoming
from whatsapp_bot.models import Conversation, HelpRequest, Message
from whatsapp_bot.on_disk import NotOnDisk
from whatsapp_bot.place import Place
from whatsapp_bot.queueing import in_turn
from whatsapp_bot.vocabulary import asks_for_a_person, meant_by
from whatsapp_bot.whatsapp_text import digits_to_number, paragraphs

log = structlog.get_logger("whatsapp_bot")

ABOUT_THE_SAME_TIME = timedelta(seconds=5)
BLOCKED = "The person was blocked, so it was not answered."
OVERTAKEN = "It reached us after what the person wrote later, so it was not answered."


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a message. outcome: answered, silent, blocked, late, duplicate or trouble."""

    replies: list[Message]
    outcome: str
    flow: str = ""


def receive(incoming: Incoming) -> Answer:
    """Store the message, answer it, and store the answer, in one transaction.

    The same SID again gets the stored reply. A fault of our own leaves the message stored, and
    says so to the person. Words that were fetched, and that others overtook, are kept (see `keep`).
    Raises OperationalError or InterfaceError when the database is away, and NotOnDisk.
    """
    try:
        return _take_as_things_are(incoming)
    except (OperationalError, InterfaceError, NotOnDisk):
        raise
    except IntegrityError as error:
        replies = Message.objects.replies_to(incoming.sid)
        if replies is not None:
            return Answer(replies, "duplicate")
        return _store_only(incoming, error)
    except Exception as error:
        return _store_only(incoming, error)


def _take_as_things_are(incoming: Incoming) -> Answer:
    with in_turn():
        try:
            return _take(incoming)
        except NotSupportedError:
            # A migration changed a column since PostgreSQL planned a statement: it does so anew.
            return _take(incoming)


@transaction.atomic
def _take(incoming: Incoming) -> Answer:
    conversation, message = Message.objects.hear(incoming)
    contact = conversation.contact
    if contact.is_blocked:
        message.leave_unanswered(BLOCKED)
        return _leave(conversation, message, incoming, outcome="blocked")
    if _is_overtaken(incoming, conversation):
        message.leave_unanswered(OVERTAKEN)
        return _leave(conversation, message, incoming)
    with _in_language(contact.language or settings.LANGUAGE_CODE):
        text = Desk(conversation, message, incoming).answer()
    conversation.hear(message.created_at)
    conversation.release()
    contact.learn_name(incoming.sender.name)
    replies = Message.objects.replies(message, text) if text else []
    conversation.conclude(replies)
    return Answer(replies, "answered" if replies else "silent", conversation.flow)


def _in_language(language: str) -> AbstractContextManager:
    """Have texts be in it, which mostly they are."""
    is_so = translation.get_language() == language
    return nullcontext() if is_so else translation.override(language)


def _is_overtaken(incoming: Incoming, conversation: Conversation) -> bool:
    """Are these words, fetched, from before what the person said since and was answered?

    They would be taken for the answer to a question that nobody had asked yet.
    """
    if not (incoming.received_at and conversation.heard_at) or incoming.kind.is_attachment:
        return False
    return conversation.heard_at - incoming.received_at > ABOUT_THE_SAME_TIME


@transaction.atomic
def _store_only(incoming: Incoming, error: Exception) -> Answer:
    log.error("message could not be handled", sid=incoming.sid, exc_info=error)
    conversation, message = Message.objects.hear(incoming)
    Message.objects.filter(pk=message.pk).update(status=Status.TROUBLE)
    conversation.hear(message.created_at)
    conversation.save(update_fields=["heard_at"])
    if conversation.contact.is_blocked:
        return Answer([], "trouble")
    warning = texts.EMERGENCY() if _raises_alarm_all_the_same(message) else ""
    return Answer(Message.objects.reply(message, paragraphs(warning, texts.TROUBLE())), "trouble")


def _raises_alarm_all_the_same(message: Message) -> bool:
    """Does it tell of an emergency, and does the team know? That may be just what failed."""
    if not tells_of_emergency(message.body):
        return False
    with suppress(Exception), transaction.atomic():
        HelpRequest.objects.alarm(message)
        return True
    return False


def keep(incoming: Incoming) -> Answer:
    """Store a message that comes too late to be answered; outcome: late, or duplicate.

    The conversation stands where it stood, since the person would not see how it goes on. A stop
    is a stop all the same, what is for people is left for the team, and who tells of an emergency
    hears whom to call. Raises IntegrityError when it cannot be stored, else as `receive`.
    """
    try:
        return _keep(incoming)
    except IntegrityError:
        if Message.objects.replies_to(incoming.sid) is None:
            raise
        return Answer([], "duplicate")


@transaction.atomic
def _keep(incoming: Incoming) -> Answer:
    return _leave(*Message.objects.hear(incoming), incoming)


def _leave(
    conversation: Conversation, message: Message, incoming: Incoming, outcome: str = "late"
) -> Answer:
    """Have it stored, and not answered but for a warning."""
    contact = conversation.contact
    word = stop_or_start(incoming.text)
    if word and not _was_decided_since(message):
        if word == "stop":
            contact.opt_out(told=False)
        else:
            contact.opt_in()
    if not contact.is_blocked:
        _have_team_see(conversation, message)
    conversation.hear(message.created_at)
    warning: list[Message] = []
    if conversation.window_is_open and not contact.is_blocked:
        conversation.release()
        warning = _warning(message)
    conversation.save(update_fields=["heard_at"])
    contact.learn_name(incoming.sender.name)
    return Answer(warning, outcome)


def _warning(message: Message) -> list[Message]:
    """Whom to call in an emergency, said however late, unless the person has read it since."""
    if not tells_of_emergency(message.body):
        return []
    with _in_language(message.contact.language or settings.LANGUAGE_CODE):
        text = texts.EMERGENCY()
    said = message.contact.messages.filter(direction=Message.Direction.OUT)
    is_known = said.filter(created_at__gt=message.created_at, body__startswith=text).exists()
    return [] if is_known else Message.objects.reply(message, text)


def _have_team_see(conversation: Conversation, message: Message) -> None:
    """Leave for the team what is for people, since nobody else will see to it."""
    if tells_of_emergency(message.body):
        HelpRequest.objects.alarm(message)
    elif message.has_attachment or _is_for_people(words_in(message.body), conversation, message):
        HelpRequest.objects.add(message, since=message.created_at)
    else:
        return
    message.note_passed_on()


def _is_for_people(words: str, conversation: Conversation, message: Message) -> bool:
    """Do these words ask for a person, or reply to one?"""
    if asks_for_a_person(words):
        return True
    word, place = meant_by(words), Place.of(conversation)
    if word in WORDS or not (place.is_at_rest or place.was_told_since):
        return False
    is_doubtful = word in COURTESIES or digits_to_number(message.body) is not None
    return bool(place.expected(message.created_at, asks=is_doubtful))


def _was_decided_since(message: Message) -> bool:
    """Has the person written stop or start later than this message?"""
    later = message.contact.messages.filter(
        direction=Message.Direction.IN, created_at__gt=message.created_at
    )
    return any(map(stop_or_start, later.values_list("body", flat=True)))
