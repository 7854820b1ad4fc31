import signal
import threading
from argparse import ArgumentParser
from collections.abc import Callable
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection
from django.utils.crypto import get_random_string
from django.utils.module_loading import autodiscover_modules
from django_tasks_db.management.commands.db_worker import Worker

from whatsapp_bot import outbox, sweep, tasks
from whatsapp_bot.outage import Outage, why_away

log = structlog.get_logger("whatsapp_bot")

LESS_OFTEN = 5
"""Each look takes a transaction, and nobody waits for files as they wait for an answer."""


class Command(BaseCommand):
    help = (
        "Does the work in the background: sends messages, fetches files, makes large exports, goes "
        "through large imports, and asks Twilio for what it could not bring."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--interval", type=float, default=0.1, help="seconds between two looks for what to send"
        )
        parser.add_argument("--quiet", action="store_true", help="do not say that it has begun")

    def handle(self, *args: Any, interval: float, quiet: bool, **options: Any) -> None:
        autodiscover_modules("sweep")
        queues = settings.TASKS["default"]["QUEUES"]
        workers = [_worker(queue, interval) for queue in queues]
        ended = outbox.told_to_end
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ended.set())
        jobs = [*(worker.run for worker in workers), partial(sweep.run, ended)]
        outage = Outage()
        threads = [
            threading.Thread(target=_keep_doing, args=(job, outage, ended), daemon=True)
            for job in jobs
        ]
        for thread in threads:
            thread.start()
        if not quiet:
            self.stdout.write("Andon's worker is at work.")
            self.stdout.flush()
        ended.wait()
        for worker in workers:
            worker.running = False
        for thread in threads:
            thread.join(timeout=20)


def _worker(queue: str, interval: float) -> Worker:
    return Worker(
        queue_names=[queue],
        interval=interval if queue == tasks.SENDING else LESS_OFTEN * interval,
        batch=False,
        backend_name="default",
        startup_delay=False,
        max_tasks=None,
        worker_id=get_random_string(32),
        excluded_queue_names=[],
    )


def _keep_doing(job: Callable[[], None], outage: Outage, ended: threading.Event) -> None:
    """Begin anew when it stumbled, or when the database is back."""
    while not ended.is_set():
        try:
            job()
        except Exception as error:
            if why := why_away(error):
                outage.wait(why, ended)
                continue
            log.error("the worker stumbled", exc_info=error)
        connection.close()
        ended.wait(1)
