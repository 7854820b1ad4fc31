"""The inbox of what people left for the team."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from unfold.decorators import action

from whatsapp_bot.admin.base import NOTHING_TO_SAVE
from whatsapp_bot.admin.looks import label
from whatsapp_bot.admin.others import AmongOthers, FormAmongOthers
from whatsapp_bot.admin.people import beside_a_contact
from whatsapp_bot.admin.several import do_with_each
from whatsapp_bot.admin.talk import AT_ONCE, Panel, Row, TalkAdmin, talk
from whatsapp_bot.admin.writing import BOX, Letter
from whatsapp_bot.models import Contact, HelpRequest, Message
from whatsapp_bot.refusals import NotAllowed
from whatsapp_bot.texts import STAFF_MESSAGE
from whatsapp_bot.whatsapp_text import preview
from whatsapp_bot.wording import day_and_time

BEFORE, AFTER = 10, 30
MOST_BESIDE = 5
COLOURS = {"open": "warning", "taken": "info", "answered": "success"}
STEPS = {
    "take": "taken",
    "take_over": "taken over",
    "hand_back": "handed back",
    "mark_answered": "marked as answered",
    "reopen": "open again",
}
"""What may be done on the page of one, and what it is then."""


class InboxFilter(admin.SimpleListFilter):
    """What the tabs above the list choose."""

    title = "inbox"
    parameter_name = "inbox"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [("open", "open"), ("mine", "mine"), ("taken", "taken"), ("answered", "answered")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        match self.value():
            case "open":
                return queryset.untaken()
            case "mine":
                return queryset.unanswered().filter(taken_by=request.user)
            case "taken":
                return queryset.taken()
            case "answered":
                return queryset.filter(status=HelpRequest.Status.ANSWERED)
        return queryset


class HelpRequestForm(FormAmongOthers):
    """A step, or an answer, by whoever knows what a colleague or the person has done."""

    def as_opened(self, row: HelpRequest) -> str:
        return row.version

    def hold(self) -> HelpRequest:
        self.instance.lock_to_answer()
        return self.instance

    def news_since(self, opened: str, stored: HelpRequest) -> list[str]:
        return list(filter(None, [stored.news_since(opened, self.by)]))

    def tell(self, news: list[str]) -> None:
        if "send" in self.data:
            kept = "Nothing was sent, and what you wrote is still here."
            self.add_error(BOX, f"{' '.join(news)} {kept} Send again to answer as well.")
        else:
            super().tell(news)


@admin.register(HelpRequest)
class HelpRequestAdmin(AmongOthers, TalkAdmin):
    form = HelpRequestForm
    list_display = ["number", "contact", "said", "stands", "who", "age"]
    list_filter = [InboxFilter, "created_at"]
    list_select_related = ["contact", "taken_by", "answered_by"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["number", "text", "contact__name", "contact__phone", "contact__user_id"]
    search_help_text = "Number, words of the request or person"
    readonly_fields = ["number", "contact", "text", "created_at"]
    actions = ["take", "hand_back"]
    change_form_before_template = "whatsapp_bot/help_request_steps.html"

    class Media:
        css = {"all": ["whatsapp_bot/steps.css"]}

    # Who may ------------------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        return lookup == "contact__id__exact" or super().lookup_allowed(lookup, value, request)

    # The list -----------------------------------------------------------------------------------

    def get_ordering(self, request: HttpRequest) -> list[str]:
        """What waits longest is first; of what is answered, the latest."""
        if request.GET.get(InboxFilter.parameter_name) == "answered":
            return ["-created_at", "-pk"]
        return ["-status", "created_at", "pk"]

    @admin.display(description="message")
    def said(self, asked: HelpRequest) -> str:
        return preview(asked.text)

    @admin.display(description="status")
    def stands(self, asked: HelpRequest) -> SafeString:
        return label(asked.state, COLOURS[asked.state])

    @admin.display(description="by", empty_value="–")
    def who(self, asked: HelpRequest) -> Any:
        return asked.taken_by if asked.is_open else asked.answered_by

    @admin.display(description="age", ordering="-created_at")
    def age(self, asked: HelpRequest) -> str:
        if asked.is_open:
            return timesince(asked.created_at, depth=1)
        if not asked.answered_at:
            return "–"
        return f"answered after {timesince(asked.created_at, asked.answered_at, depth=1)}"

    @action(description="Take", permissions=["change"])
    def take(self, request: HttpRequest, chosen: QuerySet[HelpRequest]) -> None:
        do_with_each(request, chosen, "yours", lambda one: one.take(request.user))

    @action(description="Hand back", permissions=["change"])
    def hand_back(self, request: HttpRequest, chosen: QuerySet[HelpRequest]) -> None:
        do_with_each(request, chosen, "open again", lambda one: one.hand_back(request.user))

    # The page -----------------------------------------------------------------------------------

    def get_fieldsets(
        self, request: HttpRequest, obj: HelpRequest | None = None
    ) -> list[tuple[str | None, dict[str, Any]]]:
        asked = ["number", "contact", "text", "created_at"]
        beside = {"fields": asked, "classes": ["beside"]}
        return [*self.box(request, obj), ("What was asked", beside)]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        if "step" in request.POST and not self.may_change(request):
            raise PermissionDenied
        # All that is done with it is a step, or an answer.
        context = {**NOTHING_TO_SAVE, **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, context)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *how: Any, **options: Any
    ) -> HttpResponse:
        if obj := options.get("obj"):
            context["stands"] = self.stands(obj)
            context["age"] = timesince(obj.created_at, depth=1)
            context["is_mine"] = obj.taken_by == request.user
            context["may_take"] = self.may_change(request, obj)
        return super().render_change_form(request, context, *how, **options)

    def conversation(self, request: HttpRequest, obj: HelpRequest) -> SafeString:
        said = obj.contact.messages.to_show()
        if obj.message:
            around = said.around(obj.message, BEFORE, AFTER)
        else:
            around = said.latest_before(None, AT_ONCE)
        may_see = request.user.has_perm("whatsapp_bot.view_contact")
        whole = reverse("admin:whatsapp_bot_contact_change", args=[obj.contact_id])
        about = [obj.message_id, *obj.answers.values_list("pk", flat=True)]
        return talk(around, request, about, scrolls=True, whole=whole if may_see else "")

    # Steps and answers --------------------------------------------------------------------------

    def save_model(self, request: HttpRequest, obj: HelpRequest, form: Any, change: bool) -> None:
        if "step" in request.POST:
            form.done = self._take_step(request, obj)
        else:
            super().save_model(request, obj, form, change)
            form.done = "Answered." if getattr(form, "is_sent", False) else ""

    def _take_step(self, request: HttpRequest, asked: HelpRequest) -> str:
        """Take the step; what was done, or "" when it could not be."""
        step, by = request.POST["step"], request.user
        if step not in STEPS:
            messages.error(request, "There is no such step.")
            return ""
        try:
            asked.take(by, over=True) if step == "take_over" else getattr(asked, step)(by)
        except NotAllowed as refused:
            messages.error(request, str(refused))
            return ""
        messages.success(request, f"{asked.number} is {STEPS[step]}.")
        return f"{STEPS[step].capitalize()}."

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> str:
        return form.done

    def log_change(self, request: HttpRequest, obj: HelpRequest, message: str) -> Any:
        return super().log_change(request, obj, message) if message else None

    def response_change(self, request: HttpRequest, obj: HelpRequest) -> HttpResponse:
        if "step" in request.POST:
            return HttpResponseRedirect(request.get_full_path())
        return super().response_change(request, obj)

    def box_title(self, obj: HelpRequest) -> str:
        return f"Answer {obj.contact}"

    def letter(self, obj: HelpRequest) -> Letter:
        return Letter(obj.contact, STAFF_MESSAGE, blank="text", is_reply=True)

    def write(self, obj: HelpRequest, text: str, by: AbstractBaseUser) -> Message:
        return obj.answer(text, by)[-1]


@beside_a_contact
def help_requests_of(request: HttpRequest, contact: Contact) -> Panel | None:
    """What the person left for the team, and is open, before what is answered."""
    if not request.user.has_perm("whatsapp_bot.view_helprequest"):
        return None
    asked = contact.help_requests.select_related("taken_by").order_by("-status", "-pk")
    rows = [
        Row(
            link=reverse("admin:whatsapp_bot_helprequest_change", args=[one.pk]),
            text=str(one),
            state=label(one.state, COLOURS[one.state]),
            note=f"{one.taken_by}" if one.state == "taken" else day_and_time(one.created_at),
        )
        for one in asked[:MOST_BESIDE]
    ]
    every = reverse("admin:whatsapp_bot_helprequest_changelist")
    return Panel("Help requests", rows, f"{every}?contact__id__exact={contact.pk}")
