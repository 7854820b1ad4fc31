"""The dashboard in a real browser: small and large, light and dark, by mouse and by keyboard."""

from itertools import product

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from playwright.sync_api import Locator, Page, expect

from config.tests.browser.conftest import LOOKS, settle
from config.tests.browser.test_pages import WIDTHS, assert_fits
from defects.dashboard import Period, count_up
from defects.models import DefectReport

pytestmark = pytest.mark.browser

CHARTS = ["open", "trend", "pareto-reports", "pareto-parts", "lines", "shifts", "messages"]
COLOURS = """canvas => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
}"""


@pytest.fixture
def manager(editor: User) -> User:
    seen = ["view_dashboard", "view_defectreport", "view_message"]
    editor.user_permissions.set(Permission.objects.filter(codename__in=seen))
    return editor


@pytest.fixture
def factory(transactional_db: None) -> None:
    call_command("demo", "--anyway", verbosity=0)


@pytest.fixture
def dashboard(page: Page, base: str, manager: User, factory: None) -> Page:
    page.goto(f"{base}/admin/")
    settle(page)
    return page


@pytest.fixture
def browser_context_args(browser_context_args: dict) -> dict:
    return {**browser_context_args, "viewport": {"width": 1400, "height": 844}}


def open_as(page: Page, width: int, scheme: str) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=scheme)
    page.reload()
    settle(page)


def test_charts_are_drawn_and_fit(dashboard: Page):
    for width, scheme in product(WIDTHS, ["light", "dark"]):
        open_as(dashboard, width, scheme)
        assert_fits(dashboard, scheme)
        for name in CHARTS:
            assert_drawn(dashboard.locator(f"#{name} canvas"), name)
            # The table is there for screen readers, and takes no room.
            assert dashboard.locator(f"#{name} tbody tr").count() > 0
            assert dashboard.locator(f"#{name}-table").bounding_box()["height"] <= 1


def assert_drawn(canvas: Locator, name: str) -> None:
    canvas.scroll_into_view_if_needed()
    expect(canvas).to_be_visible()
    assert canvas.evaluate(COLOURS) > 4, f"{name} is blank"
    box = canvas.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= canvas.page.viewport_size["width"]
    assert "chart" in canvas.get_attribute("aria-label")


def test_each_chart_is_a_table_as_well(dashboard: Page):
    for width, scheme in LOOKS:
        open_as(dashboard, width, scheme)
        # The keyboard does not stop at what is not seen.
        reached = dashboard.locator(".dashboard-table a:not([tabindex='-1'])")
        assert reached.count() == 0
        for name in CHARTS:
            button = dashboard.locator(f"#{name} .dashboard-switch")
            button.focus()
            dashboard.keyboard.press("Enter")
            expect(button).to_have_attribute("aria-expanded", "true")
            expect(dashboard.locator(f"#{name} tbody tr").first).to_be_visible()
            expect(dashboard.locator(f"#{name} canvas")).to_be_hidden()
        assert reached.count() > 50
        assert_fits(dashboard, scheme)
        button.click()
        expect(dashboard.locator("#messages canvas")).to_be_visible()


def test_a_figure_and_a_bar_lead_to_their_lists(dashboard: Page):
    link = dashboard.locator("#lines tbody tr").first.locator("a").get_attribute("href")
    canvas = dashboard.locator("#lines canvas")
    canvas.scroll_into_view_if_needed()
    canvas.click(position={"x": canvas.bounding_box()["width"] / 3, "y": 25})
    dashboard.wait_for_url(f"**{link}")
    dashboard.go_back()
    settle(dashboard)

    cell = dashboard.locator("#pareto-reports tbody tr").first.locator("td").first
    behind = cell.inner_text()
    dashboard.locator("#pareto-reports .dashboard-switch").click()
    cell.locator("a").click()
    dashboard.wait_for_url("**/defectreport/?**")
    expect(dashboard.get_by_text(f"{behind} defect reports").first).to_be_visible()


def test_charts_take_on_the_dark(dashboard: Page):
    canvas = dashboard.locator("#lines canvas")
    before = canvas.evaluate("canvas => canvas.toDataURL()")
    dashboard.evaluate("document.documentElement.classList.add('dark')")
    dashboard.wait_for_function(
        "before => document.querySelector('#lines canvas').toDataURL() !== before", arg=before
    )


def test_dates_are_chosen_and_stay_in_the_address(dashboard: Page):
    week = Period.of_days(7)
    dashboard.get_by_label("from").fill(week.first.isoformat())
    dashboard.get_by_label("to", exact=True).fill(week.last.isoformat())
    dashboard.get_by_role("button", name="Show", exact=True).press("Enter")
    dashboard.wait_for_url(f"**/admin/?since={week.first}&until={week.last}")
    expect(dashboard.get_by_label("from")).to_have_value(week.first.isoformat())
    reported = dashboard.get_by_label("Reported:")
    expect(reported).to_have_text(str(count_up(week).reported))
    dashboard.get_by_role("link", name="90 days").click()
    dashboard.wait_for_url("**/admin/?range=90")
    expect(reported).to_have_text(f"{DefectReport.objects.count():,}")
