"""Processes die at random, while people write and staff write to them."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path

from benchmarks.faults.product import Product, crowding
from benchmarks.faults.reckoning import (
    answered_again,
    no_other_deaths,
    reckon,
    sent_once,
    settled_within,
)
from benchmarks.faults.scenarios import Run
from benchmarks.faults.traffic import NO_ANSWER, REFUSED, Staff, Traffic, wait_until
from benchmarks.faults.verdicts import some

EVERY = 0.5
WITHIN = 2.0
"""Seconds after a death within which somebody has a good answer."""
TOO_BUSY = 3.0
"""Times slower, from which on the machine says nothing of how soon somebody is answered."""
VICTIMS = {"web": 6, "worker": 2, "gunicorn": 1}
"""How often each of them, in proportion: gunicorn's workers, ours, and all of gunicorn."""
CLAIMED = 60
"""Seconds until what a dead worker had in hand is sent. A message is brought for as long, too."""


def run(run: Run) -> list[str]:
    """A machine that others use as well is given longer, but not for ever."""
    before = crowding()
    victims = random.Random(1).choices(list(VICTIMS), VICTIMS.values(), k=500 if run.long else 100)  # noqa: S311
    deaths, wrong = kill_and_reckon(run.folder, victims)
    return [*wrong, *answered_soon(deaths, max(before, crowding()))]


def answered_soon(deaths: list["Death"], crowd: float) -> list[str]:
    """crowd: how many times slower others made the machine."""
    print(f"  others made the machine {crowd:.1f} times slower")
    if crowd > TOO_BUSY:
        print("  not judged how soon somebody was answered: the machine is too busy")
        return []
    within = WITHIN * crowd
    late = (one.answered_after for one in deaths if one.answered_after > within)
    return some((f"{wait:.1f} s" for wait in late), f"answers came later than {within:.1f} s")


@dataclass
class Death:
    """answered_after: seconds until somebody had a good answer to what came later."""

    who: str
    at: float
    answered_after: float = inf


def kill_and_reckon(
    folder: Path, victims: Sequence[str], **how: float
) -> tuple[list[Death], list[str]]:
    """Kill one of these processes after the other; with it, all that is wrong afterwards."""
    deaths: list[Death] = []
    dice = random.Random(2)  # noqa: S311
    staff = Staff()
    with Product(folder) as product:
        with Traffic(product.twilio, gives_up=CLAIMED, **how) as traffic:
            for who in victims:
                time.sleep(EVERY)
                staff.write()
                deaths.append(kill_one(product, who, dice))
            wait_until(lambda: traffic.answered_after(deaths[-1].at) < inf, CLAIMED)
        left = settled_within(CLAIMED)
    for death in deaths:
        death.answered_after = traffic.answered_after(death.at)
    tell(traffic, deaths, staff)
    return deaths, [
        *reckon(traffic, failures=(NO_ANSWER, REFUSED)),
        *sent_once(product.twilio, staff.written),
        *left,
        *answered_again(*(death.answered_after for death in deaths)),
        *no_other_deaths(product),
    ]


def kill_one(product: Product, who: str, dice: random.Random) -> Death:
    """Kill it; when it is only starting, one of the web workers instead."""
    while True:
        if who != "web" and (
            product.kill_gunicorn() if who == "gunicorn" else product.kill_worker()
        ):
            return Death(who, time.monotonic())
        if product.kill_web_worker(dice.randrange(1000)):
            return Death("web", time.monotonic())
        time.sleep(0.01)


def tell(traffic: Traffic, deaths: list[Death], staff: Staff) -> None:
    print(traffic.in_words())
    print(f"  {len(staff.written)} messages of staff")
    for who in sorted({death.who for death in deaths}):
        waited = sorted(death.answered_after for death in deaths if death.who == who)
        print(
            f"  {len(waited)} times killed: {who}; the first good answer after "
            f"{waited[len(waited) // 2]:.2f} s (median), {waited[-1]:.2f} s (at most)"
        )
