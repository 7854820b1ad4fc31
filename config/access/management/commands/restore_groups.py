from typing import Any

from django.core.management import BaseCommand

from config.access.groups import GROUPS, restore_groups
from config.access.models import ShippedGroup


class Command(BaseCommand):
    help = "Make those groups again that Andon comes with and that were deleted."

    def handle(self, **options: Any) -> None:
        names = restore_groups()
        if names:
            self.stdout.write(f"Made again, with nobody in them: {', '.join(names)}.")
        else:
            self.stdout.write("There was nothing to make again.")
        for left in ShippedGroup.objects.filter(group=None, key__in=GROUPS):
            self.stdout.write(f"Another group is called {left} now. Rename it, then try again.")
