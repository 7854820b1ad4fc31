"""The kinds of question that staff can put into a form."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db import models

from defects.models import DefectReport, Question
from orders.models import Customer, CustomerLink, Order
from whatsapp_bot.models import Conversation
from whatsapp_bot.recent import forget_all


@pytest.fixture
def ask(say, defect_form):
    """Put one question into the shipped form, and open it."""

    def ask(kind, **options):
        defect_form.questions.all().delete()
        Question.objects.create(
            form=defect_form, name="it", kind=kind, text="Which one?", **options
        )
        defect_form.publish()
        forget_all()
        say("hi")
        say("2")
        return say("1")

    return ask


def answer() -> str:
    (stored,) = DefectReport.objects.get().answers
    return stored["answer"]


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        ("12", "12"),
        ("1,5", "1.5"),
        ("１２", "12"),
        ("1,500", "1500"),
        ("1 500", "1500"),
        ("1e5", "100000"),
        ("-0", "0"),
        ("Ten", "10"),
        *(
            ("twelve", "12"),
            ("zero", "0"),
            ("1 500 000", "1500000"),
            ("1\N{NO-BREAK SPACE}500", "1500"),
        ),
        *(("5️⃣", "5"), ("1️⃣2️⃣", "12"), ("5 pcs", "5"), ("5pcs.", "5"), ("about 5", "5")),
        *(("five parts", "5"), ("five.", "5"), ("~5", "5"), ("Approx. 12 pieces", "12")),
    ],
)
def test_a_number(ask, say, said, stored):
    ask("number")
    assert "Sorry, I need one number, such as 12." in say("a dozen")
    say(said)
    assert answer() == stored


@pytest.mark.parametrize(
    "said",
    [
        *("3 2", "3\n2", "12 24", "1 50", "5-6", "5 or 6", "5 5 5", "1500 000", "1 500 2"),
        *("5 boxes", "5 kg", "about", "pcs", "parts 5 and 6", "five six", "no. 5", "ten-ish"),
        f"1{' ' * 60_000}x",
    ],
)
def test_what_is_not_one_number(ask, say, said):
    ask("number")
    assert "Sorry, I need one number, such as 12." in say(said)
    say("12")
    assert answer() == "12"


def test_a_quantity_is_not_below_zero(ask, say):
    ask("number")
    assert "cannot be below 0" in say("-5")
    assert "cannot be below 0" in say("\N{MINUS SIGN}0,5")
    say("5")
    assert answer() == "5"


@pytest.mark.parametrize("said", ["-5", "\N{MINUS SIGN}5", "- 5"])
def test_a_number_may_be_below_zero_where_its_example_is(ask, say, said):
    ask("number", example="-12.5")
    say(said)
    assert answer() == "-5"


@pytest.mark.parametrize("said", ["will do", "noted", "😊"])
def test_an_ok_to_a_question_is_no_answer_to_it(ask, say, said):
    ask("yes_no")
    assert say(said).startswith("Sorry, that is not one of the choices.")
    say("not yet")
    assert answer() == "No"


def test_a_choice(ask, say):
    assert ask("choice", choices="Small\nLarge\n") == "Which one?\n\n1. Small\n2. Large"
    assert "not one of the choices" in say("7")
    assert "not one of the choices" in say("medium-sized")
    say("larg")
    assert answer() == "Large"


@pytest.mark.parametrize("kind", ["photo", "text", "yes_no"])
def test_a_choice_is_set_right_at_the_next_question(ask, say, defect_form, kind):
    ask("choice", choices="Line 1\nLine 2\nLine 3")
    Question.objects.create(form=defect_form, name="next", position=99, kind=kind, text="And?")
    defect_form.publish()
    forget_all()
    assert say("line 2").startswith("And?")
    assert say("no wait, line 3").startswith("All right, I have changed that to “Line 3”.\n\nAnd?")
    assert Conversation.objects.get().state["asking"]["answers"] == {"it": "Line 3"}


def test_a_number_that_is_a_choice_itself(ask, say):
    ask("choice", choices="10\n20\n30")
    assert "not one of the choices" in say("40")
    say("20")
    assert answer() == "20"


def test_three_wrong_answers_always_bring_an_example(ask, say):
    for kind in ("choice", "yes_no", "date", "photo", "number"):
        ask(kind, choices="a\nb")
        for _ in range(3):
            reply = say("?")
        assert "For example: " in reply
        say("cancel")


@pytest.mark.parametrize(("said", "stored"), [("1", "Yes"), ("n", "No"), ("YES", "Yes")])
def test_yes_or_no(ask, say, said, stored):
    assert "1. Yes\n2. No" in ask("yes_no")
    say(said)
    assert answer() == stored


@time_machine.travel(date(2025, 1, 18))
@pytest.mark.parametrize("said", ["Today", "now", "this morning"])
def test_a_date_that_is_today(ask, say, said):
    ask("date")
    say(said)
    assert answer() == "18 January 2025"


@time_machine.travel(date(2025, 1, 19))
@pytest.mark.parametrize(
    "said",
    [
        *("18/01/2025", "2025-01-18", "2025/1/18", "18.1.25", "18-01-25", "١٨/٠١/٢٠٢٥"),
        *("18 01 2025", "2025.01.18", "18-Jan-2025"),
        *(
            "18. January 2025",
            "18th of January 2025",
            "18 January 2025",
            "18 jan 2025",
            "18th Jan. 2025",
            "January 18th, 2025",
        ),
        *("Yesterday", "yesterday."),
    ],
)
def test_a_date(ask, say, said):
    ask("date")
    assert "do not understand that date" in say("soonish")
    say(said)
    assert answer() == "18 January 2025"


def test_a_question_before_the_date_that_is_new(ask, say, defect_form):
    """Whoever has been asked for the day is asked the new one, and the day again if need be."""
    ask("date")
    Question.objects.create(form=defect_form, position=0, name="new", kind="text", text="What?")
    Question.objects.update(position=models.F("pk"))
    Question.objects.filter(name="new").update(position=0)
    defect_form.publish()
    forget_all()
    assert say("24/11/2026") == "What?"
    assert "Defect Submitted" in say("Scratch")
    assert DefectReport.objects.get().answers[1]["answer"] == "24 November 2026"


@pytest.mark.parametrize("said", [".", "!", "..."])
def test_nothing_but_signs_is_no_date(ask, say, said):
    ask("date", required=False)
    assert "do not understand that date" in say(said)


@pytest.mark.parametrize("said", ["18/01/0025", "01/01/0001", "31/12/9999", "30/02/2025"])
def test_no_likely_date(ask, say, said):
    ask("date")
    assert "do not understand that date" in say(said)


def test_september_is_shortened_in_two_ways(ask, say):
    ask("date")
    assert "Defect Submitted" in say("24 Sept 2025")
    assert answer() == "24 September 2025"


def test_a_day_stays_the_day_that_it_was(ask, say, defect_form):
    """Said ten minutes before midnight, and a week before the report was sent."""
    with time_machine.travel(datetime(2025, 1, 19, 21, 50, tzinfo=UTC), tick=False) as clock:
        ask("date")
        say("cancel")
        Question.objects.create(form=defect_form, name="more", kind="text", text="What?")
        defect_form.publish()
        forget_all()
        say("2")
        say("1")
        assert say("yesterday") == "What?"
        clock.shift(timedelta(minutes=15))
        say("menu")
        clock.shift(timedelta(days=7))
        assert "You have something unfinished" in say("hi")
        assert "What?" in say("1")
        assert "Defect Submitted" in say("The handle is loose")
    assert DefectReport.objects.get().answers[0]["answer"] == "18 January 2025"


def test_what_was_said_before_the_offer_to_go_on_need_not_be_an_answer(ask, say, defect_form):
    with time_machine.travel("2025-01-19T12:30:22Z", tick=False) as clock:
        ask("text")
        say("cancel")
        Question.objects.create(
            form=defect_form,
            position=90,
            name="line",
            kind="choice",
            text="Which line?",
            choices="Line 1\nLine 2",
        )
        defect_form.publish()
        forget_all()
        for text in ("2", "1", "The handle is loose"):
            say(text)
        clock.shift(timedelta(hours=20))
        assert "You have something unfinished" in say("yes")
        assert say("1") == "Which line?\n\n1. Line 1\n2. Line 2"
        assert "Defect Submitted" in say("line 2")


@pytest.fixture
def two_choices(ask, say, defect_form) -> None:
    """How bad it is has been asked, and the line comes next."""
    ask("choice", choices="Minor\nCritical")
    say("cancel")
    Question.objects.create(form=defect_form, name="line", kind="choice", choices="Line 1\nLine 2")
    defect_form.publish()
    forget_all()
    say("2")
    say("1")


def test_two_questions_can_be_answered_at_once(two_choices, say):
    assert say("critical, line 9").startswith("Sorry, that is not one of the choices.")
    assert "Defect Submitted" in say("Line 2, critical")
    report = DefectReport.objects.get()
    assert [one["answer"] for one in report.answers] == ["Critical", "Line 2"]


def test_a_word_that_is_no_choice_does_not_go_back(two_choices, say):
    say("minor")
    assert say("Black").startswith("Sorry, that is not one of the choices.")
    assert "Defect Submitted" in say("2")


@pytest.mark.parametrize("said", ["Sharp", "done", "COOL", "great"])
def test_a_short_answer_may_be_the_beginning_of_one_choice(ask, say, said):
    ask("choice", choices="Sharp edge\nDone by hand\nCool room\nGreat force\nCrack")
    assert "Defect Submitted" in say(said)
    assert answer().split()[0].casefold() == said.casefold()


def test_but_not_of_two(ask, say):
    ask("choice", choices="Sharp edge\nSharp corner")
    assert say("sharp").startswith("Sorry, that is not one of the choices.")


def test_a_photo(ask, say, phone):
    ask("photo")
    assert "I need a picture here" in say("17")
    assert "Defect Submitted" in phone.send("image")[0]
    assert DefectReport.objects.get().attachments.count() == 1


@pytest.mark.parametrize("no", ["no", "None", "No photo, thanks", "I have no photo", "👎", "👎🏾"])
def test_who_has_no_photo_need_not_send_one(ask, say, no):
    ask("photo", required=False)
    assert "Defect Submitted" in say(no)


def test_one_that_is_needed_is_asked_for_again(ask, say):
    ask("photo")
    assert "I need an answer to this one." in say("no photo")


def test_an_optional_question_can_be_skipped(ask, say):
    assert ask("photo", required=False).endswith("Send *skip* to leave this out.")
    assert "Defect Submitted" in say("skip")
    assert answer() == ""


def test_help_text_stands_below_the_question(ask):
    assert ask("text", help_text="One line is enough.") == "Which one?\nOne line is enough."


@pytest.fixture
def order(db):
    customer = Customer.objects.create(name="Acme")
    return Order.objects.create(
        number="ORD-1001", customer=customer, product="Bracket", quantity=500, status="shipped"
    )


def test_a_worker_names_any_order(ask, say, worker, order):
    ask("order")
    assert "cannot find that order" in say("ORD-9")
    say("ord 1001")
    assert DefectReport.objects.get().order == order


def test_the_order_may_stand_among_words(ask, say, worker, order):
    ask("order")
    say("It was ORD-1001.")
    assert DefectReport.objects.get().order == order


@pytest.mark.parametrize("typed", ["1001", "order no. 1001"])
def test_its_last_digits_are_enough(ask, say, worker, order, typed):
    ask("order")
    say(typed)
    assert DefectReport.objects.get().order == order


def test_of_several_that_end_alike_one_is_chosen(ask, say, contact, order):
    CustomerLink.objects.create(contact=contact, customer=order.customer)
    other = Customer.objects.create(name="Other")
    for number, customer in (("XY-1001", order.customer), ("ZZ-1001", other)):
        Order.objects.create(number=number, customer=customer, product="Gear", quantity=1)
    ask("order")
    assert say("1001") == (
        "Several orders end like that. Please choose one:\n\n"
        "Which one?\n\n1. ORD-1001 Bracket\n2. XY-1001 Gear"
    )
    say("2")
    assert DefectReport.objects.get().order.number == "XY-1001"


def test_the_customers_own_number_names_an_order(ask, say, contact, order):
    CustomerLink.objects.create(contact=contact, customer=order.customer)
    values = {"customer": order.customer, "product": "Gear", "quantity": 1}
    Order.objects.create(number="XY-7", customer_reference="PO-4711", **values)
    Order.objects.create(number="XY-8", customer_reference="PO-4712", **values)
    Order.objects.create(number="XY-9", customer_reference="PO-4712", **values)
    ask("order")
    assert say("po 4712").startswith("Several of your orders have that number.")
    say("PO-4711")
    assert DefectReport.objects.get().order.number == "XY-7"


def test_how_many_is_no_order(ask, say, worker, order):
    Order.objects.create(number="12", customer=order.customer, product="x", quantity=1)
    ask("order")
    assert "cannot find that order" in say("about 12 of them")


def test_a_customer_picks_one_of_their_orders(ask, say, contact, order):
    CustomerLink.objects.create(contact=contact, customer=order.customer)
    assert "1. ORD-1001 Bracket" in ask("order")
    say("1")
    assert DefectReport.objects.get().order == order


def test_a_customer_picks_from_what_has_been_made_and_not_from_what_is_planned(
    ask, say, contact, order
):
    CustomerLink.objects.create(contact=contact, customer=order.customer)
    for number, status in (
        (2, "planned"),
        (3, "cancelled"),
        (4, "in_production"),
        (5, "delivered"),
    ):
        Order.objects.create(
            number=f"ORD-{number}",
            customer=order.customer,
            product="Gear",
            quantity=1,
            status=status,
        )
    question = ask("order")
    assert [line for line in question.splitlines() if ". ORD" in line] == [
        "1. ORD-5 Gear",
        "2. ORD-4 Gear",
        "3. ORD-1001 Bracket",
    ]


def test_somebody_unknown_learns_nothing_of_what_orders_there_are(ask, say, order):
    ask("order")
    assert "Defect Submitted" in say("ORD-1001")
    assert DefectReport.objects.get().order is None
    assert answer() == "ORD-1001"
