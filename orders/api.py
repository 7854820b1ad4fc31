"""Orders, customers and production, for other systems."""

from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms.utils import from_current_timezone
from django_filters import rest_framework as filters
from rest_framework import mixins, serializers
from rest_framework.viewsets import GenericViewSet

from orders.known import ByKey, Known, KnownViewSet, Named, Outcome, stored
from orders.models import Customer, Line, Order, OrderLine, ProductionRun, order_key
from orders.models.keys import LONGEST_KEY
from orders.models.order import MOST_PIECES
from orders.models.progress import Next
from whatsapp_bot.api_base import ModelSerializer

MOST_LINES = 200


# What rows are known by --------------------------------------------------------------------------


class OrderNumber(ByKey):
    def __init__(self, **options: Any) -> None:
        if not options.get("read_only"):
            options.setdefault("queryset", Order.objects.all())
        super().__init__("number", **options)


class OfOrder(filters.CharFilter):
    """Narrows rows down to those of an order, by its number."""

    def __init__(self) -> None:
        super().__init__("order__key", label="The number of an order.")

    def filter(self, rows: QuerySet, number: str) -> QuerySet:
        return rows.filter(order__key=order_key(number)) if number else rows


class DayFilter(filters.DateFilter):
    """A day as the API has it. People write it in more ways, and some the month before the day."""

    def __init__(self, *of: str) -> None:
        super().__init__(*of, input_formats=["%Y-%m-%d"])


class LineName(Named):
    """A production line by its name."""

    default_error_messages = {"does_not_exist": "There is no line {value}."}

    def __init__(self, **options: Any) -> None:
        super().__init__("name", queryset=Line.objects.all(), **options)


# Customers ---------------------------------------------------------------------------------------


class CustomerSerializer(Known):
    reference = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST_KEY)
    contacts = serializers.PrimaryKeyRelatedField(many=True, read_only=True)
    needed = ["name"]
    of_others = ("contacts",)
    seen_with = {"contacts": "orders.view_customerlink"}

    class Meta:
        model = Customer
        fields = ["reference", "name", "contacts", "created_at", "updated_at"]
        extra_kwargs = {"name": {"required": False}}


class CustomerFilter(filters.FilterSet):
    name = filters.CharFilter()
    updated_since = filters.IsoDateTimeFilter("updated_at", "gte")

    class Meta:
        model = Customer
        fields: list[str] = []


@stored(CustomerSerializer, {"reference": "K-100", "name": "Acme"})
class CustomerViewSet(KnownViewSet):
    """Customers, by the reference that your other systems have for them."""

    queryset = Customer.objects.prefetch_related("contacts")
    serializer_class = CustomerSerializer
    filterset_class = CustomerFilter
    goes_along = ("customerlink", "undonelink")
    known_by = lookup_field = "reference"


# Orders ------------------------------------------------------------------------------------------


class OrderLineSerializer(ModelSerializer):
    class Meta:
        model = OrderLine
        fields = ["position", "product", "quantity"]
        extra_kwargs = {
            "position": {
                "required": False,
                "min_value": 1,
                "max_value": MOST_PIECES,
                "help_text": "What a line keeps while its product changes. Without it, it is the "
                "stored line of this product; of a product that is new, the one in its place.",
            },
            "quantity": {"max_value": MOST_PIECES},
        }


class StepSerializer(serializers.Serializer):
    what = serializers.ChoiceField(Next.choices)
    on = serializers.DateField(allow_null=True)


class OrderSerializer(Known):
    number = serializers.CharField(
        required=False, max_length=LONGEST_KEY, help_text="As in the address."
    )
    customer = ByKey(
        "reference", queryset=Customer.objects.all(), required=False, help_text="Their reference."
    )
    customer_name = serializers.CharField(source="customer.name", read_only=True)
    lines = OrderLineSerializer(
        many=True,
        required=False,
        max_length=MOST_LINES,
        help_text="All of them. Product and quantity of the order follow from its lines.",
    )
    made = serializers.IntegerField(read_only=True)
    promised = serializers.DateField(read_only=True, allow_null=True)
    next_step = StepSerializer(read_only=True, allow_null=True)
    needed = ["customer", "product", "quantity"]
    of_others = ("customer_name", "promised", "next_step")
    seen_with = {"lines": "orders.view_orderline"}

    class Meta:
        model = Order
        fields = [
            "number",
            "customer",
            "customer_name",
            "customer_reference",
            "product",
            "quantity",
            "due_date",
            "status",
            "notes",
            "lines",
            "made",
            "promised",
            "next_step",
            "created_at",
            "updated_at",
        ]
        extra_kwargs = {
            "product": {"required": False},
            "quantity": {"required": False},
            "status": {
                "help_text": "Received, planned, in production and ready follow from the runs: "
                "what is sent may then be behind."
            },
            "notes": {"max_length": 5000},
        }

    def validate_lines(self, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        may = [f"orders.{verb}_orderline" for verb in ("add", "change", "delete")]
        if not self.context["request"].user.has_perms(may):
            raise PermissionDenied
        positions = [line["position"] for line in lines if "position" in line]
        if len(set(positions)) < len(positions):
            raise serializers.ValidationError("Two lines have the same position.")
        return lines

    def validate_quantity(self, quantity: int) -> int:
        """Lines may add up to more than one can be of."""
        is_of_lines = self.initial_data.get("lines") or (
            self.instance and quantity == self.instance.quantity
        )
        if quantity > MOST_PIECES and not is_of_lines:
            raise serializers.ValidationError(f"At most {MOST_PIECES}.")
        return quantity

    def validate(self, said: dict[str, Any]) -> dict[str, Any]:
        if said.get("lines"):
            # They follow from the lines.
            said = {**said, "product": said["lines"][0]["product"], "quantity": 0}
        elif self.instance and "lines" not in said:
            self._refuse_what_lines_say(self.instance, said)
        return super().validate(said)

    def _refuse_what_lines_say(self, order: Order, said: dict[str, Any]) -> None:
        follow = ("product", "quantity")
        other = [
            name for name in follow if said.get(name, getattr(order, name)) != getattr(order, name)
        ]
        if other and order.lines.exists():
            why = "It follows from the lines of this order: send `lines`, with all of them."
            raise serializers.ValidationError(dict.fromkeys(other, why))

    def create(self, said: dict[str, Any]) -> Order:
        lines = said.pop("lines", [])
        order = super().create(said)
        if lines and order.put_lines(lines):
            Order.objects.filter(pk=order.pk).follow()
        return order

    def update(self, order: Order, said: dict[str, Any]) -> Order:
        lines = said.pop("lines", None)
        before = [getattr(order, name) for name in said]
        differ = lines is not None and order.put_lines(lines)
        for name, value in said.items():
            setattr(order, name, value)
        order.work_out()
        if differ or before != [getattr(order, name) for name in said]:
            self.outcome = Outcome.CHANGED
            order.save()
        return order


class OrderFilter(filters.FilterSet):
    status = filters.MultipleChoiceFilter(choices=Order.Status.choices, distinct=False)
    customer = filters.CharFilter(method="of_customer", label="The reference of a customer.")
    customer_reference = filters.CharFilter()
    due_from = DayFilter("due_date", "gte")
    due_until = DayFilter("due_date", "lte")
    updated_since = filters.IsoDateTimeFilter("updated_at", "gte")

    class Meta:
        model = Order
        fields: list[str] = []

    def of_customer(self, orders: QuerySet, name: str, reference: str) -> QuerySet:
        return orders.filter(customer__key=order_key(reference))


AN_ORDER = {
    "number": "ORD-1001",
    "customer": "K-100",
    "product": "Gear wheel",
    "quantity": 500,
    "due_date": "2027-03-01",
}


@stored(OrderSerializer, AN_ORDER)
class OrderViewSet(KnownViewSet):
    """Orders, by their number: case, spaces and dashes do not count."""

    queryset = Order.objects.select_related("customer")
    serializer_class = OrderSerializer
    filterset_class = OrderFilter
    goes_along = ("orderline", "productionrun")
    known_by = lookup_field = "number"

    def get_queryset(self) -> QuerySet:
        return super().get_queryset().with_progress()


class OrderLineOfOrderSerializer(OrderLineSerializer):
    order = OrderNumber(read_only=True)

    class Meta(OrderLineSerializer.Meta):
        fields = ["order", *OrderLineSerializer.Meta.fields, "created_at", "updated_at"]


class OrderLineFilter(filters.FilterSet):
    order = OfOrder()
    updated_since = filters.IsoDateTimeFilter("updated_at", "gte")

    class Meta:
        model = OrderLine
        fields = ["product"]


class OrderLineViewSet(mixins.ListModelMixin, GenericViewSet):
    """The lines of all orders. They are stored with their order."""

    queryset = OrderLine.objects.select_related("order")
    serializer_class = OrderLineOfOrderSerializer
    filterset_class = OrderLineFilter
    ordering = ["updated_at", "id"]


# Production --------------------------------------------------------------------------------------


class LineSerializer(ModelSerializer):
    class Meta:
        model = Line
        fields = ["id", "name"]


class LineViewSet(mixins.ListModelMixin, mixins.CreateModelMixin, GenericViewSet):
    """Production lines."""

    queryset = Line.objects.all()
    serializer_class = LineSerializer
    ordering = ["id"]


class Position(serializers.IntegerField):
    """A line of the order, by its position."""

    def get_attribute(self, run: ProductionRun) -> int | None:
        return run.order_line and run.order_line.position


class Moment(serializers.DateTimeField):
    """A moment in years that calendars can reckon with.

    In UTC: of two in another zone, Python compares what clocks show, also when they are set back.
    """

    def to_internal_value(self, value: Any) -> Any:
        moment = super().to_internal_value(value)
        if not 1970 <= moment.year < 2200:
            raise serializers.ValidationError("A year from 1970 to 2199 is expected.")
        return moment.astimezone(UTC)

    def enforce_timezone(self, value: datetime) -> datetime:
        """Without a zone it is the factory's, unless there it comes twice or not at all."""
        return super().enforce_timezone(from_current_timezone(value))


class RunSerializer(Known):
    reference = serializers.CharField(
        required=False, allow_blank=True, max_length=LONGEST_KEY, help_text="As in the address."
    )
    order = OrderNumber(required=False, allow_null=True, help_text="Its number; null: for stock.")
    order_line = Position(
        required=False, allow_null=True, help_text="Of an order with several: the line's position."
    )
    line = LineName(required=False, help_text="The production line's name.")
    begins = Moment(required=False)
    ends = Moment(required=False)
    needed = ["line", "product", "begins", "ends", "quantity"]

    class Meta:
        model = ProductionRun
        fields = [
            "reference",
            "order",
            "order_line",
            "line",
            "product",
            "begins",
            "ends",
            "quantity",
            "made",
            "scrapped",
            "status",
            "created_at",
            "updated_at",
        ]
        extra_kwargs = {
            "product": {"required": False},
            "quantity": {"required": False, "max_value": MOST_PIECES},
            "made": {"max_value": MOST_PIECES},
            "scrapped": {"max_value": MOST_PIECES},
        }

    def validate(self, said: dict[str, Any]) -> dict[str, Any]:
        said = super().validate(said)
        begins, ends = (
            said.get(end, getattr(self.instance, end, None)) for end in ("begins", "ends")
        )
        if ends <= begins:
            raise serializers.ValidationError({"ends": "A run has to end after it begins."})
        order = said.get("order", getattr(self.instance, "order", None))
        if "order_line" in said:
            said["order_line"] = self._line_of(order, said["order_line"])
        elif "order" in said and self.instance and order != self.instance.order:
            said["order_line"] = None
        return said

    def _line_of(self, order: Order | None, position: int | None) -> OrderLine | None:
        if position is None:
            return None
        found = order and order.lines.filter(position=position).first()
        if not found:
            raise serializers.ValidationError({"order_line": "The order has no such line."})
        return found


class RunFilter(filters.FilterSet):
    status = filters.MultipleChoiceFilter(choices=ProductionRun.Status.choices, distinct=False)
    order = OfOrder()
    line = filters.CharFilter("line__name")
    ends_after = filters.IsoDateTimeFilter("ends", "gt")
    begins_before = filters.IsoDateTimeFilter("begins", "lt")
    updated_since = filters.IsoDateTimeFilter("updated_at", "gte")

    class Meta:
        model = ProductionRun
        fields: list[str] = []


A_RUN = {
    "reference": "MO-7",
    "order": "ORD-1001",
    "line": "Line 1",
    "product": "Gear wheel",
    "begins": "2027-02-01T06:00:00Z",
    "ends": "2027-02-01T14:00:00Z",
    "quantity": 500,
    "made": 320,
    "status": "running",
}


@stored(RunSerializer, A_RUN)
class RunViewSet(KnownViewSet):
    """Production runs, by the reference that your other systems have for them.

    With them changes how far their order is, and when it is promised for.
    """

    queryset = ProductionRun.objects.select_related("order", "order_line", "line")
    serializer_class = RunSerializer
    filterset_class = RunFilter
    known_by = lookup_field = "reference"
