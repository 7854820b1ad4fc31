"""Somebody is blocked: what comes is stored and not answered, nothing goes out, and it ends."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from whatsapp_bot.delivery import Route, Status
from whatsapp_bot.models import Contact, Conversation, HelpRequest, Message
from whatsapp_bot.models.message import Resent
from whatsapp_bot.tests.staff import page_of, posted, shown, staff
from whatsapp_bot.tests.test_writing import with_details
from whatsapp_bot.wording import Notice

pytestmark = pytest.mark.django_db
WHY = "The person was blocked, so it was not answered."


@pytest.fixture
def blocked(say) -> Contact:
    say("hi")
    contact = Contact.objects.get()
    contact.block()
    return contact


def test_what_comes_is_stored_and_not_answered(phone, blocked):
    assert phone.say("2") == []
    assert phone.send("image") == []
    words, picture = Message.objects.filter(direction="in").order_by("pk")[1:]
    assert (words.body, words.why, words.status) == ("2", WHY, Status.RECEIVED)
    assert picture.media.count() == 1
    assert Message.objects.filter(direction="out").count() == 1  # the menu from before


def test_the_same_message_again_is_not_answered_either(phone, blocked):
    parameters = phone.parameters("2")
    for _ in range(2):
        assert b"<Message>" not in phone.post("2", **parameters).content
    assert Message.objects.filter(body="2").count() == 1


def test_the_conversation_goes_on_where_it_stood(say, blocked):
    say("xyzzy")
    blocked.refresh_from_db()
    blocked.unblock()
    assert "View defect history" in say("2")


def test_a_stop_is_a_stop_all_the_same(say, blocked):
    say("stop")
    blocked.refresh_from_db()
    assert blocked.opted_out_at
    blocked.unblock()
    assert "our own messages to you are switched off" in say("hi")
    blocked.block()
    say("start")
    blocked.refresh_from_db()
    assert blocked.opted_out_at is None


def test_a_fault_of_ours_says_nothing_either(say, blocked, monkeypatch):
    monkeypatch.setattr("whatsapp_bot.receiving._leave", None)
    assert say("2") == ""
    assert Message.objects.get(body="2").status == Status.TROUBLE


def test_nothing_is_written(blocked, deliver, fake_twilio):
    closed = next(notice for notice in Notice.all() if notice.key == "news.closed")
    assert blocked.notify(closed, number="DEF-1", preview="Scratch") is None
    (message,) = blocked.send("Hello")
    assert (message.status, message.why) == (Status.FAILED, "We have blocked the person.")
    assert message.send_again_now() == Resent.BLOCKED
    assert blocked.route("staff.message", is_reply=True) == Route.BLOCKED
    deliver()
    assert not fake_twilio.sent


def test_what_is_under_way_does_not_go(say, deliver, fake_twilio):
    say("hi")
    contact = Contact.objects.get()
    (message,) = contact.send("Hello")
    contact.block()
    deliver()
    message.refresh_from_db()
    assert (message.status, message.why) == (Status.FAILED, "We have blocked the person.")
    assert not fake_twilio.sent


def test_what_waits_still_waits_and_goes_when_it_is_over(say, deliver, fake_twilio):
    say("hi")
    contact = Contact.objects.get()
    Conversation.objects.update(heard_at=timezone.now() - timedelta(days=2))
    (message,) = contact.send("Please call.")
    contact.block()
    say("hello")
    message.refresh_from_db()
    assert message.status == Status.WAITING
    contact.unblock()
    say("hello")
    deliver()
    assert [sent.body for sent in fake_twilio.sent] == ["Please call."]


def test_two_contacts_that_are_one_person_are_blocked_together(new_phone):
    new_phone("+27820000901").say("hi")
    new_phone("ZA.1a2b3c").say("hi")
    older, newer = Contact.objects.order_by("pk")
    newer.block()
    older.conversation, newer.conversation = Conversation.objects.order_by("contact")
    older.absorb(newer)
    older.refresh_from_db()
    assert older.is_blocked


def test_staff_block_and_unblock_and_it_is_noted(admin_client, say):
    say("hi")
    contact = Contact.objects.get()
    page = page_of(contact)
    posted(admin_client, page, **with_details(contact, blocked="on", _save=""))
    assert say("2") == ""
    assert "It is not sent: we have blocked the person." in shown(admin_client, page)
    assert WHY in shown(admin_client, page)
    every = reverse("admin:whatsapp_bot_contact_changelist")
    assert contact.phone in shown(admin_client, f"{every}?reach=blocked")
    assert contact.phone not in shown(admin_client, f"{every}?reach=stopped")
    posted(admin_client, page, **with_details(contact, _save=""))
    assert "1. Check order status" in say("menu")
    notes = [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]
    assert notes == ["Changed blocked.", "Changed blocked."]


def test_the_box_is_shut_also_for_what_is_posted(admin_client, blocked):
    form = with_details(blocked, blocked="on", to_send="Hello", send="send")
    assert "we have blocked the person" in posted(admin_client, page_of(blocked), **form)
    assert not Message.objects.filter(notice="staff.message").exists()


def test_nor_is_a_help_request_of_theirs_answered(admin_client, say):
    for text in ("hi", "4", "1", "Where are you?"):
        say(text)
    asked = HelpRequest.objects.get()
    asked.contact.block()
    text = posted(admin_client, page_of(asked), to_send="In Durban.", send="send")
    assert "we have blocked the person" in text
    asked.refresh_from_db()
    assert asked.is_open


def test_who_may_only_write_does_not_unblock(client, blocked):
    client.force_login(staff("clerk", "view_contact", "write_to_contact"))
    assert "since " in shown(client, page_of(blocked))
    client.post(page_of(blocked), with_details(blocked))
    blocked.refresh_from_db()
    assert blocked.is_blocked
