"""What follows from production runs: progress, the promised date, the next step, the status."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from orders.models import Customer, Line, Order, OrderLine, ProductionRun
from orders.models.progress import Next, Step

# A Monday, 10:00 in Johannesburg.
NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
TODAY = date(2026, 11, 23)
DUE = date(2026, 11, 30)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def order():
    customer = Customer.objects.create(name="Acme")
    return Order.objects.create(
        number="ORD-1", customer=customer, product="Gear", quantity=100, due_date=DUE
    )


def run(order, quantity=100, days=1, **values):
    """A run of 8 hours that begins so many days from now."""
    begins = NOW + timedelta(days=days)
    line, _ = Line.objects.get_or_create(name="Line 1")
    return ProductionRun.objects.create(
        **{
            "order": order,
            "line": line,
            "product": "Gear",
            "quantity": quantity,
            "begins": begins,
            "ends": begins + timedelta(hours=8),
            **values,
        }
    )


def now(order):
    return Order.objects.with_progress().get(pk=order.pk)


# The promised date ---------------------------------------------------------------------------------


def test_without_runs_it_is_the_due_date_unless_that_is_over(order):
    assert order.promised() == DUE
    order.due_date = TODAY
    assert order.promised() == TODAY
    order.due_date = TODAY - timedelta(days=1)
    assert order.promised() is None
    order.due_date = None
    assert order.promised() is None


def test_it_is_when_the_runs_have_made_what_is_missing(order):
    run(order, 60, days=-2, made=60, status="finished")
    run(order, 30, days=2)
    assert now(order).promised() == DUE  # ten are not planned yet
    run(order, 30, days=12)
    run(order, 30, days=20)  # more than it takes
    assert now(order).promised() == date(2026, 12, 5)


def test_what_a_running_run_has_made_is_not_counted_twice(order):
    run(order, 100, days=0, made=40, status="running")
    assert now(order).promised() == TODAY
    run(order, 100, days=0, made=40, status="running").delete()
    order.runs.update(quantity=99)
    assert now(order).promised() == DUE


def test_late_and_cancelled_runs_promise_nothing(order):
    run(order, days=-1)
    assert now(order).promised() == DUE
    run(order, days=1, status="cancelled")
    assert now(order).promised() == DUE
    Order.objects.update(due_date=TODAY - timedelta(3))
    assert now(order).promised() is None


def test_a_night_shift_ends_the_next_day(order):
    run(order, begins=NOW + timedelta(hours=12), ends=NOW + timedelta(hours=20))
    assert now(order).promised() == TODAY + timedelta(days=1)


@pytest.mark.parametrize(
    ("status", "promised"),
    [
        ("received", date(2026, 11, 24)),
        ("on_hold", None),
        ("ready", DUE),
        ("shipped", None),
        ("delivered", None),
        ("cancelled", None),
    ],
)
def test_what_waits_or_has_left_is_not_promised(order, status, promised):
    run(order)
    Order.objects.update(status=status)
    assert now(order).promised() == promised


def test_made_but_not_ready_yet_it_is_the_due_date(order):
    run(order, 100, days=0, made=100, status="running")
    assert now(order).promised() == DUE


# Orders with several products -----------------------------------------------------------------------


@pytest.fixture
def lines(order):
    make = OrderLine.objects.create
    return [
        make(order=order, product="Gear", quantity=100),
        make(order=order, product="Lid", quantity=50),
    ]


def test_an_order_is_what_its_lines_are(order, lines):
    assert (now(order).product, now(order).quantity) == ("Gear, Lid", 150)
    lines[0].quantity = 10
    lines[0].save()
    assert now(order).quantity == 60
    OrderLine.objects.filter(product="Gear").delete()
    assert (now(order).product, now(order).quantity) == ("Lid", 50)
    lines[1].delete()
    assert (now(order).product, now(order).quantity) == ("Lid", 50)


def test_many_lines_fit(order):
    for number in range(40):
        OrderLine.objects.create(order=order, product=f"Product {number}", quantity=2**31 - 1)
    assert now(order).quantity == 40 * (2**31 - 1)
    assert now(order).product.endswith("…")


def test_too_much_of_one_makes_not_enough_of_another(order, lines):
    run(order, order_line=lines[0], made=140, status="finished")
    run(order, product=" LID", made=20, status="finished")
    assert [need.made for need in now(order).needs()] == [100, 20]
    assert now(order).made() == 120
    assert now(order).status == "in_production"


def test_a_run_of_none_or_of_several_of_the_lines_counts_for_none(order, lines):
    run(order, product="Bolt", made=5)
    OrderLine.objects.create(order=order, product="lid", quantity=1)
    run(order, product="Lid", made=5)
    assert now(order).made() == 0


def test_the_promise_waits_for_the_last_line(order, lines):
    run(order, order_line=lines[0], days=1)
    assert now(order).promised() == DUE
    run(order, 50, order_line=lines[1], days=3)
    assert now(order).promised() == date(2026, 11, 26)
    lines[1].runs.all().delete()
    run(order, 50, product="Lid", order_line=None, days=4)
    assert now(order).promised() == date(2026, 11, 27)


# The next step ---------------------------------------------------------------------------------------


def test_the_next_step_while_it_is_made(order):
    assert order.next_step() == Step(Next.PLAN)
    first = run(order, 50, days=1)
    assert now(order).next_step() == Step(Next.BEGIN, date(2026, 11, 24))
    run(order, 50, days=0, begins=NOW - timedelta(days=1))
    assert now(order).next_step() == Step(Next.BEGIN, TODAY)  # it should have begun
    first.status = "running"
    first.save()
    assert now(order).next_step() == Step(Next.MAKE)
    first.status, first.made = "finished", 50
    first.save()
    assert now(order).next_step() == Step(Next.GO_ON, TODAY)
    order.runs.update(made=50)
    assert now(order).next_step() == Step(Next.FINISH)


def test_runs_that_are_late_have_to_be_planned_again(order):
    run(order, days=-2)
    assert now(order).next_step() == Step(Next.PLAN)


@pytest.mark.parametrize(
    ("status", "step"),
    [
        ("ready", Step(Next.SHIP)),
        ("shipped", Step(Next.DELIVER)),
        ("on_hold", Step(Next.DECIDE)),
        ("delivered", None),
        ("cancelled", None),
    ],
)
def test_the_next_step_otherwise(order, status, step):
    order.status = status
    assert order.next_step() == step


# The status ------------------------------------------------------------------------------------------


def test_the_status_goes_forward_with_the_runs(order):
    one = run(order)
    assert now(order).status == "planned"
    one.status = "running"
    one.save()
    assert now(order).status == "in_production"
    one.made = 100
    one.save()
    assert now(order).status == "in_production"
    one.status = "finished"
    one.save()
    assert now(order).status == "ready"


def test_it_is_not_ready_while_something_is_missing_or_another_run_is_to_come(order):
    run(order, made=99, status="finished")
    assert now(order).status == "in_production"
    rest = run(order, 1, days=3)
    ProductionRun.objects.filter(quantity=100).update(made=100)
    rest.save()
    assert now(order).status == "in_production"
    rest.status = "cancelled"
    rest.save()
    assert now(order).status == "ready"


def test_it_never_goes_back(order):
    run(order, made=100, status="finished").delete()
    assert now(order).status == "ready"


@pytest.mark.parametrize("status", ["on_hold", "shipped", "delivered", "cancelled"])
def test_what_people_decide_stays(order, status):
    Order.objects.update(status=status)
    run(order, made=100, status="finished")
    assert now(order).status == status


def test_a_run_that_goes_to_another_order_changes_both(order):
    other = Order.objects.create(
        number="ORD-2", customer=order.customer, product="Gear", quantity=1
    )
    one = run(order)
    with time_machine.travel(NOW + timedelta(hours=1), tick=False):
        one.order = other
        one.save()
        assert now(other).status == "planned"
        assert now(order).updated_at == now(other).updated_at == NOW + timedelta(hours=1)


def test_many_runs_made_at_once_are_followed_once(order):
    like = run(None)
    ProductionRun.objects.bulk_create(
        ProductionRun(
            order=order,
            line=like.line,
            product="Gear",
            begins=like.begins,
            ends=like.ends,
            quantity=5,
        )
        for _ in range(20)
    )
    Order.objects.all().follow()
    assert now(order).status == "planned"


def test_progress_of_many_orders_takes_three_statements(order, django_assert_num_queries):
    for number in range(2, 9):
        other = Order.objects.create(
            number=f"ORD-{number}", customer=order.customer, product="Gear", quantity=10
        )
        run(other)
    with django_assert_num_queries(3):
        for each in Order.objects.with_progress():
            assert (each.made(), each.promised(), each.next_step()) is not None
