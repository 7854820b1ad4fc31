"""Many requests of another system at the same moment, each on a connection of its own."""

import pytest
from rest_framework.test import APIClient

from config.tests.test_api import problem
from orders.models import Customer, Order, OrderLine
from whatsapp_bot.tests.database import all_at_once, held_by_another

pytestmark = pytest.mark.django_db(transaction=True)
LINES = [{"product": "Gear", "quantity": 5}, {"product": "Lid", "quantity": 7}]


@pytest.fixture
def asked(transactional_db, api, settings):
    """Ask all of these at once: method, address and body; the answers in the same order."""
    settings.API_PER_MINUTE = 10_000
    secret = api(is_superuser=True).secret
    Customer.objects.create(name="Acme", reference="K-100")

    def ask(asked):
        method, path, body = asked
        client = APIClient(HTTP_AUTHORIZATION=f"Bearer {secret}")
        return getattr(client, method)(f"/api/v1/{path}", body)

    return lambda requests: all_at_once(ask, requests)


def test_the_same_order_fifty_times_at_once_is_one(asked):
    order = {"customer": "K-100", "lines": LINES}
    answers = asked([("put", "orders/ORD-1/", order)] * 50)
    assert sorted(answer.status_code for answer in answers) == [200] * 49 + [201]
    assert Order.objects.count() == 1
    assert OrderLine.objects.count() == 2
    assert len({answer.content for answer in answers}) == 1


def test_the_same_rows_at_once_in_another_order_are_stored_once(asked):
    rows = [
        {"number": f"ORD-{n}", "customer": "K-100", "product": "Gear", "quantity": 5}
        for n in range(10)
    ]
    both = [{"rows": rows}, {"rows": rows[::-1]}] * 3
    answers = asked([("post", "orders/bulk/", body) for body in both])
    assert [answer.status_code for answer in answers] == [200] * 6
    reports = [answer.json() for answer in answers]
    assert sum(report["created"] for report in reports) == 10
    assert sum(report["unchanged"] for report in reports) == 50
    assert Order.objects.count() == 10


def test_changes_of_the_same_order_at_once_lose_nothing(asked):
    order = {"customer": "K-100", "product": "Gear", "quantity": 5}
    asked([("put", "orders/ORD-1/", order)])
    asked(
        [("put", "orders/ORD-1/", change) for change in [{"notes": "Call first"}, {"quantity": 9}]]
    )
    changed = Order.objects.get()
    assert (changed.notes, changed.quantity) == ("Call first", 9)


def test_lines_without_positions_in_another_order_at_once_stay_the_same(asked):
    orders = [{"customer": "K-100", "lines": lines} for lines in (LINES, LINES[::-1])]
    asked([("put", "orders/ORD-1/", orders[0])])
    stored = set(OrderLine.objects.values_list("pk", "product"))
    answers = asked([("put", "orders/ORD-1/", order) for order in orders * 10])
    assert {answer.status_code for answer in answers} == {200}
    assert set(OrderLine.objects.values_list("pk", "product")) == stored


@pytest.fixture
def an_order(transactional_db):
    acme = Customer.objects.create(name="Acme", reference="K-100")
    return Order.objects.create(number="ORD-1", customer=acme, product="Gear", quantity=5)


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        ("put", "orders/ORD-1/", {"quantity": 6}),
        ("post", "orders/bulk/", {"rows": [{"number": "ORD-1", "quantity": 6}]}),
        ("delete", "orders/ORD-1/", None),
    ],
)
def test_what_somebody_else_is_changing_is_tried_again(
    api, an_order, log, caplog, method, path, said
):
    erp = api(is_superuser=True)
    with held_by_another(an_order):
        answer = getattr(erp, method)(f"/api/v1/{path}", said)
    told = problem(answer, 503)
    assert told["detail"] == "Somebody else is changing this. Please try again."
    assert answer["Retry-After"] == "10"
    assert not [line for line in log if line["log_level"] == "error"]
    assert not caplog.records
    assert getattr(erp, method)(f"/api/v1/{path}", said).status_code in (200, 204)
