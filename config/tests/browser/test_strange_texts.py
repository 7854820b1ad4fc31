"""Texts that try to be more than text are text: in the admin, the bubble and the simulator."""

from datetime import timedelta
from urllib.parse import quote

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from config.tests.browser.conftest import settle
from config.tests.browser.editing import Editing
from config.tests.browser.handset import Handset
from defects.models import DefectCategory, DefectReport, Export, ReportForm
from orders.models import (
    Customer,
    CustomerLink,
    Line,
    Order,
    ProductionRun,
    Shift,
    WrongLookup,
)
from whatsapp_bot.models import Channel, Contact, Menu, MessageTemplate, Wording
from whatsapp_bot.models import Page as TextPage
from whatsapp_bot.simulator.people import CAST
from whatsapp_bot.simulator.phone import Phone

pytestmark = pytest.mark.browser

SCRIPT = "<script>window.taken = true</script>"
PICTURE = '<img src=x onerror="window.taken = true">'
FORMATS = "{0.__class__} {{7*7}} {% now %} %s %(text)s $&"
ARABIC = "مرحبا بالعالم 5 سم"
STRANGE = f"{SCRIPT} {PICTURE} {FORMATS}"


def assert_inert(page: Page) -> None:
    assert page.evaluate("window.taken") is None
    assert page.locator("[onerror]").count() == 0


def direction(element: Locator) -> str:
    return element.evaluate("element => getComputedStyle(element).direction")


def test_what_staff_write_is_text(editing: Editing, base: str):
    page = editing.page
    editing.text("bot.not_understood")
    editing.fill(text=STRANGE)
    expect(editing.bubble).to_have_text(STRANGE, use_inner_text=True)
    editing.save()
    # The list, and the page once more.
    expect(page.locator("#result_list")).to_contain_text(SCRIPT)
    assert_inert(page)
    editing.text("bot.not_understood")
    expect(editing.field("text")).to_have_value(STRANGE)
    assert_inert(page)

    # Where more of it is wrong than right, the message about it is text as well.
    editing.fill(text=STRANGE + " {cycle}")
    editing.press("Save")
    expect(page.get_by_text("{cycle} cannot be filled in here.")).to_be_visible()
    assert_inert(page)

    TextPage.objects.create(key="strange", title=SCRIPT, text=STRANGE)
    form = ReportForm.objects.get(key="defect")
    form.questions.update(text=STRANGE, help_text=STRANGE)
    form.publish()
    form.title = PICTURE
    form.save()
    editing.menu("main")
    editing.fill(text=STRANGE)
    editing.row("Menu item", "Check order status", label="<b>%s</b> {0.__class__}", opens="")
    editing.choose("items-0-opens", f"Text page: {SCRIPT}")
    expect(editing.bubble).to_contain_text("1. <b>%s</b> {0.__class__}")
    editing.save()
    for path in ("menu/", f"menu/{Menu.objects.get(key='main').pk}/change/", "page/"):
        editing.open(f"whatsapp_bot/{path}")
        expect(page.get_by_text("Text pages")).not_to_have_count(0)
        assert_inert(page)
    for path in ("reportform/", f"reportform/{form.pk}/change/", "formversion/"):
        editing.open(f"defects/{path}")
        assert_inert(page)

    phone = Handset(page, base)
    phone.open("worker")
    menu = phone.say("hi")
    assert menu.startswith(STRANGE)
    assert phone.tap("<b>%s</b> {0.__class__}").startswith(STRANGE)
    assert phone.say("xyzzy").startswith(STRANGE)
    phone.tap("Report a defect")
    assert phone.tap("Report a defect").startswith(STRANGE)
    assert_inert(page)


def test_what_people_write_is_text(editing: Editing, base: str, editor: User):
    page = editing.page
    # Whoever looks at reports and messages may do more than edit.
    editor.is_superuser = True
    editor.save()
    address = CAST["worker"].address
    Contact.objects.create(phone=address, name=SCRIPT, role="worker")
    phone = Handset(page, base)
    page.goto(f"{base}/simulator/#{address.replace('+', '%2B')}")
    expect(page.locator("#whom")).to_have_text(SCRIPT)
    phone.wait_until_read()
    phone.say("hi")
    phone.say("2")
    phone.say("1")
    phone.say(STRANGE)
    expect(phone.mine.last.locator(".words")).to_have_text(STRANGE, use_inner_text=True)
    assert SCRIPT in phone.say("2") + phone.say("2")
    assert_inert(page)

    # Five thousand characters are stored, shown, and take no more room than there is.
    phone.say("menu")
    phone.say("2")
    phone.say("1")
    long = f"{ARABIC} " + "x" * 5000
    phone.say(long)
    words = phone.mine.last.locator(".words .text")
    assert len(words.inner_text()) == len(long)
    assert direction(words) == "rtl"
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")

    for report in DefectReport.objects.all():
        editing.open(f"defects/defectreport/{report.pk}/change/")
        expect(page.locator("#defectreport_form")).to_contain_text(report.description[:60])
        assert_inert(page)
        assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    for path in (
        "defects/defectreport/",
        "whatsapp_bot/message/",
        "whatsapp_bot/contact/",
        "whatsapp_bot/conversation/",
        f"whatsapp_bot/contact/{Contact.objects.get().pk}/change/",
    ):
        editing.open(path)
        assert_inert(page)
        assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")


def test_a_long_text_is_counted_and_one_from_the_right_is_shown_from_there(
    editing: Editing, base: str
):
    page = editing.page
    editing.text("bot.not_understood")
    editing.fill(text="x" * 5000)
    expect(page.locator(".bubble-length")).to_have_text("5000 of 1600 characters")
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    editing.press("Save")
    expect(page.get_by_text("A message holds 1600 characters, this text has 5000.")).to_be_visible()
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")

    editing.fill(text=ARABIC)
    assert direction(editing.bubble) == "rtl"
    assert direction(editing.field("text")) == "rtl"
    editing.save()
    assert Wording.objects.get(key="bot.not_understood").text == ARABIC
    phone = Handset(page, base)
    phone.open("worker")
    phone.say("hi")
    assert phone.say("xyzzy").startswith(ARABIC)
    assert direction(phone.last.locator(".text").first) == "rtl"


def rows_with_strange_texts() -> None:
    """In whatever anybody can write something into."""
    contact = Contact.objects.create(phone="+27820000001", name=STRANGE)
    phone = Phone(contact.phone, STRANGE)
    for text in ("hi", "2", "1", STRANGE):
        phone.say(text)
    while not DefectReport.objects.exists():
        phone.say("skip")
    for text in ("menu", "4", "1", STRANGE):
        phone.say(text)
    customer = Customer.objects.create(name=SCRIPT, reference=PICTURE)
    CustomerLink.objects.create(customer=customer, contact=contact)
    order = Order.objects.create(
        number=PICTURE, customer=customer, product=STRANGE, quantity=1, notes=STRANGE
    )
    line = Line.objects.create(name=PICTURE)
    Shift.objects.create(name=PICTURE, begins="06:00", ends="14:00")
    now = timezone.now()
    ProductionRun.objects.create(
        order=order, line=line, product=STRANGE, begins=now, ends=now + timedelta(1), quantity=1
    )
    WrongLookup.objects.create(contact=contact, number=SCRIPT[:40])
    review_with_strange_texts(line, order)
    TextPage.objects.create(key="strange", title=SCRIPT, text=STRANGE)
    Menu.objects.update(text=STRANGE)
    Wording.objects.update(text=STRANGE)
    ReportForm.objects.update(title=PICTURE, thanks=SCRIPT)
    Channel.objects.ours().stop(20003)
    MessageTemplate.objects.create(
        notice="news.closed", content_sid="HX" + "1" * 32, body=STRANGE, reason=SCRIPT
    )
    Group.objects.create(name=SCRIPT)
    User.objects.create_user("strange", first_name=SCRIPT, last_name=PICTURE, is_staff=True)
    for row in (contact, order, customer, line, *User.objects.all()):
        LogEntry.objects.create(
            user=User.objects.get(username="strange"),
            content_type=ContentType.objects.get_for_model(row),
            object_id=row.pk,
            object_repr=SCRIPT,
            action_flag=2,
            change_message=STRANGE,
        )


def review_with_strange_texts(line: Line, order: Order) -> None:
    """A report, decided and all, and what was changed in it."""
    somebody = User.objects.create_user(PICTURE, first_name=SCRIPT, is_staff=True)
    report = DefectReport.objects.get()
    report.line, report.order, report.severity = line, order, "critical"
    report.part = report.lot = PICTURE
    report.containment = report.cause = STRANGE
    report.category = DefectCategory.objects.create(name=SCRIPT)
    report.nonconforming = report.inspected = 2
    report.save()
    report.acknowledge(somebody)
    report.begin_review(somebody)
    report.note(somebody, STRANGE)
    report.dispositions.create(kind="use_as_is", quantity=2, reason=STRANGE)
    report.actions.create(what=STRANGE, owner=somebody).finish(somebody)
    report.decide(somebody)
    other = DefectReport.objects.file(reported_by=report.reported_by, description=STRANGE)
    other.mark_duplicate(somebody, report)
    Export.objects.create(by=somebody, query=f"q={quote(SCRIPT)}", status="failed", why=PICTURE)


FEWEST_PAGES = {"defects": 20, "orders": 30, "whatsapp_bot": 30}
"""Of an app, with a strange text."""


@pytest.mark.parametrize("app", sorted({model._meta.app_label for model in admin.site._registry}))
def test_in_every_list_page_and_history_it_is_text(editing: Editing, editor: User, app: str):
    page = editing.page
    User.objects.filter(pk=editor.pk).update(is_superuser=True, first_name=SCRIPT)
    rows_with_strange_texts()
    looked_at = 0
    for model in filter(lambda model: model._meta.app_label == app, admin.site._registry):
        place = f"{model._meta.app_label}/{model._meta.model_name}/"
        row = model.objects.order_by("-pk").first()
        own = [f"{place}{row.pk}/{name}/" for name in ("change", "history")] if row else []
        for path in (place, f"{place}?q={quote(SCRIPT)}", *own):
            editing.open(path)
            assert_inert(page)
            looked_at += SCRIPT in page.content() or "&lt;script&gt;" in page.content()
    assert looked_at > FEWEST_PAGES.get(app, 1)


def test_in_what_was_changed_and_in_charts_it_is_text(editing: Editing, editor: User):
    page = editing.page
    User.objects.filter(pk=editor.pk).update(is_superuser=True)
    rows_with_strange_texts()
    editing.open("defects/change/")
    for column, text in (("was", "–"), ("became", SCRIPT), ("what", SCRIPT[:20])):
        expect(page.locator(f".field-{column}").filter(has_text=text)).not_to_have_count(0)
    expect(page.locator(".field-by_whom").filter(has_text=PICTURE)).not_to_have_count(0)
    assert_inert(page)
    editing.page_of(DefectReport.objects.get(status="decided"))
    expect(page.locator(".changes")).to_contain_text(STRANGE)
    assert_inert(page)

    # Filtered by it, and sought: the words are said once more by the page.
    listed = DefectReport.objects.values("category", "line").get(status="decided")
    for query in (f"q={quote(PICTURE)}", "category__id__exact={category}&line__id__exact={line}"):
        editing.open(f"defects/defectreport/?{query.format(**listed)}")
        assert_inert(page)

    editing.open("")
    settle(page)
    for chart, text in (("pareto-reports", SCRIPT), ("pareto-parts", SCRIPT), ("lines", PICTURE)):
        expect(page.locator(f"#{chart}-table")).to_contain_text(text)
        canvas = page.locator(f"#{chart} canvas")
        canvas.scroll_into_view_if_needed()
        # What the pointer is on is named beside it.
        for part in (0.2, 0.5, 0.8):
            box = canvas.bounding_box()
            page.mouse.move(box["x"] + box["width"] * part, box["y"] + box["height"] * 0.6)
        assert_inert(page)
    expect(page.locator("#shifts-table")).to_contain_text(PICTURE)
    assert_inert(page)


def test_where_one_chooses_by_typing_it_is_text(editing: Editing, editor: User):
    page = editing.page
    User.objects.filter(pk=editor.pk).update(is_superuser=True)
    rows_with_strange_texts()
    reporter = Contact.objects.first()
    report = DefectReport.objects.file(reported_by=reporter, description=STRANGE)
    for path, field, text in (
        ("orders/order/add/", "customer", SCRIPT),
        ("orders/productionrun/add/", "order", PICTURE),
        ("orders/customerlink/add/", "contact", SCRIPT),
        (f"defects/defectreport/{report.pk}/change/", "order", PICTURE),
        (f"defects/defectreport/{report.pk}/change/", "line", PICTURE),
    ):
        editing.open(path)
        choice = page.locator(f".field-{field} .select2-selection").first
        choice.click()
        page.locator(".select2-search__field").last.fill(text[:4])
        option = page.locator(".select2-results__option[role=option]").filter(has_text=text[:20])
        expect(option.first).to_be_visible()
        assert_inert(page)
        option.first.click()
        expect(choice).to_contain_text(text[:20])
        assert_inert(page)
