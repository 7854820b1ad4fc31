"""What people say in reply to staff, or after a message for the team, reaches the team."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from whatsapp_bot.delivery import DeliveryReport, Route, Status
from whatsapp_bot.models import Contact, HelpRequest, MenuItem, Message
from whatsapp_bot.models.message import Resent
from whatsapp_bot.recent import forget_all
from whatsapp_bot.tests.staff import browser, page_of, posted, shown, waiting
from whatsapp_bot.tests.test_inbox import INBOX, again, colleague, refuses, version_in

pytestmark = pytest.mark.django_db
PASSED_ON = "Thank you! I have passed that on to our team."


@pytest.fixture
def thandi():
    return colleague("thandi")


@pytest.fixture
def asked(say) -> HelpRequest:
    for text in ("hi", "4", "1", "When do you collect?"):
        say(text)
    return HelpRequest.objects.get()


def hours_later(hours: float) -> time_machine.travel:
    return time_machine.travel(timezone.now() + timedelta(hours=hours), tick=True)


def answered(asked: HelpRequest, text: str) -> Message:
    asked.answer(text)
    return asked.answers.last()


# Replies to staff --------------------------------------------------------------------------------


def test_what_staff_ask_is_answered_also_with_a_number(asked, say, thandi):
    asked.answer("On Friday. From which dock?", thandi)
    assert waiting() == []
    assert PASSED_ON in say("2")
    assert waiting() == ["2"]
    page = shown(browser(thandi), page_of(HelpRequest.objects.unanswered().get()))
    assert page.index("On Friday. From which dock?") < page.index("talk-about")


def test_what_comes_after_it_joins_it(asked, say):
    asked.answer("From which dock?")
    say("The left one")
    say("Sorry, the one beside it")
    assert waiting() == ["The left one\nSorry, the one beside it"]


def test_what_staff_have_answered_is_joined_no_more(asked, say):
    asked.answer("From which dock?")
    say("The left one")
    HelpRequest.objects.unanswered().get().answer("Is it long?")
    say("Twelve metres")
    assert waiting() == ["Twelve metres"]


def test_a_number_after_what_is_no_question_is_for_the_menu(asked, say):
    asked.answer("On Friday.")
    assert "*Defects*" in say("2")
    assert waiting() == []


@pytest.mark.parametrize("asks", ["Please confirm.", "2 pallets on Friday, kindly confirm"])
@pytest.mark.parametrize("said", ["2", "ok", "👍"])
def test_who_is_to_confirm_is_asked(asked, say, asks, said):
    asked.answer(asks)
    assert PASSED_ON in say(said)
    assert waiting() == [said]


def test_a_closing_phrase_is_no_question(asked, say):
    asked.answer("On Friday. Please let us know if you need anything else.")
    assert "*Defects*" in say("2")


def test_an_address_of_the_web_is_no_question(asked, say):
    asked.answer("Your label: https://example.com/label?order=7&page=2")
    assert "*Defects*" in say("2")


def test_words_after_what_is_no_question_reach_the_team(asked, say):
    asked.answer("On Friday.")
    assert PASSED_ON in say("Please bring a long ladder")
    assert waiting() == ["Please bring a long ladder"]


def test_thanks_and_ok_do_not(asked, say):
    asked.answer("On Friday.")
    for text in ("thanks", "ok", "bye", "hi"):
        assert PASSED_ON not in say(text)
    assert waiting() == []


def test_whoever_was_written_to_first_can_reply_as_well(contact, say):
    say("hi")
    contact.send("Your gloves are here. When do you come?")
    assert PASSED_ON in say("tomorrow")
    assert waiting() == ["tomorrow"]


def test_a_question_below_the_menu_may_be_answered_with_a_number(contact, say):
    say("hi")
    contact.send("Gloves of which size, 1 or 2?")
    assert PASSED_ON in say("2")
    assert "*Defects*" in say("2"), "the question has its answer"


@pytest.mark.parametrize("at", [["2"], ["1"], ["4"], ["1", "ORD-9999"]])
@pytest.mark.parametrize("said", ["2", "yes", "Main Road", "12 Main Road"])
def test_so_may_one_below_a_lower_menu_or_a_list(contact, say, at, said):
    for text in ["hi", *at]:
        say(text)
    contact.send("Where shall we deliver it?")
    assert say(said).startswith(PASSED_ON)
    assert waiting() == [said]


@pytest.mark.parametrize("at", [["2"], ["1"]])
def test_words_after_what_is_no_question_reach_the_team_from_there_too(contact, say, at):
    for text in ["hi", *at]:
        say(text)
    contact.send("It ships on Monday.")
    assert say("which Monday").startswith(PASSED_ON)
    say("menu")
    assert "Welcome" in say("menu")
    assert waiting() == ["which Monday"]


def test_a_number_there_still_chooses(contact, say):
    for text in ("hi", "2"):
        say(text)
    contact.send("It ships on Monday.")
    assert say("1") == "Please describe the defect:"


def test_a_menu_below_the_question_takes_the_number(contact, say):
    say("hi")
    contact.send("Gloves of which size, 1 or 2?")
    say("menu")
    assert "*Defects*" in say("2")


@pytest.mark.parametrize("before", ["hi", "thanks"])
def test_what_is_tapped_in_the_menu_is_no_answer(contact, say, before):
    say("hi")
    say("stop")
    say(before)
    contact.answer("From which dock?")
    item = MenuItem.objects.get(menu__key="main", opens="menu:defects")
    assert "*Defects*" in say("Report a defect", MessageType="interactive", ListId=str(item.pk))
    assert waiting() == []


def test_the_first_word_of_somebody_may_be_a_reply(contact, say, monkeypatch):
    freely = lambda *_, **__: (Route.FREELY, None)  # noqa: E731  As by a template.
    monkeypatch.setattr(Contact, "route_with_template", freely)
    contact.send("When do you come?")
    assert PASSED_ON in say("tomorrow")
    assert waiting() == ["tomorrow"]


def test_a_reply_to_staff_is_no_late_answer_to_a_menu(contact, say):
    say("hi")
    say("2")
    with hours_later(1):
        contact.send("Your gloves are here.")
    with hours_later(5.5):
        assert PASSED_ON in say("Please keep them until Friday")
    assert waiting() == ["Please keep them until Friday"]


def test_nor_is_an_answer_to_staff_a_late_yes_to_passing_something_on(contact, say):
    say("hi")
    say("This is the third time that I ask!")
    with hours_later(1):
        contact.send("Is it about the gloves?")
    with hours_later(5.5):
        assert PASSED_ON in say("yes")
    assert waiting() == ["yes"]


def test_a_number_after_hours_is(contact, say):
    say("hi")
    say("2")
    with hours_later(1):
        contact.send("Your gloves are here.")
    with hours_later(5.5):
        assert "It has been a while" in say("2")


def test_a_quoted_message_is_replied_to_at_any_time(asked, say, deliver):
    written = answered(asked, "On Friday.")
    deliver()
    written.refresh_from_db()
    with time_machine.travel(timezone.now() + timedelta(days=3), tick=True):
        say("hi")
        say("2")
        assert PASSED_ON in say("Not this one", OriginalRepliedMessageSid=written.sid)
    assert waiting() == ["Not this one"]


def test_nobody_quotes_what_was_written_to_others(asked, deliver, new_phone):
    written = answered(asked, "On Friday.")
    deliver()
    written.refresh_from_db()
    other = new_phone()
    other.say("hi")
    other.say("Not this one", OriginalRepliedMessageSid=written.sid)
    assert waiting() == []


def test_a_picture_is_a_reply_too(asked, phone):
    asked.answer("What does it look like?")
    (reply,) = phone.send("image")
    assert PASSED_ON in reply
    assert waiting() == ["📎"]


def test_a_form_goes_on_meanwhile(asked, say):
    for text in ("menu", "2", "1"):
        say(text)
    asked.answer("From which dock?")
    assert "✅" in say("The seal leaks")
    assert PASSED_ON in say("The left one")


def test_what_did_not_go_is_not_replied_to(contact, say):
    say("stop")
    contact.refresh_from_db()
    contact.send("When do you come?")
    assert PASSED_ON not in say("tomorrow")
    assert waiting() == []


def test_two_contacts_that_become_one_can_still_reply(new_phone):
    phone = new_phone()
    phone.say("hi")
    contact = Contact.objects.get(phone=phone.address)
    contact.send("When do you come?")
    older = new_phone()
    older.say("hi")
    kept = Contact.objects.get(phone=older.address)
    kept.absorb(contact)
    (reply,) = phone.say("tomorrow")
    assert PASSED_ON in reply
    assert waiting() == ["tomorrow"]


def test_what_was_read_is_answered_although_more_waits(asked, say):
    with hours_later(20):
        asked.contact.send("From which dock?")
    with hours_later(25):
        (more,) = asked.contact.send("And how long is it?")
        assert more.status == Status.WAITING
    with hours_later(26):
        assert PASSED_ON in say("2")
        assert waiting() == ["When do you collect?", "2"]
        assert PASSED_ON in say("12"), "that has been read since"


def test_a_question_does_not_come_back_with_what_waited(asked, say):
    with hours_later(1):
        asked.contact.send("From which dock?")
    with hours_later(24.5):
        asked.contact.send("We have found it.")
    with hours_later(72):
        say("thanks")
        assert "*Defects*" in say("2")


def test_a_question_that_went_too_late_is_answered_once_it_is_read(asked, say, deliver):
    with hours_later(23):
        (written,) = asked.contact.send("From which dock?")
        deliver()
        written.refresh_from_db()
    with hours_later(25):
        late = DeliveryReport(written.sid, "undelivered", None, Status.FAILED, 63016)
        Message.objects.take_report(late)
        deliver()
    with hours_later(26):
        assert PASSED_ON not in say("ok")
        deliver()
        assert PASSED_ON in say("2")


def test_what_is_sent_again_the_next_day_is_replied_to(contact, say, deliver):
    say("hi")
    (written,) = contact.send("From which dock?")
    written.settle(Status.FAILED, 63003)
    with hours_later(25):
        say("hi")
        assert Message.objects.get(pk=written.pk).send_again_now() == Resent.ON_ITS_WAY
        deliver()
        assert PASSED_ON in say("2")
    assert waiting() == ["2"]


def test_what_is_sent_again_takes_no_place_of_what_was_asked_since(contact, say):
    say("hi")
    (written,) = contact.send("We have found it.")
    written.settle(Status.FAILED, 63003)
    (asked,) = contact.send("From which dock?")
    written.send_again_now()
    contact.refresh_from_db()
    assert contact.conversation.state["expects"]["message"] == asked.pk


def test_a_question_to_one_of_two_who_become_one_is_still_open(new_phone):
    (older, newer), people = [new_phone(), new_phone()], []
    for phone in (older, newer):
        phone.say("hi")
        people.append(Contact.objects.get(phone=phone.address))
    one, other = people
    newer.say("stop")
    one.send("From which dock?")
    other.answer("Your gloves are here.")
    one.absorb(other)
    (reply,) = newer.say("2")
    assert PASSED_ON in reply


# After a message for the team --------------------------------------------------------------------


def test_a_picture_joins_the_message_just_left(asked, phone):
    (reply,) = phone.send("image")
    assert PASSED_ON in reply
    assert waiting() == ["When do you collect?\n📎"]


def test_so_do_further_words_and_the_next_picture(asked, phone, say):
    assert PASSED_ON in say("It is rather urgent")
    phone.send("image", text="This pallet")
    assert waiting() == ["When do you collect?\nIt is rather urgent\nThis pallet"]


def test_a_report_made_since_has_the_picture(asked, phone, say):
    for text in ("menu", "2", "1", "The seal leaks", "2", "2"):
        say(text)
    (reply,) = phone.send("image")
    assert "Added to your report" in reply
    assert waiting() == ["When do you collect?"]


def test_half_an_hour_later_it_is_another_matter(asked, phone):
    with time_machine.travel(timezone.now() + timedelta(minutes=31), tick=True):
        (reply,) = phone.send("image")
    assert PASSED_ON not in reply
    assert waiting() == ["When do you collect?"]


# Those who look at it meanwhile ------------------------------------------------------------------


def test_who_answers_without_having_read_all_is_told(asked, say, thandi):
    client, page = browser(thandi), page_of(asked)
    seen = version_in(shown(client, page))
    say("It is rather urgent")
    form = {"to_send": "On Friday.", "send": "send"}
    text = posted(client, page, **form, as_opened=seen)
    assert "The person has written more since you opened it. Nothing was sent" in text
    assert "On Friday.</textarea>" in text
    assert "It is rather urgent" in text
    posted(client, page, **form, as_opened=version_in(text))
    assert [one.body for one in asked.answers] == ["On Friday."]


def test_another_system_is_told_so_as_well(asked, say, thandi):
    seen = asked.version
    say("It is rather urgent")
    told = refuses(again(asked).answer, "On Friday.", thandi, seen=seen)
    assert told == "The person has written more since you opened it."


def test_the_inbox_counts_a_reply(asked, say, thandi):
    asked.answer("From which dock?")
    say("The left one")
    forget_all()
    page = shown(browser(thandi), INBOX + "?inbox=open")
    assert "The left one" in page
