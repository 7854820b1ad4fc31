"""A factory of three people, and what holds there whatever is said, by whom and when."""

from datetime import timedelta
from itertools import count
from re import findall
from typing import Any, NamedTuple

import time_machine
from django.contrib.auth.models import User
from django.core.cache import cache
from django.utils import timezone
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from defects.models import Attachment, DefectCategory, DefectReport
from defects.questions import answer_in_words
from orders.models import Customer, Order
from whatsapp_bot import flows, receiving, texts
from whatsapp_bot.addresses import MAIN_MENU
from whatsapp_bot.delivery import Status
from whatsapp_bot.inbound import Incoming, Sender
from whatsapp_bot.models import Contact, Conversation, HelpRequest, Message
from whatsapp_bot.models.contact import Role
from whatsapp_bot.models.message import MOST_REPLIES
from whatsapp_bot.place import Place
from whatsapp_bot.recent import forget_all
from whatsapp_bot.simulator import phone as simulator
from whatsapp_bot.simulator.phone import Phone, replies
from whatsapp_bot.tests.database import undone
from whatsapp_bot.whatsapp_text import MAX_LENGTH, clean, length

NAMES = ["anna", "ben", "carl"]
USER_IDS = {name: f"ZA.{name}1" for name in NAMES}
STEPS_BETWEEN = 5
"""Somebody tries to go home after so many steps: after each it would take too long."""
Parameters = dict[str, str]


class Heard(NamedTuple):
    """What somebody said, and what was answered."""

    parameters: Parameters
    answered: list[str]


class Always(RuleBasedStateMachine):
    """Three people who know nothing of each other: a worker, a customer, and somebody new."""

    def __init__(self) -> None:
        super().__init__()
        self.whole = undone()
        self.whole.__enter__()
        self.travel = time_machine.travel(timezone.now(), tick=False)
        self.clock = self.travel.start()
        forget_all()
        cache.clear()

    def teardown(self) -> None:
        try:
            for name in NAMES:
                self.goes_home(name)
                self.hear(self.message(name, "1"))
                self.what_is_said_may_be_read_by_whoever_reads_it()
        finally:
            self.travel.stop()
            self.whole.__exit__(None, None, None)
            forget_all()

    @initialize()
    def meet(self) -> None:
        self.heard: list[Heard] = []
        self.made_by: dict[str, str] = {}
        self.read_until = self.steps = 0
        self.staff = User.objects.create_user("reviewer")
        self.category = DefectCategory.objects.create(name="Made up")
        self.numbers = (f"+2782000{number:04}" for number in count())
        self.phones = {name: Phone(next(self.numbers), name.title()) for name in NAMES}
        for name in NAMES:
            customer = Customer.objects.create(name=f"Works of {name}", reference=f"REF-{name}")
            Order.objects.create(
                number=f"ORD-{name.upper()}-1",
                customer=customer,
                product=f"Secret of {name}",
                quantity=5,
            )
        self._make_known("anna", role=Role.WORKER)
        customer = Customer.objects.get(reference="REF-ben")
        customer.links.create(contact=self._make_known("ben"))

    def _make_known(self, name: str, **values: Any) -> Contact:
        """With a report of their own."""
        phone = self.phones[name].address
        contact = Contact.objects.create(phone=phone, user_id=USER_IDS[name], **values)
        report = DefectReport.objects.file(reported_by=contact, description=f"A dent, says {name}")
        self.made_by[report.number] = name
        return contact

    # How messages come ---------------------------------------------------------------------------

    def message(self, name: str, text: str = "", **more: str) -> Parameters:
        return self.phones[name].parameters(text, ExternalUserId=USER_IDS[name], **more)

    def hear(self, parameters: Parameters) -> None:
        """The webhook brings it."""
        answered = self.bring(parameters)
        self.heard.append(Heard(parameters, answered))
        assert len(answered) <= MOST_REPLIES
        assert answered or self._may_be_silent(parameters), "nobody is left without an answer"
        self._look_at_what_was_filed(parameters)

    def bring(self, parameters: Parameters) -> list[str]:
        """Nobody writes faster than once a second: then not everything would be answered."""
        self.clock.shift(timedelta(seconds=1))
        return replies(simulator.post(parameters))

    def fetch(self, parameters: Parameters, minutes: int) -> None:
        """No webhook brought it: it is fetched later, and whoever brings it now hears nothing."""
        late = fetched(parameters, minutes)
        answer = receiving.receive(late) if minutes < 60 else receiving.keep(late)
        assert answer.outcome != "trouble"
        self.heard.append(Heard(parameters, []))
        self._look_at_what_was_filed(parameters)

    def _may_be_silent(self, parameters: Parameters) -> bool:
        """Of an album some pictures are not answered, nor is who is blocked."""
        said = Message.objects.get(sid=parameters["MessageSid"])
        is_picture = said.kind == "image" and not said.body
        return is_picture or said.contact.blocked_at is not None

    # What always holds ---------------------------------------------------------------------------

    @invariant()
    def everything_is_stored_once(self) -> None:
        stored = Message.objects.filter(direction="in").values_list("sid", flat=True)
        assert sorted(stored) == sorted(one.parameters["MessageSid"] for one in self.heard)

    @invariant()
    def what_is_said_may_be_read_by_whoever_reads_it(self) -> None:
        """Every answer, at once or late, and all that staff write, has a length and is their own."""
        said = Message.objects.filter(direction="out", pk__gt=self.read_until).order_by("pk")
        for message in said.select_related("contact"):
            self.read_until = message.pk
            assert message.body.strip()
            assert length(message.body) <= MAX_LENGTH
            assert texts.TROUBLE() not in message.body
            self._is_wanted(message)
            self._tells_nothing_of_others(self.who(message.contact), message.body)

    @invariant()
    def nobody_is_stuck(self) -> None:
        self.steps += 1
        if self.steps % STEPS_BETWEEN == 0:
            with undone():
                self.goes_home(NAMES[self.steps // STEPS_BETWEEN % len(NAMES)])

    def goes_home(self, name: str) -> None:
        """A word leads to the main menu from anywhere, though another one may come before it."""
        Contact.objects.update(blocked_at=None)
        self.bring(self.message(name, "cancel"))
        answered = self.bring(home := self.message(name, "menu"))
        stands = Message.objects.get(sid=home["MessageSid"]).contact.conversation
        assert stands.flow == MAIN_MENU
        assert all(label in answered[-1] for _, label in stands.state["asking"]["options"])

    def _is_wanted(self, message: Message) -> None:
        """Whoever is blocked gets nothing, and whoever has stopped us only what was asked for."""
        contact = message.contact
        if message.status != Status.FAILED:
            assert not contact.blocked_at
            assert not contact.opted_out_at or message.in_reply_to_id

    def _tells_nothing_of_others(self, name: str, text: str) -> None:
        """A worker may ask for any order; others hear of their own alone."""
        others = [one for one in NAMES if one != name]
        assert {self.made_by[number] for number in findall(r"DEF-[\d-]*\d", text)} <= {name}
        assert not any(f"says {one}" in text for one in others)
        if name != "anna":
            assert not any(f"Secret of {one}" in text for one in others)
        if name == "carl":
            assert "Secret of" not in text

    def _look_at_what_was_filed(self, parameters: Parameters) -> None:
        """One message makes one report at most, whose answers are what its form asks for now."""
        new = DefectReport.objects.exclude(number__in=self.made_by)
        for report in new:
            said = Message.objects.get(sid=parameters["MessageSid"])
            self.made_by[report.number] = self.who(said.contact)
            assert report.reported_by == said.contact
            answers_its_form(report, said)
        assert len(new) <= 1

    def who(self, contact: Contact) -> str:
        """By the user id that WhatsApp tells, or a number of which it has told none yet."""
        by_user_id = {user_id: name for name, user_id in USER_IDS.items()}
        by_number = {phone.address: name for name, phone in self.phones.items()}
        return by_user_id[contact.user_id] if contact.user_id else by_number[contact.phone]


def fetched(parameters: Parameters, minutes: int) -> Incoming:
    """The message as Twilio's list has it."""
    address = parameters["From"].removeprefix("whatsapp:")
    return Incoming(
        sid=parameters["MessageSid"],
        sender=Sender(**{"phone" if address.startswith("+") else "user_id": address}),
        text=clean(parameters["Body"], 1000),
        received_at=timezone.now() - timedelta(minutes=minutes),
    )


def everything() -> list[list[dict[str, Any]]]:
    """All that a message can change."""
    models = (Contact, Conversation, Message, HelpRequest, DefectReport, Attachment)
    return [list(model.objects.order_by("pk").values()) for model in models]


def answers_its_form(report: DefectReport, said: Message) -> None:
    """The form takes what is stored of its answers, and they would be stored the same again."""
    flow = flows.find(report.form.address, report.reported_by, said, Place())
    kinds = {question.name: question.kind for question in flow.questions}
    stored = {one["name"]: one["answer"] for one in report.answers}
    form = flow.build_form({name: as_said(stored[name], kinds[name], report) for name in stored})
    assert form.is_valid(), form.errors
    assert stored == {
        name: answer_in_words(field, form.cleaned_data[name]) for name, field in form.fields.items()
    }


def as_said(answer: str, kind: str, report: DefectReport) -> str:
    """What was said for what is stored: for a picture the id of its message, which is filed."""
    if answer and kind == "photo":
        return str(Message.objects.to_look_at().filter(attachment__report=report)[0].pk)
    return answer.lower() if kind == "yes_no" else answer
