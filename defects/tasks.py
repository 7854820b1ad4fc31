"""What this app has done in the background."""

from django_tasks import task

from defects.models import Export
from whatsapp_bot import long_work

EXPORTING = "exporting"


@task(queue_name=EXPORTING)
def make_exports() -> None:
    """Make the files of exports that are too large to wait for."""
    long_work.drain(Export, "prepare_export")
