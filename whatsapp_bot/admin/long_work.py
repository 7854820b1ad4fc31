"""Work that takes long, as staff follow it: each has a page that says how far it is."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from unfold.decorators import display

from whatsapp_bot.admin.log import LogAdmin
from whatsapp_bot.spreadsheets import CONTENT_TYPES


class LongWorkAdmin(LogAdmin):
    """Everybody sees what they asked for themselves, and nobody else decides about it."""

    list_display_links = ["created_at"]
    show_full_result_count = False

    def may_ask(self, user: AbstractBaseUser) -> bool:
        """May they have such work done at all?"""
        raise NotImplementedError

    def may_decide(self, user: AbstractBaseUser, work: Any) -> bool:
        """May they still decide about this one, which is theirs?"""
        return self.may_ask(user)

    def in_words(self, work: Any) -> str:
        """How it stands, in a sentence or two."""
        raise NotImplementedError

    def page(self, request: HttpRequest, work: Any) -> HttpResponse:
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        return [self.step("state", self.state_view), *super().get_urls()]

    def step(self, name: str, view: Any) -> URLPattern:
        """The address of a view of one piece of work."""
        full_name = f"{self.opts.app_label}_{self.opts.model_name}_{name}"
        return path(f"<int:pk>/{name}/", self.admin_site.admin_view(view), name=full_name)

    @display(
        description="state",
        ordering="status",
        label={
            "waiting": "info",
            "running": "info",
            "checked": "warning",
            "done": "success",
            "failed": "danger",
            "cancelled": "",
        },
    )
    def state(self, work: Any) -> tuple[str, str]:
        return work.status, work.get_status_display()

    # Who may ------------------------------------------------------------------------------------

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if self._sees_all(request):
            return True
        return self.may_ask(request.user) and (obj is None or obj.by_id == request.user.pk)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        every = super().get_queryset(request).select_related("by")
        return every if self._sees_all(request) else every.filter(by=request.user.pk)

    def is_own(self, request: HttpRequest, work: Any) -> bool:
        """Did they ask for it, and may they still decide about it?"""
        return work.by_id == request.user.pk and self.may_decide(request.user, work)

    def seen(self, request: HttpRequest, pk: int) -> Any:
        """The work, for who may see it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return get_object_or_404(self.get_queryset(request), pk=pk)

    def own(self, request: HttpRequest, pk: int) -> Any:
        """The work, for whose it is."""
        work = self.seen(request, pk)
        if not self.is_own(request, work):
            raise PermissionDenied
        return work

    def _sees_all(self, request: HttpRequest) -> bool:
        return super().has_view_permission(request)

    # Its page -----------------------------------------------------------------------------------

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """How far it is, and what became of it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        work = self.get_object(request, object_id)
        if work is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return self.page(request, work)

    def state_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        work = self.seen(request, pk)
        state = {
            "unfinished": work.is_unfinished,
            "done": work.done,
            "total": work.total,
            "sentence": self.in_words(work),
        }
        response = JsonResponse(state)
        response["Cache-Control"] = "no-store"
        return response


def attached(file: Any, name: str, format: str) -> FileResponse:
    """A table as a file, for whoever asked for it and for no cache; format: as in CONTENT_TYPES."""
    response = FileResponse(
        file, as_attachment=True, filename=name, content_type=CONTENT_TYPES[format]
    )
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response
