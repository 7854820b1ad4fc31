"""What somebody reads whom the product refuses or fails: a clear sentence, and a way back."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from defects.models import DefectReport

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

    def fail(*_args, **_options):
        raise RuntimeError("told nobody")

    monkeypatch.setattr(DefectReport.objects.__class__, "get_queryset", fail)
    text = told(visitor.get(reverse("admin:defects_defectreport_changelist")), 500)
    assert "Something went wrong on our side." in text
    assert "told nobody" not in text


def test_open_for_too_long(staff):
    visitor = Client(enforce_csrf_checks=True)
    visitor.force_login(staff)
    text = told(visitor.post(reverse("admin:password_change"), {"old_password": "secret"}), 403)
    assert "The page was open for a long time" in text
    assert "secret" not in text
