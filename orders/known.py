"""Rows that another system knows by a number or a reference of its own.

They are stored under it, as often as the other system likes: a new one is made, one that is there
is changed, and the same again changes nothing.
"""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, models, transaction
from django.db.models import Model
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from orders.models import order_key
from orders.models.keys import LONGEST_KEY
from whatsapp_bot.api_base import NO_TEXT, ModelSerializer, flattened
from whatsapp_bot.whatsapp_text import clean

MOST_AT_ONCE = 500


class Outcome(models.TextChoices):
    """What became of something that was to be stored."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    WRONG = "wrong"


class Named(serializers.SlugRelatedField):
    """A row by what it is called. Called "", it is not null: that is read of one without a name."""

    default_error_messages = {"empty": "It is empty: the {what}'s {by} is expected."}

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return self._as_it_was_read() if data == "" else super().run_validation(data)

    def _as_it_was_read(self) -> Model:
        """The one that is stored, if that cannot be said in another way."""
        stored = getattr(self.parent.instance, self.source, None)
        if not stored or getattr(stored, self.slug_field):
            what = self.get_queryset().model._meta.verbose_name
            self.fail("empty", what=what, by=self.slug_field)
        return stored


class ByKey(Named):
    """A row by its number or reference, whose case, spaces and dashes do not count."""

    default_error_messages = {"does_not_exist": "There is no {what} {value}."}

    def __init__(self, slug_field: str, **options: Any) -> None:
        super().__init__(slug_field, **options)

    def to_internal_value(self, data: str) -> Model:
        rows = self.get_queryset()
        key = order_key(data)
        # Several in one request are often of the same one.
        found = self.context.setdefault("found", {})
        if (rows.model, key) not in found:
            found[rows.model, key] = rows.filter(key=key).first()
        if not found[rows.model, key]:
            self.fail("does_not_exist", what=rows.model._meta.verbose_name, value=data)
        return found[rows.model, key]


class Known(ModelSerializer):
    """A row that is stored under its number or reference. `needed` is what a new one wants.

    What is not said of one that is there stays as it is. seen_with: the permissions without which
    fields are not there.
    """

    needed: list[str] = []
    seen_with: dict[str, str] = {}
    outcome = Outcome.UNCHANGED

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        user = getattr(self.context.get("request"), "user", None)
        if user and user.is_authenticated:
            for name, needed in self.seen_with.items():
                if not user.has_perm(needed):
                    del fields[name]
        return fields

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
    goes_along: tuple[str, ...] = ()
    """What is deleted with one of them, which takes the permission for that as well."""
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
                return [f"orders.delete_{one}" for one in (model, *self.goes_along)]
        return [f"orders.view_{model}"]

    def get_object(self) -> Model:
        name = self.kwargs[self.lookup_field]
        return get_object_or_404(self.get_queryset(), key=order_key(name))

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
        if name is None:
            wrong = "It is missing."
        elif not isinstance(name, str):
            wrong = NO_TEXT
        elif not order_key(name):
            wrong = "It needs a letter or a digit."
        elif len(name := clean(name, len(name))) > LONGEST_KEY:
            wrong = f"At most {LONGEST_KEY} characters fit."
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
        if others := set(request.data) - {"rows"}:
            raise serializers.ValidationError(dict.fromkeys(sorted(others), "There is only rows."))
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
            if not isinstance(said, dict):
                raise serializers.ValidationError("An object is expected, as in the example.")
            first = seen.setdefault(order_key(self._checked(name)), place)
            if first != place:
                raise serializers.ValidationError({self.known_by: f"It is in row {first} already."})
            _, outcome = self._store(name, said)
        except (serializers.ValidationError, PermissionDenied, IntegrityError) as wrong:
            said_of_it = flattened(_what_is_wrong(wrong))
            errors = [{"pointer": where, "detail": text} for where, text in said_of_it]
            return {**told, "outcome": Outcome.WRONG, "errors": errors}
        return {**told, "outcome": outcome, "errors": []}

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "found": getattr(self, "found", {})}


def _what_is_wrong(error: Exception) -> Any:
    match error:
        case PermissionDenied():
            return "You may not do this."
        case IntegrityError():
            return "This has just been changed by somebody else. Please try again."
    return error.detail


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
