"""Many changes at the same moment, each on a connection of its own."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from defects.models import DefectReport
from orders.importing import work
from orders.models import Customer, Import, Line, Order, ProductionRun
from orders.tests.test_admin import posted
from whatsapp_bot.models import Contact
from whatsapp_bot.tests.database import all_at_once, held_by_another

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
        made.keep(ContentFile(content))
        work.begin(made)
        assert made.confirm()
        return made

    return checked


GEARS = {"customer": "K-100", "product": "Gear", "quantity": 7}


def orders(count: int) -> None:
    acme = Customer.objects.create(name="Acme", reference="K-100")
    Order.objects.bulk_create(
        Order(number=f"A{n:05}", key=f"A{n:05}", customer=acme, product="Gear", quantity=1)
        for n in range(count)
    )


@pytest.fixture
def slow(monkeypatch) -> Callable[[Import], AbstractContextManager[None]]:
    """Meanwhile all of an import is saved, and nothing of it committed."""

    @contextmanager
    def slow(imported: Import) -> Iterator[None]:
        saved, done = threading.Event(), threading.Event()
        settle = Import.settle

        def settle_slowly(*what: Any, **values: Any) -> bool:
            saved.set()
            assert done.wait(20)
            return settle(*what, **values)

        monkeypatch.setattr(Import, "settle", settle_slowly)
        with ThreadPoolExecutor(1) as pool:
            going = pool.submit(all_at_once, work.begin, [imported])
            try:
                assert saved.wait(20)
                yield
            finally:
                done.set()
            going.result()

    return slow


@on_postgresql
def test_who_names_an_order_does_not_wait_for_an_import(checked, slow):
    orders(1)
    with slow(checked([0], 5)):
        DefectReport.objects.file(
            reported_by=Contact.objects.create(phone="+27820000001"),
            description="Scratch",
            order=Order.objects.get(),
        )
    assert Order.objects.get().quantity == 5


@on_postgresql
def test_an_import_that_waits_for_others_in_vain_is_confirmed_again(checked):
    orders(1500)
    imported = checked(range(1500), 2)
    with transaction.atomic():
        Order.objects.filter(number="A01200").update(product="Wheel")
        all_at_once(work.begin, [imported])
    imported.refresh_from_db()
    assert (imported.status, imported.why) == (Import.Status.CHECKED, work.CONFIRM_AGAIN)
    assert imported.changed == 1500, "it is shown as it was looked at"
    assert imported.confirm()
    work.begin(imported)
    assert imported.status == Import.Status.DONE
    assert not Order.objects.exclude(quantity=2).exists()


@on_postgresql
def test_who_changes_an_order_that_is_being_imported_waits_for_three_seconds(checked, slow, api):
    orders(2)
    with slow(checked([0], 5)):
        erp = api("Administrators")
        began = time.monotonic()
        assert erp.put("/api/v1/orders/A00001/", GEARS).status_code == 200
        assert time.monotonic() - began < 2.8, "another one is changed at once"
        began = time.monotonic()
        assert erp.put("/api/v1/orders/A00000/", GEARS).status_code == 503
        assert 2 < time.monotonic() - began < 6
    assert list(Order.objects.order_by("key").values_list("quantity", flat=True)) == [5, 7]


@on_postgresql
def test_two_imports_of_the_same_orders_in_another_order(checked):
    orders(4000)
    one, other = checked(range(4000), 2), checked(reversed(range(4000)), 3)
    all_at_once(work.begin, [one, other])
    came = []
    for imported in (one, other):
        imported.refresh_from_db()
        came.append(imported.status)
        assert imported.status == "done" or imported.why == work.CONFIRM_AGAIN
    assert "done" in came
    assert Order.objects.values("quantity").distinct().count() == 1


def test_a_page_that_somebody_else_is_changing_is_sent_again(admin_client, log, caplog):
    customer = Customer.objects.create(name="Acme")
    admin_client.raise_request_exception = False
    page = reverse("admin:orders_customer_change", args=[customer.pk])
    entered = {**posted(admin_client.get(page)), "name": "Acme Ltd"}
    with held_by_another(customer):
        answer = admin_client.post(page, entered)
    told = answer.content.decode()
    assert answer.status_code == 503
    assert "Somebody else is changing this." in told
    assert "load this page again" in told
    assert not [line for line in log if line["log_level"] == "error"]
    assert not caplog.records
    assert admin_client.post(page, entered).status_code == 302
    customer.refresh_from_db()
    assert customer.name == "Acme Ltd"
