"""Talking to the demo's factory in a terminal."""

import pytest
from structlog.testing import capture_logs

from defects.tests.test_commands import run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo")]


@pytest.mark.parametrize("who", ["worker", "customer", "unknown", "+15550100777", "ZA.1a2b"])
def test_chat_goes_through_the_webhook(monkeypatch, who):
    lines = iter(["hi", "/picture", "no", "hi", ""])
    monkeypatch.setattr("builtins.input", lambda prompt: next(lines))
    out = run("chat", who)
    assert "1. Check order status" in out
    assert "📎" in out


def test_chat_shows_no_log_in_between(monkeypatch):
    lines = iter(["hi", "1", "1", "ORD-1031", "K-20417", ""])
    monkeypatch.setattr("builtins.input", lambda prompt: next(lines))
    with capture_logs() as logs:
        assert "You are linked to Acme Tractors" in run("chat")
    assert logs == []
