"""The machine's clock was an hour ahead, and is right again: nothing waits for that hour to pass."""

import time
from datetime import timedelta
from email.utils import formatdate

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from whatsapp_bot import outbox, reconcile, sweep
from whatsapp_bot.fake_twilio import trouble
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


def test_what_was_put_off_then_goes_now_and_what_waits_behind_it(
    nomsa, an_hour_ahead, deliver, fake_twilio
):
    with an_hour_ahead:
        nomsa.send("While it was ahead.")
        fake_twilio.trouble.once(trouble.too_many(retry_after=1))
        deliver()
    nomsa.send("When it was right again.")
    sweep.wait_for_no_wrong_clock()
    deliver()
    assert [one.body for one in fake_twilio.sent] == [
        "While it was ahead.",
        "When it was right again.",
    ]


@pytest.mark.parametrize("hours", [0.1, 4])
def test_what_is_put_off_by_the_right_clock_waits(nomsa, deliver, fake_twilio, hours):
    (message,) = nomsa.send("Twilio is busy.")
    later = timezone.now() + timedelta(hours=hours)
    Message.objects.update(try_at=later)
    sweep.wait_for_no_wrong_clock()
    deliver()
    message.refresh_from_db()
    assert message.try_at == later
    assert not fake_twilio.sent


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


def test_what_was_stopped_then_is_tried_now(an_hour_ahead):
    with an_hour_ahead:
        Channel.objects.locked().stop(20003)
    assert Channel.objects.ours().room(16, timezone.now()) == 1
    Channel.objects.locked().stop(20003)
    assert Channel.objects.ours().room(16, timezone.now()) == 0


@pytest.mark.parametrize("mailed", [True, False])
def test_staff_hear_of_it_who_had_heard_or_were_to_by_a_clock_that_was_days_ahead(settings, mailed):
    settings.ADMINS = [("Operations", "operations@example.com")]
    with time_machine.travel(timezone.now() + timedelta(days=3)):
        Channel.objects.locked().stop(20003)
        if mailed:
            Channel.objects.mail()
    before = len(mail.outbox)
    Channel.objects.locked().stop(20003)
    Channel.objects.mail()
    assert len(mail.outbox) == before + 1


def test_a_picture_is_answered_that_comes_after_one_by_the_wrong_clock(phone, an_hour_ahead):
    with an_hour_ahead:
        assert phone.send("image")
    assert phone.send("image")


@pytest.fixture
def twilio(fake_twilio, settings):
    settings.TWILIO_API_URL = fake_twilio.url
    yield fake_twilio
    rest.close()


@pytest.fixture
def twilio_is_right(twilio, monkeypatch):
    """The fake one shares our clock, which is wrong in these tests."""
    right = time.time()
    monkeypatch.setattr(
        "http.server.BaseHTTPRequestHandler.date_time_string",
        lambda *_: formatdate(right, usegmt=True),
    )


@pytest.mark.usefixtures("twilio_is_right")
@pytest.mark.parametrize("wrong", [AN_HOUR, -AN_HOUR])
def test_by_a_wrong_clock_nothing_is_sent_twice(nomsa, twilio, deliver, wrong):
    moment = timezone.now()
    with time_machine.travel(moment + wrong):
        rest.account()
        nomsa.send("Perhaps it arrived.")
        twilio.trouble.once(trouble.cut())
        (errand,) = outbox.claim(1)
        outbox.settle([(errand, outbox._run(errand))])
        (sent,) = twilio.sent
        sent.created, sent.sent = moment, moment.replace(microsecond=0)
        deliver()
    assert [one.sid for one in twilio.sent] == [Message.objects.get(contact=nomsa).sid]


@pytest.mark.usefixtures("twilio_is_right")
def test_by_a_clock_that_is_ahead_what_is_missed_is_answered_and_what_comes_is_left(twilio):
    missed = twilio.receive("+27821110001", "hi", post_to="")
    missed.sent = missed.created = missed.sent - timedelta(minutes=20)
    twilio.receive("+27821110002", "hi", post_to="")
    with time_machine.travel(timezone.now() + AN_HOUR):
        rest.account()
        found = reconcile.run()
    assert (found.answered, found.late, found.left) == (1, 0, 1)


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
