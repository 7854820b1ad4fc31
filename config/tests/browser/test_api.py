"""An API token is made in the admin, seen once, and used on the page about the API."""

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission, User
from playwright.sync_api import BrowserContext, expect

from config.access.models import Token
from config.tests.browser.editing import Editing
from config.tests.browser.test_pages import assert_fits
from orders.models import Customer, Order

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_token_is_made_and_used(
    new_context: Callable[..., BrowserContext], base: str, editor: User, scheme: str
) -> None:
    Customer.objects.create(name="Acme", reference="K-100")
    needed = ["add_token", "view_order", "add_order", "change_order"]
    editor.user_permissions.add(*Permission.objects.filter(codename__in=needed))
    page = new_context(color_scheme=scheme).new_page()

    page.goto(f"{base}/admin/access/token/add/")
    page.get_by_label("Name").fill("ERP")
    page.get_by_label("Valid for").select_option("a year")
    assert_fits(page, scheme)
    page.get_by_role("button", name="Save").click()
    secret = page.get_by_label("The token").input_value()
    assert re.fullmatch(r"andon_[0-9a-f]{64}", secret)
    assert_fits(page, scheme)
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    page.get_by_role("link", name="I have kept it").click()
    expect(page.get_by_role("link", name="ERP")).to_be_visible()
    assert secret not in page.content()

    page.goto(f"{base}/docs/")
    page.get_by_role("button", name="Authorize").click()
    page.locator(".auth-container input").fill(secret)
    page.get_by_role("button", name="Apply credentials").click()
    page.get_by_role("button", name="Close").last.click()
    assert_fits(page, scheme)
    page.locator("#operations-tag-orders").click()
    call = page.locator("#operations-orders-orders_update")
    call.locator(".opblock-summary-control").click()
    call.get_by_role("button", name="Try it out").click()
    call.get_by_placeholder("number").fill("ORD 7")
    body = '{"customer": "K-100", "product": "Gear", "quantity": 5}'
    call.locator("textarea").fill(body)
    call.get_by_role("button", name="Execute").click()
    answered = call.locator(".live-responses-table tbody .response-col_status")
    expect(answered.first).to_contain_text("201")
    assert_fits(page, scheme)
    order = Order.objects.get()
    assert (order.number, order.quantity) == ("ORD 7", 5)
    assert Token.objects.get().last_used_at


def test_a_button_that_is_hit_twice_makes_one_token_and_shows_it(editing: Editing, editor: User):
    editor.user_permissions.add(Permission.objects.get(codename="add_token"))
    editing.open("access/token/add/")
    editing.fill(name="ERP")
    assert editing.posts_of_two_presses("Save") == 1
    expect(editing.page.get_by_label("The token")).to_have_value(re.compile("^andon_"))
    assert Token.objects.count() == 1


def test_what_is_long_under_way_is_not_sent_again_unasked(editing: Editing, editor: User):
    editor.user_permissions.add(Permission.objects.get(codename="add_token"))
    editing.open("access/token/add/")
    editing.fill(name="ERP")
    assert editing.posts_of_two_presses("Save", late=True) == 1
    expect(editing.page.get_by_text("This was sent, and no answer has come yet.")).to_be_visible()
