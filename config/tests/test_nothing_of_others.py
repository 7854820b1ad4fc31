"""A customer's contact never learns of another customer's order, by any road in chat.

Each road is walked twice: with an order that is another customer's, and with one that is not there.
What is said must not tell them apart, nor hold anything of what is the other's.
"""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from defects.models import Question, ReportForm
from orders.models import Customer, CustomerLink, Line, Order, OrderLine, ProductionRun, Shift
from whatsapp_bot.models import Contact, Menu
from whatsapp_bot.recent import forget_all

SECRETS = ["SECRET", "Secret", "Rival", "K-77", "4711"]


@pytest.fixture
def factory(db):
    """Two customers with an order each, on two lines."""
    now = timezone.now()
    for name, reference, number, product, quantity in [
        ("Acme", "K-11", "ORD-1001", "Bracket", 1812),
        ("Rival", "K-77", "SECRET-1", "Secret part", 4711),
    ]:
        customer = Customer.objects.create(name=name, reference=reference)
        order = Order.objects.create(
            number=number, customer=customer, product=product, quantity=quantity
        )
        OrderLine.objects.create(order=order, product=product, quantity=quantity)
        line = Line.objects.create(name=f"{name} line")
        ProductionRun.objects.create(
            order=order,
            line=line,
            product=product,
            quantity=quantity,
            begins=now - timedelta(hours=1),
            ends=now + timedelta(hours=1),
        )
    Shift.objects.create(name="All day", begins="00:00", ends="23:59")
    form = ReportForm.objects.create(key="delivery", title="Delivery")
    Question.objects.create(form=form, position=10, name="order", kind="order", text="Which order?")
    form.publish()
    Menu.objects.get(key="defects").add_item("Delivery", form.address)
    main = Menu.objects.get(key="main")
    for label, address in [
        ("Link me", "orders.link"),
        ("All lines", f"orders.schedule.runs:week:{Line.objects.get(name='Rival line').pk}"),
        ("Pin", "orders.my_line"),
        ("Tell", f"orders.tell:{Order.objects.get(key='SECRET1').pk}"),
    ]:
        main.add_item(label, address)
    forget_all()


@pytest.fixture
def buyer(factory, contact):
    CustomerLink.objects.create(contact=contact, customer=Customer.objects.get(name="Acme"))
    return contact


ROADS = {
    "the status": ["1", "{number}"],
    "out of the blue": ["{number}"],
    "out of the blue, after another answer": ["1", "1", "{number}"],
    "a report that asks for an order": ["2", "Delivery", "{number}"],
    "linking": ["Link me", "{number}", "K-77"],
    "linking with one's own": ["Link me", "{number}", "K-11"],
    "the schedule": ["3", "The next 7 days"],
    "the schedule of today": ["3", "1"],
    "the schedule of a line": ["All lines"],
    "a line to pin": ["Pin"],
    "an address that staff put on a menu": ["Tell"],
    "more": ["1", "more", "{number}"],
    "the history of reports": ["2", "View defect history"],
    "the number with words": ["where is {number}?"],
}


def walk(phone, road: list[str], number: str) -> list[str]:
    phone.say("hi")
    said = [words.replace("{number}", number) for words in road]
    return ["\n".join(phone.say(words)) for words in said]


def without(answers: list[str], number: str) -> list[str]:
    """What was said, but for the number that the person said, and that of a report just made."""
    return [re.sub(r"DEF-[\d-]+", "…", answer.replace(number, "…")) for answer in answers]


@pytest.mark.parametrize("who", ["buyer", "stranger", "unlinked"])
@pytest.mark.parametrize("road", ROADS.values(), ids=ROADS)
def test_another_customers_order_is_as_one_that_is_not_there(road, who, new_phone, phone, request):
    if who == "buyer":
        request.getfixturevalue("buyer")
    elif who == "unlinked":
        CustomerLink.objects.get(contact=request.getfixturevalue("buyer")).undo()
    else:
        request.getfixturevalue("factory")
    if who != "buyer" and "K-77" in road:
        pytest.skip("Who is not linked may be, by this reference.")
    theirs = without(walk(phone, road, "SECRET-1"), "SECRET-1")
    nobodys = without(walk(phone, road, "NOTHING-1"), "NOTHING-1")
    assert theirs == nobodys
    assert not [secret for secret in SECRETS if secret in str(theirs)], theirs


@pytest.mark.parametrize("said", [["1"], ["1", "1"], ["3", "1"], ["ORD-1001"], ["1", "ORD-1001"]])
def test_after_the_link_was_undone_nothing_of_ones_own_is_left(said, buyer, phone):
    before = walk(phone, said, "")
    assert "Bracket" in before[-1]
    CustomerLink.objects.get(contact=buyer).undo()
    after = walk(phone, said, "")
    assert not any("Bracket" in answer or "1812" in answer for answer in after)


def test_a_question_from_before_the_link_was_undone_tells_nothing(buyer, phone):
    """The choices 1, 2, 3 of the last question are still there: they must not open anything."""
    phone.say("hi")
    assert "1. ORD-1001" in phone.say("1")[0]
    CustomerLink.objects.get(contact=buyer).undo()
    assert "1812" not in phone.say("1")[0]


def test_linking_oneself_opens_ones_own_orders_alone(factory, phone):
    walk(phone, ["Link me", "ORD-1001"], "")
    assert "You are linked to Acme" in phone.say("K-11")[0]
    assert Contact.objects.get().customers.get().name == "Acme"
    for road in ROADS.values():
        answers = without(walk(phone, road, "SECRET-1"), "SECRET-1")
        assert not [secret for secret in SECRETS if secret in str(answers)], answers
