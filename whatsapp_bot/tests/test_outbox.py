"""What leaves by REST: once, in order, and its fate is known."""

import socket
import time
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from django.core import mail
from django.db import transaction
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from config import settings as usual
from whatsapp_bot import outbox, sweep, tasks
from whatsapp_bot.delivery import DeliveryReport, Later, Misconfigured, Sent, Status, Unknown
from whatsapp_bot.fake_twilio import Fate, trouble
from whatsapp_bot.fake_twilio import Message as MessageAtTwilio
from whatsapp_bot.models import Channel, Contact, Conversation, Message
from whatsapp_bot.models.message import back_off, failed_lately, tried_for
from whatsapp_bot.simulator.phone import post
from whatsapp_bot.texts import STAFF_MESSAGE

pytestmark = pytest.mark.django_db


@pytest.fixture
def nomsa(contact):
    """Somebody who wrote just now."""
    Conversation.objects.create(contact=contact, heard_at=timezone.now())
    return contact


@pytest.fixture
def usual_waits(deliver, settings):
    """As they are where nothing is set."""
    for name in ("SEND_BACK_OFF_SECONDS", "SEND_ATTEMPTS", "LOOK_UP_AFTER_SECONDS"):
        setattr(settings, name, getattr(usual, name))


@pytest.fixture
def hours_pass(clock):
    """Do what is due at each moment of so many hours at which something is."""

    def hours_pass(hours):
        ends = timezone.now() + timedelta(hours=hours)
        while (due := Message.objects.unsettled().order_by("try_at").first()) and due.try_at < ends:
            clock.move_to(max(due.try_at, timezone.now()))
            outbox.settle([(errand, outbox._run(errand)) for errand in outbox.claim(16)])
        clock.move_to(ends)

    return hours_pass


@pytest.fixture
def told(settings):
    """What the worker mails to staff in this second."""
    settings.ADMINS = [("Operations", "operations@example.com")]

    def told():
        before = len(mail.outbox)
        sweep.wake_the_mailing()
        if DBTaskResult.objects.filter(task_path=tasks.mail_alarms.module_path).delete()[0]:
            tasks.mail_alarms.call()
        return mail.outbox[before:]

    return told


def sent_to(fake_twilio, contact):
    return [message.body for message in fake_twilio.sent_to(contact.address)]


def statuses(contact):
    return list(contact.messages.order_by("pk").values_list("status", flat=True))


def test_it_goes_out_once_and_is_sent(nomsa, fake_twilio, deliver):
    (message,) = nomsa.send("Your part is ready.")
    assert message.status == Status.QUEUED
    assert deliver() == 1
    message.refresh_from_db()
    (sent,) = fake_twilio.sent_to(nomsa.address)
    assert (message.status, message.sid, message.attempts) == (Status.SENT, sent.sid, 1)
    assert sent.status_callback.endswith(f"/whatsapp/status/?message={message.pk}")
    assert deliver() == 0


def test_the_log_says_which_one_of_twilio_s_it_is_and_why_it_did_not_go(
    nomsa, fake_twilio, deliver, log
):
    nomsa.send("Your part is ready.")
    deliver()
    fake_twilio.trouble.once(trouble.refusal(21211))
    nomsa.send("It is at gate 2.")
    deliver()
    sent, refused = (line for line in log if line["event"] == "sending")
    assert (sent["outcome"], sent["sid"]) == ("Sent", fake_twilio.sent[0].sid)
    assert (refused["outcome"], refused["code"]) == ("Refused", 21211)


def test_it_goes_by_the_proxy_that_the_environment_names(
    nomsa, fake_twilio, deliver, settings, monkeypatch
):
    settings.TWILIO_API_URL = "http://twilio.invalid"
    monkeypatch.setenv("http_proxy", fake_twilio.url)
    monkeypatch.setenv("no_proxy", "")
    nomsa.send("Your part is ready.")
    deliver()
    assert sent_to(fake_twilio, nomsa) == ["Your part is ready."]


def test_what_is_rolled_back_never_leaves(nomsa, deliver, fake_twilio):
    with transaction.atomic():
        nomsa.send("No.")
        transaction.set_rollback(True)
    deliver()
    assert not fake_twilio.sent


@pytest.mark.parametrize(
    "met",
    [
        trouble.too_many(retry_after=0),
        trouble.failure(500),
        trouble.failure(503, done=True),
        trouble.cut(),
        trouble.reset(),
        trouble.html(),
        trouble.html(done=False),
        trouble.html(status=502, done=False),
    ],
    ids=lambda met: f"{met.name}{'-done' if met.done else ''}",
)
def test_trouble_once_ends_with_one_message(met, nomsa, fake_twilio, deliver):
    fake_twilio.trouble.once(met)
    nomsa.send("Your part is ready.")
    deliver()
    assert sent_to(fake_twilio, nomsa) == ["Your part is ready."]
    message = nomsa.messages.get()
    assert (message.status, message.sid) == (Status.SENT, fake_twilio.sent[0].sid)


@pytest.fixture
def nobody():
    """An address at which nobody listens, and which nobody else can take meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


@pytest.mark.parametrize("hours", [0.1, 3])
def test_after_the_network_was_away_for_hours_it_goes_within_a_minute(
    nomsa, fake_twilio, usual_waits, hours_pass, settings, nobody, hours
):
    settings.TWILIO_API_URL = nobody
    nomsa.send("Your part is ready.")
    hours_pass(hours)
    assert statuses(nomsa) == [Status.QUEUED]
    settings.TWILIO_API_URL = fake_twilio.url
    hours_pass(1 / 60)
    assert sent_to(fake_twilio, nomsa) == ["Your part is ready."]
    assert nomsa.messages.get().attempts == 1


def test_staff_hear_once_that_no_connection_has_come_about_for_an_hour(
    nomsa, fake_twilio, usual_waits, hours_pass, settings, nobody, told
):
    settings.TWILIO_API_URL = nobody
    nomsa.send("Your part is ready.")
    hours_pass(0.9)
    assert not told()
    assert not Channel.objects.ours().trouble
    hours_pass(1)
    (mailed,) = told()
    hours_pass(1)
    assert not told()
    assert mailed.subject == "Andon cannot send messages"
    assert "no connection to Twilio" in mailed.body
    assert "no connection to Twilio" in Channel.objects.ours().trouble
    settings.TWILIO_API_URL = fake_twilio.url
    hours_pass(1 / 60)
    assert not Channel.objects.ours().trouble


def test_a_minute_without_a_connection_now_and_then_is_no_hour_of_it(
    nomsa, fake_twilio, usual_waits, hours_pass, settings, nobody
):
    for _ in range(3):
        settings.TWILIO_API_URL = nobody
        nomsa.send("Your part is ready.")
        hours_pass(0.01)
        settings.TWILIO_API_URL = fake_twilio.url
        hours_pass(0.5)
    assert not Channel.objects.ours().unreached_since
    assert len(fake_twilio.sent) == 3


def test_a_proxy_that_is_away_fails_nothing_either(
    nomsa, fake_twilio, usual_waits, hours_pass, settings, nobody, monkeypatch
):
    settings.TWILIO_API_URL = "http://twilio.invalid"
    monkeypatch.setenv("http_proxy", nobody)
    monkeypatch.setenv("no_proxy", "")
    nomsa.send("Your part is ready.")
    hours_pass(0.1)
    assert statuses(nomsa) == [Status.QUEUED]


def test_retry_after_is_kept_to(nomsa, fake_twilio, deliver):
    fake_twilio.trouble.once(trouble.too_many(retry_after=300))
    nomsa.send("Your part is ready.")
    deliver()
    wait = nomsa.messages.get().try_at - timezone.now()
    assert timedelta(seconds=290) < wait <= timedelta(seconds=300)


def test_but_not_for_days(nomsa, fake_twilio, deliver):
    fake_twilio.trouble.once(trouble.too_many(retry_after=900_000))
    nomsa.send("Your part is ready.")
    deliver()
    assert nomsa.messages.get().try_at - timezone.now() <= timedelta(minutes=30)


def test_eight_tries_and_then_it_has_failed(nomsa, fake_twilio, deliver):
    fake_twilio.trouble.always(trouble.too_many(retry_after=0))
    nomsa.send("Your part is ready.")
    assert deliver() == 8
    message = nomsa.messages.get()
    assert message.status == Status.FAILED
    assert message.why == "Twilio did not take it in 8 tries."
    assert back_off(8) is None


def test_where_nothing_is_set_the_tries_take_half_a_day(usual_waits):
    assert timedelta(hours=12) < tried_for() < timedelta(hours=13)


def test_all_tries_are_within_a_day_and_none_is_far_from_the_next(settings):
    settings.SEND_BACK_OFF_SECONDS, settings.SEND_ATTEMPTS = 3, 40
    for at_least in (0, 1e6):
        waits = [back_off(attempts, at_least).total_seconds() for attempts in range(1, 40)]
        assert waits[:5] == sorted(waits[:5])
        assert max(waits) < 40 * 60
        assert 12 * 3600 < sum(waits) < 24 * 3600


@pytest.mark.parametrize("hours", [0.1, 1, 11])
def test_after_twilio_had_a_fault_for_hours_it_goes_soon_and_once(
    nomsa, fake_twilio, usual_waits, hours_pass, hours
):
    fake_twilio.trouble.always(trouble.failure(500))
    nomsa.send("Your part is ready.")
    hours_pass(hours)
    assert statuses(nomsa) != [Status.FAILED]
    fake_twilio.trouble.stop()
    hours_pass(1)
    assert statuses(nomsa) == [Status.SENT]
    assert sent_to(fake_twilio, nomsa) == ["Your part is ready."]


def test_what_nobody_knows_is_looked_up_and_not_sent_twice(nomsa, fake_twilio, deliver):
    """The same text went out before: that one is somebody else's, and does not count."""
    nomsa.send("Ready.")
    deliver()
    fake_twilio.trouble.once(trouble.reset())
    nomsa.send("Ready.")
    deliver()
    assert sent_to(fake_twilio, nomsa) == ["Ready.", "Ready."]
    sids = nomsa.messages.order_by("pk").values_list("sid", flat=True)
    assert list(sids) == [message.sid for message in fake_twilio.sent]


def test_a_reply_of_the_webhook_with_the_same_text_is_not_taken_for_it(nomsa, fake_twilio, deliver):
    fake_twilio.memory.add(
        MessageAtTwilio(
            account_sid=fake_twilio.memory.account_sid,
            direction="outbound-reply",
            to=f"whatsapp:{nomsa.address}",
            from_=f"whatsapp:{fake_twilio.number}",
            body="Ready.",
        )
    )
    fake_twilio.trouble.once(trouble.reset())
    nomsa.send("Ready.")
    deliver()
    assert [m.direction for m in fake_twilio.sent] == ["outbound-reply", "outbound-api"]


def test_while_twilio_cannot_be_asked_nothing_is_sent_again(nomsa, fake_twilio, deliver):
    fake_twilio.trouble.once(trouble.cut())
    fake_twilio.trouble.once(
        trouble.failure(), trouble.failure(), when=lambda request: request.method == "GET"
    )
    nomsa.send("Ready.")
    assert deliver() == 4
    assert sent_to(fake_twilio, nomsa) == ["Ready."]


def test_what_twilio_still_has_in_its_queue_is_found_and_not_sent_twice(
    nomsa, fake_twilio, deliver
):
    fake_twilio.fate = Fate(())
    fake_twilio.trouble.once(trouble.cut())
    nomsa.send("Ready.")
    deliver()
    (queued,) = fake_twilio.sent
    assert (queued.status, queued.sent) == ("queued", None)
    assert nomsa.messages.get().sid == queued.sid


def test_one_that_waited_for_days_is_looked_up_as_well(nomsa, fake_twilio, deliver):
    nomsa.send("Ready.")
    Message.objects.update(created_at=timezone.now() - timedelta(days=5))
    fake_twilio.trouble.once(trouble.cut())
    deliver()
    assert sent_to(fake_twilio, nomsa) == ["Ready."]
    assert statuses(nomsa) == [Status.SENT]


def test_after_a_day_without_an_answer_it_is_given_up_and_says_so(nomsa, fake_twilio, deliver):
    nomsa.send("Ready.")
    outbox.claim(1)
    long_ago = timezone.now() - timedelta(hours=25)
    Message.objects.update(tried_at=long_ago, try_at=timezone.now())
    fake_twilio.trouble.always(trouble.failure(), when=trouble.anything)
    deliver()
    assert nomsa.messages.get().why == outbox.NOBODY_KNOWS


def test_a_report_settles_what_nobody_knew(nomsa, fake_twilio, deliver, settings):
    settings.LOOK_UP_AFTER_SECONDS = 100
    fake_twilio.trouble.once(trouble.cut())
    nomsa.send("Ready.")
    deliver()
    message = nomsa.messages.get()
    assert message.status == Status.UNKNOWN
    (sent,) = fake_twilio.sent
    Message.objects.take_report(DeliveryReport(sent.sid, "delivered", message.pk, Status.DELIVERED))
    message.refresh_from_db()
    assert (message.status, message.sid) == (Status.DELIVERED, sent.sid)
    assert deliver() == 0
    assert len(fake_twilio.sent) == 1


def test_a_report_that_overtakes_our_commit_is_not_undone(nomsa, fake_twilio, deliver):
    (message,) = nomsa.send("Ready.")
    (errand,) = outbox.claim(1)
    outcome = outbox._run(errand)
    Message.objects.take_report(DeliveryReport(outcome.sid, "read", message.pk, Status.READ))
    outbox.settle([(errand, outcome)])
    message.refresh_from_db()
    assert (message.status, message.sid) == (Status.READ, outcome.sid)


def test_a_report_in_a_word_that_is_new_to_us_settles_it_as_well(nomsa, fake_twilio, deliver):
    nomsa.send("Ready.")
    (errand,) = outbox.claim(1)
    sid = outbox._run(errand).sid
    Message.objects.take_report(DeliveryReport(sid, "teleported", errand.parcel.message_id))
    message = nomsa.messages.get()
    assert (message.status, message.sid) == (Status.SENT, sid)
    assert message.details["status"] == "teleported"
    nomsa.messages.update(status=Status.UNKNOWN, try_at=timezone.now())
    deliver()
    assert sent_to(fake_twilio, nomsa) == ["Ready."]


def test_who_is_known_otherwise_by_now_is_looked_up_as_before_too(
    new_phone, fake_twilio, deliver, settings
):
    settings.LOOK_UP_AFTER_SECONDS = 100
    person = Contact.objects.create(user_id="ZA.1a2b3c")
    Conversation.objects.create(contact=person, heard_at=timezone.now())
    fake_twilio.trouble.once(trouble.cut())
    person.send("Ready.")
    deliver()
    new_phone().say("hi", ExternalUserId=person.user_id)
    person.refresh_from_db()
    assert person.address != person.user_id
    Message.objects.unsettled().update(try_at=timezone.now())
    deliver()
    assert len(fake_twilio.sent) == 1


def test_what_a_dead_worker_left_is_looked_up(nomsa, fake_twilio, deliver):
    """Killed after Twilio had it, and killed before."""
    nomsa.send("Ready.")
    (errand,) = outbox.claim(1)
    outbox._run(errand)
    assert deliver() == 0, "it is in hand until the claim runs out"
    nomsa.messages.update(try_at=timezone.now())
    deliver()
    assert sent_to(fake_twilio, nomsa) == ["Ready."]

    nomsa.send("Shipped.")
    outbox.claim(1)
    nomsa.messages.filter(body="Shipped.").update(try_at=timezone.now())
    deliver()
    assert sent_to(fake_twilio, nomsa) == ["Ready.", "Shipped."]
    assert statuses(nomsa) == [Status.SENT, Status.SENT]


def test_order_is_kept_while_an_earlier_one_is_retried(nomsa, fake_twilio, deliver, settings):
    settings.SEND_BACK_OFF_SECONDS = 0.02
    fake_twilio.trouble.once(trouble.too_many(0), trouble.cut(), trouble.failure(), trouble.reset())
    for number in range(5):
        nomsa.send(f"Message {number}")
    while nomsa.messages.exclude(status=Status.SENT).exists():
        outbox.drain(0.01)
    assert sent_to(fake_twilio, nomsa) == [f"Message {number}" for number in range(5)]


def test_one_person_in_trouble_holds_up_nobody_else(nomsa, new_phone, fake_twilio, deliver):
    other = Contact.objects.create(phone=new_phone().address)
    Conversation.objects.create(contact=other, heard_at=timezone.now())
    fake_twilio.trouble.always(trouble.too_many(1000), when=trouble.sends_to(nomsa.address))
    nomsa.send("One")
    other.send("Two")
    deliver()
    assert (statuses(nomsa), statuses(other)) == ([Status.QUEUED], [Status.SENT])


def test_replies_go_before_notices_and_bulk(nomsa, new_phone, settings):
    people = [Contact.objects.create(phone=new_phone().address) for _ in range(3)]
    for person, priority in zip(people, (2, 1, 0), strict=True):
        Conversation.objects.create(contact=person, heard_at=timezone.now())
        person.send("hello")
        person.messages.update(priority=priority)
    due = Message.objects.due(timezone.now())
    assert [message.priority for message in due] == [0, 1, 2]


def test_a_pause_between_two_to_one_person_but_not_for_replies(
    nomsa, phone, fake_twilio, deliver, settings
):
    settings.SEND_PAUSE_SECONDS = 60
    nomsa.send("One")
    nomsa.send("Two")
    deliver()
    assert statuses(nomsa) == [Status.SENT, Status.QUEUED]
    nomsa.answer("Three")
    assert deliver() == 0, "it is later in that person's line"
    Contact.objects.update(written_at=timezone.now() - timedelta(seconds=61))
    deliver()
    assert sent_to(fake_twilio, nomsa) == ["One", "Two", "Three"]


def test_no_more_than_the_rate(nomsa, fake_twilio, deliver, settings):
    nomsa.send("hello")
    deliver()  # Twilio's client is loaded: else the first one would be late, and near the others.
    settings.SEND_PER_SECOND = 50
    people = [Contact.objects.create(phone=f"+2783000{n:04}") for n in range(20)]
    for person in people:
        Conversation.objects.create(contact=person, heard_at=timezone.now())
        person.send("hello")
    began = time.monotonic()
    deliver()
    at = sorted(request.at for request in fake_twilio.requests)[-20:]
    assert all(one - began >= place / 50 - 0.05 for place, one in enumerate(at))


@pytest.mark.parametrize("rate", [0.1, 0.33, 1, 3])
def test_at_a_low_rate_nobody_waits_for_longer_than_the_claim_holds(new_phone, settings, rate):
    """It would be due again, and go out twice: Twilio's sandbox takes one in three seconds."""
    settings.SEND_PER_SECOND = rate
    for _ in range(20):
        person = Contact.objects.create(phone=new_phone().address)
        Conversation.objects.create(contact=person, heard_at=timezone.now())
        person.send("hello")
    errands = [errand for _ in range(3) for errand in outbox.claim(16)]
    assert errands
    assert max(errand.at for errand in errands) - time.time() <= 5
    Channel.objects.update(free_at=0)
    assert outbox.claim(16)


def test_short_replies_to_one_person_become_one_message(phone, fake_twilio, deliver, settings):
    settings.TWILIO_REPLY_WITH = "api"
    assert phone.say("hi") == []
    assert phone.say("3") == []
    contact = Contact.objects.get()
    one, two = contact.messages.filter(direction="out").order_by("pk")
    deliver()
    (sent,) = fake_twilio.sent
    assert sent.body == f"{one.body}\n\n{two.body}"
    Message.objects.take_report(DeliveryReport(sent.sid, "read", one.pk, Status.READ))
    out = contact.messages.filter(direction="out").order_by("pk")
    assert {m.status for m in out} == {Status.READ}
    # What it costs is asked for once.
    assert [m.price for m in out] == [None, 0]


def test_the_same_webhook_twice_sends_one_reply_by_rest(phone, fake_twilio, deliver, settings):
    settings.TWILIO_REPLY_WITH = "api"
    phone.say("hi", MessageSid="SM" + "1" * 32)
    phone.say("hi", MessageSid="SM" + "1" * 32)
    deliver()
    assert len(fake_twilio.sent) == 1


def test_the_same_webhook_after_a_reply_failed_brings_that_reply_alone(phone, fake_twilio, deliver):
    parameters = phone.parameters("hi")
    first = post(parameters)
    reply = Message.objects.get(direction="out")
    fault = DeliveryReport(
        "SM" + "a" * 32, "failed", message_id=reply.pk, status=Status.FAILED, error_code=63012
    )
    Message.objects.take_report(fault)
    assert post(parameters).content == first.content
    deliver()
    assert len(fake_twilio.sent) == 1


def test_who_hides_the_number_now_is_written_to_where_they_write_from(
    phone, new_phone, fake_twilio, deliver, settings
):
    settings.TWILIO_REPLY_WITH = "api"
    hidden = new_phone("ZA.nomsa1")
    for say in (
        lambda: phone.say("hi", ExternalUserId="ZA.nomsa1"),
        lambda: hidden.say("menu"),
        lambda: phone.say("menu", ExternalUserId="ZA.nomsa1"),
    ):
        say()
        deliver()
    assert Contact.objects.count() == 1
    assert [sent.to.removeprefix("whatsapp:") for sent in fake_twilio.sent] == [
        *(phone.address, hidden.address, phone.address),
    ]


def test_a_user_id_can_be_written_to(fake_twilio, deliver, db):
    person = Contact.objects.create(user_id="ZA.1a2b3c")
    Conversation.objects.create(contact=person, heard_at=timezone.now())
    person.send("hello")
    deliver()
    assert fake_twilio.sent[0].to == "whatsapp:ZA.1a2b3c"


# What fails ---------------------------------------------------------------------------------------


def test_a_refusal_is_final_and_says_why(nomsa, fake_twilio, deliver):
    fake_twilio.trouble.once(trouble.refusal(63003))
    nomsa.send("Ready.")
    deliver()
    message = nomsa.messages.get()
    assert (message.status, message.error_code) == (Status.FAILED, 63003)
    assert message.why == "This phone number is not on WhatsApp. (Twilio 63003)"


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("status", [403, 407, 408, 413, 425])
def test_what_a_proxy_refuses_goes_once_all_the_same(nomsa, fake_twilio, deliver, status, done):
    fake_twilio.trouble.once(trouble.html(status, done=done))
    nomsa.send("Ready.")
    deliver()
    assert sent_to(fake_twilio, nomsa) == ["Ready."]


def test_and_what_twilio_refuses_alike_is_refused(nomsa, fake_twilio, deliver):
    fake_twilio.trouble.always(trouble.refusal(21408, 403))
    nomsa.send("Ready.")
    assert deliver() == 1
    assert statuses(nomsa) == [Status.FAILED]


@pytest.mark.parametrize("code", [10**11, -5, "E1", None])
def test_a_refusal_with_a_strange_code_is_one_all_the_same(nomsa, fake_twilio, deliver, code):
    fake_twilio.trouble.once(trouble.refusal(code))
    (message,) = nomsa.send("Hello!")
    deliver()
    message.refresh_from_db()
    assert (message.status, message.error_code) == (Status.FAILED, None)


def test_a_failed_one_can_be_sent_again_once(nomsa, fake_twilio, deliver, admin_user):
    fake_twilio.trouble.once(trouble.refusal(63013))
    nomsa.send("Ready.")
    deliver()
    failed = nomsa.messages.get()
    again = failed.send_again(admin_user)
    assert failed.send_again(admin_user) is None
    deliver()
    again.refresh_from_db()
    assert (again.status, again.body, again.written_by) == (Status.SENT, "Ready.", admin_user)


def test_opted_out_at_twilio_is_noted_and_told_once(nomsa, phone, fake_twilio, deliver):
    fake_twilio.trouble.once(trouble.refusal(21610))
    nomsa.send("Ready.")
    deliver()
    nomsa.refresh_from_db()
    assert nomsa.opted_out_at
    (answer,) = phone.say("hi")
    assert "Send *start* to hear from us again" in answer
    (answer,) = phone.say("menu")
    assert "*start*" not in answer
    (answer,) = phone.say("start")
    assert "Welcome back" in answer


def test_who_stopped_gets_nothing_that_we_begin_but_is_answered(nomsa, phone, fake_twilio, deliver):
    nomsa.send("Queued before the stop.")
    phone.say("stop")
    nomsa.refresh_from_db()
    nomsa.send("Begun after the stop.")
    assert nomsa.notify(STAFF_MESSAGE, text="And this.") is None
    nomsa.answer("You asked, so here it is.")
    deliver()
    assert sent_to(fake_twilio, nomsa) == ["You asked, so here it is."]
    failed = nomsa.messages.filter(status=Status.FAILED)
    assert {message.why for message in failed} == {
        "The person has stopped our messages. (Twilio 21610)"
    }


def test_who_starts_again_while_we_find_that_they_had_stopped_has_started(nomsa, deliver):
    nomsa.send("Ready.")
    nomsa.opt_out(told=True)
    message = Message.objects.select_related("contact").get()
    nomsa.opt_in()
    assert outbox._pack(message) is None
    nomsa.refresh_from_db()
    assert not nomsa.opted_out_at


@pytest.mark.parametrize("code", [20003, 0])
def test_wrong_credentials_raise_one_alarm_and_nothing_is_lost(
    nomsa, fake_twilio, deliver, code, told
):
    fake_twilio.trouble.always(trouble.refusal(code, 401))
    for number in range(5):
        nomsa.send(f"Message {number}")
    mailed = []
    for _ in range(5):
        Channel.objects.update(try_at=timezone.now())
        Message.objects.filter(status=Status.QUEUED).update(try_at=timezone.now())
        outbox.drain(0.01)
        mailed += told()
    assert ["does not accept our account SID" in one.body for one in mailed] == [True]
    assert Channel.objects.ours().trouble
    fake_twilio.trouble.stop()
    Channel.objects.update(try_at=timezone.now())
    deliver()
    assert sent_to(fake_twilio, nomsa) == [f"Message {number}" for number in range(5)]
    assert not Channel.objects.ours().trouble


@pytest.fixture
def stopped(told):
    """Twilio takes nothing from us, and staff are to be told."""
    Channel.objects.locked().stop(20003)


def later(**how_much):
    return time_machine.travel(timezone.now() + timedelta(**how_much))


def test_an_alarm_that_no_mail_server_takes_is_logged_and_raised_again(
    stopped, told, settings, log
):
    mails = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    assert not told()
    assert [line["error"] for line in log if "mail" in line["event"]] == ["ConnectionRefusedError"]
    settings.EMAIL_BACKEND = mails
    assert not told()
    with later(minutes=2):
        assert len(told()) == 1
        assert not told()


def test_an_alarm_is_raised_again_that_was_being_mailed_when_the_worker_died(
    stopped, told, monkeypatch
):
    class Killed(BaseException):
        """Nothing of ours runs after it."""

    def die(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("whatsapp_bot.models.channel.tell_staff", die)
        with pytest.raises(Killed):
            Channel.objects.mail()
    with later(minutes=2):
        assert len(told()) == 1


def test_two_workers_raise_one_alarm(stopped):
    first, second = Channel.objects.get(), Channel.objects.get()
    first.mail()
    second.mail()
    assert len(mail.outbox) == 1


def test_what_is_over_before_staff_were_told_raises_no_alarm_but_the_next_does(stopped, told):
    Channel.objects.ours().go_on()
    assert not told()
    Channel.objects.locked().stop(20003)
    assert len(told()) == 1


def test_a_suspended_account_stops_the_number_and_wakes_nobody_until_it_is_probed(
    nomsa, fake_twilio, deliver
):
    fake_twilio.trouble.always(trouble.refusal(20005, 401))
    nomsa.send("One")
    outbox.drain(0.01)
    assert "not active" in Channel.objects.ours().trouble
    DBTaskResult.objects.all().delete()
    sweep.wake_the_outbox()
    assert not DBTaskResult.objects.exists()
    fake_twilio.trouble.stop()
    Channel.objects.update(try_at=timezone.now())
    sweep.wake_the_outbox()
    assert DBTaskResult.objects.ready().count() == 1
    deliver()
    assert sent_to(fake_twilio, nomsa) == ["One"]


def test_what_was_on_its_way_before_is_no_sign_that_all_is_well(nomsa, new_phone, deliver):
    other = Contact.objects.create(phone=new_phone().address)
    Conversation.objects.create(contact=other, heard_at=timezone.now())
    nomsa.send("One")
    other.send("Two")
    one, two = outbox.claim(2)
    outbox.settle([(one, Misconfigured(20003)), (two, Sent("SM" + "1" * 32))])
    assert Channel.objects.ours().trouble


def test_a_fault_of_our_set_up_that_shows_later_raises_one_alarm_and_loses_nothing(
    nomsa, fake_twilio, deliver, told
):
    nomsa.send("Ready.")
    mailed = []
    for _ in range(3):
        deliver()
        sent = nomsa.messages.filter(status=Status.SENT).get()
        report = DeliveryReport(sent.sid, "undelivered", None, Status.FAILED, 63001)
        Message.objects.take_report(report)
        assert not mail.outbox[len(mailed) :], "a web server takes reports, and would be held up"
        mailed += told()
        Channel.objects.update(try_at=timezone.now())
    assert len(mailed) == 1
    assert "registration is not complete" in Channel.objects.ours().trouble
    deliver()
    assert nomsa.messages.latest("pk").status == Status.SENT


@pytest.mark.parametrize("status", [400, 429])
def test_what_may_not_go_today_goes_tomorrow(
    nomsa, new_phone, fake_twilio, deliver, status, settings
):
    other = Contact.objects.create(phone=new_phone().address)
    Conversation.objects.create(contact=other, heard_at=timezone.now())
    fake_twilio.trouble.always(trouble.refusal(63038, status))
    nomsa.send("One")
    other.send("Two")
    for _ in range(2 * settings.SEND_ATTEMPTS):
        outbox.drain(0.01)
        Channel.objects.update(try_at=timezone.now())
    assert "within 24 hours" in Channel.objects.ours().trouble
    asked = len(fake_twilio.requests)
    fake_twilio.trouble.stop()
    deliver()
    assert statuses(nomsa) == statuses(other) == [Status.SENT]
    assert len(fake_twilio.requests) == asked + 2, "nobody asks about it twice"


def test_what_shows_only_later_to_be_too_much_for_today_is_tried_for_little_more_than_a_day(
    nomsa, fake_twilio, deliver, usual_waits
):
    nomsa.send("Ready.")
    began = timezone.now()
    with time_machine.travel(began, tick=False) as clock:
        while message := nomsa.messages.filter(try_at__isnull=False).first():
            clock.move_to(max(message.try_at, timezone.now()))
            Channel.objects.update(try_at=timezone.now())
            Conversation.objects.update(heard_at=timezone.now())
            deliver()
            sent = nomsa.messages.filter(status=Status.SENT).get()
            report = DeliveryReport(sent.sid, "undelivered", None, Status.FAILED, 63038)
            Message.objects.take_report(report)
        assert timedelta(hours=24) < timezone.now() - began < timedelta(hours=48)
    assert len(fake_twilio.sent) == 8


def test_a_queue_at_twilio_that_is_full_is_waited_for(nomsa, fake_twilio, deliver):
    fake_twilio.trouble.once(trouble.refusal(21611))
    nomsa.send("Ready.")
    deliver()
    sent = nomsa.messages.get(status=Status.SENT)
    report = DeliveryReport(sent.sid, "failed", None, Status.FAILED, 30001)
    Message.objects.take_report(report)
    deliver()
    assert sent_to(fake_twilio, nomsa) == ["Ready.", "Ready."]


def test_who_was_too_slow_undoes_nothing(nomsa, fake_twilio, deliver):
    nomsa.send("Ready.")
    (slow,) = outbox.claim(1)
    nomsa.messages.update(status=Status.QUEUED, try_at=timezone.now())
    (quick,) = outbox.claim(1)
    outbox.settle([(slow, Later())])
    assert statuses(nomsa) == [Status.SENDING]
    outbox.settle([(quick, outbox._run(quick))])
    assert statuses(nomsa) == [Status.SENT]


def test_who_wakes_after_the_claim_ran_out_hands_nothing_over(
    nomsa, fake_twilio, deliver, settings
):
    nomsa.send("Ready.")
    (asleep,) = outbox.claim(1)
    settings.SEND_CLAIM_SECONDS = 0
    assert outbox._run(asleep) == Unknown()
    assert fake_twilio.sent == []


def test_what_was_taken_for_lost_and_left_all_the_same_goes_once(nomsa, fake_twilio, deliver):
    nomsa.send("Ready.")
    (slow,) = outbox.claim(1)
    nomsa.messages.update(try_at=timezone.now())
    (looking,) = outbox.claim(1)
    outbox.settle([(looking, outbox._run(looking))])
    assert statuses(nomsa) == [Status.QUEUED]
    outbox.settle([(slow, outbox._run(slow))])
    assert statuses(nomsa) == [Status.SENT]
    deliver()
    assert sent_to(fake_twilio, nomsa) == ["Ready."]


def test_an_error_code_of_zero_is_none(nomsa):
    first, second = nomsa.send("Ready.") + nomsa.send("Shipped.")
    for message, code in ((first, 0), (second, None)):
        report = DeliveryReport(f"SM{message.pk:032}", "failed", status=Status.FAILED)
        Message.objects.take_report(replace(report, message_id=message.pk, error_code=code))
    assert set(nomsa.messages.values_list("status", "error_code")) == {(Status.FAILED, None)}


@pytest.mark.parametrize("code", [63014, 63033])
def test_who_blocks_us_is_noted_by_the_report_of_it(nomsa, deliver, tell, code):
    (message,) = nomsa.send("Ready.")
    deliver()
    tell(message, "undelivered", code)
    nomsa.refresh_from_db()
    assert nomsa.opted_out_at
    assert "blocked our number" in nomsa.messages.get().why


def test_a_trial_says_that_the_sandbox_is_to_be_joined_again(nomsa, deliver, tell):
    (message,) = nomsa.send("Ready.")
    deliver()
    tell(message, "undelivered", 63015)
    assert "send the join code again" in nomsa.messages.get().why


@pytest.mark.parametrize("code", [63012, 63018])
def test_a_later_report_of_trouble_is_tried_again(nomsa, fake_twilio, deliver, code):
    nomsa.send("Ready.")
    deliver()
    message = nomsa.messages.get()
    report = DeliveryReport(message.sid, "undelivered", None, Status.FAILED, code)
    for _ in range(3):
        Message.objects.take_report(report)
    deliver()
    assert statuses(nomsa) == [Status.FAILED, Status.SENT]
    assert len(fake_twilio.sent) == 2


@pytest.fixture
def tell(deliver):
    """Have Twilio report of a message."""

    def tell(message, word, code=None):
        message.refresh_from_db()
        status = Status.FAILED if word == "undelivered" else Status(word)
        report = DeliveryReport(message.sid, word, status=status, error_code=code)
        Message.objects.take_report(report)

    return tell


@pytest.mark.parametrize("code", [63012, 63016, 63018])
def test_what_failed_for_one_device_and_arrived_at_another_is_read_once(
    nomsa, phone, fake_twilio, deliver, tell, code
):
    (message,) = nomsa.send("Ready.")
    deliver()
    tell(message, "undelivered", code)
    tell(message, "delivered")
    tell(message, "read")
    phone.say("hi")
    deliver()
    assert sent_to(fake_twilio, nomsa) == ["Ready."]
    first, again = nomsa.messages.filter(body="Ready.").order_by("pk")
    assert (first.status, again.status) == (Status.READ, Status.FAILED)
    assert "had arrived after all" in again.why
    assert not again.can_be_sent_again
    assert not Message.objects.failed().exists()
    assert failed_lately() == 0


def test_what_arrives_after_it_was_sent_again_twice_calls_off_the_last(
    nomsa, fake_twilio, deliver, tell
):
    (message,) = nomsa.send("Ready.")
    deliver()
    tell(message, "undelivered", 63012)
    deliver()
    tell(nomsa.messages.latest("pk"), "undelivered", 63012)
    tell(message, "delivered")
    deliver()
    assert len(fake_twilio.sent) == 2
    assert statuses(nomsa) == [Status.DELIVERED, Status.FAILED, Status.FAILED]


def test_what_has_left_again_already_is_left_alone(nomsa, fake_twilio, deliver, tell):
    (message,) = nomsa.send("Ready.")
    deliver()
    tell(message, "undelivered", 63012)
    outbox.claim(1)
    tell(message, "delivered")
    assert statuses(nomsa) == [Status.DELIVERED, Status.SENDING]


def test_what_was_to_go_with_a_reply_that_is_called_off_goes_by_itself(
    phone, fake_twilio, deliver, tell, settings
):
    settings.TWILIO_REPLY_WITH = "api"
    phone.say("hi")
    deliver()
    first = Message.objects.get(direction="out")
    tell(first, "undelivered", 63012)
    phone.say("3")
    fake_twilio.trouble.once(trouble.too_many(retry_after=60))
    deliver()
    assert "carries" in Message.objects.get(details__again_of=first.pk).details
    tell(first, "delivered")
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        deliver()
    answer = Message.objects.filter(direction="out").latest("pk")
    assert [sent.body for sent in fake_twilio.sent] == [first.body, answer.body]


def test_what_we_gave_up_may_turn_out_to_have_arrived(nomsa, deliver):
    (message,) = nomsa.send("Ready.")
    message.settle(Status.FAILED, why="Nobody knows.")
    sid = "SM" + "7" * 32
    Message.objects.take_report(DeliveryReport(sid, "delivered", message.pk, Status.DELIVERED))
    message.refresh_from_db()
    assert (message.status, message.sid, message.why) == (Status.DELIVERED, sid, "")
    Message.objects.take_report(DeliveryReport(sid, "failed", message.pk, Status.FAILED, 63016))
    assert nomsa.messages.get().status == Status.DELIVERED


@pytest.mark.parametrize("status", [Status.QUEUED, Status.UNKNOWN])
def test_one_that_cannot_be_packed_holds_up_no_others(
    nomsa, new_phone, fake_twilio, deliver, monkeypatch, status
):
    (broken,) = nomsa.send("Ready.")
    Message.objects.update(status=status, try_at=timezone.now())
    other = Contact.objects.create(phone=new_phone().address)
    Conversation.objects.create(contact=other, heard_at=timezone.now())
    other.send("Shipped.")
    parcel = outbox._parcel

    def stumble(message):
        if message.pk == broken.pk:
            raise AttributeError
        return parcel(message)

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "_parcel", stumble)
        deliver()
    assert [sent.body for sent in fake_twilio.sent] == ["Shipped."]
    broken.refresh_from_db()
    assert (broken.status, broken.attempts) == (status, 0)
    with time_machine.travel(timezone.now() + outbox.A_WHILE):
        deliver()
    assert sent_to(fake_twilio, nomsa) == ["Ready."]


def test_strange_texts_arrive_clean(nomsa, fake_twilio, deliver):
    nomsa.send("a\x00b\u202ec\ufffe {0.__class__} <b> " + "x" * 3000)
    deliver()
    first, second = fake_twilio.sent
    assert first.body.startswith("abc {0.__class__} <b>")
    assert len(first.body) <= 1600
    assert nomsa.messages.count() == 2
    assert second.body.endswith("x")


def test_fates_come_back_by_reports(nomsa, fake_twilio, deliver, settings, client):
    """The whole way: the reports that Twilio would send are brought to our own door."""
    brought = []
    fake_twilio.webhooks.send = lambda delivery, address, overrides: brought.append(delivery)
    fake_twilio.fate = Fate(("sent", "delivered", "read"), shuffled=True, doubled=True)
    nomsa.send("Ready.")
    deliver()
    fake_twilio.webhooks.settle()
    for delivery in brought:
        path = delivery.url.removeprefix(settings.PUBLIC_URL)
        answer = client.post(
            path,
            urlencode(delivery.parameters),
            content_type="application/x-www-form-urlencoded",
            headers={"x-twilio-signature": delivery.headers["X-Twilio-Signature"]},
        )
        assert answer.status_code == 204
    assert statuses(nomsa) == [Status.READ]
