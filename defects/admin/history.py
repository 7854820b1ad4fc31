"""Who changed what in reports, for looking it up. Nobody edits or deletes it."""

from typing import Any

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from defects.models import CorrectiveAction, DefectReport, Disposition
from defects.models.audit import changes_between
from whatsapp_bot.admin.log import LogAdmin
from whatsapp_bot.whatsapp_text import preview


class HistoryAdmin(LogAdmin):
    list_display = ["history_date", "report", "history_user", "door", "what"]
    list_display_links = ["history_date"]
    list_filter = ["door", "history_type", "history_user", "history_date"]
    list_select_related = ["history_user"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["history_user__username"]
    ordering = ["-history_id"]

    @admin.display(description="report")
    def report(self, row: Any) -> SafeString:
        number = row.number if hasattr(row, "number") else row.report
        there = reverse("admin:defects_defectreport_change", args=[self.report_id(row)])
        return format_html('<a class="text-link" href="{}">{}</a>', there, number)

    def report_id(self, row: Any) -> int:
        return getattr(row, "report_id", None) or row.id

    @admin.display(description="what was changed")
    def what(self, row: Any) -> SafeString | str:
        older = row.prev_record if row.history_type == "~" else None
        if not older:
            return row.get_history_type_display()
        changes = (
            (change.field, preview(change.before), preview(change.after))
            for change in changes_between(older, row)
        )
        return format_html_join("", "<div>{}: {} → {}</div>", changes) or "–"


@admin.register(DefectReport.history.model)
class ReportHistoryAdmin(HistoryAdmin):
    search_fields = ["number", "description", "history_user__username"]


@admin.register(Disposition.history.model, CorrectiveAction.history.model)
class PartHistoryAdmin(HistoryAdmin):
    list_select_related = ["history_user", "report"]
    search_fields = ["report__number", "history_user__username"]
