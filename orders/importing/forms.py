from typing import Any

import structlog
from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldBooleanWidget,
)

from orders.importing.judging import JUDGES
from orders.importing.sheet import Choices
from orders.importing.tables import Unreadable, open_table
from orders.models import Import

log = structlog.get_logger("orders")

_MAKES = "Make the customers that are not known"


class FileForm(forms.Form):
    """Which file to import. It is looked into at once, so far as that is quickly done."""

    file = forms.FileField(
        label="CSV or XLSX file",
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
        error_messages={
            "required": "Please choose a file.",
            "empty": "It is empty. Please choose the file that has the rows in it.",
        },
    )

    def clean_file(self) -> Any:
        chosen = self.cleaned_data["file"]
        try:
            table = open_table(chosen, chosen.name, chosen.size)
            self.weight = table.weight
            if self.weight <= Import.LITTLE:
                table.load()
        except Unreadable as unreadable:
            raise ValidationError(str(unreadable)) from None
        finally:
            chosen.seek(0)
        return chosen

    def as_import(self, user: Any, what: str, choices: Choices) -> Import | None:
        """None when the storage does not take the file, which the form then says."""
        chosen = self.cleaned_data["file"]
        imported = Import(by=user, what=what, size=chosen.size, weight=self.weight)
        imported.choices = choices.as_json()
        imported.name = Import.short_name(chosen.name)
        try:
            imported.keep(chosen)
        except Exception:
            log.exception("a file to import was not stored", size=chosen.size)
            self.add_error("file", "It could not be kept. Please choose it again in some minutes.")
            return None
        return imported


class ChoicesForm(forms.Form):
    """What a person decides about a sheet, as far as it leaves that open."""

    def __init__(self, imported: Import, *, makes_customers: bool, **options: Any) -> None:
        super().__init__(**options)
        self.imported, seen = imported, imported.preview
        self._chosen = Choices(**imported.choices)
        self.seen_columns: list[dict[str, Any]] = seen.get("columns", [])
        self._add_sheet(seen.get("sheets", []), seen.get("header"))
        self._add_meanings(seen.get("questions", []))
        if makes_customers and (seen.get("unknown") or self._chosen.make_customers):
            self.fields["make_customers"] = forms.BooleanField(
                label=_MAKES,
                required=False,
                widget=UnfoldBooleanWidget,
                initial=self._chosen.make_customers,
            )
        self._add_columns()

    def _add_sheet(self, sheets: list[str], header: int | None) -> None:
        if len(sheets) > 1:
            self.fields["sheet"] = forms.ChoiceField(
                label="Sheet",
                choices=[(name, name) for name in sheets],
                widget=UnfoldAdminSelectWidget,
                initial=self._chosen.sheet if self._chosen.sheet in sheets else sheets[0],
            )
        self.fields["header"] = forms.IntegerField(
            label="The headings are in row",
            min_value=1,
            max_value=10_000,
            widget=UnfoldAdminIntegerFieldWidget,
            initial=header or 1,
            error_messages={"required": "Please write the number of the row."},
        )

    def _add_meanings(self, questions: list[dict[str, Any]]) -> None:
        columns = JUDGES[self.imported.what].resource_class().columns
        asked = {one["name"]: one["heading"] for one in questions}
        for name in self._chosen.meanings:
            asked.setdefault(name, columns[name].title)
        for name, heading in asked.items():
            self.fields[f"meaning_{name}"] = forms.ChoiceField(
                label=f"In “{heading}”",
                choices=list(columns[name].widget.choices.items()),
                widget=UnfoldAdminRadioSelectWidget,
                initial=self._chosen.meanings.get(name),
                required=False,
            )

    def _add_columns(self) -> None:
        columns = JUDGES[self.imported.what].resource_class().columns.values()
        choices = [("", "leave out"), *((column.name, column.title) for column in columns)]
        for seen in self.seen_columns:
            self.fields[f"column_{seen['letter']}"] = forms.ChoiceField(
                label=seen["heading"],
                choices=choices,
                required=False,
                widget=UnfoldAdminSelectWidget,
                initial=seen["name"],
            )

    def rows_of_columns(self) -> list[tuple[dict[str, Any], forms.BoundField]]:
        return [(seen, self[f"column_{seen['letter']}"]) for seen in self.seen_columns]

    def other_fields(self) -> list[forms.BoundField]:
        return [field for field in self if not field.name.startswith("column_")]

    def clean(self) -> dict[str, Any]:
        taken: dict[str, str] = {}
        for seen in self.seen_columns:
            name = self.cleaned_data.get(f"column_{seen['letter']}")
            if name and name in taken:
                title = JUDGES[self.imported.what].resource_class().columns[name].title
                raise ValidationError(
                    f"“{taken[name]}” and “{seen['heading']}” cannot both be the {title}. "
                    "Please leave one of them out."
                )
            if name:
                taken[name] = seen["heading"]
        return self.cleaned_data

    def as_choices(self) -> Choices:
        """What was decided. With another sheet or row of headings the columns are found anew."""
        cleaned = self.cleaned_data
        is_same = not {"sheet", "header"} & set(self.changed_data)
        columns = {
            str(seen["place"]): cleaned[f"column_{seen['letter']}"] for seen in self.seen_columns
        }
        return Choices(
            sheet=cleaned.get("sheet", ""),
            header=cleaned["header"] if is_same or "header" in self.changed_data else None,
            columns=columns if is_same and columns else None,
            said=self._said() if is_same and columns else self._chosen.said,
            meanings={
                name.removeprefix("meaning_"): value
                for name, value in cleaned.items()
                if name.startswith("meaning_") and value
            },
            make_customers=cleaned.get("make_customers", False),
        )

    def _said(self) -> dict[str, list[str]]:
        said: dict[str, list[str]] = {}
        for seen in self.seen_columns:
            name = self.cleaned_data[f"column_{seen['letter']}"]
            said.setdefault(seen["heading"], []).append(name)
        return said
