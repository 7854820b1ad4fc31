"""Who talks to us, and what was said."""

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import InlineModelAdmin
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST
from unfold.decorators import action
from unfold.widgets import UnfoldBooleanSwitchWidget

from whatsapp_bot.admin.base import BigAdmin
from whatsapp_bot.admin.files import MediaInline
from whatsapp_bot.admin.log import LogAdmin
from whatsapp_bot.admin.looks import label
from whatsapp_bot.admin.others import AmongOthers, FormAmongOthers
from whatsapp_bot.admin.searching import SearchedByWords
from whatsapp_bot.admin.talk import Panel, TalkAdmin, conversation
from whatsapp_bot.admin.writing import Letter, may_write, reason, status_label
from whatsapp_bot.models import Contact, Conversation, Message
from whatsapp_bot.models.contact import Role
from whatsapp_bot.models.message import Resent
from whatsapp_bot.texts import STAFF_MESSAGE
from whatsapp_bot.wording import Notice, Text, day_and_time

COLOURS = {Role.CUSTOMER: "info", Role.WORKER: "primary"}

PanelOf = Callable[[HttpRequest, Contact], Panel | None]
_beside: list[PanelOf] = []


def beside_a_contact(panel: PanelOf) -> PanelOf:
    """Have the page of a contact show this panel beside the conversation; None shows nothing."""
    _beside.append(panel)
    return panel


class ReachFilter(admin.SimpleListFilter):
    title = "how we stand"
    parameter_name = "reach"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [("stopped", "has stopped our messages"), ("blocked", "blocked")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        match self.value():
            case "stopped":
                return queryset.filter(opted_out_at__isnull=False)
            case "blocked":
                return queryset.filter(blocked_at__isnull=False)
        return queryset


class ContactForm(FormAmongOthers):
    blocked = forms.BooleanField(
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="We neither answer nor write. What the person sends is still stored, and shown.",
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if blocked := self.fields.get("blocked"):
            blocked.initial = self.instance.is_blocked


@admin.register(Contact)
class ContactAdmin(AmongOthers, TalkAdmin):
    form = ContactForm
    watched = ("blocked_at",)
    is_held = False  # A turn locks the conversation first.
    list_display = ["__str__", "phone", "user_id", "kind", "language", "last_heard", "marks"]
    list_filter = [
        "role",
        ReachFilter,
        ("language", admin.AllValuesFieldListFilter),
        "created_at",
    ]
    list_select_related = ["conversation"]
    list_per_page = 50
    search_fields = ["name", "phone", "user_id"]
    search_help_text = "Name, phone number or user id"
    readonly_fields = ["opted_out_at", "created_at", "last_heard", "written_at"]
    ordering = [F("conversation__heard_at").desc(nulls_last=True), "-pk"]
    inlines: list[type[InlineModelAdmin]] = []
    """Those of the apps above, which append theirs."""

    def get_fieldsets(self, request: HttpRequest, obj: Contact | None = None) -> list[Any]:
        person = ["name", "phone", "user_id", "role", "language"]
        if obj is None:
            return [(None, {"fields": person})]
        times = ["last_heard", "written_at", "opted_out_at", "created_at"]
        beside = {"fields": [*person, "blocked", *times], "classes": ["beside"]}
        return [*self.box(request, obj), ("The person", beside)]

    # The conversation, and what is beside it ----------------------------------------------------

    def conversation(self, request: HttpRequest, obj: Contact) -> SafeString:
        return conversation(obj, request)

    def panels(self, request: HttpRequest, obj: Contact) -> list[Panel]:
        return [panel for panel_of in _beside if (panel := panel_of(request, obj))]

    def box_title(self, obj: Contact) -> str:
        return f"Write to {obj}"

    def letter(self, obj: Contact) -> Letter:
        return Letter(obj, STAFF_MESSAGE, blank="text")

    def write(self, obj: Contact, text: str, by: AbstractBaseUser) -> Message:
        return obj.send(text, by)[-1]

    # The person ---------------------------------------------------------------------------------

    @admin.display(description="role", ordering="role")
    def kind(self, contact: Contact) -> SafeString:
        return label(contact.get_role_display(), COLOURS.get(Role(contact.role), ""))

    @admin.display(
        description="last message",
        # Who has never written comes last, on PostgreSQL as well.
        ordering=F("conversation__heard_at").asc(nulls_first=True),
        empty_value="–",
    )
    def last_heard(self, contact: Contact) -> str | None:
        conversation = getattr(contact, "conversation", None)
        return conversation and conversation.heard_at and day_and_time(conversation.heard_at)

    @admin.display(description="")
    def marks(self, contact: Contact) -> SafeString:
        stands = [
            *([label("stopped", "warning")] if contact.opted_out_at else []),
            *([label("blocked", "danger")] if contact.is_blocked else []),
        ]
        return format_html_join(" ", "{}", ((mark,) for mark in stands))

    @admin.display(description="blocked")
    def blocked(self, contact: Contact) -> str:
        return f"since {day_and_time(contact.blocked_at)}" if contact.blocked_at else "no"

    def save_changes(self, request: HttpRequest, obj: Contact, form: Any, change: bool) -> None:
        super().save_changes(request, obj, form, change)
        if "blocked" in form.changed_data:
            obj.block() if form.cleaned_data["blocked"] else obj.unblock()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # With a contact would go all that the person ever sent.
        return False


@admin.register(Conversation)
class ConversationAdmin(LogAdmin):
    list_display = ["contact", "flow", "heard_at"]
    list_filter = ["heard_at"]
    list_select_related = ["contact"]
    search_fields = ["contact__name", "contact__phone", "contact__user_id", "flow"]
    search_help_text = "Person or what is under way"
    ordering = ["-heard_at"]

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        try:
            return super().get_object(request, object_id, from_field)
        except OverflowError:  # Its key is one of another table: Django does not look how large.
            return None


class FailedFilter(admin.SimpleListFilter):
    title = "failed"
    parameter_name = "failed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [("open", "failed and not sent again")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.failed() if self.value() == "open" else queryset


class NoticeFilter(admin.SimpleListFilter):
    """The notices that there are: those in the table could only be found by reading all of it."""

    title = "notice"
    parameter_name = "notice"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(notice.key, notice.about) for notice in Notice.all()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(notice=self.value()) if self.value() else queryset


@admin.register(Message)
class MessageAdmin(SearchedByWords, BigAdmin, LogAdmin):
    list_display = ["at", "contact", "direction", "text", "state", "why", "written_by"]
    list_display_links = ["text"]
    list_filter = [FailedFilter, "status", "direction", NoticeFilter, "kind", "created_at"]
    list_select_related = ["contact", "written_by"]
    search_fields = ["body"]
    search_help_text = "Words of the message, person or SID"
    ordering = ["-pk"]
    inlines = [MediaInline]
    actions = ["send_again"]
    change_form_outer_before_template = "whatsapp_bot/send_again.html"
    fieldsets = [
        (None, {"fields": ["created_at", "contact", "direction", "kind", "body", "in_reply_to"]}),
        (
            "What became of it",
            {
                "fields": [
                    "state",
                    "why",
                    "next_message",
                    "attempts",
                    "try_at",
                    "cost",
                    "written_by",
                    "what_for",
                    "template",
                    "as_template",
                ]
            },
        ),
        ("As Twilio has it", {"fields": ["sid", "quoted_sid", "details"]}),
    ]

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        return lookup == "contact__id__exact" or super().lookup_allowed(lookup, value, request)

    @admin.display(description="at", ordering="pk")
    def at(self, message: Message) -> SafeString:
        return format_html(
            '<span class="whitespace-nowrap">{}</span>', day_and_time(message.created_at)
        )

    @admin.display(description="message")
    def text(self, message: Message) -> str:
        return str(message)

    @admin.display(description="status", ordering="status")
    def state(self, message: Message) -> SafeString:
        return status_label(message)

    @admin.display(description="reason")
    def why(self, message: Message) -> str:
        again = "It was sent again." if message.sent_again_as else ""
        return f"{reason(message)} {again}".strip() or "–"

    @admin.display(description="sent again")
    def next_message(self, message: Message) -> SafeString | str:
        if not message.sent_again_as:
            return "no"
        there = reverse("admin:whatsapp_bot_message_change", args=[message.sent_again_as])
        return format_html('<a class="text-link" href="{}">yes, as this one</a>', there)

    @admin.display(description="price")
    def cost(self, message: Message) -> str:
        return f"{message.price:f} {message.price_unit}" if message.price_unit else "–"

    @admin.display(description="what for")
    def what_for(self, message: Message) -> str:
        declared = Text.declared.get(message.notice)
        return declared.about if declared else message.notice

    @admin.display(description="in its words")
    def as_template(self, message: Message) -> str:
        return message.details.get("as_template", "–")

    # Sending again ------------------------------------------------------------------------------

    def has_write_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_write(request) and self.has_view_permission(request, obj)

    @action(description="Send again", permissions=["write"])
    def send_again(self, request: HttpRequest, chosen: QuerySet[Message]) -> None:
        results = [message.send_again_now(request.user) for message in chosen.order_by("pk")]
        counts = {result: results.count(result) for result in Resent if result in results}
        was_sent = Resent.ON_ITS_WAY in counts or Resent.WAITS in counts
        tell = messages.success if was_sent else messages.warning
        tell(request, "; ".join(result.of(count) for result, count in counts.items()) + ".")

    def send_one_again(self, request: HttpRequest, message_id: int) -> HttpResponse:
        """What the button on a message's page does."""
        if not self.has_write_permission(request):
            raise PermissionDenied
        self.send_again(request, Message.objects.filter(pk=message_id))
        return redirect("admin:whatsapp_bot_message_change", message_id)

    def get_urls(self) -> list[URLPattern]:
        again = self.admin_site.admin_view(require_POST(self.send_one_again))
        name = "whatsapp_bot_message_send_again"
        return [path("<int:message_id>/send-again/", again, name=name), *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = {"may_write": self.has_write_permission(request)}
        return super().change_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )
