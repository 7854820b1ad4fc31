"""The machine's clock jumps an hour forward and an hour back, while Twilio's is right."""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

from benchmarks.faults.product import Product
from benchmarks.faults.reckoning import (
    fetched_within,
    reckon,
    sent_once,
    settled_within,
    unbroken,
)
from benchmarks.faults.scenarios import Run
from benchmarks.faults.traffic import Staff, Traffic
from benchmarks.faults.verdicts import some
from whatsapp_bot.fake_twilio import trouble
from whatsapp_bot.fake_twilio.trouble import Request

JUMPS = (0, 3600, 0, -3600, 0)
"""Seconds that it is ahead, one after the other."""
FOR = 8
SETTLED = 60
"""Seconds after which nothing waits any more, from when the clock is right again."""
UNTIL_FETCHED = 120
A_STORM = 3
"""Times as often as in the first phase, when the clock was right and always had been."""
NO_STORM = 10
"""Requests of which nobody says that they are a storm, however rare they were before."""


def run(run: Run) -> list[str]:
    ahead = run.folder / "ahead"
    ahead.write_text("0")
    wrong = {
        "DJANGO_SETTINGS_MODULE": "benchmarks.faults.wrong_clock",
        "CLOCK_AHEAD": str(ahead),
    }
    staff = Staff()
    with Product(run.folder, **wrong) as product:
        product.twilio.trouble.randomly({trouble.too_many(0.2): 0.05, trouble.failure(): 0.05}, 1)
        with Traffic(product.twilio, rate=20) as traffic:
            phases = [
                have_it(seconds, number, ahead, traffic, staff)
                for number, seconds in enumerate(JUMPS)
            ]
        waiting = settled_within(SETTLED)
        missing = fetched_within(UNTIL_FETCHED, traffic.told)
        unsent = settled_within(SETTLED)
        phases.append(Phase("afterwards", phases[-1].ended, time.monotonic()))
        requests = product.twilio.requests
    print(f"  the clock was {', '.join(phase.name for phase in phases[:-1])}, each for {FOR} s")
    print(traffic.in_words())
    print(f"  {len(staff.written)} messages of staff")
    return [
        *reckon(traffic, failures=()),
        *waiting,
        *missing,
        *unsent,
        *sent_once(product.twilio, staff.written),
        *no_storm(requests, phases),
        *unbroken(product),
    ]


@dataclass(frozen=True)
class Phase:
    """began, ended: by the monotonic clock."""

    name: str
    began: float
    ended: float

    @property
    def seconds(self) -> float:
        return self.ended - self.began


def have_it(seconds: int, number: int, ahead: Path, traffic: Traffic, staff: Staff) -> Phase:
    """Have the clock be so far ahead for a while, in which people write, and staff."""
    ahead.write_text(str(seconds))
    # Nobody brings this one: it is to be fetched.
    traffic.write(traffic.somebody(f"+2786000000{number}"), "hi")
    began = time.monotonic()
    with clock(seconds):
        while time.monotonic() < began + FOR and not traffic.faults:
            staff.write()
            time.sleep(0.2)
    return Phase(f"{seconds:+d} s", began, time.monotonic())


def no_storm(requests: Iterable[Request], phases: list[Phase]) -> list[str]:
    """Of each kind of request, in no phase many times more than in the first, as time goes."""
    counted = [
        Counter(
            f"{one.method} {one.route}" for one in requests if phase.began <= one.at < phase.ended
        )
        for phase in phases
    ]
    storms = []
    for kind in sorted({kind for counts in counted for kind in counts}):
        counts = [of_phase[kind] for of_phase in counted]
        print(f"  {kind}: {', '.join(map(str, counts))} requests")
        a_second = counts[0] / phases[0].seconds
        for phase, count in zip(phases, counts, strict=True):
            if count > max(NO_STORM, A_STORM * a_second * phase.seconds):
                storms.append(f"{count} of {kind} at {phase.name}")
    return some(storms, "storms of requests")


def clock(seconds: int) -> mock._patch:
    """Who writes for staff has the same clock."""
    shown = mock.Mock(side_effect=lambda: datetime.now(UTC) + timedelta(seconds=seconds))
    return mock.patch("django.utils.timezone.now", shown)
