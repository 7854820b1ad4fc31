"""Who talks to us, and what was said."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from whatsapp_bot.admin.files import MediaInline
from whatsapp_bot.admin.log import LogAdmin
from whatsapp_bot.models import Contact, Conversation, HelpRequest, Message
from whatsapp_bot.whatsapp_text import preview


@admin.register(Contact)
class ContactAdmin(ModelAdmin):
    list_display = ["__str__", "phone", "user_id", "role", "last_heard", "created_at"]
    list_filter = ["role", ("opted_out_at", admin.EmptyFieldListFilter), "created_at"]
    list_select_related = ["conversation"]
    search_fields = ["name", "phone", "user_id"]
    readonly_fields = ["created_at"]
    ordering = ["-pk"]

    @admin.display(description="last message", ordering="conversation__heard_at", empty_value="–")
    def last_heard(self, contact: Contact) -> Any:
        conversation = getattr(contact, "conversation", None)
        return conversation and conversation.heard_at

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


@admin.register(Message)
class MessageAdmin(LogAdmin):
    list_display = ["created_at", "contact", "direction", "kind", "text", "status"]
    list_display_links = ["text"]
    list_filter = ["direction", "kind", "status", "created_at"]
    list_select_related = ["contact"]
    search_fields = ["body", "sid", "contact__name", "contact__phone", "contact__user_id"]
    ordering = ["-pk"]
    show_full_result_count = False
    inlines = [MediaInline]

    @admin.display(description="message")
    def text(self, message: Message) -> str:
        return str(message)


@admin.register(HelpRequest)
class HelpRequestAdmin(ModelAdmin):
    list_display = ["number", "contact", "said", "status", "created_at"]
    list_filter = ["status", "created_at"]
    list_select_related = ["contact"]
    search_fields = ["number", "text", "contact__name", "contact__phone", "contact__user_id"]
    fields = ["number", "contact", "text", "created_at", "status"]
    readonly_fields = ["number", "contact", "text", "created_at"]

    @admin.display(description="message")
    def said(self, request: HelpRequest) -> str:
        return preview(request.text)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
