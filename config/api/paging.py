"""Pages of a list: each goes on behind the last row of the one before."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from config.api.filtering import WrongParameter

SIZE = 100
LARGEST = 500


class KeysetPagination(BasePagination):
    """In the view's `ordering`, whose fields together are unique, and all go up or all go down.

    What is inserted or changed meanwhile makes no row come twice on two pages, and none go missing:
    a page is found by the values of the last row, and not by counting.
    """

    def paginate_queryset(self, queryset: QuerySet, request: Request, view: Any = None) -> list:
        self.request = request
        ordering = view.ordering
        size = self._size()
        if cursor := request.query_params.get("cursor"):
            queryset = queryset.filter(_behind(queryset.model, ordering, cursor))
        rows = list(queryset.order_by(*ordering)[: size + 1])
        self.next = cursor_at(rows[size - 1], ordering) if len(rows) > size else None
        return rows[:size]

    def get_paginated_response(self, data: Any) -> Response:
        there = self.request.build_absolute_uri()
        link = replace_query_param(there, "cursor", self.next) if self.next else None
        return Response({"next": link, "results": data})

    def _size(self) -> int:
        wanted = self.request.query_params.get("page_size", str(SIZE))
        if not (wanted.isascii() and wanted.isdecimal() and 1 <= int(wanted[:9]) <= LARGEST):
            raise WrongParameter({"page_size": f"It is a number from 1 to {LARGEST}."})
        return int(wanted)

    # What the description says of it ------------------------------------------------------------

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        following = {
            "type": "string",
            "format": "uri",
            "nullable": True,
            "description": "The address of the next page; null on the last one.",
        }
        return {
            "type": "object",
            "required": ["next", "results"],
            "properties": {"next": following, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            {
                "name": "cursor",
                "in": "query",
                "description": "Where the page begins. It is in `next`, and is not made up.",
                "schema": {"type": "string"},
            },
            {
                "name": "page_size",
                "in": "query",
                "description": "How many rows a page has.",
                "schema": {"type": "integer", "minimum": 1, "maximum": LARGEST, "default": SIZE},
            },
        ]


def _names(ordering: list[str]) -> list[str]:
    return [name.removeprefix("-") for name in ordering]


def cursor_at(row: Model, ordering: list[str]) -> str:
    """What a page begins with that comes after this row."""
    values = [str(row.serializable_value(name)) for name in _names(ordering)]
    return urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def _behind(model: type[Model], ordering: list[str], cursor: str) -> Any:
    """The condition for rows that come after the one that the cursor was made of."""
    names = _names(ordering)
    try:
        values = json.loads(urlsafe_b64decode(cursor.encode() + b"=="))
        position = tuple(
            model._meta.get_field(name).to_python(_text(value))
            for name, value in zip(names, values, strict=True)
        )
    except (ValueError, TypeError, OverflowError, RecursionError, ValidationError):
        why = "This is no cursor of ours. Take the one in `next`."
        raise WrongParameter({"cursor": why}) from None
    compare = TupleLessThan if ordering[0].startswith("-") else TupleGreaterThan
    return compare(Tuple(*names), position)


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError
    return value
