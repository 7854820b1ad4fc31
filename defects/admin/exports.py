"""Exporting the list of defect reports, as it is filtered, searched and ordered."""

import tempfile
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    QueryDict,
)
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from defects.export import Writing, cut_in_words
from defects.exporting import Refused, about_of
from defects.models import DefectReport, Export
from defects.models.export import LONGEST_QUERY
from defects.tasks import make_exports
from whatsapp_bot import tasks
from whatsapp_bot.admin.long_work import LongWorkAdmin, attached
from whatsapp_bot.narrowed import described

MAY_EXPORT = "defects.export_defectreport"
AT_ONCE = 5_000
"""Up to so many reports are worth waiting for."""
NOT_FILTERS = ("p", "all", "e", "_popup", "_to_field")
"""What a list's address says of the page, and not of the list."""


def may_export(user: Any) -> bool:
    return user.has_perms([MAY_EXPORT, "defects.view_defectreport"])


# What the list shows ------------------------------------------------------------------------------


def the_list(user: AbstractBaseUser, query: str) -> ChangeList:
    """The list of reports as `user` sees it. query: that of its address.

    Raises IncorrectLookupParameters or SuspiciousOperation when it makes no sense.
    """
    request = HttpRequest()
    request.method = "GET"
    request.path = request.path_info = reverse("admin:defects_defectreport_changelist")
    request.GET = QueryDict(query)
    request.user = user  # type: ignore[assignment]
    page = admin.site.get_model_admin(DefectReport)
    return page.get_changelist_instance(request)


def reports_of(export: Export) -> "QuerySet[DefectReport]":
    """The reports that the list shows now to whoever asked for the export. Raises Refused."""
    user = export.by
    if not (user and user.is_active and user.is_staff and may_export(user)):
        raise Refused("Whoever asked for it may not export defect reports any more.")
    try:
        return the_list(user, export.query).queryset
    except (IncorrectLookupParameters, SuspiciousOperation):
        raise Refused("Its filters are not understood any more.") from None


def filters_of(query: str) -> str:
    """A list's address without what is about the page."""
    parameters = QueryDict(query, mutable=True)
    for name in NOT_FILTERS:
        parameters.pop(name, None)
    return parameters.urlencode()


class Exportable(metaclass=forms.MediaDefiningClass):
    """A list with a button to export what it shows, for those who may."""

    change_list_template = "defects/exportable_list.html"

    class Media:
        css = {"all": ["defects/export.css"]}
        js = ["defects/export.js"]

    def get_urls(self) -> list[URLPattern]:
        export = self.admin_site.admin_view(require_POST(self.export))  # type: ignore[attr-defined]
        return [
            path("export/", export, name="defects_defectreport_export"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        context = {
            "may_export": may_export(request.user),
            "export_formats": Export.Format.choices,
            "filters": filters_of(request.GET.urlencode()),
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)  # type: ignore[misc]

    def export(self, request: HttpRequest) -> HttpResponse:
        """Answer with the file, or with the page on which it is waited for."""
        if not may_export(request.user):
            raise PermissionDenied
        query = filters_of(request.POST.get("query", ""))
        kind = request.POST.get("format", "")
        if kind not in Export.Format.values or len(query) > LONGEST_QUERY:
            return HttpResponseBadRequest("An export is CSV or XLSX, of a list that can be shown.")
        try:
            shown = the_list(request.user, query)  # type: ignore[arg-type]
        except (IncorrectLookupParameters, SuspiciousOperation):
            messages.error(request, "These filters are not understood, so nothing was exported.")
            return redirect("admin:defects_defectreport_changelist")
        export = Export(by=request.user, query=query, filters=described(shown), format=kind)
        export.total = shown.queryset.count()
        if export.total <= AT_ONCE:
            return _at_once(request, export)
        export.save()
        tasks.wake(make_exports)
        return redirect("admin:defects_export_change", export.pk)


def _at_once(request: HttpRequest, export: Export) -> HttpResponse:
    file = tempfile.TemporaryFile()  # noqa: SIM115  The response closes it.
    result = Writing(reports_of(export), export.format, about_of(export)).write(file)
    export.done = export.total = result.rows
    export.cut = result.cut
    export.finish(Export.Status.DONE)
    if export.cut:
        messages.warning(request, f"In {export.name}: {cut_in_words(export.cut)}")
    file.seek(0)
    return attached(file, export.name, export.format)


# Exports that were made ---------------------------------------------------------------------------


@admin.register(Export)
class ExportAdmin(LongWorkAdmin):
    """Who took what. The file is for nobody else."""

    list_display = ["created_at", "by", "what", "state", "done", "cut", "finished_at"]
    list_filter = ["status", "format", "created_at"]
    search_fields = ["by__username", "filters"]
    search_help_text = "Who exported, or words of the filters"

    class Media:
        css = {"all": ["whatsapp_bot/progress.css", "defects/export.css"]}

    def get_urls(self) -> list[URLPattern]:
        return [
            self.step("cancel", require_POST(self.cancel_view)),
            self.step("download", require_safe(self.download_view)),
            *super().get_urls(),
        ]

    def may_ask(self, user: Any) -> bool:
        return may_export(user)

    @admin.display(description="what")
    def what(self, export: Export) -> str:
        return f"{export.get_format_display()}: {export.filters or 'all reports'}"

    def page(self, request: HttpRequest, export: Export) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": export.name,
            "opts": self.opts,
            "export": export,
            "is_own": self.is_own(request, export),
            "cut": cut_in_words(export.cut),
            "sentence": self.in_words(export),
            "list": f"{reverse('admin:defects_defectreport_changelist')}?{export.query}",
            "media": self.media,
        }
        return TemplateResponse(request, "defects/export.html", context)

    def cancel_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if self.own(request, pk).cancel():
            messages.success(request, "It is cancelled.")
        return redirect("admin:defects_export_change", pk)

    def download_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        export = self.own(request, pk)
        if not export.can_be_downloaded:
            raise Http404
        try:
            return attached(export.file.open("rb"), export.name, export.format)
        except OSError:  # gone from the storage
            raise Http404 from None

    def in_words(self, export: Export) -> str:
        Status = Export.Status
        match export.status:
            case Status.WAITING:
                return export.why_it_waits()
            case Status.RUNNING if not export.total:
                return "The reports are being looked for."
            case Status.RUNNING if export.done >= export.total:
                return f"All {export.total:,} reports are written. The file is being packed."
            case Status.RUNNING:
                percent = 100 * export.done // export.total
                return f"{export.done:,} of {export.total:,} reports are written ({percent} %)."
            case Status.CANCELLED:
                return "It was cancelled."
            case Status.FAILED:
                return f"It failed. {export.why}"
        return f"{_reports(export.done)} in the file. {_kept(export)}".strip()


def _reports(count: int) -> str:
    return "1 report is" if count == 1 else f"{count:,} reports are"


def _kept(export: Export) -> str:
    if export.can_be_downloaded and export.expires_at:
        return f"It is kept until {timezone.localtime(export.expires_at):%-d %B, %H:%M}."
    return "Its file was deleted." if export.expires_at else "It was handed over at once."
