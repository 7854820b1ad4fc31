"""A worker who tells of a defect straight away, without the menu."""

from datetime import timedelta
from time import perf_counter

import pytest

from defects.models import DefectReport, Question, ReportForm
from defects.questions import may_describe
from orders.models import Customer, Order
from whatsapp_bot.models import Contact, Menu, MenuItem
from whatsapp_bot.models.contact import Role
from whatsapp_bot.recent import forget_all

TOLD_LIKE_A_QUESTION = [
    *("Schedule label missing on crate", "When it starts the motor makes noise"),
    *("which side was painted black is peeling", "where the handle meets the cover there is a gap"),
]
BROKEN = "machine 4 broken since this morning, 12 pieces scrap"
OFFER = "Thank you for telling me! Shall I report that as a defect?\n\n1. Yes\n2. No"


@pytest.fixture
def at_rest(say, worker):
    say("hi")


def descriptions() -> list[str]:
    return list(DefectReport.objects.order_by("pk").values_list("description", flat=True))


def filed_messages() -> list[str]:
    filed = DefectReport.objects.get().attachments
    return list(filed.values_list("message__body", flat=True))


@pytest.mark.parametrize("yes", ["1", "yes", "Yes, please", "👍", "noted", "1!"])
def test_words_out_of_the_blue_are_offered_to_be_reported(say, at_rest, two_questions, yes):
    assert say(BROKEN) == OFFER
    assert not DefectReport.objects.exists()
    assert say(yes) == "How many parts?"
    assert "Defect Submitted" in say("12")
    assert descriptions() == [BROKEN]
    assert filed_messages() == []


def test_a_form_with_no_further_question_is_filed_at_once(say, at_rest):
    say(BROKEN)
    assert "Defect Submitted" in say("yes")
    assert descriptions() == [BROKEN]


@pytest.mark.parametrize(
    "no",
    [
        *("don't report it", "please don’t report that", "do not report", "not needed, thanks"),
        *("no, not yet", "nope, all good", "No thank you, I fixed it", "leave it", "none"),
        *("leave it for now", "no thanks, we will do it ourselves", "ok, don't report it"),
        *("that is not a defect", "not a defect sorry", "thats no defect", "no fault at all"),
        *(
            "it works again now",
            "The machine is running again",
            "its fixed now",
            "sorry, it works now",
        ),
        *("already reported this morning", "I reported it already", "it was reported yesterday"),
        *("just testing, ignore this message", "sorry, this is just a test", "ignore this message"),
    ],
)
def test_who_refuses_in_a_sentence_has_nothing_reported(say, at_rest, no):
    say(BROKEN)
    assert say(no).startswith("All right, nothing was reported.")
    assert not DefectReport.objects.exists()


@pytest.mark.parametrize(
    "more",
    [
        *("No guard on it either", "not safe at all", "it does not start", "not yet fixed"),
        *("Not yet, still leaking", "it's not yet repaired", "Don't want anyone hurt"),
        *("leave that machine off", "drop it broke", "do not pass the leak test"),
        *("nothing works again", "it is not working again", "the machine works again but slowly"),
        *("already reported and still broken", "not a defect but a hazard", "it works sometimes"),
        *(
            "just testing the new pump it leaks",
            "no fault light on the press",
            "it was fixed badly",
        ),
        *(
            "that is not a good weld",
            "everything is not fine now",
            "ignore this message on the panel",
        ),
    ],
)
def test_what_is_amiss_may_deny_something(say, at_rest, more):
    say(BROKEN)
    say(more)
    assert descriptions() == [f"{BROKEN}\n{more}"]


@pytest.mark.parametrize(
    "yes", ["I don't need help, report it", "I don't want to, but yes", "forget it yes please"]
)
def test_a_yes_may_begin_like_a_no(say, at_rest, yes):
    say(BROKEN)
    assert "Defect Submitted" in say(yes)


def test_a_no_and_a_yes_is_neither(say, at_rest):
    say(BROKEN)
    assert say("no thanks yes report it").startswith("Sorry, that is not one of the choices.")
    assert "Defect Submitted" in say("yes")
    assert descriptions() == [BROKEN]


def test_a_no_reports_nothing_and_shows_the_way_to_the_menu(say, at_rest, two_questions):
    say(BROKEN)
    assert say("no") == "All right, nothing was reported.\n\nSend *menu* for the main menu."
    say("2")
    assert say("1") == "Please describe the defect:"
    assert not DefectReport.objects.exists()


@pytest.mark.parametrize("asked", ["what are we making today", "I want to withdraw my report"])
def test_what_asks_for_something_else_is_not_reported(say, at_rest, asked):
    assert "Shall I report" not in say(asked)
    say("2")
    say(BROKEN)
    assert say(asked).startswith("Sorry, that is not one of the choices.")
    assert not DefectReport.objects.exists()


@pytest.mark.parametrize("asked", ["ord 1001 ord 1002", "and ORD-1001, ORD-1002 please"])
def test_numbers_of_orders_alone_are_no_defect(say, at_rest, asked):
    say(BROKEN)
    assert say(asked).startswith("Sorry, that is not one of the choices.")
    assert not DefectReport.objects.exists()


def test_a_long_message_holds_nobody_up(say, at_rest):
    began = perf_counter()
    say(f"{'! ' * 40_000} press 3 leaks")
    assert perf_counter() - began < 5


@pytest.mark.parametrize("before", ["", "wrong person"])
def test_nor_do_many_signs_in_one(before):
    began = perf_counter()
    assert may_describe(f"{before}{'.' * 40_000} press 3 leaks")
    assert perf_counter() - began < 5


def test_words_that_are_added_instead_of_a_yes_are_reported_too(say, at_rest):
    say(BROKEN)
    assert "Defect Submitted" in say("and it leaks oil")
    assert descriptions() == [f"{BROKEN}\nand it leaks oil"]


def test_where_it_is_may_follow_in_two_words(say, at_rest):
    say("The belt is torn")
    assert "Defect Submitted" in say("line 3")
    assert descriptions() == ["The belt is torn\nline 3"]


def test_a_photo_that_follows_joins_the_report(say, phone, at_rest, two_questions):
    say(BROKEN)
    assert phone.send("image") == [f"📎 I have that one as well.\n\n{OFFER}"]
    say("yes")
    say("12")
    assert DefectReport.objects.get().attachments.count() == 1


@pytest.mark.parametrize(
    "said",
    [
        *("Is machine 4 broken again?", "what is wrong with it", "how do I report a defect"),
        *("thank you my good friend", "Good morning to you", "ok I will do that", "two words"),
        *("no damage", "broken", "good one", "calm down", "ok stop", "No, jammed"),
        *("1 2 3", "👍 👍 👍", "no, that was for my boss", "hello my friend, how are you"),
        *("I want to report something", "please call me back", "show me the plan of today"),
        *("where is the canteen", "what time does the canteen close on Fridays", "schedule"),
        *("production schedule", "when do we stop production", "start production"),
        *("whats on line 2 today", "hows it going today"),
    ],
)
def test_questions_and_courtesies_are_no_defects(say, at_rest, said):
    say("hi")
    assert OFFER not in say(said)


@pytest.mark.parametrize(
    "said",
    [
        *("Good morning, press 3 leaks oil", "No guard on machine 5", "Does not start, press 3"),
        *("Belt torn? yes, since noon", "20 of ORD-1001 are scratched"),
        *("production stopped", "Production down", "stop production", "Please stop the line!"),
        *("press broke", "Oil leak!", "line 2 down", "belt jammed", "hi, motor overheating"),
        *("Thanks, the belt broke again", "thank you but it is still leaking", "ok press broke"),
        *TOLD_LIKE_A_QUESTION,
    ],
)
def test_what_is_wrong_may_begin_as_it_likes(say, at_rest, said):
    assert say(said) == OFFER


@pytest.mark.parametrize(
    "said",
    [*TOLD_LIKE_A_QUESTION, "Have a gap between the door and its frame since noon"],
)
def test_so_may_what_is_added(say, at_rest, said):
    say(BROKEN)
    assert "Defect Submitted" in say(said)
    assert descriptions() == [f"{BROKEN}\n{said}"]


@pytest.mark.parametrize("role", [Role.UNKNOWN, Role.CUSTOMER])
def test_only_workers_are_asked(say, contact, role):
    Contact.objects.update(role=role)
    say("hi")
    assert say(BROKEN).startswith("Sorry, I cannot answer that myself.")


def test_what_somebody_else_wants_is_not_offered(say, at_rest):
    Order.objects.create(
        number="ORD-1001", customer=Customer.objects.create(name="Acme"), product="x", quantity=5
    )
    assert "*Order ORD-1001*" in say("Please tell me the status of ORD-1001")
    say(BROKEN)
    assert "Defect Submitted" in say("yes")
    number = DefectReport.objects.get().number
    assert number in say("and the second bracket has it too")


def test_a_tapped_button_of_an_earlier_message_tells_of_no_defect(say, at_rest):
    tapped = {"ButtonPayload": "old", "ButtonText": "Look at the thing", "MessageType": "button"}
    assert say("", **tapped).startswith("Sorry, I did not get that.")


def test_words_at_a_question_are_its_answer(say, at_rest):
    say("2")
    say("1")
    assert "Defect Submitted" in say(BROKEN)


def test_without_a_form_on_the_workers_menu_nothing_is_offered(say, at_rest, defect_form):
    MenuItem.objects.filter(opens="menu:defects").update(audience="customers")
    forget_all()
    assert say(BROKEN).startswith("Sorry, I cannot answer that myself.")
    say("no")
    MenuItem.objects.filter(opens="menu:defects").update(audience="workers")
    defect_form.withdraw()
    forget_all()
    assert say(BROKEN).startswith("Sorry, I cannot answer that myself.")


def test_a_form_that_is_withdrawn_meanwhile_is_said_to_be(say, at_rest, defect_form):
    say(BROKEN)
    defect_form.withdraw()
    forget_all()
    assert say("yes").startswith("Defects cannot be reported here right now.")


def test_the_form_is_the_first_on_the_menu_that_asks_everybody_for_words(say, at_rest, defect_form):
    defect_form.questions.update(kind="photo")
    defect_form.publish()
    off_the_menu = ReportForm.objects.create(key="audit", title="Audit")
    hazard = ReportForm.objects.create(key="hazard", title="Hazard")
    for form in (off_the_menu, hazard):
        Question.objects.create(form=form, position=1, name="what", text=f"{form.title}: what?")
        Question.objects.create(form=form, position=2, name="where", text=f"{form.title}: where?")
        form.publish()
    forget_all()
    assert say(BROKEN).startswith("Sorry, I cannot answer that myself.")
    Menu.objects.get(key="defects").add_item("Hazard", hazard.address)
    forget_all()
    assert say(BROKEN) == OFFER
    assert say("yes") == "Hazard: where?"


@pytest.mark.parametrize("word", ["menu", "hi", "back", "help"])
def test_who_turns_to_the_menu_finds_the_words_in_the_report(say, at_rest, two_questions, word):
    say(BROKEN)
    left = say(word)
    assert left.startswith("I have kept what you wrote. You can still report it from the menu.")
    say("menu")
    say("2")
    assert "“machine 4 broken since this morning, 12" in say("1")
    assert say("continue") == "How many parts?"
    say("12")
    assert descriptions() == [BROKEN]


@pytest.mark.parametrize(("answer", "told"), [("1", [BROKEN]), ("2", [])])
def test_back_from_the_help_leads_to_the_question_again(say, phone, at_rest, answer, told):
    say(BROKEN)
    phone.send("image")
    assert "I have kept what you wrote" in say("help")
    assert say("back") == OFFER
    say(answer)
    assert descriptions() == told
    assert all(len(filed_messages()) == 1 for _ in told)
    for text in ("menu", "2"):
        say(text)
    assert say("1") == "Please describe the defect:", "nothing waits there any more"


def test_a_photo_waits_with_the_words(say, phone, at_rest, two_questions, clock):
    say(BROKEN)
    phone.send("image")
    say("menu")
    clock.shift(timedelta(hours=1))
    for text in ("2", "1", "continue", "12"):
        say(text)
    assert DefectReport.objects.get().attachments.count() == 1


def test_after_cancel_nothing_waits(say, at_rest):
    say(BROKEN)
    assert say("cancel").startswith("Cancelled. Nothing was submitted.")
    say("2")
    assert say("1") == "Please describe the defect:"


def test_after_a_stop_the_words_wait_too(say, at_rest):
    say(BROKEN)
    say("stop")
    say("menu")
    say("2")
    assert "“machine 4 broken" in say("1")


@pytest.mark.parametrize("said", ["hello", "yes", "What now?"])
def test_after_a_long_silence_the_words_are_offered_again(say, at_rest, two_questions, clock, said):
    say(BROKEN)
    clock.shift(timedelta(hours=14))
    assert "“machine 4 broken since this morning, 12" in say(said)
    assert say("1") == "How many parts?"
    say("12")
    assert descriptions() == [BROKEN]
    assert filed_messages() == []


def test_what_is_told_then_goes_with_them(say, at_rest, clock):
    say(BROKEN)
    clock.shift(timedelta(hours=14))
    assert "“machine 4 broken" in say("machine 5 is down as well")
    assert "Defect Submitted" in say("1")
    assert descriptions() == [BROKEN]
    assert filed_messages() == ["machine 5 is down as well"]


def test_the_first_words_of_a_new_day_are_offered_wherever_the_last_day_ended(say, at_rest, clock):
    say("2")
    clock.shift(timedelta(hours=14))
    assert say(BROKEN) == OFFER


@pytest.mark.parametrize("before", ["yes", "menu"])
def test_a_report_that_was_left_half_way_is_not_lost_for_it(say, at_rest, two_questions, before):
    """It is offered first; going on with it files the new words with it, and else they begin one."""
    for text in ("2", "1", "Bent frame", "menu", BROKEN, before):
        reply = say(text)
    if before == "menu":
        say("2")
        reply = say("1")
    assert "“Bent frame”" in reply
    assert say("continue") == "How many parts?"
    say("12")
    assert descriptions() == ["Bent frame"]
    assert filed_messages() == [BROKEN]


def test_or_it_is_dropped_for_the_new_one(say, at_rest, two_questions):
    for text in ("2", "1", "Bent frame", "menu", BROKEN, "yes"):
        say(text)
    assert say("start over") == "How many parts?"
    say("12")
    assert descriptions() == [BROKEN]
