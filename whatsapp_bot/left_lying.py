"""What no worker takes up."""

from datetime import datetime, timedelta

from django.utils import timezone

from whatsapp_bot.models import Channel, Message

LONGEST_DUE = timedelta(minutes=1)
"""What a worker that runs never leaves lying for longer, unless there is a lot of it."""


def left_lying_since(channel: Channel) -> datetime | None:
    """When the first thing was due that nobody has taken up; None when a worker is at work.

    While Twilio takes nothing from us, messages wait for that.
    """
    from django_tasks_db.models import DBTaskResult

    now = timezone.now()
    if channel.has_worker:
        return None
    messages = Message.objects.due(now).order_by("try_at").values_list("try_at", flat=True)
    tasks = DBTaskResult.objects.ready().order_by("enqueued_at")
    due = [] if channel.stopped_at else list(messages[:1])
    due += tasks.values_list("enqueued_at", flat=True)[:1]
    oldest = min(due, default=now)
    return oldest if now - oldest > LONGEST_DUE else None
