"""What the theme gives to the mouse alone is reached by keyboard, and has a name to be heard."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from config.tests.browser.editing import Editing
from whatsapp_bot.models import Menu

pytestmark = pytest.mark.browser

NAMELESS = """() => [...document.querySelectorAll("a, button, input, select, textarea, [role=button]")]
    .filter((one) => one.type !== "hidden" && one.checkVisibility() && !one.closest("[x-cloak]"))
    .filter((one) => {
        const copy = one.cloneNode(true);
        copy.querySelectorAll("[aria-hidden=true]").forEach((part) => part.remove());
        return !(one.ariaLabel || one.title || one.labels?.[0]?.textContent.trim()
            || one.getAttribute("aria-labelledby") || one.placeholder || one.value
            || copy.textContent.trim() || copy.querySelector("[alt], [aria-label]"));
    })
    .map((one) => one.outerHTML.slice(0, 200))"""
WORDS_OF_ICONS = """() => [...document.querySelectorAll(".material-symbols-outlined")]
    .filter((icon) => icon.ariaHidden !== "true" && icon.getAttribute("role") !== "button").length"""


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what has this name is reached."""
    wanted = page.get_by_role("button", name=name).or_(page.get_by_role("link", name=name)).first
    expect(wanted).to_be_attached()
    for _ in range(120):
        page.keyboard.press("Tab")
        if wanted.evaluate("one => one === document.activeElement"):
            return
    raise AssertionError(f"Tab never comes to {name}")


def test_the_menus_of_the_theme_open(editing: Editing):
    page = editing.page
    editing.open("whatsapp_bot/page/")
    tab_to(page, "editor")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    tab_to(page, "Behind the scenes")
    versions = page.get_by_role("link", name="Form versions")
    expect(versions).to_be_hidden()
    page.keyboard.press("Space")
    expect(versions).to_be_visible()


def test_an_item_of_a_menu_is_removed(editing: Editing):
    page = editing.page
    editing.menu("defects")
    expect(page.get_by_role("textbox", name="Label")).to_have_count(3)
    page.get_by_role("textbox", name="Label").nth(1).focus()
    for _ in range(5):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('input.delete')"):
            break
    page.keyboard.press("Space")
    editing.save()
    labels = Menu.objects.get(key="defects").items.values_list("label", flat=True)
    assert list(labels) == ["Report a defect", "Back to menu"]


def test_everything_has_a_name(editing: Editing, reviewer: User):
    page = editing.page
    menu = Menu.objects.get(key="main")
    for path in (
        "",
        f"whatsapp_bot/menu/{menu.pk}/change/",
        "defects/defectreport/",
        "whatsapp_bot/contact/",
    ):
        editing.open(path)
        page.wait_for_load_state("networkidle")
        assert page.evaluate(NAMELESS) == [], path
        assert page.evaluate(WORDS_OF_ICONS) == 0, path
