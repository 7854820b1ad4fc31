"""What nobody understands is no dead end: the team can have it, or something else was meant."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from orders.models import Customer, Order, WrongLookup
from orders.models.link import CustomerLink
from whatsapp_bot.models import HelpRequest
from whatsapp_bot.tests.staff import waiting

pytestmark = pytest.mark.django_db
ANGRY = "This is the third time that I ask!"
OFFER = (
    "Sorry, I cannot answer that myself. Shall I pass it on to our team?\n\n"
    "1. Yes, pass it on\n2. No, show me the menu"
)
MENU = "👋 Welcome! How can we help you today?\n\n1. Check order status"


@pytest.fixture
def order(contact) -> Order:
    acme = Customer.objects.create(name="Acme")
    CustomerLink.objects.create(contact=contact, customer=acme)
    return Order.objects.create(number="ORD-1001", customer=acme, product="Bracket", quantity=5)


@pytest.mark.parametrize("before", [["hi"], ["hi", "2"], ["hi", "4"], ["hi", "1"]])
@pytest.mark.parametrize("yes", ["1", "yes", "Yes, pass it on", "👍🏾", "ok boss", "Sí", "yebo"])
def test_a_sentence_is_offered_to_be_passed_on(say, before, yes):
    for text in before:
        say(text)
    assert say(ANGRY) == OFFER
    assert waiting() == []
    assert "Our team has your message" in say(yes)
    assert waiting() == [ANGRY]
    request = HelpRequest.objects.get()
    assert request.message.body == ANGRY


def test_also_two_words_when_they_are_said_again(say):
    say("Sawubona")
    assert "Sorry, I did not get that" in say("Umshini uphukile")
    assert say("Umshini uphukile") == OFFER
    say("1")
    assert waiting() == ["Umshini uphukile"]


@pytest.mark.parametrize("said", ["delete my report", "Cancel my report, please"])
@pytest.mark.parametrize("before", [["hi"], ["hi", "1"], ["hi", "2"]])
def test_so_is_who_takes_a_report_back_that_was_sent_long_ago(say, before, said):
    for text in before:
        say(text)
    assert say(said) == OFFER
    say("1")
    assert waiting() == [said]


def test_also_as_the_first_message(say):
    said = "Hola, quiero saber algo"
    assert say(said) == f"👋 Welcome! I am the chatbot of our front desk.\n\n{OFFER}"
    say("1")
    assert waiting() == [said]


@pytest.mark.parametrize("before", [["1"], ["2"], ["2", "1"], ["4"], ["4", "1"], [ANGRY]])
def test_also_hours_after_something_else_was_asked(say, before):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for text in ["hi", *before]:
            say(text)
        clock.shift(timedelta(hours=5))
        assert say(ANGRY) == OFFER
        say("1")
        assert waiting() == [ANGRY]


@pytest.mark.parametrize(("late", "passed_on"), [("1", True), ("yes", True), ("2", False)])
def test_what_to_do_with_it_may_be_said_hours_later(say, late, passed_on):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        say("hi")
        say(ANGRY)
        clock.shift(timedelta(hours=14))
        answer = say(late)
    assert ("Our team has your message" in answer) == passed_on
    assert waiting() == [ANGRY] * passed_on
    assert "It has been a while" not in answer


@pytest.mark.parametrize("no", ["2", "no", "menu", "cancel", "back", "nein danke", "não", "👎"])
def test_or_not(say, no):
    say("hi")
    say(ANGRY)
    assert MENU in say(no)
    assert waiting() == []


@pytest.mark.parametrize(
    "said",
    [
        *("no, I don't want that", "no leave it", "not necessary, thanks", "don’t bother them"),
        *("no thanks, I will call", "no show me the menu please", "Please do not pass it on"),
    ],
)
def test_a_no_in_a_sentence_is_one(say, said):
    say("hi")
    say(ANGRY)
    assert MENU in say(said)
    assert waiting() == []


@pytest.mark.parametrize(
    "said",
    [
        *("no thanks, call me back", "don't bother, call me", "I don't want excuses"),
        *("I don't want a bot", "I don't need help, pass it on"),
    ],
)
def test_what_only_begins_like_a_no_goes_with_it(say, said):
    say("hi")
    say(ANGRY)
    assert "Our team has your message" in say(said)
    assert waiting() == [f"{ANGRY}\n{said}"]


def test_what_is_added_instead_of_a_yes_goes_with_it(say):
    say("hi")
    say(ANGRY)
    assert "Our team has your message" in say("and nobody calls me")
    assert "passed that on" in say("You are useless")
    assert waiting() == [f"{ANGRY}\nand nobody calls me\nYou are useless"]


@pytest.mark.parametrize("said", ["call me", "I want to talk to a person", "anyone there?"])
def test_who_asks_for_a_person_then_is_passed_on(say, said):
    say("hi")
    say(ANGRY)
    assert "Our team has your message" in say(said)
    assert waiting() == [f"{ANGRY}\n{said}"]


def test_a_photo_goes_with_it(say, phone):
    say("hi")
    say(ANGRY)
    assert phone.send("image")[0].startswith("📎 Got it, our team will see that as well.")
    assert "Our team has your message" in say("1")


def test_what_is_neither_is_asked_again(say):
    say("hi")
    say(ANGRY)
    assert say("7").startswith("Sorry, that is not one of the choices.")
    assert waiting() == []


def test_what_can_be_answered_is_answered_instead(say, order):
    say("hi")
    say(ANGRY)
    assert say("Where is ORD-1001?").startswith("*Order ORD-1001*")
    assert waiting() == []


@pytest.mark.parametrize("said", ["asdf", "what?", "1 2 3", "👍 👍 👍", "???"])
def test_less_than_a_sentence_is_not_offered(say, said):
    say("hi")
    assert "pass it on" not in say(said)


@pytest.mark.parametrize("before", [["2"], ["4"], ["3"]])
def test_at_a_lower_menu_an_order_is_told_of(say, order, before):
    say("hi")
    for text in before:
        say(text)
    assert say("Where is ORD-1001?").startswith("*Order ORD-1001*")


@pytest.mark.parametrize("before", [["2"], ["3"], ["1"]])
def test_at_a_lower_menu_a_worker_is_offered_to_report(say, worker, before):
    say("hi")
    for text in before:
        say(text)
    assert say("The press on line 3 leaks oil").startswith("Thank you for telling me!")
    assert "Defect Submitted" in say("1")


def test_who_is_at_the_help_wants_the_team(say, worker):
    say("help")
    assert say("my badge does not work anymore") == OFFER


def test_words_near_an_item_of_a_lower_menu_still_choose_it(say, worker):
    say("hi")
    say("2")
    assert "not reported anything" in say("show the defect histroy")


def test_who_asks_again_for_the_order_is_not_told_that_there_is_none(say, order):
    say("hi")
    say("1")
    assert say("where is my order???").startswith("Which order would you like to know about?")
    assert not WrongLookup.objects.exists()
