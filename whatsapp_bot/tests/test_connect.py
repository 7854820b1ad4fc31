"""Telling Twilio where we are."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from whatsapp_bot.fake_twilio import FakeTwilio
from whatsapp_bot.fake_twilio import trouble as troubles
from whatsapp_bot.twilio import rest

URL = "https://andon.example.com"


@pytest.fixture(autouse=True)
def twilio(fake_twilio: FakeTwilio, settings):
    settings.TWILIO_API_URL = fake_twilio.url
    yield fake_twilio
    rest.close()


def connect(*arguments: str) -> str:
    said = StringIO()
    call_command("connect", *arguments, stdout=said)
    return said.getvalue()


def webhooks(twilio: FakeTwilio) -> dict[str, str]:
    (sender,) = twilio.memory.senders.values()
    return sender["webhook"]


def changes(twilio: FakeTwilio) -> int:
    return sum(one.route == "Sender" and one.method == "POST" for one in twilio.requests)


def test_it_sets_the_three_addresses_and_shows_them(twilio):
    said = connect(f"{URL}/")
    assert webhooks(twilio) == {
        "callback_url": f"{URL}/whatsapp/webhook/#rc=2&rp=all",
        "callback_method": "POST",
        "fallback_url": f"{URL}/whatsapp/webhook/",
        "fallback_method": "POST",
        "status_callback_url": f"{URL}/whatsapp/status/",
        "status_callback_method": "POST",
    }
    assert said.count("before: (none)") == 3
    assert f"after:  {URL}/whatsapp/webhook/#rc=2&rp=all" in said
    assert "Beware" not in said


def test_what_is_right_is_left_alone(twilio):
    connect(URL)
    assert "connected already" in connect(f"{URL}/whatsapp/webhook/#rc=2&rp=all")
    assert changes(twilio) == 1


def test_a_dry_run_changes_nothing(twilio):
    said = connect(URL, "--dry-run")
    assert f"after:  {URL}/whatsapp/status/" in said
    assert "Nothing was changed" in said
    assert changes(twilio) == 0


def test_signatures_would_not_fit_another_address(twilio):
    with pytest.raises(CommandError, match="Nothing was changed") as refused:
        connect("https://new.example.com")
    assert "PUBLIC_URL=https://new.example.com" in str(refused.value)
    assert "--anyway" in str(refused.value)
    assert not twilio.requests


def test_another_address_is_looked_at_or_meant_all_the_same(twilio):
    assert "Beware" in connect("https://new.example.com", "--dry-run")
    assert changes(twilio) == 0
    said = connect("https://new.example.com", "--anyway")
    assert "Beware" in said
    assert "PUBLIC_URL=https://new.example.com" in said
    assert changes(twilio) == 1


@pytest.mark.parametrize(
    "url", ["http://andon.example.com", "andon.example.com", "https://", "https://a b", "ftp://a"]
)
def test_another_address_is_refused(twilio, url):
    with pytest.raises(CommandError, match="https"):
        connect(url)
    assert not twilio.requests


def test_plain_http_is_for_this_machine_and_a_fake_twilio(twilio, settings):
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    connect("http://127.0.0.1:8000")
    assert webhooks(twilio)["status_callback_url"] == "http://127.0.0.1:8000/whatsapp/status/"
    settings.TWILIO_API_URL = ""
    with pytest.raises(CommandError, match="https"):
        connect("http://127.0.0.1:8000")


def test_the_sandbox_is_connected_by_hand(twilio, settings):
    settings.TWILIO_WHATSAPP_NUMBER = "+14155238886"
    with pytest.raises(CommandError, match="Sandbox settings") as refused:
        connect(URL)
    assert f"{URL}/whatsapp/webhook/#rc=2&rp=all" in str(refused.value)


def test_a_number_that_is_no_sender(twilio, settings):
    settings.TWILIO_WHATSAPP_NUMBER = "+15005550009"
    with pytest.raises(CommandError, match="no WhatsApp sender"):
        connect(URL)


def test_wrong_credentials_and_a_trial(twilio, settings):
    twilio.trouble.always(troubles.refusal(20003, 401), when=troubles.anything)
    with pytest.raises(CommandError, match="account SID and auth token"):
        connect(URL)
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_API_URL = "AC" + "0" * 32, ""
    with pytest.raises(CommandError, match="trial"):
        connect(URL)
