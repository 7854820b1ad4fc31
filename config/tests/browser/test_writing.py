"""Staff write to people, answer them, tell them news, and send again what failed."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import BrowserContext, expect

from config.tests.browser.editing import Editing
from defects.models import DefectReport
from whatsapp_bot.delivery import Status
from whatsapp_bot.models import Contact, Conversation, HelpRequest, Message, MessageTemplate
from whatsapp_bot.simulator.phone import Phone

pytestmark = pytest.mark.browser


@pytest.fixture
def phone(clerk: User) -> Phone:
    """The phone of somebody who has just said hi."""
    phone = Phone("+27820000001", "Nomsa")
    phone.say("hi")
    return phone


@pytest.fixture
def nomsa(phone: Phone) -> Contact:
    return Contact.objects.get()


@pytest.fixture
def writing(editing: Editing, phone: Phone) -> Editing:
    """The admin, for somebody who may write to people."""
    return editing


def test_a_message_is_looked_at_and_sent(writing: Editing, nomsa: Contact):
    page = writing.page
    writing.page_of(nomsa)
    expect(page.get_by_text("It goes at once.")).to_be_visible()
    writing.fill(to_send="Your parts are *here*.")
    expect(writing.bubble.locator("strong")).to_have_text("here")
    writing.press("Send")
    expect(page.get_by_text("It is on its way.")).to_be_visible()
    expect(writing.field("to_send")).to_have_value("")
    row = page.locator(".talk-bubble").filter(has_text="Your parts are here.")
    expect(row).to_contain_text("queued")
    expect(row).to_contain_text("editor")
    Message.objects.filter(notice="staff.message").update(status=Status.READ)
    page.reload()
    expect(row).to_contain_text("read")


def test_enter_in_another_field_saves_and_does_not_send(writing: Editing, nomsa: Contact):
    page = writing.page
    writing.page_of(nomsa)
    writing.fill(to_send="Half a sentence")
    with page.expect_navigation():
        writing.field("name").press("Enter")
    expect(page.get_by_text("You have not sent your message yet.")).to_be_visible()
    expect(writing.field("to_send")).to_have_value("Half a sentence")
    assert not Message.objects.filter(notice="staff.message").exists()
    writing.press("Send")
    expect(page.get_by_text("It is on its way.")).to_be_visible()


def test_the_bubble_shows_the_template_that_it_goes_in(writing: Editing, nomsa: Contact):
    Conversation.objects.update(heard_at=timezone.now() - timedelta(days=2))
    MessageTemplate.objects.create(
        notice="staff.message",
        content_sid="HX" + "1" * 32,
        body="A word from the factory: {{1}} Thank you!",
        variables={"1": "text"},
        approval=MessageTemplate.Approval.APPROVED,
    )
    writing.page_of(nomsa)
    expect(writing.page.get_by_text("in the words of the approved")).to_be_visible()
    expect(writing.bubble).to_have_text("A word from the factory: … Thank you!")
    expect(writing.page.get_by_text("0 of 988 characters")).to_be_visible()
    writing.fill(to_send="Please\ncall $& us.")
    expect(writing.bubble).to_have_text("A word from the factory: Please call $& us. Thank you!")


def test_a_help_request_is_answered(writing: Editing, phone: Phone):
    for text in ("4", "1", "Where are you?"):
        phone.say(text)
    page = writing.page
    writing.page_of(HelpRequest.objects.get())
    writing.fill(to_send="In Durban.")
    writing.press("Send")
    expect(page.get_by_text("It is on its way.")).to_be_visible()
    bubble = page.locator(".talk-bubble").filter(has_text="In Durban.")
    expect(bubble).to_contain_text("queued")
    expect(page.get_by_text("Answered by editor")).to_be_visible()


def test_a_step_is_taken_and_a_question_asked(writing: Editing, phone: Phone):
    for text in ("2", "1", "Deep scratch"):
        phone.say(text)
    while not DefectReport.objects.exists():
        phone.say("skip")
    report = DefectReport.objects.get()
    page = writing.page
    writing.page_of(report)
    expect(page.get_by_text("When it becomes acknowledged, the reporter is told.")).to_be_visible()
    writing.save("Acknowledge", says="The reporter is told.")
    writing.fill(to_send="How *many* parts?")
    expect(writing.bubble).to_contain_text(f"A question about your report {report.number}")
    expect(writing.bubble).to_contain_text("How ∗many∗ parts?")
    writing.press("Send")
    expect(page.get_by_text("It is on its way.")).to_be_visible()
    filed = page.locator("#attachments-group")
    expect(filed.get_by_role("row").filter(has_text="How ∗many∗ parts?")).to_contain_text("queued")
    expect(filed.get_by_role("row").filter(has_text="is looking into it")).to_contain_text("queued")


def test_what_failed_is_sent_again(writing: Editing, nomsa: Contact):
    for number in (1, 2):
        nomsa.send(f"Message {number}")[0].settle(Status.FAILED, 63024)
    page = writing.page
    writing.open("whatsapp_bot/message/")
    page.get_by_role("link", name="Failed messages").click()
    page.wait_for_url("**failed=open**")
    expect(page.locator("#result_list")).to_contain_text("This phone number is not on WhatsApp.")
    page.get_by_role("link", name="Message 1").click()
    writing.press("Send again")
    expect(page.get_by_text("1 is on its way again.")).to_be_visible()
    expect(page.get_by_role("button", name="Send again")).to_have_count(0)

    writing.open("whatsapp_bot/message/?failed=open")
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    page.locator("input.action-select").check()
    writing.choose("action", "Send again")
    writing.press("Run")
    expect(page.get_by_text("1 is on its way again.")).to_be_visible()
    assert Message.objects.filter(status=Status.QUEUED).count() == 2


def test_what_is_typed_outlives_the_sign_in(
    writing: Editing, nomsa: Contact, context: BrowserContext, clerk: User, base: str
):
    writing.page_of(nomsa)
    writing.fill(to_send="It took an hour to find these words.")
    context.clear_cookies()
    writing.page.get_by_role("button", name="Send", exact=True).click()
    expect(writing.page.get_by_role("alert")).to_contain_text("You are signed out, so nothing was")
    expect(writing.field("to_send")).to_have_value("It took an hour to find these words.")
    assert not Message.objects.filter(notice="staff.message").exists()

    clerk.set_password("long and easy")
    clerk.save()
    tab = Editing(context.new_page(), base)
    tab.open("login/")
    tab.fill(username="editor", password="long and easy")
    tab.field("password").press("Enter")
    tab.page.wait_for_url("**/admin/")
    writing.press("Send")
    expect(writing.page.get_by_text("It is on its way.")).to_be_visible()
    assert Message.objects.filter(notice="staff.message").count() == 1
