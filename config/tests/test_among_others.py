"""A page that was opened before somebody else saved undoes nothing of what they did, unasked."""

import re
from collections.abc import Callable
from datetime import date, time, timedelta
from html.parser import HTMLParser

import pytest
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from defects.models import DefectCategory, DefectReport, ReportForm
from orders.models import Customer, Line, Order, ProductionRun, Shift
from whatsapp_bot.models import Contact, Menu, Page, Wording
from whatsapp_bot.tests.staff import browser, staff

pytestmark = pytest.mark.django_db
TOLD = "This was changed since you opened it."


class Fields(HTMLParser):
    """What a browser would post of a page as it is, but for its buttons."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.values: dict[str, str | list[str]] = {}
        self.name = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        has = dict(attributes)
        name, value = has.get("name") or "", has.get("value")
        if tag == "input" and has.get("type") not in ("submit", "button", "file"):
            if has.get("type") not in ("checkbox", "radio"):
                self.values[name] = value or ""
            elif "checked" in has:
                self.values[name] = value or "on"
        elif tag in ("textarea", "select"):
            self.name = name
            self.values.setdefault(name, [] if "multiple" in has else "")
        elif tag == "option" and "selected" in has:
            many = self.values[self.name]
            self.values[self.name] = [*many, value] if isinstance(many, list) else value or ""

    def handle_data(self, data: str) -> None:
        if self.name and self.lasttag == "textarea":
            self.values[self.name] += data

    def handle_endtag(self, tag: str) -> None:
        if tag in ("textarea", "select"):
            self.name = ""


class Opened:
    """A page as somebody has it before them."""

    def __init__(self, client: Client, row: Model) -> None:
        names = (row._meta.app_label, row._meta.model_name)
        self.client = client
        self.path = reverse("admin:{}_{}_change".format(*names), args=[row.pk])
        self._see(client.get(self.path).content.decode())

    def _see(self, html: str) -> None:
        self.html = html
        values = Fields(html.partition('id="content-main"')[2]).values
        self.values = {
            name: value.removeprefix("\n") if isinstance(value, str) else value
            for name, value in values.items()
            if name
        }

    def save(self, **values: str) -> bool:
        """Press Save with these values; False when the page stays."""
        answer = self.client.post(self.path, {**self.values, **values})
        if answer.status_code == 302:
            return True
        self._see(answer.content.decode())
        return False


@pytest.fixture
def open_page(admin_user: User) -> Callable[[Model], Opened]:
    return lambda row: Opened(browser(admin_user), row)


@pytest.fixture
def order() -> Order:
    acme = Customer.objects.create(name="Acme", reference="K-1")
    order = Order.objects.create(
        number="ORD-1", customer=acme, product="Gear", quantity=10, due_date=date(2026, 12, 24)
    )
    now = timezone.now()
    ProductionRun.objects.create(
        order=order,
        line=Line.objects.create(name="Press 1"),
        product="Gear",
        begins=now,
        ends=now + timedelta(hours=2),
        quantity=10,
        made=3,
    )
    return order


def test_an_order_that_was_shipped_meanwhile_stays_so(open_page, order):
    page = open_page(order)
    Order.objects.filter(pk=order.pk).update(status="shipped", due_date=date(2027, 1, 15))
    assert not page.save(notes="Call before you come")
    assert TOLD in page.html
    assert "Status: stored is “shipped”." in page.html
    assert "Due date: stored is “" in page.html
    assert "Please correct the error" not in page.html
    assert page.values["notes"] == "Call before you come"
    order.refresh_from_db()
    assert (order.status, order.notes) == ("shipped", "")

    # Told of it, staff have the last word on what they entered, and on nothing else.
    assert page.save()
    order.refresh_from_db()
    assert (order.status, order.notes) == ("shipped", "Call before you come")
    assert order.due_date == date(2027, 1, 15)


def test_a_blank_at_the_end_of_what_is_stored_was_not_entered(open_page, order):
    Order.objects.filter(pk=order.pk).update(customer_reference="PO-7 ")
    page = open_page(order)
    Order.objects.filter(pk=order.pk).update(customer_reference="PO-8")
    assert not page.save(notes="Ring twice")
    assert page.save()
    order.refresh_from_db()
    assert (order.customer_reference, order.notes) == ("PO-8", "Ring twice")


def test_who_changed_what_and_when_is_said(clock, open_page, order):
    thandi = User.objects.create_superuser("thandi")
    page, hers, other_tab = open_page(order), Opened(browser(thandi), order), open_page(order)
    assert hers.save(notes="Ring twice", due_date="2027-01-15")
    assert not page.save(customer_reference="PO-7")
    today = date_format(timezone.localdate(), "j M Y")
    said = rf"<p>thandi, {today}, \d\d:\d\d: Changed (Due date|Notes for the customer) and "
    assert re.search(said, page.html)
    assert "Notes for the customer: stored is “Ring twice”." in page.html
    assert page.values["customer_reference"] == "PO-7"
    assert page.save()

    assert not other_tab.save(customer_reference="PO-8")
    assert re.search(rf"<p>You, {today}, \d\d:\d\d: Changed Customer reference", other_tab.html)
    assert "thandi, " in other_tab.html

    # What was told once is not told again.
    assert not hers.save(notes="Ring thrice")
    assert hers.save(notes="Ring thrice")
    assert not other_tab.save()
    assert re.search(rf"thandi, {today}, \d\d:\d\d: Changed", other_tab.html)
    assert not re.search(rf"You, {today}", other_tab.html)


def test_parts_that_were_made_meanwhile_stay_made(open_page, order):
    run = order.runs.get()
    pages = [open_page(run), open_page(order)]
    ProductionRun.objects.filter(pk=run.pk).update(made=8)
    assert not pages[0].save(scrapped="1")
    assert "stored is “8”." in pages[0].html
    assert not pages[1].save(notes="Call before you come")
    assert TOLD in pages[1].html
    run.refresh_from_db()
    assert (run.made, run.scrapped) == (8, 0)


def test_who_was_blocked_meanwhile_stays_blocked(open_page, contact):
    page = open_page(contact)
    Contact.objects.get().block()
    assert not page.save(language="de")
    assert TOLD in page.html
    assert Contact.objects.get().is_blocked
    assert page.save()
    assert Contact.objects.get().is_blocked


@pytest.mark.parametrize(
    ("row", "by_another", "by_us"),
    [
        (
            lambda: Wording.objects.get(key="bot.not_understood"),
            {"text": "Pardon?"},
            {"text": "What?"},
        ),
        (
            lambda: Page.objects.create(key="about", title="About", text="We make gears."),
            {"text": "We make good gears."},
            {"title": "About us"},
        ),
        (lambda: Customer.objects.create(name="Acme"), {"reference": "K-1"}, {"name": "Acme Ltd"}),
        (lambda: DefectCategory.objects.create(name="Dent"), {"position": "7"}, {"name": "Dents"}),
        (
            lambda: Shift.objects.create(name="Early", begins=time(6), ends=time(14)),
            {"ends": "13:00:00"},
            {"begins": "05:00:00"},
        ),
        (
            lambda: Menu.objects.get(key="defects"),
            {"items-0-label": "Tell us of a defect"},
            {"text": "What is it?"},
        ),
        (
            lambda: ReportForm.objects.get(key="defect"),
            {"questions-0-text": "What is wrong?"},
            {"thanks": "Thank you!"},
        ),
    ],
    ids=["text", "page", "customer", "category", "shift", "menu", "form"],
)
def test_the_second_of_two_is_told_and_may_have_it_their_way(open_page, row, by_another, by_us):
    row = row()
    first, second = open_page(row), open_page(row)
    assert first.save(**by_another)
    assert not second.save(**by_us)
    assert TOLD in second.html
    after = open_page(row)
    assert {name: after.values[name] for name in by_another} == by_another
    assert second.save()
    assert (by_another | by_us).items() <= open_page(row).values.items()


def test_what_a_colleague_found_out_of_a_report_stays_so(open_page, contact):
    report = DefectReport.objects.create(
        form=ReportForm.objects.get(key="defect"), reported_by=contact, description="Scratch"
    )
    report.dispositions.create(kind="scrap", quantity=4)
    colleague, page = open_page(report), open_page(report)
    assert colleague.save(severity="major", **{"dispositions-0-quantity": "6"})
    assert not page.save(cause="Worn tool", **{"dispositions-0-reason": "Too deep"})
    assert page.save()
    report.refresh_from_db()
    assert (report.severity, report.cause) == ("major", "Worn tool")
    part = report.dispositions.get()
    assert (part.quantity, part.reason) == (6, "Too deep")


def test_rights_that_were_taken_away_meanwhile_are_not_given_back(open_page):
    clerk, group = staff("clerk"), Group.objects.get(name="Reviewers")
    clerk.groups.add(group)
    page = open_page(clerk)
    clerk.groups.remove(group)
    User.objects.filter(pk=clerk.pk).update(is_active=False)
    assert not page.save(email="clerk@example.com")
    assert TOLD in page.html
    assert page.save()
    clerk.refresh_from_db()
    assert (clerk.email, clerk.is_active) == ("clerk@example.com", False)
    assert not clerk.groups.exists()

    page = open_page(group)
    group.permissions.clear()
    assert not page.save(name="Those who review")
    assert page.save()
    group.refresh_from_db()
    assert (group.name, group.permissions.count()) == ("Those who review", 0)


def test_what_is_stored_is_named_as_on_the_page(open_page):
    menu = Menu.objects.get(key="main")
    first, second = open_page(menu), open_page(menu)
    assert first.save(text="Hello!")
    assert not second.save(text="Hi!")
    assert "Text: stored is “Hello!”." in second.html


def test_a_text_goes_back_to_the_default_from_its_page(open_page):
    worded = Wording.objects.get(key="bot.not_understood")
    assert open_page(worded).save(text="What?")
    assert open_page(worded).save(text="{wrong}", back_to_default="1")
    worded.refresh_from_db()
    assert worded.text == ""


def test_a_page_alone_is_saved_again_and_again(open_page, order, contact):
    for row in (order, contact, Menu.objects.get(key="main"), ReportForm.objects.get(key="defect")):
        page = open_page(row)
        assert page.save()
        assert open_page(row).save()


@pytest.mark.parametrize("row_of", ["item", "question"])
def test_what_was_typed_in_a_row_that_was_deleted_meanwhile_is_added_anew(open_page, row_of):
    if row_of == "item":
        opened, prefix, column = Menu.objects.get(key="main"), "items", "label"
    else:
        opened, prefix, column = ReportForm.objects.get(key="defect"), "questions", "text"
        opened.questions.create(name="where", text="Where is it?", position=5)
    rows = getattr(opened, prefix)
    page = open_page(opened)
    count = rows.count()
    rows.get(pk=page.values[f"{prefix}-0-id"]).delete()
    assert not page.save(**{f"{prefix}-0-{column}": "Typed by us"})
    assert "Somebody else has deleted “Typed by us” since you opened this." in page.html
    assert page.values[f"{prefix}-{count - 1}-{column}"] == "Typed by us"
    assert page.save()
    assert rows.count() == count
    assert getattr(rows.first(), column) == "Typed by us"


def test_a_row_that_two_people_remove_is_gone(open_page):
    menu = Menu.objects.get(key="main")
    page = open_page(menu)
    menu.items.get(pk=page.values["items-1-id"]).delete()
    assert not page.save(**{"items-1-DELETE": "on"})
    assert page.save()
    assert menu.items.count() == 4


@pytest.mark.parametrize("may", ["change", "view"])
def test_a_row_that_may_not_be_added_anew_is_not_said_to_be(order, may):
    order.lines.create(position=1, product="Gear", quantity=5)
    order.lines.create(position=2, product="Lid", quantity=7)
    verbs = ["view_order", "change_order", "view_orderline", f"{may}_orderline"]
    page = Opened(browser(staff("clerk", *verbs)), order)
    order.lines.get(position=1).delete()
    typed = {"lines-0-product": "Typed by us"} if may == "change" else {}
    assert not page.save(**typed)
    assert "added anew" not in page.html
    is_told = "Somebody else has deleted “order line” since you opened this" in page.html
    assert is_told == (may == "change")
    assert page.values.get("lines-1-product") == typed.get("lines-0-product")
    assert page.save()
    assert order.lines.get().product == "Lid"
