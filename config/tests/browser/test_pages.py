"""The pages that staff edit on, and the simulator: small and large, light and dark."""

from contextlib import suppress

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone
from playwright.sync_api import Page, TimeoutError, expect

from config.tests.browser.editing import Editing
from config.tests.browser.handset import Handset
from defects.models import DefectReport, ReportForm
from whatsapp_bot.delivery import Status
from whatsapp_bot.models import (
    Channel,
    Contact,
    HelpRequest,
    Media,
    Menu,
    Message,
    MessageTemplate,
    Wording,
)
from whatsapp_bot.models import Page as TextPage
from whatsapp_bot.recent import forget_all
from whatsapp_bot.simulator.phone import Phone

pytestmark = pytest.mark.browser

WIDTHS = (390, 1400)
FITS = "document.scrollingElement.scrollWidth <= innerWidth"
CUT_OFF = """cells => cells
    .filter((cell) => cell.scrollHeight > cell.clientHeight || cell.scrollWidth > cell.clientWidth)
    .map((cell) => cell.textContent)"""
HAS_ROOM = "table => table.scrollWidth <= table.parentElement.clientWidth"
IS_DARK = """() => {
    const colours = [document.body, document.documentElement]
        .map((element) => getComputedStyle(element).backgroundColor);
    const pixel = document.createElement("canvas").getContext("2d");
    pixel.fillStyle = "white";
    pixel.fillRect(0, 0, 1, 1);
    for (const colour of colours.reverse()) {
        pixel.fillStyle = colour;
        pixel.fillRect(0, 0, 1, 1);
    }
    const [red, green, blue] = pixel.getImageData(0, 0, 1, 1).data;
    return red + green + blue < 384;
}"""


@pytest.fixture
def browser_context_args(browser_context_args: dict, look: tuple[int, str]) -> dict:
    width, scheme = look
    size = {"width": width, "height": 844}
    touch = width < 600
    return {**browser_context_args, "viewport": size, "color_scheme": scheme, "has_touch": touch}


def assert_fits(page: Page, scheme: str) -> None:
    """Nothing of it is beyond the right edge, and it is as light or dark as was asked for."""
    page.wait_for_load_state("load")
    opened = page.viewport_size
    for width in sorted(WIDTHS, key=lambda width: width == opened["width"]):
        page.set_viewport_size({**opened, "width": width})
        with suppress(TimeoutError):  # a chart follows the window a moment later
            page.wait_for_function(FITS, timeout=3000)
        wide, room = page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
        assert room == width
        assert wide <= room, f"{page.url} is {wide} pixels wide on a screen of {room}"
    assert page.evaluate(IS_DARK) == (scheme == "dark"), f"{page.url} is not {scheme}"


def test_the_editing_pages_fit(editing: Editing, look: tuple[int, str]):
    page, (_, scheme) = editing.page, look
    TextPage.objects.create(key="hours", title="Opening hours", text="Monday to Friday")
    text = Wording.objects.get(key="bot.not_understood")
    menu = Menu.objects.get(key="main")
    form = ReportForm.objects.get(key="defect")
    for path in [
        "whatsapp_bot/wording/",
        f"whatsapp_bot/wording/{text.pk}/change/",
        "whatsapp_bot/menu/",
        f"whatsapp_bot/menu/{menu.pk}/change/",
        "whatsapp_bot/page/",
        "whatsapp_bot/page/add/",
        "defects/reportform/",
        "defects/reportform/add/",
        f"defects/reportform/{form.pk}/change/",
        "defects/formversion/",
        f"defects/formversion/{form.live_id}/change/",
    ]:
        editing.open(path)
        assert_fits(page, scheme)
    editing.menu("main")
    expect(editing.bubble).to_contain_text("5. Back to menu")
    expect(editing.bubble).to_be_visible()


def test_the_writing_pages_fit(editing: Editing, clerk: User, look: tuple[int, str]):
    page, (_, scheme) = editing.page, look
    report, asked, failed = people_and_what_they_said()
    quiet = Contact.objects.create(phone="+27820000000", name="Somebody who never wrote")
    stopped = Contact.objects.create(phone="+27820000009", opted_out_at=timezone.now())
    template = MessageTemplate.objects.create(
        notice="news.closed",
        content_sid="HX" + "1" * 32,
        body="Report {{1}}.",
        variables={"1": "number"},
    )
    Channel.objects.ours().stop(20003)
    forget_all()
    for row in (report, asked, asked.contact, quiet, stopped, failed, template):
        editing.page_of(row)
        expect(page.get_by_text("No messages go out.")).to_be_visible()
        assert_fits(page, scheme)
    editing.text("news.closed")
    expect(page.get_by_text("Send this")).to_be_visible()
    assert_fits(page, scheme)
    for path in ("message", "message/?failed=open", "messagetemplate"):
        editing.open(f"whatsapp_bot/{path}")
        assert_fits(page, scheme)


def test_a_long_link_and_a_long_reason_are_read_whole(
    editing: Editing, clerk: User, look: tuple[int, str]
):
    page, (_, scheme) = editing.page, look
    clerk.user_permissions.add(*Permission.objects.filter(codename="view_media"))
    link = "https://maps.example.com/" + "a1b2" * 30
    phone = Phone("+27820000001", "Wolfeschlegelsteinhausenbergerdorff" * 2)
    phone.say(f"There is a fire at {link}")
    said = Message.objects.get(direction="in")
    reason = "It is larger than what WhatsApp takes, so please ask for a smaller one. "
    file = Media.objects.create(
        message=said, url="", said_type="image/jpeg", status="refused", why=reason * 2
    )
    editing.page_of(file)
    expect(page.get_by_text("This sounds like an emergency:")).to_be_visible()
    assert_fits(page, scheme)
    for path in ("media", "helprequest", "contact"):
        editing.open(f"whatsapp_bot/{path}/")
        assert_fits(page, scheme)
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.locator("#result_list td").evaluate_all(CUT_OFF) == []
        page.set_viewport_size({"width": 1400, "height": 844})
        assert page.locator("#result_list").evaluate(HAS_ROOM)


def people_and_what_they_said() -> tuple[DefectReport, HelpRequest, Message]:
    """A report, a help request, and a message that failed."""
    phone = Phone("+27820000001", "Nomsa")
    for text in ("hi", "2", "1", "Deep scratch on the cover"):
        phone.say(text)
    while not DefectReport.objects.exists():
        phone.say("skip")
    report = DefectReport.objects.get()
    report.ask("How many parts?")
    report.ask("W" * 400)
    for text in ("Twelve", "menu", "4", "1", "Where do I find you?"):
        phone.say(text)
    asked = HelpRequest.objects.get()
    asked.answer("Behind the harbour.\n" + "Left. " * 60)
    failed = asked.contact.send("Your parts are here.")[0]
    failed.settle(Status.FAILED, 63024)
    return report, asked, failed


def test_the_simulator_fits(page: Page, base: str, look: tuple[int, str]):
    width, scheme = look
    phone = Handset(page, base)
    phone.open("customer")
    assert_fits(page, scheme)
    phone.say("hi")
    phone.say("W" * 300)
    assert_fits(page, scheme)
    if width < 600:
        page.locator("#open-people").click()
        expect(page.locator("#people")).to_be_visible()
        assert_fits(page, scheme)
        page.keyboard.press("Escape")
        expect(page.locator("#open-people")).to_be_focused()
    page.locator("#open-exchange").click()
    expect(page.locator("#exchange")).to_be_visible()
    assert_fits(page, scheme)
