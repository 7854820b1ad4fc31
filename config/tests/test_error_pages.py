"""What somebody reads whom the product refuses or fails: a clear sentence, and a way back."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from defects.models import DefectReport
from whatsapp_bot.admin.base import ModelAdmin

pytestmark = pytest.mark.django_db
BACK = 'href="/admin/"'


@pytest.fixture
def staff():
    return User.objects.create_user("<b>nobody", is_staff=True)


@pytest.fixture
def visitor(staff):
    visitor = Client(raise_request_exception=False)
    visitor.force_login(staff)
    return visitor


def told(answer, status):
    """What the page says; it needs nothing that the strictest policy forbids."""
    assert answer.status_code == status
    text = answer.content.decode()
    assert BACK in text
    assert "<script" not in text
    assert "style=" not in text
    return text


def test_not_allowed(visitor):
    text = told(visitor.get(reverse("admin:auth_user_changelist")), 403)
    assert "This page is not for you to open." in text
    assert "&lt;b&gt;nobody" in text


def test_not_there(visitor):
    for path in ("/admin/nothing/", "/nothing/"):
        assert "There is no such page." in told(visitor.get(path), 404)
    assert "There is no such page." in told(Client().get("/nothing/"), 404)


def test_gone_wrong(visitor, staff, monkeypatch):
    User.objects.filter(pk=staff.pk).update(is_superuser=True)
    reports = reverse("admin:defects_defectreport_changelist")

    def fail(*_args, **_options):
        raise RuntimeError("told nobody")

    monkeypatch.setattr(DefectReport.objects.__class__, "get_queryset", fail)
    text = told(visitor.get(reports), 500)
    assert "Something went wrong on our side." in text
    assert "told nobody" not in text


def test_open_for_too_long(staff):
    visitor = Client(enforce_csrf_checks=True)
    visitor.force_login(staff)
    text = told(visitor.post(reverse("admin:password_change"), {"old_password": "secret"}), 403)
    assert "The page was open for a long time" in text
    assert "secret" not in text


def test_signed_in_in_another_window_meanwhile(staff):
    """The page for signing in that is still open in this one leads on, and says nothing is wrong."""
    visitor = Client(enforce_csrf_checks=True)
    page = f"{reverse('admin:login')}?next=/admin/orders/order/"
    assert visitor.post(page, {"username": "x", "password": "x"}).status_code == 403
    visitor.force_login(staff)
    answer = visitor.post(page, {"username": "x", "password": "x"})
    assert (answer.status_code, answer["Location"]) == (302, "/admin/orders/order/")
    away = f"{reverse('admin:login')}?next=https://example.com/"
    assert visitor.post(away)["Location"] == "/admin/"


def test_signed_out(visitor):
    assert "You are signed out here." in visitor.post(reverse("admin:logout")).content.decode()
    assert visitor.get("/admin/").status_code == 302


@pytest.fixture
def administrator(admin_user):
    visitor = Client(raise_request_exception=False)
    visitor.force_login(admin_user)
    return visitor


@pytest.mark.parametrize("pk", ["9" * 23, "-1", "abc", "%00", "_00", "1_2F", "%F0%9F%98%80"])
def test_a_row_that_cannot_be_is_not_there(administrator, pk):
    for model in admin.site._registry:
        page = f"/admin/{model._meta.app_label}/{model._meta.model_name}/{pk}"
        for view in ("change", "history", "delete"):
            answer = administrator.get(f"{page}/{view}/")
            assert answer.status_code in (302, 403, 404), f"{page}/{view}/"


@pytest.mark.parametrize("query", ["number__range=", "created_at__date__gte=yesterday"])
def test_a_list_that_cannot_be_filtered_so_is_shown_whole(administrator, query):
    answer = administrator.get(f"/admin/defects/defectreport/?{query}", follow=True)
    assert answer.redirect_chain == [("/admin/defects/defectreport/?e=1", 302)]
    assert "so all of it is shown" in answer.content.decode()
    assert "so all of it" not in administrator.get("/admin/defects/defectreport/").content.decode()


@pytest.mark.parametrize(
    ("listed", "query"),
    [
        ("defects/defectreport", f"order={'9' * 23}"),
        ("defects/defectreport", "description__range=1,2,3"),
        ("defects/defectreport", "created_at__year=99999999"),
        ("defects/defectreport", "description__contains=%00"),
        ("whatsapp_bot/message", "details__contains=abc"),
        ("whatsapp_bot/message", f"contact={'9' * 23}"),
        ("orders/order", f"quantity__in=1,{'9' * 23}"),
        ("auth/user", f"groups={'9' * 23}"),
    ],
)
def test_no_filter_breaks_a_list(administrator, listed, query):
    """Whether it can be filtered so, the databases do not agree on."""
    assert administrator.get(f"/admin/{listed}/?{query}", follow=True).status_code == 200


def test_a_fault_of_ours_is_no_wrong_filter(administrator, monkeypatch):
    def fail(*_):
        raise IndexError

    monkeypatch.setattr("whatsapp_bot.admin.long_list.LongChangeList.get_results", fail)
    reports = "/admin/defects/defectreport/"
    assert administrator.get(reports).status_code == 500
    assert administrator.get(f"{reports}?q=seal", follow=True).status_code == 500


OURS = [model for model, page in admin.site._registry.items() if isinstance(page, ModelAdmin)]


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_a_row_that_is_not_there_leads_to_the_list_of_its_kind(admin_client, model):
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    for key in ("99999", "ORD-1", "9" * 30):
        lost = admin_client.get(reverse(f"{name}_change", args=[key]), follow=True)
        assert lost.redirect_chain[-1][0] == reverse(f"{name}_changelist")
        assert escape(f"This {model._meta.verbose_name} is not there") in lost.content.decode()


def test_so_does_its_history_and_to_delete_it(admin_client):
    there = reverse("admin:orders_order_changelist")
    for page in ("history", "delete"):
        lost = admin_client.get(reverse(f"admin:orders_order_{page}", args=[99999]))
        assert (lost.status_code, lost["Location"]) == (302, there)
