"""Pages that were opened before somebody else saved: they do not undo what others did, unasked."""

from hashlib import blake2b
from typing import Any, ClassVar

from django import forms
from django.contrib.admin.utils import display_for_field
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from whatsapp_bot.admin.cleaned import CleansText

AS_OPENED = "as_opened"
"""The parameter that brings back what the page was opened with."""
CHANGED = (
    "Somebody else has changed this since you opened it. What you entered is still here and not "
    "saved. Press the same button again to have it your way."
)
DELETED = "Somebody else has deleted this since you opened it, so it cannot be saved any more."


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
        return blake2b(repr((own, rows)).encode(errors="replace"), digest_size=12).hexdigest()

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
