"""A list says what it is narrowed to, and each part of that can be dropped."""

import re
from html import unescape

import pytest
from django.test import Client

from defects.models import DefectCategory, DefectReport
from orders.models import Line

pytestmark = pytest.mark.django_db

REPORTS = "/admin/defects/defectreport/"
PART = re.compile(r'<li>\s*<a href="([^"]*)" title="Show them[^>]*>\s*<bdi>(.*?)</bdi>')


def parts(client: Client, query: str, path: str = REPORTS) -> dict[str, str]:
    """What the list says that it is narrowed to, and where the list without it is."""
    page = client.get(f"{path}?{query}", follow=True)
    assert page.status_code == 200
    return {unescape(words): unescape(link) for link, words in PART.findall(page.content.decode())}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", []),
        ("q=scratch&o=1", []),
        ("at_work=mine", ["Progress: my open"]),
        ("status__exact=reported&photo=yes", ["Status: reported", "Photo: has a photo"]),
        (
            "created_at_from=2026-01-19&created_at_to=2026-02-01",
            ["Reported at: from 19 January 2026 until 1 February 2026"],
        ),
        ("created_at_from=yesterday", []),
        ("category__isnull=True", ["Category: none"]),
        # What the dashboard's links ask for is none of the filters.
        (
            "status__in=decided,closed&created_at__date__gte=2026-01-19",
            ["Status: decided or closed", "Reported at: from 19 January 2026"],
        ),
        ("closed_at__date__lte=2026-02-01", ["Closed at: until 1 February 2026"]),
        ("shift=none", ["Shift: none"]),
    ],
)
def test_it_is_said_in_words(admin_client: Client, query: str, said: list[str]):
    assert list(parts(admin_client, query)) == said


def test_a_row_is_named_and_is_text(admin_client: Client):
    line, category = Line.objects.create(name="Press"), DefectCategory.objects.create(name="<b>")
    narrowed = parts(admin_client, f"line__id__exact={line.pk}&category__id__exact={category.pk}")
    assert list(narrowed) == ["Category: <b>", "Line: Press"]
    page = admin_client.get(f"{REPORTS}?category__id__exact={category.pk}")
    assert "<bdi>Category: <b>" not in page.content.decode()


def test_without_one_of_them_there_is_more(admin_client: Client, worker):
    DefectReport.objects.file(reported_by=worker, description="A scratch", status="closed")
    DefectReport.objects.file(reported_by=worker, description="A scratch")
    narrowed = parts(admin_client, "status__in=closed&shift=none&q=scratch")
    without = narrowed["Status: closed"]
    assert list(parts(admin_client, without.removeprefix("?"))) == ["Shift: none"]
    both = admin_client.get(f"{REPORTS}{without}").context["cl"]
    assert (both.result_count, both.query) == (2, "scratch")


def test_the_title_is_what_is_listed(admin_client: Client):
    page = admin_client.get(REPORTS).content.decode()
    assert re.search(r"<title>\s*Defect reports \| Andon\s*</title>", page)


def test_an_empty_list_says_why(admin_client: Client):
    page = admin_client.get(REPORTS).content.decode()
    assert "There is nothing here yet" in page
    assert "Nothing found" not in page
    for query in ("q=scratch", "at_work=open", "status__in=closed"):
        page = admin_client.get(f"{REPORTS}?{query}").content.decode()
        assert "Nothing found" in page
        assert "There is nothing here yet" not in page
    assert "Add order" in admin_client.get("/admin/orders/order/").content.decode()
