"""Staff look at who writes to us, read what was said, and see to what was asked of them."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone
from playwright.sync_api import Page, expect

from config.tests.browser.editing import Editing
from config.tests.browser.test_pages import (
    assert_fits,
    browser_context_args,  # noqa: F401
    people_and_what_they_said,
)
from config.tests.browser.test_strange_texts import STRANGE, assert_inert
from orders.models import Customer, CustomerLink
from whatsapp_bot.admin.talk import AT_ONCE
from whatsapp_bot.delivery import Status
from whatsapp_bot.models import Contact, HelpRequest, Message

pytestmark = pytest.mark.browser


def said_before(contact: Contact, count: int) -> None:
    """So much was said days ago: Number 1 first."""
    first = timezone.now() - timedelta(days=3)
    messages = [
        Message(
            contact=contact,
            direction="in" if number % 3 else "out",
            body=f"Number {number}",
            status=Status.RECEIVED if number % 3 else Status.READ,
            created_at=first + timedelta(minutes=number),
        )
        for number in range(1, count + 1)
    ]
    Message.objects.bulk_create(messages)


def test_a_conversation_is_read_and_a_request_answered(
    editing: Editing,
    clerk: User,
    look: tuple[int, str],
):
    page, (_, scheme) = editing.page, look
    linked = Permission.objects.filter(content_type__model__in=["customerlink", "customer"])
    clerk.user_permissions.add(*linked)
    nomsa = Contact.objects.create(phone="+27820000001", name="Nomsa")
    said_before(nomsa, 2 * AT_ONCE)
    CustomerLink.objects.create(customer=Customer.objects.create(name="Acme"), contact=nomsa)
    people_and_what_they_said()
    Message.objects.filter(body="Deep scratch on the cover").update(body=STRANGE)
    Contact.objects.create(phone="+27820000002", name="Somebody else", blocked_at=timezone.now())

    # The contact: at the end of what was said, and all of it within reach.
    editing.open("whatsapp_bot/contact/")
    expect(page.locator("#result_list")).to_contain_text("blocked")
    assert_fits(page, scheme)
    editing.page_of(nomsa)
    talk = page.locator(".talk-scrolls")
    expect(talk.get_by_text("Your parts are here.")).to_be_in_viewport()
    expect(talk.get_by_text("This phone number is not on WhatsApp.")).to_be_visible()
    assert_fits(page, scheme)
    assert_inert(page)
    editing.fill(to_send="Half a sentence")
    read_to_the_beginning(page)
    expect(editing.field("to_send")).to_have_value("Half a sentence")
    editing.fill(to_send="")
    expect(page.get_by_text("Acme").first).to_be_attached()

    # The request: it is found in the inbox, taken, answered and, by mistake, opened again.
    asked = HelpRequest.objects.get()
    asked.reopen(clerk)
    page.get_by_role("link", name=asked.number).click()
    expect(page.locator(".talk-about").first).to_contain_text("Where do I find")
    expect(page.locator(".talk-about").last).to_contain_text("Behind the")
    expect(page.locator(".talk-about").last).to_be_in_viewport()
    assert_fits(page, scheme)
    editing.press("Take")
    expect(page.get_by_text("Taken by you")).to_be_visible()
    editing.open("whatsapp_bot/helprequest/?inbox=mine")
    expect(page.locator("#result_list")).to_contain_text("editor")
    assert_fits(page, scheme)
    editing.page_of(asked)
    editing.fill(to_send="In Durban, at the harbour.")
    editing.press("Send")
    expect(page.get_by_text("It is on its way.")).to_be_visible()
    expect(talk.get_by_text("In Durban, at the harbour.")).to_be_attached()
    expect(page.get_by_text("Answered by editor")).to_be_visible()
    editing.press("Open again")
    expect(page.get_by_text("Taken by you")).to_be_visible()
    assert_fits(page, scheme)


def read_to_the_beginning(page: Page) -> None:
    """What was looked at stays where it is while more comes above it."""
    talk = page.locator(".talk-scrolls")
    talk.evaluate("talk => talk.scrollTo(0, 0)")
    first = talk.locator(".talk-text").first.inner_text()
    talk.get_by_role("link", name="Earlier messages").click()
    expect(talk.get_by_text("Number 60", exact=True)).to_be_attached()
    expect(talk.get_by_text(first, exact=True).first).to_be_in_viewport()
    talk.get_by_role("link", name="Earlier messages").press("Enter")
    expect(talk.get_by_text("Number 1", exact=True)).to_be_attached()
    expect(talk.get_by_role("link", name="Earlier messages")).to_have_count(0)
    numbers = talk.get_by_text(re.compile(r"^Number \d+$")).all_inner_texts()
    assert numbers == [f"Number {number}" for number in range(1, 2 * AT_ONCE + 1)]
    days = talk.locator(".talk-day").all_inner_texts()
    assert len(days) == len(set(days))
