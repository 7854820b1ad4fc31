from defects import exporting
from defects.models import Export
from whatsapp_bot.long_work import WorkCommand


class Command(WorkCommand):
    help = "Makes the file of an export that the worker has in hand. The worker calls it itself."
    kind = Export

    def work_on(self, work: Export) -> None:
        exporting.make(work)
