"""What the apps' `api.py` have in common."""

from collections.abc import Iterator
from typing import Any

from rest_framework import renderers, serializers
from rest_framework.exceptions import APIException


class _Strict:
    """Refuses fields that there are not: one that is misspelt would be lost without a word."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            fields = self.fields  # type: ignore[attr-defined]
            if unknown := sorted(set(data) - set(fields)):
                there_are = ", ".join(sorted(fields))
                said = f"There is no such field. There are: {there_are}."
                raise serializers.ValidationError(dict.fromkeys(unknown, said))
        return super().to_internal_value(data)  # type: ignore[misc]


class Serializer(_Strict, serializers.Serializer):
    pass


class ModelSerializer(_Strict, serializers.ModelSerializer):
    pass


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
