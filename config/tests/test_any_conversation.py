"""Whatever people say, in whatever order, while staff change what is asked: nobody is ever stuck.

make test ARGS="-k any_conversation"                                    # a short one
CONVERSATIONS=2000 make test ARGS="-k any_conversation -n 0"            # the long run
"""

import os
import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from defects.models import DefectReport, ReportForm, Status
from defects.models.review import NotAllowed
from orders.models import Customer, Order
from whatsapp_bot import receiving, texts
from whatsapp_bot.addresses import MAIN, MAIN_MENU
from whatsapp_bot.inbound import Incoming, Sender
from whatsapp_bot.models import Contact, Conversation, Message
from whatsapp_bot.models.contact import Role
from whatsapp_bot.models.menu import Menu, MenuItem
from whatsapp_bot.recent import forget_all
from whatsapp_bot.simulator import phone as simulator
from whatsapp_bot.simulator.phone import Phone, quietly, replies
from whatsapp_bot.whatsapp_text import MAX_LENGTH, clean, length

SEQUENCES = int(os.environ.get("CONVERSATIONS", "20"))
STEPS = 50

pytestmark = pytest.mark.django_db

NAMES = ["anna", "ben", "carl"]
WORDS = ["hi", "menu", "back", "skip", "cancel", "more", "stop", "start", "thanks", "yes", "no"]
STRANGE = [
    "",
    " ",
    "0",
    "-1",
    "99999999999999999999",
    "\x00\x0b",
    "שלום \u202e",
    "{number}",
    "A" * 5000,
]
said_plainly = st.sampled_from([*WORDS, *map(str, range(1, 7)), "scratch on the panel", *STRANGE])
ASKED = [
    *("ORD-ANNA-1", "ord ben 1", "REF-ANNA", "Where is ORD-BEN-1?", "any news on ORD-ANNA-1"),
    *("When will my order be ready?", "20 of ORD-ANNA-1 are bent"),
]
said = said_plainly | st.text(max_size=40) | st.sampled_from(ASKED)
people = st.sampled_from(NAMES)


class AnyConversation(RuleBasedStateMachine):
    """Three people who know nothing of each other: a worker, a customer, and somebody new."""

    def __init__(self) -> None:
        super().__init__()
        self.undone = transaction.atomic()
        self.undone.__enter__()
        self.clock = time_machine.travel(timezone.now(), tick=False)
        self.moment = self.clock.start()
        forget_all()
        cache.clear()

    def teardown(self) -> None:
        try:
            for name in NAMES:
                self._goes_home(name)
        finally:
            self.clock.stop()
            transaction.set_rollback(True)
            self.undone.__exit__(None, None, None)
            forget_all()

    @initialize()
    def meet(self) -> None:
        self.staff = User.objects.create_user("reviewer")
        self.phones = {
            name: Phone(f"+2782000000{place}", name.title()) for place, name in enumerate(NAMES)
        }
        self.last: dict[str, tuple[dict[str, str], list[str]]] = {}
        self.sids: set[str] = set()
        self.reports = 0
        anna = Contact.objects.create(phone=self.phones["anna"].address, role=Role.WORKER)
        ben = Contact.objects.create(phone=self.phones["ben"].address)
        self.contacts = {"anna": anna, "ben": ben}
        for name in NAMES:
            customer = Customer.objects.create(name=f"Works of {name}", reference=f"REF-{name}")
            Order.objects.create(
                number=f"ORD-{name.upper()}-1",
                customer=customer,
                product=f"Secret of {name}",
                quantity=5,
            )
            if name == "ben":
                customer.links.create(contact=ben)

    # What people do ------------------------------------------------------------------------------

    @rule(name=people, text=said)
    def say(self, name: str, text: str) -> None:
        self._hear(name, self.phones[name].parameters(text))

    @rule(name=people, kind=st.sampled_from(["image", "audio", "document", "location", "contacts"]))
    def send(self, name: str, kind: str) -> None:
        file = {
            "image": {"MediaUrl0": "https://example.com/1", "MediaContentType0": "image/jpeg"},
            "audio": {"MediaUrl0": "https://example.com/2", "MediaContentType0": "audio/ogg"},
            "document": {"MediaUrl0": "https://example.com/3", "MediaContentType0": "text/plain"},
            "location": {"Latitude": "1.5", "Longitude": "2.5"},
            "contacts": {},
        }[kind]
        number = str(int("MediaUrl0" in file))
        self._hear(name, self.phones[name].parameters(MessageType=kind, NumMedia=number, **file))

    @rule(name=people, place=st.integers(0, 4))
    def tap(self, name: str, place: int) -> None:
        """A button of an earlier question, or of one that has gone since."""
        item = MenuItem.objects.order_by("pk")[place : place + 1].first()
        opens = item.opens if item else "nowhere"
        tapped = {"ButtonPayload": opens, "ButtonText": "Tap", "MessageType": "button"}
        self._hear(name, self.phones[name].parameters("Tap", **tapped))

    @rule(name=people, text=said_plainly)
    def quote(self, name: str, text: str) -> None:
        ours = Message.objects.filter(direction="out", sid__isnull=False).order_by("-pk").first()
        sid = ours.sid if ours else "SM" + "e" * 32
        self._hear(name, self.phones[name].parameters(text, OriginalRepliedMessageSid=sid))

    @rule(name=people, answers=st.integers(0, 4))
    def begin_a_report(self, name: str, answers: int) -> None:
        self.say(name, "menu")
        for opens in ("menu:defects", "report:defect"):
            item = MenuItem.objects.filter(opens=opens).first()
            self.say(name, item.label if item else "report")
        for number in range(answers):
            self.answer_what_is_asked(name, number=1 + number % 2, words="a dent")

    @rule(name=people, number=st.integers(1, 3), words=st.sampled_from(["a dent", "7", "today"]))
    def answer_what_is_asked(self, name: str, number: int, words: str) -> None:
        """As people do who mean it."""
        found = Conversation.objects.filter(contact__phone=self.phones[name].address).first()
        asking = found.state.get("asking", {}) if found else {}
        if asking.get("expects") == "attachment":
            self.send(name, "image")
        else:
            self.say(name, str(number) if asking.get("options") else words)

    @rule(name=people)
    def again(self, name: str) -> None:
        """Twilio brings the same message once more, perhaps long after it was answered."""
        if name in self.last:
            parameters, answered = self.last[name]
            assert replies(simulator.post(parameters)) == answered

    @rule(name=people, text=said_plainly, minutes=st.sampled_from([1, 30, 600]))
    def say_what_comes_late(self, name: str, text: str, minutes: int) -> None:
        """A message that no webhook brought is fetched, and others have overtaken it."""
        parameters = self.phones[name].parameters(text)
        at = timezone.now() - timedelta(minutes=minutes)
        self.sids.add(parameters["MessageSid"])
        late = Incoming(
            sid=parameters["MessageSid"],
            sender=Sender(phone=self.phones[name].address),
            text=clean(text, 1000),
            received_at=at,
        )
        answer = receiving.receive(late) if minutes < 60 else receiving.keep(late)
        assert answer.outcome != "trouble"

    @rule(hours=st.sampled_from([0.01, 5, 30]))
    def wait(self, hours: float) -> None:
        self.moment.shift(timedelta(hours=hours))
        forget_all()

    # What staff do meanwhile ---------------------------------------------------------------------

    @rule(label=st.sampled_from(["Defects", "Something else", "1", "stoppage"]))
    def reword_an_item(self, label: str) -> None:
        MenuItem.objects.filter(menu__key=MAIN, opens="menu:defects").update(label=label)
        forget_all()

    @rule()
    def turn_the_menu_round(self) -> None:
        for item in MenuItem.objects.filter(menu__key=MAIN):
            item.position = 1000 - item.position
            item.save()
        forget_all()

    @rule(opens=st.sampled_from(["orders.schedule", "defects.history", "gone.away", "page:gone"]))
    def change_what_an_item_opens(self, opens: str) -> None:
        MenuItem.objects.filter(menu__key="defects").order_by("pk").update(opens=opens)
        Menu.objects.get(key="defects").items.create(label="Home", opens=MAIN_MENU, position=900)
        forget_all()

    @rule(
        kinds=st.lists(
            st.sampled_from(["text", "number", "choice", "yes_no", "date", "photo", "order"]),
            min_size=1,
            max_size=4,
        ),
        required=st.booleans(),
    )
    def publish_other_questions(self, kinds: list[str], required: bool) -> None:
        form = ReportForm.objects.get(key="defect")
        form.questions.all().delete()
        for place, kind in enumerate(kinds):
            form.questions.create(
                position=place,
                name=f"{kind}-{place}",
                kind=kind,
                text=f"What about {kind}?",
                required=required or place == 0,
                choices="Scratch\nDent\nmenu" if kind == "choice" else "",
            )
        form.publish(self.staff)
        forget_all()

    @rule()
    def withdraw_the_form(self) -> None:
        ReportForm.objects.get(key="defect").withdraw()
        forget_all()

    @rule(wording=st.sampled_from(["", "Right. {nothing} {number}", "x" * 900]))
    def reword_a_text(self, wording: str) -> None:
        from whatsapp_bot.models import Wording

        Wording.objects.filter(key=texts.GO_ON.key).update(text=wording)
        forget_all()

    @precondition(lambda self: self.reports)
    @rule(step=st.sampled_from(["acknowledge", "begin_review", "dismiss", "ask"]))
    def take_a_step(self, step: str) -> None:
        report = DefectReport.objects.order_by("-pk").first()
        try:
            match step:
                case "ask":
                    report.ask("How many?", self.staff)
                case "dismiss":
                    report.dismiss(self.staff, "Nothing is wrong.")
                case _:
                    getattr(report, step)(self.staff)
        except NotAllowed:
            assert report.status != Status.REPORTED or step == "begin_review"

    # What always holds ---------------------------------------------------------------------------

    def _hear(self, name: str, parameters: dict[str, str]) -> None:
        self.sids.add(parameters["MessageSid"])
        answered = replies(simulator.post(parameters))
        self.last[name] = parameters, answered
        is_picture = parameters["MessageType"] == "image"
        assert answered or is_picture, "only of an album some pictures are not answered"
        assert texts.TROUBLE() not in answered
        assert len(answered) <= 10
        for reply in answered:
            assert reply.strip()
            assert length(reply) <= MAX_LENGTH
        self._keeps_to(name, "\n".join(answered))
        self._reports_fit_their_form()

    def _keeps_to(self, name: str, answered: str) -> None:
        """A worker may ask for any order; others hear of their own alone."""
        others = [one for one in NAMES if one != name]
        mine = DefectReport.objects.filter(reported_by__phone=self.phones[name].address)
        named = set(re.findall(r"DEF-[\d-]*\d", answered))
        assert named <= set(mine.values_list("number", flat=True))
        if name != "anna":
            assert not any(f"Secret of {one}" in answered for one in others)
        if name == "carl":
            assert "Secret of" not in answered

    def _reports_fit_their_form(self) -> None:
        """What was just filed answers all that its form asks for now."""
        if DefectReport.objects.count() == self.reports:
            return
        self.reports += 1
        assert DefectReport.objects.count() == self.reports
        report = DefectReport.objects.order_by("-pk").first()
        questions = {one.name: one for one in report.form.live.rows()}
        answers = {one["name"]: one["answer"] for one in report.answers}
        assert set(answers) == set(questions)
        for asked in questions.values():
            answer = answers[asked.name]
            assert answer or not asked.required
            if answer and asked.kind == "choice":
                assert answer in asked.choice_keys()
            if answer and asked.kind == "yes_no":
                assert answer.lower() in ("yes", "no")

    def _goes_home(self, name: str) -> None:
        """Nobody is stuck: a word leads home from anywhere, and a number goes on from there."""
        self.moment.shift(timedelta(minutes=2))
        for word in ("start", "cancel", "menu"):
            self._hear(name, self.phones[name].parameters(word))
        stands_at = Conversation.objects.get(contact__phone=self.phones[name].address).flow
        assert stands_at == MAIN_MENU
        self._hear(name, self.phones[name].parameters("1"))

    @invariant()
    def everything_is_stored_once(self) -> None:
        if not getattr(self, "phones", None):
            return
        stored = Message.objects.filter(direction="in").values_list("sid", flat=True)
        assert sorted(stored) == sorted(self.sids)


def test_any_conversation() -> None:
    with quietly():
        run_state_machine_as_test(
            AnyConversation,
            settings=settings(
                max_examples=SEQUENCES,
                stateful_step_count=STEPS,
                deadline=None,
                derandomize="CONVERSATIONS" not in os.environ,
                suppress_health_check=list(HealthCheck),
            ),
        )
