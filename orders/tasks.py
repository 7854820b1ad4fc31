"""What this app has done in the background."""

from django_tasks import task

IMPORTING = "importing"


@task(queue_name=IMPORTING)
def work_on_imports() -> None:
    """Go through imports that are too large to wait for."""
    from orders.importing import work

    work.drain()
