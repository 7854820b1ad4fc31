"""The list of reports: what it can be narrowed to, and what can be done with several at once."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.forms import ActionForm
from unfold.utils import parse_date_str
from unfold.widgets import UnfoldAdminSelectWidget

from defects.models import DefectCategory
from defects.models.review import colleagues
from orders.models.factory import midnight
from whatsapp_bot.models import Media
from whatsapp_bot.wording import span_in_full

YEARS = range(2000, 3000)


class MineFilter(admin.SimpleListFilter):
    """What the tabs above the list choose."""

    title = "progress"
    parameter_name = "at_work"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [("open", "open"), ("mine", "my open")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        match self.value():
            case "open":
                return queryset.open()
            case "mine":
                return queryset.open().filter(assignee=request.user)
        return queryset


class DayFilter(RangeDateFilter):
    """From one day to another, both included, as they are in the factory's time zone."""

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        first, last = (self._day(end) for end in ("from", "to"))
        if first:
            queryset = queryset.filter(**{f"{self.parameter_name}__gte": first})
        if last:
            queryset = queryset.filter(**{f"{self.parameter_name}__lt": last + timedelta(days=1)})
        return queryset

    def in_words(self) -> str:
        return span_in_full(self._day("from"), self._day("to"))

    def _day(self, end: str) -> datetime | None:
        """Midnight of a day that was entered; None for none, what is no day, or not of our time."""
        entered = self.used_parameters.get(f"{self.parameter_name}_{end}")
        day = parse_date_str(entered) if entered else None
        return midnight(day) if day and day.year in YEARS else None


class PhotoFilter(admin.SimpleListFilter):
    title = "photo"
    parameter_name = "photo"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [("yes", "has a photo"), ("no", "has none")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        photos = Media.objects.pictures().filter(message__attachment__report=OuterRef("pk"))
        match self.value():
            case "yes":
                return queryset.filter(Exists(photos))
            case "no":
                return queryset.filter(~Exists(photos))
        return queryset


FILTERS = [
    MineFilter,
    "status",
    "severity",
    "category",
    "form",
    "assignee",
    "line",
    ("created_at", DayFilter),
    PhotoFilter,
]


class ReportActionForm(ActionForm):
    """Beside the choice of what to do: with whom, or as what."""

    assignee = forms.ModelChoiceField(
        colleagues(),
        required=False,
        empty_label="Assign to …",
        label="",
        widget=UnfoldAdminSelectWidget(attrs={"aria-label": "Whom to assign them to"}),
    )
    category = forms.ModelChoiceField(
        DefectCategory.objects.filter(is_active=True),
        required=False,
        empty_label="Category …",
        label="",
        widget=UnfoldAdminSelectWidget(attrs={"aria-label": "Their category"}),
    )
