from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection

from whatsapp_bot.models import Message

IDS_LEFT_OUT = 1_000_000
"""More than there can be messages since a backup that is worth restoring."""
_LEAVE_OUT = {
    "postgresql": "SELECT setval(seq, nextval(seq) + %s) "
    "FROM (SELECT pg_get_serial_sequence(%s, 'id')::regclass AS seq) AS ids",
    "sqlite": "UPDATE sqlite_sequence SET seq = seq + %s WHERE name = %s",
}


class Command(BaseCommand):
    help = (
        "For after a restore, before the worker starts. Makes the worker look up at Twilio what "
        "had not gone when the backup was taken, before it sends that again, and skips the ids "
        "that lost messages may have had."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        count = Message.objects.look_up_first()
        _leave_ids_out()
        messages = "1 message" if count == 1 else f"{count} messages"
        self.stdout.write(f"{messages} will be looked up at Twilio before anything is sent.")


def _leave_ids_out() -> None:
    """Twilio still reports on messages that are lost, by their ids: no other one may get these."""
    with connection.cursor() as cursor:
        cursor.execute(_LEAVE_OUT[connection.vendor], [IDS_LEFT_OUT, Message._meta.db_table])
