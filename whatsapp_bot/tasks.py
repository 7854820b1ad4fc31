"""What is done in the background. A task only wakes who does it: the rows say what there is to do.

So a task that is lost, doubled or late does no harm; `manage.py worker` wakes them again.
"""

from django.db import transaction
from django_tasks import task
from django_tasks.base import Task

SENDING = "sending"
FETCHING = "fetching"
MAILING = "mailing"


@task(queue_name=SENDING)
def deliver() -> None:
    """Send what is due."""
    from whatsapp_bot import outbox

    outbox.drain()


@task(queue_name=FETCHING)
def reconcile() -> None:
    """Ask Twilio for what we missed."""
    from whatsapp_bot import reconcile

    reconcile.run_and_log()


@task(queue_name=FETCHING)
def learn_approvals() -> None:
    """Ask Twilio which message templates may be used."""
    from whatsapp_bot.models import MessageTemplate

    MessageTemplate.objects.learn_approvals()


@task(queue_name=FETCHING)
def fetch_files() -> None:
    """Fetch the files that people sent."""
    from whatsapp_bot import fetching

    fetching.drain()


@task(queue_name=MAILING)
def mail_alarms() -> None:
    """Tell staff by mail what sounds like an emergency, and that nothing can be sent."""
    from whatsapp_bot.models import Channel, HelpRequest

    HelpRequest.objects.mail()
    Channel.objects.mail()


def wake(work: Task) -> None:
    """Have `work` run once this transaction is committed."""

    def enqueue_it() -> None:
        enqueue(work)

    enqueue_it.work = work
    pending = (callback for _, callback, _ in transaction.get_connection().run_on_commit)
    if not any(getattr(callback, "work", None) == work for callback in pending):
        # Robust: what fails after the commit has not failed, and the sweep wakes it as well.
        transaction.on_commit(enqueue_it, robust=True)


def enqueue(work: Task) -> None:
    """Have `work` run soon, unless it waits already to be run."""
    from django_tasks_db.models import DBTaskResult

    if not DBTaskResult.objects.ready().filter(task_path=work.module_path).exists():
        work.enqueue()
