"""Sentences that the bot says: declared in each app's `texts.py`, reworded by staff.

GREETING = Text("greeting", "Hello {name}!", about="The first line that a person reads.")
GREETING(name="Nomsa")
"""

import re
from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache
from typing import Any, ClassVar

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language

from whatsapp_bot.recent import Recent
from whatsapp_bot.whatsapp_text import without_marks

places: dict[str, str] = {}
"""Where a text is said, in words for staff, by the first part of its key."""

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class Text:
    """A sentence with its default wording, found by its key.

    about: what it is for, in words for staff. Its placeholders are those of the default.
    Calling it gives the sentence as staff want it now, with the placeholders filled in.
    """

    declared: "ClassVar[dict[str, Text]]" = {}

    def __init__(self, key: str, default: str, *, about: str) -> None:
        if key in self.declared:
            raise ValueError(f"There is a text {key} already")
        self.key = key
        self.default = default
        self.about = about
        self.placeholders = placeholders_in(default)
        self.declared[key] = self

    @property
    def place(self) -> str:
        return places.get(self.key.partition(".")[0], "Elsewhere")

    def __call__(self, **values: Any) -> "Sentence":
        edited = reworded().get(self.key)
        wording = (edited and _nearest_language(edited)) or self.default
        return Sentence(fill(wording, values) if values else wording)

    def __str__(self) -> str:
        """So that a text can stand where Django takes a lazy string, such as an error message."""
        return self()

    def __mod__(self, values: Any) -> "Sentence":
        return self()


class Notice(Text):
    """A sentence that we begin a conversation with: staff can switch it off, unless `required`.

    Outside the 24-hour window it goes in the words of its approved message template.
    """

    def __init__(self, key: str, default: str, *, about: str, required: bool = False) -> None:
        super().__init__(key, default, about=about)
        self.required = required

    @property
    def is_on(self) -> bool:
        return self.required or self.key not in switched_off()

    @classmethod
    def all(cls) -> "list[Notice]":
        return [text for text in Text.declared.values() if isinstance(text, cls)]


class Sentence(str):
    """What is said, and not a format: Django's forms would fill values into an error message."""

    __slots__ = ()

    def __mod__(self, values: Any) -> "Sentence":
        return self


def _nearest_language(worded: dict[str, str]) -> str | None:
    """The wording in the language that is spoken just now, a wider one, or the usual one."""
    now = (get_language() or "").lower().replace("_", "-")
    near = (now, now.partition("-")[0], settings.LANGUAGE_CODE)
    return next((worded[one] for one in near if one in worded), None)


def placeholders_in(wording: str) -> frozenset[str]:
    """The names in braces: `{number}`."""
    return frozenset(_PLACEHOLDER.findall(wording))


def half_filled(wording: str, names: Iterable[str]) -> str:
    """What is wrong with a placeholder that would be sent as it stands, in a sentence; or ""."""
    for name in names:
        rest = wording.replace(f"{{{name}}}", "\0")
        if re.search(rf"\{{\s*(\0|{name}\b)|(\0|\b{name})\s*\}}", rest):
            return f"A brace is left over: what is filled in is written {{{name}}}."
    return ""


def fill(wording: str, values: dict[str, Any]) -> str:
    """`wording` with each {name} replaced by its value, plainly and once; others stay."""
    return _PLACEHOLDER.sub(
        lambda found: without_marks(str(values[found[1]])) if found[1] in values else found[0],
        wording,
    )


def in_full(day: date) -> str:
    """The day as `19 January 2025`, in the language that is spoken just now."""
    return _in_full(day, get_language())


def span_in_full(first: date | None, last: date | None) -> str:
    """From one day until the other, as far as there are such; "" where there is neither."""
    ends = {"from": first, "until": last}
    return " ".join(f"{end} {in_full(day)}" for end, day in ends.items() if day)


def day_and_time(moment: datetime) -> str:
    """The moment, in the factory, as staff read it: `19 Jan 2025, 14:05`."""
    return date_format(timezone.localtime(moment), "j M Y, H:i")


@lru_cache(maxsize=1000)
def _in_full(day: date, language: str) -> str:
    return date_format(day, "j F Y")


@Recent
def reworded() -> dict[str, dict[str, str]]:
    """What staff changed: by key, the wording by language."""
    from whatsapp_bot.models import Wording

    edited = Wording.objects.exclude(text="").values_list("key", "language", "text")
    by_key: dict[str, dict[str, str]] = {}
    for key, language, text in edited:
        by_key.setdefault(key, {})[language] = text
    return by_key


@Recent
def switched_off() -> frozenset[str]:
    """The keys of the notices that staff do not want to be sent."""
    from whatsapp_bot.models import Wording

    return frozenset(Wording.objects.filter(switched_off=True).values_list("key", flat=True))
