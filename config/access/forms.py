import re

from django import forms
from unfold.widgets import UnfoldAdminTextInputWidget

from config.access.second_factor import DIGITS_OF_RECOVERY


class CodeInput(UnfoldAdminTextInputWidget):
    """Empty again after a wrong one: there is nothing to mend in it."""

    def format_value(self, value: str | None) -> None:
        return None


class CodeForm(forms.Form):
    """A code of six digits from a phone, or one of the recovery codes."""

    code = forms.CharField(
        max_length=40,
        widget=CodeInput(
            attrs={
                "autocomplete": "one-time-code",
                "inputmode": "numeric",
                # The theme hides the page until it is ready: autofocus would come too early.
                "x-init": "setTimeout(() => $el.focus())",
                "autocapitalize": "off",
                "spellcheck": "false",
            }
        ),
    )

    def clean_code(self) -> str:
        code = re.sub(r"[\s-]", "", self.cleaned_data["code"])
        if not re.fullmatch(rf"\d{{6}}|\d{{{DIGITS_OF_RECOVERY}}}", code, re.ASCII):
            raise forms.ValidationError("A code has six digits, one from your list has twelve.")
        return code
