"""An unknown person links themselves to a customer, by what only its people know."""

from functools import cached_property
from typing import Any

from django import forms

from orders import texts
from orders.chat.status import LINKING, in_words, time_of
from orders.models import CustomerLink, LinkingHour, Order, WrongLookup
from orders.models.keys import LONGEST_KEY
from whatsapp_bot.dialog import Answers
from whatsapp_bot.flows import Flow, Open, Outcome, Say, register
from whatsapp_bot.questions import Form, LongText


class OrderNumberText(LongText):
    """What may be the number of an order. Words alone are no try to find one out."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=LONGEST_KEY, **options)
        self.example = "ORD-1001"

    def clean(self, value: Any) -> str:
        number = super().clean(value)
        if not any(map(str.isdecimal, number)):
            raise forms.ValidationError(str(texts.LINK_NO_NUMBER))
        return number


@register(LINKING)
class LinkOneself(Flow):
    """Asks for an order number and the customer's reference, and links who knows both.

    Whatever is wrong has the same answer, after the same statements.
    """

    title = "Link me to my company"
    leaves_files_to_team = True

    @cached_property
    def refusal(self) -> str:
        """Why there is nothing to ask; "" when there is."""
        if self.contact.is_worker:
            return texts.LINK_NOT_NEEDED()
        if self.contact.customer_links.exists():
            return texts.LINKED_ALREADY()
        return self._wait()

    def _wait(self) -> str:
        until = WrongLookup.wait_until(self.contact)
        return texts.WAIT(time=time_of(until)) if until else ""

    def build_form(self, answers: Answers) -> forms.Form:
        if self.refusal:
            return Form(answers)
        return Form(
            answers,
            {
                "number": OrderNumberText(label=texts.LINK_NUMBER()),
                "reference": LongText(label=texts.LINK_REFERENCE(), max_length=LONGEST_KEY),
            },
        )

    def done(self, form: forms.Form) -> Outcome:
        if self.refusal:
            return Say(self.refusal)
        full_until = LinkingHour.count()
        if full_until:
            return Say(texts.WAIT(time=time_of(full_until)))
        number, reference = form.cleaned_data["number"], form.cleaned_data["reference"]
        link = CustomerLink.objects.by_knowledge(self.contact, number, reference)
        if link:
            order = Order.objects.with_progress().get(pk=link.order_id)
            return Say(f"{texts.LINKED(customer=link.customer.name)}\n\n{in_words(order)}")
        WrongLookup.objects.create(contact=self.contact, number=number)
        wait = self._wait()
        return Say(wait) if wait else Open(self.name, texts.LINK_WRONG())
