"""Defect reports, as staff look at them."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.admin import TabularInline

from defects.admin.exports import Exportable
from defects.models import Attachment, DefectReport
from defects.notices import NEWS, QUESTION
from whatsapp_bot.admin.files import shown
from whatsapp_bot.admin.writing import (
    Letter,
    WritingAdmin,
    in_words,
    outcome,
    reason,
    status_label,
)
from whatsapp_bot.delivery import Route
from whatsapp_bot.models import Message
from whatsapp_bot.whatsapp_text import preview
from whatsapp_bot.wording import Notice

LONGEST_QUESTION = 1000


class AttachmentInline(TabularInline):
    model = Attachment
    extra = 0
    fields = ["at", "who", "text", "files", "state"]
    readonly_fields = fields
    can_delete = False
    show_change_link = False
    hide_title = True
    verbose_name_plural = "messages of this report"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Attachment]:
        filed = super().get_queryset(request)
        return filed.select_related("message__contact", "message__written_by")

    @admin.display(description="at")
    def at(self, attachment: Attachment) -> SafeString:
        there = reverse("admin:whatsapp_bot_message_change", args=[attachment.message_id])
        at = in_words(attachment.message.created_at)
        return format_html('<a class="text-link whitespace-nowrap" href="{}">{}</a>', there, at)

    @admin.display(description="from")
    def who(self, attachment: Attachment) -> str:
        message = attachment.message
        if message.direction == Message.Direction.IN:
            return str(message.contact)
        return str(message.written_by or "Andon")

    @admin.display(description="message", empty_value="–")
    def text(self, attachment: Attachment) -> str:
        return attachment.message.body

    @admin.display(description="state", empty_value="–")
    def state(self, attachment: Attachment) -> SafeString | str:
        message = attachment.message
        if message.direction == Message.Direction.IN:
            return ""
        return format_html("{} {}", status_label(message), reason(message))

    @admin.display(description="files")
    def files(self, attachment: Attachment) -> SafeString:
        files = attachment.message.media.select_related("message")
        return format_html_join("", "<div>{}</div>", ((shown(file),) for file in files))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        may = request.user.has_perm("whatsapp_bot.view_media")
        return [field for field in self.fields if may or field != "files"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def news_ahead(report: DefectReport) -> str:
    """What the reporter will hear when staff choose another status, in words for staff."""
    choices: dict[str, list[str]] = {}
    for status, notice in NEWS.items():
        if status != report.status:
            named = choices.setdefault(_will_happen(report, notice), [])
            named.append(DefectReport.Status(status).label)
    return " ".join(f"If you set it to {_or(named)}, {what}" for what, named in choices.items())


def _will_happen(report: DefectReport, notice: Notice) -> str:
    route = report.reported_by.route(notice.key)
    if route == Route.NOT_AT_ALL or not notice.is_on:
        return f"the reporter is not told: {_in_the_way(notice)}."
    return f"the reporter is told. {route.label}"


def _in_the_way(notice: Notice) -> str:
    if not notice.is_on:
        return "this text is switched off"
    return "the person has stopped our messages"


def _or(names: list[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


@admin.register(DefectReport)
class DefectReportAdmin(Exportable, WritingAdmin):
    list_display = [
        "number",
        "what",
        "form",
        "reported_by",
        "line",
        "order",
        "status",
        "created_at",
    ]
    list_filter = ["status", "form", "line", "created_at"]
    list_select_related = ["form", "reported_by", "line", "order"]
    search_fields = [
        "number",
        "description",
        "reported_by__name",
        "reported_by__phone",
        "order__number",
    ]
    date_hierarchy = "created_at"
    autocomplete_fields = ["order", "line"]
    shown = [
        "number",
        "form",
        "reported_by",
        "created_at",
        "description",
        "all_answers",
        "line",
        "order",
        "status",
    ]
    readonly_fields = [
        "number",
        "form",
        "reported_by",
        "created_at",
        "description",
        "all_answers",
    ]
    inlines = [AttachmentInline]

    def get_fieldsets(
        self, request: HttpRequest, obj: DefectReport | None = None
    ) -> list[tuple[str | None, dict[str, Any]]]:
        return [(None, {"fields": self.shown}), *self.box(request, obj)]

    def box_title(self, obj: DefectReport) -> str:
        return "Ask the reporter"

    def letter(self, obj: DefectReport) -> Letter:
        return Letter(
            obj.reported_by, QUESTION, blank="question", values=obj.in_short, limit=LONGEST_QUESTION
        )

    def write(self, obj: DefectReport, text: str, by: AbstractBaseUser) -> Message | None:
        return obj.ask(text, by)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any
    ) -> type[forms.ModelForm]:
        form = super().get_form(request, obj, change, **options)
        if obj and "status" in form.base_fields:
            form.base_fields["status"].help_text = news_ahead(obj)
        return form

    def save_model(self, request: HttpRequest, obj: DefectReport, form: Any, change: bool) -> None:
        """Save, tell the news, ask: in this order, since the last thing said is what is replied to.

        The row is locked, so that of two who set the same status only one tells it.
        """
        locked = DefectReport.objects.select_for_update(no_key=True)
        before = locked.get(pk=obj.pk).status
        self.save_changes(request, obj, form, change)
        if obj.status != before:
            self.tell_news(request, obj)
        self.send_what_is_written(request, obj, form)

    def tell_news(self, request: HttpRequest, report: DefectReport) -> None:
        """Tell the reporter of the new status, and staff what became of that."""
        notice = report.news
        if not notice:
            return
        route = report.reported_by.route(notice.key)
        message = report.tell_news(request.user)
        if message:
            messages.success(request, f"The reporter is told. {outcome(message, route)}")
        else:
            messages.warning(request, f"The reporter is not told: {_in_the_way(notice)}.")

    @admin.display(description="description")
    def what(self, report: DefectReport) -> str:
        return preview(report.description)

    @admin.display(description="answers")
    def all_answers(self, report: DefectReport) -> SafeString:
        pairs = ((one["question"], one["answer"] or "–") for one in report.answers)
        return format_html_join("", "<p><strong>{}</strong> {}</p>", pairs)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
