"""Pages that were opened before somebody else saved: they do not undo what others did, unasked."""

import re
from typing import Any, ClassVar

from django import forms
from django.contrib.admin.utils import display_for_field
from django.db.models import Model
from django.http import HttpRequest, QueryDict
from unfold.admin import ModelAdmin

from whatsapp_bot.admin.cleaned import CleansText
from whatsapp_bot.fingerprint import fingerprint

AS_OPENED = "as_opened"
"""The parameter that brings back what the page was opened with."""
CHANGED = (
    "Somebody else has changed this since you opened it. What you entered is still here and not "
    "saved. Press the same button again to have it your way."
)
DELETED = "Somebody else has deleted this since you opened it, so it cannot be saved any more."
ROW_DELETED = (
    "Somebody else has deleted “{row}” since you opened this. What you entered there is still "
    "here, at the end: save again to have it added anew, or remove it."
)
NOT_ADDED_ANEW = (
    "Somebody else has deleted “{row}” since you opened this, and you may not add it anew. What "
    "you entered there is still here, at the end, and is not saved."
)


class RowsAmongOthers(forms.BaseInlineFormSet):
    """Rows of a page: one that somebody else has deleted comes back as a new one, once told of."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.gone = range(0)
        if self.is_bound and (gone := self._places_of_gone()):
            self._have_new(gone)

    def clean(self) -> None:
        super().clean()
        if self.gone:
            names = [_called(self.forms[place]) for place in self.gone]
            told = ROW_DELETED if self.max_num else NOT_ADDED_ANEW  # The admin sets it to 0.
            raise forms.ValidationError([told.format(row=name) for name in names])

    def _places_of_gone(self) -> list[int]:
        there = {str(row.pk) for row in self.get_queryset()}
        keys = {place: self.data.get(self._key_of(place)) for place in range(self._stored_rows())}
        return [place for place, key in keys.items() if key and key not in there]

    def _have_new(self, gone: list[int]) -> None:
        """Have these rows come after those that are there, and be new, if they say anything."""
        rows = range(self.total_form_count())
        stay = [place for place in range(self._stored_rows()) if place not in gone]
        again = [place for place in gone if self._is_entered(place)]
        order = [*stay, *again, *rows[self._stored_rows() :]]
        self.data = self._in_order(order)
        self.data[f"{self.prefix}-TOTAL_FORMS"] = str(len(order))
        self.data[f"{self.prefix}-INITIAL_FORMS"] = str(len(stay))
        self.gone = range(len(stay), len(stay) + len(again))
        for place in self.gone:
            self.data[self._key_of(place)] = ""
        del self.management_form  # It has counted the rows as they were.

    def _is_entered(self, place: int) -> bool:
        """Has it fields, as one that may only be seen has not, and is it not to be removed?"""
        row = self.add_prefix(place)
        fields = [f"{row}-{name}" for name in self.form.base_fields]
        return f"{row}-DELETE" not in self.data and any(name in self.data for name in fields)

    def _in_order(self, order: list[int]) -> QueryDict:
        """What was posted, with its rows in another order, and without those not in it."""
        places = {str(old): str(new) for new, old in enumerate(order)}
        row = re.compile(rf"{re.escape(self.prefix)}-(\d+)-(.+)")
        moved = QueryDict(mutable=True)
        for name, values in self.data.lists():
            found = row.fullmatch(name)
            if not found:
                moved.setlist(name, values)
            elif found[1] in places:
                moved.setlist(f"{self.prefix}-{places[found[1]]}-{found[2]}", values)
        return moved

    def _stored_rows(self) -> int:
        return min(self.initial_form_count(), self.total_form_count())

    def _key_of(self, place: int) -> str:
        return f"{self.add_prefix(place)}-{self.model._meta.pk.name}"


def _called(row: forms.ModelForm) -> str:
    is_whole = row.has_changed() and row.is_valid()
    return str(row.instance) if is_whole else row.instance._meta.verbose_name


class FormAmongOthers(forms.ModelForm):
    """A form that is refused once, with what others changed, when it would overwrite that.

    watched: fields of the model that it changes beside those of the same name. rows_watched: the
    related names of rows that are changed on the same page. is_held: is the row locked until it is
    saved, so that nobody comes in between?
    """

    watched: ClassVar[tuple[str, ...]] = ()
    rows_watched: ClassVar[tuple[str, ...]] = ()
    is_held: ClassVar[bool] = True

    def as_stored(self, row: Model) -> str:
        """What the page shows of `row`, as a short string that differs when anything of it does."""
        fields = [
            field
            for field in row._meta.concrete_fields
            if field.name in self.fields or field.name in self.watched
        ]
        own = [(field.name, str(field.value_from_object(row))) for field in fields]
        rows = [
            [name, *getattr(row, name).order_by("pk").values_list()] for name in self.rows_watched
        ]
        return fingerprint(own, rows)

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if opened := self.data.get(AS_OPENED):
            self._look_for_changes(opened)
        return cleaned

    def _look_for_changes(self, opened: str) -> None:
        rows = type(self.instance)._base_manager.filter(pk=self.instance.pk)
        stored = (rows.select_for_update(no_key=True) if self.is_held else rows).first()
        if stored is None:
            raise forms.ValidationError(DELETED)
        if self.as_stored(stored) != opened:
            raise forms.ValidationError([CHANGED, *self._differences(stored)])

    def _differences(self, stored: Model) -> list[str]:
        """What is stored now where it differs from what was entered, a line each."""
        named = {field.name: field for field in stored._meta.concrete_fields}
        return [
            f"{self.fields[name].label}: stored is “{_in_words(stored, named[name])}”."
            for name in self.changed_data
            if name in named
        ]


def _in_words(row: Model, field: Any) -> str:
    if field.is_relation:
        return str(getattr(row, field.name) or "–")
    return str(display_for_field(field.value_from_object(row), field, "–") or "–")


class AmongOthers(CleansText, ModelAdmin):
    """A page whose form is one of these."""

    watched: tuple[str, ...] = ()
    rows_watched: tuple[str, ...] = ()
    is_held = True

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any
    ) -> type[forms.ModelForm]:
        form = super().get_form(request, obj, change, **options)
        names = ("watched", "rows_watched", "is_held")
        return type(
            form.__name__, (FormAmongOthers, form), {name: getattr(self, name) for name in names}
        )

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *how: Any, obj: Any = None, **more: Any
    ) -> Any:
        if obj is not None and (stored := self.model._base_manager.filter(pk=obj.pk).first()):
            context[AS_OPENED] = context["adminform"].form.as_stored(stored)
        return super().render_change_form(request, context, *how, obj=obj, **more)
