"""What the simulator's page shows of a conversation."""

from typing import Any

from django.utils import timezone
from django.utils.formats import date_format

from whatsapp_bot.delivery import Status
from whatsapp_bot.models import Contact, Message
from whatsapp_bot.simulator.attachments import path_here

A_PAGE = 50


def page_before(contact: Contact, before: int | None = None) -> dict[str, Any]:
    """The last messages, or the last ones before the message `before`; is there any `earlier`?"""
    messages = _all(contact).order_by("-pk")
    if before:
        messages = messages.filter(pk__lt=before)
    page = list(messages[: A_PAGE + 1])
    return {
        "messages": [as_json(message) for message in reversed(page[:A_PAGE])],
        "earlier": len(page) > A_PAGE,
    }


def page_after(contact: Contact, after: int) -> dict[str, Any]:
    """What came since the message `after`, and what became of ours until then.

    One of ours that waited may have gone in the words of a message template.
    """
    messages = _all(contact).filter(pk__gt=after).order_by("pk")[:A_PAGE]
    ours = contact.messages.filter(pk__lte=after, direction=Message.Direction.OUT).order_by("-pk")
    return {
        "messages": [as_json(message) for message in messages],
        "deliveries": {
            message.pk: {**delivery(message), "text": message.read} for message in ours[:A_PAGE]
        },
    }


def said_and_replied(sid: str) -> list[dict[str, Any]]:
    """The stored message with this SID, and its replies."""
    said = Message.objects.get(sid=sid)
    return [as_json(message) for message in [said, *said.replies.order_by("pk")]]


def as_json(message: Message) -> dict[str, Any]:
    at = timezone.localtime(message.created_at)
    return {
        "id": message.pk,
        "sid": message.sid or "",
        "mine": message.direction == Message.Direction.IN,
        "kind": message.kind,
        "kind_name": message.get_kind_display(),
        "text": message.read,
        "day": date_format(at, "j F Y"),
        "time": date_format(at, "H:i"),
        "trouble": message.status == Status.TROUBLE,
        "delivery": delivery(message) if message.direction == Message.Direction.OUT else None,
        "files": [path_here(file.url) for file in message.media.all()],
        "file_name": message.file_name,
        "place": message.location,
    }


def delivery(message: Message) -> dict[str, str]:
    """How far a message of ours is, in words, and why it is no further."""
    words = message.get_status_display()
    return {"status": message.status, "words": f"{words}: {message.why}" if message.why else words}


def _all(contact: Contact) -> Any:
    return contact.messages.prefetch_related("media")
