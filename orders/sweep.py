"""What the worker looks after now and then for this app."""

from django.utils import timezone

from orders.models import Import, LinkingHour
from orders.tasks import work_on_imports
from whatsapp_bot import tasks
from whatsapp_bot.sweep import every


@every(1)
def wake_the_importing() -> None:
    if Import.objects.due(timezone.now()).exists():
        tasks.enqueue(work_on_imports)


@every(600)
def delete_old_imports() -> None:
    Import.objects.expire()


@every(3600)
def forget_earlier_tries_to_link() -> None:
    LinkingHour.forget_earlier()
