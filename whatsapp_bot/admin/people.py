"""Who talks to us, and what was said."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST
from unfold.decorators import action
from unfold.paginator import InfinitePaginator

from whatsapp_bot.admin.files import MediaInline
from whatsapp_bot.admin.log import LogAdmin
from whatsapp_bot.admin.writing import (
    Letter,
    WritingAdmin,
    in_words,
    may_write,
    message_log,
    reason,
    status_label,
)
from whatsapp_bot.models import Contact, Conversation, HelpRequest, Message
from whatsapp_bot.models.message import Resent
from whatsapp_bot.texts import STAFF_MESSAGE
from whatsapp_bot.whatsapp_text import preview
from whatsapp_bot.wording import Notice, Text

SHOWN_LATELY = 10


@admin.register(Contact)
class ContactAdmin(WritingAdmin):
    list_display = ["__str__", "phone", "user_id", "role", "last_heard", "created_at"]
    list_filter = ["role", ("opted_out_at", admin.EmptyFieldListFilter), "created_at"]
    list_select_related = ["conversation"]
    search_fields = ["name", "phone", "user_id"]
    readonly_fields = ["opted_out_at", "created_at", "last_heard", "written_at", "said_lately"]
    ordering = ["-pk"]

    def get_fieldsets(self, request: HttpRequest, obj: Contact | None = None) -> list[Any]:
        person = ["name", "phone", "user_id", "role", "language"]
        if obj is None:
            return [(None, {"fields": person})]
        times = ["last_heard", "written_at", "opted_out_at", "created_at"]
        sees_messages = request.user.has_perm("whatsapp_bot.view_message")
        return [
            *self.box(request, obj),
            *([("Last messages", {"fields": ["said_lately"]})] if sees_messages else []),
            ("The person", {"fields": [*person, *times]}),
        ]

    def box_title(self, obj: Contact) -> str:
        return f"Write to {obj}"

    def letter(self, obj: Contact) -> Letter:
        return Letter(obj, STAFF_MESSAGE, blank="text")

    def write(self, obj: Contact, text: str, by: AbstractBaseUser) -> Message:
        return obj.send(text, by)[-1]

    @admin.display(description="messages")
    def said_lately(self, contact: Contact) -> SafeString:
        log = contact.messages.select_related("contact", "written_by").order_by("-pk")
        everything = reverse("admin:whatsapp_bot_message_changelist")
        return format_html(
            '{}<p><a class="text-link" href="{}?contact__id__exact={}">All messages</a></p>',
            message_log(log[:SHOWN_LATELY]),
            everything,
            contact.pk,
        )

    @admin.display(description="last message", ordering="conversation__heard_at", empty_value="–")
    def last_heard(self, contact: Contact) -> str | None:
        conversation = getattr(contact, "conversation", None)
        return conversation and conversation.heard_at and in_words(conversation.heard_at)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # With a contact would go all that the person ever sent.
        return False


@admin.register(Conversation)
class ConversationAdmin(LogAdmin):
    list_display = ["contact", "flow", "heard_at"]
    list_filter = ["heard_at"]
    list_select_related = ["contact"]
    search_fields = ["contact__name", "contact__phone", "contact__user_id", "flow"]
    ordering = ["-heard_at"]


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
class MessageAdmin(LogAdmin):
    list_display = ["at", "contact", "direction", "text", "state", "why", "written_by"]
    list_display_links = ["text"]
    list_filter = [FailedFilter, "status", "direction", NoticeFilter, "kind", "created_at"]
    list_select_related = ["contact", "written_by"]
    search_fields = ["body"]
    search_help_text = "Words of the message, person or SID"
    ordering = ["-pk"]
    # To count a million messages takes longer than to show a hundred.
    show_full_result_count = False
    paginator = InfinitePaginator
    list_disable_select_all = True
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
                ]
            },
        ),
        ("As Twilio has it", {"fields": ["sid", "quoted_sid", "details"]}),
    ]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Message], search_term: str
    ) -> tuple[QuerySet[Message], bool]:
        found = queryset.with_words(search_term) if search_term.strip() else queryset
        return found, False

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        return lookup == "contact__id__exact" or super().lookup_allowed(lookup, value, request)

    @admin.display(description="at", ordering="pk")
    def at(self, message: Message) -> SafeString:
        return format_html(
            '<span class="whitespace-nowrap">{}</span>', in_words(message.created_at)
        )

    @admin.display(description="message")
    def text(self, message: Message) -> str:
        return str(message)

    @admin.display(description="status", ordering="status")
    def state(self, message: Message) -> SafeString:
        return status_label(message)

    @admin.display(description="reason")
    def why(self, message: Message) -> str:
        again = "It was sent again." if "again" in message.details else ""
        return f"{reason(message)} {again}".strip() or "–"

    @admin.display(description="sent again")
    def next_message(self, message: Message) -> SafeString | str:
        if "again" not in message.details:
            return "no"
        there = reverse("admin:whatsapp_bot_message_change", args=[message.details["again"]])
        return format_html('<a class="text-link" href="{}">yes, as this one</a>', there)

    @admin.display(description="price")
    def cost(self, message: Message) -> str:
        return "–" if message.price is None else f"{message.price:f} {message.price_unit}"

    @admin.display(description="what for")
    def what_for(self, message: Message) -> str:
        declared = Text.declared.get(message.notice)
        return declared.about if declared else message.notice

    # Sending again ------------------------------------------------------------------------------

    def has_write_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_write(request) and self.has_view_permission(request, obj)

    @action(description="Send again", permissions=["write"])
    def send_again(self, request: HttpRequest, chosen: QuerySet[Message]) -> None:
        results = [message.send_again_now(request.user) for message in chosen.order_by("pk")]
        counts = {result: results.count(result) for result in Resent if result in results}
        tell = messages.success if Resent.ON_ITS_WAY in counts else messages.warning
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


@admin.register(HelpRequest)
class HelpRequestAdmin(WritingAdmin):
    list_display = ["number", "contact", "said", "status", "created_at"]
    list_filter = ["status", "created_at"]
    list_select_related = ["contact"]
    search_fields = ["number", "text", "contact__name", "contact__phone", "contact__user_id"]
    readonly_fields = ["number", "contact", "text", "created_at", "answered"]

    def get_fieldsets(
        self, request: HttpRequest, obj: HelpRequest | None = None
    ) -> list[tuple[str | None, dict[str, Any]]]:
        return [
            (None, {"fields": ["number", "contact", "text", "created_at", "status"]}),
            ("Answers", {"fields": ["answered"]}),
            *self.box(request, obj),
        ]

    def box_title(self, obj: HelpRequest) -> str:
        return f"Answer {obj.contact}"

    def letter(self, obj: HelpRequest) -> Letter:
        return Letter(obj.contact, STAFF_MESSAGE, blank="text", is_reply=True)

    def write(self, obj: HelpRequest, text: str, by: AbstractBaseUser) -> Message:
        return obj.answer(text, by)[-1]

    @admin.display(description="so far")
    def answered(self, request: HelpRequest) -> SafeString:
        return message_log(request.answers.select_related("contact", "written_by"))

    @admin.display(description="message")
    def said(self, request: HelpRequest) -> str:
        return preview(request.text)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
