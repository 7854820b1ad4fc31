"""Staff import a spreadsheet that somebody sent: with an error, mended, and again."""

from pathlib import Path

import pytest
import xlsxwriter
from django.contrib.auth.models import Permission, User
from playwright.sync_api import expect

from config.tests.browser.editing import Editing
from config.tests.browser.test_pages import assert_fits, browser_context_args
from orders.models import Customer, Import, Order

__all__ = ["browser_context_args"]

pytestmark = pytest.mark.browser

HEADINGS = ["Order No.", "Client", "Article", "Qty (pcs)", "Deliver by", "Colour"]
ROWS = [
    ["ORD-7001", "Acme Tractors", "Housing cover, anodised", "1.200", "24.12.2026", "red"],
    ["ORD-7002", "Acme Tractors", "Gear", "12,5", "31.12.2026", ""],
    ["ord 7001", "Acme Tractors", "Housing cover, anodised", "5", "", ""],
    ["ORD-7003", "Acme Tracktors", "Bearing", "40 pcs", "soon", "<script>alert(1)</script>"],
]
MENDED = [
    ROWS[0],
    ["ORD-7002", "Acme Tractors", "Gear", "12", "31.12.2026", ""],
    ["ORD-7003", "Acme Tractors", "Bearing", "40 pcs", "", ""],
]


@pytest.fixture
def importer(editor: User) -> User:
    may = ["add_import", "view_order", "add_order", "change_order", "add_customer"]
    may += ["add_orderline", "change_orderline"]
    editor.user_permissions.add(*Permission.objects.filter(codename__in=may))
    return editor


def spreadsheet(place: Path, rows: list[list[str]]) -> Path:
    book = xlsxwriter.Workbook(place)
    sheet = book.add_worksheet("Week 48")
    sheet.merge_range("A1:F1", "Open orders, week 48")
    for number, row in enumerate([HEADINGS, *rows], 2):
        sheet.write_row(number, 0, row)
    book.close()
    return place


def test_with_an_error_mended_and_again(
    editing: Editing, importer: User, tmp_path: Path, settings, look: tuple[int, str]
):
    settings.MEDIA_ROOT = tmp_path / "media"
    Customer.objects.create(name="Acme Tractors")
    page = editing.page

    def choose(rows: list[list[str]]) -> None:
        page.get_by_label("CSV or XLSX file").set_input_files(
            spreadsheet(tmp_path / "Orders week 48.xlsx", rows)
        )
        editing.press("See what it would do")

    def count(kind: str) -> str:
        return page.locator(f".import-{kind} strong").inner_text()

    editing.open("orders/order/")
    page.get_by_role("link", name="Import", exact=True).click()
    page.wait_for_url("**/import/add/**")
    page.locator("summary", has_text="What it may look like").click()
    assert_fits(page, look[1])
    choose(ROWS)
    assert [count(kind) for kind in ("new", "changed", "unchanged", "wrong")] == list("1003")
    assert_fits(page, look[1])
    wrong = page.locator(".import-rows tbody tr")
    expect(wrong.filter(has_text="Qty (pcs)")).to_contain_text("“12,5” is no whole number.")
    expect(wrong.filter(has_text="Order No.")).to_contain_text("in row 4 already")
    expect(wrong.filter(has_text="Client")).to_contain_text("Is it “Acme Tractors”?")
    expect(page.get_by_label("Make the customers that are not known")).not_to_be_checked()
    # By keyboard: to the rows of another kind, and back.
    new = page.get_by_role("link", name="1 New")
    new.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**kind=new")
    expect(page.locator(".import-rows")).to_contain_text("24 Dec 2026")
    assert_fits(page, look[1])

    page.get_by_role("link", name="Choose the mended file").click()
    page.wait_for_url("**/import/add/**")
    choose(MENDED)
    assert [count(kind) for kind in ("new", "changed", "unchanged", "wrong")] == list("3000")
    editing.press("Import 3 rows")
    expect(page.get_by_text("Imported on")).to_be_visible()
    assert_fits(page, look[1])
    page.get_by_role("link", name="See the new orders").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(3)
    assert sorted(Order.objects.values_list("number", "quantity")) == [
        ("ORD-7001", 1200),
        ("ORD-7002", 12),
        ("ORD-7003", 40),
    ]

    editing.open("orders/import/add/?what=orders")
    choose(MENDED)
    expect(page.get_by_text("there is nothing to import")).to_be_visible()
    editing.open("orders/import/")
    assert_fits(page, look[1])
    editing.open(f"orders/import/{Import.objects.earliest('pk').pk}/change/")
    editing.press("Discard")
    expect(page.get_by_text("nothing was imported").first).to_be_visible()


def test_a_button_that_is_hit_twice_makes_one_import(
    editing: Editing, importer: User, tmp_path: Path, settings
):
    settings.MEDIA_ROOT = tmp_path / "media"
    editing.open("orders/import/add/?what=orders")
    file = spreadsheet(tmp_path / "Orders.xlsx", ROWS)
    editing.page.get_by_label("CSV or XLSX file").set_input_files(file)
    assert editing.posts_of_two_presses("See what it would do") == 1
    expect(editing.page.locator(".import-wrong strong")).to_have_text("4")
