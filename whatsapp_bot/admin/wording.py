"""What the bot says: its texts, menus and pages."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import linebreaksbr
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.admin import TabularInline
from unfold.decorators import action, display
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldBooleanSwitchWidget,
)

from whatsapp_bot import flows
from whatsapp_bot.addresses import MAIN
from whatsapp_bot.admin.bubbles import SayableField
from whatsapp_bot.admin.cleaned import CleansText
from whatsapp_bot.admin.others import AmongOthers, FormAmongOthers, RowsAmongOthers
from whatsapp_bot.models import Menu, MenuItem, Page, Wording
from whatsapp_bot.models.menu import menus, pages, problems_with
from whatsapp_bot.texts import STAFF_MESSAGE
from whatsapp_bot.whatsapp_text import preview
from whatsapp_bot.wording import places, switched_off

LAST = 9999
"""The place of a row that was given none, until it gets one below the others."""


class WordingForm(FormAmongOthers):
    """Begins with what the bot says now. The default, or nothing, is back to the default."""

    text = SayableField(label="Wording", required=False, fills_in=True)
    is_on = forms.BooleanField(
        label="Send this",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="Switched off, it is not sent at all.",
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.initial["text"] = self.instance.now
        self.initial["is_on"] = not self.instance.switched_off
        if not self.instance.can_be_switched_off:
            del self.fields["is_on"]

    @property
    def goes_back(self) -> bool:
        return "back_to_default" in self.data

    def full_clean(self) -> None:
        if self.goes_back:
            # Whatever stands in the box is to go, however wrong it is.
            self.data = self.data.copy()
            self.data[self.add_prefix("text")] = ""
        super().full_clean()

    def clean_text(self) -> str:
        text = self.cleaned_data["text"]
        if "text" not in self.changed_data:
            return self.instance.text
        if problem := self.instance.problem_with(text):
            raise forms.ValidationError(problem)
        return text


class PlaceFilter(admin.SimpleListFilter):
    title = "said in"
    parameter_name = "place"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(prefix, place) for prefix, place in places.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(key__startswith=f"{self.value()}.") if self.value() else queryset


class ChangedFilter(admin.SimpleListFilter):
    title = "wording"
    parameter_name = "wording"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [
            ("yours", "changed by staff"),
            ("default", "as shipped"),
            ("newer", "changed, and a newer default is there"),
            ("off", "switched off"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        match self.value():
            case "yours":
                return queryset.exclude(text="")
            case "default":
                return queryset.filter(text="")
            case "newer":
                newer = [one.pk for one in queryset.exclude(text="") if one.default_is_newer]
                return queryset.filter(pk__in=newer)
            case "off":
                return queryset.filter(switched_off=True)
        return queryset


@admin.register(Wording)
class WordingAdmin(AmongOthers):
    form = WordingForm
    watched = ("switched_off",)
    list_display = ["about", "wording", "place", "state", "changed_at", "changed_by"]
    list_display_links = ["about", "wording"]
    list_filter = [PlaceFilter, ChangedFilter]
    list_per_page = 200
    search_fields = ["key", "text"]
    search_help_text = "Words of the wording or of what it is for"
    ordering = ["key"]
    readonly_fields = ["place", "about", "fill_in", "shipped", "changed"]
    fields = ["place", "about", "fill_in", "shipped", "text", "changed"]
    actions_submit_line = ["back_to_default"]

    def get_fields(self, request: HttpRequest, obj: Wording | None = None) -> list[str]:
        switch = ["is_on"] if obj and obj.can_be_switched_off else []
        return [*switch, *self.fields]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Wording]:
        worded = super().get_queryset(request).declared().select_related("changed_by")
        return worded.exclude(key=STAFF_MESSAGE.key)  # It goes as it is typed.

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        """The defaults are not in the database, and staff look for what they read on the phone."""
        found, distinct = super().get_search_results(request, queryset, search_term)
        words = search_term.casefold()
        shipped = [
            one.pk
            for one in queryset
            if words and words in f"{one.now} {one.about} {one.place}".casefold()
        ]
        return found | queryset.filter(pk__in=shipped), distinct

    @admin.display(description="what it is for", ordering="key")
    def about(self, wording: Wording) -> str:
        return wording.about

    @admin.display(description="said in", ordering="key")
    def place(self, wording: Wording) -> str:
        return wording.place

    @admin.display(description="wording")
    def wording(self, wording: Wording) -> str:
        return preview(wording.now, 80)

    @display(
        description="state",
        label={
            "as shipped": "",
            "yours": "info",
            "newer default": "warning",
            "switched off": "danger",
        },
    )
    def state(self, wording: Wording) -> str:
        if wording.switched_off and wording.can_be_switched_off:
            return "switched off"
        if wording.default_is_newer:
            return "newer default"
        return "yours" if wording.text else "as shipped"

    @admin.display(description="can be filled in")
    def fill_in(self, wording: Wording) -> SafeString | str:
        named = ((name,) for name in wording.placeholders)
        return format_html_join(" ", "<code>{}</code>", named) or "nothing"

    @admin.display(description="as shipped")
    def shipped(self, wording: Wording) -> SafeString:
        newer = (
            "The default has changed since you changed yours; yours still stands. Save it as it "
            "is to be reminded no more."
            if wording.default_is_newer
            else ""
        )
        return format_html(
            '<span class="bubble-shipped" dir="auto">{}</span><strong>{}</strong>',
            wording.default,
            newer,
        )

    @admin.display(description="last change")
    def changed(self, wording: Wording) -> str:
        if not wording.changed_at:
            return "never"
        at = date_format(timezone.localtime(wording.changed_at), "j F Y, H:i")
        return f"{at} by {wording.changed_by or 'somebody'}"

    @action(description="Back to the default", attrs={"name": "back_to_default"})
    def back_to_default(self, request: HttpRequest, wording: Wording) -> None:
        """The button; the form has emptied the wording already."""

    def save_model(self, request: HttpRequest, obj: Wording, form: Any, change: bool) -> None:
        if "is_on" in form.changed_data:
            obj.switch(on=form.cleaned_data["is_on"], user=request.user)
        is_kept = obj.default_is_newer and not form.changed_data
        if "text" in form.changed_data or is_kept:
            obj.reword(obj.text, request.user)
            self._say_what_is_dropped(request, obj, form.initial["text"])
        switched_off.forget()

    def _say_what_is_dropped(self, request: HttpRequest, wording: Wording, before: str) -> None:
        """Nothing else keeps a wording that the default has taken the place of."""
        if not wording.text and before != wording.default:
            told = "The default stands again. Your wording was:<br>{}"
            messages.info(request, format_html(told, linebreaksbr(before)))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class MenuForm(FormAmongOthers):
    text = SayableField(with_items=True, help_text="What stands above the numbered items.")


class PlacedForm(forms.ModelForm):
    """A row with a place among others; without one it comes last."""

    position = forms.IntegerField(
        label="Place",
        required=False,
        min_value=0,
        max_value=9999,
        widget=UnfoldAdminIntegerFieldWidget,
    )

    def clean_position(self) -> int:
        position = self.cleaned_data["position"]
        return LAST if position is None else position


class MenuItemForm(PlacedForm):
    """What an item opens is chosen from what there is."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        there = flows.addresses()
        stored = self.instance.opens
        if stored and stored not in dict(there):
            there = [*there, (stored, f"{stored} (not there any more)")]
        self.fields["opens"] = forms.ChoiceField(
            choices=[("", "---------"), *there], widget=UnfoldAdminSelectWidget
        )


def place_last(rows: list[Any]) -> None:
    """Give a place to the rows that have none, below the others."""
    last = max((row.position for row in rows if row.position != LAST), default=0)
    for count, row in enumerate((row for row in rows if row.position == LAST), 1):
        row.position = last + 10 * count


class MenuItemFormSet(RowsAmongOthers):
    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        kept = [form for form in self.forms if form.has_changed() or form.instance.pk]
        items = [form.instance for form in kept if not self._should_delete_form(form)]
        place_last(items)
        items.sort(key=lambda item: (item.position, item.pk or float("inf")))
        problems = problems_with(self.instance.key, items, dict(flows.addresses()))
        if problems:
            raise forms.ValidationError(problems)


class MenuItemInline(CleansText, TabularInline):
    model = MenuItem
    form = MenuItemForm
    formset = MenuItemFormSet
    extra = 0
    fields = ["position", "label", "opens", "audience"]
    ordering_field = "position"


def _opening(obj: Any, known: dict[str, tuple[Menu, list[MenuItem]]]) -> list[str]:
    """The keys of the menus that open it, but for its own."""
    return sorted(
        key
        for key, (_, items) in known.items()
        if key != obj.key and any(item.opens == obj.address for item in items)
    )


class OpenedByMenus(AmongOthers):
    """For what menus open: it is not deleted while one does."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and self.opened_by(obj))

    def opened_by(self, obj: Any) -> list[str]:
        """The keys of the menus that open it, as they are at this moment."""
        return _opening(obj, menus.load())

    @admin.display(description="opened by the menus")
    def opening_menus(self, obj: Any) -> str:
        return ", ".join(_opening(obj, menus())) or "none"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        # Menu items and flows call it by its key.
        return [*self.readonly_fields, "key"] if obj else list(self.readonly_fields)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        # Deleting many at once would not ask whether a menu opens them.
        return {
            name: action
            for name, action in super().get_actions(request).items()
            if name != "delete_selected"
        }


@admin.register(Menu)
class MenuAdmin(OpenedByMenus):
    form = MenuForm
    list_display = ["key", "above", "labels", "opening_menus"]
    search_fields = ["key", "text", "items__label"]
    search_help_text = "Words of the menu or of its items"
    fields = ["key", "text", "opening_menus"]
    readonly_fields = ["opening_menus"]
    inlines = [MenuItemInline]
    rows_watched = ("items",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Menu]:
        return super().get_queryset(request).prefetch_related("items")

    @admin.display(description="text")
    def above(self, menu: Menu) -> str:
        return preview(menu.text)

    @admin.display(description="items")
    def labels(self, menu: Menu) -> str:
        return " · ".join(item.label for item in menu.items.all())

    def has_delete_permission(self, request: HttpRequest, obj: Menu | None = None) -> bool:
        # Everybody begins at the main menu.
        is_main = obj is not None and obj.key == MAIN
        return not is_main and super().has_delete_permission(request, obj)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        menus.forget()


class PageForm(FormAmongOthers):
    text = SayableField()


@admin.register(Page)
class PageAdmin(OpenedByMenus):
    form = PageForm
    list_display = ["title", "key", "beginning", "opening_menus"]
    search_fields = ["title", "key", "text"]
    search_help_text = "Words of the page"
    fields = ["title", "key", "text", "opening_menus"]
    readonly_fields = ["opening_menus"]

    @admin.display(description="text")
    def beginning(self, page: Page) -> str:
        return preview(page.text)

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        return {} if obj else {"key": ["title"]}

    def save_model(self, request: HttpRequest, obj: Page, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        pages.forget()
