"""Narrowing a list down by what stands in its address."""

from typing import Any

from django.db.models import QuerySet
from django_filters import MultipleChoiceFilter
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

OF_PAGES = {"cursor", "page_size"}


class WrongParameter(ValidationError):
    """Something in the address is wrong, and not in the body."""


class KnownFilters(DjangoFilterBackend):
    """A filter that is misspelt would show everything: one that there is not is refused."""

    raise_exception = False

    def filter_queryset(self, request: Request, queryset: QuerySet, view: Any) -> QuerySet:
        filters = self.get_filterset(request, queryset, view)
        known = OF_PAGES | set(filters.filters if filters else ())
        if unknown := sorted(set(request.query_params) - known):
            there_are = ", ".join(sorted(known))
            raise WrongParameter(dict.fromkeys(unknown, f"Not a filter. There are: {there_are}."))
        if torn := [name for name in request.query_params if _is_torn(name, filters, request)]:
            raise WrongParameter(dict.fromkeys(torn, "It is there twice, and takes one value."))
        if filters and not filters.is_valid():
            raise WrongParameter(filters.errors)
        meant = filters.form.cleaned_data if filters else {}
        if lost := [name for name in request.query_params if meant.get(name, 0) in ("", None, [])]:
            raise WrongParameter(dict.fromkeys(lost, "It says nothing to filter by."))
        return filters.qs if filters else queryset


def refuse_parameters(request: Request, view: Any) -> None:
    """Raises WrongParameter for any, unless what is asked for is a list with pages.

    Who deletes with `?dry_run=1` wants nothing deleted.
    """
    is_list = request.method in SAFE_METHODS and view.action != "retrieve" and view.pagination_class
    if request.query_params and view.action and not is_list:
        why = "Not a filter. There are none here."
        raise WrongParameter(dict.fromkeys(sorted(request.query_params), why))


def _is_torn(name: str, filters: Any, request: Request) -> bool:
    """Has it several values, of which all but one would be lost?"""
    takes_several = filters and isinstance(filters.filters.get(name), MultipleChoiceFilter)
    return not takes_several and len(set(request.query_params.getlist(name))) > 1
