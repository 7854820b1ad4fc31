"""Asking for an order."""

from typing import Any

from django import forms

from orders.models import Order
from whatsapp_bot.dialog import Expects
from whatsapp_bot.texts import ANSWER_NEEDED
from whatsapp_bot.whatsapp_text import preview


class OrderNumberField(forms.CharField):
    """An order number: picked from `orders`, or typed."""

    expects = Expects.SUGGESTION
    example = "ORD-1001"

    def __init__(self, *, orders: list[Order], **options: Any) -> None:
        super().__init__(error_messages={"required": ANSWER_NEEDED}, **options)
        self.choices = order_choices(orders)


def order_choices(orders: list[Order]) -> list[tuple[str, str]]:
    return [(order.number, f"{order.number} {preview(order.product, 40)}") for order in orders]
