"""Defect reports, as staff look at them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin, TabularInline

from defects.models import Attachment, DefectReport
from whatsapp_bot.admin.files import shown
from whatsapp_bot.whatsapp_text import preview


class AttachmentInline(TabularInline):
    model = Attachment
    extra = 0
    fields = ["message", "files"]
    readonly_fields = fields
    can_delete = False
    show_change_link = False

    @admin.display(description="files")
    def files(self, attachment: Attachment) -> SafeString:
        files = attachment.message.media.select_related("message")
        return format_html_join("", "<div>{}</div>", ((shown(file),) for file in files))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        may = request.user.has_perm("whatsapp_bot.view_media")
        return [field for field in self.fields if may or field != "files"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(DefectReport)
class DefectReportAdmin(ModelAdmin):
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
    fields = [
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
