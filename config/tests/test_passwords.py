"""Passwords that are easily guessed are taken nowhere, and each page says what is asked."""

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.urls import reverse

GOOD = "rusty gate at noon"
EASY = {
    "short": "x7-kite-Lp2",
    "a number": "482915730264",
    "used by many": "1qaz2wsx3edc",
    "like the name": "thandi.mokoena",
}

pytestmark = pytest.mark.django_db


@pytest.fixture
def thandi() -> User:
    return User.objects.create_user("thandi.mokoena", is_staff=True, password="long ago and easy")


def add(client, thandi: User, password: str):
    thandi.delete()
    new = {"username": "thandi.mokoena", "usable_password": "true", "is_staff": "on"}
    page = reverse("admin:auth_user_add")
    return client.post(page, {**new, "password1": password, "password2": password})


def give(client, thandi: User, password: str):
    page = reverse("admin:auth_user_password_change", args=[thandi.pk])
    new = {"password1": password, "password2": password, "usable_password": "true"}
    return client.post(page, new)


def change_own(client, thandi: User, password: str):
    client.force_login(thandi)
    old, new = "long ago and easy", {"new_password1": password, "new_password2": password}
    return client.post(reverse("admin:password_change"), {"old_password": old, **new})


@pytest.mark.parametrize("password", EASY.values(), ids=EASY)
@pytest.mark.parametrize("set_it", [add, give, change_own])
def test_an_easy_one_is_not_taken(admin_client, thandi, set_it, password):
    answer = set_it(admin_client, thandi, password)
    assert answer.status_code == 200
    assert "at least 12 characters" in answer.content.decode()
    assert not any(user.check_password(password) for user in User.objects.all())


@pytest.mark.parametrize("set_it", [add, give, change_own])
def test_another_one_is(admin_client, thandi, set_it):
    assert set_it(admin_client, thandi, GOOD).status_code == 302
    assert User.objects.get(username="thandi.mokoena").check_password(GOOD)


def test_an_easy_one_is_not_taken_at_the_command_line(thandi, monkeypatch):
    monkeypatch.setattr("getpass.getpass", lambda prompt: EASY["short"])
    with pytest.raises(CommandError, match="Aborting"):
        call_command("changepassword", "thandi.mokoena")
