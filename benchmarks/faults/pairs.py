"""Two messages of one person at the same moment, many times: two turns, one after the other."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from django.db import connection

from benchmarks.faults.product import Product
from benchmarks.faults.reckoning import each_stored_once, only_good_refusals, some
from benchmarks.faults.traffic import Person, Place, Told, Traffic
from defects.models import DefectReport

if TYPE_CHECKING:
    from benchmarks.faults.__main__ import Run

BEFORE = ("hi", "2", "1")
PAIR = ("The seal leaks", "2")
"""Something to describe, and a number: which of them is the description depends on the order."""
AT_ONCE = 4
"""Pairs at a time, each of somebody else."""

Outcome = tuple[Place, Place, tuple[str, ...]]
"""What the two were answered, each with where the conversation stood in the end; the reports."""


def run(run: "Run") -> list[str]:
    count = 10_000 if run.long else 1_000
    with Product(run.folder) as product:
        traffic = Traffic(product.twilio)
        orders = [one_after_the_other(traffic, first) for first in (0, 1)]
        began = time.monotonic()
        with ThreadPoolExecutor(AT_ONCE) as people, ThreadPoolExecutor(2 * AT_ONCE) as hands:
            pairs = list(people.map(lambda n: at_once(traffic, n, hands), range(count)))
        took = time.monotonic() - began
    connection.close()
    outcomes = [outcome(pair) for pair in pairs]
    told = [one for pair in pairs for one in pair]
    counted = Counter(orders.index(one) if one in orders else None for one in outcomes)
    print(
        f"  {count} pairs in {took:.0f} s, {2 * count / took:.0f} messages a second\n"
        f"  {counted[0]} ended as if the one had come first, {counted[1]} as if the other had"
    )
    wrong = (
        f"{pair[0].address}: {one}"
        for pair, one in zip(pairs, outcomes, strict=True)
        if one not in orders
    )
    return [
        *some(wrong, "pairs ended as no order of the two does"),
        *(
            ["both orders end in the same place, so nothing is shown"]
            if orders[0] == orders[1]
            else []
        ),
        *([] if counted[0] and counted[1] else ["only one of the two orders came about"]),
        *some((one.sid for one in told if not one.is_acknowledged), "messages were never taken"),
        *each_stored_once(told),
        *only_good_refusals(told),
    ]


def one_after_the_other(traffic: Traffic, first: int) -> Outcome:
    person = Person(f"+282999999{first}")
    begin(traffic, person)
    pair = [traffic.write(person, words) for words in PAIR]
    for told in (pair[first], pair[1 - first]):
        traffic.bring(told)
    return outcome(pair)


def at_once(traffic: Traffic, number: int, hands: ThreadPoolExecutor) -> list[Told]:
    person = Person(f"+2785{number:07}")
    begin(traffic, person)
    pair = [traffic.write(person, words) for words in PAIR]
    # Neither has a head start in one half of them.
    flying = [hands.submit(traffic.bring, told) for told in pair[:: -1 if number % 2 else 1]]
    for one in flying:
        one.result()
    return pair


def begin(traffic: Traffic, person: Person) -> None:
    for words in BEFORE:
        traffic.bring(traffic.write(person, words))


def outcome(pair: list[Told]) -> Outcome:
    made = DefectReport.objects.filter(reported_by__phone=pair[0].address)
    reports = tuple(made.values_list("description", flat=True))
    return Place.after(pair[0]), Place.after(pair[1]), reports
