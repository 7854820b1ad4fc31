"""PostgreSQL is restarted, away, full, or locked, while people write."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psycopg

from benchmarks.faults.product import Product
from benchmarks.faults.reckoning import (
    answered_again,
    fetched_within,
    in_time,
    no_other_deaths,
    reckon,
    refused_with_503,
    settled_within,
)
from benchmarks.faults.scenarios import Run
from benchmarks.faults.traffic import Traffic
from benchmarks.faults.verdicts import some, unless

FAST = 2.0
"""Seconds within which a database that is away is answered with 503."""
LATEST = 15.0
"""Seconds after which Twilio hangs up."""
UNTIL_FETCHED = 120
UNTIL_SENT = 120
PATIENT = 60
"""Seconds for which each message is brought again, so that none has to be fetched."""


def restarts(run: Run) -> list[str]:
    """Restarted at once, as after a crash, 20 times."""
    took = []
    with Product(run.folder) as product, Traffic(product.twilio, gives_up=PATIENT) as traffic:
        for _ in range(20):
            time.sleep(1)
            began = time.monotonic()
            run.cluster.restart()
            took.append(time.monotonic() - began)
        answered = traffic.await_answer()
    print(f"  20 restarts of PostgreSQL, each within {max(took):.1f} s")
    print(traffic.in_words())
    return [*reckon(traffic), *answered_again(answered), *no_other_deaths(product)]


def down(run: Run) -> list[str]:
    """Away for a while: what people write is refused fast, and fetched from Twilio afterwards.

    Half of them then wait for the answers, which come once it is fetched. The others write on, so
    that what they wrote before is overtaken.
    """
    seconds = 300 if run.long else 20
    with Product(run.folder) as product:
        with Traffic(product.twilio, gives_up=0.5) as traffic:
            time.sleep(3)
            run.cluster.stop()
            stopped = time.monotonic()
            time.sleep(seconds)
            traffic.half_have_said_all()
            started = time.monotonic()
            run.cluster.start()
            answered = traffic.await_answer()
            time.sleep(3)
        missing = fetched_within(UNTIL_FETCHED, traffic.told)
        took = time.monotonic() - started
        unsent = settled_within(UNTIL_SENT)
    refused = [one for one in traffic.tries if stopped <= one.began and one.ended <= started]
    left = sum(not one.is_acknowledged for one in traffic.told)
    print(
        f"  PostgreSQL was away for {seconds} s; then {left} messages were to be fetched from "
        f"Twilio, which took {took:.0f} s"
    )
    print(traffic.in_words())
    return [
        *reckon(traffic, undisturbed=False),
        *missing,
        *unsent,
        *unless(left, "nothing had to be fetched, so nothing is shown"),
        *refused_with_503(refused),
        *in_time(refused, FAST),
        *answered_again(answered),
        *no_other_deaths(product),
    ]


def connections(run: Run) -> list[str]:
    """Others have used up all connections when Andon needs new ones."""
    with Product(run.folder) as product, Traffic(product.twilio, gives_up=PATIENT) as traffic:
        time.sleep(3)
        with all_connections(run) as count:
            began = time.monotonic()
            time.sleep(8)
            met = [one for one in traffic.tries if one.began >= began]
        answered = traffic.await_answer()
    print(f"  {count} connections taken, none left for 8 s")
    print(traffic.in_words())
    return [
        *reckon(traffic),
        *unless(met, "nobody was refused"),
        *refused_with_503(met),
        *in_time(met, FAST),
        *answered_again(answered),
        *no_other_deaths(product),
    ]


@contextmanager
def all_connections(run: Run) -> Iterator[int]:
    """Take each that is free, and those of Andon as well: now it needs new ones."""
    with ExitStack() as stack:
        ours = []
        refused = 0
        while refused < 20:
            try:
                ours.append(stack.enter_context(psycopg.connect(run.cluster.url, autocommit=True)))
                refused = 0
            except psycopg.OperationalError:
                refused += 1
                ours[0].execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE backend_type = 'client backend' AND pid != ALL(%s)",
                    [[one.info.backend_pid for one in ours]],
                )
        yield len(ours)


def lock(run: Run) -> list[str]:
    """Somebody locks the messages for ten seconds, as a careless migration does."""
    with Product(run.folder) as product, Traffic(product.twilio, gives_up=PATIENT) as traffic:
        time.sleep(3)
        with psycopg.connect(run.cluster.url) as held:
            held.execute("LOCK TABLE whatsapp_bot_message IN ACCESS EXCLUSIVE MODE")
            began = time.monotonic()
            time.sleep(10)
            released = time.monotonic()
        answered = traffic.await_answer()
    met = [one for one in traffic.tries if one.began < released and one.ended > began]
    others = [one for one in traffic.failed if one not in met]
    print("  the table of messages was locked for 10 s")
    print(traffic.in_words())
    return [
        *reckon(traffic),
        *some((one.status for one in others), "tries failed while nothing was locked"),
        *in_time(met, LATEST),
        *answered_again(answered),
        *no_other_deaths(product),
    ]
