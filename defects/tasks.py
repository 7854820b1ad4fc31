"""What this app has done in the background."""

from django_tasks import task

EXPORTING = "exporting"


@task(queue_name=EXPORTING)
def make_exports() -> None:
    """Make the files of exports that are too large to wait for."""
    from defects import exporting

    exporting.drain()
