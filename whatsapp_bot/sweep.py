"""What is looked after now and then, so that nothing waits for a task that was lost.

Every worker does so; twice does no harm. An app adds its own in a `sweep.py`.
"""

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import connection
from django.utils import timezone

from whatsapp_bot import outbox, tasks
from whatsapp_bot.models import Channel, HelpRequest, Media, Message, MessageTemplate
from whatsapp_bot.outage import why_away
from whatsapp_bot.twilio import account

log = structlog.get_logger("whatsapp_bot")

AFTER_TROUBLE = 10
"""Seconds until what stumbled is tried again: it may have waited for a lock, and held up others."""

_every: list[tuple[float, Callable[[], None]]] = []


def every(seconds: float) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Have a function called so often by each worker."""

    def add(job: Callable[[], None]) -> Callable[[], None]:
        _every.append((seconds, job))
        return job

    return add


def run(ended: threading.Event) -> None:
    """Call what is due, until it has ended."""
    due = {job: time.monotonic() for _, job in _every}
    while not ended.wait(0.25):
        for seconds, job in _every:
            if time.monotonic() >= due[job]:
                pause = seconds if _is_done(job) else max(seconds, AFTER_TROUBLE)
                due[job] = time.monotonic() + pause
        connection.close_if_unusable_or_obsolete()


def _is_done(job: Callable[[], None]) -> bool:
    """Whatever befalls one of them holds up no other, unless the database is away."""
    try:
        job()
    except Exception as error:
        if why_away(error):
            raise
        log.error("the worker stumbled", job=job.__name__, exc_info=error)
        return False
    return True


@every(1)
def wake_the_outbox() -> None:
    outbox.wake()


@every(20)
def say_that_we_are_at_work() -> None:
    Channel.objects.note_work()


@every(20)
def wait_for_no_wrong_clock() -> None:
    Message.objects.put_off_no_longer()


@every(settings.RECONCILE_EVERY_MINUTES * 60)
def ask_for_what_we_missed() -> None:
    """Also when the worker starts: it may have been away for long."""
    if account.is_there():
        tasks.enqueue(tasks.reconcile)


@every(15)
def ask_again_after_trouble() -> None:
    if account.is_there() and Channel.objects.left_reconciling().exists():
        tasks.enqueue(tasks.reconcile)


@every(3600)
def ask_for_approvals() -> None:
    if account.is_there() and MessageTemplate.objects.exists():
        tasks.enqueue(tasks.learn_approvals)


@every(1)
def wake_the_fetching() -> None:
    if Media.objects.due(timezone.now()).exists():
        tasks.enqueue(tasks.fetch_files)


@every(1)
def wake_the_mailing() -> None:
    if HelpRequest.objects.to_mail().exists() or Channel.objects.to_mail().exists():
        tasks.enqueue(tasks.mail_alarms)


@every(3600)
def forget_old_tasks() -> None:
    """Those that are done, and those whose worker died: the rows know what is left to do."""
    from django_tasks_db.models import DBTaskResult

    long_ago = timezone.now() - timedelta(days=1)
    DBTaskResult.objects.filter(enqueued_at__lt=long_ago).exclude(status="READY").delete()
