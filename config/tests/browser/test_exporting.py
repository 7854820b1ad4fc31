"""Staff filter the list of reports and take what it shows with them."""

import threading
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from playwright.sync_api import expect

from config.tests.browser.editing import Editing
from config.tests.browser.test_pages import assert_fits, browser_context_args
from defects import export as files
from defects import exporting
from defects.admin import exports
from defects.models import DefectReport, Export
from defects.tests.sheets import csv_rows, xlsx_rows
from whatsapp_bot import long_work
from whatsapp_bot.models import Contact

__all__ = ["browser_context_args"]

pytestmark = pytest.mark.browser


@pytest.fixture
def exporter(editor: User) -> User:
    may = ["view_defectreport", "export_defectreport"]
    editor.user_permissions.add(*Permission.objects.filter(codename__in=may))
    return editor


@pytest.fixture
def reports(exporter: User) -> list[DefectReport]:
    nomsa = Contact.objects.create(phone="+27820000001", name="Nomsa")
    return [
        DefectReport.objects.file(
            reported_by=nomsa,
            description=f"{'Scratch' if n % 2 else 'Oil leak'} {n}",
            status="reported" if n % 3 else "closed",
        )
        for n in range(8)
    ]


def listed(editing: Editing) -> list[str]:
    rows = editing.page.locator("#result_list tbody tr")
    return [row.locator(".field-number").first.inner_text().strip() for row in rows.all()]


def test_what_is_filtered_is_what_is_in_the_file(
    editing: Editing, reports: list[DefectReport], tmp_path: Path, look: tuple[int, str]
):
    page = editing.page
    editing.open("defects/defectreport/?status__exact=reported&q=Scratch&o=1")
    assert_fits(page, look[1])
    numbers = listed(editing)
    assert len(numbers) == 3
    page.locator("details.export summary").click()
    expect(page.get_by_text("All 3 reports of this list")).to_be_visible()
    assert_fits(page, look[1])
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    saved = tmp_path / download.value.suggested_filename
    download.value.save_as(saved)
    assert saved.suffix == ".csv"
    assert [row[0] for row in csv_rows(saved.read_bytes())[1:]] == numbers


def test_a_large_one_is_waited_for(
    editing: Editing,
    reports: list[DefectReport],
    tmp_path: Path,
    settings,
    monkeypatch: pytest.MonkeyPatch,
    look: tuple[int, str],
):
    settings.MEDIA_ROOT = tmp_path
    for module, name, value in (
        (exports, "AT_ONCE", 2),
        (files, "BATCH", 4),
        (long_work, "TELL_EVERY", 0),
    ):
        monkeypatch.setattr(module, name, value)
    go_on, half_way = threading.Event(), threading.Event()
    read = files.read

    def slowly(ids):
        for batch in read(ids):
            yield batch
            half_way.set()
            assert go_on.wait(60)

    monkeypatch.setattr(files, "read", slowly)
    page = editing.page
    editing.open("defects/defectreport/")
    page.locator("details.export summary").click()
    with page.expect_navigation():
        page.get_by_role("button", name="Excel").click()
    expect(page.get_by_text("It waits for its turn.")).to_be_visible()

    def work() -> None:
        exporting.make(Export.objects.claim())
        connection.close()

    maker = threading.Thread(target=work)
    maker.start()
    assert half_way.wait(60)
    expect(page.get_by_text("4 of 8 reports are written (50 %).").first).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_js_property("position", 0.5)
    assert_fits(page, look[1])
    go_on.set()
    link = page.get_by_role("link", name="Download defects-")
    expect(link).to_be_visible()
    maker.join()
    assert_fits(page, look[1])
    with page.expect_download() as download:
        link.click()
    saved = tmp_path / "saved.xlsx"
    download.value.save_as(saved)
    as_listed = DefectReport.objects.order_by("urgency", "-pk")
    numbers = [report.number for report in as_listed]
    assert len(numbers) == len(reports)
    assert [row[0] for row in xlsx_rows(saved.read_bytes())[1:]] == numbers


def test_it_can_be_cancelled(
    editing: Editing, reports: list[DefectReport], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(exports, "AT_ONCE", 2)
    editing.open("defects/defectreport/")
    editing.page.locator("details.export summary").click()
    editing.press("CSV")
    editing.press("Cancel")
    expect(editing.page.get_by_text("It was cancelled.")).to_be_visible()
    assert Export.objects.get().status == Export.Status.CANCELLED
