import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from defects import exporting
from defects.models import Export


class Command(BaseCommand):
    help = "Makes the file of an export that the worker has in hand. The worker calls it itself."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("export", type=int)
        parser.add_argument("attempt", type=int)

    def handle(self, *, export: int, attempt: int, **options: Any) -> None:
        os.nice(10)
        ours = Export.objects.filter(pk=export, attempts=attempt, status=Export.Status.RUNNING)
        if mine := ours.first():
            exporting.make(mine)
