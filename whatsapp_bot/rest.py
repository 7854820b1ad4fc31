"""What the apps' `api.py` have in common."""

from collections.abc import Iterator
from typing import Any

from rest_framework import renderers, serializers
from rest_framework.exceptions import APIException


class _Strict:
    """Refuses what would else be lost or guessed: other fields, and other kinds of values."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            return super().to_internal_value(data)  # type: ignore[misc]
        fields = self.fields  # type: ignore[attr-defined]
        wrong = {name: why for name, value in data.items() if (why := _wrong(name, value, fields))}
        rest = {name: value for name, value in data.items() if name not in wrong}
        try:
            said = super().to_internal_value(rest)  # type: ignore[misc]
        except serializers.ValidationError as more:
            raise serializers.ValidationError({**more.detail, **wrong}) from None
        if wrong:
            raise serializers.ValidationError(wrong)
        return said


def _wrong(name: str, value: Any, fields: dict[str, serializers.Field]) -> str:
    """Why a value cannot be meant for this field; "" when it can."""
    if name not in fields:
        return f"There is no such field. There are: {', '.join(sorted(fields))}."
    match fields[name]:
        case serializers.CharField() if not isinstance(value, str | None):
            return "A text is expected, in quotes."
        case serializers.BooleanField() if not isinstance(value, bool | None):
            return "true or false is expected, without quotes."
        case serializers.IntegerField() if not _is_whole(value):
            return "A whole number is expected, without quotes."
    return ""


def _is_whole(value: Any) -> bool:
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, int | None) and not isinstance(value, bool)


class Serializer(_Strict, serializers.Serializer):
    pass


class ModelSerializer(_Strict, serializers.ModelSerializer):
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
