"""Importing in the admin: choose a file, look at what it would do, confirm."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.db.models.fields.files import FieldFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.http import require_POST, require_safe

from orders.importing import work
from orders.importing.forms import ChoicesForm, FileForm
from orders.importing.judging import JUDGES, Kind
from orders.importing.sheet import Choices
from orders.importing.values import EMPTY, quoted
from orders.models import Import, Order, ProductionRun
from orders.models.imports import may_import
from whatsapp_bot.admin.long_work import LongWorkAdmin, attached

KINDS = [
    (Kind.WRONG, "Wrong", "Nothing is wrong."),
    (Kind.NEW, "New", "Nothing is new."),
    (Kind.CHANGED, "Changed", "Nothing changes."),
    (Kind.UNCHANGED, "Unchanged", "Nothing is here already."),
]
WHAT = {Order: Import.What.ORDERS, ProductionRun: Import.What.RUNS}
MODELS = {what.value: model for model, what in WHAT.items()}


class Importable:
    """A list with a button to import, for those who may."""

    change_list_template = "orders/importable_list.html"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        what = WHAT[self.model]  # type: ignore[attr-defined]
        context = {"imports": may_import(request.user, what) and what, **(extra_context or {})}
        return super().changelist_view(request, context)  # type: ignore[misc]


@admin.register(Import)
class ImportAdmin(LongWorkAdmin):
    """Who brought what in."""

    list_display = [
        "created_at",
        "by",
        "name",
        "what",
        "state",
        "new",
        "changed",
        "unchanged",
        "wrong",
    ]
    list_filter = ["status", "what", "created_at"]
    search_fields = ["by__username", "name"]
    search_help_text = "File or who imported it"

    class Media:
        css = {"all": ["whatsapp_bot/progress.css", "orders/import.css"]}

    def get_urls(self) -> list[URLPattern]:
        return [
            self.step("wrong", require_safe(self.wrong_view)),
            self.step("before", require_safe(self.before_view)),
            self.step("check", require_POST(self.check_view)),
            self.step("confirm", require_POST(self.confirm_view)),
            self.step("discard", require_POST(self.discard_view)),
            *super().get_urls(),
        ]

    # Who may ------------------------------------------------------------------------------------

    def may_ask(self, user: Any) -> bool:
        return any(may_import(user, what) for what in JUDGES)

    def may_decide(self, user: Any, imported: Import) -> bool:
        return may_import(user, imported.what)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may_ask(request.user)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Import]:
        return super().get_queryset(request).defer("preview", "choices")

    # Choosing a file ----------------------------------------------------------------------------

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        what = request.GET.get("what", Import.What.ORDERS)
        if what not in JUDGES:
            raise Http404
        if not may_import(request.user, what):
            raise PermissionDenied
        mended = self._mended(request, what)
        choices = Choices(**mended.choices).for_another_file() if mended else Choices()
        form = FileForm(request.POST or None, request.FILES or None)
        imported = form.as_import(request.user, what, choices) if form.is_valid() else None
        if imported:
            return self._go_on(imported)
        resource = JUDGES[what].resource_class()
        context = {
            **self.admin_site.each_context(request),
            "title": f"Import {Import.What(what).label}",
            "opts": self.model._meta,
            "form": form,
            "mended": mended,
            "is_remembered": bool(choices.said),
            "columns": resource.columns.values(),
            "list": _list_of(what),
            "label": Import.What(what).label,
            "empty": EMPTY,
            "media": self.media,
        }
        return TemplateResponse(request, "orders/import_file.html", context)

    def _mended(self, request: HttpRequest, what: str) -> Import | None:
        """The import of which the file is chosen again."""
        pk = request.GET.get("mends", "")
        mine = Import.objects.filter(by=request.user.pk, what=what)
        return mine.filter(pk=pk).first() if pk.isdecimal() else None

    # Looking at it ------------------------------------------------------------------------------

    def page(
        self, request: HttpRequest, imported: Import, form: ChoicesForm | None = None
    ) -> HttpResponse:
        is_own, seen = self.is_own(request, imported), imported.preview
        columns = seen.get("columns", [])
        has_headings = any(one["name"] for one in columns)
        was_read = imported.rows or seen.get("is_numbered")
        mends = {"what": imported.what, "mends": imported.pk}
        if imported.is_checked and is_own and form is None:
            form = self._form(request, imported)
        context = {
            **self.admin_site.each_context(request),
            "title": imported.name,
            "opts": self.model._meta,
            "imported": imported,
            "seen": seen,
            "is_own": is_own,
            "form": form,
            "kinds": _kinds(imported, request.GET.get("kind", "")),
            "unused": [quoted(one["heading"]) for one in columns if not one["name"]],
            "has_headings": has_headings,
            "is_read": imported.rows or not form,
            "needs_columns": has_headings and (imported.wrong or not was_read),
            "right": imported.new + imported.changed,
            "sentence": self.in_words(imported),
            "list": _list_of(imported.what),
            "mend": reverse("admin:orders_import_add", query=mends),
            "outcome": self._outcome(request, imported),
            "empty": EMPTY,
            "media": self.media,
        }
        return TemplateResponse(request, "orders/import.html", context)

    def _outcome(self, request: HttpRequest, imported: Import) -> list[tuple[str, str]]:
        """Where to go on once it is done: what to see, and its address."""
        lists = self.admin_site.get_model_admin(MODELS[imported.what])
        if not imported.is_done or not lists.has_view_permission(request):
            return []
        every, what = _list_of(imported.what), imported.get_what_display()
        began, ended = imported.began_saving_at, imported.finished_at
        made = {"created_at__gte": began, "created_at__lte": ended}
        changed = {"created_at__lt": began, "updated_at__gte": began, "updated_at__lte": ended}
        return [
            *([(f"See the new {what}", _filtered(every, made))] if imported.new else []),
            *([(f"See the changed {what}", _filtered(every, changed))] if imported.changed else []),
            (f"All {what}", every),
        ]

    @staticmethod
    def _form(request: HttpRequest, imported: Import) -> ChoicesForm:
        return ChoicesForm(
            imported,
            makes_customers=request.user.has_perm("orders.add_customer"),
            data=request.POST or None,
        )

    def wrong_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        imported = self.own(request, pk)
        return _download(imported, imported.wrong_rows, "wrong")

    def before_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        imported = self.own(request, pk)
        return _download(imported, imported.before, "before")

    def in_words(self, imported: Import) -> str:
        Status = Import.Status
        match imported.status:
            case Status.WAITING:
                return imported.why_it_waits()
            case Status.RUNNING if not imported.total:
                return f"{imported.done:,} rows are read."
            case Status.RUNNING if imported.done >= imported.total and imported.confirmed_at:
                return f"All {imported.total:,} rows are checked, and are being saved."
            case Status.RUNNING:
                percent = 100 * imported.done // imported.total
                return f"{imported.done:,} of {imported.total:,} rows are checked ({percent} %)."
            case Status.CHECKED if imported.preview.get("problem"):
                return imported.preview["problem"]
            case Status.CHECKED:
                return "Nothing is imported yet. Please look at what it would do."
            case Status.CANCELLED:
                return "It was discarded, and nothing was imported."
            case Status.FAILED:
                return f"It failed, and nothing was imported. {imported.why}"
        return f"Imported on {timezone.localtime(imported.finished_at):%-d %B at %H:%M}."

    # Deciding -----------------------------------------------------------------------------------

    def check_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Look again, with what was decided."""
        imported = self.own(request, pk)
        if not imported.is_checked:
            return self._too_late(request, pk)
        form = self._form(request, imported)
        if not form.is_valid():
            return self.page(request, imported, form)
        if not imported.check_again(form.as_choices().as_json()):
            return self._too_late(request, pk)
        return self._go_on(imported)

    def confirm_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        imported = self.own(request, pk)
        leave_wrong = request.POST.get("leave_wrong") == "yes"
        if not imported.is_checked:
            return self._too_late(request, pk)
        if not imported.can_be_confirmed or (imported.wrong and not leave_wrong):
            messages.error(request, "It cannot be imported as it is. Please see what is below.")
            return redirect("admin:orders_import_change", pk)
        if not imported.confirm(leave_wrong=leave_wrong):
            return self._too_late(request, pk)
        self.log_change(request, imported, "Confirmed.")
        return self._go_on(imported)

    def discard_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if self.own(request, pk).discard():
            messages.success(request, "It is discarded, and nothing was imported.")
            return redirect("admin:orders_import_changelist")
        return self._too_late(request, pk)

    @staticmethod
    def _go_on(imported: Import) -> HttpResponse:
        work.begin(imported)
        return redirect("admin:orders_import_change", imported.pk)

    @staticmethod
    def _too_late(request: HttpRequest, pk: int) -> HttpResponse:
        messages.info(request, "That was decided already. This is how it stands.")
        return redirect("admin:orders_import_change", pk)


def _download(imported: Import, rows: FieldFile, what: str) -> HttpResponse:
    try:
        file = rows.open("rb")
    except (OSError, ValueError):  # there are none, or they are gone
        raise Http404 from None
    name = slugify(imported.name.rpartition(".")[0]) or "rows"
    return attached(file, f"{name}-{what}.xlsx", "xlsx")


def _list_of(what: str) -> str:
    return reverse(f"admin:orders_{MODELS[what]._meta.model_name}_changelist")


def _filtered(address: str, moments: dict[str, datetime]) -> str:
    return f"{address}?{urlencode({name: at.isoformat() for name, at in moments.items()})}"


def _kinds(imported: Import, chosen: str) -> list[dict[str, Any]]:
    """The rows of each kind, and which kind is shown."""
    rows = imported.preview.get("rows", {})
    counts = {kind: getattr(imported, kind) for kind in Kind}
    if chosen not in counts:
        chosen = next((kind for kind, _, _ in KINDS if counts[kind]), Kind.NEW)
    return [
        {
            "kind": kind.value,
            "title": title,
            "count": counts[kind],
            "rows": rows.get(kind, []),
            "more": counts[kind] - len(rows.get(kind, [])),
            "none": none,
            "is_shown": kind == chosen,
        }
        for kind, title, none in KINDS
    ]
