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
from orders.models import Shift
from orders.models.factory import midnight
from whatsapp_bot.models import Media
from whatsapp_bot.wording import span_in_full

YEARS = range(2000, 3000)


class AtWorkFilter(admin.SimpleListFilter):
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


class ShiftFilter(admin.SimpleListFilter):
    """By the shift in which a report was made."""

    title = "shift"
    parameter_name = "shift"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        shifts = [(str(shift.pk), str(shift)) for shift in Shift.objects.all()]
        return [*shifts, ("none", "outside the shifts")] if shifts else []

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if not self.value():
            return queryset
        if self.value() == "none":
            return queryset.made_in(None)
        shift = next((one for one in Shift.objects.all() if str(one.pk) == self.value()), None)
        return queryset.made_in(shift) if shift else queryset.none()


class ProductFilter(admin.SimpleListFilter):
    """By the product of the order: the one that a link asks for, as there may be thousands."""

    title = "product"
    parameter_name = "product"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(self.value(), self.value())] if self.value() else []

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(order__product=self.value()) if self.value() else queryset


FILTERS = [
    AtWorkFilter,
    "status",
    "severity",
    "category",
    "form",
    "assignee",
    "line",
    ("created_at", DayFilter),
    PhotoFilter,
    ShiftFilter,
    ProductFilter,
]
LINKED = {
    *("status__exact", "status__in", "severity__exact", "severity__in"),
    *("category__id__exact", "category__isnull", "line__id__exact", "line__isnull"),
    *("order__isnull", "reported_by__id__exact"),
    *(
        f"{at}__date__{edge}"
        for at in ("created_at", "acknowledged_at", "decided_at", "closed_at")
        for edge in ("gte", "lte")
    ),
}
"""What links from the dashboard and a contact's page narrow the list down by, beside filters."""


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
