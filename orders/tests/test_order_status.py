"""Conversations in which somebody asks for an order."""

from datetime import date, timedelta
from time import perf_counter

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.utils import timezone

from orders.chat.asking import (
    LONGEST_QUESTION,
    asks_about_an_order,
    may_ask_about_an_order,
    number_in,
)
from orders.models import (
    Customer,
    CustomerLink,
    Line,
    Order,
    OrderLine,
    ProductionRun,
    WrongLookup,
    order_key,
)
from whatsapp_bot.models import Menu, MenuItem
from whatsapp_bot.whatsapp_text import length

ANSWER = """\
*Order ORD-1001*
Product: Steel bracket
Quantity: 500
Progress: 320 of 500 made
Due date: 30 November 2026
Status: in production"""


@pytest.fixture
def acme(db):
    return Customer.objects.create(name="Acme")


def make_order(customer, number="ORD-1001", **values):
    values = {"product": "Steel bracket", "quantity": 500, "status": "in_production"} | values
    return Order.objects.create(number=number, customer=customer, **values)


@pytest.fixture
def order(acme):
    order = make_order(acme, due_date=date(2026, 11, 30))
    begins = timezone.now()
    line = Line.objects.create(name="Line 1")
    for made in (200, 120):
        ProductionRun.objects.create(
            order=order,
            line=line,
            product=order.product,
            begins=begins,
            ends=begins + timedelta(hours=8),
            quantity=250,
            made=made,
        )
    return order


@pytest.fixture
def buyer(contact, acme):
    CustomerLink.objects.create(contact=contact, customer=acme)
    contact.refresh_from_db()
    return contact


def test_a_customer_chooses_from_the_open_orders(say, buyer, order, acme):
    make_order(acme, "ORD-1002", product="Gear", status="delivered")
    say("hi")
    question = say("1")
    assert "1. ORD-1001 Steel bracket" in question
    assert "ORD-1002" not in question
    assert say("1").startswith(ANSWER)


def test_back_leads_to_the_list_that_the_order_was_chosen_from(say, buyer, acme):
    for number in range(1, 11):
        make_order(acme, f"ORD-{number}")
    say("hi")
    first = say("1")
    assert "*Order ORD-1*" in say("1")
    assert say("back") == first
    say("more")
    assert "*Order ORD-9*" in say("1")
    assert "1. ORD-9" in say("back")
    assert "Check order status" in say("back")
    # Whatever was chosen, a number is the main menu's item once more.
    say("1")
    say("1")
    assert "Which days" in say("3")


def test_back_leads_to_the_menu_where_there_was_no_list(say, worker, order):
    say("hi")
    say("1")
    assert say("ORD-1001").startswith(ANSWER)
    assert "Check order status" in say("back")


@pytest.mark.parametrize("typed", ["ORD-1001", "ord 1001", "Ord1001", "ORD–1001", " o r d-1001 "])
def test_a_number_may_be_typed_in_any_case_with_spaces_or_dashes(say, buyer, order, typed):
    say("hi")
    say("1")
    assert say(typed).startswith(ANSWER)


@pytest.mark.parametrize(
    "typed",
    [
        *("ORD-1001.", "ORD-1001?", "(ORD-1001)", "ORD 1001 please", "#ord1001"),
        *("my order number is ORD-1001", "It's ORD - 1001, thanks", "where is ORD 1001?"),
    ],
)
def test_a_number_may_stand_among_words(say, buyer, order, typed):
    say("hi")
    say("1")
    assert say(typed).startswith(ANSWER)
    assert not WrongLookup.objects.exists()


BY_ITS_END = [
    *("1001", "order 1001", "Order: 1001", "no. 1001", "No.1001", "#1001", "order #1001"),
    *("order#1001", "my order is no. 1001", "1001?", "hi, 1001 please"),
]


@pytest.mark.parametrize("before", [["hi", "1"], ["hi"], []])
@pytest.mark.parametrize("typed", BY_ITS_END)
def test_the_last_digits_of_ones_own_number_are_enough(say, buyer, order, acme, before, typed):
    make_order(acme, "ORD-21001")
    make_order(Customer.objects.create(name="Other"), "XY-1001")
    for text in before:
        say(text)
    assert ANSWER in say(typed)
    assert not WrongLookup.objects.exists()


@pytest.mark.parametrize("typed", ["for order 1001", "For 1001", "for order no. ORD-1001"])
def test_who_is_asked_for_one_may_say_that_it_is_for_that(say, buyer, order, typed):
    say("hi")
    say("1")
    assert say(typed).startswith(ANSWER)


@pytest.mark.parametrize("before", [["hi", "1"], ["hi"]])
@pytest.mark.parametrize("stored", ["PO-70031", "PO–70031", "PO\u202f–\u00a070\u2011031"])
@pytest.mark.parametrize(
    "typed",
    [
        *("PO-70031", "po 70031", "Po70031", "Where is PO-70031?", "PO – 70031", "PO‑70031"),
        *("ＰＯ－７００３１", "PO-٧٠٠٣١"),
    ],
)
def test_the_customers_own_number_for_an_order_finds_it(say, buyer, order, before, typed, stored):
    Order.objects.update(customer_reference=stored)
    make_order(Customer.objects.create(name="Other"), "ZZ-7", customer_reference="PO-70031")
    for text in before:
        say(text)
    assert say(typed).startswith(ANSWER)
    assert not WrongLookup.objects.exists()


def test_of_several_with_one_own_number_one_is_chosen(say, buyer, order, acme):
    make_order(acme, "XY-7", product="Gear")
    Order.objects.update(customer_reference="PO-70031")
    say("hi")
    choice = (
        "Several of your orders have that number. Please choose one:\n\n"
        "1. ORD-1001 Steel bracket\n2. XY-7 Gear"
    )
    assert say("po 70031") == choice
    assert say("2").startswith("*Order XY-7*")


def test_what_others_call_their_orders_finds_none(say, buyer, order):
    other = Customer.objects.create(name="Other")
    make_order(other, "ZZ-7", customer_reference="PO-70031")
    say("hi")
    say("1")
    assert say("PO-70031") == say("PO-99999")
    assert WrongLookup.objects.count() == 2


@pytest.mark.parametrize(
    "asked",
    [
        *("where is 1001?", "any news on order 1001", "status of no. 1001"),
        *("Is 1001 ready?", "has 1001 been shipped yet", "When will 1001 be ready, please?"),
    ],
)
@pytest.mark.parametrize("before", [["hi"], ["hi", "1"]])
def test_also_in_a_question(say, buyer, order, before, asked):
    for text in before:
        say(text)
    assert say(asked).startswith(ANSWER)


@pytest.mark.parametrize("named", ["order 7777", "my order no. 7777", "Order ORD-7777"])
def test_an_order_that_is_named_and_not_found_is_said_to_be(say, buyer, order, named):
    say("hi")
    assert say(named).startswith("I cannot find that order for you.")
    assert WrongLookup.objects.count() == 1
    assert say("1").startswith(ANSWER)


def test_a_worker_finds_any_order_by_its_last_digits(say, worker, order):
    say("hi")
    assert say("1001").startswith(ANSWER)
    say("1")
    assert say("order 1001").startswith(ANSWER)


def test_the_end_of_a_number_begins_where_a_part_of_it_does(say, worker, acme):
    for number in ("ORD-2026-00417", "ORD/2027/0418A", "ORD-99910"):
        make_order(acme, number)
    say("hi")
    for typed in ("00417", "2026-00417", "2026 - 00417"):
        say("1")
        assert "*Order ORD-2026-00417*" in say(typed)
    say("1")
    assert "*Order ORD/2027/0418A*" in say("0418a")
    say("1")
    for typed in ("417", "9910", "6-00417", "0418"):
        assert "I cannot find that order" in say(typed)


def test_of_a_long_row_of_numbers_the_one_that_ends_so_is_found(say, worker, acme):
    for number in range(21001, 421001, 10000):
        make_order(acme, f"ORD-{number}")
    make_order(acme, "ORD-1001")
    say("hi")
    assert say("1001").startswith("*Order ORD-1001*")


def test_of_several_own_orders_that_end_alike_one_is_chosen(say, buyer, order, acme):
    make_order(acme, "XY-1001", product="Gear")
    make_order(Customer.objects.create(name="Other"), "ZZ-1001")
    say("hi")
    choice = (
        "Several orders end like that. Please choose one:\n\n"
        "1. ORD-1001 Steel bracket\n2. XY-1001 Gear"
    )
    assert say("1001") == choice
    assert say("2").startswith("*Order XY-1001*")
    say("1")
    assert say("no. 1001") == choice
    assert say("ORD-1001").startswith(ANSWER)
    assert not WrongLookup.objects.exists()


@pytest.mark.parametrize("typed", BY_ITS_END)
@pytest.mark.parametrize("before", [["hi", "1"], ["hi"]])
def test_of_others_orders_the_last_digits_tell_nothing(
    new_phone, buyer, order, phone, before, typed
):
    """A customer of somebody else, and a stranger: an order that ends so is as one that is not."""
    Order.objects.update(customer=Customer.objects.create(name="Other"))
    for who in (phone, new_phone()):
        answers = []
        for number in (typed, typed.replace("1001", "7777")):
            for text in before:
                who.say(text)
            answers.append(who.say(number))
        assert answers[0] == answers[1]
        assert "Steel bracket" not in str(answers)
    if before == ["hi", "1"]:
        assert WrongLookup.objects.count() == 4


def test_of_the_last_digits_of_nothing_five_tries_are_enough(say, buyer, order, acme):
    make_order(acme, "ORD-1002", status="delivered")
    say("hi")
    say("1")
    for number in range(2001, 2005):
        assert "I cannot find" in say(str(number))
    assert "Please try again after" in say("2005")
    assert "please wait until" in say("1")
    assert "not one of the choices" in say("1002")


@pytest.mark.parametrize(
    "said",
    [
        *("How many of the 1001 are ready?", "press 1001 broke", "1001 of them are bent"),
        *("Are 1001 ready?", "is 1001 enough?"),
    ],
)
def test_a_number_of_something_else_is_no_order(say, worker, order, said):
    say("hi")
    assert "*Order" not in say(said)
    say("1")
    assert "*Order" not in say(said)


@pytest.mark.parametrize("before", [["hi"], ["hi", "1"]])
@pytest.mark.parametrize(
    "asked",
    [
        *("ORD-1001 and ORD-1002?", "1001, 1002", "ord 1001 or 1002 please", "1001 1002 1002"),
        "Where are my orders ORD-1001 and ORD-1002?",
    ],
)
def test_several_that_are_named_are_all_told(say, buyer, order, acme, before, asked):
    make_order(acme, "ORD-1002", product="Gear")
    for text in before:
        say(text)
    reply = say(asked)
    assert reply.startswith(ANSWER)
    assert reply.count("*Order ORD-1002*\nProduct: Gear") == 1
    assert "I cannot find" not in reply


def test_which_of_several_are_not_found_is_said_and_no_more(say, buyer, order):
    make_order(Customer.objects.create(name="Other"), "ORD-2000")
    say("hi")
    reply = say("ORD-1001, ORD-2000 and ORD-9999?")
    assert reply.startswith(ANSWER)
    assert "I cannot find ORD-2000, ORD-9999 for you." in reply
    say("1")
    assert "I cannot find that order" in say("ORD-2000 and ORD-9999")
    assert say("and ORD-1001?").startswith(ANSWER)


@pytest.mark.usefixtures("read_once")
def test_many_numbers_are_looked_up_together(say, buyer, acme, django_assert_max_num_queries):
    numbers = [make_order(acme, f"ORD-{number}").number for number in range(1001, 1011)]
    say("hi")
    say("1")
    with django_assert_max_num_queries(16):
        assert say(" ".join(numbers)).count("*Order ORD-") == 10


@pytest.mark.parametrize("said", ["ORD-1001 2026", "ORD-1001, 5000"])
def test_a_year_or_an_amount_beside_an_order_is_none_that_is_missing(say, buyer, order, said):
    say("hi")
    reply = say(said)
    assert reply.startswith(ANSWER)
    assert "I cannot find" not in reply
    assert "I cannot find 1002 for you." in say("ord 1001 ord 1002")


def test_several_may_be_called_as_the_customer_does(say, buyer, order, acme):
    make_order(acme, "ORD-1002", customer_reference="AB-4711", product="Gear")
    say("hi")
    reply = say("1001 and AB4711")
    assert reply.startswith(ANSWER)
    assert "*Order ORD-1002*" in reply


def test_among_numbers_that_read_alike_the_whole_one_is_meant(say, buyer, order, acme):
    make_order(acme, "1001", product="Gear")
    say("hi")
    say("1")
    assert say("is ORD 1001 ready").startswith(ANSWER)
    say("1")
    assert "*Order 1001*" in say("my order 1001")


def test_among_words_others_orders_stay_unknown(say, buyer, order):
    make_order(Customer.objects.create(name="Other"), "ORD-2000")
    say("hi")
    say("1")
    assert say("my order is ORD-2000") == say("my order is ORD-9999")
    assert WrongLookup.objects.count() == 2


def test_a_number_after_a_long_silence_is_answered_as_one_out_of_the_blue(say, buyer, order):
    say("hi")
    say("1")
    with time_machine.travel(timezone.now() + timedelta(hours=14)):
        assert say("ORD-1001").startswith(ANSWER)
    say("1")
    with time_machine.travel(timezone.now() + timedelta(hours=28)):
        assert say("ORD-9999").startswith("It has been a while")


def test_a_customer_may_ask_for_an_order_that_is_over(say, buyer, acme):
    make_order(acme, "ORD-7", status="delivered")
    say("hi")
    say("1")
    assert "Status: delivered" in say("ORD-7")


def test_a_worker_may_ask_for_any_order(say, worker, order):
    say("hi")
    assert say("1") == "Please send me the order number."
    assert say("ord1001").startswith(ANSWER)


def test_after_the_answer_a_number_means_the_main_menu(say, buyer, order):
    say("hi")
    say("1")
    say("1")
    assert "View defect history" in say("2")


def test_a_number_out_of_the_blue_is_answered_if_one_may_know_of_it(say, buyer, order):
    make_order(Customer.objects.create(name="Other"), "ORD-2000")
    say("hi")
    assert say("ord 1001").startswith(ANSWER)
    assert say("ORD-1001?").startswith(ANSWER)
    answer = say("ORD-2000")
    assert answer.startswith("Sorry, I did not get that.")
    say("hi")
    assert say("ORD-9999") == answer


def test_more_than_a_page_of_open_orders(say, buyer, acme):
    for number in range(1, 12):
        make_order(acme, f"ORD-{number:02}")
    say("hi")
    first = say("1")
    assert "8. ORD-08" in first
    assert "ORD-09" not in first
    assert first.endswith("Send *more* to see more.")
    second = say("more")
    assert "1. ORD-09" in second
    assert "more*" not in second
    assert say("More!") == f"That is all there is.\n\n{second}"
    assert say("ORD-99").endswith(second)
    assert "*Order ORD-10*" in say("2")
    assert "That is all there is." in say("more")


def test_more_where_there_never_was_any_is_no_end(say, buyer, order):
    say("hi")
    say("1")
    assert "I cannot find that order for you" in say("more")


def test_every_wrong_number_gets_the_same_answer(say, new_phone, order, acme):
    """An order that exists and one that does not, asked for by somebody who may know of neither."""
    other = Customer.objects.create(name="Other")
    make_order(other, "ORD-2000")
    answers = set()
    for number in ("ORD-1001", "ORD-2000", "ORD-9999", "'; --", "x" * 90):
        phone = new_phone()
        phone.say("hi")
        phone.say("1")
        answers.add(tuple(phone.say(number)))
    assert len(answers) == 1
    assert "send *help*" in answers.pop()[0]


def test_an_order_of_another_customer_does_not_exist_for_a_customer(say, buyer, order):
    make_order(Customer.objects.create(name="Other"), "ORD-2000")
    say("hi")
    say("1")
    theirs = say("ORD-2000")
    assert theirs == say("ORD-9999")
    assert "I cannot find that order for you." in theirs


def test_after_five_wrong_tries_in_an_hour_one_has_to_wait(say, contact, order):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        say("hi")
        say("1")
        for _ in range(4):
            assert "I cannot find" in say("ORD-9")
        assert "Please try again after" in say("ORD-9")
        say("hi")
        assert "Please try again after" in say("1")
        clock.shift(timedelta(minutes=61))
        say("hi")
        assert "order number" in say("1")


def test_who_waits_may_still_choose_an_own_order_and_nothing_else(say, buyer, order):
    make_order(Customer.objects.create(name="Other"), "ORD-2000")
    say("hi")
    say("1")
    for _ in range(5):
        say("ORD-9")
    say("hi")
    assert "please wait until" in say("1")
    assert "not one of the choices" in say("ORD-2000")
    assert say("1").startswith(ANSWER)


def test_workers_need_not_wait(say, worker, order):
    say("hi")
    say("1")
    for _ in range(7):
        assert "I cannot find" in say("ORD-9")


@pytest.mark.parametrize("status", Order.Status)
def test_every_status_has_its_words(say, worker, acme, status):
    make_order(acme, status=status, notes="*Call* us")
    say("hi")
    say("1")
    reply = say("ORD-1001")
    assert "Status: " in reply
    assert "Due date: not set yet" in reply
    assert "Note: ∗Call∗ us" in reply


def test_endless_notes_are_cut(say, worker, acme, phone):
    make_order(acme, notes="word " * 4000)
    say("hi")
    say("1")
    (reply,) = phone.say("ORD-1001")
    assert reply.count("word") < 200


def test_numbers_that_read_alike_are_one_number(acme):
    make_order(acme)
    assert order_key("ord－１００１") == order_key("ORD–١٠٠١") == "ORD1001"
    with pytest.raises(ValidationError, match="There is an order ORD-1001 already"):
        Order(number="ord 1001", customer=acme, product="x", quantity=1).full_clean()
    with pytest.raises(ValidationError, match="a letter or a digit"):
        Order(number="--", customer=acme, product="x", quantity=1).full_clean()


# How it goes on ---------------------------------------------------------------------------------------


def test_what_comes_next_and_when_it_is_made(say, buyer, order):
    with time_machine.travel("2026-11-23T08:00:00Z", tick=False):
        ends = timezone.now() + timedelta(days=4)
        order.runs.update(begins=timezone.now() - timedelta(days=1), ends=ends)
        say("hi")
        assert say("ORD-1001").startswith(
            ANSWER + "\nNext step: production continues on 23 November 2026"
            "\nWe expect to have it made by 27 November 2026"
        )
        order.runs.update(quantity=220)
        assert "\nWe expect to have it made by 30 November 2026" in say("ORD-1001")


@pytest.mark.parametrize("status", ["ready", "shipped", "delivered", "cancelled", "on_hold"])
def test_nothing_is_promised_of_what_is_made_or_waits(say, buyer, order, status):
    Order.objects.update(status=status, due_date=date(2100, 1, 1))
    say("hi")
    answer = say("ORD-1001")
    assert "We expect" not in answer
    assert ("Next step: " in answer) == (status in ("ready", "shipped", "on_hold"))


@pytest.fixture
def lines(order):
    for product, quantity in [("Steel bracket", 400), ("Gear *wheel*", 100)]:
        OrderLine.objects.create(order=order, product=product, quantity=quantity)
    return order.lines.all()


def test_an_order_for_several_products_tells_of_each(say, buyer, order, lines):
    say("hi")
    assert say("ORD-1001").startswith(
        "*Order ORD-1001*\n"
        "• Steel bracket: 320 of 400 made\n"
        "• Gear ∗wheel∗: 0 of 100 made\n"
        "Progress: 320 of 500 made\n"
    )
    Order.objects.update(status="shipped")
    assert "• Gear ∗wheel∗: 100 of 100 made\nProgress: 500 of 500 made" in say("ORD-1001")


def test_of_many_products_it_tells_the_first_in_one_message(phone, buyer, order, lines):
    for number in range(30):
        OrderLine.objects.create(
            order=order, product=(f"{number} 😀" * 60)[:200], quantity=2**31 - 1
        )
    Order.objects.update(notes="word " * 400, number="N" * 60, key="N1")
    phone.say("hi")
    (answer,) = phone.say("n1")
    assert answer.count("• ") == 8
    assert "\n… and 24 more products\nProgress: 320 of" in answer
    assert length(answer) <= 1600


def test_words_are_no_wrong_order_numbers(say, order):
    say("hi")
    say("1")
    for words in ("ok", "hmm", "wirklich", "what now", "no idea", "please"):
        assert "I cannot find that order for you" in say(words)
    assert not WrongLookup.objects.exists()


def test_a_number_that_the_list_does_not_have_is_no_wrong_order_number(say, buyer, order):
    say("hi")
    say("1")
    for slip in ("9", "0", "-1", "1.5", "12", "99"):
        assert "I cannot find that order for you" in say(slip)
    assert not WrongLookup.objects.exists()
    say("ORD-9")
    assert WrongLookup.objects.count() == 1


def test_help_is_help_at_any_question(say, order):
    say("hi")
    say("1")
    assert "Leave a message" in say("help")
    assert "Leave a message" in say("human")


def test_a_contact_card_is_no_order_number(say, buyer, order):
    say("hi")
    question = say("1")
    reply = say("", MessageType="contacts")
    assert reply.startswith("Sorry, I cannot read that kind of message.")
    assert reply.endswith(f"\n\n{question}")
    assert say("1").startswith(ANSWER)
    assert not WrongLookup.objects.exists()


@pytest.mark.parametrize(
    "asked",
    [
        *("where is ORD-1001?", "Where's ord 1001", "status of ORD-1001", "ORD-1001, any news?"),
        *("any news on order ORD 1001?", "Is order no. ORD-1001 ready?", "update on ORD-1001 pls"),
        *("Good morning, can you tell me where my order ORD-1001 is?", "how far is ORD1001"),
        *("What's the status of ORD-1001", "status ORD-1001", "Can you track ORD-1001 please"),
        *("Where is ORD 1001? I need it by 5 October.", "when will the order ORD-1001 be ready"),
        *("ORD-1001 pls asap", "hi, 1001 thanks", "i need ord 1001 today", "order 1001 when"),
        *("1001 urgent!", "Can I get ORD-1001 now?", "we want to know about 1001, thank you"),
        *("I want to check order 1001", "ORD-1001 today?", "need 1001 urgently please"),
        *("I need order 1001 today", "can we get order 1001 now?", "we need order ord 1001"),
    ],
)
def test_a_question_out_of_the_blue_is_answered_with_the_order_that_it_names(
    say, buyer, order, asked
):
    say("hi")
    assert say(asked).startswith(ANSWER)
    assert "View defect history" in say("2")


ASKED_OF_NONE = [
    *("Where is my order?", "When will my order be ready", "any news on our orders?"),
    *("when is the delivery?", "Hello, has my order been shipped", "Why is my order of 20 late?"),
    *("Where are my orders?", "is my order coming by 24/11/2026?", "wheres my order"),
]


ASKED_OF_IT = [
    *("when does it ship?", "Is it late?", "is it ready yet", "Where are my parts?", "where is it"),
    *("Hi, when will they arrive", "How long will it take?", "when can I collect it?"),
    *("When do you deliver?", "has it been sent?", "Hello, and will it come on time?"),
]


@pytest.mark.parametrize("asked", [*ASKED_OF_NONE, *ASKED_OF_IT])
def test_a_question_that_names_no_order_leads_to_the_choice_of_one(say, buyer, order, asked):
    say("hi")
    question = say("1")
    say("menu")
    assert say(asked) == question
    assert say("1").startswith(ANSWER)
    assert say(asked) == question
    assert not WrongLookup.objects.exists()


@pytest.mark.parametrize(
    "wanted",
    [
        *(
            "cancel order ORD-1001",
            "Change ORD-1001 to 700 please",
            "can you please cancel ORD-1001?",
        ),
        *("can you cancel 1001 now", "I want to change 1001 today"),
    ],
)
@pytest.mark.parametrize("before", [["hi"], ["hi", "1"]])
def test_who_wants_an_order_changed_is_offered_to_the_team(say, buyer, order, before, wanted):
    for text in before:
        say(text)
    assert "Shall I pass it on to our team?" in say(wanted)


@pytest.mark.parametrize(
    "asked",
    [
        *("any change on ORD-1001?", "Hi, is there any change to ORD-1001", "why change ORD-1001"),
        "did you cancel ORD-1001?",
    ],
)
def test_but_not_who_asks_whether_it_was(say, buyer, order, asked):
    say("hi")
    say("1")
    assert say(asked).startswith(ANSWER)


def test_who_asks_the_same_again_is_offered_to_the_team(say, buyer, order):
    say("hi")
    assert say("when do you deliver?").startswith("Which order would you like to know about?")
    assert say("when do you deliver?").startswith("Sorry, I cannot answer that myself.")


def test_for_a_worker_it_may_be_anything(say, worker, order):
    say("hi")
    assert say("when will it be ready?").startswith("Sorry, I cannot answer that myself.")


def test_who_is_not_linked_yet_may_ask_in_words_too(say, contact, order):
    say("hi")
    assert "1. I am a customer: link me to my company" in say("Where is my order?")


@pytest.mark.parametrize(
    "asked", ["Where is {}?", "any news on order {}", "when will {} be ready?"]
)
def test_a_wrong_number_in_a_question_is_a_wrong_try(new_phone, acme, contact, order, asked):
    """Of somebody else's order it tells no more than of one that does not exist."""
    make_order(Customer.objects.create(name="Other"), "ORD-2000")
    answers = set()
    for number in ("ORD-2000", "ORD-9999"):
        phone = new_phone()
        phone.say("hi")
        answers.add(tuple(phone.say(asked.format(number))))
    ((answer,),) = answers
    assert answer.startswith("I cannot find that order for you.")
    assert answer.endswith("1. I am a customer: link me to my company")
    assert WrongLookup.objects.count() == 2


def test_after_five_wrong_questions_one_has_to_wait_for_all_but_the_own(say, buyer, order):
    say("hi")
    for number in range(5):
        say(f"Where is ORD-900{number}?")
        say("menu")
    assert "please wait until" in say("Where is ORD-1002?")
    say("menu")
    assert WrongLookup.objects.count() == 5
    assert say("Where is ORD-1001?").startswith(ANSWER)


def test_where_the_menu_has_no_order_status_only_the_own_order_is_told(say, buyer, order):
    MenuItem.objects.filter(opens="orders.status").update(audience="workers")
    say("hi")
    assert say("Where is ORD-1001?").startswith(ANSWER)
    for asked in ("Where is ORD-9999?", "Where is my order?"):
        assert say(asked).startswith("Sorry, I cannot answer that myself.")
        say("no")
    assert not WrongLookup.objects.exists()


def test_order_status_may_be_deeper_in_the_menus(say, buyer, order):
    MenuItem.objects.filter(opens="orders.status").delete()
    Menu.objects.get(key="defects").add_item("Orders", "orders.status")
    say("hi")
    assert say("Where is my order?").startswith("Which order would you like to know about?")


@pytest.mark.parametrize(
    "said",
    [
        *("where is the canteen", "When is my shift?", "can I change my order", "out of order"),
        *("line 2 is out of order, when will someone come?", "I would like to order 200 brackets"),
        *("when is machine 4 repaired?", "is it safe to touch?", "Where is it broken?"),
        *("when do you open again", "when will the parts be repaired?", "can it take more load?"),
        *(
            "Are the parts made of steel?",
            "Is it made in Germany?",
            "where are your products sold?",
        ),
        *(
            "we need 2000 more today",
            "Can I get 200 brackets",
            "we want 5000 today",
            "20 now please",
        ),
        *("When can I expect a call back about it?", "When can someone come to look at it?"),
        *("I want to order 500", "Can we order 100?", "we need to order 50 now"),
        *("need to order 2", "we need order 500", "can you order 20", "Can we order today?"),
        *("I want to order 1001", "can I order 5000 now"),
    ],
)
def test_other_questions_are_none_for_an_order(say, buyer, order, said):
    say("hi")
    assert say(said).startswith("Sorry, I cannot answer that myself.")
    assert not WrongLookup.objects.exists()


def test_a_number_may_have_several_dashes(say, buyer, acme):
    make_order(acme, "PO-AC-7")
    say("hi")
    assert "*Order PO-AC-7*" in say("Where is PO-AC-7? It was due on 5 October.")
    assert "I cannot find that order" in say("Where is PO-AC-8? It was due on 5 October.")


@pytest.mark.parametrize(
    "said",
    ["Where is my order, it is 12345?", "Where is 123456 order", "Status of order no. 7777"],
)
def test_a_question_for_an_unknown_order_is_one_try(say, buyer, said):
    say("hi")
    assert say(said).startswith("I cannot find that order for you.")
    assert WrongLookup.objects.count() == 1


def test_much_white_space_holds_nobody_up(say, buyer):
    say("hi")
    say("1")
    began = perf_counter()
    say(f"1{' ' * 60_000}x")
    assert perf_counter() - began < 5


def test_a_question_is_recognised_fast():
    """However it repeats what the patterns look for."""
    words = ["is order ", "is it ", "how many ", "update on order ", "hi ", "where is 1 ", "a-1-"]
    began = perf_counter()
    for word in words:
        asks_about_an_order((word * 200)[:LONGEST_QUESTION])
        may_ask_about_an_order((word * 200)[:LONGEST_QUESTION])
        number_in((word * 200)[:LONGEST_QUESTION])
    assert perf_counter() - began < 1
