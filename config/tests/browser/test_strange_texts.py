"""Texts that try to be more than text are text: in the admin, the bubble and the simulator."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect

from config.tests.browser.editing import Editing
from config.tests.browser.handset import Handset
from defects.models import DefectReport, ReportForm
from whatsapp_bot.models import Contact, Menu, Wording
from whatsapp_bot.models import Page as TextPage
from whatsapp_bot.simulator.people import CAST

pytestmark = pytest.mark.browser

SCRIPT = "<script>window.taken = true</script>"
PICTURE = '<img src=x onerror="window.taken = true">'
FORMATS = "{0.__class__} {{7*7}} {% now %} %s %(text)s $&"
ARABIC = "مرحبا بالعالم 5 سم"
STRANGE = f"{SCRIPT} {PICTURE} {FORMATS}"


def assert_inert(page: Page) -> None:
    assert page.evaluate("window.taken") is None
    assert page.locator("[onerror]").count() == 0


def direction(element: Locator) -> str:
    return element.evaluate("element => getComputedStyle(element).direction")


def test_what_staff_write_is_text(editing: Editing, base: str):
    page = editing.page
    editing.text("bot.not_understood")
    editing.fill(text=STRANGE)
    expect(editing.bubble).to_have_text(STRANGE, use_inner_text=True)
    editing.save()
    # The list, and the page once more.
    expect(page.locator("#result_list")).to_contain_text(SCRIPT)
    assert_inert(page)
    editing.text("bot.not_understood")
    expect(editing.field("text")).to_have_value(STRANGE)
    assert_inert(page)

    # Where more of it is wrong than right, the message about it is text as well.
    editing.fill(text=STRANGE + " {cycle}")
    editing.press("Save")
    expect(page.get_by_text("{cycle} cannot be filled in here.")).to_be_visible()
    assert_inert(page)

    TextPage.objects.create(key="strange", title=SCRIPT, text=STRANGE)
    form = ReportForm.objects.get(key="defect")
    form.questions.update(text=STRANGE, help_text=STRANGE)
    form.publish()
    form.title = PICTURE
    form.save()
    editing.menu("main")
    editing.fill(text=STRANGE)
    editing.row("Menu item", "Check order status", label="<b>%s</b> {0.__class__}", opens="")
    editing.choose("items-0-opens", f"Text page: {SCRIPT}")
    expect(editing.bubble).to_contain_text("1. <b>%s</b> {0.__class__}")
    editing.save()
    for path in ("menu/", f"menu/{Menu.objects.get(key='main').pk}/change/", "page/"):
        editing.open(f"whatsapp_bot/{path}")
        expect(page.get_by_text("Text pages")).not_to_have_count(0)
        assert_inert(page)
    for path in ("reportform/", f"reportform/{form.pk}/change/", "formversion/"):
        editing.open(f"defects/{path}")
        assert_inert(page)

    phone = Handset(page, base)
    phone.open("worker")
    menu = phone.say("hi")
    assert menu.startswith(STRANGE)
    assert phone.tap("<b>%s</b> {0.__class__}").startswith(STRANGE)
    assert phone.say("xyzzy").startswith(STRANGE)
    phone.tap("Report a defect")
    assert phone.tap("Report a defect").startswith(STRANGE)
    assert_inert(page)


def test_what_people_write_is_text(editing: Editing, base: str, editor: User):
    page = editing.page
    # Whoever looks at reports and messages may do more than edit.
    editor.is_superuser = True
    editor.save()
    address = CAST["worker"].address
    Contact.objects.create(phone=address, name=SCRIPT, role="worker")
    phone = Handset(page, base)
    page.goto(f"{base}/simulator/#{address.replace('+', '%2B')}")
    expect(page.locator("#whom")).to_have_text(SCRIPT)
    phone.wait_until_read()
    phone.say("hi")
    phone.say("2")
    phone.say("1")
    phone.say(STRANGE)
    expect(phone.mine.last.locator(".words")).to_have_text(STRANGE, use_inner_text=True)
    assert SCRIPT in phone.say("2") + phone.say("2")
    assert_inert(page)

    # Five thousand characters are stored, shown, and take no more room than there is.
    phone.say("menu")
    phone.say("2")
    phone.say("1")
    long = f"{ARABIC} " + "x" * 5000
    phone.say(long)
    words = phone.mine.last.locator(".words .text")
    assert len(words.inner_text()) == len(long)
    assert direction(words) == "rtl"
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")

    for report in DefectReport.objects.all():
        editing.open(f"defects/defectreport/{report.pk}/change/")
        expect(page.locator("#defectreport_form")).to_contain_text(report.description[:60])
        assert_inert(page)
        assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    for path in (
        "defects/defectreport/",
        "whatsapp_bot/message/",
        "whatsapp_bot/contact/",
        "whatsapp_bot/conversation/",
        f"whatsapp_bot/contact/{Contact.objects.get().pk}/change/",
    ):
        editing.open(path)
        assert_inert(page)
        assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")


def test_a_long_text_is_counted_and_one_from_the_right_is_shown_from_there(
    editing: Editing, base: str
):
    page = editing.page
    editing.text("bot.not_understood")
    editing.fill(text="x" * 5000)
    expect(page.locator(".bubble-length")).to_have_text("5000 of 1600 characters")
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    editing.press("Save")
    expect(page.get_by_text("A message holds 1600 characters, this text has 5000.")).to_be_visible()
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")

    editing.fill(text=ARABIC)
    assert direction(editing.bubble) == "rtl"
    assert direction(editing.field("text")) == "rtl"
    editing.save()
    assert Wording.objects.get(key="bot.not_understood").text == ARABIC
    phone = Handset(page, base)
    phone.open("worker")
    phone.say("hi")
    assert phone.say("xyzzy").startswith(ARABIC)
    assert direction(phone.last.locator(".text").first) == "rtl"
