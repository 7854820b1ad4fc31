"""What a list of the admin is narrowed to, in words."""

from copy import copy
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.contrib.admin import FieldListFilter, ListFilter
from django.contrib.admin.utils import label_for_field
from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.core.exceptions import FieldDoesNotExist
from django.db.models import DateField, Field
from django.http import QueryDict
from django.utils import timezone
from django.utils.text import capfirst

from whatsapp_bot.wording import in_full

EDGES = {"gte": "from ", "gt": "after ", "lte": "until ", "lt": "before "}
NO = ("", "0", "false")


@dataclass(frozen=True, slots=True)
class Narrowing:
    """One way in which it is: by what, to what, and the query of the list without it."""

    title: str
    words: str
    without: str


def narrowed(listed: ChangeList) -> list[Narrowing]:
    """By filters that staff chose, or that a link from another page asks for; not by the search.

    Nothing is read for it: who sees a list need not see what its rows belong to.
    """
    asked = listed.get_filters_params()
    # What is asked of a filter that has nothing to choose from is not done.
    done = QueryDict(listed.clear_all_filters_qs.removeprefix("?"))
    lookups = {name: values for name, values in asked.items() if name in done}
    without_counts = copy(listed)
    without_counts.add_facets = False
    found = []
    for chosen in listed.filter_specs:
        own = [name for name in chosen.expected_parameters() if name in asked]
        words = _chosen(chosen, without_counts) if own else ""
        if words:
            found.append(_narrowing(listed, chosen.title, words, own))
        elif isinstance(chosen, FieldListFilter) and not hasattr(chosen, "in_words"):
            lookups |= {name: asked[name] for name in own}
    for name, values in lookups.items():
        found.append(_narrowing(listed, *_asked(listed, name, values), [name]))
    return found


def described(listed: ChangeList) -> str:
    """What it shows, and in which order where staff chose one; "" for all, as it always is."""
    parts = [f"{part.title}: {part.words}" for part in narrowed(listed)]
    if listed.query:
        parts.append(f"Search: {listed.query}")
    if order := _order(listed):
        parts.append(f"Sorted by {order}")
    return "; ".join(parts)


def _order(listed: ChangeList) -> str:
    """The columns that staff have it sorted by; "" where they left it as it is."""
    if ORDER_VAR not in listed.params:
        return ""
    columns = {
        listed.list_display[place]: way
        for place, way in listed.get_ordering_field_columns().items()
        if place in range(len(listed.list_display))
    }
    return ", ".join(
        label_for_field(column, listed.model, listed.model_admin)
        + (" (descending)" if way == "desc" else "")
        for column, way in columns.items()
        if listed.get_ordering_field(column)
    )


def _narrowing(listed: ChangeList, title: str, words: str, names: list[str]) -> Narrowing:
    without = listed.get_query_string(dict.fromkeys(names))
    return Narrowing(capfirst(title), words, without)


def _chosen(chosen: ListFilter, listed: ChangeList) -> str:
    """What is chosen in the filter, as it says itself; "" where it does not say so.

    Its first choice is all. It takes any word about an empty value for a yes.
    """
    if hasattr(chosen, "in_words"):
        return chosen.in_words()
    if getattr(chosen, "lookup_val_isnull", None) is not None:
        return ""
    choices = list(chosen.choices(listed))[1:]
    return " or ".join(str(one["display"]) for one in choices if one.get("selected"))


def _asked(listed: ChangeList, lookup: str, values: list[str]) -> tuple[str, str]:
    """The title and the words of a lookup."""
    name, *steps = lookup.split("__")
    step = steps[-1] if steps else ""
    if step == "in":
        values = [one for value in values for one in value.split(",")]
    try:
        field = listed.lookup_opts.get_field(name)
    except FieldDoesNotExist:
        return name.replace("_", " "), " or ".join(values)
    # That of another model which leads here has no name of its own.
    title = getattr(field, "verbose_name", "") or field.related_model._meta.verbose_name
    if step == "isnull":
        return title, "any" if values[-1].lower() in NO else "none"
    words = " or ".join(_in_words(field, value) for value in values)
    return title, f"{EDGES.get(step, '')}{words}"


def _in_words(field: "Field[Any, Any]", value: str) -> str:
    labels = {str(key): str(label) for key, label in getattr(field, "flatchoices", [])}
    day = _day_in_words(value) if isinstance(field, DateField) else ""
    return labels.get(value) or day or value or "none"


def _day_in_words(value: str) -> str:
    """The day of a date, and the time of a moment."""
    try:
        if len(value) <= len("2026-11-29"):
            return in_full(date.fromisoformat(value))
        moment = datetime.fromisoformat(value)
    except ValueError:
        return ""
    there = timezone.localtime(moment) if timezone.is_aware(moment) else moment
    return f"{in_full(there.date())}, {there:%H:%M}"
