"""What orders, their lines and runs are known by, and when they changed."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils import timezone

from orders.models import Customer, Line, Order, OrderLine, ProductionRun

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme():
    return Customer.objects.create(name="Acme", reference="K-100")


@pytest.fixture
def order(acme):
    return Order.objects.create(number="ORD-1", customer=acme, product="Gear", quantity=10)


def make_run(order=None, **values):
    begins = timezone.now()
    values = {"product": "Gear", "quantity": 10, **values}
    line, _ = Line.objects.get_or_create(name="Line 1")
    return ProductionRun.objects.create(
        order=order, line=line, begins=begins, ends=begins + timedelta(hours=8), **values
    )


def test_a_reference_is_compared_as_an_order_number_is(acme):
    """Not by upper or lower case, spaces and dashes."""
    assert Customer.objects.get(key="K100") == acme
    with pytest.raises(ValidationError, match="There is a customer K-100 already"):
        Customer(name="Other", reference="k 100").full_clean()
    with pytest.raises(IntegrityError):
        Customer.objects.create(name="Other", reference="k 100")


def test_many_have_no_reference(acme):
    for name in ("One", "Two"):
        Customer.objects.create(name=name).full_clean()
        make_run().full_clean()
    with pytest.raises(ValidationError, match="a letter or a digit"):
        Customer(name="Other", reference=" - ").full_clean()


def test_another_system_knows_a_run_by_its_reference():
    run = make_run(reference="MO-7")
    ProductionRun.objects.bulk_create(
        [
            ProductionRun(
                reference="mo 7",
                line=run.line,
                product="Lid",
                begins=run.begins,
                ends=run.ends,
                quantity=5,
            )
        ],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["reference", "product", "quantity"],
    )
    (again,) = ProductionRun.objects.all()
    assert (again.pk, again.reference, again.product) == (run.pk, "mo 7", "Lid")
    assert again.updated_at > run.updated_at


def test_a_letter_that_unfolds_to_many_makes_no_key_too_long(acme):
    order = Order.objects.create(number="\ufdfa" * 60, customer=acme, product="x", quantity=1)
    assert Order.objects.numbered("\ufdfa" * 60).get() == order


def test_lines_number_themselves(order):
    for product in ("Gear", "Lid"):
        OrderLine.objects.create(order=order, product=product, quantity=5)
    assert [str(line) for line in order.lines.all()] == ["ORD-1/1 Gear", "ORD-1/2 Lid"]


def test_a_run_for_a_line_is_one_for_its_order(acme, order):
    line = OrderLine.objects.create(order=order, product="Gear", quantity=5)
    assert make_run(order_line=line).order == order
    other = Order.objects.create(number="ORD-2", customer=acme, product="x", quantity=1)
    run = make_run(other)
    run.order_line = line
    with pytest.raises(ValidationError, match="another order"):
        run.full_clean()


@pytest.mark.parametrize(
    "change",
    [
        lambda order: order.save(),
        lambda order: order.save(update_fields=["notes"]),
        lambda order: Order.objects.update(notes="x"),
        lambda order: Order.objects.bulk_update([order], ["notes"]),
    ],
)
def test_whoever_asks_what_changed_hears_of_it(order, change):
    before = timezone.now()
    change(order)
    assert Order.objects.filter(updated_at__gt=before).exists()


def test_saving_the_number_alone_changes_the_key(order):
    order.number = "ord 2"
    order.save(update_fields=["number"])
    assert Order.objects.numbered("ORD-2").exists()
