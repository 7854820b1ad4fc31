import signal
import threading
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from whatsapp_bot.fake_twilio import FakeTwilio, Fate
from whatsapp_bot.fake_twilio.trouble import NAMED, Request, Trouble, parse
from whatsapp_bot.models import MessageTemplate


class Command(BaseCommand):
    help = (
        "Runs a fake Twilio on this machine: the REST endpoints that we use, with a memory of "
        "messages and, if wanted, trouble. Point TWILIO_API_URL at it, and TWILIO_MEDIA_URL at its "
        "media. Nothing leaves the machine."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8009)
        parser.add_argument("--media-port", type=int, default=0, help="of the CDN; 0 is a free one")
        parser.add_argument(
            "--trouble",
            type=_trouble,
            default={},
            metavar="NAME=CHANCE,...",
            help=f"for sends, such as 429=0.1,cut=0.05; there are {', '.join(NAMED)}",
        )
        parser.add_argument("--seed", type=int, default=1, help="of the trouble")
        parser.add_argument(
            "--callbacks", action="store_true", help="send status callbacks: sent, delivered, read"
        )
        parser.add_argument(
            "--deliver-to",
            default="http://127.0.0.1:8000",
            metavar="URL",
            help="where PUBLIC_URL is on this machine, for callbacks and webhooks",
        )
        parser.add_argument(
            "--approve",
            action="store_true",
            help="know the message templates that staff enter, and approve of them",
        )
        parser.add_argument("--quiet", action="store_true", help="print nothing but faults")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError when a port is taken."""
        try:
            fake = FakeTwilio.with_our_account(
                port=options["port"],
                media_port=options["media_port"],
                on_request=None if options["quiet"] else self._log,
            )
        except OSError as error:
            raise CommandError(f"The port cannot be had: {error.strerror}.") from None
        fake.webhooks.routes[settings.PUBLIC_URL] = options["deliver_to"]
        if options["trouble"]:
            fake.trouble.randomly(options["trouble"], options["seed"])
        if options["callbacks"]:
            fake.fate = Fate(("sent", "delivered", "read"), delay=0.2)
        if options["approve"]:
            fake.memory.approved = _as_entered
        self._run(fake, quiet=options["quiet"])

    def _run(self, fake: FakeTwilio, *, quiet: bool) -> None:
        ended = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ended.set())
        with fake:
            if not quiet:
                self._say(f"The fake Twilio is at {fake.url}, its media at {fake.media_url}")
            ended.wait()

    def _log(self, request: Request) -> None:
        """One line, without texts or addresses: the path is left out, it could hold one."""
        trouble = f" {request.trouble}" if request.trouble else ""
        route = request.route or "unknown"
        self._say(f"{request.method} {route} {request.status or 'no answer'}{trouble}")

    def _say(self, line: str) -> None:
        # At once, also into a file or a pipe.
        self.stdout.write(line)
        self.stdout.flush()


def _as_entered(sid: str) -> str | None:
    """The wording of the message template that staff have entered with this SID."""
    entered = MessageTemplate.objects.filter(content_sid=sid)
    try:
        return entered.values_list("body", flat=True).first()
    finally:
        connection.close()  # The server has a thread for each of its clients.


def _trouble(text: str) -> dict[Trouble, float]:
    try:
        return parse(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
