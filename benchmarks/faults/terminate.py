"""Restarted as for a new version, again and again under load: no request is dropped."""

import time
from typing import TYPE_CHECKING

from benchmarks.faults.product import Product
from benchmarks.faults.reckoning import reckon, some
from benchmarks.faults.traffic import Traffic

if TYPE_CHECKING:
    from benchmarks.faults.__main__ import Run

EVERY = 2.0


def run(run: "Run") -> list[str]:
    return restart_and_reckon(run, restarts=50 if run.long else 10)


def restart_and_reckon(run: "Run", restarts: int, **how: float) -> list[str]:
    """SIGTERM to gunicorn, and a new one when it has ended; no message is brought a second time."""
    took = []
    with Product(run.folder) as product, Traffic(product.twilio, **how) as traffic:
        for _ in range(restarts):
            time.sleep(EVERY)
            began = time.monotonic()
            product.restart_web()
            took.append(time.monotonic() - began)
            traffic.await_answer()
    dropped = [one for told in traffic.told for one in told.tries if not one.is_good]
    waited = max(one.waited for one in traffic.told)
    print(
        f"  {restarts} restarts; {len(traffic.told)} messages in {traffic.took:.0f} s, "
        f"{len(dropped)} requests dropped\n"
        f"  ended within {max(took):.2f} s; the longest wait for an answer: {waited:.2f} s"
    )
    return [
        *reckon(traffic),
        *some((f"{one.status or 'no answer'}" for one in dropped), "requests were dropped"),
    ]
