import re
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from whatsapp_bot import webhook_addresses
from whatsapp_bot.twilio import account, rest
from whatsapp_bot.twilio.rest import Unreachable, Webhooks, WhatsAppSender

_ON_THIS_MACHINE = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?(/[^\s?#]*)?")
_PUBLIC = re.compile(r"https://[^\s/?#@]+(/[^\s?#]*)?")


class Command(BaseCommand):
    help = (
        "Tells Twilio where we are: sets the webhook, fallback and status addresses of our "
        "WhatsApp sender, with retries after failures. It may be repeated."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("url", help="our public address, such as https://andon.example.com")
        parser.add_argument("--dry-run", action="store_true", help="only show what would change")
        parser.add_argument(
            "--anyway", action="store_true", help="although PUBLIC_URL is another address"
        )

    def handle(self, *args: Any, url: str, dry_run: bool, anyway: bool, **options: Any) -> None:
        """Raises CommandError for an address that is not ours, or when Twilio cannot be asked."""
        address = _address(url)
        if not account.is_there():
            raise CommandError(
                "This is a trial without a Twilio account: there is nothing to connect. Set "
                "TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_WHATSAPP_NUMBER in .env."
            )
        if address != settings.PUBLIC_URL and not (dry_run or anyway):
            raise CommandError(
                f"Nothing was changed. {_what_comes_first(address)}\n"
                "Does another Andon answer there? Then add --anyway."
            )
        wanted = webhook_addresses.wanted(address)
        try:
            sender = self._sender(wanted)
            changes = webhook_addresses.differences(sender.webhooks, wanted)
            self._show(changes, wanted)
            if changes and not dry_run:
                rest.connect(sender, wanted)
                self._confirm(wanted)
        except Unreachable as error:
            raise CommandError(str(error)) from None
        if dry_run:
            self.stdout.write("Nothing was changed.")
        if address != settings.PUBLIC_URL:
            self.stdout.write(self.style.WARNING(f"\nBeware: {_what_comes_first(address)}"))

    def _sender(self, wanted: Webhooks) -> WhatsAppSender:
        sender = rest.sender()
        if not sender:
            by_hand = [
                f"  {name}: {new}"
                for name, (_, new) in webhook_addresses.differences(Webhooks(), wanted).items()
            ]
            raise CommandError("\n".join([webhook_addresses.why_no_sender(), *by_hand]))
        return sender

    def _show(self, changes: dict[str, tuple[str, str]], wanted: Webhooks) -> None:
        if not changes:
            self.stdout.write(f"It is connected already: Twilio calls {wanted.callback_url}")
        for name, (before, after) in changes.items():
            self.stdout.write(f"{name}\n  before: {before or '(none)'}\n  after:  {after}")

    def _confirm(self, wanted: Webhooks) -> None:
        """Twilio takes a change before it carries it out."""
        there = rest.sender()
        if there and webhook_addresses.differences(there.webhooks, wanted):
            self.stdout.write("Twilio has taken the change, and does not show it yet.")
        else:
            self.stdout.write(self.style.SUCCESS("Connected. To see that all is well: doctor"))


def _what_comes_first(address: str) -> str:
    return (
        f"PUBLIC_URL is {settings.PUBLIC_URL}, and signatures are checked against it: at another "
        "address every message is refused. First put this into .env, and restart Andon:\n"
        f"  PUBLIC_URL={address}"
    )


def _address(url: str) -> str:
    """Our address without a path of ours. Raises CommandError."""
    bare = url.strip().partition("#")[0].rstrip("/")
    bare = bare.removesuffix(reverse("webhook").rstrip("/")).rstrip("/")
    on_this_machine = settings.TWILIO_API_URL and _ON_THIS_MACHINE.fullmatch(bare)
    if not (_PUBLIC.fullmatch(bare) or on_this_machine):
        raise CommandError(
            "Please give the whole address, with https: what people write must not be read on the "
            "way. For example: https://andon.example.com"
        )
    return bare
