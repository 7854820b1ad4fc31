"""How long does a message wait, when the worker has nothing else to do?

    python -m benchmarks.pickup [--messages 60]

From the commit of a message to its request at a fake Twilio, with a real `manage.py worker`.
Makes a test database beside that of DATABASE_URL, as the tests do, and removes it again. Prints
the median and the 95th percentile in milliseconds.
"""

import argparse
import random
import statistics
import time

from benchmarks.database import test_database  # isort: skip  Sets Django up.

from django.db import connection
from django.utils import timezone

from benchmarks.sending import Workers, environment
from whatsapp_bot.fake_twilio import FakeTwilio, trouble
from whatsapp_bot.models import Contact, Conversation


def waits(fake: FakeTwilio, count: int) -> list[float]:
    """Seconds from commit to request, of messages to one person each, now and then."""
    taken = []
    for n in range(count):
        contact = Contact.objects.create(phone=f"+2783{n:08}")
        Conversation.objects.create(contact=contact, heard_at=timezone.now())
        time.sleep(random.uniform(0.3, 0.6))  # noqa: S311
        contact.send("Ready.")
        committed = time.monotonic()
        # The worker asks for more than this: what we missed, for one.
        while len(sent := list(filter(trouble.sends, fake.requests))) <= n:
            time.sleep(0.002)
        taken.append(sent[n].at - committed)
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=60)
    options = parser.parse_args()
    with test_database(), FakeTwilio.with_our_account() as fake:
        workers = Workers(1, environment(fake))
        try:
            time.sleep(3)
            taken = sorted(waits(fake, options.messages + 1)[1:])
        finally:
            workers.stop()
    print(
        f"{connection.vendor}: from commit to request {statistics.median(taken) * 1000:.0f} ms "
        f"(median), {taken[int(len(taken) * 0.95)] * 1000:.0f} ms (95th percentile)"
    )


if __name__ == "__main__":
    main()
