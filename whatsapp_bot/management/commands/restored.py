from typing import Any

from django.core.management.base import BaseCommand

from whatsapp_bot.models import Message


class Command(BaseCommand):
    help = (
        "Has the worker look up at Twilio, before it sends, what had not gone when a backup was "
        "taken. For after a restore, before the worker starts."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        count = Message.objects.doubt()
        messages = "1 message" if count == 1 else f"{count} messages"
        self.stdout.write(f"{messages} will be looked up at Twilio before anything is sent.")
