"""Staff change what the bot says, and the phone says it."""

import re
import time
from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from django.db import connection
from playwright.sync_api import BrowserContext, Locator, Page, expect

from config.tests.browser.editing import Editing
from config.tests.browser.handset import Handset
from config.tests.serving import serving
from whatsapp_bot.models import Wording
from whatsapp_bot.recent import MAX_AGE
from whatsapp_bot.texts import NOT_UNDERSTOOD

pytestmark = pytest.mark.browser

SORRY = NOT_UNDERSTOOD.default.partition(".")[0]


def wait_until_said(phone: Handset, words: str, wanted: str) -> None:
    """Say `words` until the reply has what is `wanted`: within two seconds, and a turn."""
    deadline = time.monotonic() + MAX_AGE
    while True:
        last_try = time.monotonic() > deadline
        phone.say("menu")  # who is not understood twice is asked something else
        reply = phone.say(words)
        if wanted in reply:
            return
        assert not last_try, f"after {MAX_AGE} seconds the phone still says {reply!r}"


@pytest.fixture
def another_process(base: str) -> Iterator[str]:
    """The address of a second server on the same database."""
    database = connection.settings_dict
    url = f"sqlite:///{database['NAME']}"
    if connection.vendor == "postgresql":
        login = f"{database['USER']}:{database['PASSWORD']}"
        url = f"postgres://{login}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    # DEBUG, so that it needs no other settings and opens its simulator to everybody.
    environment = {"ANDON_ENV_FILE": "/dev/null", "DEBUG": "true", "DATABASE_URL": url}
    with serving(environment) as address:
        yield address


def test_the_phone_says_an_edit_within_two_seconds_in_every_process(
    editing: Editing, context: BrowserContext, base: str, another_process: str
):
    phones = [Handset(context.new_page(), address) for address in (base, another_process)]
    for phone, whom in zip(phones, ("worker", "customer"), strict=True):
        phone.open(whom)
        assert "How can we help you today?" in phone.say("hi")
        assert SORRY in phone.say("xyzzy")

    editing.find("whatsapp_bot/wording", SORRY)
    expect(editing.page.locator(".readonly").filter(has_text="Above a menu")).to_be_visible()
    editing.fill(text="Pardon? *Please* send me a number:")
    expect(editing.bubble.locator("strong")).to_have_text("Please")
    editing.save()
    for phone in phones:
        wait_until_said(phone, "xyzzy", "Pardon? Please send me a number:")

    editing.menu("main")
    editing.fill(text="Good day from the factory! 🏭")
    editing.page.get_by_role("row").get_by_role("textbox").nth(0).fill("Where is my order?")
    expect(editing.bubble).to_contain_text("1. Where is my order?")
    editing.save()
    for phone in phones:
        wait_until_said(phone, "menu", "Good day from the factory! 🏭")
        assert "1. Where is my order?" in phone.last.inner_text()


def test_who_changed_a_text_is_shown_and_it_goes_back_to_the_default(
    editing: Editing, editor: User, handset: Callable[..., Handset]
):
    phone = handset()
    phone.say("hi")
    editing.text("bot.not_understood")
    # However wrong it is by now.
    editing.fill(text="No {number}")
    editing.press("Back to the default")
    expect(editing.page.get_by_text("successfully").first).to_be_visible()

    editing.text("bot.not_understood")
    editing.fill(text="Pardon?")
    editing.save()
    state = editing.page.get_by_role("row", name="none of its items")
    expect(state).to_contain_text("yours")
    expect(state).to_contain_text("editor")
    wait_until_said(phone, "xyzzy", "Pardon?")
    assert Wording.objects.get(key="bot.not_understood").changed_by == editor

    editing.text("bot.not_understood")
    expect(editing.page.get_by_text(re.compile("by editor$"))).to_be_visible()
    editing.press("Back to the default")
    wait_until_said(phone, "xyzzy", SORRY)


def test_the_bubble_counts_as_whatsapp_does(editing: Editing):
    editing.text("bot.not_understood")
    editing.fill(text="*bold* _italic_ ~gone~\n😀")
    bubble = editing.bubble
    expect(bubble.locator("strong")).to_have_text("bold")
    expect(bubble.locator("em")).to_have_text("italic")
    expect(bubble.locator("s")).to_have_text("gone")
    expect(bubble).to_have_text("bold italic gone\n😀", use_inner_text=True)
    count = editing.page.locator(".bubble-length")
    expect(count).to_have_text("25 of 1600 characters")
    expect(count).not_to_have_class(re.compile("too-long"))
    expect(count).to_have_attribute("aria-live", "off")
    editing.fill(text="😀" * 801)
    expect(count).to_have_text("1602 of 1600 characters")
    expect(count).to_have_class(re.compile("too-long"))
    expect(count).to_have_attribute("aria-live", "polite")


def test_menu_items_are_put_in_order_by_keyboard_alone(
    new_context: Callable[..., BrowserContext], base: str
):
    page = new_context(signed_in=False).new_page()
    editing = Editing(page, base)
    page.goto(f"{base}/admin/login/?next=/admin/whatsapp_bot/menu/%3Fq=main")
    walk_to(page.get_by_label("Username"))
    page.keyboard.type("editor")
    page.keyboard.press("Tab")
    page.keyboard.type("long and easy")
    page.keyboard.press("Enter")

    main = page.get_by_role("link", name="main", exact=True)
    main.wait_for()
    walk_to(main)
    page.keyboard.press("Enter")
    place = editing.field("items-3-position")
    place.wait_for()
    walk_to(place)
    page.keyboard.press("Control+a")
    page.keyboard.type("5")
    expect(editing.bubble).to_contain_text("1. Get help & support")
    walk_to(page.get_by_role("button", name="Save", exact=True))
    page.keyboard.press("Enter")
    expect(page.get_by_text("successfully").first).to_be_visible()

    phone = Handset(page, base)
    phone.open("worker")
    page.keyboard.type("hi")
    page.keyboard.press("Enter")
    reply = phone.reply_after(0)
    assert "1. Get help & support\n2. Check order status\n3. Report a defect" in reply


def walk_to(there: Locator) -> None:
    """Walk with Tab."""
    for _ in range(90):
        if there.evaluate("element => element === document.activeElement"):
            return
        there.page.keyboard.press("Tab")
    pytest.fail(f"the keyboard does not lead to {there}")


def test_menu_items_are_put_in_order_by_dragging(
    editing: Editing, handset: Callable[..., Handset], page: Page
):
    editing.menu("main")
    handles = page.locator("[x-sort\\:handle]")
    expect(handles).to_have_count(5)
    item = handles.nth(3).element_handle()
    item.hover()
    page.mouse.down()
    top = handles.nth(0).bounding_box()
    page.mouse.move(top["x"] + 10, top["y"] + 60, steps=8)
    # It follows the mouse only when this moves on, as a hand does, and at its own pace.
    for _ in range(50):
        page.mouse.move(top["x"] + 10, top["y"] - 5, steps=8)
        if handles.nth(0).evaluate("(first, item) => first === item", item):
            break
        page.mouse.move(top["x"] + 10, top["y"] + 5)
    page.mouse.up()
    expect(editing.bubble).to_contain_text("1. Get help & support")
    editing.save()
    assert "1. Get help & support\n2. Check order status" in handset().say("hi")
