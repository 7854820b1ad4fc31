"""What no worker takes up."""

from datetime import datetime, timedelta

from django.utils import timezone

from whatsapp_bot.models import Channel, Message

LONGEST_DUE = timedelta(minutes=1)
"""What a worker that runs never leaves lying for longer, unless it has much to do."""
LONGEST_WORK = timedelta(hours=1)
"""Other work waits as long as a large export or import takes."""


def left_lying_since(channel: Channel) -> datetime | None:
    """When the first thing was due that nobody takes up; None when all goes on.

    While Twilio takes nothing from us, messages wait for that.
    """
    now = timezone.now()
    lying = _tasks(now - (LONGEST_WORK if channel.has_worker else LONGEST_DUE))
    if not (channel.stopped_at or channel.is_sending):
        lying += _messages(now - LONGEST_DUE)
    return min(lying, default=None)


def _messages(before: datetime) -> list[datetime]:
    """Since when the longest due message waits, if that is before then."""
    due = Message.objects.due(before).order_by("try_at")
    return list(due.values_list("try_at", flat=True)[:1])


def _tasks(before: datetime) -> list[datetime]:
    from django_tasks_db.models import DBTaskResult

    ready = DBTaskResult.objects.ready().filter(enqueued_at__lte=before).order_by("enqueued_at")
    return list(ready.values_list("enqueued_at", flat=True)[:1])
