"""Deleting users and groups: what cannot be, and why."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Model, QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

Rows = QuerySet[Any] | Sequence[Any]
Deleted = tuple[list[Any], dict[str, int], set[str], list[Any]]
"""What an admin's `get_deleted_objects` returns; its last is what stands in the way."""


def in_words(reasons: dict[Any, str]) -> list[SafeString]:
    """A line for each row that cannot be deleted, with a link to its page."""
    line = '<a href="{}" class="text-link">{}</a>: {}'
    return [format_html(line, _page_of(row), row, why) for row, why in reasons.items()]


def _page_of(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
