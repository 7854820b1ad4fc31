from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import TabularInline

from orders.importing.admin import Importable
from orders.models import (
    Customer,
    CustomerLink,
    Line,
    Order,
    OrderLine,
    PinnedLine,
    ProductionRun,
    Shift,
    UndoneLink,
    WrongLookup,
)
from whatsapp_bot.admin.base import BigAdmin, ModelAdmin
from whatsapp_bot.admin.cleaned import CleansText
from whatsapp_bot.admin.log import LogAdmin
from whatsapp_bot.admin.looks import label
from whatsapp_bot.admin.others import AmongOthers, RowsAmongOthers
from whatsapp_bot.admin.people import ContactAdmin
from whatsapp_bot.whatsapp_text import clean

STATUS_COLOURS = {
    Order.Status.IN_PRODUCTION: "info",
    Order.Status.READY: "success",
    Order.Status.SHIPPED: "success",
    Order.Status.DELIVERED: "success",
    Order.Status.ON_HOLD: "warning",
    Order.Status.CANCELLED: "danger",
    ProductionRun.Status.RUNNING: "info",
    ProductionRun.Status.FINISHED: "success",
}


NOT_AGAIN = (
    "Whoever is unlinked cannot link themselves to that customer again: staff can, or delete the "
    "row in “Undone links” to let them."
)


# Customers and who may know of their orders -------------------------------------------------------


def _how(link: CustomerLink) -> SafeString:
    """Who made a link, and with which order."""
    if link.origin == CustomerLink.Origin.STAFF:
        return label("staff")
    mark = label("themselves", "warning")
    if not link.order:
        return mark
    there = reverse("admin:orders_order_change", args=[link.order_id])
    return format_html('{} <a class="text-link" href="{}">{}</a>', mark, there, link.order)


class LinkFormSet(forms.BaseInlineFormSet):
    """A link that is deleted is undone: the contact cannot make it again."""

    by: Any = None

    def delete_existing(self, obj: CustomerLink, commit: bool = True) -> None:
        if commit:
            obj.undo(self.by)


class LinkInline(TabularInline):
    model = CustomerLink
    formset = LinkFormSet
    extra = 0
    readonly_fields = ["linked_by", "created_at"]
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[CustomerLink]:
        return super().get_queryset(request).select_related("contact", "customer", "order")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # It would be another link, and nobody would have undone this one.
        return False

    def get_formset(self, request: HttpRequest, obj: Any = None, **options: Any) -> Any:
        formset = super().get_formset(request, obj, **options)
        formset.by = request.user
        return formset

    @admin.display(description="linked by", empty_value="–")
    def linked_by(self, link: CustomerLink) -> SafeString | str:
        return _how(link) if link.pk else ""


class LinkedContactInline(LinkInline):
    """On the page of a customer."""

    autocomplete_fields = ["contact"]
    fields = ["contact", "linked_by", "created_at"]
    verbose_name_plural = "people who may ask for its orders"


class LinkedCustomerInline(LinkInline):
    """On the page of a contact: whose orders the person may know of."""

    autocomplete_fields = ["customer"]
    fields = ["customer", "linked_by", "created_at"]
    verbose_name = "linked customer"


ContactAdmin.inlines.append(LinkedCustomerInline)


@admin.register(Customer)
class CustomerAdmin(AmongOthers):
    list_display = ["name", "reference", "people"]
    search_fields = ["name", "reference", "key"]
    search_help_text = "Name or reference"
    readonly_fields = ["created_at", "updated_at"]
    inlines = [LinkedContactInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        return super().get_queryset(request).prefetch_related("links")

    @admin.display(description="people")
    def people(self, customer: Customer) -> SafeString | str:
        links = customer.links.all()
        own = sum(link.origin == CustomerLink.Origin.THEMSELVES for link in links)
        mark = label(f"{own} by themselves", "warning") if own else ""
        return format_html("{} {}", len(links), mark) if links else "–"


@admin.register(CustomerLink)
class CustomerLinkAdmin(BigAdmin):
    """Who may ask for whose orders. To delete a link is to undo it."""

    list_display = ["contact", "customer", "linked_by", "created_at"]
    list_filter = ["origin", "created_at"]
    list_select_related = ["contact", "customer", "order"]
    search_fields = ["contact__name", "contact__phone", "customer__name", "customer__reference"]
    search_help_text = "Person or customer"
    autocomplete_fields = ["contact", "customer"]
    fields = ["contact", "customer", "linked_by", "created_at"]
    readonly_fields = ["linked_by", "created_at"]
    ordering = ["-pk"]

    @admin.display(description="linked by", empty_value="–", ordering="origin")
    def linked_by(self, link: CustomerLink) -> SafeString | str:
        return _how(link) if link.pk else ""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def delete_view(self, request: HttpRequest, *about: Any, **more: Any) -> HttpResponse:
        if request.method == "GET" and self.has_delete_permission(request):
            messages.warning(request, NOT_AGAIN)
        return super().delete_view(request, *about, **more)

    def delete_model(self, request: HttpRequest, obj: CustomerLink) -> None:
        obj.undo(request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[CustomerLink]) -> None:
        for link in queryset:
            link.undo(request.user)
        messages.info(request, NOT_AGAIN)

    def response_delete(self, request: HttpRequest, *about: Any) -> HttpResponse:
        super().response_delete(request, *about)
        return redirect("admin:orders_customerlink_changelist")


@admin.register(UndoneLink)
class UndoneLinkAdmin(BigAdmin):
    """Who cannot link themselves again. To delete a row is to let them."""

    list_display = ["contact", "customer", "by", "at"]
    list_filter = ["at"]
    list_select_related = ["contact", "customer", "by"]
    search_fields = ["contact__name", "contact__phone", "customer__name"]
    search_help_text = "Person or customer"
    ordering = ["-pk"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


# Orders -------------------------------------------------------------------------------------------


class OrderLineFormSet(RowsAmongOthers):
    """Lines may say what is ordered, in place of the product and quantity of a new order."""

    def clean(self) -> None:
        super().clean()
        kept = [form for form in self.forms if form.has_changed() or form.instance.pk]
        has_lines = any(not self._should_delete_form(form) for form in kept)
        typed = [clean(self.data.get(name, ""), 10).strip() for name in ("product", "quantity")]
        if not (self.instance.pk or has_lines or all(typed)):
            raise forms.ValidationError(
                "What is ordered? Fill in product and quantity above, or add a line for each."
            )


class OrderLineInline(CleansText, TabularInline):
    model = OrderLine
    formset = OrderLineFormSet
    extra = 0
    fields = ["position", "product", "quantity"]
    verbose_name_plural = "lines, where it is for several products"

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrderLine]:
        return super().get_queryset(request).select_related("order")


class ProductionRunInline(CleansText, TabularInline):
    model = ProductionRun
    formset = RowsAmongOthers
    extra = 0
    fields = [
        *("order_line", "line", "product", "begins", "ends"),
        *("quantity", "made", "scrapped", "status"),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProductionRun]:
        return super().get_queryset(request).select_related("line", "order_line")

    def get_formset(self, request: HttpRequest, obj: Order | None = None, **options: Any) -> Any:
        self.order = obj
        return super().get_formset(request, obj, **options)

    def formfield_for_foreignkey(
        self, db_field: Any, request: HttpRequest, **options: Any
    ) -> forms.ModelChoiceField | None:
        if db_field.name == "order_line":
            options["queryset"] = _lines_of(self.order and self.order.pk)
        field = super().formfield_for_foreignkey(db_field, request, **options)
        if db_field.name == "order_line":
            # There is little room, and the number of the order is above.
            field.label_from_instance = lambda line: f"{line.position} {line.product}"
        # Looked up once: each row would look them up for itself.
        field.choices = list(field.choices)
        return field


def _lines_of(order: int | None) -> QuerySet[OrderLine]:
    """The lines of an order, by its key, with what they are called by."""
    return OrderLine.objects.filter(order=order).select_related("order")


class StandingFilter(admin.SimpleListFilter):
    title = "standing"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [("open", "open"), ("late", "past the due date, and not shipped")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        match self.value():
            case "open":
                return queryset.open()
            case "late":
                return queryset.late()
        return queryset


@admin.register(Order)
class OrderAdmin(AmongOthers, Importable, BigAdmin):
    list_display = [
        *("number", "customer", "product", "progress", "due_date", "expected", "state"),
    ]
    list_filter = [StandingFilter, "status", "due_date"]
    list_select_related = ["customer"]
    search_fields = ["number", "key", "customer__name", "customer_reference", "product"]
    search_help_text = "Number, customer, their reference or product"
    autocomplete_fields = ["customer"]
    inlines = [OrderLineInline, ProductionRunInline]
    rows_watched = ("lines", "runs")
    readonly_fields = ["progress", "expected", "next_step", "created_at", "updated_at"]

    def get_fieldsets(
        self, request: HttpRequest, obj: Order | None = None
    ) -> list[tuple[str | None, dict[str, Any]]]:
        order = [
            *("number", "customer", "customer_reference", "product", "quantity"),
            *("due_date", "status", "notes"),
        ]
        if obj is None:
            return [(None, {"fields": order})]
        follows = ["progress", "expected", "next_step", "created_at", "updated_at"]
        return [(None, {"fields": order}), ("What follows from its runs", {"fields": follows})]

    def get_readonly_fields(self, request: HttpRequest, obj: Order | None = None) -> list[str]:
        has_lines = obj is not None and obj.lines.exists()
        return [*self.readonly_fields, *(["product", "quantity"] if has_lines else [])]

    def get_form(
        self, request: HttpRequest, obj: Order | None = None, **options: Any
    ) -> type[forms.ModelForm]:
        form = super().get_form(request, obj, **options)
        if obj is None and request.user.has_perm("orders.add_orderline"):
            # Lines may say it instead, which are looked at after this form.
            for name in ("product", "quantity"):
                form.base_fields[name].required = False
        return form

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        return super().get_queryset(request).with_progress()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        """A whole order number finds that order at once, without looking through all of them."""
        exact = queryset.numbered(search_term) if search_term else queryset.none()
        if exact.exists():
            return exact, False
        return super().get_search_results(request, queryset, search_term)

    def save_model(self, request: HttpRequest, obj: Order, form: Any, change: bool) -> None:
        obj.quantity = obj.quantity or 0  # Its lines say it, and are saved next.
        super().save_model(request, obj, form, change)
        # Its runs may have led it on since the page was opened.
        Order.objects.filter(pk=obj.pk).follow()

    @admin.display(description="progress")
    def progress(self, order: Order) -> str:
        return f"{order.made():,} of {order.quantity:,} made"

    @admin.display(description="promised", empty_value="–")
    def expected(self, order: Order) -> str | None:
        promised = order.promised()
        return promised and date_format(promised, "j M Y")

    @admin.display(description="next step", empty_value="–")
    def next_step(self, order: Order) -> str | None:
        step = order.next_step()
        day = f", {date_format(step.on, 'j M Y')}" if step and step.on else ""
        return step and f"{step.what.label}{day}"

    @admin.display(description="status", ordering="status")
    def state(self, order: Order) -> SafeString:
        return label(order.get_status_display(), STATUS_COLOURS.get(order.status, ""))


# Production ---------------------------------------------------------------------------------------


class WorkingFilter(admin.SimpleListFilter):
    """The runs that are worked on at a day; cancelled ones are not."""

    title = "day"
    parameter_name = "day"
    DAYS = {
        "yesterday": ("yesterday", -1, -1),
        "today": ("today", 0, 0),
        "tomorrow": ("tomorrow", 1, 1),
        "week": ("the next 7 days", 0, 6),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(key, title) for key, (title, _, _) in self.DAYS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in self.DAYS:
            return queryset
        _, first, last = self.DAYS[self.value()]
        today = timezone.localdate()
        return queryset.between(today + timedelta(days=first), today + timedelta(days=last))


@admin.register(ProductionRun)
class ProductionRunAdmin(AmongOthers, Importable, BigAdmin):
    list_display = [
        *("begins", "ends", "line", "product", "order", "progress", "scrapped", "state"),
    ]
    list_filter = [WorkingFilter, "status", "line"]
    list_select_related = ["line", "order"]
    search_fields = ["reference", "key", "product", "order__number"]
    search_help_text = "Reference, product or order"
    autocomplete_fields = ["order", "line"]
    readonly_fields = ["created_at", "updated_at"]

    def get_fields(self, request: HttpRequest, obj: ProductionRun | None = None) -> list[str]:
        part = ["order_line"] if obj and _lines_of(obj.order_id).exists() else []
        run = [
            *("reference", "order", *part, "line", "product", "begins", "ends"),
            *("quantity", "made", "scrapped", "status"),
        ]
        return [*run, *self.readonly_fields] if obj else run

    def get_form(
        self, request: HttpRequest, obj: ProductionRun | None = None, **options: Any
    ) -> type[forms.ModelForm]:
        form = super().get_form(request, obj, **options)
        if "order_line" in form.base_fields:
            form.base_fields["order_line"].queryset = _lines_of(obj.order_id)
        return form

    @admin.display(description="made")
    def progress(self, run: ProductionRun) -> str:
        return f"{run.made:,} of {run.quantity:,}"

    @admin.display(description="status", ordering="status")
    def state(self, run: ProductionRun) -> SafeString:
        return label(run.get_status_display(), STATUS_COLOURS.get(run.status, ""))


@admin.register(Line)
class LineAdmin(AmongOthers):
    search_fields = ["name"]


@admin.register(PinnedLine)
class PinnedLineAdmin(ModelAdmin):
    list_display = ["contact", "line"]
    list_filter = ["line"]
    list_select_related = ["contact", "line"]
    search_fields = ["contact__name", "contact__phone", "line__name"]
    search_help_text = "Person or line"
    autocomplete_fields = ["contact", "line"]


@admin.register(Shift)
class ShiftAdmin(AmongOthers):
    list_display = ["name", "begins", "ends"]
    search_fields = ["name"]


@admin.register(WrongLookup)
class WrongLookupAdmin(LogAdmin):
    list_display = ["at", "contact", "number"]
    list_filter = ["at"]
    list_select_related = ["contact"]
    search_fields = ["number", "contact__name", "contact__phone"]
    search_help_text = "Number that was asked for, or person"
    ordering = ["-at"]
