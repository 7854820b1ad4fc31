"""Staff whose browser runs no scripts sign in, look, review, export and import all the same."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from defects.models import DefectReport
from orders.models import Customer, Order
from whatsapp_bot.models import Contact

pytestmark = pytest.mark.browser


@pytest.fixture
def page(new_context, base, transactional_db) -> Page:
    User.objects.create_superuser("nomsa", password="long and easy")
    page = new_context(signed_in=False, java_script_enabled=False).new_page()
    page.goto(f"{base}/admin/login/")
    page.locator("[name=username]").fill("nomsa")
    page.locator("[name=password]").fill("long and easy")
    page.locator("[type=submit]").click()
    return page


@pytest.fixture
def report(transactional_db) -> DefectReport:
    reporter = Contact.objects.create(phone="+27820000001", name="Thabo")
    return DefectReport.objects.file(reported_by=reporter, description="Deep scratch")


def test_the_dashboard_has_its_figures(page: Page, report: DefectReport):
    expect(page.get_by_text("JavaScript is switched off.")).to_be_visible()
    expect(page.get_by_role("heading", name="Reported and closed each day")).to_be_visible()
    expect(page.locator("table").first).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_title("Logged out | Andon")


def test_a_report_is_found_reviewed_and_exported(page: Page, base: str, report: DefectReport):
    page.goto(f"{base}/admin/defects/defectreport/")
    page.locator("#changelist-filter").get_by_role("link", name="reported", exact=True).click()
    page.get_by_role("link", name=report.number, exact=True).click()
    page.locator("[name=part]").fill("Cover")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name=report.number, exact=True).click()
    expect(page.locator("[name=part]")).to_have_value("Cover")
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_text(f"{report.number} is acknowledged.")).to_be_visible()

    page.goto(f"{base}/admin/defects/defectreport/")
    page.locator("summary", has_text="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    assert report.number in download.value.path().read_text("utf-8-sig")


def test_orders_are_imported(page: Page, base: str):
    Customer.objects.create(name="Acme")
    page.goto(f"{base}/admin/orders/import/add/?what=orders")
    rows = b"number,customer,product,quantity\nORD-9001,Acme,Gear,5\n"
    file = {"name": "orders.csv", "mimeType": "text/csv", "buffer": rows}
    page.locator("input[type=file]").set_input_files(file)
    page.locator("form:has(input[type=file]) [type=submit]").first.click()
    page.get_by_role("button", name="Import 1 row").click()
    expect(page.get_by_text("JavaScript is switched off.")).to_be_visible()
    assert Order.objects.get().number == "ORD-9001"


def test_on_a_phone_the_menu_and_the_filters_come_below(
    page: Page, base: str, report: DefectReport
):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{base}/admin/defects/defectreport/")
    expect(page.get_by_text("Filters", exact=True)).to_be_hidden()
    # Nothing lies above it, or pushes it aside.
    page.get_by_role("link", name=report.number, exact=True).click()
    page.get_by_role("link", name="The menu is below").click()
    page.locator("#nav-sidebar").get_by_role("link", name="Defect reports").click()
    page.locator("#changelist-filter").get_by_role("link", name="reported", exact=True).click()
    page.get_by_role("link", name=report.number, exact=True).click()
    expect(page.locator("[name=part]")).to_be_visible()
