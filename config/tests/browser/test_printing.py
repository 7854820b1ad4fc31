"""What comes out of the printer: what is to be read, on white, and nothing to press."""

import re

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from playwright.sync_api import Page, expect

from config.tests.browser.conftest import settle
from config.tests.browser.test_dashboard import CHARTS, COLOURS, dashboard, factory, manager
from orders.models import Order
from whatsapp_bot.models import Contact

__all__ = ["dashboard", "factory", "manager"]

pytestmark = pytest.mark.browser

COLUMNS = """row => [...row.children].map(cell => cell.getBoundingClientRect())
    .filter(box => box.width).map(box => Math.round(box.x))"""
PAPER = {"width": 718, "height": 1000}
"""A4 upright, less its margins, at 96 pixels an inch."""


def lay_on_paper(page: Page) -> None:
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print", color_scheme="dark")
    page.set_viewport_size(PAPER)


def take_back(page: Page) -> None:
    page.emulate_media(media="screen", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('afterprint'))")


def assert_nothing_to_press(page: Page) -> None:
    pressed = (
        "#nav-sidebar-inner, #main :is(button, [type=search], [type=submit], .add-row, td.delete),"
        "#tabs-items, #main [role=button], .datetimeshortcuts, .select2-selection__arrow,"
        ".addlink, .changelist-actions"
    )
    assert not [one for one in page.locator(pressed).all() if one.is_visible()]


def test_a_list_is_a_table_on_paper(
    page: Page, base: str, reviewer: User, transactional_db: None
) -> None:
    call_command("demo", "--anyway", verbosity=0)
    page.goto(f"{base}/admin/defects/defectreport/")
    lay_on_paper(page)
    assert_nothing_to_press(page)
    head = page.locator("#result_list thead tr").evaluate(COLUMNS)
    rows = page.locator("#result_list tbody tr")
    assert len(head) >= 8
    assert rows.count() == 50
    for row in (rows.first, rows.last):
        assert row.evaluate(COLUMNS) == head


def test_an_order_and_a_conversation_are_whole_on_paper(
    page: Page, base: str, editor: User, transactional_db: None
) -> None:
    call_command("demo", "--anyway", verbosity=0)
    User.objects.filter(pk=editor.pk).update(is_superuser=True)
    order = Order.objects.filter(lines__isnull=False).first()
    page.goto(f"{base}/admin/orders/order/{order.pk}/change/")
    settle(page)
    lay_on_paper(page)
    assert_nothing_to_press(page)
    customer = page.locator(".field-customer").get_by_text(order.customer.name).filter(visible=True)
    expect(customer).to_have_count(1)

    contact = Contact.objects.get(name="Worker, Line 1")
    take_back(page)
    page.goto(f"{base}/admin/whatsapp_bot/contact/{contact.pk}/change/")
    lay_on_paper(page)
    assert_nothing_to_press(page)
    assert page.locator(".talk").evaluate("talk => talk.scrollHeight - talk.clientHeight") <= 0


def test_the_dashboard_fits_on_paper_and_is_light(dashboard: Page):
    page = dashboard
    page.emulate_media(color_scheme="dark")
    page.reload()
    settle(page)
    dark = page.locator("html.dark")
    expect(dark).to_be_attached()
    lay_on_paper(page)
    expect(dark).not_to_be_attached()
    assert_nothing_to_press(page)
    for name in CHARTS:
        canvas = page.locator(f"#{name} canvas")
        assert canvas.evaluate(COLOURS) > 4, f"{name} is blank"
        box = canvas.bounding_box()
        assert 300 <= box["width"] <= 320
        assert box["x"] + box["width"] <= PAPER["width"]
    take_back(page)
    expect(dark).to_be_attached()
    assert page.locator("#trend canvas").bounding_box()["width"] > 320


def test_the_dashboard_is_two_pages(
    page: Page, base: str, manager: User, transactional_db: None
) -> None:
    call_command("demo", "--anyway", verbosity=0)
    page.goto(f"{base}/admin/?range=month")
    settle(page)
    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))) == 2
