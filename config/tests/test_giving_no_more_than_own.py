"""Nobody makes themselves or others more than they are."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from config.access.models import Token
from defects.models import Export

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return User.objects.create_superuser("owner", password="the owner's own")


@pytest.fixture
def helper() -> User:
    """Looks after users and groups, and sees orders; nothing else."""
    user = User.objects.create_user("helper", is_staff=True)
    own = Permission.objects.filter(content_type__app_label="auth")
    user.user_permissions.set(own.filter(content_type__model__in=["user", "group"]))
    user.user_permissions.add(Permission.objects.get(codename="view_order"))
    return user


@pytest.fixture
def browser(helper: User) -> Client:
    browser = Client()
    browser.force_login(helper)
    return browser


@pytest.fixture
def clerk() -> User:
    return User.objects.create_user("clerk", is_staff=True, password="the clerk's own")


def page(user: User, name: str = "change") -> str:
    return reverse(f"admin:auth_user_{name}", args=[user.pk])


def everything(user: User) -> dict[str, Any]:
    """What somebody posts who wants to be able to do everything."""
    return {
        "username": user.username,
        "is_active": "on",
        "is_staff": "on",
        "is_superuser": "on",
        "last_login_0": "",
        "last_login_1": "",
    }


@pytest.mark.parametrize("of", ["helper", "clerk"])
def test_nobody_is_made_a_superuser(browser, helper, clerk, of):
    user = {"helper": helper, "clerk": clerk}[of]
    assert browser.post(page(user), everything(user)).status_code == 302
    user.refresh_from_db()
    assert not user.is_superuser


def test_a_superuser_makes_one(client, owner, clerk):
    client.force_login(owner)
    assert client.post(page(clerk), everything(clerk)).status_code == 302
    clerk.refresh_from_db()
    assert clerk.is_superuser


@pytest.mark.parametrize("of", ["helper", "clerk"])
def test_groups_and_permissions_beyond_ones_own_are_not_there_to_choose(browser, helper, clerk, of):
    user = {"helper": helper, "clerk": clerk}[of]
    reviewers = Group.objects.get(name="Reviewers")
    beyond = Permission.objects.get(codename="change_order")
    form = browser.get(page(user)).context["adminform"].form
    assert reviewers not in form.fields["groups"].queryset
    assert beyond not in form.fields["user_permissions"].queryset
    for more in ({"groups": [reviewers.pk]}, {"user_permissions": [beyond.pk]}):
        answer = browser.post(page(user), {**everything(user), **more})
        assert "is not one of the available choices" in answer.content.decode()
    assert not user.groups.exists()
    assert not user.user_permissions.filter(pk=beyond.pk).exists()


def test_what_one_has_one_may_give(browser, clerk):
    viewers = Group.objects.create(name="Viewers")
    viewers.permissions.add(Permission.objects.get(codename="view_order"))
    given = {"groups": [viewers.pk], "is_superuser": ""}
    assert browser.post(page(clerk), {**everything(clerk), **given}).status_code == 302
    assert clerk.has_perm("orders.view_order")


@pytest.mark.parametrize("is_active", [True, False])
@pytest.mark.parametrize("why", ["is a superuser", "is in a group", "has a permission"])
def test_who_can_do_more_is_left_alone(browser, clerk, why, is_active):
    """Also while they are not active: they could be made so again, with a new password."""
    clerk.is_superuser = why == "is a superuser"
    clerk.is_active = is_active
    clerk.save()
    if why == "is in a group":
        clerk.groups.add(Group.objects.get(name="Reviewers"))
    if why == "has a permission":
        clerk.user_permissions.add(Permission.objects.get(codename="change_order"))
    assert browser.get(page(clerk)).status_code == 200
    assert browser.post(page(clerk), everything(clerk)).status_code == 403
    password = {"password1": "new and long 1", "password2": "new and long 1"}
    for name in ("password_change", "reset_second_factor", "delete"):
        assert browser.post(page(clerk, name), {"post": "yes", **password}).status_code == 403
    deleting = {"action": "delete_selected", "_selected_action": [clerk.pk], "post": "yes"}
    browser.post(reverse("admin:auth_user_changelist"), deleting)
    clerk.refresh_from_db()
    assert clerk.check_password("the clerk's own")


def test_a_group_gets_no_more_than_its_editor_has(browser, helper):
    own = Group.objects.create(name="Helpers")
    helper.groups.add(own)
    beyond = Permission.objects.get(codename="change_order")
    path = reverse("admin:auth_group_change", args=[own.pk])
    answer = browser.post(path, {"name": "Helpers", "permissions": [beyond.pk]})
    assert "is not one of the available choices" in answer.content.decode()
    answer = browser.post(
        reverse("admin:auth_group_add"), {"name": "More", "permissions": [beyond.pk]}
    )
    assert "is not one of the available choices" in answer.content.decode()
    assert not own.permissions.exists()


@pytest.mark.parametrize("name", ["change", "delete"])
def test_a_group_that_may_more_is_left_alone(browser, name):
    reviewers = Group.objects.get(name="Reviewers")
    path = reverse(f"admin:auth_group_{name}", args=[reviewers.pk])
    assert browser.post(path, {"name": "x", "post": "yes"}).status_code == 403
    assert Group.objects.filter(name="Reviewers").exists()


@pytest.fixture
def boss(client) -> User:
    """An administrator, signed in."""
    boss = User.objects.create_user("boss", is_staff=True)
    boss.groups.add(Group.objects.get(name="Administrators"))
    client.force_login(boss)
    return boss


def delete(client: Client, *rows: Group | User) -> str:
    """The question about them, or what says that they cannot go; and yes is said to it."""
    path = reverse(f"admin:auth_{rows[0]._meta.model_name}_changelist")
    chosen = {"action": "delete_selected", "_selected_action": [row.pk for row in rows]}
    page = client.post(path, chosen).content.decode()
    client.post(path, {**chosen, "post": "yes"})
    return page


def test_nobody_deletes_the_groups_that_they_live_on(client, boss):
    everything = Group.objects.count()
    said = delete(client, *Group.objects.all())
    assert "Nothing was deleted." in said
    assert "Administrators</a>: you would lose what it lets you do." in said
    assert "Managers</a>" not in said
    path = reverse("admin:auth_group_delete", args=[boss.groups.get().pk])
    assert "you would lose what it lets you do" in client.get(path).content.decode()
    client.post(path, {"post": "yes"})
    assert Group.objects.count() == everything
    assert boss.groups.exists()


def test_nor_two_that_give_them_the_same(client, boss):
    """Each can go while the other stays."""
    twin = Group.objects.create(name="Twins")
    twin.permissions.set(boss.groups.get().permissions.all())
    boss.groups.add(twin)
    said = delete(client, *boss.groups.all())
    assert said.count("you would lose what it lets you do") == 2
    assert boss.groups.count() == 2
    assert "you would lose" not in delete(client, twin)
    assert boss.groups.get().name == "Administrators"


def test_the_question_says_who_is_in_the_groups_and_lists_no_permissions(client, boss, clerk):
    groups = Group.objects.filter(name__in=["Editors", "Managers"])
    clerk.groups.set(groups)
    said = delete(client, *groups)
    assert "People in them, who stay and may do less: 1" in " ".join(said.split())
    assert "Editors: 1 person" in said
    assert "object (" not in said
    assert not groups.all().exists()


def test_among_several_groups_the_one_that_may_more_is_named(browser):
    own = Group.objects.create(name="Nothing")
    said = delete(browser, own, Group.objects.get(name="Reviewers"))
    assert "Reviewers</a>: it lets people do what you may not." in said
    assert Group.objects.filter(name="Nothing").exists()


def test_a_superuser_deletes_any(client, owner):
    client.force_login(owner)
    assert "Are you sure" in delete(client, *Group.objects.all())
    assert not Group.objects.exists()


@pytest.mark.parametrize("what", ["an export", "a token"])
def test_whose_name_stays_with_what_they_did_is_named(client, boss, clerk, what):
    if what == "an export":
        Export.objects.create(by=clerk)
    else:
        Token(user=clerk, name="Tools", expiry=timezone.now()).mint()
    leaver = User.objects.create_user("leaver")
    said = delete(client, clerk, leaver)
    assert "clerk</a>: their name stays with what they made here" in said
    assert "untick “Active” on their page" in said
    assert "leaver</a>" not in said
    assert "untick “Active”" in client.get(page(clerk, "delete")).content.decode()
    client.post(page(clerk, "delete"), {"post": "yes"})
    assert User.objects.filter(pk__in=[clerk.pk, leaver.pk]).count() == 2
    assert "Are you sure" in delete(client, leaver)
    assert not User.objects.filter(pk=leaver.pk).exists()


def test_among_several_users_oneself_and_who_may_more_are_named(client, boss, owner, clerk):
    said = delete(client, boss, owner, clerk)
    assert "boss</a>: this is you." in said
    assert "owner</a>: they may do what you may not." in said
    assert "clerk</a>" not in said
    assert User.objects.count() == 3


def test_administrators_look_after_each_other_and_not_after_superusers(client, owner, clerk):
    administrators = Group.objects.get(name="Administrators")
    boss = User.objects.create_user("boss", is_staff=True)
    boss.groups.add(administrators)
    clerk.groups.add(administrators)
    client.force_login(boss)
    form = client.get(page(clerk)).context["adminform"].form
    assert set(form.fields["groups"].queryset) == set(Group.objects.all())
    assert client.post(page(clerk), everything(clerk)).status_code == 302
    assert client.post(page(owner), everything(owner)).status_code == 403
    assert client.post(page(boss, "delete"), {"post": "yes"}).status_code == 403


def test_a_new_user_is_staff_with_a_group(client, owner):
    client.force_login(owner)
    add = reverse("admin:auth_user_add")
    assert client.get(add).context["adminform"].form.initial["is_staff"]
    editors = Group.objects.get(name="Editors")
    new = {"password1": "new and long 1", "password2": "new and long 1", "groups": [editors.pk]}
    client.post(add, {"username": "new", "is_staff": "on", "usable_password": "true", **new})
    assert User.objects.get(username="new", is_staff=True).has_perm("whatsapp_bot.use_simulator")


def test_a_new_user_without_a_password_is_said_to_be_another_system(admin_client):
    page = admin_client.get(reverse("admin:auth_user_add")).content.decode()
    assert "Disabled: for another system" in page
    assert "LDAP" not in page
