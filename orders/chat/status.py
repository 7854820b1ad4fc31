"""Where is my order?"""

from collections.abc import Iterator
from datetime import datetime
from functools import cached_property

from django import forms
from django.utils import timezone
from django.utils.formats import date_format

from orders import texts
from orders.chat.asking import asks_about_an_order, number_in, speaks_of_orders
from orders.models import Order, WrongLookup
from orders.models.progress import Need, Step
from orders.questions import OrderNumberField, order_choices
from whatsapp_bot.dialog import Answers, words_in
from whatsapp_bot.flows import MORE, Astray, Flow, Open, Outcome, Say, page_number, register
from whatsapp_bot.models import Contact, Message
from whatsapp_bot.models.menu import opened_for
from whatsapp_bot.numbered import number_of_ours
from whatsapp_bot.questions import ChoiceField, Form
from whatsapp_bot.shipped import ship_item
from whatsapp_bot.texts import NO_MORE
from whatsapp_bot.whatsapp_text import preview
from whatsapp_bot.wording import in_full

ship_item("main", 10, "Check order status", "orders.status")

ORDERS_A_PAGE = 8
LONGEST_NUMBER = 60
LINES_SHOWN = 8
LINKING = "orders.link"


@register("orders.status")
class OrderStatus(Flow):
    """Asks for an order and tells how it stands. The argument is the page of open orders."""

    title = "Check order status"

    @cached_property
    def wait_until(self) -> datetime | None:
        return WrongLookup.wait_until(self.contact)

    @property
    def page(self) -> int:
        return page_number(self.argument)

    @cached_property
    def orders(self) -> list[Order]:
        """The open orders to choose from, from this page on: one more than it shows at the most."""
        if self.contact.is_worker:
            return []
        first = (self.page - 1) * ORDERS_A_PAGE
        return list(Order.objects.open_of(self.contact)[first : first + ORDERS_A_PAGE + 1])

    @property
    def more(self) -> str:
        further = len(self.orders) > ORDERS_A_PAGE
        return f"{self.name}:{self.page + 1}" if further else ""

    def build_form(self, answers: Answers) -> forms.Form:
        number = self._number_field(self.orders[:ORDERS_A_PAGE])
        return Form(answers, {"number": number} if number else {})

    def _number_field(self, shown: list[Order]) -> forms.Field | None:
        """Where to choose one of the orders or to send a number; None for nothing to ask."""
        if not self.wait_until:
            question = texts.CHOOSE() if shown else texts.NUMBER()
            field = OrderNumberField(label=question, orders=shown)
            if not shown and self._could_be_linked():
                field.choices = [(LINKING, texts.LINK_ME)]
            return field
        if shown:
            question = texts.CHOOSE_ONLY(time=self._waits_until())
            return ChoiceField(label=question, choices=order_choices(shown))
        return None

    def done(self, form: forms.Form) -> Outcome:
        number = form.cleaned_data.get("number")
        if not number:
            return Say(texts.WAIT(time=self._waits_until()))
        if number == LINKING:
            return Open(LINKING)
        visible = Order.objects.visible_to(self.contact)
        order = visible.named_in(number).with_progress().first()
        if order:
            return Say(in_words(order), trail=self._way_back())
        if self.page > 1 and words_in(number) == MORE:
            return Open(f"{self.name}:{self.page}", NO_MORE())
        if _may_be_a_number(number) and not self._is_out_of_place(number):
            WrongLookup.objects.create(contact=self.contact, number=number[:LONGEST_NUMBER])
            del self.wait_until
        if self.wait_until:
            return Say(texts.WAIT(time=self._waits_until()))
        followed = Open if _names_one(number) else Astray
        return followed(f"{self.name}:{self.page}", texts.NOT_FOUND())

    def _way_back(self) -> list[str]:
        """To the list, where there was one."""
        return [*self.place.trail, self.place.flow] if self.orders else []

    def _is_out_of_place(self, said: str) -> bool:
        """Is it meant for the list, which has no such place? That is no try to find one out."""
        return bool(self.orders) and len(said) <= 3 and not any(map(str.isalpha, said))

    def _could_be_linked(self) -> bool:
        return not (self.contact.is_worker or self.contact.customer_links.exists())

    def _waits_until(self) -> str:
        return time_of(self.wait_until)


@register("orders.tell")
class TellOrder(Flow):
    """How one order stands, for somebody who asks out of the blue. The argument is its id.

    Without one, it is a question for an order that they may not know of.
    """

    @classmethod
    def claims(cls, contact: Contact, message: Message) -> str | None:
        if message.has_attachment or number_of_ours(message.body):
            return None
        if asks_about_an_order(message.body):
            return cls._claims_question(contact, message.body)
        if len(message.body) > LONGEST_NUMBER or not _may_be_a_number(message.body):
            return None
        order = Order.objects.visible_to(contact).numbered(message.body.rstrip(".?!")).first()
        return f"{cls.name}:{order.pk}" if order else None

    @classmethod
    def _claims_question(cls, contact: Contact, asked: str) -> str | None:
        """The order that is named; else the way that the menu has, also to a wrong number."""
        number = number_in(asked)
        if _may_be_a_number(asked):
            order = Order.objects.visible_to(contact).named_in(number or asked).first()
            if order:
                return f"{cls.name}:{order.pk}"
        if OrderStatus.name not in opened_for(contact):
            return None
        if number:
            return cls.name
        return OrderStatus.name if speaks_of_orders(asked) else None

    def done(self, form: forms.Form) -> Outcome:
        if not self.argument:
            return Open(OrderStatus.name, answers={"number": number_in(self.message.body)})
        visible = Order.objects.visible_to(self.contact).with_progress()
        order = visible.filter(pk=self.argument).first()
        return Say(in_words(order)) if order else Open(OrderStatus.name, texts.NOT_FOUND())


def _may_be_a_number(said: str) -> bool:
    """Words alone are no try to find somebody's order out, nor is the number of a report."""
    return any(character.isdecimal() for character in said) and not number_of_ours(said)


def _names_one(said: str) -> bool:
    """Is it meant for an order's number? A sentence with a number in it may be about another."""
    return _may_be_a_number(said) and bool(number_in(said) or speaks_of_orders(said))


def in_words(order: Order) -> str:
    """How an order stands, as the bot tells it."""
    return "\n".join([_status(order), *_outlook(order)])


def _status(order: Order) -> str:
    about = {
        "number": order.number,
        "quantity": order.quantity,
        "made": order.made(),
        "due": in_full(order.due_date) if order.due_date else texts.NO_DUE_DATE(),
        "status": texts.ORDER_STATUS[Order.Status(order.status)](),
    }
    if not order.lines.all():
        return texts.STATUS(product=order.product, **about)
    needs = order.needs()
    lines = [_line(need, order) for need in needs[:LINES_SHOWN]]
    if len(needs) > LINES_SHOWN:
        lines.append(texts.MORE_LINES(count=len(needs) - LINES_SHOWN))
    return texts.STATUS_OF_LINES(lines="\n".join(lines), **about)


def _line(need: Need, order: Order) -> str:
    made = need.quantity if order.is_made else need.made
    return texts.LINE(product=preview(need.product, 40), made=made, quantity=need.quantity)


def _outlook(order: Order) -> Iterator[str]:
    """What comes next, when it will be made, and the notes."""
    step, promised = order.next_step(), order.promised()
    if step:
        yield texts.NEXT_STEP(step=_step(step))
    if promised and not order.is_made:
        yield texts.PROMISED(date=in_full(promised))
    if order.notes:
        yield texts.NOTES(notes=preview(order.notes, 500))


def _step(step: Step) -> str:
    return texts.NEXT[step.what](date=in_full(step.on) if step.on else "")


def time_of(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "H:i")
