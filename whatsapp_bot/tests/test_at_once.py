"""Many messages at the same moment, each on a connection of its own."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connection

from defects.models import DefectReport
from whatsapp_bot.delivery import Status
from whatsapp_bot.models import Contact, HelpRequest, Message
from whatsapp_bot.recent import forget_all
from whatsapp_bot.refusals import NotAllowed
from whatsapp_bot.simulator import phone as simulator
from whatsapp_bot.tests.database import all_at_once

pytestmark = pytest.mark.django_db(transaction=True)


def post_at_once(requests):
    """The contents of what is answered to these parameters."""
    forget_all()
    responses = all_at_once(simulator.post, requests)
    assert {response.status_code for response in responses} == {200}
    assert not Message.objects.filter(status=Status.TROUBLE).exists()
    return [response.content for response in responses]


@pytest.fixture
def phone(transactional_db, new_phone):
    return new_phone()


def test_the_same_message_fifty_times_at_once_is_one_report(phone):
    for text in ("hi", "2", "1"):
        phone.say(text)
    answers = post_at_once([phone.parameters("The seal leaks")] * 50)
    assert len(set(answers)) == 1
    assert DefectReport.objects.count() == 1


def test_twenty_first_messages_of_somebody_at_once_are_one_contact(phone):
    post_at_once([phone.parameters(f"hello {n}") for n in range(20)])
    assert Contact.objects.count() == 1
    assert Message.objects.filter(direction="in").count() == 20
    assert Message.objects.filter(direction="out").count() == 20


def test_twenty_first_messages_with_and_without_the_number_are_one_contact(phone, new_phone):
    hidden = new_phone("ZA.1a2b3c")
    requests = [phone.parameters("hello", ExternalUserId="ZA.1a2b3c") for _ in range(7)]
    requests += [hidden.parameters("hello") for _ in range(7)]
    requests += [phone.parameters("hello") for _ in range(6)]
    post_at_once(requests)
    phone.say("hello", ExternalUserId="ZA.1a2b3c")
    contact = Contact.objects.get()
    assert contact.messages.filter(direction="in").count() == 21


def test_two_texts_at_once_are_one_report_and_both_are_stored(phone):
    for text in ("hi", "2", "1"):
        phone.say(text)
    post_at_once([phone.parameters("The seal leaks"), phone.parameters("and the lid is bent")])
    assert DefectReport.objects.count() == 1
    texts = Message.objects.filter(direction="in").values_list("body", flat=True)
    assert {"The seal leaks", "and the lid is bent"} <= set(texts)


def test_ten_reports_of_ten_people_at_once_have_ten_numbers(transactional_db, new_phone):
    phones = [new_phone() for _ in range(10)]
    for phone in phones:
        for text in ("hi", "2", "1"):
            phone.say(text)
    post_at_once([phone.parameters("The seal leaks") for phone in phones])
    assert DefectReport.objects.values("number").distinct().count() == 10


def test_an_album_at_once_is_ten_pictures_on_one_report_and_one_reply(phone):
    for text in ("hi", "2", "1"):
        phone.say(text)
    album = [
        phone.parameters(
            MessageType="image",
            NumMedia="1",
            MediaUrl0=f"https://api.twilio.com/{n}",
            MediaContentType0="image/jpeg",
        )
        for n in range(10)
    ]
    answers = post_at_once(album)
    assert sum(b"<Message " in answer for answer in answers) == 1
    phone.say("The seal leaks")
    assert DefectReport.objects.get().attachments.count() == 10


@pytest.mark.skipif(connection.vendor != "postgresql", reason="a file does not hang up")
def test_a_connection_that_died_meanwhile_loses_no_message(phone):
    phone.say("hi")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (ours,) = cursor.fetchone()
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [ours])
    other.close()
    assert "Report a defect" in phone.say("2")[0]
    assert Message.objects.filter(direction="in").count() == 2


@pytest.mark.parametrize("step", ["take", "answer"])
def test_of_five_who_see_to_a_help_request_at_once_one_does_and_the_others_are_told(phone, step):
    for text in ("hi", "4", "1", "Where are you?"):
        phone.say(text)

    def see_to(who):
        user, asked = who
        try:
            asked.take(user) if step == "take" else asked.answer("In Durban.", user)
        except NotAllowed as refused:
            return str(refused)
        finally:
            connection.close()
        return ""

    team = [User.objects.create_user(f"colleague-{number}") for number in range(5)]
    with ThreadPoolExecutor(5) as pool:
        said = list(pool.map(see_to, [(one, HelpRequest.objects.get()) for one in team]))
    asked = HelpRequest.objects.get()
    winner = asked.taken_by if step == "take" else asked.answered_by
    assert sorted(map(bool, said)) == [False, True, True, True, True]
    assert said[team.index(winner)] == ""
    assert all(str(winner) in refused for refused in said if refused)
    assert len(asked.answers) == (step == "answer")


@pytest.mark.skipif(connection.vendor != "postgresql", reason="nothing is planned beforehand")
def test_a_column_that_is_changed_meanwhile_is_no_trouble(phone):
    def change_to(kind):
        other = connection.copy()
        with other.cursor() as cursor:
            cursor.execute(f"ALTER TABLE whatsapp_bot_contact ALTER COLUMN name TYPE {kind}")
        other.close()

    phone.say("hi")
    try:
        change_to("text")
        assert "Report a defect" in phone.say("2")[0]
    finally:
        change_to("varchar(200)")
    assert "How can we help you" in phone.say("menu")[0]
