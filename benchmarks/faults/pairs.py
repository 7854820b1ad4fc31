"""Two messages of one person at the same moment, many times: two turns, one after the other."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from benchmarks.faults.product import Product
from benchmarks.faults.reckoning import as_promised, each_taken, unbroken
from benchmarks.faults.scenarios import Run
from benchmarks.faults.stored import reconnect
from benchmarks.faults.traffic import Person, Place, Told, Traffic
from benchmarks.faults.verdicts import some, unless
from defects.models import DefectReport

BEFORE = ("hi", "2", "1")
PAIR = ("The seal leaks", "2")
"""Something to describe, and a number: which of them is the description depends on the order."""
AT_ONCE = 4
"""Pairs at a time, each of somebody else."""
MOSTLY = 0.9
"""Of the pairs so many meet, both under way at the same time: else little is shown."""

Outcome = tuple[Place, Place, tuple[str, ...]]
"""What the two were answered, each with where the conversation stood in the end; the reports."""


def run(run: Run) -> list[str]:
    count = 10_000 if run.long else 1_000
    with Product(run.folder) as product:
        traffic = Traffic(product.twilio)
        orders = [one_after_the_other(traffic, first) for first in (0, 1)]
        began = time.monotonic()
        with ThreadPoolExecutor(AT_ONCE) as people, ThreadPoolExecutor(2 * AT_ONCE) as hands:
            pairs = list(people.map(lambda n: at_once(traffic, n, hands), range(count)))
        took = time.monotonic() - began
    reconnect()
    ended = [order_of(pair, orders) for pair in pairs]
    turned = sum(
        first not in (None, first_sent(pair)) for pair, first in zip(pairs, ended, strict=True)
    )
    print(
        f"  {count} pairs in {took:.0f} s, {len(traffic.told) / took:.0f} messages a second; "
        f"{count_met(pairs)} met on the way\n"
        f"  {ended.count(0)} ended as if the one had come first, {ended.count(1)} as if the other "
        f"had; {turned} in another order than they were sent in"
    )
    return [
        *as_promised(traffic, failures=()),
        *each_taken(traffic.told),
        *two_turns(pairs, ended),
        *shown(pairs, ended, orders),
        *unbroken(product),
    ]


def two_turns(pairs: list[list[Told]], ended: list[int | None]) -> list[str]:
    wrong = (pair[0].address for pair, first in zip(pairs, ended, strict=True) if first is None)
    return some(wrong, "pairs ended as no order of the two does")


def shown(pairs: list[list[Told]], ended: list[int | None], orders: list[Outcome]) -> list[str]:
    """Why it shows nothing, if so."""
    count, met = len(pairs), count_met(pairs)
    return [
        *unless(orders[0] != orders[1], "both orders end in the same place: nothing is shown"),
        *unless({0, 1} <= {*ended}, "only one of the two orders came about"),
        *unless(met >= MOSTLY * count, f"only {met} of {count} pairs met"),
    ]


def one_after_the_other(traffic: Traffic, first: int) -> Outcome:
    person = begin(traffic, f"+282999999{first}")
    pair = [traffic.write(person, words) for words in PAIR]
    for told in (pair[first], pair[1 - first]):
        traffic.bring(told)
    return outcome(pair)


def at_once(traffic: Traffic, number: int, hands: ThreadPoolExecutor) -> list[Told]:
    person = begin(traffic, f"+2785{number:07}")
    pair = [traffic.write(person, words) for words in PAIR]
    both_are_ready = Barrier(len(pair))

    def bring(told: Told) -> None:
        both_are_ready.wait()
        traffic.bring(told)

    # Neither has a head start in one half of them.
    for flying in [hands.submit(bring, told) for told in pair[:: -1 if number % 2 else 1]]:
        flying.result()
    return pair


def begin(traffic: Traffic, address: str) -> Person:
    person = traffic.somebody(address)
    for words in BEFORE:
        traffic.bring(traffic.write(person, words))
    return person


def count_met(pairs: list[list[Told]]) -> int:
    return sum(map(have_met, pairs))


def have_met(pair: list[Told]) -> bool:
    one, other = (told.tries[0] for told in pair)
    return max(one.began, other.began) < min(one.ended, other.ended)


def first_sent(pair: list[Told]) -> int:
    return min((0, 1), key=lambda which: pair[which].tries[0].began)


def order_of(pair: list[Told], orders: list[Outcome]) -> int | None:
    """Which of the two came first, as it ended; None when neither did."""
    if not all(told.is_acknowledged for told in pair):
        return None
    ended = outcome(pair)
    return orders.index(ended) if ended in orders else None


def outcome(pair: list[Told]) -> Outcome:
    made = DefectReport.objects.filter(reported_by__phone=pair[0].address)
    reports = tuple(made.values_list("description", flat=True))
    return Place.after(pair[0]), Place.after(pair[1]), reports
