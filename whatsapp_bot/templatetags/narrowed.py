"""What a list of the admin is narrowed to, beside the words that were sought."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import template
from django.contrib.admin import ListFilter
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field

from whatsapp_bot.wording import in_full

EDGES = {"gte": "from ", "gt": "after ", "lte": "until ", "lt": "before "}

register = template.Library()


@dataclass(frozen=True, slots=True)
class Narrowing:
    """One way in which it is: in words, and the query of the list without it."""

    words: str
    without: str


@register.filter
def narrowed(listed: ChangeList) -> list[Narrowing]:
    """By the filters that staff chose, and by what a link from another page asks for."""
    asked = listed.get_filters_params()
    found = []
    for chosen in listed.filter_specs:
        own = [name for name in chosen.expected_parameters() if asked.pop(name, None)]
        words = _chosen(chosen, listed) if own else ""
        if words:
            found.append(_narrowing(listed, chosen.title, words, own))
    for lookup, values in asked.items():
        found.append(_narrowing(listed, *_asked(listed, lookup, values[-1]), [lookup]))
    return found


def _narrowing(listed: ChangeList, title: str, words: str, names: list[str]) -> Narrowing:
    title = f"{title[:1].upper()}{title[1:]}"
    return Narrowing(f"{title}: {words}", listed.get_query_string(remove=names))


def _chosen(chosen: ListFilter, listed: ChangeList) -> str:
    """What is chosen in the filter, as it says itself; "" for its first choice, which is all."""
    if hasattr(chosen, "in_words"):
        return chosen.in_words()
    choices = list(chosen.choices(listed))[1:]
    words = next((str(one["display"]) for one in choices if one.get("selected")), "")
    return "none" if words == listed.model_admin.get_empty_value_display() else words


def _asked(listed: ChangeList, lookup: str, value: str) -> tuple[str, str]:
    """The title and the words of a lookup that is none of a filter's."""
    name, *steps = lookup.split("__")
    try:
        field = listed.lookup_opts.get_field(name)
    except FieldDoesNotExist:
        return name.replace("_", " "), value
    step = steps[-1] if steps else ""
    if step == "isnull":
        return field.verbose_name, "any" if value.lower() in ("0", "false") else "none"
    values = value.split(",") if step == "in" else [value]
    words = " or ".join(_values_in_words(field, values))
    return field.verbose_name, f"{EDGES.get(step, '')}{words}"


def _values_in_words(field: "Field[Any, Any]", values: list[str]) -> Iterator[str]:
    if field.is_relation:
        rows = field.related_model._default_manager.filter(pk__in=values)
        yield from map(str, rows)
        return
    labels = {str(value): str(label) for value, label in field.flatchoices}
    for value in values:
        yield labels.get(value) or _day_in_words(value) or value


def _day_in_words(value: str) -> str:
    try:
        return in_full(date.fromisoformat(value))
    except ValueError:
        return ""
