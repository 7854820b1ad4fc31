"""Where is my order, and what is made when: for customers and workers."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import groupby
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.formats import date_format

from orders import texts
from orders.models import Order, ProductionRun, WrongLookup
from whatsapp_bot.dialog import Answers, Expects
from whatsapp_bot.flows import Flow, Open, Outcome, Say, page_number, register
from whatsapp_bot.shipped import ship_item
from whatsapp_bot.texts import ANSWER_NEEDED, NOT_AN_OPTION
from whatsapp_bot.whatsapp_text import length, preview

ship_item("main", 10, "Check order status", "orders.status")
ship_item("main", 30, "View production schedule", "orders.schedule")

ORDERS_A_PAGE = 8
SCHEDULE_DAYS = 7
SCHEDULE_LENGTH = 1300


class OrderNumberField(forms.CharField):
    """An order number: picked from `orders`, or typed."""

    expects = Expects.SUGGESTION
    example = "ORD-1001"

    def __init__(self, *, orders: list[Order], **options: Any) -> None:
        super().__init__(
            error_messages={"required": ANSWER_NEEDED, "max_length": texts.NOT_FOUND},
            max_length=60,
            **options,
        )
        self.choices = order_choices(orders)


def order_choices(orders: list[Order]) -> list[tuple[str, str]]:
    return [(order.number, f"{order.number} {preview(order.product, 40)}") for order in orders]


@register("orders.status")
class OrderStatus(Flow):
    """Asks for an order and tells how it stands. The argument is the page of open orders."""

    title = "Check order status"

    @cached_property
    def wait_until(self) -> datetime | None:
        return WrongLookup.wait_until(self.contact)

    @cached_property
    def orders(self) -> list[Order]:
        """The open orders to choose from, of this page; `more` leads to the next."""
        if self.contact.is_worker:
            return []
        page = page_number(self.argument)
        first = (page - 1) * ORDERS_A_PAGE
        orders = Order.objects.visible_to(self.contact).open().distinct()
        found = list(orders[first : first + ORDERS_A_PAGE + 1])
        if len(found) > ORDERS_A_PAGE:
            self.more = f"{self.name}:{page + 1}"
        return found[:ORDERS_A_PAGE]

    def build_form(self, answers: Answers) -> forms.Form:
        form = forms.Form(answers)
        if not self.wait_until:
            question = texts.CHOOSE() if self.orders else texts.NUMBER()
            form.fields["number"] = OrderNumberField(label=question, orders=self.orders)
        elif self.orders:
            form.fields["number"] = forms.ChoiceField(
                label=texts.CHOOSE_ONLY(),
                choices=order_choices(self.orders),
                error_messages={"required": ANSWER_NEEDED, "invalid_choice": NOT_AN_OPTION},
            )
        return form

    def done(self, form: forms.Form) -> Outcome:
        number = form.cleaned_data.get("number")
        if not number:
            return Say(self._wait())
        order = Order.objects.visible_to(self.contact).numbered(number).first()
        if order:
            return Say(in_words(order))
        WrongLookup.objects.create(contact=self.contact, number=number)
        del self.wait_until
        return Say(self._wait()) if self.wait_until else Open(self.name, texts.NOT_FOUND())

    def _wait(self) -> str:
        return texts.WAIT(time=date_format(timezone.localtime(self.wait_until), "H:i"))


def in_words(order: Order) -> str:
    """How an order stands, as the bot tells it."""
    due = date_format(order.due_date, "j F Y") if order.due_date else texts.NO_DUE_DATE()
    status = texts.STATUS(
        number=order.number,
        product=order.product,
        quantity=order.quantity,
        made=order.made(),
        due=due,
        status=texts.ORDER_STATUS[Order.Status(order.status)](),
    )
    return f"{status}\n{texts.NOTES(notes=order.notes)}" if order.notes else status


@register("orders.schedule")
class Schedule(Flow):
    """What is made in the next days. The argument is the page."""

    title = "View production schedule"

    def done(self, form: forms.Form) -> Outcome:
        if not self.contact.is_worker and not self.contact.customers.exists():
            return Say(texts.SCHEDULE_NOT_FOR_YOU())
        today = timezone.localdate()
        runs = ProductionRun.objects.visible_to(self.contact)
        runs = runs.between(today, today + timedelta(days=SCHEDULE_DAYS - 1))
        page = page_number(self.argument)
        pages = list(schedule_pages(runs.select_related("line").distinct(), today))
        if not pages:
            return Say(texts.SCHEDULE_EMPTY())
        more = f"{self.name}:{page + 1}" if page < len(pages) else ""
        return Say(f"{texts.SCHEDULE()}\n\n{pages[min(page, len(pages)) - 1]}", more)


def schedule_pages(runs: Any, today: date) -> Iterator[str]:
    """The runs by day, as texts that fit a message each; a day goes on under its heading again."""
    page: list[str] = []
    room = SCHEDULE_LENGTH
    for day, its_runs in groupby(runs, lambda run: max(timezone.localdate(run.begins), today)):
        heading = f"*{date_format(day, 'l j F')}*"
        headed = False
        for line in map(_run_in_words, its_runs):
            room -= length(line) + length(heading) + 3
            if room < 0 and page:
                yield "\n".join(page)
                page, room, headed = [], SCHEDULE_LENGTH, False
            if not headed:
                page += ["", heading] if page else [heading]
                headed = True
            page.append(line)
    if page:
        yield "\n".join(page)


def _run_in_words(run: ProductionRun) -> str:
    return texts.SCHEDULE_RUN(
        begins=date_format(timezone.localtime(run.begins), "H:i"),
        ends=date_format(timezone.localtime(run.ends), "H:i"),
        line=run.line.name,
        quantity=run.quantity,
        product=preview(run.product, 60),
        status=texts.RUN_STATUS[ProductionRun.Status(run.status)](),
    )
