from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from whatsapp_bot.simulator import script
from whatsapp_bot.simulator.phone import quietly


class Command(BaseCommand):
    help = (
        "Replays conversations that the simulator saved, through the real webhook, and says "
        "which line differs. Nothing of it stays in the database; on SQLite, others wait to write "
        "while a script runs."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError, which makes the exit status 1, when a script differs."""
        with quietly():
            same = [self._replay(path) for path in options["files"]]
        if not all(same):
            raise CommandError(f"{same.count(False)} of {len(same)} did not go as written.")

    def _replay(self, path: Path) -> bool:
        try:
            conversation = script.read(path.read_text(encoding="utf-8"))
            difference = script.replay(conversation)
        except OSError as error:
            self.stdout.write(f"{path}: cannot be read: {error.strerror}")
            return False
        except UnicodeDecodeError:
            self.stdout.write(f"{path}: cannot be read as UTF-8 text")
            return False
        except script.Unreadable as unreadable:
            self.stdout.write(f"{path}: line {unreadable.line}: {unreadable.why}")
            return False
        if difference:
            self.stdout.write(f"{path}: {difference}")
            return False
        self.stdout.write(f"{path}: as written, {len(conversation)} messages")
        return True
