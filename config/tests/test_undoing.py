"""A test that is in no transaction leaves the next one what there was before it."""

import pytest
from django.contrib.auth.models import Group
from django.test import TransactionTestCase

from whatsapp_bot.models import Contact, Menu


@pytest.mark.django_db
def test_what_was_changed_deleted_and_added_is_undone():
    def there() -> list[set]:
        return [set(model.objects.values_list()) for model in (Menu, Group, Contact)]

    before = there()
    Menu.objects.filter(key="main").update(text="Something else")
    Group.objects.earliest("pk").delete()
    Contact.objects.create(phone="+27820000001")
    assert all(now != then for now, then in zip(there(), before, strict=True))
    TransactionTestCase._fixture_teardown(None)
    assert there() == before
