"""Writing to people: the box for it, what will become of it, and what became of it."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import SafeString

from whatsapp_bot.admin.base import ModelAdmin
from whatsapp_bot.admin.bubbles import BubbleTextarea, SayableField
from whatsapp_bot.admin.cleaned import CleansText
from whatsapp_bot.admin.looks import label
from whatsapp_bot.delivery import Route, Status
from whatsapp_bot.models import Contact, Conversation, Message, MessageTemplate
from whatsapp_bot.models.template import LONGEST
from whatsapp_bot.texts import STAFF_MESSAGE
from whatsapp_bot.whatsapp_text import MAX_LENGTH, length
from whatsapp_bot.wording import Notice

MAY_WRITE = "whatsapp_bot.write_to_contact"
BOX = "to_send"
HOLE = "\ue000"
"""Stands, in a bubble, where what is typed goes: a character that nobody types."""
COLOURS = {
    Status.TROUBLE: "danger",
    Status.WAITING: "warning",
    Status.QUEUED: "info",
    Status.SENDING: "info",
    Status.UNKNOWN: "warning",
    Status.SENT: "info",
    Status.DELIVERED: "success",
    Status.READ: "success",
    Status.FAILED: "danger",
}
SHORT = {
    Status.TROUBLE: "trouble",
    Status.WAITING: "waits",
    Status.UNKNOWN: "perhaps sent",
}
"""Labels of those whose name is a sentence, which then is the reason."""
ROUTE_ICONS = {
    Route.FREELY: "send",
    Route.AS_TEMPLATE: "verified",
    Route.HELD: "hourglass_top",
    Route.NOT_AT_ALL: "block",
    Route.BLOCKED: "block",
}


def may_write(request: HttpRequest) -> bool:
    return request.user.has_perm(MAY_WRITE)


def status_label(message: Message) -> SafeString:
    status = Status(message.status)
    return label(SHORT.get(status, status.label), COLOURS.get(status, ""))


def reason(message: Message) -> str:
    """Why a message stands as it does, in a sentence; "" when that needs none."""
    status = Status(message.status)
    return message.why or (status.label.capitalize() + "." if status in SHORT else "")


def outcome(message: Message, route: Route) -> str:
    """What has become of a message that was just written, which was to go by `route`."""
    match message.status:
        case Status.WAITING:
            return f"It waits until {message.contact} writes to us, and goes then."
        case Status.FAILED:
            return f"It was not sent. {message.why}"
    if route == Route.AS_TEMPLATE:
        return "It is on its way, in the words of the approved message template."
    return "It is on its way."


@dataclass(frozen=True)
class Letter:
    """What staff may write on a page: to whom, and as which notice.

    blank: the placeholder that they fill in; values: what the other ones hold. is_reply: did the
    person ask for it? limit: in characters.
    """

    contact: Contact
    notice: Notice
    blank: str
    values: dict[str, str] = field(default_factory=dict)
    is_reply: bool = False
    limit: int = MAX_LENGTH

    @cached_property
    def route(self) -> Route:
        return self.contact.route(self.notice.key, is_reply=self.is_reply)

    @property
    def language(self) -> str:
        return self.contact.language or settings.LANGUAGE_CODE

    @cached_property
    def around(self) -> str:
        """How it will read, with a HOLE for what staff type."""
        values = {**self.values, self.blank: HOLE}
        if self.route == Route.AS_TEMPLATE:
            template = MessageTemplate.objects.usable(self.notice.key, self.language)
            return template.in_words(values) if template else HOLE
        if self.notice is STAFF_MESSAGE:
            return HOLE
        with translation.override(self.language):
            return self.notice(**values)

    @property
    def room(self) -> int:
        """How many characters may be typed, so that all of it fits a message."""
        holes = self.around.count(HOLE)
        if not holes:
            return self.limit
        longest = LONGEST if self.route == Route.AS_TEMPLATE else MAX_LENGTH
        left = longest - length(self.around.replace(HOLE, ""))
        return min(self.limit, max(left, 0) // holes)

    @property
    def flattens(self) -> str:
        """What happens to line breaks and marks in what is typed: the bubble does the same."""
        if self.route == Route.AS_TEMPLATE:
            return "lines"
        return "" if self.around == HOLE else "marks"

    def was_just_sent(self, text: str, by: Any) -> bool:
        """Has the same person of staff sent the same a moment ago?"""
        Conversation.objects.of(self.contact)  # The other press may be under way.
        same = {f"details__values__{self.blank}": text, "notice": self.notice.key}
        return self.contact.messages.just_written_by(by).filter(**same).exists()


class WritingBox(BubbleTextarea):
    """The box to write in, with the line that says what will happen, and a button of its own."""

    def __init__(self, letter: Letter) -> None:
        super().__init__(limit=letter.room, around=letter.around, flattens=letter.flattens)
        self.letter = letter

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        return render_to_string(
            "whatsapp_bot/writing_box.html",
            {
                "route": self.letter.route,
                "icon": ROUTE_ICONS[self.letter.route],
                "closed": self.letter.route.is_shut,
                "editor": super().render(name, value, attrs, renderer),
            },
        )


class WritingForm(forms.ModelForm):
    """A page's form that has a box to write in. It is sent by its own button, and never by Save."""

    letter: Letter

    @classmethod
    def to_write(cls, letter: Letter, base: type[forms.ModelForm]) -> type[forms.ModelForm]:
        """The form `base`, with a box for the letter."""
        box = SayableField(
            label="Message",
            required=False,
            limit=letter.room,
            widget=WritingBox(letter),
            disabled=letter.route.is_shut,
        )
        return type(base.__name__, (cls, base), {"letter": letter, BOX: box})

    @property
    def is_sent(self) -> bool:
        return "send" in self.data

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        text = self.cleaned_data.get(BOX)
        if self.is_sent and self.letter.route.is_shut:
            self.add_error(BOX, self.letter.route.label)
        elif self.is_sent and text == "":
            self.add_error(BOX, "Write something first.")
        elif text and not self.is_sent:
            self.add_error(
                BOX,
                "You have not sent your message yet. Send it, or empty the box to save without it.",
            )
        return cleaned


class WritingAdmin(CleansText, ModelAdmin):
    """A page with a box to write to somebody in, for those who may write to people.

    They may do so without being allowed to change anything else on the page.
    """

    class Media:
        css = {"all": ["whatsapp_bot/writing.css"]}

    def letter(self, obj: Any) -> Letter:
        """What may be written on the page of `obj`."""
        raise NotImplementedError

    def write(self, obj: Any, text: str, by: Any) -> Message | None:
        """Write `text`, as it belongs to `obj`; the message."""
        raise NotImplementedError

    def box_title(self, obj: Any) -> str:
        raise NotImplementedError

    def box(self, request: HttpRequest, obj: Any) -> list[tuple[str, dict[str, Any]]]:
        """The part of the page with the box."""
        if not self.may_write_here(request, obj):
            return []
        return [(self.box_title(obj), {"fields": [BOX]})]

    # Who may ------------------------------------------------------------------------------------

    def may_write_here(self, request: HttpRequest, obj: Any) -> bool:
        return obj is not None and may_write(request) and self.has_view_permission(request, obj)

    def may_change(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # A page that can be written on has to be one that can be posted.
        return self.may_change(request, obj) or self.may_write_here(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None or self.may_change(request, obj):
            return super().get_readonly_fields(request, obj)
        shown = flatten_fieldsets(self.get_fieldsets(request, obj))
        return [name for name in shown if name != BOX]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        if "send" in request.POST and not may_write(request):
            raise PermissionDenied
        shown = {} if not object_id or self.may_change(request) else {"show_save": False}
        context = {**shown, **(extra_context or {})}
        if shown:
            context["show_save_and_continue"] = False
        return super().changeform_view(request, object_id, form_url, context)

    # The page -----------------------------------------------------------------------------------

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any
    ) -> type[forms.ModelForm]:
        if self.may_write_here(request, obj):
            options["form"] = WritingForm.to_write(self.letter(obj), self._own_form(request, obj))
        return super().get_form(request, obj, change, **options)

    def _own_form(self, request: HttpRequest, obj: Any) -> type[forms.ModelForm]:
        """The page's form, without those fields of its own that may only be read."""
        readonly = self.get_readonly_fields(request, obj)
        read = {name: None for name in self.form.declared_fields if name in readonly}
        return type(self.form.__name__, (self.form,), read)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        # Writing locks the conversation, and what locks it does so before anything else.
        self.send_what_is_written(request, obj, form)
        self.save_changes(request, obj, form, change)

    def save_changes(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save what was changed on the page, and leave what others change meanwhile."""
        if change:
            ours = {field.name for field in obj._meta.concrete_fields}
            obj.save(update_fields=ours.intersection(form.changed_data))
        else:
            super().save_model(request, obj, form, change)

    def send_what_is_written(self, request: HttpRequest, obj: Any, form: Any) -> None:
        if not getattr(form, "is_sent", False):
            return
        letter, text = form.letter, form.cleaned_data[BOX]
        if letter.was_just_sent(text, request.user):
            messages.warning(request, "You have just sent the same, so it was not sent again.")
        elif message := self.write(obj, text, request.user):
            failed = message.status == Status.FAILED
            tell = messages.error if failed else messages.success
            tell(request, outcome(message, letter.route))
        else:
            # It was shut between the look at it and the writing.
            messages.error(request, letter.contact.route(letter.notice.key).label)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        if "send" in request.POST:
            return HttpResponseRedirect(request.get_full_path())
        return super().response_change(request, obj)
