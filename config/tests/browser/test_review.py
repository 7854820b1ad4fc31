"""A reviewer takes a report from reported to closed, and is not alone at it."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import BrowserContext, expect

from config.tests.browser.conftest import session
from config.tests.browser.editing import Editing
from defects.models import DefectCategory, DefectReport
from whatsapp_bot import fetching
from whatsapp_bot.models import Media, Message
from whatsapp_bot.simulator import attachments
from whatsapp_bot.simulator.phone import Phone

pytestmark = pytest.mark.browser


@pytest.fixture
def report(reviewer: User, settings, tmp_path) -> DefectReport:
    """A report with a photo, which has been fetched."""
    settings.MEDIA_ROOT = tmp_path
    DefectCategory.objects.create(name="Surface")
    phone = Phone("+27820000001", "Nomsa")
    for text in ("hi", "2", "1", "Deep scratch on the cover"):
        phone.say(text)
    while not DefectReport.objects.exists():
        phone.say("skip")
    photo = attachments.example(attachments.Kind.IMAGE)
    phone.say(
        MessageType="image",
        NumMedia="1",
        MediaUrl0=photo.url,
        MediaContentType0=photo.content_type,
    )
    fetching.drain()
    assert Media.objects.get().thumbnail
    return DefectReport.objects.get()


def test_from_reported_to_closed(editing: Editing, report: DefectReport, new_context, base):
    page = editing.page
    editing.find("defects/defectreport", "scratch cover")
    expect(page.locator(".report-photos img")).to_be_visible()
    expect(page.locator(".talk")).to_contain_text("Deep scratch on the cover")
    editing.save("Acknowledge", says="The reporter is told.")
    editing.save("Start review", says=f"{report.number} is in review.")

    editing.fill(severity="major", nonconforming="10", cause="Worn tool")
    editing.choose("category", "Surface")
    page.get_by_text("Add another Disposition").click()
    editing.fill(**{"dispositions-0-kind": "scrap", "dispositions-0-quantity": "4"})
    editing.press("Decide")
    expect(page.get_by_text("The dispositions are for 4 parts, but 10")).to_be_visible()
    expect(editing.field("cause")).to_have_value("Worn tool")
    editing.fill(**{"dispositions-0-quantity": "10"})
    page.get_by_text("Add another Corrective action").click()
    editing.fill(**{"actions-0-what": "New tool guide"})
    editing.choose("actions-0-owner", "editor")
    editing.save("Decide", says=f"{report.number} is decided.")

    editing.press("Close")
    expect(page.get_by_text("“New tool guide” is not verified yet.")).to_be_visible()
    editing.save("Done", says="The action is done.")
    expect(page.get_by_text("to be verified by somebody else")).to_be_visible()

    other = User.objects.create_superuser("ben")
    context = new_context(signed_in=False)
    context.add_cookies([{"name": "sessionid", "value": session(other), "url": base}])
    colleague = Editing(context.new_page(), base)
    colleague.page_of(report)
    colleague.save("Verify", says="The action is verified.")
    colleague.save("Close", says=f"{report.number} is closed.")
    history = colleague.page.locator(".changes")
    expect(history).to_contain_text("Worn tool")
    expect(history).to_contain_text("ben")
    told = Message.objects.filter(notice__startswith="news.").order_by("pk")
    assert [one.notice for one in told] == ["news.acknowledged", "news.decided", "news.closed"]


def test_the_second_of_two_is_told_and_loses_nothing(
    editing: Editing, report: DefectReport, new_context, base
):
    context = new_context()
    other = Editing(context.new_page(), base)
    for desk in (editing, other):
        desk.page_of(report)
    editing.fill(severity="minor")
    editing.save()
    other.fill(severity="critical", lot="L-7")
    other.press("Save")
    expect(other.page.get_by_text("This was changed since you opened it")).to_be_visible()
    expect(other.page.get_by_text("from “–” to “minor”")).to_be_visible()
    expect(other.field("lot")).to_have_value("L-7")
    other.save()
    report.refresh_from_db()
    assert (report.severity, report.lot) == ("critical", "L-7")


def test_tabs_filters_and_several_at_once(editing: Editing, report: DefectReport):
    page = editing.page
    editing.open("defects/defectreport/")
    page.get_by_role("link", name="Unacknowledged").click()
    page.wait_for_url("**status__exact=reported")
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    expect(page.locator("#result_list img")).to_be_visible()
    page.locator("input.action-select").check()
    editing.choose("action", "Acknowledge")
    editing.press("Run")
    expect(page.get_by_text("1 is acknowledged.")).to_be_visible()
    expect(page.locator("#result_list tbody tr")).to_have_count(0)
    page.get_by_role("link", name="Open", exact=True).click()
    page.wait_for_url("**at_work=open")
    expect(page.locator("#result_list tbody tr")).to_have_count(1)


def test_what_is_ticked_and_where_one_is_show_in_the_colours_of_the_system(
    new_context: Callable[..., BrowserContext], base: str, reviewer: User, report: DefectReport
):
    page = new_context(forced_colors="active").new_page()
    page.goto(f"{base}/admin/defects/defectreport/")
    box = page.locator("input.action-select")
    is_empty = box.screenshot()
    box.check()
    box.blur()
    assert box.screenshot() != is_empty
    tabs = page.get_by_role("navigation", name="Lists")
    outline = "tab => getComputedStyle(tab).outlineStyle"
    assert [tab.evaluate(outline) for tab in tabs.get_by_role("link").all()] == [
        "solid",
        *["none"] * 4,
    ]
