"""The 24-hour window: free text inside, an approved template outside, or waiting."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from whatsapp_bot import outbox, wording
from whatsapp_bot.delivery import DeliveryReport, Route, Status
from whatsapp_bot.fake_twilio import trouble
from whatsapp_bot.models import Contact, Conversation, Message, MessageTemplate, Wording
from whatsapp_bot.recent import forget_all
from whatsapp_bot.simulator import script
from whatsapp_bot.simulator.history import page_before
from whatsapp_bot.tests.database import statements
from whatsapp_bot.whatsapp_text import MAX_LENGTH, length
from whatsapp_bot.wording import Notice

pytestmark = pytest.mark.django_db


@pytest.fixture
def notice(monkeypatch):
    monkeypatch.setattr(wording.Text, "declared", dict(wording.Text.declared))
    return Notice("test.ready", "Order {number} is *ready*.", about="When an order is ready.")


@pytest.fixture
def quiet(contact):
    """Somebody who wrote two days ago."""
    long_ago = timezone.now() - timedelta(days=2)
    Conversation.objects.create(contact=contact, heard_at=long_ago)
    return contact


@pytest.fixture
def template(fake_twilio, notice):
    """The approved template for the notice, which Twilio has as well."""
    body, sid = "Good news: order {{1}} is ready.", "HX" + "1" * 32
    fake_twilio.memory.contents[sid] = {"types": {"twilio/text": {"body": body}}, "variables": {}}
    return MessageTemplate.objects.create(
        notice=notice.key,
        content_sid=sid,
        body=body,
        variables={"1": "number"},
        approval=MessageTemplate.Approval.APPROVED,
    )


def test_inside_it_goes_in_our_words(quiet, phone, notice, template, fake_twilio, deliver):
    phone.say("hi")
    assert quiet.route(notice.key) == Route.FREELY
    quiet.notify(notice, number="AN-1")
    deliver()
    (sent,) = fake_twilio.sent
    assert (sent.body, sent.content_sid) == ("Order AN-1 is *ready*.", None)


def test_what_is_too_long_with_its_values_goes_shortened(
    quiet, phone, notice, fake_twilio, deliver
):
    phone.say("hi")
    Wording.objects.create(key=notice.key, text="🏭" * 780 + " {number}")
    forget_all()
    quiet.notify(notice, number="AN-1 " * 10)
    deliver()
    (sent,) = fake_twilio.sent
    assert length(sent.body) <= MAX_LENGTH
    assert sent.body.endswith("AN-1…")


def test_outside_it_goes_as_the_template(quiet, notice, template, fake_twilio, deliver):
    assert quiet.route(notice.key) == Route.AS_TEMPLATE
    quiet.notify(notice, number="AN-1")
    deliver()
    (sent,) = fake_twilio.sent
    assert sent.body == "Good news: order AN-1 is ready."
    assert (sent.content_sid, sent.content_variables) == (template.content_sid, {"1": "AN-1"})
    assert quiet.messages.get().template == template


def test_its_template_is_looked_for_once(quiet, notice, template):
    for step in (lambda: quiet.notify(notice, number="AN-1"), lambda: outbox.claim(1)):
        asked = [sql for sql in statements(step) if "messagetemplate" in sql]
        assert len(asked) == 1


def test_what_was_read_is_shown_and_what_was_written_is_kept(
    quiet, phone, notice, template, fake_twilio, deliver, admin_client
):
    def shown() -> str:
        page = reverse("admin:whatsapp_bot_contact_change", args=[quiet.pk])
        return admin_client.get(page).content.decode()

    message = quiet.notify(notice, number="AN-1\nand AN-2")
    read = "Good news: order AN-1 and AN-2 is ready."
    assert read in shown()
    deliver()
    assert fake_twilio.sent[0].body == read
    assert read in shown()
    assert page_before(quiet)["messages"][-1]["text"] == read
    assert f"# {read}" in script.write(quiet.messages.order_by("pk"))
    assert read in admin_client.get(f"/admin/whatsapp_bot/message/{message.pk}/change/").text
    message.refresh_from_db()
    assert message.body == "Order AN-1\nand AN-2 is *ready*."
    MessageTemplate.objects.update(body="Order {{1}} is there.")
    assert read in shown()
    message.settle(Status.FAILED, 63013)
    phone.say("hi")
    message.send_again()
    deliver()
    assert fake_twilio.sent[-1].body == message.body
    assert Message.objects.latest("pk").read == message.body


def test_what_does_not_fit_its_template_waits(quiet, phone, template, fake_twilio, deliver):
    MessageTemplate.objects.update(notice="staff.message", variables={"1": "text"})
    (message,) = quiet.send("x " * 600)
    deliver()
    message.refresh_from_db()
    assert (message.status, message.read) == (Status.WAITING, message.body)
    assert not fake_twilio.sent
    phone.say("hi")
    deliver()
    assert fake_twilio.sent[-1].body == message.body


def test_what_waits_after_all_is_shown_as_it_was_written(quiet, notice, template, deliver):
    message = quiet.notify(notice, number="AN-1")
    MessageTemplate.objects.update(approval="paused")
    deliver()
    message.refresh_from_db()
    assert (message.status, message.template) == (Status.WAITING, None)
    assert message.read == message.body == "Order AN-1 is *ready*."


def test_what_nobody_knows_of_a_template_is_looked_up(
    quiet, notice, template, fake_twilio, deliver
):
    fake_twilio.trouble.once(trouble.cut())
    quiet.notify(notice, number="AN-1")
    deliver()
    assert len(fake_twilio.sent) == 1
    assert quiet.messages.get().status == Status.SENT


@pytest.mark.parametrize("approval", ["unsubmitted", "pending", "rejected", "paused"])
def test_without_an_approved_one_it_waits_until_the_person_writes(
    quiet, phone, notice, template, approval, fake_twilio, deliver
):
    MessageTemplate.objects.update(approval=approval)
    assert quiet.route(notice.key) == Route.HELD
    first = quiet.notify(notice, number="AN-1")
    quiet.notify(notice, number="AN-2")
    deliver()
    assert first.status == Status.WAITING
    assert not fake_twilio.sent
    phone.say("hi")
    deliver()
    assert [sent.body for sent in fake_twilio.sent] == [
        "Order AN-1 is *ready*.",
        "Order AN-2 is *ready*.",
    ]
    assert not Conversation.objects.get().holds


def test_what_waits_is_released_of_each_person_by_itself(
    quiet, new_phone, notice, template, monkeypatch
):
    MessageTemplate.objects.update(approval="pending")
    other = Contact.objects.create(phone=new_phone().address)
    waiting = [person.notify(notice, number="AN-1") for person in (quiet, other)]
    release = Conversation.release_for

    def stumble(conversation, template):
        count = release(conversation, template)
        return 1 / 0 if conversation.contact == other else count

    monkeypatch.setattr(Conversation, "release_for", stumble)
    template.approval = "approved"
    MessageTemplate.objects.update(approval="approved")
    with pytest.raises(ZeroDivisionError):
        template.release_what_waits()
    for message in waiting:
        message.refresh_from_db()
    assert [message.status for message in waiting] == [Status.QUEUED, Status.WAITING]


def test_who_never_wrote_is_outside(new_phone, notice, deliver, fake_twilio):
    stranger = Contact.objects.create(phone=new_phone().address)
    assert stranger.notify(notice, number="AN-1").status == Status.WAITING
    deliver()
    assert not fake_twilio.sent


def test_it_closes_while_a_message_is_queued(quiet, phone, notice, fake_twilio, deliver):
    phone.say("hi")
    quiet.notify(notice, number="AN-1")
    Conversation.objects.update(heard_at=timezone.now() - timedelta(days=2))
    deliver()
    assert quiet.messages.get(direction="out", notice=notice.key).status == Status.WAITING
    phone.say("hi")
    deliver()
    assert len(fake_twilio.sent) == 1


def test_twilio_says_later_that_it_was_closed(quiet, phone, notice, template, fake_twilio, deliver):
    phone.say("hi")
    message = quiet.notify(notice, number="AN-1")
    deliver()
    message.refresh_from_db()
    report = DeliveryReport(message.sid, "undelivered", None, Status.FAILED, 63016)
    Message.objects.take_report(report)
    Message.objects.take_report(report)
    deliver()
    first, second = fake_twilio.sent
    assert (first.content_sid, second.content_sid) == (None, template.content_sid)


def test_and_without_a_template_it_waits(quiet, phone, notice, fake_twilio, deliver):
    phone.say("hi")
    message = quiet.notify(notice, number="AN-1")
    deliver()
    message.refresh_from_db()
    Message.objects.take_report(
        DeliveryReport(message.sid, "undelivered", None, Status.FAILED, 63016)
    )
    deliver()
    assert len(fake_twilio.sent) == 1
    assert quiet.messages.filter(status=Status.WAITING).count() == 1
    phone.say("menu")
    deliver()
    assert len(fake_twilio.sent) == 2


@pytest.mark.parametrize(
    ("code", "approval"),
    [(63016, "unsubmitted"), (63027, "unsubmitted"), (63040, "rejected"), (63041, "paused")],
)
def test_whatsapp_says_later_that_the_template_is_not_approved(
    quiet, phone, notice, template, fake_twilio, deliver, code, approval
):
    message = quiet.notify(notice, number="AN-1")
    deliver()
    message.refresh_from_db()
    Message.objects.take_report(
        DeliveryReport(message.sid, "undelivered", None, Status.FAILED, code)
    )
    template.refresh_from_db()
    assert template.approval == approval
    assert f"(Twilio {code})" in template.said
    assert quiet.route(notice.key) == Route.HELD
    deliver()
    assert quiet.messages.filter(status=Status.WAITING).exists() == (code != 63016)
    phone.say("hi")
    deliver()
    again = [sent.body for sent in fake_twilio.sent[1:]]
    assert again == ([] if code == 63016 else ["Order AN-1 is *ready*."])


def test_what_twilio_calls_approved_and_whatsapp_refuses_is_not_tried_for_ever(
    quiet, notice, template, fake_twilio, deliver
):
    fake_twilio.memory.approvals[template.content_sid] = {"status": "approved"}
    quiet.notify(notice, number="AN-1")
    for _ in range(10):
        deliver()
        for message in quiet.messages.filter(status=Status.SENT):
            report = DeliveryReport(message.sid, "undelivered", None, Status.FAILED, 63027)
            Message.objects.take_report(report)
        MessageTemplate.objects.learn_approvals()
    assert len(fake_twilio.sent) == 3
    assert Message.objects.failed().count() == 1


def test_what_was_wrong_with_the_message_is_no_fault_of_its_template(
    quiet, notice, template, deliver
):
    message = quiet.notify(notice, number="AN-1")
    deliver()
    message.refresh_from_db()
    report = DeliveryReport(message.sid, "undelivered", None, Status.FAILED, 63024)
    Message.objects.take_report(report)
    template.refresh_from_db()
    assert template.approval == template.Approval.APPROVED


def test_a_reply_that_comes_too_late_waits_and_is_not_sent_for_ever(phone, fake_twilio, deliver):
    """Such as one that staff send again after days: Twilio refuses it each time."""
    phone.say("hi")
    replies = Message.objects.filter(direction="out").order_by("-pk")
    for _ in range(3):
        reply = replies.first()
        sid = reply.sid or "SM" + "5" * 32
        report = DeliveryReport(sid, "undelivered", reply.pk, Status.FAILED, 63016)
        if reply.status != Status.WAITING:
            Message.objects.take_report(report)
        deliver()
    assert not fake_twilio.sent
    assert replies.first().status == Status.WAITING
    phone.say("menu")
    deliver()
    assert len(fake_twilio.sent) == 1


def test_a_failed_reply_sent_again_after_the_window_closed_waits(phone, fake_twilio, deliver):
    phone.say("hi")
    Conversation.objects.update(heard_at=timezone.now() - timedelta(days=2))
    reply = Message.objects.get(direction="out")
    reply.settle(Status.FAILED, 63013)
    reply.send_again_now()
    deliver()
    assert not fake_twilio.sent
    assert Message.objects.latest("pk").status == Status.WAITING


def test_who_wrote_what_we_stumbled_over_has_written(
    phone, fake_twilio, deliver, monkeypatch, settings
):
    settings.TWILIO_REPLY_WITH = "api"
    monkeypatch.setattr("whatsapp_bot.desk.Desk.answer", lambda desk: 1 / 0)
    phone.say("hi")
    deliver()
    assert len(fake_twilio.sent) == 1


def test_a_notice_in_the_persons_language(quiet, notice, template):
    Contact.objects.update(language="en-za")
    quiet.refresh_from_db()
    assert quiet.route(notice.key) == Route.AS_TEMPLATE
    Contact.objects.update(language="af")
    quiet.refresh_from_db()
    assert quiet.route(notice.key) == Route.HELD


def test_a_notice_that_is_switched_off_is_not_sent(quiet, notice, template):
    Wording.objects.create(key=notice.key, switched_off=True)
    forget_all()
    assert quiet.notify(notice, number="AN-1") is None
    assert not quiet.messages.exists()


def test_blanks_are_filled_with_one_line_that_is_not_empty(template):
    assert template.filled({"number": " AN-1\n\tx "}) == {"1": "AN-1 x"}
    assert template.filled({"number": ""}) == {"1": "–"}


@pytest.mark.usefixtures("read_once")
def test_the_turn_of_a_person_for_whom_nothing_waits_costs_no_more(quiet, phone):
    phone.say("hi")
    phone.say("menu")
    assert len(statements(lambda: phone.say("2"))) <= 4
