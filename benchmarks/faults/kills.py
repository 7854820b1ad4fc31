"""Processes die at random, while people write and staff write to them."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.faults.product import Product, crowding
from benchmarks.faults.reckoning import reckon, sent_once, some, wait_until
from benchmarks.faults.traffic import Staff, Traffic
from whatsapp_bot.models import Message

if TYPE_CHECKING:
    from benchmarks.faults.__main__ import Run

EVERY = 0.5
WITHIN = 2.0
"""Seconds after a death within which somebody has a good answer."""
VICTIMS = {"web": 6, "worker": 2, "gunicorn": 1}
"""How often each of them, in proportion: gunicorn's workers, ours, and all of gunicorn."""
CLAIMED = 60
"""Seconds until what a dead worker had in hand is sent. A message is brought for as long, too."""


def run(run: "Run") -> list[str]:
    """A machine that others use as well is given as much longer as they make it slower."""
    before = crowding()
    victims = random.Random(1).choices(list(VICTIMS), VICTIMS.values(), k=500 if run.long else 100)  # noqa: S311
    deaths, wrong = kill_and_reckon(run.folder, victims)
    crowd = max(before, crowding())
    print(f"  others made the machine {crowd:.1f} times slower")
    slow = [one.answered_after for one in deaths if one.answered_after > WITHIN * crowd]
    return [
        *wrong,
        *some(
            (f"{wait:.1f} s" for wait in slow), f"answers came later than {WITHIN * crowd:.1f} s"
        ),
    ]


@dataclass
class Death:
    """answered_after: seconds until somebody had a good answer to what came later."""

    who: str
    at: float
    answered_after: float = float("inf")


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
            wait_until(lambda: traffic.answered_after(deaths[-1].at) < float("inf"), CLAIMED)
        settled = wait_until(lambda: not Message.objects.unsettled().exists(), CLAIMED)
    for death in deaths:
        death.answered_after = traffic.answered_after(death.at)
    tell(traffic, deaths, staff)
    return deaths, [
        *reckon(traffic),
        *sent_once(product.twilio, staff.written),
        *([] if settled else ["messages are left in the outbox"]),
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
    told = traffic.told
    tries = [one for message in told for one in message.tries]
    failed = sum(not one.is_good for one in tries)
    print(
        f"  {len(told)} messages in {traffic.took:.0f} s, {len(told) / traffic.took:.0f} a second, "
        f"brought {len(tries)} times, {failed} of these in vain; "
        f"{len(staff.written)} messages of staff\n"
        f"  the longest wait for an answer: {max(one.waited for one in told):.2f} s"
    )
    for who in sorted({death.who for death in deaths}):
        waited = sorted(death.answered_after for death in deaths if death.who == who)
        print(
            f"  {len(waited)} times killed: {who}; the first good answer after "
            f"{waited[len(waited) // 2]:.2f} s (median), {waited[-1]:.2f} s (at most)"
        )
