"""Many changes at the same moment, each on a connection of its own."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.db import connection
from django.utils import timezone

from defects.models import DefectReport
from orders.importing import work
from orders.models import Customer, Import, Line, Order, ProductionRun
from whatsapp_bot.models import Contact
from whatsapp_bot.tests.database import all_at_once

pytestmark = pytest.mark.django_db(transaction=True)


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


# Imports, on PostgreSQL: SQLite takes one write at a time -----------------------------------------

on_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="nobody else writes to SQLite meanwhile"
)


@pytest.fixture
def checked(settings, tmp_path) -> Callable[..., Import]:
    """An import of orders with these numbers and quantity that is looked at, and not yet done."""
    settings.MEDIA_ROOT = tmp_path
    boss = User.objects.create_superuser("boss")

    def checked(numbers: Iterable[int], quantity: int) -> Import:
        rows = [f"A{number:05},Acme,Gear,{quantity}\n" for number in numbers]
        content = "".join(["order number,customer,product,quantity\n", *rows]).encode()
        made = Import(by=boss, what="orders", name="a.csv", size=len(content))
        made.weight = made.size
        made.file.save(made.new_place("imports"), ContentFile(content), save=False)
        work.begin(made)
        assert made.confirm()
        return made

    return checked


def orders(count: int) -> None:
    acme = Customer.objects.create(name="Acme")
    Order.objects.bulk_create(
        Order(number=f"A{n:05}", key=f"A{n:05}", customer=acme, product="Gear", quantity=1)
        for n in range(count)
    )


@on_postgresql
def test_who_names_an_order_does_not_wait_for_an_import(checked, monkeypatch):
    orders(1)
    imported, saved, done = checked([0], 5), threading.Event(), threading.Event()
    settle = Import.settle

    def settle_slowly(*what: Any, **values: Any) -> bool:
        saved.set()
        assert done.wait(20)
        return settle(*what, **values)

    monkeypatch.setattr(Import, "settle", settle_slowly)
    with ThreadPoolExecutor(1) as pool:
        going = pool.submit(all_at_once, work.begin, [imported])
        assert saved.wait(20)
        try:
            DefectReport.objects.file(
                reported_by=Contact.objects.create(phone="+27820000001"),
                description="Scratch",
                order=Order.objects.get(),
            )
        finally:
            done.set()
        going.result()
    assert Order.objects.get().quantity == 5


@on_postgresql
def test_two_imports_of_the_same_orders_in_another_order(checked):
    orders(4000)
    one, other = checked(range(4000), 2), checked(reversed(range(4000)), 3)
    all_at_once(work.begin, [one, other])
    came = []
    for imported in (one, other):
        imported.refresh_from_db()
        came.append(imported.status)
        assert imported.status == "done" or "Please look again" in imported.why
    assert "done" in came
    assert Order.objects.values("quantity").distinct().count() == 1
