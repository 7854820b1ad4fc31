"""What belongs to a report: its messages, dispositions and corrective actions."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.admin import TabularInline

from defects.models import Attachment, CorrectiveAction, DefectReport, Disposition, Status
from defects.models.review import colleagues
from whatsapp_bot.admin.cleaned import CleansText
from whatsapp_bot.admin.files import shown
from whatsapp_bot.admin.looks import label
from whatsapp_bot.admin.others import RowsAmongOthers
from whatsapp_bot.admin.writing import reason, status_label
from whatsapp_bot.models import Message
from whatsapp_bot.wording import day_and_time

STATE_COLOURS = {"open": "info", "overdue": "danger", "done": "warning", "verified": "success"}
MAY_REVIEW = "defects.review_defectreport"
REVIEWS = (MAY_REVIEW, "defects.change_defectreport")


class AttachmentInline(TabularInline):
    model = Attachment
    extra = 0
    fields = ["at", "who", "text", "files", "state"]
    readonly_fields = fields
    can_delete = False
    show_change_link = False
    hide_title = True
    verbose_name_plural = "messages of this report"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Attachment]:
        filed = super().get_queryset(request)
        return filed.select_related("message__contact", "message__written_by")

    @admin.display(description="at")
    def at(self, attachment: Attachment) -> SafeString:
        there = reverse("admin:whatsapp_bot_message_change", args=[attachment.message_id])
        at = day_and_time(attachment.message.created_at)
        return format_html('<a class="text-link whitespace-nowrap" href="{}">{}</a>', there, at)

    @admin.display(description="from")
    def who(self, attachment: Attachment) -> str:
        message = attachment.message
        if message.direction == Message.Direction.IN:
            return str(message.contact)
        return str(message.written_by or "Andon")

    @admin.display(description="message", empty_value="–")
    def text(self, attachment: Attachment) -> str:
        return attachment.message.read

    @admin.display(description="state", empty_value="–")
    def state(self, attachment: Attachment) -> SafeString | str:
        message = attachment.message
        if message.direction == Message.Direction.IN:
            return ""
        return format_html("{} {}", status_label(message), reason(message))

    @admin.display(description="files")
    def files(self, attachment: Attachment) -> SafeString:
        files = attachment.message.media.select_related("message")
        return format_html_join("", "<div>{}</div>", ((shown(file),) for file in files))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        may = request.user.has_perm("whatsapp_bot.view_media")
        return [field for field in self.fields if may or field != "files"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class PartInline(CleansText, TabularInline):
    """Rows that a reviewer makes, as long as the report lets them change."""

    extra = 0
    hide_title = True
    shut: tuple[Status, ...] = ()

    def may(self, request: HttpRequest, report: DefectReport | None) -> bool:
        reviewer = request.user.has_perms(REVIEWS)
        return reviewer and report is not None and report.status not in self.shut

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("defects.view_defectreport")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, obj)


class DispositionInline(PartInline):
    model = Disposition
    formset = RowsAmongOthers
    fields = ["kind", "quantity", "reason"]
    shut = (Status.DECIDED, Status.CLOSED, Status.DUPLICATE, Status.UNFOUNDED)


class ActionFormSet(RowsAmongOthers):
    """What is done is not removed any more."""

    def clean(self) -> None:
        super().clean()
        if any(form.instance.done_at for form in self.deleted_forms):
            raise forms.ValidationError("What is done stays. Take it back first.")


class ActionInline(PartInline):
    model = CorrectiveAction
    formset = ActionFormSet
    fields = ["what", "owner", "due_on", "state"]
    readonly_fields = ["state"]
    shut = (Status.CLOSED,)

    def formfield_for_foreignkey(
        self, db_field: Any, request: HttpRequest, **options: Any
    ) -> forms.ModelChoiceField | None:
        if db_field.name == "owner":
            options["queryset"] = colleagues()
        return super().formfield_for_foreignkey(db_field, request, **options)

    def get_formset(self, request: HttpRequest, obj: Any = None, **options: Any) -> Any:
        self.reviewer = self.may(request, obj) and request.user
        return super().get_formset(request, obj, **options)

    @admin.display(description="state")
    def state(self, action: CorrectiveAction) -> SafeString | str:
        if not action.pk:
            return "–"
        who = action.verified_by or action.done_by
        return format_html(
            "{} {} {} {}",
            label(action.state, STATE_COLOURS[action.state]),
            f"by {who}" if who else "",
            format_html_join("", BUTTON, self._steps(action)),
            "" if action.state != "done" or self._may_verify(action) else BY_ANOTHER,
        )

    def _may_verify(self, action: CorrectiveAction) -> bool:
        return bool(self.reviewer) and action.may_be_verified_by(self.reviewer)

    def _steps(self, action: CorrectiveAction) -> list[tuple[str, int, str]]:
        """The buttons: verb, id and label."""
        if not self.reviewer or action.verified_at:
            steps = []
        elif not action.done_at:
            steps = [("finish", "Done")]
        else:
            verify = [("verify", "Verify")] if self._may_verify(action) else []
            steps = [*verify, ("take_back", "Not done")]
        return [(verb, action.pk, name) for verb, name in steps]


BY_ANOTHER = "to be verified by somebody else"
BUTTON = '<button type="submit" name="action_step" value="{}:{}" class="step-button">{}</button>'
