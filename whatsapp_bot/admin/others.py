"""Pages that were opened before somebody else saved: they do not undo what others did, unasked."""

import re
from datetime import UTC, datetime
from typing import Any, ClassVar

from django import forms
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import display_for_field
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.contenttypes.models import ContentType
from django.db.models import Max, Model, QuerySet
from django.http import HttpRequest, QueryDict

from whatsapp_bot.admin.base import ModelAdmin
from whatsapp_bot.admin.cleaned import CleansText
from whatsapp_bot.fingerprint import fingerprint, id_in
from whatsapp_bot.wording import day_and_time

AS_OPENED = "as_opened"
"""The parameter that brings back what the page was opened with."""
AS_SHOWN = "as_shown"
"""The one that brings back what each of its fields showed then."""
CHANGED = (
    "This was changed since you opened it. What you entered is still here and not saved; "
    "the rest is as it is stored now. Press the same button again to have it your way."
)
MOST_NOTES = 20
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
        for row in self.initial_forms:
            show_what_others_changed(row)
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

    by: who has the page before them. watched: fields of the model that it changes beside those of
    the same name. rows_watched: the related names of rows that are changed on the same page.
    is_held: is the row locked until it is saved, so that nobody comes in between? must_say: is it
    refused as well when it does not say what it was opened with?
    """

    watched: ClassVar[tuple[str, ...]] = ()
    rows_watched: ClassVar[tuple[str, ...]] = ()
    is_held: ClassVar[bool] = True
    must_say: ClassVar[bool] = False
    by: ClassVar[AbstractBaseUser | None] = None

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        opened = self.data.get(AS_OPENED, "")
        if opened or self.must_say:
            stored = self.hold()
            if news := self.news_since(opened, stored) if stored else [DELETED]:
                if stored:
                    self.initial.update(_stored_in(type(self)(instance=stored)))
                    show_what_others_changed(self)
                self.tell(news)
        return cleaned

    def as_opened(self, row: Any) -> str:
        """What the page is opened with, for `news_since` when it is posted."""
        last = LogEntry.objects.aggregate(last=Max("pk"))["last"] or 0
        return f"{self._as_stored(row)} {last}"

    def hold(self) -> Any:
        """The row as it is stored now, and stays until this is saved; None when it is gone."""
        rows = type(self.instance)._base_manager.filter(pk=self.instance.pk)
        return (rows.select_for_update(no_key=True) if self.is_held else rows).first()

    def news_since(self, opened: str, stored: Any) -> list[str]:
        """What whoever opened the page does not know of, a line each; none: it may be saved."""
        seen, _, last = opened.partition(" ")
        if self._as_stored(stored) == seen:
            return []
        return [CHANGED, *self._notes_after(last), *self._differences(stored)]

    def tell(self, news: list[str]) -> None:
        self.add_error(None, news)

    def _as_stored(self, row: Model) -> str:
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

    def _notes_after(self, last: str) -> list[str]:
        """Who changed what and when, as far as that was on pages of the admin."""
        kind = ContentType.objects.get_for_model(self.instance)
        notes = LogEntry.objects.filter(
            pk__gt=id_in(last), content_type=kind, object_id=self.instance.pk
        ).select_related("user")
        return [
            told(note.user, self.by, note.action_time, note.get_change_message())
            for note in notes.exclude(change_message="[]").order_by("pk")[:MOST_NOTES]
        ]

    def _differences(self, stored: Model) -> list[str]:
        """What is stored now where it differs from what was entered, a line each."""
        named = {field.name: field for field in stored._meta.concrete_fields}
        return [
            f"{self[name].label}: stored is “{_in_words(stored, named[name])}”."
            for name in self.changed_data
            if name in named
        ]


def show_what_others_changed(form: forms.ModelForm) -> None:
    """Show as stored what others have changed and was not touched on the page: it stays so."""
    untouched = form.data.get(AS_SHOWN, "").split()
    for name in set(form.changed_data) & form.cleaned_data.keys():
        if _showing(form, name, form.cleaned_data[name]) in untouched:
            form.fields[name].bound_data = lambda data, initial: initial


def _stored_in(form: forms.ModelForm) -> dict[str, Any]:
    return {
        name: form.get_initial_for_field(field, name)
        for name, field in form.fields.items()
        if not field.disabled
    }


def _showing(form: forms.ModelForm, field: str, value: Any) -> str:
    """A word that says which field shows what, wherever on the page its row has come to."""
    if isinstance(value, list | QuerySet):
        value = sorted(one.pk for one in value)
    if isinstance(value, Model):
        value = value.pk
    if isinstance(value, datetime):
        value = value.replace(microsecond=0).astimezone(UTC)
    row = form.instance
    shown = fingerprint("" if value is None else str(value).strip())[:8]  # as it is posted
    return f"{row._meta.model_name}-{row.pk}-{field}={shown}"


def told(who: Any, by: Any, at: datetime, what: str) -> str:
    """A line of news for `by`, who may have done it themselves in another window."""
    return f"{'You' if who == by else who or 'Somebody'}, {day_and_time(at)}: {what}"


def _in_words(row: Model, field: Any) -> str:
    if field.is_relation:
        return str(getattr(row, field.name) or "–")
    return str(display_for_field(field.value_from_object(row), field, "–") or "–")


class AmongOthers(CleansText, ModelAdmin):
    """A page whose form is one of these."""

    form = FormAmongOthers
    watched: tuple[str, ...] = ()
    rows_watched: tuple[str, ...] = ()
    is_held = True

    def get_form(
        self, request: HttpRequest, obj: Any = None, **options: Any
    ) -> type[forms.ModelForm]:
        form = super().get_form(request, obj, **options)
        # It was made for this request.
        form.by = request.user
        for name in ("watched", "rows_watched", "is_held"):
            setattr(form, name, getattr(self, name))
        return form

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *how: Any, obj: Any = None, **more: Any
    ) -> Any:
        stored = obj
        if obj is not None and request.method == "POST":
            # What was typed and refused is in `obj`.
            stored = self.model._base_manager.filter(pk=obj.pk).first()
        if stored is not None:
            form = context["adminform"].form
            rows = [row for one in context["inline_admin_formsets"] for row in one.formset.forms]
            context[AS_OPENED] = form.as_opened(stored)
            context[AS_SHOWN] = " ".join(
                _showing(one, name, value)
                for one in [form, *rows]
                for name, value in _stored_in(one).items()
            )
        return super().render_change_form(request, context, *how, obj=obj, **more)
