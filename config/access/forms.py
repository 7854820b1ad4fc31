import re
from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

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
                "autofocus": True,
                "autocapitalize": "off",
                "spellcheck": "false",
            }
        ),
    )

    lengths = (6, DIGITS_OF_RECOVERY)
    wrong_length = "A code has six digits, one from your list has twelve."

    def clean_code(self) -> str:
        code = re.sub(r"[\s-]", "", self.cleaned_data["code"])
        if not re.fullmatch(r"\d+", code, re.ASCII) or len(code) not in self.lengths:
            raise forms.ValidationError(self.wrong_length)
        return code


class FirstCodeForm(CodeForm):
    """A code from a phone that is being set up."""

    lengths = (6,)
    wrong_length = "The code that the app shows has six digits."


class PasswordForm(forms.Form):
    """The password of somebody who is signed in; wrong ones count as those at signing in do."""

    password = forms.CharField(
        label="Your password",
        strip=False,
        max_length=4096,
        widget=UnfoldAdminPasswordWidget(
            attrs={"autocomplete": "current-password", "autofocus": True}
        ),
    )

    def __init__(self, request: HttpRequest, data: Any) -> None:
        super().__init__(data)
        self.request = request

    def clean_password(self) -> str:
        password = self.cleaned_data["password"]
        name = self.request.user.get_username()
        if not authenticate(self.request, username=name, password=password):
            raise forms.ValidationError("This is not your password.")
        return password
