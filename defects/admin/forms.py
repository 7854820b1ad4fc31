"""Report forms, as staff make them: a draft, and what was published of it."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import slugify
from unfold.admin import StackedInline
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from defects.models import FormVersion, Question, ReportForm, problems_in, report_forms
from whatsapp_bot.admin.base import NOTHING_TO_SAVE, ModelAdmin
from whatsapp_bot.admin.cleaned import CleansText
from whatsapp_bot.admin.others import FormAmongOthers, RowsAmongOthers
from whatsapp_bot.admin.wording import OpenedByMenus, PlacedForm, place_last
from whatsapp_bot.models import Menu
from whatsapp_bot.models.menu import menus
from whatsapp_bot.wording import in_full

NAME_LENGTH = 50
PUTS_ON_MENUS = ("whatsapp_bot.change_menu", "whatsapp_bot.add_menuitem")


class QuestionForm(PlacedForm):
    name = forms.SlugField(
        max_length=NAME_LENGTH,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="What the answer is stored under. Left empty, it is made of the question. It "
        "stays when that is reworded.",
        error_messages={"invalid": "Only letters, numbers, - and _, without spaces."},
    )

    class Meta:
        help_texts: ClassVar = {
            "example": "Shown after three wrong answers. A number may be below 0 only where its "
            "example is, such as -5."
        }

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.cleaned_data.get("name") == "":
            words = self.cleaned_data.get("text") or ""
            name = self.instance.name or slugify(words)[:NAME_LENGTH].strip("-_")
            self.cleaned_data["name"] = name
            if words and not name:
                self.add_error("name", "Give it one: its words have no letters from a to z.")
        return cleaned


class QuestionFormSet(RowsAmongOthers):
    """The questions make sense together, in the order of their places."""

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        kept = [form for form in self.forms if form.has_changed() or form.instance.pk]
        kept = [form for form in kept if not self._should_delete_form(form)]
        if "publish" in self.data and not kept:
            raise forms.ValidationError(
                "A form needs at least one question before it is published."
            )
        place_last([form.instance for form in kept])
        kept.sort(key=lambda form: (form.instance.position, form.instance.pk or float("inf")))
        for place, problem in problems_in([form.instance for form in kept]).items():
            kept[place].add_error(*problem)
        self._look_for_others(kept)

    def _look_for_others(self, kept: list[forms.ModelForm]) -> None:
        """Names that questions have which somebody else has added meanwhile."""
        mine = [form.instance.pk for form in self.forms if form.instance.pk]
        others = Question.objects.filter(form=self.instance.pk).exclude(pk__in=mine)
        taken = set(others.values_list("name", flat=True))
        for form in kept:
            if form.instance.name in taken:
                sentence = f"Somebody else has added a question with the name {form.instance.name}."
                form.add_error("name", sentence)

    def save_existing_objects(self, commit: bool = True) -> list[Question]:
        """Names may be swapped, or taken over from what goes: first all of them are free."""
        renamed = [form for form in self.initial_forms if "name" in form.changed_data]
        for form in [*renamed, *self.deleted_forms]:
            Question.objects.filter(pk=form.instance.pk).update(name=f"~{form.instance.pk}")
        return super().save_existing_objects(commit)


class QuestionInline(CleansText, StackedInline):
    model = Question
    form = QuestionForm
    formset = QuestionFormSet
    extra = 0
    ordering_field = "position"
    fields = [
        ("position", "kind", "required"),
        ("text", "name"),
        ("choices", "help_text"),
        "example",
        ("only_when", "equals"),
    ]


class ReportFormForm(FormAmongOthers):
    on_menu = forms.ModelChoiceField(
        Menu.objects.all(),
        required=False,
        label="Put it on the menu",
        widget=UnfoldAdminSelectWidget,
        help_text="When it is published.",
    )

    def clean_on_menu(self) -> Menu | None:
        menu = self.cleaned_data["on_menu"]
        if menu and not self.instance.live and "publish" not in self.data:
            how = "press “Save and publish” instead of “Save”"
            if not self.instance.pk:
                how = "save the form without a menu first, then publish it"
            raise forms.ValidationError(f"Nobody could open it there yet: {how}.")
        if menu and (other := menu.other_called(self._title(), self.instance.address)):
            raise forms.ValidationError(
                f"“{other}” on the menu {menu} opens something else already: nobody could tell the "
                "two apart."
            )
        return menu

    def _title(self) -> str:
        return self.cleaned_data.get("title", self.instance.title)


class FormOffMenus(ReportFormForm):
    on_menu = None


@admin.register(ReportForm)
class ReportFormAdmin(OpenedByMenus):
    form = ReportFormForm
    list_display = ["title", "key", "state", "in_the_middle", "opening_menus"]
    list_select_related = ["live"]
    search_fields = ["title", "key", "questions__text"]
    search_help_text = "Words of the form or of its questions"
    readonly_fields = ["standing", "in_the_middle", "opening_menus", "earlier"]
    fields = [
        "title",
        "key",
        "thanks",
        "standing",
        "in_the_middle",
        "opening_menus",
        "on_menu",
        "earlier",
    ]
    inlines = [QuestionInline]
    rows_watched = ("questions",)
    actions_submit_line = ["publish", "withdraw"]
    actions_detail = ["try_draft"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        may = request.user.has_perms(PUTS_ON_MENUS)
        return [field for field in self.fields if may or field != "on_menu"]

    def get_form(
        self, request: HttpRequest, obj: Any = None, **options: Any
    ) -> type[forms.ModelForm]:
        if not request.user.has_perms(PUTS_ON_MENUS):
            options["form"] = FormOffMenus
        return super().get_form(request, obj, **options)

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        return {} if obj else {"key": ["title"]}

    @display(
        description="state",
        label={"published": "success", "draft differs": "warning", "draft": "info"},
    )
    def state(self, form: ReportForm) -> str:
        if not form.live:
            return "draft"
        return "draft differs" if form.draft_differs else "published"

    @admin.display(description="what people are asked")
    def standing(self, form: ReportForm) -> str:
        if not form.live and form.versions.exists():
            return "Nothing any more: it was withdrawn. The draft below can be published again."
        if not form.live:
            return "Nothing yet: this form is a draft. Save it, try it, then publish it."
        day = timezone.localdate(form.live.published_at)
        published = f"Version {form.live.number}, published {in_full(day)}."
        if form.draft_differs:
            return f"{published} The draft below differs from it."
        return f"{published} The draft below is the same."

    @admin.display(description="people in the middle of it")
    def in_the_middle(self, form: ReportForm) -> int:
        return form.people_in_the_middle()

    @admin.display(description="published versions")
    def earlier(self, form: ReportForm) -> SafeString | str:
        path = reverse("admin:defects_formversion_changelist")
        if not form.pk or not form.versions.exists():
            return "none yet"
        link = f"{path}?form__id__exact={form.pk}"
        count = form.versions.count()
        return format_html('<a href="{}" class="text-link">All {}</a>', link, count)

    @action(description="Try the saved draft", url_path="try", permissions=["change"])
    def try_draft(self, request: HttpRequest, object_id: str) -> HttpResponse:
        form = self.get_object(request, object_id)
        if form is None:
            raise Http404
        return redirect(f"{reverse('simulator:page')}?open={form.draft_address}")

    @action(description="Save and publish", attrs={"name": "publish"})
    def publish(self, request: HttpRequest, form: ReportForm) -> None:
        """The button; it is published in `save_related`, when its questions are saved as well."""

    @action(description="Withdraw", attrs={"name": "withdraw"})
    def withdraw(self, request: HttpRequest, form: ReportForm) -> None:
        """The button; see `save_related`."""

    def save_model(self, request: HttpRequest, obj: ReportForm, form: Any, change: bool) -> None:
        # Somebody else may be publishing it at this moment.
        obj.save(update_fields=["title", "thanks"] if change else None)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        report_form: ReportForm = form.instance
        if "publish" in request.POST:
            version = report_form.publish(request.user)
            self.log_change(request, report_form, f"Published as version {version.number}.")
            messages.success(request, f"Version {version.number} is what people are asked now.")
        if "withdraw" in request.POST:
            self._withdraw(request, report_form)
        if (menu := form.cleaned_data.get("on_menu")) and report_form.live:
            menu.add_item(report_form.title, report_form.address)
            self.log_change(request, menu, f"The form “{report_form}” was put on it.")
            messages.success(request, f"It is on the menu {menu}.")
        report_forms.forget()
        menus.forget()

    def _withdraw(self, request: HttpRequest, form: ReportForm) -> None:
        if opened := self.opened_by(form):
            them = "the menu" if len(opened) == 1 else "the menus"
            messages.error(
                request,
                f"It is still asked, since {them} {' and '.join(opened)} would lead nowhere: "
                "take it off there first.",
            )
            return
        form.withdraw()
        self.log_change(request, form, "Withdrawn.")
        messages.success(request, "Nobody is asked any more. The draft is still here.")


@admin.register(FormVersion)
class FormVersionAdmin(ModelAdmin):
    """What was published. Kept as it was; an earlier one can be made the current one again."""

    list_display = ["__str__", "published_at", "published_by", "is_live"]
    list_filter = ["form"]
    list_select_related = ["form__live", "published_by"]
    search_fields = ["form__title", "form__key"]
    search_help_text = "Title of the form"
    fields = ["form", "number", "published_at", "published_by", "asked", "thanks"]
    readonly_fields = fields
    actions = ["go_back"]
    actions_submit_line = ["go_back_here"]

    @display(description="state", label={"asked now": "success"})
    def is_live(self, version: FormVersion) -> str:
        return "asked now" if version.form.live_id == version.pk else "earlier"

    @admin.display(description="questions")
    def asked(self, version: FormVersion) -> SafeString:
        return self._in_words(version.rows())

    def _in_words(self, questions: Iterable[Question]) -> SafeString:
        asked = ((one.text, self._about(one)) for one in questions)
        return format_html_join("", "<p>{} <em>({})</em></p>", asked)

    def _about(self, question: Question) -> str:
        about = [question.get_kind_display(), "required" if question.required else "optional"]
        about += [", ".join(question.choice_keys())] if question.choices else []
        if question.only_when:
            about.append(f"only when {question.only_when} is {question.equals}")
        return "; ".join(about)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *how: Any, **options: Any
    ) -> HttpResponse:
        return super().render_change_form(request, context | NOTHING_TO_SAVE, *how, **options)

    @action(
        description="Go back to this version",
        attrs={"name": "go_back_here"},
        permissions=["go_back"],
    )
    def go_back_here(self, request: HttpRequest, version: FormVersion) -> None:
        """The button; see `response_change`."""

    def save_model(self, request: HttpRequest, obj: FormVersion, form: Any, change: bool) -> None:
        """There is nothing to save: a version is never changed."""

    def response_change(self, request: HttpRequest, obj: FormVersion) -> HttpResponse:
        if "go_back_here" not in request.POST:
            return super().response_change(request, obj)
        if not self.has_go_back_permission(request):
            raise PermissionDenied
        asks = self.go_back(request, FormVersion.objects.filter(pk=obj.pk))
        return asks or self.response_post_save_change(request, obj)

    @admin.action(description="Go back to this version", permissions=["go_back"])
    def go_back(self, request: HttpRequest, versions: QuerySet[FormVersion]) -> HttpResponse | None:
        """Asks first when a draft would be lost, and then does it."""
        if versions.count() != 1:
            messages.error(request, "Choose one version to go back to.")
            return None
        version = versions.get()
        form = version.form
        may_drop = request.POST.get("drops_draft") == form.draft_mark or form.draft_is_kept
        if not may_drop:
            return self._ask(request, version)
        form.go_back_to(version, request.user)
        self.log_change(request, form, f"Gone back to version {version.number}.")
        report_forms.forget()
        messages.success(
            request, f"People are asked again what {version} asked. The draft is the same."
        )
        return None

    def _ask(self, request: HttpRequest, version: FormVersion) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": f"Go back to {version}, and drop the draft?",
            "version": version,
            "dropped": self._in_words(version.form.questions.all()),
            "opts": self.opts,
        }
        return TemplateResponse(request, "defects/go_back.html", context)

    def has_go_back_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """It changes what the form asks, and drops its draft."""
        may_change_form = request.user.has_perm("defects.change_reportform")
        return may_change_form and self.has_change_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
