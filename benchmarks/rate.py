"""How many messages a second does one worker send, when nothing is in its way but the distance?

    python -m benchmarks.rate [--messages 3000] [--people 1000] [--runs 3]
                              [--out FILE]

A real `manage.py worker`, with its limits raised, sends to a fake Twilio that takes 50 ms for an
answer, up to 48 at once: several times, each time a new worker, and the median counts. Makes a test
database beside that of DATABASE_URL, as the tests do, and removes it again.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.database import test_database  # isort: skip  Sets Django up.

from django.db import connection

from benchmarks.sending import PATIENCE, environment, people_who_wrote, queue
from benchmarks.servers import cpu_of
from config.tests.serving import working
from whatsapp_bot.fake_twilio import FakeTwilio, trouble
from whatsapp_bot.models import Contact, Message

TAKES = 0.05
"""Seconds that the fake Twilio takes for an answer."""


def sent_by_worker(fake: FakeTwilio, messages: int) -> dict[str, float]:
    """Counted from the first that is settled, so without the worker's start."""
    with working({**environment(fake), "SEND_AT_ONCE": "48"}) as worker:
        left = _await_fewer_than(messages)
        began, cpu = time.monotonic(), cpu_of(worker.pid)
        _await_fewer_than(1)
        took, cpu = time.monotonic() - began, cpu_of(worker.pid) - cpu
    return {"a_second": left / took, "cpu": 1000 * cpu / left}


def _await_fewer_than(messages: int) -> int:
    """Wait until fewer are unsettled; how many that are."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        left = Message.objects.unsettled().count()
        if left < messages:
            return left
        time.sleep(0.05)
    sys.exit("WRONG: the worker sends nothing")


def measure(messages: int, people: int, runs: int) -> dict[str, Any]:
    """The median of several times, and all of them."""
    contacts = people_who_wrote(people)
    came = [once(messages, contacts) for _ in range(runs)]
    return {
        "vendor": connection.vendor,
        "messages": messages,
        "runs": [one["a_second"] for one in came],
        **{name: statistics.median(one[name] for one in came) for name in came[0]},
    }


def once(messages: int, contacts: list[Contact]) -> dict[str, float]:
    with FakeTwilio.with_our_account() as fake:
        fake.trouble.always(trouble.slow(TAKES))
        queue(messages, contacts)
        came = sent_by_worker(fake, messages)
        different = {message.body for message in fake.sent}
        if not len(fake.sent) == len(different) == messages:
            sys.exit(f"WRONG: {len(fake.sent)} were sent, {len(different)} different ones")
    return came


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=3000)
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with test_database():
        came = measure(options.messages, options.people, options.runs)
    if options.out:
        options.out.write_text(json.dumps(came))
    runs = ", ".join(f"{one:.0f}" for one in came["runs"])
    print(
        f"{came['vendor']}: {came['a_second']:.0f} messages a second ({runs}), "
        f"{came['cpu']:.2f} CPU s of the worker per 1,000"
    )


if __name__ == "__main__":
    main()
