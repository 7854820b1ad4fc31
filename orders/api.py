"""Orders, customers and production, for other systems.

What another system knows by a number or a reference of its own is stored under it, as often as it
likes: a new one is made, one that is there is changed, and the same again changes nothing.
"""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, models, transaction
from django.db.models import Model, QuerySet
from django.shortcuts import get_object_or_404
from django_filters import rest_framework as filters
from drf_spectacular.utils import (
    OpenApiExample,
    extend_schema,
    extend_schema_view,
)
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from orders.models import Customer, Line, Order, OrderLine, ProductionRun, order_key
from orders.models.progress import Next
from whatsapp_bot.rest import ModelSerializer, flattened
from whatsapp_bot.whatsapp_text import clean

MOST_AT_ONCE = 500
MOST_LINES = 200
MOST_PIECES = 2_147_483_647
LONGEST_NAME = 60


class Outcome(models.TextChoices):
    """What became of something that was to be stored."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    WRONG = "wrong"


# What rows are known by --------------------------------------------------------------------------


class ByKey(serializers.SlugRelatedField):
    """A row by its number or reference, whose case, spaces and dashes do not count."""

    default_error_messages = {"does_not_exist": "There is no {what} {value}."}

    def __init__(self, slug_field: str, **options: Any) -> None:
        super().__init__(slug_field, **options)

    def to_internal_value(self, data: Any) -> Model:
        rows = self.get_queryset()
        key = order_key(data) if isinstance(data, str) else ""
        # Several in one request are often of the same one.
        found = self.context.setdefault("found", {})
        if (rows.model, key) not in found:
            found[rows.model, key] = rows.filter(key=key).first() if key else None
        if not found[rows.model, key]:
            self.fail("does_not_exist", what=rows.model._meta.verbose_name, value=data)
        return found[rows.model, key]


class OrderNumber(ByKey):
    def __init__(self, **options: Any) -> None:
        if not options.get("read_only"):
            options.setdefault("queryset", Order.objects.all())
        super().__init__("number", **options)


class LineName(serializers.SlugRelatedField):
    """A production line by its name."""

    default_error_messages = {"does_not_exist": "There is no line {value}."}

    def __init__(self, **options: Any) -> None:
        super().__init__("name", queryset=Line.objects.all(), **options)


class Known(ModelSerializer):
    """A row that is stored under its number or reference. `needed` is what a new one wants.

    What is not said of one that is there stays as it is.
    """

    needed: list[str] = []
    outcome = Outcome.UNCHANGED

    def validate(self, said: dict[str, Any]) -> dict[str, Any]:
        if self.instance is None:
            missing = [name for name in self.needed if name not in said]
            if missing:
                raise serializers.ValidationError(dict.fromkeys(missing, "A new one needs this."))
        return said

    def create(self, said: dict[str, Any]) -> Model:
        self.outcome = Outcome.CREATED
        return super().create(said)

    def update(self, row: Model, said: dict[str, Any]) -> Model:
        if any(getattr(row, name) != value for name, value in said.items()):
            self.outcome = Outcome.CHANGED
            return super().update(row, said)
        return row


class ErrorSerializer(serializers.Serializer):
    pointer = serializers.CharField(help_text="Where in the row.")
    detail = serializers.CharField()


class RowSerializer(serializers.Serializer):
    row = serializers.IntegerField(help_text="Its place in the list, from 0 on.")
    which = serializers.CharField(allow_null=True, help_text="Its number or reference.")
    outcome = serializers.ChoiceField(Outcome.choices)
    errors = ErrorSerializer(many=True)


class BulkSerializer(serializers.Serializer):
    """What became of many rows."""

    created = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    wrong = serializers.IntegerField()
    rows = RowSerializer(many=True)


class KnownViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Rows that other systems know by the field `known_by`, as its key is compared."""

    known_by: str
    ordering = ["updated_at", "id"]
    lookup_value_regex = ".+"
    http_method_names = ["get", "put", "post", "delete", "head"]

    @property
    def needs(self) -> list[str]:
        model = self.queryset.model._meta.model_name
        match self.request.method:
            case "PUT" | "POST":
                return [f"orders.add_{model}", f"orders.change_{model}"]
            case "DELETE":
                return [f"orders.delete_{model}"]
        return [f"orders.view_{model}"]

    def get_object(self) -> Model:
        name = self.kwargs[self.lookup_field]
        return get_object_or_404(self.get_queryset(), key=order_key(name) or None)

    def list(self, request: Request, *args: Any, **options: Any) -> Response:
        """The one that was changed least lately comes first: so `updated_since` finds all."""
        return super().list(request, *args, **options)

    def destroy(self, request: Request, **_: Any) -> Response:
        """Delete it, with all that belongs to it."""
        self.get_object().delete()
        return Response(status=204)

    def update(self, request: Request, **_: Any) -> Response:
        """Store it: a new one is made (201), one that is there is changed (200).

        What is not named stays as it is. The same again changes nothing.
        """
        name = self.kwargs[self.lookup_field]
        said = request.data
        inside = said.get(self.known_by, name) if isinstance(said, dict) else name
        if order_key(str(inside)) != order_key(name):
            raise serializers.ValidationError({self.known_by: "It differs from the address."})
        row, outcome = self._store(name, said)
        status = 201 if outcome == Outcome.CREATED else 200
        shown = self.get_serializer(self.get_queryset().get(pk=row.pk))
        return Response(shown.data, status)

    def _store(self, name: Any, said: Any) -> tuple[Model, Outcome]:
        """Make or change the one of this name. Raises ValidationError."""
        name = self._checked(name)
        try:
            return self._store_once(name, said)
        except IntegrityError:
            # Somebody else has made it in the same moment: now it is there.
            return self._store_once(name, said)

    @transaction.atomic
    def _store_once(self, name: str, said: Any) -> tuple[Model, Outcome]:
        there = self.queryset.select_for_update(no_key=True, of=("self",))
        row = there.filter(key=order_key(name)).first()
        checked = self.get_serializer(row, data=said)
        checked.is_valid(raise_exception=True)
        checked.validated_data.pop(self.known_by, None)
        new = {} if row else {self.known_by: name}
        return checked.save(**new), checked.outcome

    def _checked(self, name: Any) -> str:
        wrong = ""
        if not isinstance(name, str) or not order_key(name):
            wrong = "It needs a letter or a digit."
        elif len(name := clean(name, len(name))) > LONGEST_NAME:
            wrong = f"At most {LONGEST_NAME} characters fit."
        if wrong:
            raise serializers.ValidationError({self.known_by: wrong})
        return name

    # Many ---------------------------------------------------------------------------------------

    @action(detail=False, methods=["post"], filterset_class=None, pagination_class=None)
    def bulk(self, request: Request, **_: Any) -> Response:
        """Store up to 500 at once, each by itself: the answer tells what became of each.

        One that is wrong keeps none of the others out.
        """
        rows = request.data.get("rows") if isinstance(request.data, dict) else None
        if not isinstance(rows, list) or not 1 <= len(rows) <= MOST_AT_ONCE:
            raise serializers.ValidationError({"rows": f"A list of 1 to {MOST_AT_ONCE} rows."})
        self.found: dict[Any, Any] = {}
        seen: dict[str, int] = {}
        told = [self._store_row(place, row, seen) for place, row in enumerate(rows)]
        outcomes = [row["outcome"] for row in told]
        return Response({**{one.value: outcomes.count(one) for one in Outcome}, "rows": told})

    def _store_row(self, place: int, said: Any, seen: dict[str, int]) -> dict[str, Any]:
        """Store one of several by itself, and tell what became of it."""
        name = said.get(self.known_by) if isinstance(said, dict) else None
        told = {"row": place, "which": name if isinstance(name, str) else None}
        try:
            first = seen.setdefault(order_key(self._checked(name)), place)
            if first != place:
                raise serializers.ValidationError({self.known_by: f"It is in row {first} already."})
            _, outcome = self._store(name, said)
        except serializers.ValidationError as wrong:
            errors = [{"pointer": where, "detail": text} for where, text in flattened(wrong.detail)]
            return {**told, "outcome": Outcome.WRONG, "errors": errors}
        return {**told, "outcome": outcome, "errors": []}

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "found": getattr(self, "found", {})}


def stored(serializer: type[Known], example: dict[str, Any]) -> Callable[..., Any]:
    """Class decorator: describes what a view stores, one by one and in bulk."""
    name = serializer.__name__.removesuffix("Serializer")
    row = {"anyOf": [{"$ref": f"#/components/schemas/{name}Request"}, {}]}
    rows = {"type": "array", "minItems": 1, "maxItems": MOST_AT_ONCE, "items": row}
    body = {"type": "object", "required": ["rows"], "properties": {"rows": rows}}
    shown = OpenApiExample("One row", {"rows": [example]}, request_only=True)
    described = extend_schema(
        request={"application/json": body}, responses=BulkSerializer, examples=[shown]
    )
    both = extend_schema(responses={200: serializer, 201: serializer})
    return extend_schema_view(bulk=described, update=both)


# Customers ---------------------------------------------------------------------------------------


class CustomerSerializer(Known):
    reference = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST_NAME)
    contacts = serializers.PrimaryKeyRelatedField(many=True, read_only=True)
    needed = ["name"]

    class Meta:
        model = Customer
        fields = ["reference", "name", "contacts", "created_at", "updated_at"]
        extra_kwargs = {"name": {"required": False}}

    def get_fields(self) -> dict[str, serializers.Field]:
        return hidden(super().get_fields(), "contacts", self, "orders.view_customerlink")


def hidden(
    fields: dict[str, serializers.Field], name: str, within: serializers.Serializer, needed: str
) -> dict[str, serializers.Field]:
    """The fields without the one that the user may not see."""
    request = within.context.get("request")
    is_known = request and request.user and request.user.is_authenticated
    if is_known and not request.user.has_perm(needed):
        del fields[name]
    return fields


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
    known_by = lookup_field = "reference"


# Orders ------------------------------------------------------------------------------------------


class OrderLineSerializer(ModelSerializer):
    class Meta:
        model = OrderLine
        fields = ["position", "product", "quantity"]
        extra_kwargs = {
            "position": {"required": False, "min_value": 1, "max_value": MOST_PIECES},
            "quantity": {"max_value": MOST_PIECES},
        }


class StepSerializer(serializers.Serializer):
    what = serializers.ChoiceField(Next.choices)
    on = serializers.DateField(allow_null=True)


class OrderSerializer(Known):
    number = serializers.CharField(
        required=False, max_length=LONGEST_NAME, help_text="As in the address."
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
            "quantity": {"required": False, "max_value": MOST_PIECES},
            "status": {
                "help_text": "Received, planned, in production and ready follow from the runs: "
                "what is sent may then be behind."
            },
            "notes": {"max_length": 5000},
        }

    def get_fields(self) -> dict[str, serializers.Field]:
        return hidden(super().get_fields(), "lines", self, "orders.view_orderline")

    def validate_lines(self, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        may = [f"orders.{verb}_orderline" for verb in ("add", "change", "delete")]
        if not self.context["request"].user.has_perms(may):
            raise PermissionDenied
        for place, line in enumerate(lines, start=1):
            line.setdefault("position", place)
        positions = [line["position"] for line in lines]
        if len(set(positions)) < len(positions):
            raise serializers.ValidationError("Two lines have the same position.")
        return lines

    def validate(self, said: dict[str, Any]) -> dict[str, Any]:
        if said.get("lines"):
            # They follow from the lines.
            said = {**said, "product": said["lines"][0]["product"], "quantity": 0}
        return super().validate(said)

    def create(self, said: dict[str, Any]) -> Order:
        lines = said.pop("lines", [])
        order = super().create(said)
        if lines:
            OrderLine.objects.bulk_create(OrderLine(order=order, **line) for line in lines)
            Order.objects.filter(pk=order.pk).follow()
        return order

    def update(self, order: Order, said: dict[str, Any]) -> Order:
        lines = said.pop("lines", None)
        before = [getattr(order, name) for name in said]
        differ = lines is not None and _put_lines(order, lines)
        for name, value in said.items():
            setattr(order, name, value)
        order.follow()
        if differ or before != [getattr(order, name) for name in said]:
            self.outcome = Outcome.CHANGED
            order.save()
        return order


def _put_lines(order: Order, said: list[dict[str, Any]]) -> bool:
    """Give the order these lines and no others. Were they others before?"""
    there = {line.position: line for line in order.lines.all()}
    wanted = {line["position"]: line for line in said}
    gone = [line.pk for position, line in there.items() if position not in wanted]
    new = [
        OrderLine(order=order, **line) for position, line in wanted.items() if position not in there
    ]
    other = [
        line
        for position, line in there.items()
        if position in wanted
        and (line.product, line.quantity)
        != (wanted[position]["product"], wanted[position]["quantity"])
    ]
    for line in other:
        line.product = wanted[line.position]["product"]
        line.quantity = wanted[line.position]["quantity"]
    OrderLine.objects.filter(pk__in=gone).delete()
    OrderLine.objects.bulk_update(other, ["product", "quantity"])
    OrderLine.objects.bulk_create(new)
    order._prefetched_objects_cache = {}
    return bool(gone or new or other)


class OrderFilter(filters.FilterSet):
    status = filters.MultipleChoiceFilter(choices=Order.Status.choices)
    customer = filters.CharFilter(method="of_customer", label="The reference of a customer.")
    customer_reference = filters.CharFilter()
    due_from = filters.DateFilter("due_date", "gte")
    due_until = filters.DateFilter("due_date", "lte")
    updated_since = filters.IsoDateTimeFilter("updated_at", "gte")

    class Meta:
        model = Order
        fields: list[str] = []

    def of_customer(self, orders: QuerySet, name: str, reference: str) -> QuerySet:
        return orders.filter(customer__key=order_key(reference) or None)


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
    known_by = lookup_field = "number"

    def get_queryset(self) -> QuerySet:
        return super().get_queryset().with_progress()


class OrderLineOfOrderSerializer(OrderLineSerializer):
    order = OrderNumber(read_only=True)

    class Meta(OrderLineSerializer.Meta):
        fields = ["order", *OrderLineSerializer.Meta.fields, "created_at", "updated_at"]


class OrderLineFilter(filters.FilterSet):
    order = filters.CharFilter(method="of_order", label="The number of an order.")
    updated_since = filters.IsoDateTimeFilter("updated_at", "gte")

    class Meta:
        model = OrderLine
        fields = ["product"]

    def of_order(self, rows: QuerySet, name: str, number: str) -> QuerySet:
        return rows.filter(order__key=order_key(number))


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
    """A moment in years that calendars can reckon with."""

    def to_internal_value(self, value: Any) -> Any:
        moment = super().to_internal_value(value)
        if not 1970 <= moment.year < 2200:
            raise serializers.ValidationError("A year from 1970 to 2199 is expected.")
        return moment


class RunSerializer(Known):
    reference = serializers.CharField(
        required=False, allow_blank=True, max_length=LONGEST_NAME, help_text="As in the address."
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
    status = filters.MultipleChoiceFilter(choices=ProductionRun.Status.choices)
    order = filters.CharFilter(method="of_order", label="The number of an order.")
    line = filters.CharFilter("line__name")
    ends_after = filters.IsoDateTimeFilter("ends", "gt")
    begins_before = filters.IsoDateTimeFilter("begins", "lt")
    updated_since = filters.IsoDateTimeFilter("updated_at", "gte")

    class Meta:
        model = ProductionRun
        fields: list[str] = []

    def of_order(self, runs: QuerySet, name: str, number: str) -> QuerySet:
        return runs.filter(order__key=order_key(number))


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
