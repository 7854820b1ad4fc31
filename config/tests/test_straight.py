"""What Twilio brings goes straight to its view, past what only browsers need."""

import pytest
from django.conf import settings
from django.db import connection

from config.tests.straight import bring
from defects.models import DefectReport, Door
from whatsapp_bot import views


def report() -> dict[str, str]:
    account = settings.TWILIO_ACCOUNT_SID
    return {"AccountSid": account, "MessageSid": "SM" + "b" * 32, "MessageStatus": "sent"}


@pytest.mark.django_db
def test_a_turn_is_answered_with_the_headers_of_security_and_no_cookie(phone):
    status, headers, body = bring("webhook", phone.parameters("hi"))
    assert (status, headers["Content-Type"]) == (200, "text/xml")
    assert "How can we help you today" in body
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in headers


@pytest.mark.django_db
def test_the_history_of_a_report_tells_that_it_came_by_whatsapp(phone):
    for text in ("hi", "2", "1", "Deep scratch on the front", "2"):
        bring("webhook", phone.parameters(text))
    begun = DefectReport.objects.get().history.get()
    assert (begun.door, begun.history_user) == (Door.WHATSAPP, None)


def test_what_breaks_is_answered(monkeypatch):
    def breaks(_report):
        raise ZeroDivisionError

    monkeypatch.setattr(views.Message.objects, "take_report", breaks)
    assert bring("status", report())[0] == 500


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="It is in memory here.")
def test_after_a_connection_that_broke_there_is_another_one():
    connection.ensure_connection()
    connection.connection.close()
    answers = [bring("status", report()) for _ in range(2)]
    assert [status for status, _, _ in answers] == [503, 204]
