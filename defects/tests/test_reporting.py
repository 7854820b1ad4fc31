"""Conversations in which somebody reports a defect."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import OperationalError, connection

from defects.models import DefectReport, Question, ReportForm
from defects.models.report import DefectReportQuerySet
from orders.models import Customer, CustomerLink, Order
from whatsapp_bot.delivery import DeliveryReport, Status
from whatsapp_bot.models import Contact, HelpRequest, Menu, MenuItem, Message
from whatsapp_bot.recent import forget_all

MAIN_MENU = """\
1. Check order status
2. Report a defect
3. View production schedule
4. Get help & support
5. Back to menu"""

DEFECT_MENU = """\
1. Report a defect
2. View defect history
3. Back to menu"""

# 14:30:22 in Johannesburg, where the factory of these tests stands.
WHEN = datetime(2025, 1, 19, 12, 30, 22, tzinfo=UTC)


@pytest.fixture
def clock():
    with time_machine.travel(WHEN, tick=False) as clock:
        yield clock


def test_a_defect_is_reported_in_three_messages(say, clock):
    assert MAIN_MENU in say("hi")
    assert DEFECT_MENU in say("2")
    assert say("1") == "Please describe the defect:"
    assert say("The handle is loose").startswith("✅ Defect Submitted! ID: DEF-20250119143022\n")
    report = DefectReport.objects.get()
    assert report.description == "The handle is loose"
    assert report.answers == [
        {
            "name": "description",
            "question": "Please describe the defect:",
            "answer": "The handle is loose",
        }
    ]


def test_a_second_report_in_the_same_second_gets_a_number_of_its_own(say, clock):
    say("hi")
    numbers = []
    for text in ("first", "second", "third"):
        say("2")
        say("1")
        numbers.append(re.search(r"DEF-\S+", say(text))[0])
    assert numbers == ["DEF-20250119143022", "DEF-20250119143022-2", "DEF-20250119143022-3"]


def test_after_a_report_a_number_means_the_main_menu_again(say):
    begin(say, "Scratch")
    assert DEFECT_MENU in say("2")


def test_the_words_of_a_menu_do_as_well_as_its_numbers(say):
    say("hi")
    assert DEFECT_MENU in say("reprt defect")
    assert say("report defect") == "Please describe the defect:"


@pytest.mark.parametrize("two", ["2", "2.", " 2 ", "２", "٢", "2️⃣", "(2)", "2)"])
def test_two_is_two_however_it_is_typed(say, two):
    say("hi")
    assert DEFECT_MENU in say(two)


def test_a_tapped_button_chooses_by_its_payload(say):
    say("hi")
    item = MenuItem.objects.get(menu__key="main", label="Report a defect")
    tapped = {"ButtonPayload": str(item.pk), "ButtonText": "Anything", "MessageType": "button"}
    assert DEFECT_MENU in say("", **tapped)


def test_a_typed_number_is_never_a_primary_key(say):
    MenuItem.objects.filter(label="Report a defect").update(position=90)
    menu = MenuItem.objects.get(menu__key="main", label="Back to menu").menu
    item = MenuItem.objects.create(pk=77, menu=menu, label="Secret", opens="report:defect")
    say("hi")
    assert "did not get" in say(str(item.pk))


@pytest.mark.parametrize("word", ["hi, there", "Good  morning!", "main menu", "*menu*"])
def test_a_greeting_leads_to_the_menu_from_anywhere(say, word):
    say("hi")
    say("2")
    assert MAIN_MENU in say(word)


def test_back_leaves_the_question_for_the_menu_it_came_from(say):
    say("hi")
    say("2")
    say("1")
    assert DEFECT_MENU in say("back")
    assert MAIN_MENU in say("back")


def test_cancel_says_that_nothing_was_submitted(say):
    say("hi")
    say("2")
    say("1")
    reply = say("cancel")
    assert reply.startswith("Cancelled. Nothing was submitted.")
    assert MAIN_MENU in reply
    assert not DefectReport.objects.exists()


def test_the_only_question_cannot_be_skipped(say):
    say("hi")
    say("2")
    say("1")
    assert say("skip") == "I need an answer to this one.\n\nPlease describe the defect:"


def test_three_wrong_answers_bring_an_example_and_the_way_out(say):
    say("hi")
    say("2")
    say("1")
    say("skip")
    say("skip")
    third = say("skip")
    assert "For example: Scratch, 5 cm" in third
    assert "*menu*" in third
    assert "*cancel*" in third


def test_words_that_steer_do_so_only_as_the_whole_message(say):
    say("hi")
    say("2")
    say("1")
    assert "Defect Submitted" in say("The cancel button on the back menu sticks")


def test_an_overlong_description_is_refused_and_can_be_sent_again(say):
    say("hi")
    say("2")
    say("1")
    assert "under 4000 characters" in say("x" * 4001)
    assert "Defect Submitted" in say("x" * 4000)


def test_a_half_written_report_is_offered_after_a_long_silence(say, two_questions, clock):
    say("hi")
    say("2")
    say("1")
    assert say("Bent frame") == "How many parts?"
    clock.shift(timedelta(hours=5))
    offer = say("hello")
    assert "Bent frame" in offer
    assert "1. Continue\n2. Start over" in offer
    assert say("continue") == "How many parts?"
    assert "Defect Submitted" in say("3")
    assert DefectReport.objects.get().description == "Bent frame"


@pytest.mark.parametrize(
    ("word", "answer"),
    [("stop", "All right, we will send you no more news."), ("help", "*Help & support*")],
)
def test_stop_and_help_are_heard_before_the_offer_to_go_on(say, two_questions, clock, word, answer):
    begin(say, "Bent frame")
    clock.shift(timedelta(hours=5))
    assert say(word).startswith(answer)
    assert bool(Contact.objects.get().opted_out_at) == (word == "stop")
    say("menu")
    say("2")
    assert "“Bent frame”" in say("1")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("Where is my order ORD-1001?", "*Order ORD-1001*"),
        ("When does it ship?", "Which order would you like to know about?"),
    ],
)
def test_a_question_after_a_long_silence_is_answered_and_the_report_waits(
    say, two_questions, clock, contact, asked, told
):
    customer = Customer.objects.create(name="Acme")
    CustomerLink.objects.create(contact=contact, customer=customer)
    Order.objects.create(number="ORD-1001", customer=customer, product="Bracket", quantity=5)
    begin(say, "Bent frame")
    clock.shift(timedelta(hours=50))
    assert say(asked).startswith(told)
    clock.shift(timedelta(hours=5))
    assert "“Bent frame”" in say("hello")


def test_an_answer_that_comes_after_a_long_silence_counts_when_the_report_goes_on(
    say, two_questions, clock
):
    begin(say, "Bent frame")
    clock.shift(timedelta(hours=5))
    assert "1. Continue" in say("7")
    assert "Defect Submitted" in say("1")
    assert DefectReport.objects.get().answers[1]["answer"] == "7"


@pytest.fixture
def hazard(defect_form) -> ReportForm:
    """The shipped form with choices after the description."""
    choices = (
        ("severity", "How bad is it?", "Minor\nCritical"),
        ("line", "Where?", "Line 1\nLine 2"),
    )
    for place, (name, text, lines) in enumerate(choices, 20):
        Question.objects.create(
            form=defect_form, position=place, name=name, kind="choice", text=text, choices=lines
        )
    defect_form.publish()
    forget_all()
    return defect_form


def filed() -> list[str]:
    """What was said and is with the report as a message."""
    return list(DefectReport.objects.get().attachments.values_list("message__body", flat=True))


def test_what_is_said_the_next_day_describes_nothing_unseen(say, phone, two_questions, clock):
    two_questions.questions.update(position=1)
    Question.objects.create(form=two_questions, name="first", kind="number", text="Which crate?")
    two_questions.publish()
    forget_all()
    begin(say, "4")
    phone.send("image")
    clock.shift(timedelta(hours=17))
    assert "1. Continue" in say("sorry I was busy yesterday")
    assert say("1") == "Please describe the defect:"
    say("The seal leaks")
    say("3")
    assert DefectReport.objects.get().description == "The seal leaks"
    assert filed() == ["", "sorry I was busy yesterday"]


@pytest.mark.parametrize("said", ["2", "yes", "ok", "👍", "menu please", "Line 9"])
def test_nor_does_it_choose_anything(say, hazard, clock, said):
    begin(say, "Bent frame")
    clock.shift(timedelta(hours=17))
    assert "1. Continue" in say(said)
    assert say("1") == "How bad is it?\n\n1. Minor\n2. Critical"
    say("minor")
    say("line 1")
    assert filed() == (["Line 9"] if said == "Line 9" else [])


def test_but_the_words_of_a_choice_do(say, hazard, clock):
    begin(say, "Bent frame")
    clock.shift(timedelta(hours=17))
    say("critical")
    assert say("1").startswith("Where?")
    say("2")
    answers = [one["answer"] for one in DefectReport.objects.get().answers]
    assert answers == ["Bent frame", "Critical", "Line 2"]
    assert filed() == []


def test_the_rest_of_a_description_stays_with_the_report(say, hazard):
    question = begin(say, "Oil on floor")
    for more in ("near the pump of line 2", "and it smells a bit", "since the night shift"):
        added = "I will add that to your report. Please choose as well:"
        assert say(more) == f"{added}\n\n{question}"
    assert say("critical").startswith("Where?")
    say("menu")
    say("2")
    say("1")
    assert say("1").startswith("Where?")
    assert "Send a photo now" in say("2")
    assert DefectReport.objects.get().description == "Oil on floor"
    assert filed() == ["near the pump of line 2", "and it smells a bit", "since the night shift"]


def test_what_is_less_than_a_sentence_or_was_tapped_does_not(say, hazard):
    begin(say, "Oil on floor")
    tapped = {"ButtonPayload": "old", "ButtonText": "View defect history", "MessageType": "button"}
    for text, more in (("very bad", {}), ("", tapped), ("critical, line 9", {})):
        assert say(text, **more).startswith("Sorry, that is not one of the choices.")
    say("critical")
    say("1")
    assert filed() == []


def test_what_tells_nothing_of_it_does_not_either(say, hazard):
    question = begin(say, "Oil on floor")
    for text in (
        *("I don't know", "sorry, I'm not sure how bad", "i dont know what it means"),
        *("what does major mean?", "does it have to be one of them ?"),
    ):
        reply = say(text)
        assert reply.startswith("Sorry, that is not one of the choices. Please send one of the")
        assert reply.endswith(question)
    assert "For example: 1\nOr send *menu*" in reply
    say("critical")
    say("1")
    assert filed() == []


@pytest.mark.parametrize("asked", ["where is my order ORD-1001?", "Is ORD-1001 ready"])
def test_an_order_that_is_asked_about_meanwhile_is_told(say, hazard, worker, asked):
    Order.objects.create(
        number="ORD-1001", customer=Customer.objects.create(name="Acme"), quantity=5
    )
    question = begin(say, "Oil on floor")
    reply = say(asked)
    assert reply.startswith("*Order ORD-1001*")
    assert reply.endswith(question)
    assert "Send *menu*" not in reply
    say("critical")
    say("1")
    assert filed() == []


def test_where_we_would_have_to_ask_back_the_choice_comes_first(say, hazard, worker):
    question = begin(say, "Oil on floor")
    reply = say("where is my order please")
    assert reply == (
        f"Sorry, that is not one of the choices. Please send one of the numbers.\n\n{question}"
    )
    say("critical")
    say("1")
    assert filed() == []


def test_who_tells_of_an_emergency_meanwhile_has_it_in_the_report_too(say, hazard):
    question = begin(say, "Oil on floor")
    assert say("now there is a fire").endswith(f"\n\n{question}")
    say("critical")
    say("1")
    assert filed() == ["now there is a fire"]


def test_what_is_said_to_the_offer_to_go_on_is_no_part_of_the_report(say, hazard):
    begin(say, "Oil on floor")
    for text in ("menu", "2", "1"):
        say(text)
    assert say("no that was settled").startswith("Sorry, that is not one of the choices.")


@pytest.fixture
def replied(phone) -> Callable[[str, str], str]:
    """Say something in reply to the first message of ours that has these words."""

    def replied(text: str, to: str) -> str:
        ours = Message.objects.filter(direction="out", body__contains=to).earliest("pk")
        sid = f"SM{ours.pk:032x}"
        Message.objects.take_report(DeliveryReport(sid, "delivered", ours.pk, Status.DELIVERED))
        return phone.say(text, OriginalRepliedMessageSid=sid)[0]

    return replied


@pytest.mark.parametrize("said", ["2", "critical", "Minor"])
def test_a_reply_to_an_earlier_question_answers_no_other(say, replied, hazard, said):
    begin(say, "Oil on floor")
    asked = replied("1", to="How bad is it?")
    assert asked.startswith("Where?"), "a reply to the open question counts"
    assert replied(said, to="How bad is it?") == (
        "That was an earlier question. Send *back* to return to the one before, or go on with this "
        f"one:\n\n{asked}"
    )
    assert say("back").startswith("How bad is it?")
    say("2")
    assert "Defect Submitted" in replied("1", to="Where?")
    answers = [one["answer"] for one in DefectReport.objects.get().answers]
    assert answers == ["Oil on floor", "Critical", "Line 1"]


def test_nor_does_a_number_where_one_is_asked_for(say, replied, two_questions):
    begin(say, "Bent frame")
    assert replied("2", to="Report a defect").startswith("That was an earlier question.")
    assert replied("2", to="describe the defect").startswith("That was an earlier question.")
    assert not DefectReport.objects.exists()
    assert "Defect Submitted" in say("2")


def test_what_is_asked_again_may_be_answered_where_it_was_asked_first(say, replied, hazard):
    begin(say, "Oil on floor")
    say("7")
    say("thanks")
    assert replied("2", to="How bad is it?").startswith("Where?")


def test_when_nothing_is_asked_any_more_it_shows_the_menu(say, replied, hazard):
    begin(say, "Oil on floor")
    for text in ("2", "2"):
        say(text)
    reply = replied("1", to="How bad is it?")
    assert reply.startswith("Thank you! That question is no longer open.\n\n👋 Welcome!")
    assert DEFECT_MENU in replied("2", to="👋 Welcome!")
    assert DefectReport.objects.count() == 1


def test_words_count_whatever_they_reply_to(say, replied, hazard):
    begin(say, "Oil on floor")
    assert replied("it drips from the pump", to="describe the defect").startswith("I will add that")
    assert MAIN_MENU in replied("menu", to="describe the defect")


def test_a_half_written_report_can_be_started_over(say, two_questions, clock):
    say("hi")
    say("2")
    say("1")
    say("Bent frame")
    clock.shift(timedelta(hours=5))
    say("hello")
    assert say("start over") == "Please describe the defect:"
    assert say("Cracked frame") == "How many parts?"


def test_a_report_that_was_left_for_the_menu_is_offered_when_it_is_opened_again(say, two_questions):
    say("hi")
    say("2")
    say("1")
    say("Bent frame")
    left = say("hello")
    assert left.startswith("I have kept what you began.")
    assert MAIN_MENU in left
    say("2")
    assert "“Bent frame”" in say("1")
    assert say("1") == "How many parts?"


def test_who_stops_half_way_hears_that_it_was_kept(say, two_questions):
    begin(say, "Bent frame")
    assert say("stop") == (
        "All right, we will send you no more news. We still answer when you write. "
        "Send *start* to hear from us again.\n\n"
        "I have kept what you began. Choose it again to go on with it."
    )
    say("2")
    assert "“Bent frame”" in say("1")


@pytest.mark.parametrize("before", [["menu"], ["menu", "2"], ["menu", "1"]])
def test_a_report_that_was_left_for_the_menu_can_be_cancelled_from_there(
    say, two_questions, before
):
    for text in ["hi", "2", "1", "Bent frame", *before]:
        say(text)
    assert say("cancel my report").startswith("Cancelled. Nothing was submitted.")
    say("2")
    assert say("1") == "Please describe the defect:"


@pytest.mark.parametrize("asks", ["help", "call me", "human"])
def test_back_from_the_help_leads_to_the_question_again(say, phone, two_questions, asks):
    begin(say, "Bent frame")
    phone.send("image")
    assert say(asks).startswith("I have kept what you began.")
    assert say("back") == "How many parts?"
    assert "Defect Submitted" in say("3")
    report = DefectReport.objects.get()
    assert (report.description, report.attachments.count()) == ("Bent frame", 1)


def test_so_it_does_where_nothing_was_answered_yet_and_from_below_the_help(say):
    for text in ("hi", "2", "1", "help"):
        say(text)
    assert say("1") == "What would you like to tell our team?"
    assert say("help").startswith("*Help & support*")
    assert say("back") == "What would you like to tell our team?"
    assert say("back").startswith("*Help & support*")
    assert say("back") == "Please describe the defect:"
    assert DEFECT_MENU in say("back")
    assert MAIN_MENU in say("back")


@pytest.mark.parametrize("before", [["2"], ["1"], ["4"]])
def test_back_from_the_help_leads_to_any_menu_or_list(say, before):
    for text in ("hi", *before):
        there = say(text)
    say("help")
    say("help")
    if before != ["4"]:
        assert say("back") == there
    assert MAIN_MENU in say("back")


def test_a_form_that_is_withdrawn_meanwhile_is_not_gone_back_to(say, two_questions):
    begin(say, "Bent frame")
    say("help")
    two_questions.withdraw()
    forget_all()
    assert say("back").startswith("Sorry, that is no longer available.")
    two_questions.publish()
    forget_all()
    say("2")
    assert "“Bent frame”" in say("1")


def test_back_from_the_first_question_keeps_what_came_already(say, phone):
    for text in ("hi", "2", "1"):
        say(text)
    phone.send("image")
    assert say("back").startswith("I have kept what you began.")
    assert "“📎”" in say("1")


def test_back_corrects_the_answer_before(say, two_questions):
    say("hi")
    say("2")
    say("1")
    say("Bent frame")
    assert say("back") == "Please describe the defect:"
    say("Broken frame")
    say("2")
    assert DefectReport.objects.get().description == "Broken frame"


def test_a_silence_in_a_menu_starts_again_and_says_so(say, clock):
    say("hi")
    say("2")
    clock.shift(timedelta(hours=4, seconds=1))
    reply = say("1")
    assert reply.startswith("It has been a while")
    assert MAIN_MENU in reply


def test_a_form_that_is_withdrawn_meanwhile_leads_back_to_the_menu(say, two_questions):
    say("hi")
    say("2")
    say("1")
    two_questions.withdraw()
    forget_all()
    reply = say("Bent frame")
    assert reply.startswith("Sorry, that is no longer available.")
    assert MAIN_MENU in reply


@pytest.mark.parametrize("answer", ["1", "continue", "no idea"])
def test_a_form_that_is_withdrawn_while_it_is_offered_again_leads_back_too(
    say, two_questions, answer
):
    begin(say, "Bent frame")
    for text in ("menu", "2", "1"):
        offer = say(text)
    assert "“Bent frame”" in offer
    two_questions.withdraw()
    forget_all()
    reply = say(answer)
    assert reply.startswith("Sorry, that is no longer available.")
    assert MAIN_MENU in reply
    two_questions.publish()
    forget_all()
    say("2")
    assert "“Bent frame”" in say("1")


def test_what_is_offered_again_and_withdrawn_can_be_cancelled(say, two_questions):
    begin(say, "Bent frame")
    for text in ("menu", "2", "1"):
        say(text)
    two_questions.withdraw()
    forget_all()
    assert MAIN_MENU in say("cancel")
    two_questions.publish()
    forget_all()
    say("2")
    assert "“Bent frame”" not in say("1")


def test_two_half_written_reports_are_both_kept(say, phone, two_questions):
    other = ReportForm.objects.create(key="hazard", title="Hazard")
    for place, text in ((1, "What happened?"), (2, "Where?")):
        Question.objects.create(form=other, position=place, name=f"q{place}", text=text)
    other.publish()
    Menu.objects.get(key="defects").add_item("Hazard", other.address)
    forget_all()
    begin(say, "Bent frame")
    phone.send("image")
    say("menu")
    say("2")
    say("hazard")
    say("I slipped")
    say("menu")
    say("2")
    assert "“Bent frame”" in say("1")
    say("continue")
    say("3")
    assert DefectReport.objects.get().attachments.count() == 1
    say("2")
    assert "“I slipped”" in say("hazard")


def test_the_offer_to_go_on_speaks_our_words(say, two_questions):
    begin(say, "Bent frame")
    say("menu")
    say("2")
    say("1")
    assert say("skip").startswith("I need an answer to this one.")


def test_the_offer_shows_no_keys_and_ids(say, phone, defect_form):
    defect_form.questions.update(position=90)
    Question.objects.create(
        form=defect_form, position=1, name="photo", kind="photo", text="A photo first:"
    )
    defect_form.publish()
    forget_all()
    say("hi")
    say("2")
    say("1")
    phone.send("image")
    say("menu")
    say("2")
    assert "“📎”" in say("1")


def test_a_button_of_an_earlier_message_is_no_description(say):
    say("hi")
    say("2")
    say("1")
    tapped = {"ButtonPayload": "old", "ButtonText": "View defect history", "MessageType": "button"}
    assert "Please describe the defect:" in say("", **tapped)
    assert not DefectReport.objects.exists()


def test_a_text_that_cleans_to_nothing_is_no_answer(say, defect_form):
    defect_form.questions.update(required=False)
    defect_form.publish()
    forget_all()
    say("hi")
    say("2")
    say("1")
    assert "Please describe the defect:" in say("\u202e")
    assert "Defect Submitted" in say("skip")


FIRST = "DEF-20250119143022"


def test_a_number_is_free_again_when_its_row_is_gone(contact, clock):
    for _ in range(3):
        last = DefectReport.objects.file(reported_by=contact, description="x")
    DefectReport.objects.exclude(pk=last.pk).delete()
    numbers = [DefectReport.objects.file(reported_by=contact, description="x").number for _ in "ab"]
    assert numbers == ["DEF-20250119143022", "DEF-20250119143022-4"]


@pytest.mark.skipif(connection.vendor == "sqlite", reason="there is one transaction at a time")
def test_a_number_that_was_stored_in_this_moment_is_not_given_twice(contact, clock, monkeypatch):
    """Another one gets it between the look for a free one and the storing."""
    DefectReport.objects.file(reported_by=contact, description="x")
    looks = iter([("SELECT %s", [FIRST]), DefectReport.objects.all()._free(FIRST)])
    monkeypatch.setattr(DefectReportQuerySet, "_free", lambda self, stem: next(looks))
    report = DefectReport.objects.file(reported_by=contact, description="y")
    assert report.number == f"{FIRST}-2"


@pytest.mark.skipif(connection.vendor == "sqlite", reason="there is one transaction at a time")
def test_nobody_waits_for_a_number_that_somebody_else_is_taking(contact, clock):
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            for taking in ("", "-3", "-4"):
                cursor.execute("SELECT pg_advisory_lock(hashtext(%s))", [FIRST + taking])
        made = [DefectReport.objects.file(reported_by=contact, description=it) for it in "ab"]
    finally:
        other.close()
    assert [report.number for report in made] == [f"{FIRST}-2", f"{FIRST}-5"]


def test_where_others_keep_taking_what_is_free_that_is_said(contact, clock, monkeypatch):
    monkeypatch.setattr(DefectReportQuerySet, "_stored", lambda *_: False)
    with pytest.raises(OperationalError):
        DefectReport.objects.file(reported_by=contact, description="x")


def begin(say, text):
    say("hi")
    say("2")
    say("1")
    return say(text)


@pytest.mark.parametrize("word", ["help", "Help me, please!", "talk to a human"])
def test_help_is_no_description_and_what_was_begun_waits(say, word):
    for text in ("hi", "2", "1"):
        say(text)
    assert "Leave a message" in say(word)
    assert not DefectReport.objects.exists()


@pytest.mark.parametrize("said", ["No", "no thanks", "Nothing more.", "That's all"])
def test_no_is_nothing_to_add(say, said):
    begin(say, "Bent frame")
    assert say(said) == "All right.\n\nSend *menu* for the main menu."
    assert not DefectReport.objects.get().attachments.exists()
    assert "cannot answer that myself" in say("and a scratch")


@pytest.mark.parametrize("said", ["cancel", "back", "delete my report"])
def test_what_was_submitted_is_corrected_in_words(say, said):
    begin(say, "Bent frame")
    assert say(said).startswith("It has reached our team already. Is something wrong with it?")
    assert "I have added that to your report" in say("It was the other machine")
    assert DefectReport.objects.get().attachments.count() == 1


@pytest.mark.parametrize(
    ("said", "answer"), [("OK, thanks!", "You are welcome!"), ("bye", "Goodbye!")]
)
def test_thanks_and_a_goodbye_describe_no_defect(say, said, answer):
    for text in ("hi", "2", "1"):
        question = say(text)
    reply = say(said)
    assert reply.startswith(answer)
    assert reply.endswith(f"\n\n{question}")
    assert not DefectReport.objects.exists()
    assert "Defect Submitted" in say("The bye-pass leaks, thanks")


def test_yes_is_something_to_add_which_is_asked_for(say):
    begin(say, "Bent frame")
    assert say("Yes") == "Please tell me in a few words, or send a photo, and I will add it."
    say("cancel")
    assert say("yes").startswith("Please tell me in a few words")
    assert not DefectReport.objects.get().attachments.exists()
    assert "I have added that to your report" in say("It was the other machine")


def test_at_the_menu_no_is_nothing_to_add_either(say):
    begin(say, "Bent frame")
    say("hi")
    assert say("no").startswith("All right.")
    assert not DefectReport.objects.get().attachments.exists()


def test_after_something_else_back_is_back(say):
    begin(say, "Bent frame")
    assert say("It was the other machine").startswith("Thank you!")
    assert say("cancel").startswith("It has reached our team already.")
    say("2")
    say("2")
    assert "How can we help you today?" in say("back")


def test_no_to_what_we_asked_is_an_answer(say, contact):
    begin(say, "Bent frame")
    DefectReport.objects.get().ask("Does it still run?")
    assert "I have added that to your report" in say("no")


def test_who_has_sent_a_photo_is_not_asked_for_one(say, phone):
    begin(say, "")
    phone.send("image")
    reply = say("Bent frame")
    assert "Defect Submitted" in reply
    assert "Send a photo now" not in reply


def test_a_question_within_a_report_is_its_answer(say):
    assert "Defect Submitted" in begin(say, "Where is my order? Half of it is missing")
    assert DefectReport.objects.get().description == "Where is my order? Half of it is missing"


@pytest.mark.parametrize(
    "said",
    [
        *("Where is my order", "when will ORD-1001 be ready?", "how do I add a photo?"),
        *("Report a defect", "2. Report a defect", "I want to report a safety hazard"),
        *("report another issue", "report a new problem"),
    ],
)
def test_what_asks_for_something_else_is_no_description(say, said):
    say("hi")
    say("2")
    say("1")
    assert say(said) == (
        "Sorry, I need to know what is wrong. A few words are enough. For anything else, send *menu*."
        "\n\n"
        "Please describe the defect:"
    )
    assert not DefectReport.objects.exists()
    assert "Defect Submitted" in say(said), "the same again is meant"


@pytest.mark.parametrize("said", ["Why is the belt torn?", "What a mess", "Is this ok? It squeals"])
def test_a_description_may_ask(say, said):
    assert "Defect Submitted" in begin(say, said)


@pytest.mark.parametrize(
    "said",
    [
        *("report gas problem", "report brake problem", "report gearbox fault"),
        *("Report hydraulic issue", "report a bearing defect"),
    ],
)
def test_what_is_to_be_reported_describes_it(say, said):
    assert "Defect Submitted" in begin(say, said)


@pytest.mark.parametrize(
    "said",
    [
        *("what do I do he is bleeding badly?", "Can you send an ambulance?"),
        "how do I stop it? it is on fire?",
    ],
)
def test_who_asks_in_an_emergency_is_taken_at_their_word(say, said):
    assert "Defect Submitted" in begin(say, said)
    assert DefectReport.objects.get().description == said


@pytest.mark.parametrize(
    "said", ["ok", "no", "Yes!", "2", "1001", "?", "...", "👍", "👎🏾", "nothing"]
)
def test_what_describes_nothing_is_asked_about_once(say, said):
    say("hi")
    say("2")
    say("1")
    asked = say(said)
    assert asked == (
        "Sorry, that tells me too little. A few words are enough. Or send *menu* to leave.\n\n"
        "Please describe the defect:"
    )
    assert say("7") == asked
    assert not DefectReport.objects.exists()
    assert "Defect Submitted" in say("Lamp broken")
    assert DefectReport.objects.get().description == "Lamp broken"


def test_who_says_it_twice_is_taken_at_their_word(say, two_questions):
    begin(say, "no")
    assert say("no") == "How many parts?"
    assert "Defect Submitted" in say("3")
    assert DefectReport.objects.get().description == "no"


@pytest.mark.parametrize("said", ["?", "👍", "..."])
def test_but_not_where_it_is_signs_alone(say, said):
    begin(say, said)
    assert "that tells me too little" in say(said)
    assert "Check order status" in say("menu")
    assert not DefectReport.objects.exists()


@pytest.mark.parametrize("said", ["Leak", "broken", "E42", "漏油", "line 3", "No. A5 press leaks"])
def test_a_single_word_describes_a_defect(say, said):
    begin(say, said)
    assert DefectReport.objects.get().description == said


def test_a_photo_is_not_lost_for_a_caption_that_describes_nothing(say, phone):
    say("hi")
    say("2")
    say("1")
    assert "that tells me too little" in phone.send("image", text="👍")[0]
    left = say("menu")
    assert left.startswith("I have kept what you began.")
    say("2")
    say("1")
    assert say("1") == "Please describe the defect:"
    say("Lamp broken")
    assert DefectReport.objects.get().attachments.count() == 1


def test_only_the_description_needs_words(say, defect_form):
    for place, required in enumerate((True, False), 20):
        defect_form.questions.create(
            position=place, name=f"q{place}", kind="text", text=f"And {place}?", required=required
        )
    defect_form.publish()
    begin(say, "Lamp broken")
    assert say("no").startswith("And 21?")
    assert "Defect Submitted" in say("2")


def test_a_message_for_the_team_needs_words_as_well(say):
    say("hi")
    say("4")
    say("1")
    assert "that tells me too little" in say("2")
    assert not HelpRequest.objects.exists()
    assert "Our team has your message" in say("Call me")
