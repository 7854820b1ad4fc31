from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminSelectWidget

from whatsapp_bot import flows
from whatsapp_bot.models import (
    Contact,
    Conversation,
    HelpRequest,
    Media,
    Menu,
    MenuItem,
    Message,
    Wording,
)
from whatsapp_bot.place import MAIN_MENU
from whatsapp_bot.whatsapp_text import preview

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    pass


class LogAdmin(ModelAdmin):
    """For what people said: it can be read, and neither made up nor changed nor deleted."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Contact)
class ContactAdmin(ModelAdmin):
    list_display = ["__str__", "phone", "user_id", "role", "last_heard", "created_at"]
    list_filter = ["role", "created_at"]
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


class MediaInline(TabularInline):
    model = Media
    extra = 0
    fields = ["content_type", "url"]
    readonly_fields = fields
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


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


@admin.register(Media)
class MediaAdmin(LogAdmin):
    list_display = ["message", "content_type", "position"]
    list_filter = ["content_type"]
    list_select_related = ["message"]
    search_fields = ["message__sid", "url"]
    ordering = ["-pk"]


class MenuItemForm(forms.ModelForm):
    """What an item opens is chosen from what there is."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        there = flows.addresses()
        stored = self.instance.opens
        if stored and stored not in dict(there):
            there = [*there, (stored, f"{stored} (not there any more)")]
        self.fields["opens"] = forms.ChoiceField(
            choices=[("", "---------"), *there], widget=UnfoldAdminSelectWidget
        )


class MenuItemInline(TabularInline):
    model = MenuItem
    form = MenuItemForm
    extra = 0
    fields = ["position", "label", "opens", "audience"]


@admin.register(Menu)
class MenuAdmin(ModelAdmin):
    list_display = ["key", "above", "labels"]
    search_fields = ["key", "text", "items__label"]
    inlines = [MenuItemInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Menu]:
        return super().get_queryset(request).prefetch_related("items")

    @admin.display(description="text")
    def above(self, menu: Menu) -> str:
        return preview(menu.text)

    @admin.display(description="items")
    def labels(self, menu: Menu) -> str:
        return " · ".join(item.label for item in menu.items.all())

    def get_readonly_fields(self, request: HttpRequest, obj: Menu | None = None) -> list[str]:
        # Menu items and flows call it by its key.
        return ["key"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Menu | None = None) -> bool:
        # Everybody begins there.
        is_main = obj is not None and f"menu:{obj.key}" == MAIN_MENU
        return not is_main and super().has_delete_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions


class WordingForm(forms.ModelForm):
    def clean_text(self) -> str:
        text = self.cleaned_data["text"]
        if text and (problem := self.instance.problem_with(text)):
            raise forms.ValidationError(problem)
        return text


@admin.register(Wording)
class WordingAdmin(ModelAdmin):
    form = WordingForm
    list_display = ["key", "wording", "changed", "updated_at"]
    list_filter = [("text", admin.EmptyFieldListFilter), "language"]
    search_fields = ["key", "text"]
    fields = ["key", "about", "default", "text", "updated_at"]
    readonly_fields = ["key", "about", "default", "updated_at"]

    @admin.display(description="wording")
    def wording(self, wording: Wording) -> str:
        return preview(wording.text or wording.default, 80)

    @admin.display(boolean=True)
    def changed(self, wording: Wording) -> bool:
        return bool(wording.text)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


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
