"""As whom one can type in the simulator."""

import secrets
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q

from whatsapp_bot.inbound import Sender
from whatsapp_bot.models import Contact, Conversation
from whatsapp_bot.models.contact import NUMBERS_OF_NOBODY, USER_IDS_OF_NOBODY, Role
from whatsapp_bot.simulator.errors import CannotDo
from whatsapp_bot.simulator.exchange import Exchange
from whatsapp_bot.simulator.phone import Phone
from whatsapp_bot.twilio.webhook import phone_number, user_id
from whatsapp_bot.whatsapp_text import clean

MOST_FOUND = 20


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to type as.

    address: a phone number, or the user id of somebody who hides it. user_id: one known beside
    the phone number. role: what they are from the first message on.
    """

    address: str
    name: str = ""
    role: str = Role.UNKNOWN
    user_id: str = ""

    @classmethod
    def of(cls, contact: Contact) -> "Person":
        beside = contact.user_id if contact.phone else None
        return cls(contact.address, contact.name, contact.role, beside or "")

    @classmethod
    def at(cls, address: str, name: str = "") -> "Person":
        """The person with this address: a contact, one of the cast, or somebody new.

        Raises CannotDo when it is no address.
        """
        known_as = phone_number(address) or user_id(address)
        if not known_as:
            raise CannotDo("That is neither a phone number nor a WhatsApp user id.")
        contact = Contact.objects.filter(_has(known_as)).first()
        if contact:
            return cls.of(contact)
        cast = {person.address: person for person in CAST.values()}
        return cast.get(known_as) or cls(known_as, clean(name, 200))

    @classmethod
    def new(
        cls, name: str = "", role: str = Role.UNKNOWN, *, hides_number: bool = False
    ) -> "Person":
        """Somebody who has never written, with an address that nobody has."""
        hidden = f"{USER_IDS_OF_NOBODY}{secrets.token_hex(8)}"
        shown = f"{NUMBERS_OF_NOBODY[0]}{secrets.randbelow(10**10):010}"
        return cls(hidden if hides_number else shown, clean(name, 200), role)

    def contact(self) -> Contact | None:
        return Contact.objects.filter(_has(self.address)).first()

    def say(self, **parameters: str) -> Exchange:
        """Send a message with these Twilio parameters through the real webhook."""
        self.be_known()
        phone = Phone(self.address, self.name)
        if self.user_id:
            parameters.setdefault("ExternalUserId", self.user_id)
        return Exchange.of(phone, phone.parameters(**parameters))

    def open(self, address: str) -> None:
        """Have the next message open what is at `address`, whatever was under way."""
        found = Sender(
            phone=phone_number(self.address), user_id=user_id(self.address), name=self.name
        )
        self.be_known()
        with transaction.atomic():
            Conversation.objects.locked(found).stand_at(address)

    def be_known(self) -> None:
        """Workers and customers are known before they write; others by writing."""
        if self.role == Role.UNKNOWN:
            return
        by = {"phone": self.address} if phone_number(self.address) else {"user_id": self.address}
        Contact.objects.get_or_create(**by, defaults={"name": self.name, "role": self.role})

    def as_json(self) -> dict[str, str]:
        return {"address": self.address, "name": self.name, "role": Role(self.role).label}


CAST = {
    "worker": Person("+99900000001", "A worker", Role.WORKER),
    "customer": Person("+99900000002", "A customer", Role.CUSTOMER),
    "unknown": Person("+99900000003", "Somebody new"),
    "no number": Person("ZZ.simulator4", "Somebody hidden"),
}
"""Who is always there to type as, by what a script calls them."""


def found(words: str, *, only_made_up: bool = False) -> list[Person]:
    """Contacts whose name, phone number or user id has `words` in it; the last to come first."""
    words = clean(words, 100)
    digits = "".join(filter(str.isdecimal, words))
    wanted = Q(name__icontains=words) | Q(user_id__icontains=words)
    if digits:
        wanted |= Q(phone__contains=digits)
    contacts = Contact.objects.filter(wanted).exclude(
        Q(phone__in=_cast_addresses()) | Q(user_id__in=_cast_addresses())
    )
    if only_made_up:
        contacts = contacts.made_up()
    return [Person.of(contact) for contact in contacts.order_by("-pk")[:MOST_FOUND]]


def cast() -> list[dict[str, str]]:
    """The cast as they are now, each with what a script calls them."""
    return [{**Person.at(person.address).as_json(), "as": word} for word, person in CAST.items()]


def word_for(contact: Contact) -> str:
    """What a script calls somebody like this contact."""
    for word, person in CAST.items():
        if contact.address == person.address:
            return word
    if contact.role != Role.UNKNOWN:
        return contact.role
    return "unknown" if contact.phone else "no number"


def newcomer(word: str) -> Person:
    """Somebody new, of the kind that a script calls `word`.

    Raises KeyError.
    """
    like = CAST[word]
    return Person.new(like.name, like.role, hides_number=not phone_number(like.address))


def _cast_addresses() -> list[str]:
    return [person.address for person in CAST.values()]


def _has(address: str) -> Q:
    return Q(phone=address) | Q(user_id=address)
