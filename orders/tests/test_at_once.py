"""Many changes at the same moment, each on a connection of its own."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from orders.models import Customer, Line, Order, ProductionRun

pytestmark = pytest.mark.django_db(transaction=True)


def all_at_once(do: Callable[[Any], Any], things: Iterable[Any]) -> list[Any]:
    def alone(thing: Any) -> Any:
        try:
            return do(thing)
        finally:
            connection.close()

    things = list(things)
    with ThreadPoolExecutor(len(things)) as pool:
        return list(pool.map(alone, things))


def test_the_last_of_ten_runs_that_end_at_once_makes_the_order_ready():
    customer = Customer.objects.create(name="Acme")
    order = Order.objects.create(number="ORD-1", customer=customer, product="Gear", quantity=100)
    line, begins = Line.objects.create(name="Line 1"), timezone.now()

    def make(number: int) -> ProductionRun:
        return ProductionRun.objects.create(
            order=order,
            line=line,
            product="Gear",
            quantity=10,
            begins=begins,
            ends=begins + timedelta(hours=8),
        )

    def finish(run: ProductionRun) -> None:
        run.made, run.status = 10, "finished"
        run.save()

    all_at_once(finish, all_at_once(make, range(10)))
    order.refresh_from_db()
    assert order.status == "ready"
