"""Conversations in which somebody links themselves to the company they buy for."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders import sweep
from orders.models import Customer, CustomerLink, LinkingHour, Order, UndoneLink, WrongLookup
from whatsapp_bot.models import Contact
from whatsapp_bot.tests.database import all_at_once

OFFER = "I am a customer: link me"


@pytest.fixture
def acme(db):
    return Customer.objects.create(name="Acme", reference="K-20417")


@pytest.fixture
def order(acme):
    return Order.objects.create(
        number="ORD-1001", customer=acme, product="Steel bracket", quantity=500
    )


@pytest.fixture
def other(db):
    """The order of a customer whom nobody can link themselves to: there is no reference."""
    customer = Customer.objects.create(name="Other")
    return Order.objects.create(number="ORD-2000", customer=customer, product="Lid", quantity=5)


def try_to_link(phone_say, reference="K-20417"):
    phone_say("hi")
    phone_say("1")
    phone_say("1")
    phone_say("ORD-1001")
    return phone_say(reference)


def test_the_journey(say, order):
    say("hi")
    question = say("1")
    assert question.startswith("Please send me the order number.")
    assert OFFER in question
    assert say("1").startswith("Please send me the number of one of your company's orders.")
    assert "customer reference?" in say("ord 1001")
    answer = say("k 20417")
    assert "You are linked to Acme now" in answer
    assert "*Order ORD-1001*\nProduct: Steel bracket" in answer
    assert "1. ORD-1001 Steel bracket" in say("1")
    link = CustomerLink.objects.get()
    assert (link.origin, link.order, link.contact.role) == ("themselves", order, "customer")


def test_staff_find_it_in_the_log_without_names(say, order, log):
    try_to_link(say)
    (line,) = [line for line in log if line["logger"] == "orders"]
    link = CustomerLink.objects.get()
    assert line["event"] == "linked themselves"
    assert (line["contact"], line["customer"]) == (link.contact_id, link.customer_id)


WRONG = [
    ("ORD-9999", "K-20417"),
    ("ORD-1001", "K-1"),
    ("ORD-2000", "K-20417"),
    ("ORD-2000", "-"),
    ("ORD-2000", "Other"),
    ("1", "K-20417"),
    ("1'; --", "' OR 1=1"),
]


def test_every_wrong_try_has_one_answer_after_the_same_statements(
    new_phone, order, other, read_once
):
    answers, costs = set(), set()
    for number, reference in WRONG:
        phone = new_phone()
        for text in ("hi", "1", "1", number):
            phone.say(text)
        with CaptureQueriesContext(connection) as statements:
            answers.add(tuple(phone.say(reference)))
        costs.add(len(statements))
    assert len(answers) == len(costs) == 1
    assert "send *help*" in answers.pop()[0]
    assert not CustomerLink.objects.exists()
    assert WrongLookup.objects.count() == len(WRONG)


@pytest.mark.parametrize("said", ["I don't know", "no idea", "what number?", "-", "'; --"])
def test_words_without_a_digit_are_no_number(say, order, said):
    for text in ("hi", "1", "1"):
        question = say(text)
    for _ in range(6):
        assert say(said).startswith(
            "I need the number, such as ORD-1001. If you do not have it, send *help*."
        )
    assert say(said).endswith(f"\n\n{question}")
    assert not WrongLookup.objects.exists()
    assert "customer reference?" in say("ORD-1001")
    assert "You are linked to Acme now" in say("K-20417")


@pytest.mark.parametrize("before", [["1"], ["1", "1"], ["1", "1", "ORD-1001"]])
def test_a_photo_instead_of_a_number_is_offered_to_the_team(say, phone, order, before):
    for text in ("hi", *before):
        say(text)
    (reply,) = phone.send("image")
    assert "Shall I pass it on to our team?" in reply
    assert "report a defect" not in reply
    assert "Our team has your message" in say("1")


def test_who_is_linked_cannot_link_themselves_elsewhere(say, contact, order, other):
    CustomerLink.objects.create(contact=contact, customer=other.customer)
    assert CustomerLink.objects.by_knowledge(contact, "ORD-1001", "K-20417") is None
    say("hi")
    assert OFFER not in say("1")


def test_a_worker_needs_no_link(say, worker, order):
    say("hi")
    assert OFFER not in say("1")


def test_five_wrong_tries_by_either_road_and_one_has_to_wait(say, order):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        say("hi")
        say("1")
        for number in ("ORD-7", "ORD-8", "ORD-9"):
            say(number)
        assert "I cannot link you with that." in try_to_link(say, reference="K-1")
        say("ORD-1001")
        assert "Please try again after" in say("K-2")
        say("hi")
        assert "Please try again after" in say("1")
        assert not CustomerLink.objects.exists()
        clock.shift(timedelta(minutes=61))
        assert "You are linked to Acme now" in try_to_link(say)


def test_all_together_have_a_limit_and_staff_hear_of_it(new_phone, order, monkeypatch, log):
    monkeypatch.setattr(LinkingHour, "ALLOWED", 3)
    with time_machine.travel("2026-11-23T08:05:00Z", tick=False) as clock:
        for _ in range(3):
            phone = new_phone()
            assert "I cannot link you" in try_to_link(
                lambda text, p=phone: p.say(text)[0], reference="K-1"
            )
        phone = new_phone()

        def say(text):
            return phone.say(text)[0]

        for _ in range(2):
            assert "Please try again after 11:00" in try_to_link(say)
        warnings = [line for line in log if line["log_level"] == "warning"]
        assert [one["event"] for one in warnings] == ["too many tries to link themselves"]
        clock.shift(timedelta(hours=1))
        assert "You are linked to Acme now" in try_to_link(say)


@pytest.mark.django_db
def test_tries_of_earlier_hours_are_forgotten_and_those_of_this_one_count():
    with time_machine.travel("2026-11-23T08:55:00Z", tick=False) as clock:
        LinkingHour.count()
        clock.shift(timedelta(minutes=10))
        LinkingHour.count()
        sweep.forget_earlier_tries_to_link()
    assert LinkingHour.objects.get().tries == 1
    assert (
        LinkingHour.objects.get().hour * 3600 == datetime(2026, 11, 23, 9, tzinfo=UTC).timestamp()
    )


@pytest.mark.django_db(transaction=True)
def test_of_tries_at_once_none_is_lost():
    all_at_once(lambda _: LinkingHour.count(), range(30))
    assert sum(LinkingHour.objects.values_list("tries", flat=True)) == 30


# Undone ----------------------------------------------------------------------------------------------


def test_undone_it_is_gone_and_does_not_come_back_the_same_way(say, order, django_user_model):
    try_to_link(say)
    boss = django_user_model.objects.create_user("boss")
    CustomerLink.objects.get().undo(boss)
    assert UndoneLink.objects.get().by == boss
    assert Contact.objects.get().role == "unknown"
    say("hi")
    assert OFFER in say("1")
    assert "cannot find" in say("ORD-1001")
    wrong = try_to_link(say, reference="K-1")
    assert try_to_link(say) == wrong
    assert not CustomerLink.objects.exists()


def test_staff_can_make_it_again(say, order):
    try_to_link(say)
    link = CustomerLink.objects.get()
    link.undo()
    CustomerLink.objects.create(contact=Contact.objects.get(), customer=link.customer)
    say("hi")
    assert "1. ORD-1001 Steel bracket" in say("1")


def test_a_worker_stays_one_and_a_customer_of_two_stays_one(contact, order, other):
    for customer in (order.customer, other.customer):
        CustomerLink.objects.create(contact=contact, customer=customer)
    order.customer.links.get().undo()
    contact.refresh_from_db()
    assert contact.role == "customer"
    contact.role = "worker"
    contact.save()
    other.customer.links.get().undo()
    contact.refresh_from_db()
    assert contact.role == "worker"
