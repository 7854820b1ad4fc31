"""Whatever people say, in whatever order, while staff change what is asked: nobody is ever stuck.

make test ARGS="-k any_conversation"                                    # a short one
CONVERSATIONS=2000 make test ARGS="-k any_conversation -n 0"            # the long run
"""

import os
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from config.tests.always import NAMES, USER_IDS, Always, everything, fetched
from defects.models import DefectReport, ReportForm
from defects.models.review import TRANSITIONS, NotAllowed
from whatsapp_bot import receiving, texts
from whatsapp_bot.addresses import MAIN, MAIN_MENU
from whatsapp_bot.models import Contact, HelpRequest, Message, Wording
from whatsapp_bot.models.menu import Menu, MenuItem
from whatsapp_bot.recent import forget_all
from whatsapp_bot.simulator.phone import Phone, quietly

SEQUENCES = int(os.environ.get("CONVERSATIONS", "12"))
STEPS = 50

pytestmark = pytest.mark.django_db

WORDS = ["hi", "menu", "back", "skip", "cancel", "more", "stop", "start", "thanks", "yes", "no"]
NUMBERS = [*map(str, range(1, 7)), "2 1", "2, 1, 1", "no wait, 2"]
WRONG = ["none of these", "-5", "32/13/2026", "ORD-NOBODY-9", "?", "I have no picture"]
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
ASKED = [
    *("ORD-ANNA-1", "ord ben 1", "REF-ANNA", "Where is ORD-BEN-1?", "any news on ORD-ANNA-1"),
    *("When will my order be ready?", "20 of ORD-ANNA-1 are bent", "There is a fire at line 2"),
    *("I want to talk to somebody", "what happened to my reports"),
]
said_plainly = st.sampled_from([*WORDS, *NUMBERS, "scratch on the panel", *WRONG, *STRANGE])
said = said_plainly | st.text(max_size=40) | st.sampled_from(ASKED)
people = st.sampled_from(NAMES)
which = st.integers(0, 1000)
"""Of however many there are."""
kinds_asked = st.lists(
    st.sampled_from(["text", "number", "choice", "yes_no", "date", "photo", "order"]),
    min_size=1,
    max_size=4,
)
SENT = {
    "image": {"MediaUrl0": "https://example.com/1", "MediaContentType0": "image/jpeg"},
    "audio": {"MediaUrl0": "https://example.com/2", "MediaContentType0": "audio/ogg"},
    "document": {"MediaUrl0": "https://example.com/3", "MediaContentType0": "text/plain"},
    "location": {"Latitude": "1.5", "Longitude": "2.5"},
    "contacts": {},
}
MEANT = {
    "number": ["7", "1,500", "ten", "0.5"],
    "date": ["today", "24 November 2026", "yesterday"],
    "order": ["ORD-ANNA-1", "ORD-BEN-1", "I do not know it"],
}
"""What answers a question of this kind; to all others there are words."""


class AnyConversation(Always):
    # What people do ------------------------------------------------------------------------------

    @rule(name=people, text=said)
    def say(self, name: str, text: str) -> None:
        self.hear(self.message(name, text))

    @rule(name=people, kind=st.sampled_from([*SENT]), text=st.sampled_from(["", "The lid is bent"]))
    def send(self, name: str, kind: str, text: str = "") -> None:
        files = str(int("MediaUrl0" in SENT[kind]))
        self.hear(self.message(name, text, MessageType=kind, NumMedia=files, **SENT[kind]))

    @rule(name=people, pictures=st.integers(2, 3))
    def send_an_album(self, name: str, pictures: int) -> None:
        for _ in range(pictures):
            self.send(name, "image")

    @rule(name=people, place=st.integers(0, 4))
    def tap(self, name: str, place: int) -> None:
        """A button of an earlier question, or of one that has gone since."""
        item = MenuItem.objects.order_by("pk")[place : place + 1].first()
        opens = item.opens if item else "nowhere"
        tapped = {"ButtonPayload": opens, "ButtonText": "Tap", "MessageType": "button"}
        self.hear(self.message(name, "Tap", **tapped))

    @rule(name=people, text=said_plainly, place=which)
    def quote(self, name: str, text: str, place: int) -> None:
        """What we said to anybody, or what is not there."""
        ours = Message.objects.filter(direction="out").order_by("pk")
        sid = f"SM{place:032}"
        if ours:
            quoted = ours[place % len(ours)]
            Message.objects.filter(pk=quoted.pk, sid=None).update(sid=f"SM{quoted.pk:032}")
            sid = f"SM{quoted.pk:032}"
        self.hear(self.message(name, text, OriginalRepliedMessageSid=sid))

    @rule(name=people, answers=st.integers(0, 5), place=which)
    def begin_a_report(self, name: str, answers: int, place: int) -> None:
        self._choose(name, "menu:defects", "report:defect")
        for number in range(answers):
            self.answer_what_is_asked(name, place + number)

    @rule(name=people, kinds=kinds_asked, required=st.booleans(), place=which)
    def report_what_is_newly_asked(
        self, name: str, kinds: list[str], required: bool, place: int
    ) -> None:
        self.publish_other_questions(kinds, required)
        self.begin_a_report(name, len(kinds), place)

    @rule(name=people)
    def look_at_own_reports(self, name: str) -> None:
        self._choose(name, "menu:defects", "defects.history")

    @rule(name=people, place=which)
    def answer_what_is_asked(self, name: str, place: int) -> None:
        """As people do who mean it."""
        asking = self._asked(name)
        kind = asking.get("asked", "").partition("-")[0]
        meant = MEANT.get(kind, [f"The lid has a dent, says {name}"])
        if asking.get("expects") == "attachment":
            self.send(name, "image")
        else:
            options = len(asking.get("options", []))
            self.say(name, str(place % options + 1) if options else meant[place % len(meant)])

    @rule(name=people, times=st.integers(1, 4), text=st.sampled_from(WRONG))
    def answer_wrongly(self, name: str, times: int, text: str) -> None:
        for _ in range(times):
            self.say(name, text)

    @rule(name=people, text=said)
    def stop_and_start(self, name: str, text: str) -> None:
        for word in ("stop", text, "start"):
            self.say(name, word)

    @rule(name=people, text=said_plainly)
    def hide_the_number(self, name: str, text: str) -> None:
        self.hear(Phone(USER_IDS[name]).parameters(text))

    @rule(name=people)
    def have_another_number(self, name: str) -> None:
        self.phones[name].address = next(self.numbers)
        self.say(name, "hi")

    @rule(name=people, other=people)
    def have_the_number_of_another(self, name: str, other: str) -> None:
        """They change: each says hello before and after, so that it is known whose is whose."""
        self.say(name, "hi")
        self.say(other, "hi")
        mine, theirs = self.phones[name], self.phones[other]
        mine.address, theirs.address = theirs.address, mine.address
        self.say(name, "hi")
        self.say(other, "hi")

    # What becomes of messages on their way -------------------------------------------------------

    @precondition(lambda self: self.heard)
    @rule(place=which)
    def bring_again(self, place: int) -> None:
        """Whatever anybody said at any time, with the answer of then, and nothing comes of it."""
        earlier = self.heard[place % len(self.heard)]
        before = everything()
        assert self.bring(earlier.parameters) == earlier.answered
        assert everything() == before

    @precondition(lambda self: self.heard)
    @rule(place=which, minutes=st.sampled_from([1, 600]))
    def fetch_again(self, place: int, minutes: int) -> None:
        earlier = self.heard[place % len(self.heard)]
        before = everything()
        assert receiving.receive(fetched(earlier.parameters, minutes)).outcome == "duplicate"
        assert everything() == before

    @rule(name=people, text=said, minutes=st.sampled_from([1, 30, 600]))
    def come_late(self, name: str, text: str, minutes: int) -> None:
        """Others have overtaken it."""
        self.fetch(self.message(name, text), minutes)

    @rule(hours=st.sampled_from([0.01, 5, 30, -1]))
    def wait(self, hours: float) -> None:
        """Or have the clock set right that was an hour ahead."""
        self.clock.shift(timedelta(hours=hours))
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

    @rule(kinds=kinds_asked, required=st.booleans())
    def publish_other_questions(self, kinds: list[str], required: bool) -> None:
        """What comes after a yes or no is asked after a yes alone."""
        form = ReportForm.objects.get(key="defect")
        form.questions.all().delete()
        for place, kind in enumerate(kinds):
            after_yes = place > 0 and kinds[place - 1] == "yes_no"
            form.questions.create(
                position=place,
                name=f"{kind}-{place}",
                kind=kind,
                text=f"What about {kind}?",
                required=required or place == 0,
                choices="Scratch\nDent\nmenu" if kind == "choice" else "",
                only_when=f"yes_no-{place - 1}" if after_yes else "",
                equals="yes" if after_yes else "",
            )
        form.publish(self.staff)
        forget_all()

    @rule()
    def withdraw_the_form(self) -> None:
        ReportForm.objects.get(key="defect").withdraw()
        forget_all()

    @rule(wording=st.sampled_from(["", "Right. {nothing} {number}", "x" * 900]))
    def reword_a_text(self, wording: str) -> None:
        Wording.objects.filter(key=texts.GO_ON.key).update(text=wording)
        forget_all()

    @rule(step=st.sampled_from([*TRANSITIONS]), place=which)
    def review(self, step: str, place: int) -> None:
        """Only what may not be done as things stand is refused."""
        reports = DefectReport.objects.order_by("pk")
        report, other = reports[place % len(reports)], reports[0]
        more = {"dismiss": ["No."], "reopen": ["Yes."], "mark_duplicate": [other]}
        try:
            if step == "decide":
                self._find_out(report)
            getattr(report, step)(self.staff, *more.get(step, []))
        except NotAllowed:
            report.refresh_from_db()
            is_itself = step == "mark_duplicate" and other in (report, report.duplicate_of)
            assert report.status not in TRANSITIONS[step].after or is_itself

    @rule(place=which)
    def ask_about_a_report(self, place: int) -> None:
        reports = DefectReport.objects.order_by("pk")
        reports[place % len(reports)].ask("How many?", self.staff)

    @rule(text=st.sampled_from(["It is being looked at.", "Which line is it?"]))
    def answer_a_request(self, text: str) -> None:
        asked = HelpRequest.objects.unanswered().first()
        if asked:
            asked.answer(text, self.staff)

    @rule(place=which, text=st.sampled_from(["The line stands until noon.", "Where are you?"]))
    def write(self, place: int, text: str) -> None:
        self._anybody(place).send(text, self.staff)

    @rule(place=which)
    def block(self, place: int) -> None:
        self._anybody(place).block()

    @rule()
    def unblock(self) -> None:
        for contact in Contact.objects.exclude(blocked_at=None):
            contact.unblock()

    # ---------------------------------------------------------------------------------------------

    def _choose(self, name: str, *addresses: str) -> None:
        """From the menus, as they are just now."""
        self.say(name, "menu")
        for opens in addresses:
            item = MenuItem.objects.filter(opens=opens).first()
            self.say(name, item.label if item else "report")

    def _anybody(self, place: int) -> Contact:
        known = Contact.objects.order_by("pk")
        return known[place % len(known)]

    def _asked(self, name: str) -> dict:
        """What the person is asked just now."""
        found = Contact.objects.filter(user_id=USER_IDS[name], conversation__isnull=False).first()
        return found.conversation.state.get("asking", {}) if found else {}

    def _find_out(self, report: DefectReport) -> None:
        """All that a decision needs, and closing it."""
        report.amend(self.staff, nonconforming=1, severity="minor", category=self.category)
        report.dispositions.get_or_create(kind="scrap", quantity=1)


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
