"""A backup is restored: what it has as not gone may have gone since."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from whatsapp_bot.delivery import Status
from whatsapp_bot.models import Conversation, Message

pytestmark = pytest.mark.django_db


@pytest.fixture
def nomsa(contact):
    """Somebody who wrote just now."""
    Conversation.objects.create(contact=contact, heard_at=timezone.now())
    return contact


@pytest.fixture
def restore():
    """Have these messages be again as they were when the backup was taken."""

    def restore(*messages: Message) -> None:
        for message in messages:
            message.save(force_update=True)

    return restore


def test_what_had_gone_since_the_backup_does_not_go_again(
    nomsa, restore, fake_twilio, deliver, capsys
):
    (before,) = nomsa.send("Your part is ready.")
    deliver()
    (after,) = nomsa.send("It is at gate 2.")
    restore(before)
    call_command("restored")
    assert capsys.readouterr().out.startswith("2 messages will be looked up")
    deliver()
    assert [one.body for one in fake_twilio.sent] == [before.body, after.body]
    assert [one.sid for one in Message.objects.order_by("pk")] == [
        one.sid for one in fake_twilio.sent
    ]


def test_what_waited_for_the_person_goes_on_waiting(nomsa, restore, fake_twilio, deliver, phone):
    Conversation.objects.update(heard_at=timezone.now() - timedelta(days=2))
    waits, went = nomsa.send("Your part is ready."), nomsa.send("It is at gate 2.")
    deliver()
    backup = list(Message.objects.filter(pk__in=[waits[0].pk, went[0].pk]).order_by("pk"))
    assert {one.status for one in backup} == {Status.WAITING}
    call_command("restored")
    deliver()
    assert not fake_twilio.sent
    assert set(Message.objects.values_list("status", flat=True)) == {Status.WAITING}

    phone.say("hi")
    deliver()
    sent = [one.body for one in fake_twilio.sent]
    restore(*backup)
    call_command("restored")
    deliver()
    assert [one.body for one in fake_twilio.sent] == sent


def test_what_is_still_reported_of_a_lost_message_is_taken_for_none_of_the_next(nomsa):
    (last,) = nomsa.send("Your part is ready.")
    call_command("restored")
    (following,) = nomsa.send("It is at gate 2.")
    assert following.pk > last.pk + 1_000_000
