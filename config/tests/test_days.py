"""Days as they are written in the admin, and as they may be typed there."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from django import forms
from django.template import Context, Template
from django.urls import reverse
from django.utils.formats import get_format

from defects.models import DefectReport
from orders.models import Customer, Order
from whatsapp_bot.models import Contact


@pytest.mark.parametrize(
    ("template", "written"),
    [
        ("{{ at }}", "24 Dec 2026, 15:04"),
        ("{{ at|date }}", "24 Dec 2026"),
        ("{{ at|time }}", "15:04"),
        ('{{ at|date:"SHORT_DATE_FORMAT" }}', "24/12/2026"),
    ],
)
def test_there_is_one_style(template, written):
    at = datetime(2026, 12, 24, 13, 4, tzinfo=UTC).astimezone(ZoneInfo("Africa/Johannesburg"))
    context = Context({"at": at})
    assert Template(template).render(context) == written


def test_a_week_begins_with_monday():
    assert get_format("FIRST_DAY_OF_WEEK") == 1


@pytest.mark.parametrize("typed", ["2026-04-03", "03/04/2026", "3 Apr 2026", "3 April 2026"])
def test_the_day_is_before_the_month(typed):
    assert forms.DateField().clean(typed) == date(2026, 4, 3)


@pytest.mark.django_db
def test_a_list_shows_days_so_and_a_field_takes_what_it_shows(admin_client):
    customer = Customer.objects.create(name="Acme")
    order = Order.objects.create(
        number="A-1", customer=customer, quantity=1, due_date=date(2026, 12, 24)
    )
    every = admin_client.get(reverse("admin:orders_order_changelist")).content.decode()
    assert "24 Dec 2026" in every
    assert "Dec. 24" not in every
    page = admin_client.get(reverse("admin:orders_order_change", args=[order.pk]))
    assert 'value="2026-12-24"' in page.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(("typed", "count"), [("03/04/2026", 1), ("04/03/2026", 0)])
def test_a_filter_by_day_reads_them_alike(admin_client, typed, count):
    contact = Contact.objects.create(phone="+27820000001")
    at = datetime(2026, 4, 3, 12, tzinfo=UTC)
    DefectReport.objects.file(reported_by=contact, description="Scratch", created_at=at)
    every = reverse("admin:defects_defectreport_changelist")
    ends = {"created_at_from": typed, "created_at_to": typed}
    found = admin_client.get(every, ends).context["cl"].result_list
    assert len(found) == count
