"""What the theme gives to the mouse alone is reached by keyboard, and has a name to be heard."""

import re

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone
from playwright.sync_api import Page, expect

from config.tests.browser.conftest import settle
from config.tests.browser.editing import Editing
from orders.models import Customer, Line, Order
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

TOLD_TWICE = """() => {
    const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
    return ids.filter((id, at) => ids.indexOf(id) < at);
}"""
IDS_OF_PRODUCTS = """() => [...document.querySelectorAll("[name^=lines-][name$=-product]")]
    .map((one) => one.id).filter((id) => !id.includes("__prefix__"))"""


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


def test_everything_has_a_name(editing: Editing, reviewer: User, planner: User):
    page = editing.page
    menu = Menu.objects.get(key="main")
    for path in (
        "",
        f"whatsapp_bot/menu/{menu.pk}/change/",
        "defects/defectreport/",
        "whatsapp_bot/contact/",
        "orders/order/add/",
        "orders/productionrun/add/",
        "orders/import/add/?what=orders",
    ):
        editing.open(path)
        settle(page)
        assert page.evaluate(NAMELESS) == [], path
        assert page.evaluate(WORDS_OF_ICONS) == 0, path


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def name_of_the_focus(page: Page) -> str:
    return page.evaluate("document.activeElement.ariaLabel || document.activeElement.textContent")


@pytest.fixture
def planner(editor: User) -> User:
    """The editor, who may enter orders as well."""
    editor.user_permissions.add(*Permission.objects.filter(content_type__app_label="orders"))
    return editor


@pytest.fixture
def acme(transactional_db: None) -> Customer:
    return Customer.objects.create(name="Acme Tractors", reference="K-1")


def test_an_order_with_a_line_is_added(editing: Editing, planner: User, acme: Customer):
    """The customer is chosen from what is found, the day from the calendar; a row is filled in."""
    page = editing.page
    editing.open("orders/order/add/")
    editing.field("number").focus()
    page.keyboard.type("ORD-7")
    press(page, "Tab")
    assert name_of_the_focus(page) == "Customer"
    press(page, "Enter")
    page.keyboard.type("acm")
    expect(page.get_by_role("option", name="Acme Tractors")).to_be_visible()
    press(page, "Enter")
    assert name_of_the_focus(page) == "Customer: Acme Tractors"
    editing.field("due_date").focus()
    press(page, "Tab")
    assert name_of_the_focus(page) == "Due date: choose a day"
    press(page, "Enter")
    today = timezone.localdate()
    expect(
        page.get_by_role("dialog").get_by_role("link", name=f"{today.day}", exact=True)
    ).to_be_focused()
    press(page, "Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert name_of_the_focus(page) == "Due date: choose a day"
    press(page, "Enter")
    expect(
        page.get_by_role("dialog").get_by_role("link", name=f"{today.day}", exact=True)
    ).to_be_focused()
    press(page, "Enter")
    expect(editing.field("due_date")).to_be_focused()
    expect(editing.field("due_date")).to_have_value(f"{today:%Y-%m-%d}")
    tab_to(page, "Add another Order line")
    press(page, "Enter")
    expect(editing.field("lines-0-position")).to_be_focused()
    press(page, "Tab")
    page.keyboard.type("Bracket")
    press(page, "Tab")
    page.keyboard.type("5")
    editing.fill(product="see below", quantity="1")
    editing.save()
    order = Order.objects.get()
    assert (order.customer, order.due_date, order.quantity) == (acme, today, 5)


def test_a_row_that_was_added_is_removed_again(editing: Editing, planner: User, acme: Customer):
    """The rows below keep what was typed, and go on working."""
    page = editing.page
    editing.open("orders/order/add/")
    for number, product in enumerate(["Bracket", "Cover", "Bolt"]):
        tab_to(page, "Add another Order line")
        press(page, "Enter")
        expect(editing.field(f"lines-{number}-position")).to_be_focused()
        press(page, "Tab")
        page.keyboard.type(product)
    page.get_by_role("button", name="Remove").nth(1).focus()
    press(page, "Enter")
    expect(editing.field("lines-TOTAL_FORMS")).to_have_value("2")
    expect(page.get_by_role("link", name="Add another Order line")).to_be_focused()
    expect(editing.field("lines-0-product")).to_have_value("Bracket")
    expect(editing.field("lines-1-product")).to_have_value("Bolt")
    expect(editing.field("lines-2-product")).to_have_count(0)
    tab_to(page, "Add another Order line")
    press(page, "Enter")
    expect(editing.field("lines-2-product")).to_be_visible()
    assert page.evaluate(TOLD_TWICE) == []
    assert page.evaluate(IDS_OF_PRODUCTS) == [f"id_lines-{number}-product" for number in range(3)]


def test_the_menu_beside_a_choice(editing: Editing, planner: User, acme: Customer):
    page = editing.page
    editing.open("orders/order/add/")
    tab_to(page, "Customer: open or add")
    button = page.get_by_role("button", name="Customer: open or add")
    expect(button).to_have_attribute("aria-expanded", "false")
    press(page, "Enter")
    expect(page.get_by_role("link", name="Add another customer")).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "true")
    press(page, "Escape")
    expect(page.get_by_role("link", name="Add another customer")).to_be_hidden()
    expect(button).to_be_focused()


def test_a_mistake_is_led_to_and_told(editing: Editing, planner: User):
    page = editing.page
    editing.open("orders/order/add/")
    editing.fill(number="ORD-7", product="Bracket", quantity="0")
    editing.press("Save")
    expect(page.get_by_role("alert")).to_contain_text("Please correct")
    expect(page.locator(":focus")).to_have_attribute("aria-label", "Customer")
    expect(editing.field("quantity")).to_have_accessible_description(
        re.compile(
            "With lines below: what they add up to. .*Ensure this value is greater than or equal to 1."
        )
    )
    tab_to(page, "Add another Production run")
    press(page, "Enter")
    expect(editing.field("runs-0-order_line")).to_have_accessible_description(
        "Of an order with several products."
    )


def test_so_is_a_mistake_of_rows(editing: Editing, planner: User, acme: Customer):
    page = editing.page
    editing.open(f"orders/order/add/?customer={acme.pk}")
    editing.fill(number="ORD-7")
    editing.press("Save")
    told = page.get_by_role("alert").filter(has_text="What is ordered?")
    expect(told).to_be_focused()
    expect(told).to_be_in_viewport()


def test_rows_of_a_list_are_told_apart(editing: Editing, planner: User, acme: Customer):
    page = editing.page
    Order.objects.create(number="ORD-7", customer=acme, product="Bracket", quantity=5)
    editing.open("orders/order/?o=1")
    expect(page.get_by_role("checkbox", name="Select ORD-7")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Number")).to_have_attribute(
        "aria-sort", "ascending"
    )
    expect(page.get_by_role("link", name="Number: Remove from sorting")).to_be_visible()
    expect(page.get_by_role("navigation", name="Sections").locator("[aria-current]")).to_have_text(
        re.compile("Orders")
    )
    press(page, "Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    press(page, "Enter", "Tab")
    expect(page.get_by_role("main").get_by_role("link", name="All")).to_be_focused()


def test_a_run_is_added_and_found_by_its_filters(editing: Editing, planner: User, acme: Customer):
    page = editing.page
    Line.objects.create(name="Press")
    editing.open("orders/productionrun/add/")
    page.get_by_role("textbox", name="Reference").focus()
    tab_to(page, "Planned start: choose a day")
    press(page, "Enter")
    calendar = page.get_by_role("dialog", name="Choose a day").filter(visible=True)
    day = timezone.localdate()
    expect(calendar.get_by_role("link", name=f"{day.day}", exact=True)).to_be_focused()
    press(page, "Tab")
    assert page.evaluate("!!document.activeElement.closest('.calendarbox')")
    press(page, "Escape")
    tab_to(page, "Planned start: choose a time")
    press(page, "Enter")
    expect(page.get_by_role("link", name="Now").filter(visible=True)).to_be_focused()
    press(page, "ArrowDown", "ArrowDown", "Enter")
    expect(page.get_by_role("textbox", name="Planned start: time")).to_have_value("06:00:00")
    expect(page.get_by_role("textbox", name="Planned end: date")).to_be_visible()

    editing.open("orders/productionrun/")
    tab_to(page, "Filters")
    press(page, "Enter")
    filters = page.locator("#changelist-filter")
    expect(filters.get_by_role("link", name="All").first).to_be_focused()
    press(page, "Shift+Tab")
    assert page.evaluate("!!document.activeElement.closest('#changelist-filter')")
    press(page, "Escape")
    expect(filters).to_be_hidden()
    expect(page.get_by_role("button", name="Filters")).to_be_focused()


def test_the_focus_stays_where_somebody_types_already(
    editing: Editing, planner: User, acme: Customer
):
    """A page may go on loading while it is filled in."""
    page = editing.page
    editing.open("orders/order/add/")
    editing.press("Save")
    expect(editing.field("number")).to_be_focused()
    editing.field("product").focus()
    page.keyboard.type("Brack")
    page.evaluate("dispatchEvent(new Event('load')); new Promise(done => setTimeout(done, 50))")
    page.keyboard.type("et")
    expect(editing.field("product")).to_have_value("Bracket")


def test_all_tabs_of_a_list_are_there_in_a_narrow_window(editing: Editing, reviewer: User):
    page = editing.page
    page.set_viewport_size({"width": 320, "height": 700})
    editing.open("defects/defectreport/")
    tabs = page.get_by_role("navigation", name="Lists").get_by_role("link")
    page.set_viewport_size({"width": 300, "height": 700})
    expect(tabs).to_have_text(["All", "Open", "My open", "Unacknowledged", "Critical"])
    expect(tabs.first).to_have_attribute("aria-current", "page")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
