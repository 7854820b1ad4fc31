"""Where is my order, and what is made when: for customers and workers."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from functools import cached_property

from django import forms
from django.utils import timezone
from django.utils.formats import date_format

from orders import texts
from orders.models import Order, ProductionRun, WrongLookup, order_key
from orders.questions import OrderNumberField, order_choices
from whatsapp_bot.dialog import Answers
from whatsapp_bot.flows import Flow, Open, Outcome, Say, page_number, register
from whatsapp_bot.models import Contact, Message
from whatsapp_bot.questions import ChoiceField
from whatsapp_bot.shipped import ship_item
from whatsapp_bot.whatsapp_text import length, preview

ship_item("main", 10, "Check order status", "orders.status")
ship_item("main", 30, "View production schedule", "orders.schedule")

ORDERS_A_PAGE = 8
LONGEST_NUMBER = 60
SCHEDULE_DAYS = 7
SCHEDULE_LENGTH = 1300


@register("orders.status")
class OrderStatus(Flow):
    """Asks for an order and tells how it stands. The argument is the page of open orders."""

    title = "Check order status"

    @cached_property
    def wait_until(self) -> datetime | None:
        return WrongLookup.wait_until(self.contact)

    @cached_property
    def orders(self) -> list[Order]:
        """The open orders to choose from, from this page on: one more than it shows at the most."""
        if self.contact.is_worker:
            return []
        first = (page_number(self.argument) - 1) * ORDERS_A_PAGE
        orders = Order.objects.visible_to(self.contact).open().distinct()
        return list(orders[first : first + ORDERS_A_PAGE + 1])

    @property
    def more(self) -> str:
        further = len(self.orders) > ORDERS_A_PAGE
        return f"{self.name}:{page_number(self.argument) + 1}" if further else ""

    def build_form(self, answers: Answers) -> forms.Form:
        form = forms.Form(answers)
        shown = self.orders[:ORDERS_A_PAGE]
        if not self.wait_until:
            question = texts.CHOOSE() if shown else texts.NUMBER()
            form.fields["number"] = OrderNumberField(label=question, orders=shown)
        elif shown:
            form.fields["number"] = ChoiceField(
                label=texts.CHOOSE_ONLY(time=self._waits_until()), choices=order_choices(shown)
            )
        return form

    def done(self, form: forms.Form) -> Outcome:
        number = form.cleaned_data.get("number")
        if not number:
            return Say(texts.WAIT(time=self._waits_until()))
        order = Order.objects.visible_to(self.contact).numbered(number).first()
        if order:
            return Say(in_words(order))
        WrongLookup.objects.create(contact=self.contact, number=number[:LONGEST_NUMBER])
        del self.wait_until
        if self.wait_until:
            return Say(texts.WAIT(time=self._waits_until()))
        return Open(self.name, texts.NOT_FOUND())

    def _waits_until(self) -> str:
        return date_format(timezone.localtime(self.wait_until), "H:i")


@register("orders.tell")
class TellOrder(Flow):
    """How one order stands, for somebody who sends its number out of the blue."""

    @classmethod
    def claims(cls, contact: Contact, message: Message) -> str | None:
        if message.has_attachment or len(message.body) > LONGEST_NUMBER:
            return None
        key = order_key(message.body)
        if not any(character.isdecimal() for character in key):
            return None
        order = Order.objects.visible_to(contact).filter(key=key).first()
        return f"{cls.name}:{order.pk}" if order else None

    def done(self, form: forms.Form) -> Outcome:
        return Say(in_words(Order.objects.visible_to(self.contact).filter(pk=self.argument)[0]))


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
    return f"{status}\n{texts.NOTES(notes=preview(order.notes, 500))}" if order.notes else status


@register("orders.schedule")
class Schedule(Flow):
    """What is made in the next days. The argument is the page."""

    title = "View production schedule"

    def done(self, form: forms.Form) -> Outcome:
        if not self.contact.is_worker and not self.contact.customers.exists():
            return Say(texts.SCHEDULE_NOT_FOR_YOU())
        days = [timezone.localdate() + timedelta(days=ahead) for ahead in range(SCHEDULE_DAYS)]
        runs = ProductionRun.objects.visible_to(self.contact).between(days[0], days[-1])
        page = page_number(self.argument)
        pages = list(schedule_pages(runs.select_related("line").distinct(), days))
        if not pages:
            return Say(texts.SCHEDULE_EMPTY())
        more = f"{self.name}:{page + 1}" if page < len(pages) else ""
        return Say(f"{texts.SCHEDULE()}\n\n{pages[min(page, len(pages)) - 1]}", more)


def schedule_pages(runs: Iterable[ProductionRun], days: list[date]) -> Iterator[str]:
    """The runs by day, as texts that fit a message each; a day goes on under its heading again."""
    page: list[str] = []
    room = SCHEDULE_LENGTH
    runs = list(runs)
    for day in days:
        heading = f"*{date_format(day, 'l j F')}*"
        headed = False
        for line in (_in_words(run, day) for run in runs if run.is_listed(day, days[0])):
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


def _in_words(run: ProductionRun, day: date) -> str:
    return texts.SCHEDULE_RUN(
        begins=_time(run.begins, day),
        ends=_time(run.ends, day),
        line=run.line.name,
        quantity=run.quantity,
        product=preview(run.product, 60),
        status=texts.RUN_STATUS[ProductionRun.Status(run.status)](),
    )


def _time(moment: datetime, day: date) -> str:
    """The time, with its day when it is not the one that it stands under: `22:00`, `Tue 06:00`."""
    local = timezone.localtime(moment)
    return date_format(local, "H:i" if local.date() == day else "D H:i")
