"""What goes past Django's way of writing rows is as Django would have written it."""

from datetime import UTC, datetime

import pytest
from django.core.exceptions import FieldDoesNotExist
from django.db import IntegrityError, transaction
from django.db.models.signals import post_save

from defects.models import DefectReport
from whatsapp_bot import prepared
from whatsapp_bot.delivery import Status
from whatsapp_bot.inbound import Kind
from whatsapp_bot.models import Contact, Conversation, Message
from whatsapp_bot.models.conversation import _locking

pytestmark = pytest.mark.django_db
AT = datetime(2025, 1, 19, 14, 30, 22, 123456, tzinfo=UTC)


def made(contact: Contact, sid: str) -> Message:
    return Message(
        contact=contact,
        direction=Message.Direction.IN,
        kind=Kind.TEXT,
        sid=sid,
        body="Grüße 👋 100 % 'so' \\n",
        details={"a": ["ü", None, 1.5]},
        status=Status.RECEIVED,
        created_at=AT,
    )


def stored(message: Message) -> dict:
    there = Message.objects.filter(pk=message.pk).values().get()
    return {name: value for name, value in there.items() if name not in ("id", "sid")}


def test_a_new_row_is_what_django_makes_with_the_same_values(contact):
    values = {"contact_id": contact.pk, "direction": "in", "created_at": AT}
    made, new = Message(**values), prepared.new(Message, **values)
    for field in Message._meta.concrete_fields:
        assert getattr(new, field.attname) == getattr(made, field.attname)
    assert new._state.adding
    assert new.details is not prepared.new(Message, **values).details
    made.save()
    new.save()
    assert stored(new) == stored(made)


def test_an_inserted_row_is_like_a_saved_one(contact):
    saved, inserted = made(contact, "SM1"), made(contact, "SM2")
    saved.save()
    prepared.insert(inserted)
    assert stored(inserted) == stored(saved)
    assert not inserted._state.adding
    inserted.body = "changed"
    inserted.save()
    assert Message.objects.count() == 2


def test_a_second_row_with_the_same_sid_is_refused(contact):
    prepared.insert(made(contact, "SM1"))
    with pytest.raises(IntegrityError), transaction.atomic():
        prepared.insert(made(contact, "SM1"))


def test_what_is_found_gets_a_row_like_a_saved_one(contact):
    conversation = Conversation.objects.create(contact=contact, state={"a": "ü"}, heard_at=AT)
    saved, new = made(contact, "SM1"), made(contact, "SM2")
    saved.save()
    new.contact_id = None
    with transaction.atomic():
        found = find_and_insert(contact.phone, new)
    assert (found, found.state, found.heard_at) == (conversation, {"a": "ü"}, AT)
    assert found.contact.phone == contact.phone
    assert stored(new) == stored(saved)
    assert not new._state.adding


def test_where_nothing_is_found_nothing_is_stored(contact):
    Conversation.objects.create(contact=contact)
    with transaction.atomic():
        assert find_and_insert("+27820000099", made(contact, "SM1")) is None
    assert not Message.objects.exists()


def find_and_insert(phone: str, new: Message) -> Conversation | None:
    return prepared.find_and_insert(_locking("contact__phone"), [phone], new, "contact_id")


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_conversation_is_stored_with_all_replies(contact, count):
    conversation = Conversation.objects.create(contact=contact)
    conversation.flow, conversation.state, conversation.heard_at = "menu:main", {"a": "ü"}, AT
    replies = [made(contact, f"SM{n}") for n in range(count)]
    with transaction.atomic():
        conversation.conclude(replies)
    there = Conversation.objects.get()
    assert (there.flow, there.state, there.heard_at) == ("menu:main", {"a": "ü"}, AT)
    assert sorted(reply.pk for reply in replies) == list(
        Message.objects.order_by("pk").values_list("pk", flat=True)
    )


def test_what_is_filed_sends_a_signal_and_has_a_history(contact):
    heard = []

    def hear(sender, instance, created, raw, using, update_fields, signal):
        heard.append((instance.pk, created))

    post_save.connect(hear, sender=DefectReport)
    try:
        report = DefectReport.objects.file(reported_by=contact, description="x")
    finally:
        post_save.disconnect(hear, sender=DefectReport)
    assert heard == [(report.pk, True)]
    assert report.history.get().history_type == "+"


def test_what_is_filed_may_name_another_row_by_its_id(contact):
    DefectReport.objects.file(reported_by_id=contact.pk, description="x")
    assert DefectReport.objects.get().reported_by == contact


def test_what_is_filed_has_only_values_of_its_fields(contact):
    with pytest.raises(FieldDoesNotExist):
        DefectReport.objects.file(reported_by=contact, descripton="x")
    assert not DefectReport.objects.exists()


def test_a_moment_without_a_time_zone_is_refused(contact):
    message = made(contact, "SM1")
    message.created_at = datetime(2025, 1, 19, 14, 30)  # noqa: DTZ001
    with pytest.raises((ValueError, RuntimeWarning)):
        prepared.insert(message)
