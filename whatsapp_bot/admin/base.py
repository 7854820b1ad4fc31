"""What all pages of the admin have in common."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.admin import ModelAdmin as UnfoldModelAdmin


class ModelAdmin(UnfoldModelAdmin):
    """Who asks for what is not there, comes to the list of what is."""

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: object, object_id: str
    ) -> HttpResponse:
        messages.warning(
            request,
            f"This {self.opts.verbose_name} is not there: it was deleted, or its address is not "
            "right. These are all that you may see.",
        )
        return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
