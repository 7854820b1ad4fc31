"""Lists that may be very long: to count a million rows takes longer than to show fifty."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property

from whatsapp_bot.admin.base import ChangeList
from whatsapp_bot.search import by_index

MOST_LISTED = 10_000


class LongListPaginator(Paginator):
    """Pages of the first MOST_LISTED rows. No more of them are counted."""

    template_name = "whatsapp_bot/long_list.html"

    @cached_property
    def _found(self) -> int:
        return self.object_list.order_by()[: MOST_LISTED + 1].count()

    @property
    def is_cut(self) -> bool:
        """Are there more rows than those?"""
        return self._found > MOST_LISTED

    @property
    def count(self) -> int:
        return min(self._found, MOST_LISTED)

    def _get_page(self, rows: QuerySet, *about: Any) -> Page:
        """The rows are found by their ids: all that they show is read of these only."""
        ids = list(rows.values_list("pk", flat=True))
        return Page(self.object_list.filter(pk__in=ids), *about)


class LongChangeList(ChangeList):
    def get_results(self, request: HttpRequest) -> None:
        with by_index(self.query):
            super().get_results(request)
        if not self.result_count:
            # It need not be looked for again.
            self.result_list = self.queryset.none()
        if self.paginator.is_cut:
            # Else the page would say that so many were found.
            self.full_result_count = self.result_count


class LongList:
    """A list of which only the first MOST_LISTED rows are shown, and how many there are else."""

    paginator = LongListPaginator
    show_full_result_count = False

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        return LongChangeList

    def response_action(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        is_for_all = request.POST.get("select_across") == "1"
        if is_for_all and queryset.order_by()[: MOST_LISTED + 1].count() > MOST_LISTED:
            sentence = f"That is for {MOST_LISTED:,} at once at most: filter the list further."
            messages.error(request, sentence)
            return None
        return super().response_action(request, queryset)  # type: ignore[misc]
