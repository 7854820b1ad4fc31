from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from orders.models import (
    Customer,
    CustomerLink,
    Line,
    Order,
    OrderLine,
    ProductionRun,
    Shift,
    WrongLookup,
)
from whatsapp_bot.admin import LogAdmin
from whatsapp_bot.admin.people import ContactAdmin


class CustomerLinkInline(TabularInline):
    model = CustomerLink
    extra = 0
    autocomplete_fields = ["contact"]


class LinkedCustomerInline(TabularInline):
    """On the page of a contact: whose orders the person may know of."""

    model = CustomerLink
    extra = 0
    autocomplete_fields = ["customer"]
    verbose_name = "linked customer"
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[CustomerLink]:
        return super().get_queryset(request).select_related("customer", "contact")


ContactAdmin.inlines.append(LinkedCustomerInline)


@admin.register(Customer)
class CustomerAdmin(ModelAdmin):
    list_display = ["name", "reference"]
    search_fields = ["name", "reference"]
    inlines = [CustomerLinkInline]


class OrderLineInline(TabularInline):
    model = OrderLine
    extra = 0
    fields = ["position", "product", "quantity"]


class ProductionRunInline(TabularInline):
    model = ProductionRun
    extra = 0
    fields = ["line", "product", "begins", "ends", "quantity", "made", "scrapped", "status"]


@admin.register(Order)
class OrderAdmin(ModelAdmin):
    list_display = ["number", "customer", "product", "quantity", "due_date", "status"]
    list_filter = ["status", "due_date"]
    list_select_related = ["customer"]
    search_fields = ["number", "key", "customer__name", "customer_reference", "product"]
    autocomplete_fields = ["customer"]
    date_hierarchy = "due_date"
    inlines = [OrderLineInline, ProductionRunInline]


@admin.register(ProductionRun)
class ProductionRunAdmin(ModelAdmin):
    list_display = ["begins", "ends", "line", "product", "order", "quantity", "made", "status"]
    list_filter = ["status", "line", "begins"]
    list_select_related = ["line", "order"]
    search_fields = ["reference", "product", "order__number"]
    autocomplete_fields = ["order"]
    raw_id_fields = ["order_line"]


@admin.register(Line)
class LineAdmin(ModelAdmin):
    search_fields = ["name"]


@admin.register(Shift)
class ShiftAdmin(ModelAdmin):
    list_display = ["name", "begins", "ends"]
    search_fields = ["name"]


@admin.register(WrongLookup)
class WrongLookupAdmin(LogAdmin):
    list_display = ["at", "contact", "number"]
    list_filter = ["at"]
    list_select_related = ["contact"]
    search_fields = ["number", "contact__name", "contact__phone"]
    ordering = ["-at"]
