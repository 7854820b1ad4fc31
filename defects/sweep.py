"""What the worker looks after now and then for this app."""

from django.utils import timezone

from defects.models import Export
from defects.tasks import make_exports
from whatsapp_bot import tasks
from whatsapp_bot.sweep import every


@every(1)
def wake_the_exporting() -> None:
    if Export.objects.due(timezone.now()).exists():
        tasks.enqueue(make_exports)


@every(600)
def delete_old_exports() -> None:
    Export.objects.expire()
