"""Who changed what in reports, for looking it up. Nobody edits or deletes it."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from defects.admin.lists import DayFilter
from defects.models import Change, DefectReport
from defects.models.audit import audited_fields
from whatsapp_bot.admin.base import BigAdmin
from whatsapp_bot.admin.log import LogAdmin
from whatsapp_bot.whatsapp_text import preview

LONGEST_NUMBER = 40
MOST_PEOPLE = 1000


class FieldFilter(admin.SimpleListFilter):
    title = "what was changed"
    parameter_name = "field"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        came_and_went = [((of.value, ""), "came or went") for of in Change.Of]
        for (of, field), name in [*audited_fields().items(), *came_and_went]:
            yield f"{of}.{field}", f"{Change.Of(of).label}: {name}"

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        of, _, field = (self.value() or "").partition(".")
        return queryset.filter(of=of, field=field) if of else queryset


@admin.register(Change)
class ChangeAdmin(BigAdmin, LogAdmin):
    list_display = ["at", "on", "what", "was", "became", "by_whom", "door"]
    list_filter = [FieldFilter, "door", "by", ("at", DayFilter)]
    list_filter_submit = True
    list_per_page = 50
    ordering = ["-at", "-pk"]
    search_fields = ["number"]
    search_help_text = "Report number or person"
    fields = ["at", "on", "what", "before", "after", "by_whom", "door"]
    readonly_fields = fields

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        for word in search_term.split()[:8]:
            queryset = queryset.filter(_about(word[:LONGEST_NUMBER]))
        return queryset, False

    @admin.display(description="report")
    def on(self, change: Change) -> SafeString:
        there = reverse("admin:defects_defectreport_change", args=[change.report_id])
        return format_html('<a class="text-link" href="{}">{}</a>', there, change.number)

    @admin.display(description="what")
    def what(self, change: Change) -> str:
        return change.what

    @admin.display(description="from")
    def was(self, change: Change) -> str:
        return preview(change.before) or "–"

    @admin.display(description="to")
    def became(self, change: Change) -> str:
        return preview(change.after) or "–"

    @admin.display(description="by")
    def by_whom(self, change: Change) -> str:
        return change.who or "–"


def _about(word: str) -> Q:
    """The reports whose number begins so, with or without what all begin with, or a person."""
    begins = DefectReport.objects.spelled_out(word)
    people = get_user_model().objects.filter(
        Q(username__icontains=word) | Q(first_name__icontains=word) | Q(last_name__icontains=word)
    )
    # Ids and not a subquery, so that the indexes are used.
    ids = list(people.values_list("pk", flat=True)[:MOST_PEOPLE])
    return Q(number__startswith=begins) | Q(by__in=ids)
