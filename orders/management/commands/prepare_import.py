from orders.importing import work as importing
from orders.models import Import
from whatsapp_bot.long_work import WorkCommand


class Command(WorkCommand):
    help = "Goes through an import that the worker has in hand. The worker calls it itself."
    kind = Import

    def work_on(self, work: Import) -> None:
        importing.work_on(work)
