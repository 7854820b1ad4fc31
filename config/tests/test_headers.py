"""What browsers are told about our pages."""

import pytest
from django.urls import reverse

pytestmark = pytest.mark.django_db
STRICT = {
    "default-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "object-src 'none'",
}
UNFOLD = {"script-src 'self' 'unsafe-eval'", "style-src 'self' 'unsafe-inline'"}


def policy(response) -> set[str]:
    return set(response["Content-Security-Policy"].split("; "))


@pytest.mark.parametrize(
    "path", ["/health/", "/", "/nowhere/", "/simulator/", "/whatsapp/webhook/"]
)
def test_the_policy_is_strict(client, path):
    assert policy(client.get(path)) == STRICT


@pytest.mark.parametrize("path", ["/admin/login/", "/admin/", "/admin/nowhere/"])
def test_the_admin_gets_what_its_theme_needs_and_no_more(client, path):
    assert policy(client.get(path)) == STRICT | UNFOLD


def test_a_page_that_has_its_own_keeps_it(tester):
    assert "unsafe" not in tester.get("/simulator/")["Content-Security-Policy"]


def test_the_others(client):
    page = client.get(reverse("admin:login"), secure=True)
    assert page["X-Frame-Options"] == "DENY"
    assert page["X-Content-Type-Options"] == "nosniff"
    assert page["Referrer-Policy"] == "same-origin"
    assert page["Cross-Origin-Opener-Policy"] == "same-origin"
    assert page["Strict-Transport-Security"].startswith("max-age=31536000")
