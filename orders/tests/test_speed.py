"""What asking for an order or the schedule costs the database."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from orders.models import Customer, CustomerLink, Line, Order, ProductionRun
from orders.models.keys import LastFour
from whatsapp_bot.models import Contact
from whatsapp_bot.models.contact import Role
from whatsapp_bot.tests.database import analyze, statements

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("read_once")]

TURN = 4
"""What every turn takes."""


@pytest.fixture(scope="module")
def many(shared_rows):
    """Enough rows for the planner to prefer an index, and statistics that say so."""
    with shared_rows(make_many):
        yield


def make_many():
    line, now = Line.objects.create(name="Line 1"), timezone.now()
    customers = [Customer(name=f"Customer {n}", reference=f"K-{n}") for n in range(50)]
    Customer.objects.bulk_create(customers)
    orders = [
        Order(
            number=f"ORD-{n}",
            customer=customers[n % 50],
            product="Gear",
            quantity=10,
            status="delivered" if n % 10 else "received",
        )
        for n in range(3000)
    ]
    Order.objects.bulk_create(orders)
    ProductionRun.objects.bulk_create(
        ProductionRun(
            order=order,
            line=line,
            product="Gear",
            quantity=10,
            begins=now + timedelta(hours=8 * n),
            ends=now + timedelta(hours=8 * n + 8),
        )
        for n, order in enumerate(orders, -2900)
    )
    analyze(Customer, Line, Order, ProductionRun)


@pytest.fixture
def buyer(many, contact) -> Contact:
    CustomerLink.objects.create(contact=contact, customer=Customer.objects.get(key="K10"))
    return contact


def reads_whole_table(queryset) -> bool:
    plan = queryset.explain().lower()
    return bool(
        re.search(
            r"seq scan on orders_(order|productionrun)"
            if connection.vendor == "postgresql"
            else r"\bscan orders_(order|productionrun)",
            plan,
        )
    )


def test_a_plan_without_an_index_is_noticed(many):
    assert reads_whole_table(Order.objects.filter(product="x"))
    assert reads_whole_table(ProductionRun.objects.filter(product="x").order_by())


def _alike(orders):
    """As `ending_in` looks for them."""
    return orders.alias(last=LastFour("key")).filter(last="D999", key__endswith="D999")[:20]


def test_what_people_ask_for_is_found_by_an_index(buyer):
    worker = Contact(role=Role.WORKER)
    runs, today = ProductionRun.objects.all(), timezone.localdate()
    for asked in (
        Order.objects.visible_to(buyer).numbered("ord 60"),
        Order.objects.visible_to(buyer).named_in("my order is ord 60."),
        *(_alike(Order.objects.visible_to(one)) for one in (buyer, worker)),
        Order.objects.open_of(buyer)[:9],
        Order.objects.filter(updated_at__gt=timezone.now()).order_by("updated_at", "pk")[:100],
        runs.filter(line=Line.objects.get()).between(today, today),
        runs.visible_to(buyer).between(today, today),
    ):
        assert not reads_whole_table(asked), asked.explain()


def test_an_order_out_of_the_blue_takes_five_statements_more(buyer, phone):
    phone.say("hi")
    made = statements(lambda: phone.say("ord 60"))
    assert len(made) <= TURN + 5, "\n".join(made)


@pytest.mark.parametrize("asked", ["where is ord 60?", "any news on order ORD-60"])
def test_so_does_a_question_for_one(buyer, phone, asked):
    phone.say("hi")
    made = statements(lambda: phone.say(asked))
    assert len(made) <= TURN + 5, "\n".join(made)


@pytest.mark.parametrize(("said", "more"), [("what a day it was", 0), ("12 of them are bent", 1)])
def test_what_asks_for_no_order_is_looked_up_once_at_the_most(buyer, phone, said, more):
    phone.say("hi")
    phone.say("what?")
    made = statements(lambda: phone.say(said))
    assert len(made) <= TURN + more, "\n".join(made)


def test_the_open_orders_take_three_statements_more(buyer, phone):
    phone.say("hi")
    phone.say("1")
    phone.say("hi")
    made = statements(lambda: phone.say("1"))
    assert len(made) <= TURN + 3, "\n".join(made)


def test_an_order_chosen_there_takes_six_more(buyer, phone):
    phone.say("hi")
    phone.say("1")
    made = statements(lambda: phone.say("ord 60"))
    assert len(made) <= TURN + 6, "\n".join(made)


def test_a_day_of_the_schedule_takes_four_statements_more(buyer, phone):
    phone.say("hi")
    phone.say("3")
    made = statements(lambda: phone.say("today"))
    assert len(made) <= TURN + 4, "\n".join(made)
