"""What the apps' `api.py` have in common."""

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


class Anything(renderers.BaseRenderer):
    """For views that answer with files: whatever is asked for, they get the file."""

    media_type = "*/*"
    format = "file"
