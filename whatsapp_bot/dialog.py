"""The turn: a form, asked one field at a time. Pure: it reads and writes no database.

    state, and what was said  →  take_turn  →  the new state, the form, what to ask next

What somebody says goes under the field that was asked, the form is built again from all answers
and validated whole, and the first field that is missing or wrong is asked. A field whose answers
mean something else later has a method `as_it_stays`, which makes a raw answer of a cleaned one.
A field that takes an answer which may not be meant has a method `doubts`, which says so: it is
asked once more then, and takes the same answer the second time.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django import forms
from rapidfuzz import utils

from whatsapp_bot.nearness import nearest
from whatsapp_bot.vocabulary import POLITE, meant_by, only_notes
from whatsapp_bot.whatsapp_text import digits_to_number, without_accents

Answers = dict[str, str]
BuildForm = Callable[[Answers], forms.Form]

LONGEST_LABEL = 60
SAID_FOR = {
    "yes": ("yes", "ok", "yes already", "yes they did", "yes it did", "yes it is", "yes i did"),
    "no": ("no", "not yet", "no not yet", "no it is not", "no it isn t"),
}
"""What the words for an option with this key amount to."""
_IN_WORDS = re.compile(
    r"(?:(?:the|number|option|choice|item) )?(\w+?)(?:(?<=\d)(?:st|nd|rd|th))?"
    r"(?: (?:one|please|pls|thanks))*"
)
_AROUND_A_CHOICE = re.compile(
    r"\b(?:i (?:guess|think|believe|would say|d say)|it (?:is|was|s)|its|that (?:is|was|s)"
    r"|probably|maybe|so|at|on|in|the)\b"
)
"""What says no more than a label alone: `minor, I guess`, `at line 2`."""
_CORRECTS = re.compile(
    r"\W*(?:(?:oh|no|sorry|oops)\W+)*"
    r"(?:no\s*(?=,)|no\W+no|no\W+it(?: is|['’]?s| was)"
    r"|wait|sorry|oops|i meant?|actually|correction)\W+"
    r"(?:(?:no|wait|sorry|i meant?|actually|it['’]?s|it is|it was|make it)\W+)*",
    re.IGNORECASE,
)
"""`No, line 3` does, and `no label` may be what is wrong."""
NUMBERS = (
    *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"),
    *("twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    *("nineteen", "twenty"),
)
"""How people say a number to their phone, which writes it down."""
ORDINALS = ("first", "second", "third", "fourth", "fifth")
_PARTS = re.compile(r"[,;\n]\s*(?:and\s)?|\sand\s")
_SHORTENED = {
    "s": "he she that there here what where who when how "
    "someone somebody everyone everybody nobody",
    "m": "i",
    "ve": "i",
    "re": "they you",
    "t": "can won don doesn didn isn aren wasn weren hasn haven hadn "
    "couldn wouldn shouldn mustn needn",
}
_IN_FULL = {
    f"{word}{end}": f"{word} {end}" for end, words in _SHORTENED.items() for word in words.split()
}
"""What is often written without its apostrophe, such as `wheres` and `im`.

Not what is then a word of its own, as `its`, `were` and `ill` are.
"""
_COLOUR = re.compile("[\U0001f3fb-\U0001f3ff\ufe0f]")
"""Of a skin, or that a sign is in colour at all, as that of a heart."""


class Expects(StrEnum):
    """What answers a question."""

    TEXT = "text"
    CHOICE = "choice"  # one of the options and nothing else
    SUGGESTION = "suggestion"  # one of the options, or text
    ATTACHMENT = "attachment"


@dataclass(frozen=True, slots=True)
class Said:
    """What a person said: words, the key of a tapped option, or the id of an attachment.

    `skipped` leaves an optional question out.
    """

    text: str = ""
    payload: str = ""
    attachment: str = ""
    skipped: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to put to the person, with what was wrong with the last answer."""

    question: str
    options: list[list[str]]
    help_text: str = ""
    error: str = ""
    example: str = ""
    optional: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """Where a form stands.

    answers: raw, by field name. asked: the field that was asked, or "". options: the [key, label]
    pairs that 1, 2, 3 meant when we asked. wrong: how often in a row its answer was. doubted: the
    raw answer that was not taken at once.
    """

    answers: Answers = field(default_factory=dict)
    asked: str = ""
    expects: str = Expects.TEXT
    options: list[list[str]] = field(default_factory=list)
    wrong: int = 0
    doubted: str = ""

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "State":
        return cls(**{name: stored[name] for name in cls.__slots__ if name in stored})

    def answer(self, said: Said) -> str | None:
        """What was said as a raw answer to the question asked; None when it cannot be one."""
        if said.skipped:
            return ""
        if self.expects == Expects.ATTACHMENT:
            meant = meant_by(words_in(said.text) or bare(said.text))
            return said.attachment or ("" if meant == "no" else None)
        only = self.expects == Expects.CHOICE
        key = chosen(self.options, said, near=only)
        if only and key == "yes" and only_notes(words_in(said.text) or bare(said.text)):
            return None
        if key is not None or only:
            return key
        # A button that is not one of ours by now was tapped in an earlier message.
        return None if said.payload else said.text or None


@dataclass(frozen=True, slots=True)
class Turn:
    """What came of a turn: `reply` is the next question, None when the form is complete."""

    state: State
    form: forms.Form
    reply: Ask | None


def take_turn(build_form: BuildForm, state: State, said: Said | None = None) -> Turn:
    """Hear `said` as the answer to what was asked, and find what to ask next.

    Without `said` nothing is answered: the form is opened, or its question repeated.
    """
    answers = dict(state.answers)
    answer = state.answer(said) if said and state.asked else None
    if answer is not None:
        answers[state.asked] = answer
    elif said:
        answers.pop(state.asked, None)
    form = build_form(answers)
    doubt = _doubt(form, state, answer)
    name = state.asked if doubt else first_open(form)
    if answer and state.asked in form.fields and state.asked not in form.errors:
        answers[state.asked] = _as_it_stays(form, state.asked, answer)
    if name is None:
        return Turn(State(answers), form, None)
    repeated = said is not None and name == state.asked
    error = doubt or (error_of(form, name, understood=answer is not None) if repeated else "")
    answers.pop(name, None)
    question = form.fields[name]
    asking = State(
        answers=answers,
        asked=name,
        expects=expected(question),
        options=options_of(question),
        wrong=state.wrong + 1 if error else 0,
        doubted=answer if doubt else "",
    )
    return Turn(asking, form, ask(question, asking.options, error))


def _doubt(form: forms.Form, state: State, answer: str | None) -> str:
    """Why this answer may not be meant, although it can be taken; "" where it is."""
    doubts = getattr(form.fields.get(state.asked), "doubts", None)
    if not (doubts and answer) or state.asked in form.errors or answer == state.doubted:
        return ""
    return doubts(answer)


def _as_it_stays(form: forms.Form, name: str, answer: str) -> str:
    """An accepted answer as it means the same later: today will be yesterday."""
    stay = getattr(form.fields[name], "as_it_stays", None)
    return stay(form.cleaned_data[name]) if stay else answer


def go_back(build_form: BuildForm, state: State) -> State | None:
    """The state with the answer before the asked field forgotten; None at the first question."""
    form = build_form(dict(state.answers))
    names = list(form.fields)
    before = names[: names.index(state.asked)] if state.asked in names else names
    answered = [name for name in before if name in state.answers]
    if not answered:
        return None
    answers = {name: raw for name, raw in state.answers.items() if name != answered[-1]}
    return State(answers)


def take_each(build_form: BuildForm, state: State, said: Said) -> Turn | None:
    """The turn after the answers to several choices in one message: `critical, line 2`.

    None where it is one answer, or a part of it none.
    """
    parts = _PARTS.split(said.text) if state.expects == Expects.CHOICE else []
    if len(parts) < 2 or chosen(state.options, said, near=False) is not None:
        return None
    answers = dict(state.answers)
    for part in parts:
        answered = _answer_to_any(build_form(answers), answers, part)
        if not answered:
            return None
        answers |= [answered]
    return take_turn(build_form, State(answers)) if state.asked in answers else None


def _answer_to_any(form: forms.Form, answers: Answers, words: str) -> tuple[str, str] | None:
    """The first choice that is not made yet and that `words` make, with the key of the option.

    A number alone makes none: of several questions it may answer another one.
    """
    if not any(map(str.isalpha, words)):
        return None
    for name, question in form.fields.items():
        is_open = name not in answers and expected(question) == Expects.CHOICE
        key = chosen(options_of(question), Said(words), near=False) if is_open else None
        if key is not None:
            return name, key
    return None


def set_right(build_form: BuildForm, state: State, said: Said) -> tuple[State, list[str]] | None:
    """The choice before the asked field, asked again, and the option that is meant instead.

    None where it is no `no wait, line 3`, or may be meant for the question that is asked.
    """
    found = _CORRECTS.match(said.text)
    instead = words_in(said.text[found.end() :]) if found else ""
    earlier = go_back(build_form, state) if instead else None
    if not earlier or _may_answer(state, instead):
        return None
    before = take_turn(build_form, earlier).state
    others = [
        option
        for option in before.options
        if words_in(option[1]) == instead and option[0] != state.answers.get(before.asked)
    ]
    is_sure = before.expects == Expects.CHOICE and len(others) == 1
    return (before, others[0]) if is_sure else None


def _may_answer(state: State, words: str) -> bool:
    """Are they a yes, a no, a number or an option of what is asked?"""
    is_short = meant_by(words) in SAID_FOR["yes"] + SAID_FOR["no"]
    is_number = words.isdecimal() or words in NUMBERS
    return is_short or is_number or chosen(state.options, Said(words)) is not None


def bare(text: str) -> str:
    """`text` in small letters, its thumbs and hearts without a colour, and one for several."""
    plain = _COLOUR.sub("", text).strip().casefold()
    signs = set(plain.replace(" ", ""))
    return signs.pop() if len(signs) == 1 and not plain[0].isalnum() else plain


def _in_small_letters(text: str) -> str:
    return text.strip().casefold()


def words_in(text: str) -> str:
    """The words of `text`, in small letters, with a space between, without signs and accents.

    Nothing depends on an apostrophe: `I'm` and `im` are both `i m`.
    """
    words = utils.default_process(without_accents(text)).split()
    return " ".join(map(_IN_FULL.get, words, words))


def chosen(options: list[list[str]], said: Said, *, near: bool = True) -> str | None:
    """The key of the option that was said: by tap, number or label, or `near` to its label."""
    if not options:
        return None
    keys = [key for key, _ in options]
    if said.payload in keys:
        return said.payload
    number = digits_to_number(said.text)
    if number and number <= len(keys):
        return keys[number - 1]
    words = words_in(said.text)
    meant = meant_by(words or bare(said.text))
    key = _said_for(keys, meant) or _typed(options, said.text)
    if key or not words or len(words) > LONGEST_LABEL:
        return key
    labels = [words_in(label) for _, label in options]
    key = _worded(keys, labels, words) or _counted(keys, labels, words)
    if key or not near:
        return key
    if meant in POLITE:  # That is no label with a typing error.
        return _begun(keys, labels, words)
    return _amounts_to(keys, labels, words) or nearest(keys, labels, words)


def _said_for(keys: list[str], meant: str) -> str | None:
    """The key that is what was meant, in other words: `ok` is a yes."""
    for key, ways in SAID_FOR.items():
        if meant in ways and key in keys:
            return key
    return None


def _typed(options: list[list[str]], text: str) -> str | None:
    """The key of the one label that was typed as it stands, but for capitals and colours."""
    for as_typed in (_in_small_letters, bare):
        typed = as_typed(text)
        same = [key for key, label in options if as_typed(label) == typed]
        if len(same) == 1:
            return same[0]
    return None


def _worded(keys: list[str], labels: list[str], words: str) -> str | None:
    """The key of the one label with these words, with or without its number."""
    numbered = [f"{number} {label}" for number, label in enumerate(labels, 1)]
    for known in (labels, numbered):
        if known.count(words) == 1:
            return keys[known.index(words)]
    return None


def _counted(keys: list[str], labels: list[str], words: str) -> str | None:
    """The key at the place that these words count to, unless a label has them: `one side`."""
    place = _place_in_words(words, len(keys))
    if place is None or any(words in label.split() for label in labels):
        return None
    return keys[place]


def _place_in_words(words: str, count: int) -> int | None:
    """Which of so many: `two`, `2 please`, `option 2`, `the second one`."""
    said = _IN_WORDS.fullmatch(words)
    for known in (NUMBERS[:count], ORDINALS[:count]):
        if said and said[1] in known:
            return known.index(said[1])
    digits = digits_to_number(said[1]) if said and said[1] != words else None
    return digits - 1 if digits and digits <= count else None


def _begun(keys: list[str], labels: list[str], words: str) -> str | None:
    """The key of the one label that begins with these words."""
    begun = [key for key, label in zip(keys, labels, strict=True) if label.startswith(f"{words} ")]
    return begun[0] if len(begun) == 1 else None


def _amounts_to(keys: list[str], labels: list[str], words: str) -> str | None:
    """The key of the label that `words` are, but for what says no more. `It's ok` is no yes."""
    plain = _plainly(words)
    meant = meant_by(plain)
    alike = [
        key
        for key, label in zip(keys, labels, strict=True)
        if plain and (plain == _plainly(label) or meant == key in SAID_FOR)
    ]
    return alike[0] if len(alike) == 1 else None


def _plainly(words: str) -> str:
    return " ".join(_AROUND_A_CHOICE.sub("", words).split())


def first_open(form: forms.Form) -> str | None:
    """The first field of `form` that is missing or wrong."""
    for name in form.fields:
        if name not in form.data or name in form.errors:
            return name
    # Wrong only as a whole: the last answer is the one to think about again.
    return list(form.fields)[-1] if form.errors else None


def error_of(form: forms.Form, name: str, *, understood: bool) -> str:
    """What is wrong with the answer to `name`, in one sentence."""
    if not understood:
        messages = form.fields[name].error_messages
        return str(messages.get("invalid_choice") or messages["required"])
    errors = form.errors.get(name) or form.non_field_errors()
    return str(errors[0]) if errors else ""


def ask(field: forms.Field, options: list[list[str]], error: str) -> Ask:
    return Ask(
        question=str(field.label or ""),
        options=options,
        help_text=str(field.help_text),
        error=error,
        example=str(getattr(field, "example", "")),
        optional=not field.required,
    )


def options_of(field: forms.Field) -> list[list[str]]:
    """The field's choices as [key, label], without the empty one."""
    return [[str(key), str(label)] for key, label in getattr(field, "choices", ()) if str(key)]


def expected(field: forms.Field) -> Expects:
    """What answers the field: as it says itself (`expects`), or by its type."""
    by_type = Expects.CHOICE if isinstance(field, forms.ChoiceField) else Expects.TEXT
    return getattr(field, "expects", by_type)
