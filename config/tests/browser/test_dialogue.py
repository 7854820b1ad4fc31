"""The whole conversation about a defect, in the simulator."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from config.tests.browser.handset import Handset
from defects.models import DefectReport
from whatsapp_bot.delivery import Status
from whatsapp_bot.models import Contact
from whatsapp_bot.simulator.people import CAST

pytestmark = pytest.mark.browser

MAIN = [
    "1. Check order status",
    "2. Report a defect",
    "3. View production schedule",
    "4. Get help & support",
    "5. Back to menu",
]


def lines(reply: str) -> list[str]:
    return [line for line in reply.split("\n") if line]


def test_a_defect_is_reported_by_taps(handset: Callable[..., Handset]):
    phone = handset("worker")
    before = phone.theirs.count()
    phone.page.get_by_role("button", name="Say hi").click()
    assert lines(phone.reply_after(before)) == ["👋 Welcome! How can we help you today?", *MAIN]
    assert lines(phone.tap("Report a defect"))[-1] == "3. Back to menu"
    assert phone.tap("Report a defect") == "Please describe the defect:"

    submitted = phone.say("Scratch on the *lid*, 5 cm")
    number = re.match(r"✅ Defect Submitted! ID: (DEF-\d{14})\n", submitted)[1]
    expect(phone.mine.last.locator("strong")).to_have_text("lid")
    assert number in phone.send_picture("Here it is")
    picture = phone.mine.last.get_by_role("img", name="Picture")
    expect(picture).to_have_js_property("naturalWidth", 480)

    # Nothing is asked, so a number is the main menu's.
    assert lines(phone.say("2"))[0] == "Defects"
    history = phone.tap("View defect history")
    assert number in history
    assert "received, waiting for our team" in history
    report = DefectReport.objects.get()
    assert report.number == number
    assert report.attachments.count() == 1


def test_the_request_and_the_answer_are_shown_on_demand(handset: Callable[..., Handset]):
    phone = handset("no number")
    phone.say("hi")
    phone.mine.last.get_by_role("button", name="Details").click()
    shown = phone.page.locator("#exchange-body")
    expect(shown).to_contain_text("X-Twilio-Signature")
    expect(shown).to_contain_text("whatsapp:ZZ.simulator4")
    expect(shown).to_contain_text("200 OK")
    expect(shown).to_contain_text("2. Report a defect")


def test_a_defect_is_reported_by_keyboard_alone(context: BrowserContext, base: str):
    page = context.new_page()
    phone = Handset(page, base)
    phone.open("unknown")
    expect(phone.box).to_be_focused()

    def type_in(text: str) -> str:
        before = phone.theirs.count()
        page.keyboard.type(text)
        page.keyboard.press("Enter")
        return phone.reply_after(before)

    assert lines(type_in("hi"))[1:] == MAIN
    # An option by its number, and one by walking to it.
    type_in("2")
    before = phone.theirs.count()
    option = phone.theirs.last.get_by_role("button", name="1. Report a defect")
    back_to(phone, option)
    page.keyboard.press("Enter")
    assert phone.reply_after(before) == "Please describe the defect:"
    expect(phone.box).to_be_focused()

    page.keyboard.type("Scratch")
    page.keyboard.press("Shift+Enter")
    assert "Defect Submitted" in type_in("on the lid")
    assert DefectReport.objects.get().description == "Scratch\non the lid"

    before = phone.theirs.count()
    back_to(phone, page.get_by_role("button", name="Attach"))
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("menuitem", name="Example picture")).to_be_focused()
    page.keyboard.press("Enter")
    expect(phone.box).to_be_focused()
    page.keyboard.press("Enter")
    assert "Added to your report" in phone.reply_after(before)

    type_in("2")
    assert "Scratch on the lid" in type_in("2")


def back_to(phone: Handset, there) -> None:
    """Walk with Shift and Tab."""
    for _ in range(12):
        phone.page.keyboard.press("Shift+Tab")
        if there.evaluate("element => element === document.activeElement"):
            return
    pytest.fail(f"the keyboard does not lead to {there}")


def test_our_own_messages_show_how_far_they_are(handset: Callable[..., Handset]):
    phone = handset("worker")
    phone.say("hi")
    expect(phone.theirs.last.locator(".delivery")).to_have_attribute("title", "sent")
    (message,) = Contact.objects.get(phone=CAST["worker"].address).send("Please call us.")
    shown = phone.theirs.filter(has_text="Please call us.")
    expect(shown.locator(".delivery")).to_have_text("queued")
    message.settle(Status.READ)
    expect(shown.locator(".delivery.read .tick")).to_be_visible()
    message.settle(Status.FAILED, 63024)
    expect(shown.locator(".delivery")).to_have_attribute("title", re.compile("not on WhatsApp"))


def test_what_waited_is_shown_in_the_words_of_the_template_that_it_went_as(
    handset: Callable[..., Handset],
):
    phone = handset("worker")
    phone.say("hi")
    (message,) = Contact.objects.get(phone=CAST["worker"].address).send("Please call us.")
    expect(phone.theirs.last).to_contain_text("Please call us.")
    message.details = {**message.details, "as_template": "From the factory: Please call us. *Ok?*"}
    message.save()
    expect(phone.last).to_have_text("From the factory: Please call us. Ok?")
