import re
from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from whatsapp_bot import reconcile
from whatsapp_bot.reconcile import Found
from whatsapp_bot.twilio import account
from whatsapp_bot.twilio.rest import Unreachable

EARLIEST = 2010
"""Twilio lists a day at a time."""


class Command(BaseCommand):
    help = (
        "Asks Twilio which messages it has for our number, takes in those that we do not have, and "
        "completes what became of ours. The worker does so by itself; this is to see it, or to go "
        "further back. It may be repeated. Answers go out when the worker runs."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        how_far = parser.add_mutually_exclusive_group()
        how_far.add_argument("--since", type=_moment, help="a date or moment: 2026-11-20")
        how_far.add_argument("--hours", type=_hours, help="look so far back")

    def handle(
        self, *args: Any, since: datetime | None, hours: float | None, **options: Any
    ) -> None:
        """Raises CommandError when Twilio cannot be asked, or another run is under way."""
        if not account.is_there():
            raise CommandError("This is a trial without a Twilio account: there is nobody to ask.")
        if hours is not None:
            since = timezone.now() - timedelta(hours=hours)
        try:
            found = reconcile.run(since)
        except Unreachable as error:
            raise CommandError(f"{error} What was found until then is stored.") from None
        if not found:
            raise CommandError(
                "The worker is just at it, or met trouble with it, which `manage.py doctor` names. "
                "Please try again in a minute."
            )
        self.stdout.write(in_words(found))


def in_words(found: Found) -> str:
    parts = [
        f"{found.fetched} messages fetched",
        f"{found.answered} answered",
        f"{found.late} stored without an answer (too old)",
        f"{found.silent} that need no answer" if found.silent else "",
        f"{found.failed} that could not be stored, see the log" if found.failed else "",
        f"{found.left} left that are perhaps on their way" if found.left else "",
        f"{found.completed} statuses completed",
    ]
    return ", ".join(filter(None, parts)) + "."


def _hours(text: str) -> float:
    if not re.fullmatch(r"\d{1,5}(\.\d+)?", text, re.ASCII):
        raise ArgumentTypeError("write a number, such as 48; for longer there is --since")
    return float(text)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError("write it as 2026-11-20 or 2026-11-20T14:30") from None
    if moment.year < EARLIEST:
        raise ArgumentTypeError(f"there was nothing before {EARLIEST}")
    return moment if moment.tzinfo else timezone.make_aware(moment)
