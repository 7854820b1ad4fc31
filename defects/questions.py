"""What the kinds of question are as form fields: forgiving about how people write."""

import unicodedata
from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.formats import date_format

from defects import texts
from defects.models import Question
from orders.chat import OrderNumberField
from orders.models import Order
from whatsapp_bot.dialog import Expects
from whatsapp_bot.models import Contact
from whatsapp_bot.questions import LongText
from whatsapp_bot.texts import ANSWER_NEEDED, NOT_AN_OPTION

DAYS = {"today": 0, "yesterday": -1, "tomorrow": 1}
DATE_FORMATS = [
    "%Y-%m-%d",
    "%d/%m/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%d/%m/%y",
    "%d.%m.%y",
    "%d %B %Y",
    "%d %b %Y",
]


class NumberField(forms.DecimalField):
    """A number, with a point or a comma: `12`, `1,5`."""

    example = "12"

    def __init__(self, **options: Any) -> None:
        messages = {
            "required": ANSWER_NEEDED,
            **dict.fromkeys(("invalid", "max_digits", "max_decimal_places"), texts.WRONG_NUMBER),
            "max_whole_digits": texts.WRONG_NUMBER,
        }
        super().__init__(max_digits=15, decimal_places=4, error_messages=messages, **options)

    def to_python(self, value: Any) -> Any:
        plain = unicodedata.normalize("NFKC", value or "").replace(" ", "").replace(",", ".")
        return super().to_python(plain)


class DateField(forms.DateField):
    """A day: `24/11/2026`, `2026-11-24`, `24 November 2026`, or today, yesterday, tomorrow."""

    def __init__(self, **options: Any) -> None:
        messages = {"required": ANSWER_NEEDED, "invalid": texts.WRONG_DATE}
        super().__init__(input_formats=DATE_FORMATS, error_messages=messages, **options)
        self.example = f"{timezone.localdate():%d/%m/%Y}"

    def to_python(self, value: Any) -> date | None:
        plain = unicodedata.normalize("NFKC", value or "").strip().casefold()
        if plain in DAYS:
            return timezone.localdate() + timedelta(days=DAYS[plain])
        return super().to_python(plain)


class ChoiceField(forms.ChoiceField):
    def __init__(self, **options: Any) -> None:
        messages = {"required": ANSWER_NEEDED, "invalid_choice": NOT_AN_OPTION}
        super().__init__(error_messages=messages, **options)


class PhotoField(forms.IntegerField):
    """A picture: the id of the message that brought it."""

    expects = Expects.ATTACHMENT

    def __init__(self, **options: Any) -> None:
        messages = {"required": ANSWER_NEEDED, "invalid_choice": texts.WRONG_PHOTO}
        super().__init__(error_messages=messages, **options)


class OrderField(OrderNumberField):
    """An order that the contact may know of, picked or typed.

    From somebody who may know of none it is kept as text, and tells nothing of what exists.
    """

    def __init__(self, contact: Contact, **options: Any) -> None:
        self.visible = Order.objects.visible_to(contact)
        self.knows_some = contact.is_worker or contact.customers.exists()
        orders = [] if contact.is_worker else list(self.visible.open().distinct()[:8])
        super().__init__(orders=orders, **options)

    def clean(self, value: Any) -> Order | str:
        number = super().clean(value)
        if not number or not self.knows_some:
            return number
        order = self.visible.numbered(number).first()
        if not order:
            raise forms.ValidationError(str(texts.WRONG_ORDER))
        return order


def field_for(question: Question, contact: Contact) -> forms.Field:
    """The form field that asks `question` of `contact`."""
    options = {
        "label": question.text,
        "help_text": question.help_text,
        "required": question.required,
    }
    field = _field(question, contact, options)
    if question.example:
        field.example = question.example
    return field


def _field(question: Question, contact: Contact, options: dict[str, Any]) -> forms.Field:
    match question.kind:
        case Question.Kind.NUMBER:
            return NumberField(**options)
        case Question.Kind.CHOICE:
            return ChoiceField(choices=[(key, key) for key in question.choice_keys()], **options)
        case Question.Kind.YES_NO:
            return ChoiceField(choices=[("yes", texts.YES()), ("no", texts.NO())], **options)
        case Question.Kind.DATE:
            return DateField(**options)
        case Question.Kind.PHOTO:
            return PhotoField(**options)
        case Question.Kind.ORDER:
            return OrderField(contact, **options)
    return LongText(**options)


def answer_in_words(field: forms.Field, value: Any) -> str:
    """A cleaned answer as it is stored with the report and shown to staff."""
    if value is None or value == "":
        return ""
    if isinstance(field, forms.ChoiceField):
        return str(dict(field.choices).get(value, value))
    if isinstance(field, PhotoField):
        return "📎"
    return date_format(value, "j F Y") if isinstance(value, date) else str(value)
