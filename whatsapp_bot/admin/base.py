"""What all pages of the admin have in common."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.admin import ModelAdmin as UnfoldModelAdmin
from unfold.paginator import InfinitePaginator
from unfold.views import ChangeList as UnfoldChangeList

NOTHING_TO_SAVE = {"show_save": False, "show_save_and_continue": False}
"""For the context of a page on which all that is done is a step."""


class ChangeList(UnfoldChangeList):
    """A list that nothing narrows shows all there is, also where that is not counted apart."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not (self.query or self.get_filters_params()):
            self.full_result_count = self.result_count


class ModelAdmin(UnfoldModelAdmin):
    """Who asks for what is not there, comes to the list of what is."""

    def get_changelist(self, request: HttpRequest, **options: object) -> type[ChangeList]:
        return ChangeList

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: object, object_id: str
    ) -> HttpResponse:
        messages.warning(
            request,
            f"This {self.opts.verbose_name} is not there: it was deleted, or its address is not "
            "right. These are all that you may see.",
        )
        return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")


class BigAdmin(ModelAdmin):
    """For what there may be a million of: to count them takes longer than to show a page."""

    show_full_result_count = False
    paginator = InfinitePaginator
    list_disable_select_all = True
