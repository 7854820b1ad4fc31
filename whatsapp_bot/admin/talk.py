"""A conversation as both sides saw it, for staff, and the pages that are built around one."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from whatsapp_bot.admin.files import shown
from whatsapp_bot.admin.writing import WritingAdmin, reason, status_label
from whatsapp_bot.models import Contact, Message

AT_ONCE = 50
MAY_SEE = "whatsapp_bot.view_message"


SCRIPTS = ["simulator/marks.js", "whatsapp_bot/talk.js"]


def talk(
    messages: Iterable[Message], request: HttpRequest, about: Iterable[int] = (), **more: Any
) -> SafeString:
    """These messages as bubbles, oldest first, with their files and what became of them.

    They come `to_show()`. about: the ids of those that the page is about, and begins with. more:
    what else its template knows of.
    """
    context = {"bubbles": list(_bubbles(messages, request)), "about": list(about), **more}
    return render_to_string("whatsapp_bot/talk.html", context)


def conversation(contact: Contact, request: HttpRequest) -> SafeString:
    """The last messages with a contact, and a link to those before; `?before=` asks for them."""
    asked = request.GET.get("before", "")[:18]
    before = int(asked) if asked.isdecimal() else None
    found = contact.messages.to_show().latest_before(before, AT_ONCE + 1)
    last = found[-AT_ONCE:]
    earlier = last[0].pk if len(found) > AT_ONCE else None
    return talk(last, request, scrolls=True, earlier=earlier, is_past=before is not None)


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
            "place": message.location,
        }


@dataclass(frozen=True)
class Row:
    """One line of a panel: where it leads, what it is, and how it stands."""

    link: str
    text: str
    state: SafeString | str = ""
    note: str = ""


@dataclass(frozen=True)
class Panel:
    """What is listed beside a conversation. everything: the link to all of it."""

    title: str
    rows: list[Row] = field(default_factory=list)
    everything: str = ""


class TalkAdmin(WritingAdmin):
    """A page with a conversation, the box to write in under it, and the rest beside it.

    Beside it is also each fieldset of the class `beside`.
    """

    change_form_template = "whatsapp_bot/talk_page.html"

    class Media:
        css = {"all": ["whatsapp_bot/talk.css"]}
        js = SCRIPTS

    def conversation(self, request: HttpRequest, obj: Any) -> SafeString:
        raise NotImplementedError

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        return []

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *how: Any, **options: Any
    ) -> HttpResponse:
        if obj := options.get("obj"):
            may_see = request.user.has_perm(MAY_SEE)
            context["conversation"] = self.conversation(request, obj) if may_see else ""
            context["panels"] = self.panels(request, obj)
        return super().render_change_form(request, context, *how, **options)
