"""What a flow is, and the registry in which menus find flows by name.

Every app has its flows in `chat.py`:

    @register("orders.status")
    class OrderStatus(Flow):
        title = "Check order status"

        def build_form(self, answers):
            return OrderForm(answers, contact=self.contact)

        def done(self, form):
            return Say(form.cleaned_data["order"].in_words())

A flow is opened at an *address*: its name, and after a colon what it is to be about (`menu:main`).
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import ClassVar, TypeVar

from django import forms

from whatsapp_bot import texts
from whatsapp_bot.dialog import Answers
from whatsapp_bot.models import Contact, Message
from whatsapp_bot.place import Place
from whatsapp_bot.questions import Form
from whatsapp_bot.whatsapp_text import preview
from whatsapp_bot.wording import Text


@dataclass(frozen=True, slots=True)
class Say:
    """The flow is over.

    more: the address that the word *more* opens from now on. trail: those that *back* leads
    through, the last one first; without any, to the main menu.
    """

    text: str
    more: str = ""
    trail: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Open:
    """Go on at another address, with `before` said first and `answers` given already."""

    address: str
    before: str = ""
    answers: Answers = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Resume:
    """Go on with what was left half-way at `address`, or with `start_over` begin it anew."""

    address: str
    start_over: bool


@dataclass(frozen=True, slots=True)
class Astray:
    """What was said is no answer, and may be about something else. Where it is about nothing that
    we know, go on at `address`, with `before` said first.
    """

    address: str
    before: str = ""


Outcome = Say | Open | Resume | Astray


class Gone(Exception):
    """There is nothing at this address, or no longer."""


class Flow:
    """A form that is asked in chat, one field at a time, and what follows from its answers.

    title: for staff, who choose what a menu opens. is_menu: it only asks where to go; *back* from
    there returns to it. takes_attachments: pictures and the like that come while it is under way
    are kept for it (`place.kept`). takes_more_words: so is a sentence where one of several choices
    is asked for. leaves_files_to_team: they are of no use here, and no other flow is to be offered
    instead. resumable: when it is left half-way, it is offered again.
    """

    name: ClassVar[str]
    title: ClassVar[str] = ""
    is_menu: ClassVar[bool] = False
    takes_attachments: ClassVar[bool] = False
    takes_more_words: ClassVar[bool] = False
    leaves_files_to_team: ClassVar[bool] = False
    resumable: ClassVar[bool] = False

    when_kept: ClassVar[Text] = texts.KEPT
    """What is said about an attachment that is kept."""
    spoken: ClassVar[str] = ""
    """What a voice note is stored as where it answers a question for words; "" where it is none."""
    more: str = ""
    """The address that *more* opens while a question of this form is asked."""

    def __init__(self, contact: Contact, message: Message, place: Place, argument: str) -> None:
        self.contact = contact
        self.message = message
        self.place = place
        self.argument = argument

    def build_form(self, answers: Answers) -> forms.Form:
        """The form, bound to `answers`. Without fields it is complete at once."""
        return Form(answers)

    def done(self, form: forms.Form) -> Outcome:
        """What follows, once `form` is complete and valid."""
        raise NotImplementedError

    def preview(self, answers: Answers) -> str:
        """These half-given raw answers in a few words, to recognise them by."""
        return preview(max(answers.values(), key=len, default=""), 40)

    def leave(self) -> str:
        """Put aside what is under way, if it can be resumed, and say so; "" where it is not."""
        if not (self.resumable and (self.place.asking.answers or self.place.kept)):
            return ""
        self.place.put_aside()
        return texts.PUT_ASIDE()

    @classmethod
    def claims(cls, contact: Contact, message: Message) -> str | None:
        """The address to open for a message that answers no question, if this flow wants it."""
        return None

    @classmethod
    def claims_reply(cls, contact: Contact, message: Message) -> str | None:
        """The address to open for a message that quotes one of ours, if this flow wants it."""
        return None

    @classmethod
    def offers(cls, contact: Contact, message: Message) -> str | None:
        """The address to open for what nobody claims, if this flow is of use with it."""
        return None

    @classmethod
    def addresses(cls) -> Iterable[tuple[str, str]]:
        """What a menu item may open: (address, title for staff)."""
        return [(cls.name, cls.title)] if cls.title else []


MORE = "more"
"""The word that opens the next page of what is shown."""
registry: dict[str, type[Flow]] = {}
_ADDRESS = re.compile(r"[\w.:-]{1,120}")

FlowClass = TypeVar("FlowClass", bound=type[Flow])


def register(name: str) -> Callable[[FlowClass], FlowClass]:
    """Register a flow under `name`.

    Raises ValueError when another flow has the name.
    """

    def add(flow: FlowClass) -> FlowClass:
        if name in registry:
            raise ValueError(f"{registry[name].__qualname__} has the name {name} already")
        flow.name = name
        registry[name] = flow
        return flow

    return add


def find(address: str, contact: Contact, message: Message, place: Place) -> Flow:
    """The flow at `address`, for this contact and message.

    Raises Gone.
    """
    name, _, argument = address.partition(":")
    if name not in registry:
        raise Gone(address)
    return registry[name](contact, message, place, argument)


def is_there(address: str) -> bool:
    """Does the address name a flow? What it is to be about may still be gone."""
    return bool(_ADDRESS.fullmatch(address)) and address.partition(":")[0] in registry


def claimed(contact: Contact, message: Message) -> str | None:
    """The address that the first flow which wants this message gives for it."""
    claims = (flow.claims(contact, message) for flow in registry.values())
    return next(filter(None, claims), None)


def claimed_reply(contact: Contact, message: Message) -> str | None:
    """The same for a message that quotes one of ours."""
    claims = (flow.claims_reply(contact, message) for flow in registry.values())
    return next(filter(None, claims), None) if message.quoted_sid else None


def offered(contact: Contact, message: Message) -> str | None:
    """The same for what nobody claims."""
    offers = (flow.offers(contact, message) for flow in registry.values())
    return next(filter(None, offers), None)


def addresses() -> list[tuple[str, str]]:
    """Everything that a menu item may open: (address, title for staff)."""
    return [pair for flow in registry.values() for pair in flow.addresses()]


def page_number(argument: str) -> int:
    """The page that a flow's argument names, 1 without one.

    Raises Gone when it names none.
    """
    if argument and not argument.isdecimal():
        raise Gone(argument)
    return int(argument or 1)
