"""API tokens: made and revoked in the admin, shown once, and good for what their user may do."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from config.access.models import Token
from conftest import with_token

pytestmark = pytest.mark.django_db
TOKENS = reverse("admin:access_token_changelist")
NEW = reverse("admin:access_token_add")
CONTACTS = "/api/v1/contacts/"


def browser_of(name: str, *groups: str) -> Client:
    user, _ = User.objects.get_or_create(username=name, defaults={"is_staff": True})
    user.groups.add(*(Group.objects.get(name=group) for group in groups))
    client = Client()
    client.force_login(user)
    client.user = user
    return client


def asks(secret: str, path: str = CONTACTS) -> int:
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {secret}").get(path).status_code


def made(page) -> str:
    """The secret on the page after making one."""
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    (secret,) = set(re.findall(r"andon_[0-9a-f]{64}", page.content.decode()))
    return secret


def test_somebody_makes_their_own(caplog):
    anna = browser_of("anna", "Reviewers")
    secret = made(anna.post(NEW, {"name": "ERP", "days": 30}))
    assert asks(secret) == 200
    assert asks(secret, "/api/v1/nowhere/") == 404
    token = Token.objects.get()
    assert (token.user, token.made_by, token.name) == (anna.user, anna.user, "ERP")
    assert timedelta(days=29) < token.expiry - timezone.now() <= timedelta(days=30)
    shown = [anna.get(path).content.decode() for path in (TOKENS, f"{TOKENS}{token.pk}/change/")]
    for page in shown:
        assert "ERP" in page
        assert secret not in page
        assert token.digest not in page
    assert secret not in str(Token.objects.values())
    assert [str(entry) for entry in LogEntry.objects.all()] == ["Added “ERP”."]
    assert secret not in caplog.text


def test_it_is_good_until_it_expires():
    anna = browser_of("anna", "Reviewers")
    secret = made(anna.post(NEW, {"name": "ERP", "days": 30}))
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        response = APIClient(HTTP_AUTHORIZATION=f"Bearer {secret}").get(CONTACTS)
        assert response.status_code == 401
        assert b"This token is expired." in response.content
        anna.force_login(anna.user)
        assert "expired" in anna.get(TOKENS).content.decode()
    assert Token.objects.count() == 1


def test_it_is_revoked():
    anna = browser_of("anna", "Reviewers")
    secret = made(anna.post(NEW, {"name": "ERP", "days": 30}))
    token = Token.objects.get()
    page = anna.post(reverse("admin:access_token_revoke", args=[token.pk]), follow=True)
    assert "Revoked, and open nothing any more: ERP." in page.content.decode()
    assert asks(secret) == 401
    token.refresh_from_db()
    assert token.revoked_by == anna.user
    assert str(LogEntry.objects.first()) == "Changed “ERP” — It was revoked."
    again = anna.post(TOKENS, {"action": "revoke", "_selected_action": token.pk}, follow=True)
    assert "nothing to revoke" in again.content.decode()
    made(anna.post(NEW, {"name": "ERP", "days": 30}))


def test_what_its_user_loses_it_loses():
    anna = browser_of("anna", "Reviewers")
    secret = made(anna.post(NEW, {"name": "ERP", "days": 30}))
    anna.user.groups.clear()
    assert asks(secret) == 403
    for lost in ("is_staff", "is_active"):
        User.objects.update(is_staff=True, is_active=True)
        User.objects.update(**{lost: False})
        assert asks(secret) == 401


def test_others_see_and_revoke_none_of_it():
    anna, ben = browser_of("anna", "Reviewers"), browser_of("ben", "Managers")
    secret = made(anna.post(NEW, {"name": "ERP", "days": 30}))
    token = Token.objects.get()
    assert "ERP" not in ben.get(TOKENS).content.decode()
    assert ben.get(f"{TOKENS}{token.pk}/change/").status_code == 302
    assert ben.post(reverse("admin:access_token_revoke", args=[token.pk])).status_code in (403, 404)
    ben.post(TOKENS, {"action": "revoke", "_selected_action": token.pk})
    assert asks(secret) == 200
    ben.post(NEW, {"name": "Theirs", "days": 30, "user": anna.user.pk})
    assert Token.objects.get(name="Theirs").user == ben.user


def test_administrators_see_all_and_give_no_more_than_they_have():
    anna, admin = browser_of("anna", "Reviewers"), browser_of("admin", "Administrators")
    chief = User.objects.create_user("chief", is_staff=True, is_superuser=True)
    made(anna.post(NEW, {"name": "ERP", "days": 30}))
    token = Token.objects.get()
    assert "ERP" in admin.get(TOKENS).content.decode()
    secret = made(admin.post(NEW, {"name": "MES", "days": 90, "user": anna.user.pk}))
    assert asks(secret) == 200
    assert Token.objects.get(name="MES").made_by == admin.user
    refused = admin.post(NEW, {"name": "All", "days": 90, "user": chief.pk})
    assert "chief may do what you may not." in refused.content.decode()
    admin.post(reverse("admin:access_token_revoke", args=[token.pk]))
    assert Token.objects.get(name="ERP").revoked_by == admin.user


def test_what_its_user_is_given_later_it_does_not_give_to_who_made_it():
    admin, user = browser_of("admin", "Administrators"), browser_of("erp", "Order clerks").user
    secret = made(admin.post(NEW, {"name": "ERP", "days": 90, "user": user.pk}))
    assert asks(secret) == 200
    user.is_superuser = True
    user.save()
    assert asks(secret) == 401
    token = Token.objects.get()
    assert token.state == "refused"
    page = admin.get(f"{TOKENS}{token.pk}/change/").content.decode()
    assert "may do more by now than who made this token" in page
    admin.user.is_superuser = True
    admin.user.save()
    assert asks(secret) == 200


@pytest.mark.parametrize("how", ["is_active", "is_staff", "deleted"])
def test_who_has_left_has_kept_no_token_of_somebody_else(how):
    """Also a superuser, who may do anything for as long as they are here."""
    admin, user = browser_of("admin", "Administrators"), browser_of("erp", "Order clerks").user
    chief = browser_of("chief")
    User.objects.filter(pk=chief.user.pk).update(is_superuser=True)
    secret = made(chief.post(NEW, {"name": "ERP", "days": 90, "user": user.pk}))
    assert asks(secret) == 200
    if how == "deleted":
        chief.user.delete()
    else:
        User.objects.filter(pk=chief.user.pk).update(**{how: False})
    assert asks(secret) == 401
    page = admin.get(f"{TOKENS}{Token.objects.get().pk}/change/").content.decode()
    assert "Who made this token may not sign in any more: make another one." in page


def test_names_of_users_are_for_those_who_see_all_tokens():
    User.objects.create_user("somebody-else", is_staff=True)
    for group in ("Reviewers", "Editors", "Order clerks", "Managers"):
        page = browser_of(group.lower(), group).get(TOKENS)
        assert page.status_code == 200
        assert "somebody-else" not in page.content.decode()
    browser_of("somebody-else", "Reviewers").post(NEW, {"name": "ERP", "days": 30})
    assert "somebody-else" in browser_of("admin", "Administrators").get(TOKENS).content.decode()


def test_without_the_permission_there_is_no_page():
    nobody = browser_of("nobody")
    for path in (TOKENS, NEW):
        assert nobody.get(path).status_code == 403
    nobody.user.user_permissions.add(Permission.objects.get(codename="view_token"))
    assert nobody.get(TOKENS).status_code == 200
    assert nobody.get(NEW).status_code == 403


def test_what_is_wrong_with_a_new_one():
    anna = browser_of("anna", "Reviewers")
    made(anna.post(NEW, {"name": "ERP", "days": 30}))
    for said, why in [
        ({"name": "ERP", "days": 30}, "There is a token of this name."),
        ({"name": "", "days": 30}, "This field is required."),
        ({"name": "MES", "days": 3650}, "Select a valid choice."),
    ]:
        assert why in anna.post(NEW, said).content.decode()
    assert Token.objects.count() == 1


def test_its_use_is_noted_now_and_then():
    client = with_token(User.objects.create_user("erp", is_staff=True))
    with time_machine.travel(timezone.now(), tick=False) as clock:
        first = clock_says = timezone.now()
        client.get(CONTACTS)
        clock.shift(60)
        client.get(CONTACTS)
        assert Token.objects.get().last_used_at == first == clock_says
        clock.shift(300)
        client.get(CONTACTS)
        assert Token.objects.get().last_used_at == first + timedelta(seconds=360)


def test_what_one_request_costs(api, django_assert_num_queries):
    client = api("Reviewers")
    client.get(CONTACTS)
    with django_assert_num_queries(4):  # the token, two for permissions, the page
        client.get(CONTACTS)
