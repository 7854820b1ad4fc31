"""The machine's clock was an hour ahead, and is right again: nothing waits for that hour to pass."""

import time
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from whatsapp_bot import outbox, reconcile
from whatsapp_bot.models import Channel, Contact, Conversation, Message
from whatsapp_bot.twilio import rest

pytestmark = pytest.mark.django_db
AN_HOUR = timedelta(hours=1)


@pytest.fixture
def nomsa():
    contact = Contact.objects.create(phone="+27820000001")
    Conversation.objects.create(contact=contact, heard_at=timezone.now())
    return contact


@pytest.fixture
def an_hour_ahead():
    return time_machine.travel(timezone.now() + AN_HOUR)


def test_what_is_written_to_somebody_goes_at_once(
    nomsa, an_hour_ahead, deliver, fake_twilio, settings
):
    with an_hour_ahead:
        nomsa.send("While it was ahead.")
        deliver()
    settings.SEND_PAUSE_SECONDS = 6
    nomsa.send("When it was right again.")
    deliver()
    assert len(fake_twilio.sent) == 2


def test_but_a_pause_that_is_due_is_kept(nomsa, deliver, fake_twilio, settings):
    settings.SEND_PAUSE_SECONDS = 6
    nomsa.send("The first.")
    nomsa.send("The second.")
    deliver()
    assert len(fake_twilio.sent) == 1


def test_the_rate_is_that_of_now(an_hour_ahead, settings):
    settings.SEND_PER_SECOND = 10
    with an_hour_ahead:
        Channel.objects.ours().reserve(20)
    channel = Channel.objects.ours()
    assert channel.room(16, timezone.now()) == 16
    assert channel.reserve(20)[0] == pytest.approx(time.time(), abs=5)
    assert channel.reserve(1)[0] == pytest.approx(time.time() + 2, abs=1)


def test_nothing_is_held_back_for_a_moment_given_by_it(nomsa, deliver, fake_twilio, monkeypatch):
    slept = []
    nomsa.send("Written before it was set back.")
    (errand,) = outbox.claim(1)
    monkeypatch.setattr(time, "sleep", slept.append)
    with time_machine.travel(timezone.now() - AN_HOUR):
        outbox._run(errand)
    assert max(slept) <= 5
    assert len(fake_twilio.sent) == 1


@pytest.fixture
def twilio(fake_twilio, settings):
    settings.TWILIO_API_URL = fake_twilio.url
    yield fake_twilio
    rest.close()


def test_what_was_missed_meanwhile_is_fetched(an_hour_ahead, twilio):
    with an_hour_ahead:
        assert reconcile.run() is not None
    missed = twilio.receive("+27821110001", "hi", post_to="")
    missed.sent = missed.created = missed.sent - timedelta(minutes=20)
    assert reconcile.run().fetched == 1
    assert Message.objects.filter(sid=missed.sid).exists()


def test_who_began_to_ask_then_and_died_is_not_waited_for(an_hour_ahead, twilio):
    with an_hour_ahead:
        assert Channel.objects.ours().begin_reconciling()
    assert reconcile.run() is not None
    assert Channel.objects.ours().begin_reconciling()
    assert reconcile.run() is None
