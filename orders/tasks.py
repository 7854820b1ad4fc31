"""What this app has done in the background."""

from django_tasks import task

from orders.models import Import
from whatsapp_bot import long_work

IMPORTING = "importing"


@task(queue_name=IMPORTING)
def work_on_imports() -> None:
    """Go through imports that are too large to wait for."""
    long_work.drain(Import, "prepare_import")
