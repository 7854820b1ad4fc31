"""Where is my order?"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cached_property
from itertools import chain
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.formats import date_format

from orders import texts
from orders.chat.asking import (
    asks_about_an_order,
    may_ask_about_an_order,
    names_an_order,
    number_in,
    numbers_in,
    numbers_meant,
    speaks_of_orders,
    wants_a_change,
)
from orders.models import Order, WrongLookup
from orders.models.keys import LONGEST_KEY, keys_in, order_key, parts_of
from orders.models.order import OrderQuerySet
from orders.models.progress import Need, Step
from orders.questions import OrderNumberField, common_end, order_choices, which_of
from whatsapp_bot.dialog import Answers, words_in
from whatsapp_bot.flows import MORE, Astray, Flow, Gone, Open, Outcome, Say, page_number, register
from whatsapp_bot.models import Contact, Message
from whatsapp_bot.models.menu import opened_for
from whatsapp_bot.numbered import number_of_ours
from whatsapp_bot.questions import FEWEST_WORDS, ChoiceField, Form, MenuField
from whatsapp_bot.shipped import ship_item
from whatsapp_bot.texts import NO_MORE
from whatsapp_bot.whatsapp_text import paragraphs, preview
from whatsapp_bot.wording import in_full

ship_item("main", 10, "Check order status", "orders.status")

ORDERS_A_PAGE = 8
LINES_SHOWN = 8
MOST_AT_ONCE = 10
LINKING = "orders.link"


@register("orders.status")
class OrderStatus(Flow):
    """Asks for an order and tells how it stands. The argument is the page of open orders."""

    title = "Check order status"
    leaves_files_to_team = True

    @cached_property
    def wait_until(self) -> datetime | None:
        return WrongLookup.wait_until(self.contact)

    @classmethod
    def offers(cls, contact: Contact, message: Message) -> str | None:
        if contact.is_worker or message.has_attachment:
            return None
        asks = may_ask_about_an_order(message.body) and cls.name in opened_for(contact)
        return cls.name if asks else None

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
        if wants_a_change(number):
            return Astray(f"{self.name}:{self.page}", texts.NOT_FOUND())
        visible = Order.objects.visible_to(self.contact)
        orders = _meant(self.contact, visible.with_progress(), number)
        if len(orders) > 1:
            return Open(WhichOrder.address_for(orders, number))
        if orders:
            return Say(in_words(orders[0]), trail=self._way_back())
        several = TellOrders.address_for(self.contact, number)
        if several:
            return Open(several)
        if self.page > 1 and words_in(number) == MORE:
            return Open(f"{self.name}:{self.page}", NO_MORE())
        if _may_be_a_number(number) and not self._is_out_of_place(number):
            WrongLookup.objects.create(contact=self.contact, number=number[:LONGEST_KEY])
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
        if message.body.casefold().startswith("for "):
            return None  # It tells what something else is for.
        if asks_about_an_order(message.body):
            return cls._claims_question(contact, message.body)
        if len(message.body) > LONGEST_KEY or not _may_be_a_number(message.body):
            return None
        visible, said = Order.objects.visible_to(contact), message.body.rstrip(".?!")
        orders = visible.meant_by(said) if names_an_order(said) else visible.numbered(said)[:1]
        if not orders and len(parts_of(said)) < FEWEST_WORDS:
            orders = visible.called_by(contact, [order_key(said)])
        if not orders and names_an_order(said):
            return TellOrders.address_for(contact, said)
        return cls._address_of(orders, said)

    @classmethod
    def _claims_question(cls, contact: Contact, asked: str) -> str | None:
        """The order that is named; else the way that the menu has, also to a wrong number."""
        number = number_in(asked)
        if _may_be_a_number(asked):
            said = number or asked
            orders = _meant(contact, Order.objects.visible_to(contact), said)
            if orders:
                return cls._address_of(orders, said)
            several = TellOrders.address_for(contact, asked)
            if several:
                return several
        if OrderStatus.name not in opened_for(contact):
            return None
        if number:
            return cls.name
        return OrderStatus.name if speaks_of_orders(asked) else None

    @classmethod
    def _address_of(cls, orders: Sequence[Order], said: str) -> str | None:
        if len(orders) > 1:
            return WhichOrder.address_for(orders, said)
        return f"{cls.name}:{orders[0].pk}" if orders else None

    def done(self, form: forms.Form) -> Outcome:
        if not self.argument:
            return Open(OrderStatus.name, answers={"number": number_in(self.message.body)})
        visible = Order.objects.visible_to(self.contact).with_progress()
        order = visible.filter(pk=self.argument).first()
        return Say(in_words(order)) if order else Open(OrderStatus.name, texts.NOT_FOUND())


@register("orders.several")
class TellOrders(Flow):
    """How those orders stand that a message names: `ORD-1001 and 1004?`.

    The argument is their ids, and after a stroke the numbers that are not found.
    """

    @classmethod
    def address_for(cls, contact: Contact, said: str) -> str | None:
        """None where it does not name several, or the contact may know of none.

        A year or an amount beside what is found is no order that is missing.
        """
        numbers = _several(said)
        found = _each_meant(contact, Order.objects.visible_to(contact), numbers)
        ids = dict.fromkeys(str(order.pk) for order in chain(*found.values()))
        missing = [one.split()[-1] for one in found if numbers_in(one) and not found[one]]
        told = ", ".join(missing) if names_an_order(said) else ""
        return f"{cls.name}:{','.join(ids)}/{told}" if ids else None

    def done(self, form: forms.Form) -> Outcome:
        ids, _, missing = self.argument.partition("/")
        visible = Order.objects.visible_to(self.contact).with_progress()
        orders = {str(order.pk): order for order in visible.filter(pk__in=ids.split(","))}
        return Say(
            paragraphs(
                *(in_words(orders[one]) for one in ids.split(",") if one in orders),
                texts.NOT_FOUND_AMONG(numbers=missing) if missing else "",
            )
        )


def _several(said: str) -> list[str]:
    """The numbers of several orders that it names; none, where it names one, or too many."""
    numbers = numbers_meant(said)
    return numbers if 1 < len(numbers) <= MOST_AT_ONCE else []


@register("orders.which")
class WhichOrder(Flow):
    """Asks which order is meant of several. The argument is the end that their numbers have, or
    the customer's own number for them.
    """

    is_menu = True

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        visible = Order.objects.visible_to(self.contact)
        called = visible.called_by(self.contact, [self.argument])
        self.orders = visible.ending_in(self.argument) or list(called)
        if not self.orders:
            raise Gone(self.argument)

    @classmethod
    def address_for(cls, orders: Sequence[Order], said: str) -> str:
        named = common_end(orders, said) or order_key(orders[0].customer_reference)
        return f"{cls.name}:{named}"

    def build_form(self, answers: Answers) -> forms.Form:
        question, choices = which_of(self.orders, self.argument), order_choices(self.orders)
        return Form(answers, {"number": MenuField(label=question(), choices=choices)})

    def done(self, form: forms.Form) -> Outcome:
        number = form.cleaned_data["number"]
        order = next(order for order in self.orders if order.number == number)
        return Open(f"{TellOrder.name}:{order.pk}")


def _meant(contact: Contact, orders: OrderQuerySet, said: str) -> Sequence[Order]:
    """Those that are named. Among other words, digits alone may be about something else."""
    if names_an_order(said):
        return orders.meant_or_called(contact, said)
    return orders.named_in(said)[:1] or orders.called_by(contact, keys_in(said))


def _each_meant(
    contact: Contact, orders: OrderQuerySet, numbers: list[str]
) -> dict[str, Sequence[Order]]:
    """As _meant, for several numbers with one look at those that are said whole."""
    keys = {number: keys_in(number) for number in numbers}
    every = [*chain(*keys.values())]
    named = {order.key: order for order in orders.filter(key__in=every)}
    found: dict[str, Sequence[Order]] = {}
    for number in numbers:
        whole = sorted(named.keys() & keys[number], key=len)[-1:]
        ends = [] if whole or not names_an_order(number) else orders.ending_in(number)
        found[number] = [named[key] for key in whole] or ends
    if not all(found.values()):
        called = orders.called_by(contact, every)
        for number in numbers:
            alike = [one for one in called if order_key(one.customer_reference) in keys[number]]
            found[number] = found[number] or alike
    return found


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
