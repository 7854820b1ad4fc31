"""Forms as chat asks them: with our sentences, and forgiving about how people write."""

import re
from functools import lru_cache
from typing import Any, ClassVar

from django import forms

from whatsapp_bot import texts
from whatsapp_bot.dialog import Answers, Expects, bare, words_in
from whatsapp_bot.vocabulary import PHRASES, meant_by, nearly_meant, refuses

LONGEST_ANSWER = 4000
FEWEST_WORDS = 3
"""What a sentence has at the least."""
_KNOWS_NOT = re.compile(
    r"(?:(?:sorry|well|no|i|we|am|m|are|re|have|can|honestly|really) )*"
    r"(?:(?:do not|don t) (?:really )?(?:know|understand)|not (?:really |so |quite )?sure|unsure"
    r"|no idea|(?:can t|cannot|can not|not) (?:say|tell)|hard to (?:say|tell))"
    r"(?: (?:it|that|this|is|yet|exactly|sorry|how|bad|much|many|which|one|what|to|choose|say|send"
    r"|you|means?))*"
)


class Form(forms.Form):
    """These fields, by name, bound to raw answers. No page shows it, so it has nothing for one."""

    def __init__(self, answers: Answers, fields: dict[str, forms.Field] | None = None) -> None:
        super().__init__(answers, label_suffix="")
        self.fields |= fields or {}

    def full_clean(self) -> None:
        super().full_clean()
        # What pages show of a field has the form, a circle that only the collector breaks.
        self._bound_fields_cache.clear()


class LongText(forms.CharField):
    """Words, up to LONGEST_ANSWER characters."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("max_length", LONGEST_ANSWER)
        messages = {
            "required": texts.ANSWER_NEEDED,
            "max_length": texts.ANSWER_TOO_LONG(limit=options["max_length"]),
        }
        super().__init__(error_messages=messages, **options)
        self.example = texts.EXAMPLE_OF_WORDS()


class Telling(LongText):
    """Words that tell something. After what tells nothing, such as `ok` or `2`, it asks for more.

    Who says the same again may mean it, but not where it is signs alone.
    """

    def clean(self, value: Any) -> str:
        answer = super().clean(value)
        if not any(map(str.isalnum, answer)):
            raise forms.ValidationError(str(texts.TOO_LITTLE))
        return answer

    def doubts(self, answer: str) -> str:
        tells = not (tells_nothing(answer) or nearly_meant(words_in(answer)))
        return "" if tells else texts.TOO_LITTLE()


def tells_nothing(answer: str) -> bool:
    """Is it a sign, a number, or a word such as yes, and nothing else?"""
    words = words_in(answer) or bare(answer)
    return not any(map(str.isalpha, words)) or meant_by(words) in PHRASES


def knows_not(words: str) -> bool:
    """Is this the whole message: `I don't know`, `sorry, not sure how bad`?"""
    return bool(_KNOWS_NOT.fullmatch(words))


class ChoiceField(forms.ChoiceField):
    """One of its choices."""

    example = "1"

    def __init__(self, **options: Any) -> None:
        options.setdefault(
            "error_messages",
            {"required": texts.ANSWER_NEEDED, "invalid_choice": texts.NOT_AN_OPTION},
        )
        super().__init__(**options)


class MenuField(ChoiceField):
    """Where to go next."""

    def __init__(self, **options: Any) -> None:
        messages = dict.fromkeys(("required", "invalid_choice"), texts.NOT_UNDERSTOOD)
        super().__init__(error_messages=messages, **options)


@lru_cache(maxsize=1000)
def menu_field(label: str, choices: tuple[tuple[str, str], ...]) -> MenuField:
    """A field like another one that has been made, or the same: forms do not change it."""
    return MenuField(label=label, choices=choices)


class YesNoField(ChoiceField):
    """`yes` or `no`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=[("yes", texts.YES), ("no", texts.NO)], **options)


class YesOrMore(LongText):
    """`yes`, `no`, or words instead of a yes, which go with what it is about."""

    expects = Expects.SUGGESTION
    choices: ClassVar = [("yes", texts.YES), ("no", texts.NO)]

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.example = "1"

    def clean(self, value: Any) -> str:
        answer = super().clean(value)
        if refuses(words_in(answer)):
            return "no"
        if answer not in ("yes", "no") and not self.is_more(answer):
            raise forms.ValidationError(str(texts.NOT_AN_OPTION))
        return answer

    def is_more(self, answer: str) -> bool:
        """Do these words say enough?"""
        return len(answer.split()) >= FEWEST_WORDS


class PictureField(forms.IntegerField):
    """A picture: the id of the message that brought it."""

    expects = Expects.ATTACHMENT

    def __init__(self, **options: Any) -> None:
        messages = {"required": texts.ANSWER_NEEDED, "invalid_choice": texts.PICTURE_NEEDED}
        super().__init__(error_messages=messages, **options)
        self.example = texts.EXAMPLE_OF_PICTURE()
