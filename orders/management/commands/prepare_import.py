import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from orders.importing import work
from orders.models import Import


class Command(BaseCommand):
    help = "Goes through an import that the worker has in hand. The worker calls it itself."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("pk", type=int)
        parser.add_argument("attempt", type=int)

    def handle(self, *, pk: int, attempt: int, **options: Any) -> None:
        os.nice(10)
        ours = Import.objects.filter(pk=pk, attempts=attempt, status=Import.Status.RUNNING)
        if mine := ours.first():
            work.work_on(mine)
