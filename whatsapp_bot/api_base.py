"""What the apps' `api.py` have in common."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import cached_property, wraps
from typing import Any

from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import renderers, serializers
from rest_framework.decorators import action
from rest_framework.exceptions import APIException
from rest_framework.request import Request

NO_TEXT = "A text is expected, in quotes."
_A_SECOND = timedelta(seconds=1)


class Strict:
    """Refuses what would else be lost or guessed: other fields, and other kinds of values.

    A field that is only read may come back as it was read. of_others: those of which what was read
    may be over, though the row has not changed: another row has, or time has passed.
    """

    of_others: tuple[str, ...] = ()

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            return super().to_internal_value(data)
        fields = self.fields
        wrong = {name: why for name, value in data.items() if (why := _wrong(name, value, fields))}
        wrong |= self._would_be_lost({name: data[name] for name in data if name not in wrong})
        rest = {name: value for name, value in data.items() if name not in wrong}
        try:
            said = super().to_internal_value(rest)
        except serializers.ValidationError as more:
            raise serializers.ValidationError({**more.detail, **wrong}) from None
        if wrong:
            raise serializers.ValidationError(wrong)
        return said

    # What is only read ----------------------------------------------------------------------------

    @cached_property
    def _stored(self) -> dict[str, Any]:
        # Another one: in one for a part, fields that have nothing are left out.
        return type(self)(self.instance, context=self.context).data

    def _would_be_lost(self, data: dict[str, Any]) -> dict[str, str]:
        """Why fields that are only read cannot say what they do."""
        fields, row = self.fields, self.instance
        read_only = {name: value for name, value in data.items() if fields[name].read_only}
        if not row:
            return dict.fromkeys(_telling(read_only), "It is filled in here: leave it out.")
        if not read_only or self._is_read_before(read_only):
            return {}
        checked = set(read_only) - set(self.of_others if self._is_read(read_only) else ())
        return {
            name: f"It is {_in_short(self._stored[name])}, and not changed like this: leave it out."
            for name in read_only
            if name in checked and not _are_same(read_only[name], self._stored[name])
        }

    def _is_read(self, said: dict[str, Any]) -> bool:
        """Does it carry our own time, as only what was read here does?"""
        began = self._stored.get("created_at")
        return began is not None and _are_same(said.get("created_at"), began)

    def _is_read_before(self, said: dict[str, Any]) -> bool:
        """Was it read before the last change? It was so then: also what is sent a second time."""
        read, changed = (_moment(one.get("updated_at")) for one in (said, self._stored))
        if not read or not changed or read in _cut(changed):
            return False
        return read < changed and self._is_read(said)


def _telling(said: dict[str, Any]) -> list[str]:
    return [name for name, value in said.items() if value]


def _in_short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 100 else f"{text[:100]}…"


def _are_same(one: Any, other: Any) -> bool:
    """Are they the same value? Of a moment, not all programs keep what is below a second."""
    moments = _moment(one), _moment(other)
    if all(moments):
        return abs(moments[0] - moments[1]) < _A_SECOND
    return one == other


def _cut(moment: datetime) -> list[datetime]:
    """What a program keeps of it that knows seconds alone, or milliseconds, as browsers do."""
    of_second = moment.microsecond
    return [moment.replace(microsecond=of_second // least * least) for least in (10**6, 1000)]


def _moment(value: Any) -> datetime | None:
    """The moment that a text is, with its zone."""
    try:
        found = parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found and found.tzinfo else None


def _wrong(name: str, value: Any, fields: dict[str, serializers.Field]) -> str:
    """Why a value cannot be meant for this field; "" when it can."""
    if not fields:
        return "There is nothing to say here."
    if name not in fields:
        return f"There is no such field. There are: {', '.join(sorted(fields))}."
    match fields[name]:
        case serializers.CharField() | serializers.SlugRelatedField() if not _is_text(value):
            return NO_TEXT
        case serializers.BooleanField() if not isinstance(value, bool | None):
            return "true or false is expected, without quotes."
        case serializers.IntegerField() if not _is_whole(value):
            return "A whole number is expected, without quotes."
    return ""


def _is_text(value: Any) -> bool:
    return isinstance(value, str | None)


def _is_whole(value: Any) -> bool:
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, int | None) and not isinstance(value, bool)


class Serializer(Strict, serializers.Serializer):
    pass


def said(request: Request, body: type[Serializer]) -> dict[str, Any]:
    """What the request's body says. Raises ValidationError."""
    said = body(data=request.data)
    said.is_valid(raise_exception=True)
    return said.validated_data


def says_nothing(method: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator for an address to which nothing is said: what is said there would be lost."""

    @wraps(method)
    def checked(view: Any, request: Request, **options: Any) -> Any:
        said(request, Serializer)
        return method(view, request, **options)

    return checked


def step(
    body: type[Serializer] | None = None,
    *,
    answer: type[serializers.BaseSerializer],
    parameters: list[OpenApiParameter] | None = None,
    **options: Any,
) -> Callable[..., Any]:
    """Decorator for what is done with a row at an address of its own. body: what is said to it."""

    def decorate(method: Callable[..., Any]) -> Callable[..., Any]:
        described = extend_schema(request=body, responses=answer, parameters=parameters)
        at = action(detail=True, methods=["post"], **options)
        return described(at(method if body else says_nothing(method)))

    return decorate


class ModelSerializer(Strict, serializers.ModelSerializer):
    pass


class Username(serializers.SlugRelatedField):
    """Somebody of the staff, by the name that they sign in with; null: nobody."""

    def __init__(self, **options: Any) -> None:
        about = {"help_text": "The name that they sign in with.", **options}
        if options.get("read_only"):
            about["allow_null"] = True
        super().__init__(slug_field="username", **about)


class ChangedMeanwhile(APIException):
    """What was to be changed is not what it was any more: somebody else has changed it."""

    status_code = 412
    default_detail = "Somebody else has changed this meanwhile. Read it again."
    type = "changed"

    def __init__(self, **more: Any) -> None:
        super().__init__()
        self.more = more


def flattened(detail: Any, pointer: str = "#") -> Iterator[tuple[str, str]]:
    """Each message with a JSON pointer to what it is about."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            is_whole = name in ("non_field_errors", "__all__")
            yield from flattened(inner, pointer if is_whole else f"{pointer}/{_escaped(name)}")
    elif isinstance(detail, (list, tuple)):
        for place, inner in enumerate(detail):
            is_row = isinstance(inner, (dict, list, tuple))
            yield from flattened(inner, f"{pointer}/{place}" if is_row else pointer)
    else:
        yield pointer, str(detail)


def _escaped(name: Any) -> str:
    return str(name).replace("~", "~0").replace("/", "~1")


class Anything(renderers.BaseRenderer):
    """For views that answer with files: whatever is asked for, they get the file."""

    media_type = "*/*"
    format = "file"
