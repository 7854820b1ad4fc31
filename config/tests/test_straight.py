"""What Twilio brings goes straight to its view, past what only browsers need."""

from urllib.parse import urlencode, urlsplit

import pytest
from django.conf import settings
from django.db import connection
from django.test import RequestFactory
from django.urls import reverse

from config.wsgi import application
from whatsapp_bot import views
from whatsapp_bot.simulator.phone import FORM, sign

SID = "SM" + "b" * 32


def bring(name: str, **parameters: str) -> tuple[int, dict[str, str], str]:
    """The status, the headers and the text of the answer, as a web server gets them."""
    said: list = []
    path, signed = reverse(name), {"AccountSid": settings.TWILIO_ACCOUNT_SID, **parameters}
    environ = RequestFactory().generic("POST", path, urlencode(signed), FORM).environ
    environ["HTTP_HOST"] = urlsplit(settings.PUBLIC_URL).hostname
    environ["HTTP_X_TWILIO_SIGNATURE"] = sign(signed, path)
    body = b"".join(application(environ, lambda *line: said.extend(line)))
    status, headers = said
    assert dict(headers)["Content-Length"] == str(len(body))
    return int(status.split()[0]), dict(headers), body.decode()


@pytest.mark.django_db
def test_a_turn_is_answered_with_the_headers_of_security_and_no_cookie(phone):
    status, headers, body = bring("webhook", **phone.parameters("hi"))
    assert (status, headers["Content-Type"]) == (200, "text/xml")
    assert "How can we help you today" in body
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in headers


def test_what_breaks_is_answered(monkeypatch):
    def breaks(report):
        raise ZeroDivisionError

    monkeypatch.setattr(views.Message.objects, "take_report", breaks)
    assert bring("status", MessageSid=SID, MessageStatus="sent")[0] == 500


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="It is in memory here.")
def test_after_a_connection_that_broke_there_is_another_one():
    connection.ensure_connection()
    connection.connection.close()
    answers = [bring("status", MessageSid=SID, MessageStatus="sent") for _ in range(2)]
    assert [status for status, _, _ in answers] == [503, 204]
