"""A conversation as both sides saw it, for staff."""

from collections.abc import Iterable

from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from whatsapp_bot.admin.files import shown
from whatsapp_bot.admin.writing import reason, status_label
from whatsapp_bot.models import Message


def talk(messages: QuerySet[Message], request: HttpRequest) -> SafeString:
    """These messages as bubbles, oldest first, with their files and what became of them."""
    chosen = messages.select_related("contact", "written_by").prefetch_related("media")
    return render_to_string("whatsapp_bot/talk.html", {"bubbles": list(_bubbles(chosen, request))})


def _bubbles(messages: Iterable[Message], request: HttpRequest) -> Iterable[dict[str, object]]:
    may_see_files = request.user.has_perm("whatsapp_bot.view_media")
    for message in messages:
        is_ours = message.direction == Message.Direction.OUT
        yield {
            "message": message,
            "is_ours": is_ours,
            "state": status_label(message) if is_ours else "",
            "reason": reason(message),
            "files": [shown(file) for file in message.media.all()] if may_see_files else [],
            "place": [message.details.get(name, "") for name in ("Latitude", "Longitude")],
        }
