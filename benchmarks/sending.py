"""Sends thousands of messages through trouble, kills the workers meanwhile, and counts.

    python -m benchmarks.sending [--messages 20000] [--people 2000] [--workers 2] [--web 2]
                                 [--kills 20]

Real workers (`manage.py worker`) send to a fake Twilio that answers one request in ten with 429,
one with 500 (half of them although it has sent), one in twenty not at all although it has sent,
and resets one in twenty; gunicorn takes its reports of delivery, shuffled and doubled. Workers are
killed (SIGKILL) at random moments and started again.

Makes a test database beside that of DATABASE_URL, as the tests do, and removes it again. Exits
with 1 when a message was lost, sent twice without need, or overtook another of its person.
"""

import argparse
import random
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import parse_qs, urlsplit

from benchmarks.database import test_database  # isort: skip  Sets Django up.

from django.conf import settings
from django.db import connection
from django.utils import timezone

from config.tests.serving import beside, serving
from whatsapp_bot.delivery import Status
from whatsapp_bot.fake_twilio import FakeTwilio, Fate, trouble
from whatsapp_bot.models import Contact, Conversation, Message

TROUBLE = {
    trouble.too_many(0.2): 0.10,
    trouble.failure(500): 0.05,
    trouble.failure(500, done=True): 0.05,
    trouble.cut(): 0.05,
    trouble.reset(): 0.05,
}
AMBIGUOUS = {"500", "cut", "reset"}
"""After these nobody knows whether the message is on its way."""
WITHOUT_WAITING = {
    "SEND_PER_SECOND": "10000",
    "SEND_PAUSE_SECONDS": "0",
    "SEND_BACK_OFF_SECONDS": "0.05",
    "LOOK_UP_AFTER_SECONDS": "0.5",
    "TWILIO_TIMEOUT_SECONDS": "1",
}
PATIENCE = 600
"""Seconds without a change after which we give up."""


def people_who_wrote(people: int) -> list[Contact]:
    """Just now, so that they may be written to."""
    contacts = Contact.objects.bulk_create(Contact(phone=f"+2783{n:08}") for n in range(people))
    Conversation.objects.bulk_create(
        Conversation(contact=contact, heard_at=timezone.now()) for contact in contacts
    )
    return contacts


def queue(messages: int, contacts: list[Contact]) -> None:
    """Numbered messages, in turn to these people."""
    now = timezone.now()
    Message.objects.bulk_create(
        (
            Message(
                contact=contacts[n % len(contacts)],
                direction=Message.Direction.OUT,
                body=f"Message {n}",
                notice="staff.message",
                priority=Message.Priority.NOTICE,
                status=Status.QUEUED,
                try_at=now,
            )
            for n in range(messages)
        ),
        batch_size=2000,
    )


def environment(fake: FakeTwilio) -> dict[str, str]:
    """For processes of their own on this database and this Twilio."""
    return beside(**WITHOUT_WAITING, TWILIO_API_URL=fake.url)


class Workers:
    """Processes that send, of which one now and then is killed and replaced."""

    def __init__(self, count: int, env: dict[str, str]) -> None:
        self.env = env
        self.kills = 0
        self.running = [self._start() for _ in range(count)]

    def _start(self) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "manage.py", "worker"],
            cwd=settings.BASE_DIR,
            env=self.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill_one(self) -> None:
        victim = self.running.pop(random.randrange(len(self.running)))  # noqa: S311
        victim.kill()
        victim.wait()
        self.kills += 1
        self.running.append(self._start())

    def stop(self) -> None:
        for worker in self.running:
            worker.terminate()
        for worker in self.running:
            worker.wait()


@contextmanager
def everything(options: argparse.Namespace) -> Iterator[tuple[FakeTwilio, Workers]]:
    with ExitStack() as stack:
        fake = stack.enter_context(FakeTwilio.with_our_account())
        fake.trouble.randomly(TROUBLE, seed=1)
        env = environment(fake)
        if options.web:
            web = stack.enter_context(serving(env, "--workers", str(options.web)))
            fake.webhooks.routes[settings.PUBLIC_URL] = web
            fake.fate = Fate(("sent", "delivered", "read"), shuffled=True, doubled=True)
        workers = Workers(options.workers, env)
        stack.callback(workers.stop)
        yield fake, workers


def run(options: argparse.Namespace) -> list[str]:
    """Send them all, and return what is wrong."""
    queue(options.messages, people_who_wrote(options.people))
    began = time.monotonic()
    with everything(options) as (fake, workers):
        _await_all(options, workers)
        took = time.monotonic() - began
        if options.web:
            fake.webhooks.settle(120)
        return report(options, fake, workers.kills, took)


def _await_all(options: argparse.Namespace, workers: Workers) -> None:
    """Kill a worker each time that another part of the messages is settled."""
    every = options.messages / (options.kills + 1)
    left, changed_at = options.messages, time.monotonic()
    while left and time.monotonic() - changed_at < PATIENCE:
        time.sleep(0.2)
        now_left = Message.objects.unsettled().count()
        if now_left != left:
            left, changed_at = now_left, time.monotonic()
        if workers.kills < options.kills and options.messages - left > every * (workers.kills + 1):
            workers.kill_one()


def report(options: argparse.Namespace, fake: FakeTwilio, kills: int, took: float) -> list[str]:
    statuses = Counter(Message.objects.values_list("status", flat=True))
    sent = defaultdict(list)
    for message in fake.sent:
        sent[_id_in(message.status_callback)].append(message)
    met = defaultdict(set)
    for request in fake.requests:
        # One that was cut short, by a worker's death, names nothing.
        if trouble.sends(request) and "StatusCallback" in request.form:
            met[_id_in(request.form["StatusCallback"])].add(request.trouble)
    ambiguous = {one for one, troubles in met.items() if troubles & AMBIGUOUS}
    twice = {one for one, copies in sent.items() if len(copies) > 1}
    needlessly = twice - ambiguous
    out_of_order = _out_of_order(fake)
    unsettled = Message.objects.unsettled().count()
    held = set(Message.objects.exclude(sid=None).values_list("sid", flat=True))
    lost = Message.objects.exclude(pk__in=[one for one in sent if one]).exclude(
        status=Status.FAILED
    )
    unheld = sum(copies[0].sid not in held for copies in sent.values())
    print(
        f"{connection.vendor}: {options.messages} messages to {options.people} people in "
        f"{took:.0f} s ({options.messages / took:.0f} a second), {options.workers} workers, "
        f"{kills} kills\n"
        f"  statuses: {dict(statuses)}\n"
        f"  requests to send: {sum(trouble.sends(r) for r in fake.requests)}, to look up: "
        f"{sum(r.method == 'GET' for r in fake.requests)}\n"
        f"  nobody could know of {len(ambiguous)}, of these sent twice: {len(twice & ambiguous)}\n"
        f"  sent twice without need: {len(needlessly)} (a killed worker may have been at it)\n"
        f"  lost: {lost.count()}, out of order: {len(out_of_order)}"
    )
    verdicts = {
        f"{unsettled} are not settled": unsettled,
        "messages were lost": lost.exists(),
        f"{len(needlessly)} were sent twice without need": len(needlessly) > kills,
        f"{len(twice & ambiguous)} of {len(ambiguous)} were sent twice": (
            len(twice & ambiguous) > len(ambiguous) / 1000
        ),
        f"{len(out_of_order)} people had theirs out of order": out_of_order,
        f"{unheld} SIDs were never learnt": unheld,
    }
    return [verdict for verdict, is_wrong in verdicts.items() if is_wrong]


def _out_of_order(fake: FakeTwilio) -> list[str]:
    """The addresses whose messages came in another order than they were written."""
    numbers = defaultdict(list)
    for message in fake.sent:
        numbers[message.to].append(int(message.body.rpartition(" ")[2]))
    return [to for to, came in numbers.items() if came != sorted(came)]


def _id_in(callback: str) -> int:
    return int(parse_qs(urlsplit(callback).query)["message"][0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--people", type=int, default=2_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--web", type=int, default=2, help="gunicorn workers; 0: no reports")
    parser.add_argument("--kills", type=int, default=20)
    options = parser.parse_args()
    with test_database():
        wrong = run(options)
    if wrong:
        sys.exit("WRONG: " + "; ".join(wrong))


if __name__ == "__main__":
    main()
