"""The front desk's own flows: menus, going on with something unfinished, messages for the team."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms

from whatsapp_bot import addresses, texts
from whatsapp_bot.addresses import MAIN_MENU
from whatsapp_bot.dialog import Answers, words_in
from whatsapp_bot.flows import Flow, Gone, Open, Outcome, Resume, Say, find, register
from whatsapp_bot.models import Contact, HelpRequest, Message
from whatsapp_bot.models.menu import menus, pages
from whatsapp_bot.place import KEPT_FOR
from whatsapp_bot.questions import ChoiceField, Form, MenuField, Telling, YesOrMore, menu_field
from whatsapp_bot.shipped import ship_item, ship_menu
from whatsapp_bot.vocabulary import asks_for_a_person, meant_by

ship_menu("main", "👋 Welcome! How can we help you today?")
ship_item("main", 40, "Get help & support", addresses.HELP)
ship_item("main", 50, "Back to menu", MAIN_MENU)


@register(addresses.MENU)
class MenuFlow(Flow):
    """A menu: a form with one choice, which opens what the item names."""

    is_menu = True

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        try:
            self.menu, items = menus()[self.argument]
        except KeyError:
            raise Gone(self.argument) from None
        self.items = {str(item.id): item for item in items if item.is_for(self.contact)}
        if not self.items:
            raise Gone(self.argument)

    def build_form(self, answers: Answers) -> forms.Form:
        choices = tuple((key, item.label) for key, item in self.items.items())
        return Form(answers, {"item": menu_field(self.menu.text, choices)})

    def done(self, form: forms.Form) -> Outcome:
        return Open(self.items[form.cleaned_data["item"]].opens)

    @classmethod
    def addresses(cls) -> Iterable[tuple[str, str]]:
        return [(menu.address, f"Menu: {menu}") for menu, _ in menus().values()]


@register("page")
class PageFlow(Flow):
    """A text page. The argument is its key."""

    def done(self, form: forms.Form) -> Outcome:
        try:
            return Say(pages()[self.argument].text)
        except KeyError:
            return Open(MAIN_MENU, texts.GONE())

    @classmethod
    def addresses(cls) -> Iterable[tuple[str, str]]:
        return [(page.address, f"Text page: {page.title}") for page in pages().values()]


@register(addresses.RESUME)
class ResumeFlow(Flow):
    """Offers to go on with what was left half-way. The argument is its address."""

    takes_attachments = True
    CONTINUE, START_OVER = "continue", "start over"

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self.left = find(self.argument, self.contact, self.message, self.place)

    def build_form(self, answers: Answers) -> forms.Form:
        choices = [
            (self.CONTINUE, texts.RESUME_CONTINUE),
            (self.START_OVER, texts.RESUME_START_OVER),
        ]
        offer = texts.RESUME(preview=self._preview())
        return Form(answers, {"choice": ChoiceField(label=offer, choices=choices)})

    def _preview(self) -> str:
        return self.left.preview(self.place.answers_aside(self.argument)) or "📎"

    def done(self, form: forms.Form) -> Outcome:
        return Resume(self.argument, start_over=form.cleaned_data["choice"] == self.START_OVER)


@register(addresses.HELP)
class Help(Flow):
    """How to use the bot, when the team is there, and the way to reach it."""

    title = "Help & support"
    is_menu = True

    def build_form(self, answers: Answers) -> forms.Form:
        choices = [(LeaveMessage.name, texts.HELP_LEAVE_MESSAGE), (MAIN_MENU, texts.HELP_BACK)]
        return Form(answers, {"next": MenuField(label=texts.HELP(), choices=choices)})

    def done(self, form: forms.Form) -> Outcome:
        return Open(form.cleaned_data["next"])


@register(addresses.LEAVE_MESSAGE)
class LeaveMessage(Flow):
    title = "Leave a message for the team"
    takes_attachments = True
    when_kept = texts.HELP_KEPT
    spoken = "🎤 Voice note"

    def build_form(self, answers: Answers) -> forms.Form:
        return Form(answers, {"text": Telling(label=texts.HELP_ASK())})

    def done(self, form: forms.Form) -> Outcome:
        return self._leave(form.cleaned_data["text"], self.message)

    def leave(self) -> str:
        """Pass on what came since they were asked for it: it is not for what is begun next."""
        came = self.place.take_kept_for_this()
        kept = list(self.contact.messages.filter(pk__in=came).order_by("pk"))
        for message in kept:
            HelpRequest.objects.add(message, since=kept[0].created_at)
        return texts.HELP_MORE() if kept else ""

    def _leave(self, text: str, said: Message) -> Outcome:
        self.place.take_kept_for_this()
        request = HelpRequest.objects.file(contact=self.contact, message=said, text=text)
        self.place.expect_more(self.message.address_after, self.message.created_at, KEPT_FOR)
        return Say(texts.HELP_STORED(number=request.number))


class PassOnField(YesOrMore):
    """Whether the team is to have it. Who asks for a person says yes."""

    choices: ClassVar = [("yes", texts.PASS_ON_YES), ("no", texts.PASS_ON_NO)]

    def is_more(self, answer: str) -> bool:
        return super().is_more(answer) or asks_for_a_person(words_in(answer))


class PassOnFileField(PassOnField):
    """The same of a file: also a number of what it is about will do."""

    def is_more(self, answer: str) -> bool:
        names = any(map(str.isalpha, answer)) and any(map(str.isdecimal, answer))
        return super().is_more(answer) or (names and not _is_no_with_its_number(answer))


def _is_no_with_its_number(answer: str) -> bool:
    """`2 no` and `no 2`, and not `No. 4711`."""
    words = words_in(answer).split()
    return len(words) == 2 and "2" in words and "no" in map(meant_by, words)


@register(addresses.FOR_TEAM)
class PassOn(LeaveMessage):
    """Asks whether the team is to have words that nobody understood.

    The argument is the id of their message. Other words instead of a yes go with them.
    """

    title = ""
    is_menu = True
    spoken = ""
    question: ClassVar = texts.PASS_ON
    field: ClassVar[type[PassOnField]] = PassOnField

    def build_form(self, answers: Answers) -> forms.Form:
        return Form(answers, {"more": self.field(label=self.question())})

    def leave(self) -> str:
        """Nobody has said yet that the team is to have it."""
        return ""

    def done(self, form: forms.Form) -> Outcome:
        answer = form.cleaned_data["more"]
        if answer == "no":
            self.place.take_kept_for_this()
            return Open(MAIN_MENU)
        said = self.contact.messages.get(pk=self.argument)
        text = said.body or "📎"
        return self._leave(text if answer == "yes" else f"{text}\n{answer}", said)


@register(addresses.FILE_FOR_TEAM)
class PassOnFile(PassOn):
    """Asks so about a picture, a voice note or the like. What follows tells what it is."""

    is_menu = False
    question = texts.PASS_ON_FILE
    field = PassOnFileField


@register(addresses.MORE_FOR_TEAM)
class MoreForTeam(Flow):
    """Leaves for the team what is said in reply to what staff wrote, or after a message for them.

    The argument is the id of that. A reply is known by the message that it quotes, or by coming
    soon after what they wrote.
    """

    @classmethod
    def claims_reply(cls, contact: Contact, message: Message) -> str | None:
        by_staff = contact.messages.filter(notice=texts.STAFF_MESSAGE.key)
        quoted = by_staff.filter(sid=message.quoted_sid).first()
        return quoted.address_after if quoted else None

    def done(self, form: forms.Form) -> Outcome:
        before = self.contact.messages.filter(pk=self.argument).first()
        if not before:
            return Open(MAIN_MENU)
        HelpRequest.objects.add(self.message, since=before.created_at)
        self.place.note_answer(before.address_after)
        return Say(texts.HELP_MORE())
