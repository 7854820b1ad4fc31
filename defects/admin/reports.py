"""Defect reports, as staff look at them and decide on them."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, Q, QuerySet, TextField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from unfold.decorators import action
from unfold.widgets import INPUT_CLASSES, UnfoldAdminTextareaWidget

from defects.admin import steps
from defects.admin.exports import Exportable
from defects.admin.lists import FILTERS, LINKED, ReportActionForm
from defects.admin.news import in_the_way, news_ahead
from defects.admin.parts import (
    MAY_REVIEW,
    ActionInline,
    AttachmentInline,
    DispositionInline,
)
from defects.models import (
    Attachment,
    Change,
    DefectCategory,
    DefectReport,
    NotAllowed,
    Severity,
    Status,
)
from defects.models.review import COUNTED, colleagues, problems_of_counting
from defects.notices import NEWS, QUESTION
from whatsapp_bot.admin.files import listed, shown
from whatsapp_bot.admin.long_list import LongList
from whatsapp_bot.admin.looks import label
from whatsapp_bot.admin.others import CHANGED, AmongOthers, FormAmongOthers, told
from whatsapp_bot.admin.people import beside_a_contact
from whatsapp_bot.admin.searching import SearchedByWords
from whatsapp_bot.admin.several import do_with_each
from whatsapp_bot.admin.talk import SCRIPTS, Panel, Row, talk
from whatsapp_bot.admin.writing import Letter, WritingAdmin
from whatsapp_bot.models import Contact, Message
from whatsapp_bot.whatsapp_text import preview
from whatsapp_bot.wording import day_and_time

LONGEST_QUESTION = 1000
AROUND = timedelta(hours=1)
MOST_SAID = 200
MOST_BESIDE = 5
COLOURS = {
    Status.REPORTED: "warning",
    Status.ACKNOWLEDGED: "info",
    Status.IN_REVIEW: "info",
    Status.DECIDED: "primary",
    Status.CLOSED: "success",
}
SEVERITY_COLOURS = {Severity.MAJOR: "warning", Severity.CRITICAL: "danger"}


def status_label(report: DefectReport) -> SafeString:
    return label(report.get_status_display(), COLOURS.get(Status(report.status), ""))


class ReportForm(FormAmongOthers):
    must_say = True

    new_note = forms.CharField(
        label="Note for colleagues",
        required=False,
        max_length=5000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="The reporter never sees it.",
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if assignee := self.fields.get("assignee"):
            # Whoever has it may have left since.
            has_it = get_user_model().objects.filter(pk=self.instance.assignee_id)
            assignee.queryset = colleagues() | has_it
        if category := self.fields.get("category"):
            known = Q(is_active=True) | Q(pk=self.instance.category_id)
            category.queryset = DefectCategory.objects.filter(known)

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        self._check_counts()
        return cleaned

    def as_opened(self, row: DefectReport) -> str:
        return row.version

    def news_since(self, opened: str, stored: DefectReport) -> list[str]:
        if opened == stored.version:
            return []
        return [CHANGED, *map(self._in_a_line, stored.changes_since(opened))]

    def _in_a_line(self, change: Change) -> str:
        values = f"from “{change.before or '–'}” to “{change.after or '–'}”"
        return told(change.by or change.who, self.by, change.at, f"{change.what}, {values}")

    def _check_counts(self) -> None:
        """What was counted wrongly before keeps nobody from saving the rest."""
        changed = COUNTED.intersection(self.changed_data)
        if changed and not COUNTED & self.errors.keys():
            counts = {
                name: self.cleaned_data.get(name, getattr(self.instance, name)) for name in COUNTED
            }
            for problem in problems_of_counting(**counts):
                self.add_error(max(changed), problem)


def _where_reported(report: DefectReport, said: list[Message]) -> list[int]:
    """The id of the message that has the words of the report, else of the last one before it."""
    before = [
        one.pk
        for one in said
        if one.direction == Message.Direction.IN
        and one.contact_id == report.reported_by_id
        and one.created_at <= report.created_at
    ]
    same = [one.pk for one in said if one.pk in before and one.body.strip() == report.description]
    return (same or before)[-1:]


@admin.register(DefectReport)
class DefectReportAdmin(Exportable, SearchedByWords, LongList, AmongOthers, WritingAdmin):
    form = ReportForm
    formfield_overrides = {TextField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 3})}}
    list_display = [
        "number",
        "photo",
        "what",
        "state",
        "how_bad",
        "category",
        "reported_by",
        "line",
        "assignee",
        "age",
    ]
    list_display_links = ["number", "what"]
    list_filter = FILTERS
    list_filter_submit = True
    list_per_page = 50
    search_fields = ["number"]
    search_help_text = "Number, words of the report, reporter or order"
    ordering = ["urgency", "-pk"]
    autocomplete_fields = ["order", "line"]
    action_form = ReportActionForm
    actions = ["acknowledge", "assign", "categorise"]
    reported = [
        "number",
        "reporters",
        "created_at",
        "form",
        "description",
        "all_answers",
        "photos",
    ]
    readonly_fields = [*reported, "notes"]
    inlines = [DispositionInline, ActionInline, AttachmentInline]

    class Media:
        css = {"all": ["defects/report.css", "whatsapp_bot/steps.css", "whatsapp_bot/talk.css"]}
        js = SCRIPTS

    # Who may ------------------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_review_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(MAY_REVIEW) and self.may_change(request, obj)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        return lookup in LINKED or super().lookup_allowed(lookup, value, request)

    # The list -----------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[DefectReport]:
        photos = Attachment.objects.filter(message__media__thumbnail__gt="").order_by("pk")
        return (
            super()
            .get_queryset(request)
            .select_related("form", "reported_by", "line", "order", "category", "assignee")
            .prefetch_related(
                Prefetch("attachments", photos.prefetch_related("message__media"), "with_photo")
            )
        )

    @admin.display(description="")
    def photo(self, report: DefectReport) -> SafeString | str:
        files = [file for one in report.with_photo[:1] for file in one.message.media.all()]
        return listed(files[0]) if files else ""

    @admin.display(description="description")
    def what(self, report: DefectReport) -> str:
        return preview(report.description)

    @admin.display(description="status", ordering="status")
    def state(self, report: DefectReport) -> SafeString:
        return status_label(report)

    @admin.display(description="severity", ordering="severity", empty_value="–")
    def how_bad(self, report: DefectReport) -> SafeString | None:
        if not report.severity:
            return None
        colour = SEVERITY_COLOURS.get(Severity(report.severity), "")
        return label(report.get_severity_display(), colour)

    @admin.display(description="age", ordering="-created_at")
    def age(self, report: DefectReport) -> str:
        return timesince(report.created_at, depth=1)

    # Several at once ----------------------------------------------------------------------------

    @action(description="Acknowledge", permissions=["review"])
    def acknowledge(self, request: HttpRequest, chosen: QuerySet[DefectReport]) -> None:
        count = do_with_each(
            request, chosen, "acknowledged", lambda one: one.acknowledge(request.user)
        )
        if count and NEWS["acknowledged"].is_on:
            messages.info(request, "Who reported them is told, unless they want no news.")

    @action(description="Assign", permissions=["review"])
    def assign(self, request: HttpRequest, chosen: QuerySet[DefectReport]) -> None:
        form = ReportActionForm(request.POST)
        to = form.fields["assignee"].clean(request.POST.get("assignee"))
        if not to:
            messages.error(request, "Choose whom to assign them to, beside the action.")
            return
        do_with_each(request, chosen, f"assigned to {to}", lambda one: one.assign(request.user, to))

    @action(description="Categorise", permissions=["review"])
    def categorise(self, request: HttpRequest, chosen: QuerySet[DefectReport]) -> None:
        form = ReportActionForm(request.POST)
        category = form.fields["category"].clean(request.POST.get("category"))
        if not category:
            messages.error(request, "Choose the category, beside the action.")
            return
        do_with_each(
            request,
            chosen,
            f"now in the category {category}",
            lambda one: one.categorise(request.user, category),
        )

    # The page -----------------------------------------------------------------------------------

    def get_fieldsets(
        self, request: HttpRequest, obj: DefectReport | None = None
    ) -> list[tuple[str | None, dict[str, Any]]]:
        notes = ["notes", "new_note"] if self.may_change(request, obj) else ["notes"]
        may_see_files = request.user.has_perm("whatsapp_bot.view_media")
        reported = [name for name in self.reported if may_see_files or name != "photos"]
        return [
            ("What was reported", {"fields": [*reported, "order", "line", "part", "lot"]}),
            (
                "Review",
                {
                    "fields": [
                        "severity",
                        "category",
                        "assignee",
                        "due_on",
                        "inspected",
                        "nonconforming",
                        "containment",
                        "cause",
                    ]
                },
            ),
            ("Notes", {"fields": notes}),
            *self.box(request, obj),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        readonly = list(super().get_readonly_fields(request, obj))
        if obj and not obj.is_open:
            # It is opened again to be changed.
            shut = ("severity", "category", "inspected", "nonconforming", "containment", "cause")
            readonly += [*shut, "assignee", "due_on", "order", "line", "part", "lot"]
        elif obj and obj.is_decided:
            readonly += ["nonconforming"]
        return [name for name in readonly if name != "new_note"]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *how: Any, **options: Any
    ) -> HttpResponse:
        if obj := options.get("obj"):
            # As it is stored: what was typed and refused is in the form.
            context.update(self._context(request, self.get_object(request, str(obj.pk))))
        return super().render_change_form(request, context, *how, **options)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """What was changed, by whomever, is on the page itself."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        there = reverse("admin:defects_defectreport_change", args=[object_id])
        return redirect(f"{there}#history")

    def _context(self, request: HttpRequest, report: DefectReport) -> dict[str, Any]:
        possible = steps.steps_of(report)
        return {
            "may_review": self.has_review_permission(request, report),
            "status": self.state(report),
            "severity": self.how_bad(report),
            "age": f"reported {timesince(report.created_at, depth=1)} ago",
            "steps": possible,
            "news": news_ahead(report, [step.leads_to for step in possible]),
            "conversation": self._conversation(request, report),
            "changes": report.changes(),
            "input_classes": " ".join(INPUT_CLASSES),
        }

    def _conversation(self, request: HttpRequest, report: DefectReport) -> SafeString | str:
        """The bubbles around the report; "" for who may not read messages."""
        if not request.user.has_perm("whatsapp_bot.view_message"):
            return ""
        said = list(self._said_around(report))
        return talk(said, request, _where_reported(report, said), scrolls=True)

    def _said_around(self, report: DefectReport) -> QuerySet[Message]:
        said = Message.objects.to_show().filter(contact__in=report.reporters)
        at = report.created_at
        around = Q(created_at__range=(at - AROUND, at + AROUND)) | Q(attachment__report=report)
        return said.filter(around).order_by("pk")[:MOST_SAID]

    @admin.display(description="reported by")
    def reporters(self, report: DefectReport) -> SafeString:
        return format_html_join(
            ", ",
            '<a class="text-link" href="../../../../whatsapp_bot/contact/{}/change/">{}</a>',
            ((contact.pk, contact) for contact in report.reporters),
        )

    @admin.display(description="answers")
    def all_answers(self, report: DefectReport) -> SafeString:
        pairs = ((one["question"], one["answer"] or "–") for one in report.answers)
        return format_html_join("", "<p><strong>{}</strong> {}</p>", pairs)

    @admin.display(description="photos and files")
    def photos(self, report: DefectReport) -> SafeString | str:
        files = ((shown(file),) for file in report.files)
        found = format_html_join("", "<div>{}</div>", files)
        return format_html('<div class="report-photos">{}</div>', found) if found else "–"

    @admin.display(description="notes")
    def notes(self, report: DefectReport) -> SafeString | str:
        found = format_html_join(
            "",
            '<div class="report-note" dir="auto">{}<br><small>{}, {}</small></div>',
            (
                (note.text, note.author or "–", day_and_time(note.created_at))
                for note in report.notes.select_related("author")
            ),
        )
        return found or "–"

    # Saving -------------------------------------------------------------------------------------

    def save_model(self, request: HttpRequest, obj: DefectReport, form: Any, change: bool) -> None:
        self.save_changes(request, obj, form, change)
        if note := form.cleaned_data.get("new_note", "").strip():
            obj.note(request.user, note)
        self.send_what_is_written(request, obj, form)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if "step" in request.POST:
            self._take_step(request, form.instance)
        elif "action_step" in request.POST:
            self._take_step_of_action(request, form.instance)

    def _take_step(self, request: HttpRequest, report: DefectReport) -> None:
        step = steps.find(request.POST["step"])
        if not step or not self.has_review_permission(request, report):
            messages.error(request, "You may not do that.")
            return
        try:
            getattr(report, step.name)(request.user, *self._said_with(request, step))
        except NotAllowed as refused:
            for reason in refused.reasons:
                messages.error(request, reason)
        else:
            a = "a " if report.status == Status.DUPLICATE else ""
            messages.success(request, f"{report.number} is {a}{report.get_status_display()}.")
            self._tell_of_news(request, report)

    def _said_with(self, request: HttpRequest, step: steps.Step) -> list[Any]:
        """What a step wants beside who takes it. Raises NotAllowed."""
        match step.wants:
            case "reason":
                return [request.POST.get(f"reason_{step.name}", "")[:500]]
            case "duplicate":
                number = request.POST.get("duplicate", "").strip().upper()[:40]
                meant = DefectReport.objects.spelled_out(number)
                kept = DefectReport.objects.filter(number=meant).first()
                if number and not kept:
                    raise NotAllowed(f"There is no report {number}.")
                return [kept]
        return []

    def _tell_of_news(self, request: HttpRequest, report: DefectReport) -> None:
        """Say whether the reporter hears of it."""
        notice = report.news
        if not notice:
            return
        told = Message.objects.filter(contact=report.reported_by, notice=notice.key).last()
        if told and notice.is_on and report.reported_by.wants_news:
            messages.info(request, f"The reporter is told. {told.get_status_display()}.")
        else:
            why = in_the_way(notice, report.reported_by.route(notice.key))
            messages.warning(request, f"The reporter is not told: {why}.")

    def _take_step_of_action(self, request: HttpRequest, report: DefectReport) -> None:
        verb, _, number = request.POST["action_step"].partition(":")
        found = report.actions.filter(pk=number).first() if number.isdecimal() else None
        verbs = {"finish", "verify", "take_back"}
        if not found or verb not in verbs or not self.has_review_permission(request, report):
            messages.error(request, "You may not do that.")
            return
        try:
            getattr(found, verb)(request.user)
        except NotAllowed as refused:
            messages.error(request, str(refused))
        else:
            messages.success(request, f"The action is {found.state}.")

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        if "step" in request.POST or "action_step" in request.POST:
            return HttpResponseRedirect(request.get_full_path())
        return super().response_change(request, obj)

    # Asking -------------------------------------------------------------------------------------

    def box_title(self, obj: DefectReport) -> str:
        return "Ask the reporter"

    def letter(self, obj: DefectReport) -> Letter:
        return Letter(
            obj.reported_by, QUESTION, blank="question", values=obj.in_short, limit=LONGEST_QUESTION
        )

    def write(self, obj: DefectReport, text: str, by: AbstractBaseUser) -> Message | None:
        return obj.ask(text, by)


@beside_a_contact
def reports_of(request: HttpRequest, contact: Contact) -> Panel | None:
    """What the person reported, the most urgent first."""
    if not request.user.has_perm("defects.view_defectreport"):
        return None
    rows = [
        Row(
            link=reverse("admin:defects_defectreport_change", args=[report.pk]),
            text=str(report),
            state=status_label(report),
            note=day_and_time(report.created_at),
        )
        for report in contact.defect_reports.order_by("urgency", "-pk")[:MOST_BESIDE]
    ]
    every = reverse("admin:defects_defectreport_changelist")
    return Panel("Defect reports", rows, f"{every}?reported_by__id__exact={contact.pk}")


@admin.register(DefectCategory)
class DefectCategoryAdmin(AmongOthers):
    list_display = ["name", "is_active", "position"]
    list_editable = ["is_active", "position"]
    search_fields = ["name"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # One that reports have is retired, so that they keep it.
        return super().has_delete_permission(request, obj) and not (obj and obj.reports.exists())
