"""Somebody new is greeted, and what the very first message asks for is answered."""

import pytest

from orders.models import Customer, Order
from whatsapp_bot.models import HelpRequest

pytestmark = pytest.mark.django_db
GREETING = "👋 Welcome! I am the chatbot of our front desk.\n\n"
MENU = "👋 Welcome! How can we help you today?\n\n1. Check order status"


@pytest.mark.parametrize(
    "said", ["hi", "Good morning!", "ok", "thanks", "yes", "more", "back", "cancel", "asdf", "7"]
)
def test_what_asks_for_nothing_is_greeted_by_the_menu(say, said):
    assert say(said).startswith(MENU)


def test_a_question_for_an_order_is_answered(say, worker):
    acme = Customer.objects.create(name="Acme")
    Order.objects.create(number="ORD-1001", customer=acme, product="x", quantity=5)
    assert say("Where is order ORD-1001?").startswith(f"{GREETING}*Order ORD-1001*")
    assert say("2").startswith("*Defects*")


def test_what_a_worker_tells_is_offered_to_be_reported(say, worker):
    assert say("The press on line 3 leaks oil").startswith(f"{GREETING}Thank you for telling me!")
    assert "Defect Submitted" in say("yes")


def test_a_number_from_a_poster_and_words_near_an_item_choose_from_the_menu(say, new_phone):
    assert say("2").startswith(f"{GREETING}*Defects*")
    (reply,) = new_phone().say("I want to report a defect")
    assert reply.startswith(f"{GREETING}*Defects*")


def test_a_photo_is_asked_about(phone):
    (reply,) = phone.send("image", text="press leaking")
    assert reply.startswith(f"{GREETING}📎 Thank you, I have that.")


def test_help_needs_no_greeting(say):
    assert say("help").startswith("*Help & support*")
    say("1")
    say("My badge is lost")
    assert HelpRequest.objects.get().text == "My badge is lost"


def test_a_sticker_is_greeted_by_the_menu(say):
    assert say("", MessageType="sticker").startswith(MENU)


def test_nobody_is_greeted_twice(say):
    say("2")
    assert say("2").startswith("You have not reported anything yet.")
