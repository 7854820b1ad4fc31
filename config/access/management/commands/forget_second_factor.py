from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management import BaseCommand, CommandError

from config.access import second_factor


class Command(BaseCommand):
    help = (
        "Forget the phone and the recovery codes of somebody, who is signed out and sets up others."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *, username: str, **options: Any) -> None:
        user = User.objects.filter(username=username).first()
        if not user:
            raise CommandError("There is no user of that name.")
        if second_factor.forget(user):
            self.stdout.write("Forgotten, and signed out. The next sign-in sets up another phone.")
        else:
            self.stdout.write("There was nothing to forget.")
