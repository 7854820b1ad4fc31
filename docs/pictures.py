"""Draws the pictures of the handbook: `make pictures`.

It starts the product with demo data in a temporary database, drives its pages in Chromium and
writes what they look like to docs/pictures/.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import django
from playwright.sync_api import BrowserContext, Page, sync_playwright

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from config.tests.browser.editing import Editing
    from defects.models import DefectReport

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
PICTURES_IN_VIEW_ARE_THERE = """[...document.images].every(
    (image) => image.complete || image.getBoundingClientRect().top > innerHeight
)"""
WIDE = {"width": 1200, "height": 760}
SMALL = {"width": 390, "height": 800}


@contextmanager
def factory(folder: str) -> Iterator[str]:
    """A server with demo data; the address at which it listens."""
    os.environ.update(
        ANDON_ENV_FILE=os.devnull,
        DEBUG="true",
        DATABASE_URL=f"sqlite:///{folder}/db.sqlite3",
        MEDIA_ROOT=f"{folder}/media",
        DJANGO_SETTINGS_MODULE="config.settings",
        DJANGO_ALLOW_ASYNC_UNSAFE="true",
    )
    for command in ("migrate", "demo"):
        subprocess.run(
            [sys.executable, "manage.py", command], cwd=ROOT, check=True, stdout=subprocess.DEVNULL
        )
    from config.tests.serving import serving

    with serving(dict(os.environ)) as base:
        yield base


def sign_in(context: BrowserContext, base: str) -> None:
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client()
    client.force_login(User.objects.get(username="staff"))
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": base}])


def draw(page: Page, name: str) -> None:
    from config.tests.browser.conftest import settle

    # A cursor that blinks makes another picture every time.
    page.evaluate("document.activeElement.blur()")
    page.mouse.move(0, 0)
    page.wait_for_function(PICTURES_IN_VIEW_ARE_THERE)
    settle(page)
    path = PICTURES / f"{name}.png"
    page.screenshot(path=path, animations="disabled", caret="hide")
    print(f"{path.relative_to(ROOT)}  {path.stat().st_size // 1024} KB")


def simulator(context: BrowserContext, small: BrowserContext, base: str) -> None:
    from config.tests.browser.handset import Handset

    phone = Handset(context.new_page(), base)
    phone.page.set_viewport_size({"width": 1000, "height": 600})
    phone.open("worker")
    phone.say("hi")
    phone.tap("Report a defect")
    phone.tap("Report a defect")
    phone.say("Scratch on the *lid*, 5 cm")
    draw(phone.page, "simulator")

    phone = Handset(small.new_page(), base)
    phone.open("customer")
    phone.say("hi")
    phone.tap("Report a defect")
    phone.tap("Report a safety hazard")
    phone.say("Oil on the floor behind the press")
    draw(phone.page, "simulator-phone-dark")


def editing_pages(context: BrowserContext, base: str) -> None:
    from config.tests.browser.editing import Editing

    editing = Editing(context.new_page(), base)
    page = editing.page
    editing.text("defects.submitted")
    editing.fill(
        text="✅ *Thank you!* Your report is {number}.\n_A photo that you send now joins it._"
    )
    draw(page, "editing-a-text")
    page.set_viewport_size({"width": 1200, "height": 560})
    editing.open("whatsapp_bot/wording/?place=defects")
    draw(page, "editing-texts")
    page.set_viewport_size({"width": 1200, "height": 1120})
    editing.menu("main")
    draw(page, "editing-a-menu")
    editing.form("hazard")
    draw(page, "editing-a-form")
    page.set_viewport_size(WIDE)


def writing_pages(context: BrowserContext, base: str) -> None:
    from django.contrib.auth.models import User

    from config.tests.browser.editing import Editing
    from defects.models import DefectReport
    from whatsapp_bot.delivery import Status
    from whatsapp_bot.models import Contact

    staff = User.objects.get(username="staff")
    contact = Contact.objects.get(name="Buyer at Acme")
    for text, status in (
        ("Good morning! Your three lids are on their way.", Status.READ),
        ("They arrive on Thursday.", Status.DELIVERED),
    ):
        contact.send(text, staff)[0].settle(status)
    editing = Editing(context.new_page(), base)
    page = editing.page
    page.set_viewport_size({"width": 1320, "height": 1240})
    editing.page_of(contact)
    editing.fill(to_send="Please tell us when they are *there*.")
    draw(page, "writing-to-a-contact")
    inbox(editing, staff)
    report = DefectReport.objects.filter(reported_by=contact).get()
    report.ask("How many boxes were there?", staff).settle(Status.READ)
    page.set_viewport_size({"width": 1200, "height": 1560})
    editing.page_of(report)
    editing.fill(to_send="Which of the lids are broken, and where?")
    draw(page, "writing-to-a-reporter")
    page.set_viewport_size(WIDE)


def inbox(editing: "Editing", staff: "User") -> None:
    from django.utils import timezone

    from whatsapp_bot.models import Contact, HelpRequest

    now = timezone.localtime()
    for name, text, hours in (
        ("Worker, Line 1", "When is the first-aid course?", 26),
        ("Planner at Coastal", "Please call me about the drawings of the gear wheel", 3),
        ("Buyer at Acme", "Can somebody send us the certificate for ORD-1001?", 1),
    ):
        HelpRequest.objects.create(
            number=f"HELP-{now - timedelta(hours=hours):%Y%m%d%H%M%S}",
            contact=Contact.objects.get(name=name),
            text=text,
            created_at=now - timedelta(hours=hours),
        )
    HelpRequest.objects.get(text__startswith="Please call me").take(staff)
    page = editing.page
    page.set_viewport_size({"width": 1200, "height": 560})
    editing.open("whatsapp_bot/helprequest/")
    draw(page, "help-requests")


def dashboard(context: BrowserContext, small: BrowserContext, base: str) -> None:
    for where, name, height in ((context, "dashboard", 1340), (small, "dashboard-phone-dark", 900)):
        page = where.new_page()
        page.set_viewport_size({"width": page.viewport_size["width"], "height": height})
        page.goto(f"{base}/admin/?range=90")
        page.wait_for_timeout(1000)
        draw(page, name)


def importing(context: BrowserContext, base: str) -> None:
    from config.tests.browser.editing import Editing
    from config.tests.browser.test_importing import ROWS, spreadsheet

    editing = Editing(context.new_page(), base)
    page = editing.page
    page.set_viewport_size({"width": 1200, "height": 1180})
    editing.open("orders/import/add/?what=orders")
    with tempfile.TemporaryDirectory() as folder:
        sheet = spreadsheet(Path(folder) / "Orders week 48.xlsx", ROWS)
        page.get_by_label("CSV or XLSX file").set_input_files(sheet)
        editing.press("See what it would do")
    draw(page, "importing")
    page.set_viewport_size(WIDE)


def reviewing_pages(context: BrowserContext, small: BrowserContext, base: str) -> None:
    from config.tests.browser.editing import Editing

    report = report_with_photo()
    report.severity = "critical"
    report.save()
    editing = Editing(context.new_page(), base)
    page = editing.page
    page.set_viewport_size({"width": 1400, "height": 640})
    editing.open("defects/defectreport/?at_work=open")
    draw(page, "reviewing-reports")

    editing.page_of(report)
    editing.save("Acknowledge", says="is acknowledged")
    editing.save("Start review", says="is in review")
    editing.fill(inspected="200", nonconforming="12", cause="The clamp of press 4 was worn.")
    editing.fill(new_note="The lids of the night shift are in the blocked area.")
    editing.choose("category", "Surface")
    for number, (kind, quantity) in enumerate([("rework", "9"), ("scrap", "3")]):
        page.get_by_text("Add another Disposition").click()
        part = f"dispositions-{number}-"
        editing.fill(**{f"{part}kind": kind, f"{part}quantity": quantity})
    page.get_by_text("Add another Corrective action").click()
    editing.fill(**{"actions-0-what": "Renew the clamp, check it monthly"})
    editing.choose("actions-0-owner", "reviewer")
    editing.save("Save and continue editing")
    page.set_viewport_size({"width": 1400, "height": 1100})
    editing.page_of(report)
    draw(page, "reviewing-a-report")
    phone = Editing(small.new_page(), base)
    phone.page_of(report)
    draw(phone.page, "reviewing-a-report-phone-dark")

    editing.save("Decide", says="is decided")
    page.set_viewport_size({"width": 1400, "height": 600})
    editing.open("defects/change/")
    draw(page, "changes")
    page.set_viewport_size(WIDE)


def report_with_photo() -> "DefectReport":
    """What a worker reports, with a photo that has been fetched."""
    from defects.models import DefectReport
    from whatsapp_bot import fetching
    from whatsapp_bot.models import Contact
    from whatsapp_bot.simulator import attachments
    from whatsapp_bot.simulator.people import CAST
    from whatsapp_bot.simulator.phone import Phone

    before = DefectReport.objects.count()
    phone = Phone(CAST["worker"].address, CAST["worker"].name)
    for text in ("menu", "2", "1", "Twelve lids with a deep scratch beside the hinge"):
        phone.say(text)
    while DefectReport.objects.count() == before:
        phone.say("skip")
    photo = attachments.example(attachments.Kind.IMAGE)
    phone.say(
        MessageType="image",
        NumMedia="1",
        MediaUrl0=photo.url,
        MediaContentType0=photo.content_type,
    )
    fetching.drain()
    return Contact.objects.get(phone=phone.address).defect_reports.latest("pk")


def exporting_pages(context: BrowserContext, base: str) -> None:
    from django.contrib.auth.models import User
    from django.utils import timezone

    from config.tests.browser.editing import Editing
    from defects.models import Export

    editing = Editing(context.new_page(), base)
    page = editing.page
    page.set_viewport_size({"width": 1400, "height": 520})
    editing.open("defects/defectreport/?severity__exact=major&status__exact=closed")
    page.locator("details.export summary").click()
    draw(page, "exporting-a-list")
    export = Export.objects.create(
        by=User.objects.get(username="staff"),
        query="severity__exact=major",
        format="xlsx",
        status="running",
        done=412_000,
        total=1_000_000,
        claimed_until=timezone.now() + Export.CLAIM,
    )
    page.set_viewport_size({"width": 1200, "height": 420})
    editing.open(f"defects/export/{export.pk}/change/")
    draw(page, "exporting")
    page.set_viewport_size(WIDE)


def draw_refusals(context: BrowserContext, base: str) -> None:
    from config.tests.browser import refusals
    from config.tests.browser.editing import Editing
    from whatsapp_bot.recent import MAX_AGE

    # The server is another process than this, and reads anew by itself.
    refusals.forget_all = partial(time.sleep, MAX_AGE)
    editing = Editing(context.new_page(), base)
    for refusal in refusals.REFUSALS:
        refusal.attempt(editing)
        said = editing.page.get_by_text(refusal.says)
        said.evaluate("element => element.scrollIntoView({ block: 'center' })")
        draw(editing.page, f"refusals/{refusal.name}")


def main() -> None:
    sys.path.insert(0, str(ROOT))
    (PICTURES / "refusals").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, factory(folder) as base:
        django.setup()
        with sync_playwright() as playwright:
            from config.tests.browser.conftest import ARGUMENTS, CHROMIUM

            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            wide = browser.new_context(viewport=WIDE, color_scheme="light")
            small = browser.new_context(viewport=SMALL, color_scheme="dark", has_touch=True)
            sign_in(wide, base)
            manager = browser.new_context(viewport=SMALL, color_scheme="dark", has_touch=True)
            sign_in(manager, base)
            dashboard(wide, manager, base)
            simulator(wide, small, base)
            editing_pages(wide, base)
            writing_pages(wide, base)
            reviewing_pages(wide, manager, base)
            exporting_pages(wide, base)
            importing(wide, base)
            draw_refusals(wide, base)
            browser.close()


if __name__ == "__main__":
    main()
