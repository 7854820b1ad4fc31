import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from whatsapp_bot.models import Contact
from whatsapp_bot.models.contact import Role
from whatsapp_bot.simulator.phone import Phone, quietly
from whatsapp_bot.twilio import webhook as twilio

SOMEBODY_NEW = "+15550100999"
PICTURE = "/picture"


class Command(BaseCommand):
    help = (
        "Talk to the bot in the terminal. Each line goes through the real webhook, signed as "
        "Twilio would. “/picture a caption” sends a picture; an empty line or Ctrl-D ends."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "who",
            nargs="?",
            default="unknown",
            help="worker, customer, unknown (default), or a phone number or WhatsApp user id",
        )

    def handle(self, *, who: str, **options: Any) -> None:
        phone = self.phone_of(who)
        self.stdout.write(f"You are {phone.name or phone.address} ({who}). Say hi!")
        for line in self.lines():
            picture = line.startswith(PICTURE)
            text = line.removeprefix(PICTURE).strip()
            try:
                with quietly():
                    replies = phone.send("image", text=text) if picture else phone.say(text)
            except ValueError as error:
                raise CommandError(f"{error}. The log above says why.") from None
            for reply in replies:
                self.stdout.write(self.style.SUCCESS(f"\n{reply}\n"))

    def phone_of(self, who: str) -> Phone:
        """The phone of a contact with this role, or with this address."""
        if who == Role.UNKNOWN:
            return Phone(SOMEBODY_NEW)
        if who in Role.values:
            contact = Contact.objects.filter(role=who).order_by("pk").first()
            if not contact:
                raise CommandError(f"There is no {who} yet. `python manage.py demo` makes some.")
            return Phone(contact.address, contact.name)
        if twilio.phone_number(who) or twilio.user_id(who):
            return Phone(who)
        raise CommandError(f"{who} is no role, phone number or WhatsApp user id.")

    def lines(self) -> Any:
        """What is typed, until an empty line or the end."""
        prompt = "> " if sys.stdin.isatty() else ""
        while True:
            try:
                line = input(prompt).strip()
            except (EOFError, KeyboardInterrupt):
                return
            if not line:
                return
            yield line
