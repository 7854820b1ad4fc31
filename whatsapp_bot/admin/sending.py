"""How messages leave: our number, the message templates, and what is in the way."""

import re
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from whatsapp_bot import tasks
from whatsapp_bot.admin.bubbles import SayableField
from whatsapp_bot.admin.log import LogAdmin
from whatsapp_bot.admin.others import AmongOthers, FormAmongOthers
from whatsapp_bot.left_lying import left_lying_since
from whatsapp_bot.models import Channel, MessageTemplate
from whatsapp_bot.models.help_request import untaken_alarms
from whatsapp_bot.recent import Recent
from whatsapp_bot.twilio import account
from whatsapp_bot.whatsapp_text import preview
from whatsapp_bot.wording import Notice

ASKED = (
    "Twilio is asked within a moment how it stands: its page will say so. What waited for it goes "
    "once it is approved."
)
_BLANK_LINE = re.compile(r"\{*\s*(\w+)\s*\}*\s*[=:]\s*\{*\s*(\w+)\s*\}*")


@Recent
def troubles() -> dict[str, Any]:
    """Why nothing goes out, in a sentence for staff, and since when no worker does its work."""
    ours = Channel(number=settings.TWILIO_WHATSAPP_NUMBER)
    channel = Channel.objects.filter(number=ours.number).first() or ours
    return {"sending_trouble": channel.trouble, "no_worker_since": left_lying_since(channel)}


def on_every_page(request: HttpRequest) -> dict[str, Any]:
    """What each page of the admin tells staff, once they have signed in."""
    if not request.user.is_staff:
        return {}
    sees_requests = request.user.has_perm("whatsapp_bot.view_helprequest")
    return {
        **troubles(),
        "alarms": untaken_alarms() if sees_requests else [],
        "sees_messages": request.user.has_perm("whatsapp_bot.view_message"),
    }


@admin.register(Channel)
class ChannelAdmin(LogAdmin):
    list_display = ["number", "stopped_at", "trouble"]
    search_fields = ["number"]

    @admin.display(description="why", empty_value="–")
    def trouble(self, channel: Channel) -> str:
        return channel.trouble


class BlanksField(forms.CharField):
    """What goes into the blanks of a template, a line for each: `1 = number`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}), **options)

    def prepare_value(self, value: Any) -> str:
        if not isinstance(value, dict):
            return value
        return "\n".join(f"{blank} = {name}" for blank, name in value.items())

    def to_python(self, value: Any) -> dict[str, str]:
        blanks: dict[str, str] = {}
        for line in filter(None, map(str.strip, super().to_python(value).splitlines())):
            match = _BLANK_LINE.fullmatch(line)
            if not match:
                raise forms.ValidationError(f"“{line}” is not written like this: 1 = number")
            blank, name = match.groups()
            if blank in blanks:
                raise forms.ValidationError(f"There are two lines for the blank {blank}.")
            blanks[blank] = name
        return blanks

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


def _in_words(notice: Notice) -> str:
    names = ", ".join(sorted(notice.placeholders))
    return f"{notice.about} Has: {names}" if names else notice.about


class MessageTemplateForm(FormAmongOthers):
    body = SayableField(
        label="Wording",
        fills_in=True,
        help_text="As it was approved, with its blanks: Your report {{1}} is closed.",
    )
    variables = BlanksField(
        label="Blanks",
        required=False,
        help_text="What of the notice goes into each blank, a line for each: 1 = number",
    )

    class Meta:
        labels = {"said": "What Twilio said", "checked_at": "Asked Twilio"}
        help_texts = {
            "language": "A code such as en, or with a country: en_ZA.",
            "approval": "Only an approved one is used.",
            "checked_at": "When that was. Twilio is asked when it is saved, every hour, and when a "
            "message fails because of it.",
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        there = [(notice.key, _in_words(notice)) for notice in Notice.all()]
        stored = self.instance.notice
        if stored and stored not in dict(there):
            there.append((stored, f"{stored} (not there any more)"))
        self.fields["notice"] = forms.ChoiceField(
            choices=[("", "---------"), *there], widget=UnfoldAdminSelectWidget
        )


@admin.register(MessageTemplate)
class MessageTemplateAdmin(AmongOthers):
    form = MessageTemplateForm
    list_display = ["__str__", "language", "wording", "state", "checked_at"]
    list_filter = ["approval", "language"]
    search_fields = ["notice", "content_sid", "body"]
    search_help_text = "Words of the template or its content SID"
    fields = [
        "notice",
        "language",
        "content_sid",
        "body",
        "variables",
        "approval",
        "said",
        "checked_at",
    ]
    readonly_fields = ["said", "checked_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: MessageTemplate | None = None) -> Any:
        # Where Twilio can be asked, its word counts alone.
        told = ["approval"] if account.is_there() else []
        return [*told, *super().get_readonly_fields(request, obj)]

    @admin.display(description="wording")
    def wording(self, template: MessageTemplate) -> str:
        return preview(template.body, 80)

    @display(
        description="approval",
        ordering="approval",
        label={
            "unsubmitted": "",
            "pending": "info",
            "approved": "success",
            "rejected": "danger",
            "paused": "warning",
        },
    )
    def state(self, template: MessageTemplate) -> tuple[str, str]:
        return template.approval, template.get_approval_display()

    def save_model(
        self, request: HttpRequest, obj: MessageTemplate, form: Any, change: bool
    ) -> None:
        if account.is_there():
            self._save_and_ask(request, obj, form, change)
        else:
            super().save_model(request, obj, form, change)
            self._release(request, obj)

    def _save_and_ask(
        self, request: HttpRequest, obj: MessageTemplate, form: Any, change: bool
    ) -> None:
        if "content_sid" in form.changed_data:
            obj.forget_approval()
        super().save_model(request, obj, form, change)
        tasks.wake(tasks.learn_approvals)
        messages.info(request, ASKED)

    def _release(self, request: HttpRequest, obj: MessageTemplate) -> None:
        if released := obj.release_what_waits():
            goes = "message that waited goes" if released == 1 else "messages that waited go"
            messages.success(request, f"{released} {goes} now.")
