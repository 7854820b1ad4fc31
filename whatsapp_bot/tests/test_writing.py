"""Staff write to people from the admin, see what becomes of it, and send again what failed."""

import time
from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from whatsapp_bot import tasks
from whatsapp_bot.delivery import Status
from whatsapp_bot.fake_twilio import FakeTwilio
from whatsapp_bot.models import (
    Channel,
    Contact,
    Conversation,
    HelpRequest,
    Message,
    MessageTemplate,
    Wording,
)
from whatsapp_bot.models import message as messages
from whatsapp_bot.recent import forget_all
from whatsapp_bot.tests.database import statements
from whatsapp_bot.tests.staff import may, page_of, posted, shown
from whatsapp_bot.twilio import account
from whatsapp_bot.whatsapp_text import length
from whatsapp_bot.wording import Notice

pytestmark = pytest.mark.django_db
LEAVES_ALONE = "You have not sent your message yet."


@pytest.fixture
def nomsa(phone, contact) -> Contact:
    """Somebody who has just written."""
    phone.say("hi")
    contact.name = "Nomsa"
    contact.save()
    return contact


@pytest.fixture
def quiet(nomsa) -> Contact:
    """The same, who last wrote two days ago."""
    Conversation.objects.update(heard_at=timezone.now() - timedelta(days=2))
    return nomsa


def with_details(contact: Contact, **fields: str) -> dict[str, str]:
    """What the page's form holds when nothing was changed, with these fields."""
    links = {"customer_links-TOTAL_FORMS": 0, "customer_links-INITIAL_FORMS": 0}
    person = {"name": contact.name, "phone": contact.phone or "", "role": contact.role}
    return {**links, **person, **fields}


def written() -> list[str]:
    return list(Message.objects.filter(notice="staff.message").values_list("body", flat=True))


# A contact ---------------------------------------------------------------------------------------


def test_a_message_to_a_contact_arrives(admin_client, nomsa, fake_twilio, deliver):
    page = page_of(nomsa)
    assert "It goes at once." in shown(admin_client, page)
    form = with_details(nomsa, to_send="Your parts are *here*.", send="send")
    assert "It is on its way." in posted(admin_client, page, **form)
    message = Message.objects.get(notice="staff.message")
    assert message.written_by.username == "admin"
    deliver()
    assert [sent.body for sent in fake_twilio.sent] == ["Your parts are *here*."]
    log = shown(admin_client, page)
    assert "Your parts are *here*." in log
    assert "sent" in log.partition("Your parts are *here*.")[2]


def test_save_sends_nothing_and_loses_nothing(admin_client, nomsa):
    page = page_of(nomsa)
    text = posted(
        admin_client, page, **with_details(nomsa, name="Other", to_send="Half a", _save="")
    )
    assert LEAVES_ALONE in text
    assert "Half a</textarea>" in text
    assert "Other" in text
    assert not written()
    posted(admin_client, page, **with_details(nomsa, name="Other", _save=""))
    nomsa.refresh_from_db()
    assert nomsa.name == "Other"


def test_an_empty_message_is_not_sent(admin_client, nomsa):
    text = posted(admin_client, page_of(nomsa), **with_details(nomsa, to_send=" \n", send="send"))
    assert "Write something first." in text
    assert not written()


@pytest.mark.parametrize(
    ("text", "problem"),
    [("x" * 1601, "this text has 1601"), ("Hello {name}", "{name} would be sent as it stands")],
)
def test_what_cannot_be_meant_is_refused(admin_client, nomsa, text, problem):
    form = with_details(nomsa, to_send=text, send="send")
    assert problem in posted(admin_client, page_of(nomsa), **form)
    assert not written()


def test_a_button_that_is_pressed_twice_sends_once(admin_client, nomsa):
    form = with_details(nomsa, to_send="Once", send="send")
    posted(admin_client, page_of(nomsa), **form)
    assert "it was not sent again" in posted(admin_client, page_of(nomsa), **form)
    assert written() == ["Once"]


def test_outside_the_window_it_waits_and_staff_know_before(admin_client, quiet, phone, deliver):
    page = page_of(quiet)
    assert "It waits until the person writes to us" in shown(admin_client, page)
    form = with_details(quiet, to_send="Please call.", send="send")
    assert "It waits until Nomsa writes to us, and goes then." in posted(admin_client, page, **form)
    deliver()
    assert Message.objects.get(notice="staff.message").status == Status.WAITING
    phone.say("hi")
    deliver()
    assert Message.objects.get(notice="staff.message").status == Status.SENT


def test_or_goes_as_the_template_which_is_shown(admin_client, quiet):
    MessageTemplate.objects.create(
        notice="staff.message",
        content_sid="HX" + "1" * 32,
        body="A word from the factory: {{1}} Thank you!",
        variables={"1": "text"},
        approval=MessageTemplate.Approval.APPROVED,
    )
    page = page_of(quiet)
    text = shown(admin_client, page)
    assert "in the words of the approved message template" in text
    assert 'data-around="A word from the factory: \ue000 Thank you!"' in text
    form = with_details(quiet, to_send="Please call.", send="send")
    assert "It is on its way, in the words of" in posted(admin_client, page, **form)


def test_what_is_typed_has_to_fit_among_the_words_around_it(admin_client, quiet, deliver):
    template = MessageTemplate.objects.create(
        notice="staff.message",
        content_sid="HX" + "1" * 32,
        body="We have news for you 🎉: {{1}} Please answer.",
        variables={"1": "text"},
        approval=MessageTemplate.Approval.APPROVED,
    )
    page, room = page_of(quiet), 1024 - len("We have news for you 🎉:  Please answer.") - 1
    assert f'data-limit="{room}"' in shown(admin_client, page)
    form = with_details(quiet, to_send="x" * (room + 1), send="send")
    said = f"A message holds {room} characters beside the words around it, this text has"
    assert said in posted(admin_client, page, **form)
    assert not written()
    posted(admin_client, page, **{**form, "to_send": "x" * room})
    assert length(template.in_words({"text": written()[0]})) == 1024


def test_who_has_stopped_our_messages_cannot_be_written_to(admin_client, nomsa, phone):
    phone.say("stop")
    page = page_of(nomsa)
    text = shown(admin_client, page)
    assert "the person has stopped our messages" in text
    assert 'name="to_send"' not in text
    form = with_details(nomsa, to_send="But look!", send="send")
    assert "the person has stopped our messages" in posted(admin_client, page, **form)
    assert not written()


def test_staff_do_not_opt_anybody_out_or_in(admin_client, nomsa):
    posted(
        admin_client,
        page_of(nomsa),
        **with_details(nomsa, opted_out_at_0="2026-01-01", opted_out_at_1="10:00", _save=""),
    )
    nomsa.refresh_from_db()
    assert nomsa.opted_out_at is None


def test_what_people_write_is_text_and_no_markup(admin_client, nomsa, phone):
    phone.say("<script>alert(1)</script>")
    Contact.objects.update(name="<img src=x onerror=alert(2)>")
    for row in (nomsa, Message.objects.filter(direction="in").latest("pk")):
        text = shown(admin_client, page_of(row))
        assert "<script>alert(1)" not in text
        assert "<img src=x" not in text
        assert "&lt;img src=x" in text
    form = with_details(nomsa, to_send="</textarea><script>alert(3)</script>", send="send")
    assert "<script>alert(3)" not in posted(admin_client, page_of(nomsa), **form)


def test_a_long_text_locks_the_conversation_once(nomsa):
    made = statements(lambda: nomsa.send("x" * 5000))
    assert sum("INSERT" in statement for statement in made) == 4
    assert sum('FROM "whatsapp_bot_conversation"' in statement for statement in made) == 1


def test_a_page_of_a_contact_costs_few_statements(admin_client, nomsa, phone):
    for _ in range(3):
        phone.say("menu")
    few = len(statements(lambda: shown(admin_client, page_of(nomsa))))
    for _ in range(9):
        phone.say("menu")
    assert len(statements(lambda: shown(admin_client, page_of(nomsa)))) <= few


# Who may -----------------------------------------------------------------------------------------


def test_without_the_permission_there_is_no_box(nomsa):
    client = may("view_contact", "change_contact", "view_message")
    text = shown(client, page_of(nomsa))
    assert "Check order status" in text
    assert 'name="to_send"' not in text
    form = with_details(nomsa, to_send="Hello", send="send")
    assert client.post(page_of(nomsa), form).status_code == 403
    assert not written()


def test_who_may_write_need_not_be_able_to_change(nomsa):
    client = may("view_contact", "write_to_contact")
    text = shown(client, page_of(nomsa))
    assert 'name="to_send"' in text
    assert "Check order status" not in text
    assert 'name="role"' not in text
    posted(client, page_of(nomsa), **with_details(nomsa, name="X", to_send="Hello", send="send"))
    assert written() == ["Hello"]
    nomsa.refresh_from_db()
    assert nomsa.name == "Nomsa"


def test_who_may_write_but_not_see_does_not_write(nomsa):
    client = may("write_to_contact")
    form = with_details(nomsa, to_send="Hello", send="send")
    assert client.post(page_of(nomsa), form).status_code == 403
    assert not written()


# A help request ----------------------------------------------------------------------------------


@pytest.fixture
def asked(say) -> HelpRequest:
    for text in ("hi", "4", "1", "Where are you?"):
        say(text)
    return HelpRequest.objects.get()


def test_a_help_request_is_answered(admin_client, asked, fake_twilio, deliver):
    page = page_of(asked)
    assert "It is on its way." in posted(admin_client, page, to_send="In Durban.", send="send")
    asked.refresh_from_db()
    assert asked.status == HelpRequest.Status.ANSWERED
    posted(admin_client, page, to_send="At the harbour.", send="send")
    deliver()
    assert [sent.body for sent in fake_twilio.sent] == ["In Durban.", "At the harbour."]
    text = shown(admin_client, page)
    for part in ("In Durban.", "At the harbour.", "admin", "sent"):
        assert part in text


def test_its_answer_reaches_also_who_has_stopped(admin_client, asked, say, deliver, fake_twilio):
    say("stop")
    page = page_of(asked)
    assert "It goes at once." in shown(admin_client, page)
    posted(admin_client, page, to_send="In Durban.", send="send")
    deliver()
    assert [sent.body for sent in fake_twilio.sent] == ["In Durban."]


def test_its_page_says_why_an_answer_failed(admin_client, asked):
    asked.answer("In Durban.")[0].settle(Status.FAILED, 63024)
    assert "This phone number is not on WhatsApp." in shown(admin_client, page_of(asked))


def test_who_may_not_write_does_not_answer(asked):
    client = may("view_helprequest", "change_helprequest")
    form = {"to_send": "In Durban.", "send": "send"}
    assert client.post(page_of(asked), form).status_code == 403
    client.post(page_of(asked), {"step": "mark_answered"})
    asked.refresh_from_db()
    assert asked.status == HelpRequest.Status.ANSWERED
    assert not asked.answers


# Messages ----------------------------------------------------------------------------------------


@pytest.fixture
def failed(nomsa):
    """Messages that failed."""

    def failed(count: int = 1) -> list[Message]:
        sent = [nomsa.send(f"Number {number}")[0] for number in range(count)]
        for message in sent:
            message.settle(Status.FAILED, 63024)
        return sent

    return failed


MESSAGES = "/admin/whatsapp_bot/message/"


def chosen(client, *messages: Message) -> str:
    form = {"action": "send_again", "_selected_action": [message.pk for message in messages]}
    return client.post(MESSAGES, form, follow=True).content.decode()


def test_failed_messages_are_found_and_sent_again(admin_client, failed, fake_twilio, deliver):
    first, second, third = failed(3)
    third.send_again()
    found = shown(admin_client, f"{MESSAGES}?failed=open")
    assert "Number 0" in found
    assert "Number 1" in found
    assert "Number 2" not in found
    assert "This phone number is not on WhatsApp. (Twilio 63024)" in found
    text = chosen(admin_client, first, second, third)
    assert "2 are on their way again; 1 had been sent again already." in text
    deliver()
    assert [sent.body for sent in fake_twilio.sent] == ["Number 2", "Number 0", "Number 1"]
    assert "Number" not in shown(admin_client, f"{MESSAGES}?failed=open")


def test_what_is_sent_again_may_have_to_wait(admin_client, failed, quiet, new_phone, deliver):
    first, second = failed(2)
    other = new_phone()
    other.say("hi")
    (third,) = Contact.objects.get(phone=other.address).send("Number 2")
    third.settle(Status.FAILED, 63024)
    text = chosen(admin_client, first, second, third)
    assert "1 is on its way again; 2 wait until the person writes." in text
    deliver()
    assert Message.objects.filter(status=Status.WAITING).count() == 2


def test_what_has_not_failed_is_not_sent_again(admin_client, failed, nomsa):
    (message,) = failed()
    other = nomsa.send("Under way")[0]
    assert "1 is on its way again; 1 had not failed." in chosen(admin_client, message, other)


def test_nor_what_goes_to_somebody_who_has_stopped(admin_client, failed, say):
    (message,) = failed()
    say("stop")
    assert "1 was not sent, because the person has stopped" in chosen(admin_client, message)
    message.refresh_from_db()
    assert message.can_be_sent_again


def test_a_failed_message_has_a_button_on_its_page(admin_client, failed):
    (message,) = failed()
    page, again = page_of(message), f"{MESSAGES}{message.pk}/send-again/"
    assert again in shown(admin_client, page)
    assert admin_client.get(again).status_code == 405
    assert "1 is on its way again." in posted(admin_client, again)
    assert again not in shown(admin_client, page)
    assert "1 had been sent again already." in posted(admin_client, again)
    newer = Message.objects.latest("pk")
    assert page_of(newer) in shown(admin_client, page)
    assert newer.written_by.username == "admin"


def test_only_with_the_permission(failed):
    (message,) = failed()
    client = may("view_message")
    assert "send-again" not in shown(client, page_of(message))
    assert client.post(f"{MESSAGES}{message.pk}/send-again/").status_code == 403
    chosen(client, message)
    message.refresh_from_db()
    assert message.can_be_sent_again


def test_replies_that_went_along_are_sent_again_with_it_and_not_by_themselves(contact):
    carrier, carried = (
        Message.objects.create(contact=contact, direction="out", body=body, status=Status.FAILED)
        for body in ("One", "Two")
    )
    carrier.details = {"carries": [carried.pk]}
    carrier.save()
    assert carrier.send_again().body == "One\n\nTwo"
    carried.refresh_from_db()
    assert not carried.can_be_sent_again


def test_the_list_counts_nothing(admin_client, failed):
    failed(3)
    said = statements(lambda: shown(admin_client, MESSAGES))
    assert not [one for one in said if "COUNT(*)" in one and "whatsapp_bot_message" in one]


def test_each_filter_works(admin_client, failed):
    failed()
    for query in ("status__exact=failed", "direction__exact=out", "notice=staff.message"):
        assert "Number 0" in shown(admin_client, f"{MESSAGES}?{query}")
    assert "Number 0" not in shown(admin_client, f"{MESSAGES}?direction__exact=in")


def test_the_sidebar_counts_what_failed_lately(admin_client, failed):
    failed(2)
    forget_all()
    assert badge(shown(admin_client, "/admin/")) == "2"
    Message.objects.update(created_at=timezone.now() - timedelta(days=8))
    forget_all()
    assert badge(shown(admin_client, "/admin/")) is None


def test_what_failed_again_and_again_is_one_and_hides_no_other(failed, monkeypatch):
    monkeypatch.setattr(messages, "MOST_FAILED", 3)
    _, again = failed(2)
    for _ in range(3):
        again = again.send_again()
        again.settle(Status.FAILED, 63024)
    forget_all()
    assert messages.failed_lately() == 2


def badge(page: str) -> str | None:
    after = page.partition("<span>Failed messages</span>")[2].partition("</a>")[0]
    return after.partition('">')[2].partition("</span>")[0].strip() or None


# Our number --------------------------------------------------------------------------------------


def test_every_page_says_when_nothing_goes_out(admin_client, client, db):
    assert "No messages go out." not in shown(admin_client, "/admin/")
    Channel.objects.ours().stop(20003)
    forget_all()
    for path in ("/admin/", MESSAGES, "/admin/orders/order/", "/admin/password_change/"):
        text = shown(admin_client, path)
        assert "No messages go out." in text
        assert "Twilio does not accept our account SID and auth token." in text
    assert "No messages go out." not in shown(client, "/admin/login/")
    clerk = shown(may("view_order"), "/admin/")
    assert "No messages go out." in clerk
    assert "Messages that wait" not in clerk
    Channel.objects.ours().go_on()
    forget_all()
    assert "No messages go out." not in shown(admin_client, "/admin/")


def test_every_page_says_when_no_worker_runs(admin_client, contact):
    says = "The background worker is not running."
    (message,) = contact.send("Your parts are here.")
    assert says not in shown(admin_client, "/admin/"), "it waits for the person"
    message.status, message.try_at = Status.QUEUED, timezone.now() - timedelta(minutes=3)
    message.save()
    forget_all()
    assert says in shown(admin_client, "/admin/")
    Channel.objects.ours()
    Channel.objects.update(free_at=time.time())
    forget_all()
    assert says not in shown(admin_client, "/admin/"), "it has much to send"
    Channel.objects.update(free_at=0, worked_at=timezone.now())
    forget_all()
    assert says in shown(admin_client, MESSAGES), "it does not send"
    contact.messages.update(try_at=None)
    forget_all()
    assert says not in shown(admin_client, "/admin/"), "nothing waits"


def test_every_page_says_when_nobody_exports(admin_client):
    says = "The background worker is not running."
    with time_machine.travel(timezone.now() - timedelta(minutes=3)):
        tasks.enqueue(tasks.fetch_files)
    assert says in shown(admin_client, "/admin/")
    Channel.objects.note_work()
    forget_all()
    assert says not in shown(admin_client, "/admin/"), "it makes something large"
    Channel.objects.update(worked_at=timezone.now() - timedelta(minutes=3))
    forget_all()
    assert says in shown(admin_client, "/admin/")


# Texts and templates -----------------------------------------------------------------------------


def test_a_notice_is_switched_off_and_on(admin_client):
    row = Wording.objects.get(key="news.closed")
    page = page_of(row)
    assert "Send this" in shown(admin_client, page)
    posted(admin_client, page, text=row.default)
    row.refresh_from_db()
    assert row.switched_off
    assert not row.declared.is_on
    texts = reverse("admin:whatsapp_bot_wording_changelist")
    off = shown(admin_client, f"{texts}?wording=off")
    assert row.about in off
    assert "switched off" in off.partition("result_list")[2]
    posted(admin_client, page, text=row.default, is_on="on")
    row.refresh_from_db()
    assert row.declared.is_on


@pytest.mark.parametrize("key", ["news.question", "help.text"])
def test_what_cannot_be_switched_off_has_no_switch(admin_client, key):
    row = Wording.objects.get(key=key)
    assert "Send this" not in shown(admin_client, page_of(row))
    posted(admin_client, page_of(row), text=row.default)
    row.refresh_from_db()
    assert not row.switched_off


def test_staff_s_own_message_is_no_text_to_edit(admin_client):
    row = Wording.objects.get(key="staff.message")
    assert admin_client.get(page_of(row)).status_code == 302


@pytest.fixture
def template(admin_client):
    """Fill in the page of a new template; what it says."""

    def fill_in(**changes: str) -> str:
        form = {
            "notice": "news.closed",
            "language": "en",
            "content_sid": "HX" + "1" * 32,
            "body": "Report {{1}} (“{{2}}”) is closed.",
            "variables": "1 = number\r\n{{2}}: preview\r\n",
            "approval": "approved",
            **changes,
        }
        return posted(admin_client, reverse("admin:whatsapp_bot_messagetemplate_add"), **form)

    return fill_in


def test_a_template_is_kept_with_its_blanks(admin_client, template):
    choices = shown(admin_client, reverse("admin:whatsapp_bot_messagetemplate_add"))
    for notice in Notice.all():
        assert notice.about in choices
    assert "when a report is closed. Has: number, preview" in choices
    assert "successfully" in template()
    row = MessageTemplate.objects.get()
    assert row.variables == {"1": "number", "2": "preview"}
    text = shown(admin_client, page_of(row))
    assert "1 = number\n2 = preview" in text


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"variables": "number"}, "“number” is not written like this: 1 = number"),
        ({"variables": "1 = number\n1 = preview"}, "There are two lines for the blank 1."),
        ({"variables": "1 = number"}, "What goes into {{2}}?"),
        ({"variables": "1 = number\n2 = price"}, "price is not part of this notice."),
        ({"variables": ""}, "What goes into {{1}}?"),
        ({"content_sid": "HX1"}, "It is HX and 32 hexadecimal digits."),
        ({"language": "klingon"}, "This is no code of a language, such as en or en_ZA."),
        ({"language": "en_"}, "This is no code of a language, such as en or en_ZA."),
        ({"body": "{{1}} and {{3}}", "variables": "1 = number\n3 = preview"}, "{{2}} is missing."),
        ({"body": "Report {{number}}", "variables": "number = number"}, "{{1}} is missing."),
        ({"notice": "made.up"}, "Select a valid choice."),
    ],
)
def test_a_template_that_could_not_be_sent_is_refused(template, changes, problem):
    assert problem in template(**changes)
    assert not MessageTemplate.objects.exists()


def test_what_is_empty_is_complained_about_once(template):
    text = template(content_sid="", body="", language="")
    assert text.count("This field is required.") == 3
    assert "hexadecimal digits.</" not in text
    assert "no code of a language" not in text
    assert "in the wording." not in text


def test_a_language_is_kept_as_twilio_writes_it(template, quiet):
    template(language="EN-za")
    row = MessageTemplate.objects.get()
    MessageTemplate.objects.update(approval=MessageTemplate.Approval.APPROVED)
    assert row.language == "en_ZA"
    assert "in this language" in template(language="en_za")
    assert MessageTemplate.objects.usable("news.closed", "en-za") == row


@pytest.fixture
def waits(quiet) -> Message:
    """News that waits for its template, beside something else that waits."""
    quiet.send("Please call.")
    closed = next(notice for notice in Notice.all() if notice.key == "news.closed")
    return quiet.notify(closed, number="DEF-1", preview="Scratch")


def review(fake_twilio: FakeTwilio, status: str, reason: str = "") -> None:
    """Twilio has the template, which stands like this."""
    sid, body = "HX" + "1" * 32, "Report {{1}} (“{{2}}”) is closed."
    fake_twilio.memory.contents[sid] = {"types": {"twilio/text": {"body": body}}, "variables": {}}
    fake_twilio.memory.approvals[sid] = {"status": status, "rejection_reason": reason}


def twilio_is_asked() -> bool:
    """Ask Twilio, if somebody wants that."""
    from django_tasks_db.models import DBTaskResult

    path = tasks.learn_approvals.module_path
    wanted, _ = DBTaskResult.objects.ready().filter(task_path=path).delete()
    if wanted:
        tasks.learn_approvals.call()
    return bool(wanted)


@pytest.mark.django_db(transaction=True)
def test_what_waited_goes_when_twilio_says_that_its_template_is_approved(
    template, waits, fake_twilio, deliver
):
    review(fake_twilio, "pending")
    text = template()
    assert "Twilio is asked within a moment" in text
    assert "now." not in text
    row = MessageTemplate.objects.get()
    assert row.approval == row.Approval.UNSUBMITTED
    assert twilio_is_asked()
    deliver()
    assert not fake_twilio.sent
    review(fake_twilio, "approved")
    tasks.learn_approvals.call()
    deliver()
    assert [sent.body for sent in fake_twilio.sent] == ["Report DEF-1 (“Scratch”) is closed."]
    waiting = Message.objects.get(status=Status.WAITING)
    assert waiting.body == "Please call."


def test_where_nobody_can_be_asked_staff_say_that_it_is_approved(template, waits, settings):
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_API_URL = account.OF_A_TRIAL, ""
    assert "go now" not in template(approval="pending")
    MessageTemplate.objects.all().delete()
    assert "1 message that waited goes now." in template()
    waits.refresh_from_db()
    assert waits.status == Status.QUEUED
    assert Message.objects.get(status=Status.WAITING).body == "Please call."


@pytest.mark.django_db(transaction=True)
def test_its_page_shows_what_twilio_said(admin_client, template, fake_twilio, deliver):
    template()
    page = page_of(MessageTemplate.objects.get())
    text = shown(admin_client, page)
    assert 'name="approval"' not in text
    assert "It has not been asked yet." in text
    assert "Twilio is asked when it is saved, every hour" in text
    assert twilio_is_asked()
    assert "Twilio has no content with this SID." in shown(admin_client, page)
    for status, reason, said in (
        ("unsubmitted", "", "nobody has submitted it to Meta."),
        ("rejected", "Too vague", "Too vague"),
        ("rejected", "", "Meta has rejected it, and gives no reason."),
        ("approved", "", "It is approved."),
    ):
        review(fake_twilio, status, reason)
        tasks.learn_approvals.call()
        assert said in shown(admin_client, page)


@pytest.mark.django_db(transaction=True)
def test_other_content_is_not_approved_because_the_first_was(admin_client, template, deliver):
    template()
    MessageTemplate.objects.update(approval="approved", checked_at=timezone.now())
    row = MessageTemplate.objects.get()
    form = {
        "notice": row.notice,
        "language": "en",
        "content_sid": row.content_sid,
        "body": "Report {{1}} is closed.",
        "variables": "1 = number",
    }
    posted(admin_client, page_of(row), **form)
    row.refresh_from_db()
    assert row.approval == row.Approval.APPROVED
    posted(admin_client, page_of(row), **{**form, "content_sid": "HX" + "2" * 32})
    row.refresh_from_db()
    assert (row.approval, row.said) == (row.Approval.UNSUBMITTED, "It has not been asked yet.")


@pytest.mark.django_db(transaction=True)
def test_a_template_that_twilio_does_not_know_is_taken_for_approved_no_longer(
    admin_client, quiet, fake_twilio, deliver
):
    row = MessageTemplate.objects.create(
        notice="staff.message",
        content_sid="HX" + "1" * 32,
        body="A word from the factory: {{1}} Thank you!",
        variables={"1": "text"},
        approval=MessageTemplate.Approval.APPROVED,
    )
    (message,) = quiet.send("Please call.")
    deliver()
    message.refresh_from_db()
    assert (message.status, message.error_code) == (Status.FAILED, 21655)
    row.refresh_from_db()
    assert row.approval == row.Approval.UNSUBMITTED
    said = "A message failed: Twilio does not know this message template. (Twilio 21655)"
    assert said in shown(admin_client, page_of(row))
    assert "It waits until the person writes to us" in shown(admin_client, page_of(quiet))
    assert twilio_is_asked()
    assert "Twilio has no content with this SID." in shown(admin_client, page_of(row))
