"""Signing in, by keyboard: with a code from a phone, with one from paper, and with wrong passwords."""

import re
from base64 import b32decode
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice
from playwright.sync_api import BrowserContext, Page, expect

from config.access import second_factor
from config.tests.browser.test_pages import assert_fits
from config.tests.test_second_factor import secret_on
from defects.models import Export

pytestmark = pytest.mark.browser
PASSWORD = "long and easy"  # noqa: S105


@pytest.fixture
def page(new_context: Callable[..., BrowserContext], look: tuple[int, str]) -> Page:
    width, scheme = look
    size = {"width": width, "height": 844}
    options = {"viewport": size, "color_scheme": scheme, "has_touch": width < 600}
    return new_context(signed_in=False, **options).new_page()


@pytest.fixture
def nomsa(transactional_db: None) -> User:
    nomsa = User.objects.create_user("nomsa", password=PASSWORD, is_staff=True)
    nomsa.groups.add(Group.objects.get(name="Administrators"))
    return nomsa


def give_password(page: Page, base: str, password: str = PASSWORD) -> None:
    page.goto(f"{base}/admin/login/?next=/admin/orders/order/")
    page.locator("[name=username]").focus()
    page.keyboard.type("nomsa")
    page.keyboard.press("Tab")
    expect(page.locator("[name=password]")).to_be_focused()
    page.keyboard.type(password)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def give_code(page: Page, code: str) -> None:
    page.locator("[name=code]").focus()
    page.keyboard.type(code)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_with_a_second_factor(
    page: Page, base: str, nomsa: User, settings, look: tuple[int, str]
) -> None:
    settings.ADMIN_SECOND_FACTOR = True
    _, scheme = look
    give_password(page, base)
    expect(page.get_by_role("heading")).to_contain_text("Set up your phone")
    expect(page.get_by_role("img", name="QR code").locator("svg")).to_be_visible()
    expect(page.locator("[name=code]")).to_be_focused()
    page.get_by_text("It cannot read it").click()
    picture = page.get_by_role("img", name="QR code")
    assert picture.bounding_box()["width"] < picture.locator("svg").bounding_box()["width"] + 20
    assert page.locator("ol").evaluate("list => getComputedStyle(list).listStyleType") == "decimal"
    expect(page.get_by_role("link", name="Open it here")).to_have_attribute(
        "href", re.compile("^otpauth://totp/")
    )
    assert_fits(page, scheme)
    secret = secret_on(page.content())
    assert len(secret) == 32
    give_code(page, "000000")
    expect(page.get_by_text("This code is not right")).to_be_visible()
    assert_fits(page, scheme)
    page.wait_for_timeout(1200)  # a second for the first mistake
    give_code(page, f"{TOTP(b32decode(secret)).token():06}")
    page.emulate_media(media="print")
    expect(page.locator("#recovery-codes")).to_be_visible()
    expect(page.get_by_role("link", name="I have kept them")).to_be_hidden()
    page.emulate_media(media="screen")
    codes = page.locator("#recovery-codes li").all_inner_texts()
    assert len(codes) == 10
    assert_fits(page, scheme)
    page.get_by_role("link", name="I have kept them").click()
    page.wait_for_url("**/admin/orders/order/")

    page.goto(f"{base}/admin/second-factor/")
    expect(page.get_by_text("10 recovery codes are left")).to_be_visible()
    assert_fits(page, scheme)
    page.get_by_role("link", name="New recovery codes").click()
    expect(page.get_by_text("The ones that you have now stop working.")).to_be_visible()
    assert_fits(page, scheme)
    page.get_by_role("link", name="Back", exact=True).click()
    page.get_by_role("link", name="Set up another phone").click()
    expect(page.get_by_role("heading")).to_contain_text("Is it you?")
    expect(page.locator("[name=code]")).to_be_focused()
    assert_fits(page, scheme)
    give_code(page, codes.pop())
    expect(page.get_by_role("heading")).to_contain_text("Set up another phone")
    assert_fits(page, scheme)
    give_code(page, f"{TOTP(b32decode(secret_on(page.content()))).token():06}")
    expect(page.get_by_text("you had before do not work any more")).to_be_visible()
    codes = page.locator("#recovery-codes li").all_inner_texts()
    assert_fits(page, scheme)

    page.context.clear_cookies()
    give_password(page, base)
    expect(page.get_by_role("heading")).to_contain_text("Your code")
    expect(page.locator("[name=code]")).to_be_focused()
    assert_fits(page, scheme)
    give_code(page, codes[0])
    page.wait_for_url("**/admin/orders/order/")
    expect(page.get_by_text("9 recovery codes are left")).to_be_visible()
    assert_fits(page, scheme)


def test_a_lost_phone_and_what_cannot_be_deleted(
    page: Page, base: str, nomsa: User, settings, look: tuple[int, str]
) -> None:
    """What was typed on the page of a user is still there after the question about their phone."""
    settings.ADMIN_SECOND_FACTOR = True
    _, scheme = look
    give_password(page, base)
    give_code(page, f"{TOTP(b32decode(secret_on(page.content()))).token():06}")
    thabo = User.objects.create_user("thabo", is_staff=True)
    TOTPDevice.objects.create(user=thabo, name="Phone")
    Export.objects.create(by=thabo)

    page.goto(f"{base}/admin/auth/user/{thabo.pk}/change/")
    page.locator("[name=first_name]").fill("Thabo")
    assert_fits(page, scheme)
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Reset: the phone is lost").click()
    question = opened.value
    heading = question.get_by_role("heading", name="Reset the second factor of thabo?")
    expect(heading).to_be_visible()
    assert_fits(question, scheme)
    question.get_by_role("button", name="Reset: the phone is lost").click()
    expect(question.get_by_text("is signed out everywhere")).to_be_visible()
    assert_fits(question, scheme)
    expect(page.locator("[name=first_name]")).to_have_value("Thabo")

    for model, says in (
        ("user", "untick “Active”"),
        ("group", "you would lose what it lets you do"),
    ):
        page.goto(f"{base}/admin/auth/{model}/")
        page.locator("#action-toggle").check()
        page.locator("[name=action]").select_option("delete_selected")
        with page.expect_navigation():
            page.locator("#changelist-form button[name=index]").first.click()
        expect(page.get_by_role("alert")).to_contain_text(says)
        assert_fits(page, scheme)
        page.get_by_role("link", name="Back", exact=True).click()
        page.wait_for_url(f"**/admin/auth/{model}/")

    managers = Group.objects.get(name="Managers")
    page.goto(f"{base}/admin/auth/group/{managers.pk}/delete/")
    expect(page.get_by_text("Managers: no people")).to_be_visible()
    assert_fits(page, scheme)
    page.goto(f"{base}/admin/auth/user/{thabo.pk}/delete/")
    expect(page.get_by_role("alert")).to_contain_text("untick “Active”")
    assert_fits(page, scheme)


def test_a_session_of_long_ago_gives_the_password_once_more(
    page: Page, base: str, nomsa: User, settings, look: tuple[int, str], monkeypatch
) -> None:
    settings.ADMIN_SECOND_FACTOR = True
    monkeypatch.setattr(second_factor, "A_MOMENT", 0)
    give_password(page, base)
    expect(page.get_by_role("heading")).to_contain_text("Is it you?")
    expect(page.locator("[name=password]")).to_be_focused()
    assert_fits(page, look[1])
    page.keyboard.type("wrong")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_text("This is not your password.")).to_be_visible()
    assert_fits(page, look[1])
    monkeypatch.undo()
    page.locator("[name=password]").focus()
    page.keyboard.type(PASSWORD)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading")).to_contain_text("Set up your phone")


def test_too_many_wrong_passwords(page: Page, base: str, nomsa: User, settings, look) -> None:
    settings.AXES_FAILURE_LIMIT = 2
    give_password(page, base, "wrong")
    expect(page.get_by_text("Please enter the correct username")).to_be_visible()
    assert_fits(page, look[1])
    give_password(page, base, "wrong")
    expect(page.get_by_text("Please wait 15 minutes")).to_be_visible()
    assert_fits(page, look[1])
