"""The groups are there after `migrate`, grow with new versions, and are otherwise the staff's."""

from io import StringIO

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command

from config.access.groups import GROUPS, create_groups
from config.access.models import ShippedGroup

pytestmark = pytest.mark.django_db


def migrate() -> None:
    call_command("migrate", verbosity=0, stdout=StringIO())


def names(group: str) -> set[str]:
    given = Group.objects.get(name=group).permissions.select_related("content_type")
    return {f"{one.content_type.app_label}.{one.codename}" for one in given}


def a_new_version_brings_a_permission() -> Permission:
    codename = "view_order_forecast"
    orders = ContentType.objects.get(app_label="orders", model="order")
    return Permission.objects.create(codename=codename, name=codename, content_type=orders)


def test_they_are_there():
    assert set(Group.objects.values_list("name", flat=True)) == set(GROUPS)
    assert "whatsapp_bot.use_simulator" in names("Editors")
    assert "whatsapp_bot.write_to_contact" in names("Reviewers")
    assert "auth.change_user" in names("Administrators")


@pytest.mark.parametrize("group", ["Reviewers", "Editors", "Order clerks", "Managers"])
def test_only_administrators_look_after_users(group):
    assert not [name for name in names(group) if name.startswith("auth.")]


def test_managers_change_nothing():
    # A token does no more than its user.
    allowed = set(names("Managers")) - {"access.add_token"}
    doing = [name.partition(".")[2].partition("_")[0] for name in allowed]
    assert set(doing) <= {"view", "export"}


def test_every_pattern_means_something_or_is_of_what_comes():
    """A typing error in a pattern would give nothing, and nobody would notice."""
    coming = (
        "category",
        "disposition",
        "correctiveaction",
        "note",
        "review",
        "export",
    )
    for group, patterns in GROUPS.items():
        for pattern in patterns:
            if not any(word in pattern for word in coming):
                ShippedGroup.objects.all().delete()
                assert _of_pattern(pattern), f"{group}: {pattern}"


def _of_pattern(pattern: str) -> bool:
    app, _, codename = pattern.partition(".")
    like = "^" + codename.replace("*", ".*") + "$"
    of_app = Permission.objects.filter(content_type__app_label=app)
    return of_app.filter(codename__regex=like).exists()


def test_again_changes_nothing():
    before = {group: names(group) for group in GROUPS}
    migrate()
    assert before == {group: names(group) for group in GROUPS}


def test_a_new_version_gives_what_is_new():
    a_new_version_brings_a_permission()
    migrate()
    assert "orders.view_order_forecast" in names("Managers")
    assert "orders.view_order_forecast" in names("Administrators")
    assert "orders.view_order_forecast" not in names("Editors")


def test_what_staff_changed_stays():
    managers = Group.objects.get(name="Managers")
    taken = Permission.objects.get(codename="view_order")
    given = Permission.objects.get(codename="add_order")
    managers.permissions.remove(taken)
    managers.permissions.add(given)
    managers.name = "Bosses"
    managers.save()
    Group.objects.get(name="Editors").delete()
    a_new_version_brings_a_permission()
    migrate()
    assert set(Group.objects.values_list("name", flat=True)) == {
        "Bosses",
        "Reviewers",
        "Order clerks",
        "Administrators",
    }
    assert "orders.view_order" not in names("Bosses")
    assert {"orders.add_order", "orders.view_order_forecast"} <= names("Bosses")


def test_on_a_database_that_was_there_before_and_has_a_group_of_that_name():
    ShippedGroup.objects.all().delete()
    Group.objects.all().delete()
    own = Group.objects.create(name="Editors")
    own.permissions.add(Permission.objects.get(codename="view_order"))
    create_groups(using="default")
    assert {"orders.view_order", "whatsapp_bot.change_menu"} <= names("Editors")
    assert Group.objects.get(name="Editors") == own


def restore() -> str:
    out = StringIO()
    call_command("restore_groups", stdout=out)
    return out.getvalue()


def test_those_that_were_deleted_can_be_made_again():
    before = {group: names(group) for group in GROUPS}
    Group.objects.all().delete()
    migrate()
    assert not Group.objects.exists()
    assert "Made again" in restore()
    assert before == {group: names(group) for group in GROUPS}
    assert "nothing to make again" in restore()


def test_and_the_others_stay_as_they_are():
    managers = Group.objects.get(name="Managers")
    managers.permissions.clear()
    Group.objects.get(name="Reviewers").delete()
    assert "Reviewers." in restore()
    assert not names("Managers")
    assert names("Reviewers")


def test_what_staff_gave_the_name_to_is_left_alone():
    """Also when it is one that Andon came with, under another name."""
    Group.objects.filter(name__in=["Managers", "Reviewers"]).delete()
    Group.objects.filter(name="Editors").update(name="Managers")
    own = Group.objects.create(name="Reviewers")
    said = restore()
    assert "Another group is called Managers now" in said
    assert "Another group is called Reviewers now" in said
    assert not own.permissions.exists()
    own.delete()
    assert "Reviewers." in restore()
