"""Lists in which the words that staff look for are found by the rows' own `with_words`."""

from django.db.models import QuerySet
from django.http import HttpRequest


class SearchedByWords:
    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        found = queryset.with_words(search_term) if search_term.strip() else queryset  # type: ignore[attr-defined]
        return found, False
