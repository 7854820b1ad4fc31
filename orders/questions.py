"""Asking for an order."""

from collections.abc import Sequence
from typing import Any

from django import forms

from orders.models import Order
from orders.models.keys import end_in, ends_in
from orders.texts import WHICH, WHICH_OF_REFERENCE
from whatsapp_bot.dialog import Expects
from whatsapp_bot.texts import ANSWER_NEEDED
from whatsapp_bot.whatsapp_text import preview
from whatsapp_bot.wording import Text


class OrderNumberField(forms.CharField):
    """An order number: picked from `orders`, or typed."""

    expects = Expects.SUGGESTION
    example = "ORD-1001"

    def __init__(self, *, orders: list[Order], **options: Any) -> None:
        super().__init__(error_messages={"required": ANSWER_NEEDED}, **options)
        self.choices = order_choices(orders)


def which_of(orders: Sequence[Order], said: str) -> Text:
    """What is asked when several orders are meant: their numbers end so, or their customer's do."""
    return WHICH if common_end(orders, said) else WHICH_OF_REFERENCE


def common_end(orders: Sequence[Order], said: str) -> str:
    """The end that was said of the orders' numbers; "" where it is not theirs."""
    end = end_in(said)
    return end if end and ends_in(orders[0].number, end) else ""


def order_choices(orders: list[Order]) -> list[tuple[str, str]]:
    return [(order.number, f"{order.number} {preview(order.product, 40)}") for order in orders]
