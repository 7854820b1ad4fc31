"""Restarted as for a new version, again and again under load: no request is dropped."""

import time

from benchmarks.faults.product import Product, Restart
from benchmarks.faults.reckoning import (
    answered_again,
    reckon,
    sent_once,
    settled_within,
    unbroken,
)
from benchmarks.faults.scenarios import Run
from benchmarks.faults.traffic import Staff, Traffic, Try
from benchmarks.faults.verdicts import some, unless

EVERY = 2.0
RATE = 60
"""Turns a second."""
AT_A_RESTART = 20
"""Messages of staff that are written just before, so that some are just being sent."""
UNTIL_SENT = 60


def run(run: Run) -> list[str]:
    return restart_and_reckon(run, restarts=50 if run.long else 10, rate=RATE)


def restart_and_reckon(run: Run, restarts: int, **how: float) -> list[str]:
    """SIGTERM to gunicorn and to the worker, each of which is started again when it has ended.

    No message is brought a second time after a failure, since there is none.
    """
    web, worker, waits = [], [], []
    staff = Staff()
    with Product(run.folder) as product:
        with Traffic(product.twilio, **how) as traffic:
            for _ in range(restarts):
                time.sleep(EVERY)
                for _ in range(AT_A_RESTART):
                    staff.write()
                worker.append(product.restart_worker())
                traffic.await_flight()
                web.append(product.restart_web())
                waits.append(traffic.await_answer())
        left = settled_within(UNTIL_SENT)
    flying = [one for restart in web for one in traffic.tries if is_in_flight(one, restart)]
    print(traffic.in_words())
    print(
        f"  gunicorn was restarted {restarts} times, within {longest(web):.2f} s, with "
        f"{len(flying)} requests in flight; the worker, within {longest(worker):.2f} s, with "
        f"{len(staff.written)} messages of staff"
    )
    return [
        *reckon(traffic, failures=()),
        *left,
        *sent_once(product.twilio, staff.written),
        *ended_cleanly([*web, *worker], flying),
        *answered_again(*waits),
        *unbroken(product),
    ]


def ended_cleanly(restarts: list[Restart], flying: list[Try]) -> list[str]:
    return [
        *unless(flying, "nothing was ever in flight, so nothing is shown"),
        *some((one.status for one in restarts if one.status), "ends were no clean ones"),
    ]


def is_in_flight(one: Try, restart: Restart) -> bool:
    return one.began < restart.asked < one.ended


def longest(restarts: list[Restart]) -> float:
    return max(one.took for one in restarts)
