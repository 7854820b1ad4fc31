"""Does a turn get slower with what is stored? Measured on an empty and on a full database.

    python -m benchmarks.turn_at_size [--contacts 100000] [--messages 1000000]

Makes a test database beside that of DATABASE_URL, as the tests do, and removes it again. Prints
the median milliseconds of a plain menu turn before and after filling, and their ratio.
"""

import argparse
import os
import statistics
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings_test")

import django

django.setup()

from django.db import connection
from django.test.utils import setup_test_environment

from whatsapp_bot.models import Contact, Conversation, Message
from whatsapp_bot.simulator.phone import Phone, quietly

TURNS = 300
PEOPLE = 10
BATCH = 10_000


def median_ms(first: int) -> float:
    """Of turns of several people, since nobody is heard more than 60 times a minute."""
    phones = [Phone(f"+278200000{first + count}") for count in range(PEOPLE)]
    for phone in phones:
        phone.say("hi")
    taken = []
    for turn in range(TURNS):
        started = time.perf_counter()
        phones[turn % PEOPLE].say("5" if turn // PEOPLE % 2 else "menu")
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)


def fill(contacts: int, messages: int) -> None:
    for first in range(0, contacts, BATCH):
        made = Contact.objects.bulk_create(
            Contact(phone=f"+2783{n:08}") for n in range(first, min(first + BATCH, contacts))
        )
        Conversation.objects.bulk_create(Conversation(contact=contact) for contact in made)
    ids = list(Contact.objects.values_list("pk", flat=True))
    for first in range(0, messages, BATCH):
        Message.objects.bulk_create(
            Message(
                contact_id=ids[n % len(ids)],
                direction="in",
                sid=f"SM{n:032}",
                body="The seal leaks",
                status="received",
            )
            for n in range(first, min(first + BATCH, messages))
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--messages", type=int, default=1_000_000)
    options = parser.parse_args()
    setup_test_environment()
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        with quietly():
            empty = median_ms(first=10)
            fill(options.contacts, options.messages)
            full = median_ms(first=50)
    finally:
        connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)
    print(
        f"{connection.vendor}: empty {empty:.2f} ms, full {full:.2f} ms, ratio {full / empty:.2f}"
    )


if __name__ == "__main__":
    main()
