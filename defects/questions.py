"""What the kinds of question are as form fields: forgiving about how people write."""

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import get_language

from defects import texts
from defects.models import Question
from orders.chat.asking import asks_about_an_order, names_an_order, numbers_meant
from orders.models import Order
from orders.questions import OrderNumberField, order_choices, which_of
from whatsapp_bot.dialog import NUMBERS, words_in
from whatsapp_bot.emergency import tells_of_emergency
from whatsapp_bot.models import Contact
from whatsapp_bot.questions import (
    FEWEST_WORDS,
    LONGEST_ANSWER,
    ChoiceField,
    LongText,
    PictureField,
    Telling,
    YesNoField,
    YesOrMore,
)
from whatsapp_bot.texts import ANSWER_NEEDED
from whatsapp_bot.vocabulary import PLACE, amiss_in
from whatsapp_bot.whatsapp_text import in_plain_signs
from whatsapp_bot.wording import in_full

_AMOUNT = re.compile(
    r"(?:(?:about|around|approx(?:imately)?|roughly|circa|ca|only|just)\b\.? ?|~ ?)?"
    r"(.+?)"
    r"(?: ?(?:pcs?|pieces?|parts?|units?|items?))?[.,!]?",
    re.IGNORECASE,
)
"""A number with what says no more: `about 5 pcs.`"""
_THOUSANDS = re.compile(r"-?[1-9]\d{0,2}(?:(?:,\d{3})+(?:\.\d*)?|(?: \d{3})+(?:[.,]\d*)?)")
_BLANKS = re.compile(r"[^\S\n]+")
_IN_WORDS = ("zero", *NUMBERS)
_NTH = re.compile(r"(?<=\d)(st|nd|rd|th)\b")
_SHORTENED = re.compile(r"(?<=[a-z])\.|(?<=\d)\.(?= )|\bof\b")
_SEPTEMBER = re.compile(r"\bsept\b")
_SAYS_NO = re.compile(
    r"^(no|nope|nah)\b(\s*[,.!;](?!\s*[\w-]*\d)| +(it|its|it['’]s|that|this|i|sorry|thanks?)\b)"
    r"|\bwrong (chat|group)\b|^\W*(?:(?:sorry|oops)\W+)?wrong person(?:\W+sorry)?\W*$",
    re.IGNORECASE,
)
"""`No, sorry` is one, and `no guard on the press` or `No. A5 press leaks` is none."""
_GREETS = re.compile(
    r"^(?:(?:hi|hello|hey|dear|there|all|team|sir|boss"
    r"|good (?:morning|afternoon|evening|day|night)) )+"
)
_IS_NO_DEFECT = re.compile(
    r"^(?:(?:what|where|when|who|why|how|which|whose)"
    r"(?:(?: (?:time|many|much|long))? (?:is|are|do|does|did|can|could|will|should|would)"
    r"|(?!(?: \w+){6}))"
    r"|(?:can|could|may|shall|should|must|do|did|will|would|have|are|is)"
    r" (?:i|you|we|they|there|it|somebody)"
    r"|(?:please )?(?:show|send|give|tell) me"
    r"|bye|goodbye|see you|have a|happy)\b"
    r"|\bhow are you\b|\b(?:want|like|need|how|have|going|wish|try|trying) to report\b"
    r"|\b(?:call me|speak (?:to|with)|talk (?:to|with)|(?:my|our) (?:\w+ )?reports?)\b"
)
"""Questions, goodbyes, and what wants something else than to tell of a defect. At length, `when it
starts the motor makes noise` and the like do tell.
"""
_WANTS_TO_REPORT = re.compile(
    r"(?:\d+ )?(?:please |i (?:want|need|would like|d like) to )?report"
    r"(?: (?:an?|the|new|another|safety|quality))*"
    r" (?:defects?|hazards?|problems?|issues?|faults?|complaints?)"
)
_THANKS = re.compile(r"^(?:(?:many )?(?:thank|thanks|thx)|ok|okay)\b")
"""Also before a defect: `Thanks, the belt broke again`."""
_IS_A_PLACE = re.compile(rf"(?:{PLACE}) \w+")
MOST_WORDS_TO_ASK_BACK = 6
DAYS = {"today": 0, "now": 0, "this morning": 0, "yesterday": -1, "tomorrow": 1}
DATE_FORMATS = [
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d"),
    *("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d %m %Y", "%d/%m/%y", "%d.%m.%y", "%d-%m-%y"),
    *("%d %B %Y", "%d %b %Y", "%d-%b-%Y", "%B %d %Y", "%b %d %Y"),
]
LIKELY_YEARS = range(1900, 2101)


class NumberField(forms.DecimalField):
    """A number: `12`, `1,5`, `1,500` or `1 500` for fifteen hundred, `ten`, or `about 5 pcs`.

    Below 0 it may only be where the question has such an `example`, as one for a temperature.
    """

    def __init__(self, *, example: str = "", **options: Any) -> None:
        self.example = example or "12"
        messages = {
            "required": ANSWER_NEEDED,
            "min_value": texts.BELOW_ZERO,
            **dict.fromkeys(("invalid", "max_digits", "max_decimal_places"), texts.WRONG_NUMBER),
            "max_whole_digits": texts.WRONG_NUMBER,
        }
        least = None if _in_digits(self.example).startswith("-") else 0
        super().__init__(
            min_value=least, max_digits=15, decimal_places=4, error_messages=messages, **options
        )

    def to_python(self, value: Any) -> Any:
        return super().to_python(_in_digits(value or ""))


def _in_digits(said: str) -> str:
    """The one number that is said, as Python writes it. Of several it makes none."""
    plain = _BLANKS.sub(" ", in_plain_signs(said)).strip().replace("\N{MINUS SIGN}", "-")
    amount = _AMOUNT.fullmatch(plain)
    number = (amount[1] if amount else plain).casefold().replace("- ", "-", 1)
    if number in _IN_WORDS:
        return str(_IN_WORDS.index(number))
    if _THOUSANDS.fullmatch(number):
        return number.replace(" ", "").replace(",", "." if " " in number else "")
    return number.replace(",", ".")


class DateField(forms.DateField):
    """A day: `24/11/2026`, `2026-11-24`, `24 November 2026`, or today, yesterday, tomorrow."""

    def __init__(self, **options: Any) -> None:
        messages = {"required": ANSWER_NEEDED, "invalid": texts.WRONG_DATE}
        super().__init__(input_formats=DATE_FORMATS, error_messages=messages, **options)
        self.example = f"{timezone.localdate():%d/%m/%Y}"

    def to_python(self, value: Any) -> date | None:
        plain = _plain_date(value or "")
        if value and not plain:
            raise forms.ValidationError(self.error_messages["invalid"])
        if plain in DAYS:
            return timezone.localdate() + timedelta(days=DAYS[plain])
        day = super().to_python(plain)
        if day and day.year not in LIKELY_YEARS:
            raise forms.ValidationError(self.error_messages["invalid"])
        return day

    def as_it_stays(self, day: date) -> str:
        return day.isoformat()


def _plain_date(said: str) -> str:
    """As Python's formats know it: `24th Sept. 2026` is `24 sep 2026`."""
    plain = in_plain_signs(said).casefold()
    plain = _NTH.sub("", _SHORTENED.sub(" ", plain)).replace(",", " ")
    return " ".join(_SEPTEMBER.sub("sep", plain).strip(" .!").split())


class Describing(Telling):
    """Words that tell what is wrong. After what asks for something it asks once more."""

    def doubts(self, answer: str) -> str:
        return super().doubts(answer) or (texts.WHAT_IS_WRONG() if _wants_else(answer) else "")


def _wants_else(answer: str) -> bool:
    """Does it ask, or only say that there is something to report?"""
    words = words_in(answer)
    if amiss_in(words) or tells_of_emergency(answer):
        return False
    asks = answer.endswith("?") and bool(_IS_NO_DEFECT.search(words))
    is_short = len(words.split()) <= MOST_WORDS_TO_ASK_BACK
    asks = asks or (is_short and asks_about_an_order(answer))
    return asks or bool(_WANTS_TO_REPORT.fullmatch(words))


class YesOrDescription(YesOrMore):
    """`yes`, `no`, or at once the description of what is wrong."""

    def is_more(self, answer: str) -> bool:
        return may_describe(answer)


def may_describe(answer: str) -> bool:
    """Can it be what is wrong? Not where it looks like a no, asks back, or names orders alone."""
    words = len(answer.split())
    asks = answer.endswith("?") and words <= MOST_WORDS_TO_ASK_BACK
    asks = asks or (names_an_order(answer) and len(numbers_meant(answer)) > 1)
    tells = words >= FEWEST_WORDS or (words == 2 and _tells_in_short(answer))
    return tells and not (asks or _is_no_defect(answer) or _SAYS_NO.search(answer))


def _is_no_defect(answer: str) -> bool:
    words = words_in(answer)
    tells = len(words.split()) > MOST_WORDS_TO_ASK_BACK and not answer.endswith("?")
    return bool(_IS_NO_DEFECT.search(words) and not (tells or amiss_in(words)))


def _tells_in_short(answer: str) -> bool:
    """`press broke` and `line 3` tell enough."""
    words = words_in(answer)
    return bool(amiss_in(words) or _IS_A_PLACE.fullmatch(words))


def may_describe_unasked(text: str) -> bool:
    """Can it be what is wrong, where nobody asked? Not where it asks, greets, thanks or wishes."""
    if len(text) > LONGEST_ANSWER:
        return False
    words = _GREETS.sub("", f"{words_in(text)} ").strip()
    is_amiss = bool(amiss_in(words))
    if len(words.split()) < (2 if is_amiss else FEWEST_WORDS) or not any(map(str.isalpha, words)):
        return False
    asks = text.rstrip().endswith("?") or _IS_NO_DEFECT.search(words)
    asks = asks or _WANTS_TO_REPORT.fullmatch(words)
    thanks = _THANKS.search(words) and not is_amiss
    return not (asks or thanks or _SAYS_NO.search(text))


class OrderField(OrderNumberField):
    """An order that the contact may know of, picked or typed.

    From somebody who may know of none it is kept as text, and tells nothing of what exists.
    """

    def __init__(self, contact: Contact, **options: Any) -> None:
        self.contact = contact
        self.visible = Order.objects.visible_to(contact)
        self.knows_some = contact.is_worker or contact.customers.exists()
        orders = [] if contact.is_worker else list(Order.objects.begun_of(contact)[:8])
        super().__init__(orders=orders, **options)

    def clean(self, value: Any) -> Order | str:
        number = super().clean(value)
        if not number or not self.knows_some:
            return number
        orders = self.visible.meant_or_called(self.contact, number)
        if len(orders) > 1:
            self.choices = order_choices(orders)
            raise forms.ValidationError(str(which_of(orders, number)))
        if not orders:
            raise forms.ValidationError(str(texts.WRONG_ORDER))
        return orders[0]

    def as_it_stays(self, order: Order | str) -> str:
        return str(order)


def field_for(question: Question, contact: Contact, *, describes: bool) -> forms.Field:
    """The form field that asks `question` of `contact`; describes: in words, what is wrong.

    It is made once for this question and language: forms do not change it.
    """
    if question.kind == Question.Kind.ORDER:
        return _new_field(question, contact, describes=describes)
    made = vars(question).setdefault("_fields", {})
    wanted = describes, get_language()
    if wanted not in made:
        made[wanted] = _new_field(question, contact, describes=describes)
    return made[wanted]


def _new_field(question: Question, contact: Contact, *, describes: bool) -> forms.Field:
    options = {
        "label": question.text,
        "help_text": question.help_text,
        "required": question.required,
    }
    tells = describes and question.required
    field = Describing(**options) if tells else _field(question, contact, options)
    if question.example:
        field.example = question.example
    return field


def _field(question: Question, contact: Contact, options: dict[str, Any]) -> forms.Field:
    match question.kind:
        case Question.Kind.NUMBER:
            return NumberField(example=question.example, **options)
        case Question.Kind.CHOICE:
            return ChoiceField(choices=[(key, key) for key in question.choice_keys()], **options)
        case Question.Kind.YES_NO:
            return YesNoField(**options)
        case Question.Kind.DATE:
            return DateField(**options)
        case Question.Kind.PHOTO:
            return PictureField(**options)
        case Question.Kind.ORDER:
            return OrderField(contact, **options)
    return LongText(**options)


def answer_in_words(field: forms.Field, value: Any) -> str:
    """A cleaned answer as it is stored with the report and shown to staff."""
    if value is None or value == "":
        return ""
    if isinstance(field, forms.ChoiceField):
        return str(dict(field.choices).get(value, value))
    if isinstance(field, PictureField):
        return "📎"
    if isinstance(value, Decimal):
        return f"{value + 0:f}"  # and not 1E+5 or -0
    return in_full(value) if isinstance(value, date) else str(value)
