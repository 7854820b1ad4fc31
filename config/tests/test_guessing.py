"""After too many wrong passwords somebody has to wait, and is told how long."""

from datetime import timedelta

import pytest
import time_machine
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from config.access.cleaning import forget_old_sign_ins
from config.access.guessing import client_address

pytestmark = pytest.mark.django_db
LOGIN = reverse("admin:login")
RIGHT, WRONG = "long and easy", "long and wrong"


@pytest.fixture(autouse=True)
def nomsa() -> User:
    return User.objects.create_user("nomsa", password=RIGHT, is_staff=True)


def sign_in(client: Client, password: str = RIGHT, name: str = "nomsa", *, of: str = "192.0.2.1"):
    given = {"username": name, "password": password}
    return client.post(LOGIN, given, headers={"X-Forwarded-For": of})


def guess(client: Client, times: int = 5, **where: str) -> list[int]:
    return [sign_in(client, WRONG, **where).status_code for _ in range(times)]


def test_the_fifth_wrong_one_locks_out_and_the_page_says_how_long(client):
    assert guess(client) == [200, 200, 200, 200, 429]
    answer = sign_in(client)
    assert answer.status_code == 429
    assert "Please wait 15 minutes" in " ".join(answer.content.decode().split())
    assert answer["Retry-After"] == "900"
    assert "_auth_user_id" not in client.session


def test_it_is_over_after_the_time_that_was_told_however_often_one_tried(client):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        guess(client)
        clock.shift(timedelta(minutes=10))
        answer = sign_in(client)
        assert "Please wait 5 minutes" in " ".join(answer.content.decode().split())
        clock.shift(timedelta(minutes=5, seconds=1))
        assert sign_in(client).status_code == 302


def test_others_and_the_same_person_elsewhere_may_sign_in(client):
    User.objects.create_user("thabo", password=RIGHT, is_staff=True)
    guess(client)
    assert sign_in(Client(), name="thabo").status_code == 302
    assert sign_in(Client(), of="192.0.2.2").status_code == 302


def test_another_browser_and_a_name_nobody_has_do_not_help(client):
    guess(client)
    assert sign_in(Client(headers={"User-Agent": "Another"})).status_code == 429
    assert guess(Client(), name="nobody") == [200, 200, 200, 200, 429]


def test_signing_in_begins_the_count_anew(client):
    guess(client, 4)
    assert sign_in(client).status_code == 302
    client.logout()
    assert guess(client, 4) == [200] * 4


def test_the_limit_is_a_setting(client, settings):
    settings.AXES_FAILURE_LIMIT = 2
    assert guess(client, 2) == [200, 429]


def test_no_log_and_no_table_holds_the_password(client, caplog):
    guess(client)
    stored = AccessAttempt.objects.values_list("post_data", "get_data").get()
    for text in (caplog.text, *stored):
        assert WRONG not in text
        assert "nomsa" not in text


@pytest.mark.parametrize(
    ("proxies", "forwarded", "known"),
    [
        (0, "192.0.2.7", "10.0.0.1"),
        (1, "192.0.2.7", "192.0.2.7"),
        (1, "203.0.113.9, 192.0.2.7", "192.0.2.7"),
        (2, "203.0.113.9, 192.0.2.7, 10.0.0.2", "192.0.2.7"),
        (1, "", "10.0.0.1"),
        (2, "192.0.2.7", "10.0.0.1"),
        (1, "<script>", "10.0.0.1"),
        (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        (1, "::ffff:192.0.2.7", "192.0.2.7"),
    ],
)
def test_where_somebody_comes_from_is_what_our_proxies_say(rf, settings, proxies, forwarded, known):
    settings.PROXIES = proxies
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    assert client_address(rf.get("/", headers=headers, REMOTE_ADDR="10.0.0.1")) == known


def test_the_sweep_forgets(client):
    sign_in(client)
    guess(Client(), 2, of="192.0.2.3")
    forget_old_sign_ins()
    assert (AccessAttempt.objects.count(), Session.objects.count()) == (1, 1)
    with time_machine.travel(timezone.now() + timedelta(hours=13)):
        forget_old_sign_ins()
    assert (AccessAttempt.objects.count(), Session.objects.count()) == (0, 0)


def test_the_session_ends_with_the_shift_or_the_browser(client):
    cookie = sign_in(client).cookies["sessionid"]
    assert cookie["max-age"] == ""
    assert (cookie["samesite"], bool(cookie["httponly"]), bool(cookie["secure"])) == (
        "Lax",
        True,
        True,
    )
    assert client.get("/admin/", secure=True).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(hours=12, minutes=1)):
        assert client.get("/admin/", secure=True).status_code == 302
