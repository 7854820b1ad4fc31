"""A list says what it is narrowed to, and each part of that can be dropped."""

import re
from html import unescape

import pytest
from django.test import Client
from django.utils.html import strip_tags

from defects.models import DefectCategory, DefectReport
from orders.models import Line, Shift
from whatsapp_bot.models import Contact
from whatsapp_bot.tests.staff import staff

pytestmark = pytest.mark.django_db

REPORTS = "/admin/defects/defectreport/"
ORDERS = "/admin/orders/order/"
PART = re.compile(r'<a href="([^"]*)" title="Show them without this"[^>]*>(.*?)<span', re.DOTALL)


def parts(client: Client, query: str, path: str = REPORTS) -> dict[str, str]:
    """What the list says that it is narrowed to, and the query of the list without it."""
    page = client.get(f"{path}?{query}", follow=True)
    assert page.status_code == 200
    found = PART.findall(page.content.decode())
    return {
        unescape(strip_tags(words).strip()): unescape(link).removeprefix("?")
        for link, words in found
    }


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", []),
        ("q=scratch&o=1", []),
        ("at_work=mine", ["Progress: my open"]),
        ("status__exact=reported&photo=yes", ["Status: reported", "Photo: has a photo"]),
        ("status__exact=reported&status__exact=closed", ["Status: reported or closed"]),
        ("status__exact=reported&_facets=True", ["Status: reported"]),
        ("status__exact=nonsense", ["Status: nonsense"]),
        (
            "created_at_from=2026-01-19&created_at_to=2026-02-01",
            ["Reported at: from 19 January 2026 until 1 February 2026"],
        ),
        ("category__isnull=True", ["Category: none"]),
        ("category__isnull=False", ["Category: any"]),
        ("product=Pump, 5 %26 6 bar", ["Product: Pump, 5 & 6 bar"]),
        ("shift=none", ["Shift: outside the shifts"]),
        # What the dashboard's links ask for is none of the filters.
        (
            "status__in=decided,closed&created_at__date__gte=2026-01-19",
            ["Status: decided or closed", "Reported at: from 19 January 2026"],
        ),
        ("closed_at__date__lte=2026-02-01", ["Closed at: until 1 February 2026"]),
        ("severity__in=", ["Severity: none"]),
        (
            "created_at__gte=2026-11-29T03:43:00%2B02:00",
            ["Reported at: from 29 November 2026, 03:43"],
        ),
        # What makes no difference is not said.
        ("created_at_from=yesterday", []),
        ("created_at_from=0001-01-01&created_at_to=9999-12-31", []),
        ("shift=abc", []),
    ],
)
def test_it_is_said_in_words(admin_client: Client, query: str, said: list[str]):
    DefectCategory.objects.bulk_create(DefectCategory(name=name) for name in ("Surface", "Size"))
    Shift.objects.create(name="Early", begins="06:00", ends="14:00")
    assert list(parts(admin_client, query)) == said


def test_what_is_asked_of_a_filter_without_choices_is_not_done(admin_client: Client):
    assert not parts(admin_client, "shift=7&category__id__exact=5")


def test_a_day_that_is_over_is_still_said(admin_client: Client):
    query = "due_date__gte=2020-01-01&due_date__lt=2020-01-02"
    said = ["Due date: from 1 January 2020", "Due date: before 2 January 2020"]
    assert list(parts(admin_client, query, ORDERS)) == said


def test_a_row_is_named_and_is_text(admin_client: Client):
    lines = [Line.objects.create(name=name) for name in ("Press", "Lathe")]
    category = DefectCategory.objects.create(name="<b>")
    DefectCategory.objects.create(name="Other")
    query = f"line__id__exact={lines[0].pk}&category__id__exact={category.pk}"
    page = admin_client.get(f"{REPORTS}?{query}").content.decode()
    assert "Category: <bdi>&lt;b&gt;</bdi>" in page
    assert "Line: <bdi>Press</bdi>" in page


def test_nobody_reads_what_they_may_not_see(client: Client):
    client.force_login(staff("clerk", "view_media"))
    person = Contact.objects.create(phone="+27820000001", name="Nomsa")
    message = person.messages.create(direction="in", body="My secret", status="received")
    page = client.get(f"/admin/whatsapp_bot/media/?message__in={message.pk}")
    assert page.status_code == 200
    assert "My secret" not in page.content.decode()


@pytest.mark.parametrize(
    "query",
    [
        *("defect_reports__id__exact=1", "conversation__isnull=0", "messages=1"),
        *("id__contains=abc", "pk=1", "name__in=a,b,", "role__in=worker,nobody"),
        *("language=xx", "created_at__gte=x", "created_at__date__lte=2026-02-31"),
    ],
)
def test_whatever_is_asked_breaks_nothing(admin_client: Client, query: str):
    page = admin_client.get(f"/admin/whatsapp_bot/contact/?{query}", follow=True)
    assert page.status_code == 200


def test_without_one_of_them_there_is_more(admin_client: Client, worker):
    DefectReport.objects.file(reported_by=worker, description="A scratch", status="closed")
    DefectReport.objects.file(reported_by=worker, description="A scratch")
    narrowed = parts(admin_client, "status__in=closed&photo=no&q=scratch")
    without = narrowed["Status: closed"]
    assert list(parts(admin_client, without)) == ["Photo: has none"]
    both = admin_client.get(f"{REPORTS}?{without}").context["cl"]
    assert (both.result_count, both.query) == (2, "scratch")


@pytest.mark.parametrize("path", [REPORTS, "/admin/orders/import/", "/admin/defects/export/"])
def test_of_all_there_is_nothing_says_that_there_is_more(admin_client: Client, worker, path: str):
    DefectReport.objects.file(reported_by=worker, description="A scratch")
    assert "(<a href" not in admin_client.get(path).content.decode()
    assert "(<a href" in admin_client.get(f"{path}?q=nothing").content.decode()


def test_the_title_is_what_is_listed(admin_client: Client):
    page = admin_client.get(REPORTS).content.decode()
    assert re.search(r"<title>\s*Defect reports \| Andon\s*</title>", page)


def test_to_drop_one_drops_no_other(admin_client: Client):
    narrowed = parts(admin_client, "name=a&name__in=a,b&_popup=1", "/admin/whatsapp_bot/contact/")
    assert narrowed["Name: a"] == "_popup=1&name__in=a%2Cb"


def test_an_empty_list_says_why(admin_client: Client):
    page = admin_client.get(REPORTS).content.decode()
    assert "There is nothing here yet" in page
    assert "Nothing found" not in page
    for query in ("q=scratch", "at_work=open", "status__in=closed", "status__exact=nonsense"):
        page = admin_client.get(f"{REPORTS}?{query}").content.decode()
        assert "Nothing found" in page
        assert "There is nothing here yet" not in page
    assert "Add order" in admin_client.get(ORDERS).content.decode()
    popup = admin_client.get(f"{ORDERS}?q=x&_popup=1&_to_field=id").content.decode()
    assert '<a href="?_popup=1&amp;_to_field=id"' in popup


def test_behind_the_last_page_there_are_no_more(admin_client: Client):
    assert "There are no more" in admin_client.get(f"{ORDERS}?p=2").content.decode()
