"""The machine's clock jumps an hour forward and an hour back, while Twilio's is right."""

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from unittest import mock

from benchmarks.faults.product import Product
from benchmarks.faults.reckoning import all_fetched, ours, reckon, sent_once, some, wait_until
from benchmarks.faults.traffic import Person, Staff, Traffic
from whatsapp_bot.fake_twilio import trouble
from whatsapp_bot.models import Message

if TYPE_CHECKING:
    from benchmarks.faults.__main__ import Run

JUMPS = (0, 3600, 0, -3600, 0)
"""Seconds that it is ahead, one after the other."""
FOR = 8
SETTLED = 60
"""Seconds after which nothing waits any more, from when the clock is right again."""
UNTIL_FETCHED = 120
MOST_REQUESTS = 3
"""Requests for each message of staff, where one in ten is refused at first."""


def run(run: "Run") -> list[str]:
    ahead = run.folder / "ahead"
    ahead.write_text("0")
    wrong = {
        "DJANGO_SETTINGS_MODULE": "benchmarks.faults.wrong_clock",
        "CLOCK_AHEAD": str(ahead),
    }
    staff = Staff()
    missed = []
    with Product(run.folder, **wrong) as product:
        product.twilio.trouble.randomly({trouble.too_many(0.2): 0.05, trouble.failure(): 0.05}, 1)
        with Traffic(product.twilio, rate=20) as traffic:
            for number, seconds in enumerate(JUMPS):
                ahead.write_text(str(seconds))
                # Nobody brings this one: it is to be fetched.
                missed.append(traffic.write(Person(f"+2786000000{number}")))
                ends = time.monotonic() + FOR
                with clock(seconds):
                    while time.monotonic() < ends and not traffic.faults:
                        staff.write()
                        time.sleep(0.2)
        settled = wait_until(lambda: not Message.objects.unsettled().exists(), SETTLED)
        sids = {one.sid for one in missed}
        wait_until(lambda: ours().filter(sid__in=sids).count() == len(sids), UNTIL_FETCHED)
        requests = sum(trouble.sends(one) for one in product.twilio.requests)
    waiting = Message.objects.unsettled().count()
    print(
        f"  the clock was {', '.join(f'{seconds:+d} s' for seconds in JUMPS)}, each for {FOR} s; "
        f"{len(traffic.told)} messages in {traffic.took:.0f} s\n"
        f"  {len(staff.written)} messages of staff took {requests} requests; {waiting} still wait"
    )
    storm = requests > MOST_REQUESTS * len(staff.written)
    return [
        *reckon(traffic),
        *all_fetched(missed),
        *sent_once(product.twilio, staff.written),
        *([] if settled else [f"{waiting} messages still waited after {SETTLED} s"]),
        *some([requests] if storm else [], "storm of requests"),
    ]


def clock(seconds: int) -> mock._patch:
    """Who writes for staff has the same clock."""
    shown = mock.Mock(side_effect=lambda: datetime.now(UTC) + timedelta(seconds=seconds))
    return mock.patch("django.utils.timezone.now", shown)
