"""PostgreSQL is restarted, away, full, or locked, while people write."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import psycopg
from django.db import connection

from benchmarks.faults.product import Product
from benchmarks.faults.reckoning import all_fetched, ours, reckon, some, wait_until
from benchmarks.faults.traffic import Traffic, Try

if TYPE_CHECKING:
    from benchmarks.faults.__main__ import Run

FAST = 2.0
"""Seconds within which a database that is away is answered with 503."""
LATEST = 15.0
"""Seconds after which Twilio hangs up."""
UNTIL_FETCHED = 120
PATIENT = 60
"""Seconds for which each message is brought again, so that none has to be fetched."""


def restarts(run: "Run") -> list[str]:
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
    tell(traffic)
    return [*reckon(traffic), *back(answered)]


def down(run: "Run") -> list[str]:
    """Away for a while: what people write is refused fast, and fetched from Twilio afterwards."""
    seconds = 300 if run.long else 20
    with Product(run.folder) as product:
        with Traffic(product.twilio, gives_up=0.5) as traffic:
            time.sleep(3)
            run.cluster.stop()
            stopped = time.monotonic()
            time.sleep(seconds)
            started = time.monotonic()
            run.cluster.start()
            answered = traffic.await_answer()
            time.sleep(3)
        connection.close()
        told = traffic.told
        sids = {one.sid for one in told}
        fetched = wait_until(
            lambda: ours().filter(sid__in=sids).count() == len(sids), UNTIL_FETCHED
        )
        took = time.monotonic() - started
    tried = [one for message in told for one in message.tries]
    refused = [one for one in tried if stopped <= one.began and one.ended <= started]
    left = sum(not one.is_acknowledged for one in told)
    print(
        f"  PostgreSQL was away for {seconds} s; then {left} messages were to be fetched from "
        f"Twilio, which took {took:.0f} s"
    )
    tell(traffic)
    return [
        *reckon(traffic, undisturbed=False),
        *all_fetched(told),
        *([] if fetched else [f"they were not fetched within {UNTIL_FETCHED} s"]),
        *([] if left else ["nothing had to be fetched, so nothing is shown"]),
        *in_time(refused, FAST),
        *back(answered),
    ]


def connections(run: "Run") -> list[str]:
    """Others have used up all connections when Andon needs new ones."""
    with Product(run.folder) as product, Traffic(product.twilio, gives_up=PATIENT) as traffic:
        time.sleep(3)
        with all_connections(run) as count:
            began = time.monotonic()
            time.sleep(8)
            refused = [one for told in traffic.told for one in told.tries if one.began >= began]
        answered = traffic.await_answer()
    print(f"  {count} connections taken, none left for 8 s")
    tell(traffic)
    return [
        *reckon(traffic),
        *([] if any(one.status == 503 for one in refused) else ["nobody was refused"]),
        *in_time(refused, FAST),
        *back(answered),
    ]


@contextmanager
def all_connections(run: "Run") -> Iterator[int]:
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


def lock(run: "Run") -> list[str]:
    """Somebody locks the messages for ten seconds, as a careless migration does."""
    with Product(run.folder) as product, Traffic(product.twilio, gives_up=PATIENT) as traffic:
        time.sleep(3)
        with psycopg.connect(run.cluster.url) as held:
            held.execute("LOCK TABLE whatsapp_bot_message IN ACCESS EXCLUSIVE MODE")
            began = time.monotonic()
            time.sleep(10)
            released = time.monotonic()
        answered = traffic.await_answer()
    tried = [one for told in traffic.told for one in told.tries]
    met = [one for one in tried if one.began < released and one.ended > began]
    print("  the table of messages was locked for 10 s")
    tell(traffic)
    return [*reckon(traffic), *in_time(met, LATEST), *back(answered)]


def in_time(tries: list[Try], seconds: float) -> list[str]:
    slow = (f"{one.ended - one.began:.1f} s" for one in tries if one.ended - one.began > seconds)
    return some(slow, f"answers took longer than {seconds:g} s")


def back(answered: float) -> list[str]:
    return [] if answered < PATIENT else ["nobody was answered any more"]


def tell(traffic: Traffic) -> None:
    tried = [one for told in traffic.told for one in told.tries]
    refused = [one.ended - one.began for one in tried if one.status == 503]
    print(
        f"  {len(traffic.told)} messages in {traffic.took:.0f} s, brought {len(tried)} times, "
        f"{len(refused)} of these refused with 503, within {max(refused, default=0):.2f} s"
    )
