"""Asking Twilio what we missed: after an outage of any length nothing is missing."""

from datetime import datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import IntegrityError
from django.utils import timezone

from whatsapp_bot import outbox, receiving, reconcile, sweep, tasks
from whatsapp_bot.delivery import Status
from whatsapp_bot.fake_twilio import FakeTwilio, Fate, Media
from whatsapp_bot.fake_twilio import trouble as troubles
from whatsapp_bot.fake_twilio.memory import Message as AtTwilio
from whatsapp_bot.inbound import Kind
from whatsapp_bot.models import Channel, Contact, Conversation, HelpRequest, Message
from whatsapp_bot.simulator import phone as simulator
from whatsapp_bot.texts import EMERGENCY, LATE, LATE_FOR_TEAM
from whatsapp_bot.twilio import rest

pytestmark = pytest.mark.django_db
ANNA, BEN, CARL = "+27821110001", "+27821110002", "ZA.carl3"


@pytest.fixture(autouse=True)
def twilio(fake_twilio: FakeTwilio, settings):
    settings.TWILIO_API_URL = fake_twilio.url
    yield fake_twilio
    rest.close()


def lost(twilio: FakeTwilio, from_: str, body: str = "", minutes: float = 5, **more) -> AtTwilio:
    """Somebody wrote so long ago, and no webhook reached us."""
    message = twilio.receive(from_, body, post_to="", **more)
    message.sent = message.created = message.sent - timedelta(minutes=minutes)
    return message


def heard() -> list[str]:
    return list(
        Message.objects.filter(direction="in").order_by("pk").values_list("body", flat=True)
    )


def lists_of(twilio: FakeTwilio, whom: str = "To") -> list[dict[str, str]]:
    """The filters of each time that the messages to us were listed."""
    listed = [one.query for one in twilio.requests if one.route == "Messages"]
    return [query for query in listed if whom in query]


# What people wrote -------------------------------------------------------------------------------


def test_after_an_outage_every_message_is_stored_and_answered_in_order(twilio):
    lost(twilio, BEN, "hello", 9)
    lost(twilio, ANNA, "hi", 10)
    lost(twilio, CARL, "hi", 8.5)
    lost(twilio, ANNA, "menu", 8)

    found = reconcile.run()
    assert vars(found) == {
        "fetched": 4,
        "answered": 4,
        "silent": 0,
        "late": 0,
        "failed": 0,
        "left": 0,
        "completed": 0,
    }
    assert heard() == ["hi", "hello", "hi", "menu"]
    for address in (ANNA, BEN, CARL):
        outbox.drain()
        (reply,) = twilio.sent_to(address)[:1]
        assert "1. " in reply.body
    assert not Message.objects.filter(direction="out").exclude(status=Status.SENT).exists()
    anna = Contact.objects.get(phone=ANNA)
    first, second = anna.messages.filter(direction="in").order_by("pk")
    assert second.created_at - first.created_at == timedelta(minutes=2)
    assert anna.conversation.heard_at == second.created_at


def test_of_one_second_the_first_comes_first(twilio):
    for number in range(5):
        lost(twilio, ANNA, f"line {number}", 3)
    reconcile.run()
    assert heard() == [f"line {number}" for number in range(5)]


def test_what_the_webhook_brought_is_left_alone(twilio):
    message = lost(twilio, ANNA, "hi", 2)
    webhook_of(message)
    assert reconcile.run().fetched == 0
    assert heard() == ["hi"]


def test_the_webhook_that_comes_after_all_has_no_second_answer(twilio):
    message = lost(twilio, ANNA, "hi", 2)
    reconcile.run()
    assert simulator.replies(webhook_of(message)) == []
    assert heard() == ["hi"]
    assert Message.objects.filter(direction="out").count() == 1


def test_a_webhook_at_the_same_time_gives_one_row(twilio, monkeypatch):
    message = lost(twilio, ANNA, "hi", 1)
    fetch = rest.incoming

    def slowly(arrived):
        webhook_of(message)
        return fetch(arrived)

    monkeypatch.setattr(rest, "incoming", slowly)
    assert reconcile.run().fetched == 0
    assert heard() == ["hi"]
    assert Message.objects.get(direction="out").status == Status.SENT


def test_what_is_perhaps_on_its_way_is_left_to_the_webhook_for_a_minute(twilio):
    lost(twilio, ANNA, "first", 1)
    young = lost(twilio, ANNA, "second", 0.1)
    found = reconcile.run()
    assert (found.fetched, found.left) == (1, 1)
    assert Channel.objects.get().reconciled_at
    a_minute_later()
    assert Channel.objects.left_reconciling().exists()
    young.sent -= timedelta(minutes=1)
    assert reconcile.run().fetched == 1
    assert heard() == ["first", "second"]
    assert not Channel.objects.left_reconciling().exists()


def webhook_of(message: AtTwilio):
    address = message.from_.removeprefix("whatsapp:")
    parameters = simulator.Phone(address).parameters(message.body, MessageSid=message.sid)
    return simulator.post(parameters)


def test_a_dialogue_goes_on_over_what_was_lost(twilio, new_phone, worker, phone):
    phone.say("hi")
    Conversation.objects.update(heard_at=timezone.now() - timedelta(minutes=3))
    lost(twilio, phone.address, "2", 2)
    lost(twilio, phone.address, "1", 1)
    reconcile.run()
    texts = worker.messages.filter(direction="out").order_by("pk").values_list("body", flat=True)
    assert len(texts) == 3
    assert "describe the defect" in texts[2]


def test_what_was_overtaken_is_no_answer_to_what_was_asked_since(twilio, phone):
    for text in ("hi", "2", "1"):
        phone.say(text)
    before = Conversation.objects.get()
    lost(twilio, phone.address, "See you tomorrow", 30)
    reconcile.run()
    kept = Message.objects.get(body="See you tomorrow")
    assert "after what the person wrote later" in kept.why
    assert not kept.replies.exists()
    after = Conversation.objects.get()
    assert (after.flow, after.state) == (before.flow, before.state)


def test_files_come_with_their_messages(twilio):
    picture = Media("image/jpeg", b"x")
    message = lost(twilio, ANNA, "a scratch", media=[picture])
    drawing = lost(twilio, BEN, "drawing.pdf", media=[Media("application/pdf", b"x")])
    lost(twilio, CARL, "", media=[Media("audio/ogg", b"x")])
    lost(twilio, CARL, "")

    reconcile.run()
    stored = Message.objects.get(sid=message.sid)
    assert (stored.kind, stored.body) == (Kind.IMAGE, "a scratch")
    (file,) = stored.media.all()
    assert (file.url, file.said_type) == (twilio.media_address(message, picture), "image/jpeg")
    document = Message.objects.get(sid=drawing.sid)
    assert (document.kind, document.details["FileName"]) == (Kind.DOCUMENT, "drawing.pdf")
    kinds = Message.objects.filter(contact__user_id=CARL, direction="in").values_list(
        "kind", flat=True
    )
    assert set(kinds) == {Kind.AUDIO, Kind.OTHER}


def test_a_name_that_we_know_stays(twilio, new_phone):
    new_phone(ANNA, name="Anna").say("hi")
    lost(twilio, ANNA, "menu")
    reconcile.run()
    assert Contact.objects.get(phone=ANNA).name == "Anna"


# Too late for an answer --------------------------------------------------------------------------


def test_what_is_too_old_is_stored_and_not_answered(twilio, settings, phone):
    settings.RECONCILE_ANSWER_WITHIN_MINUTES = 30
    phone.say("hi")
    before = Conversation.objects.get()
    Conversation.objects.update(heard_at=timezone.now() - timedelta(hours=2))
    message = lost(twilio, phone.address, "2", 31)
    lost(twilio, BEN, "hi", 40)

    found = reconcile.run()
    assert (found.fetched, found.answered, found.late) == (2, 0, 2)
    after = Conversation.objects.get(contact=before.contact)
    assert (after.flow, after.state) == (before.flow, before.state)
    assert after.heard_at == message.sent
    stored = Message.objects.get(sid=message.sid)
    assert (stored.status, stored.why) == (Status.RECEIVED, reconcile.TOO_LATE)
    assert stored.created_at == message.sent
    outbox.drain()
    assert twilio.sent == []
    assert "1. " in new_words(BEN)


def new_words(address: str) -> str:
    return "\n".join(simulator.Phone(address).say("hello there, anybody?"))


def test_a_late_stop_is_a_stop(twilio, phone):
    phone.say("hi")
    lost(twilio, BEN, "STOP", 300)
    lost(twilio, phone.address, "stop", 300)
    reconcile.run()
    ben = Contact.objects.get(phone=BEN)
    assert ben.opted_out_at
    assert not ben.opt_out_told
    # This one has written since, and is as who said hi after a stop.
    assert Contact.objects.get(phone=phone.address).opted_out_at


def test_a_late_stop_or_start_is_none_when_the_other_was_said_since(twilio, phone, new_phone):
    phone.say("hi")
    phone.say("start")
    lost(twilio, phone.address, "stop", 300)
    other = new_phone()
    other.say("hi")
    other.say("stop")
    lost(twilio, other.address, "start", 300)
    assert reconcile.run().late == 2
    assert not Contact.objects.get(phone=phone.address).opted_out_at
    assert Contact.objects.get(phone=other.address).opted_out_at


def test_a_stop_that_was_overtaken_by_a_minute_is_a_stop(twilio, phone):
    phone.say("hi")
    lost(twilio, phone.address, "STOP", 2)
    phone.say("are you there?")
    assert reconcile.run().fetched == 1
    assert Contact.objects.get().opted_out_at


def test_what_waited_for_the_person_goes_while_the_window_is_open(twilio):
    ben = Contact.objects.create(phone=BEN)
    anna = Contact.objects.create(phone=ANNA)
    waiting = [ben.send("Your order is ready.")[0], anna.send("Yours too.")[0]]
    assert [one.status for one in waiting] == [Status.WAITING] * 2
    lost(twilio, BEN, "any news?", 300)
    lost(twilio, ANNA, "any news?", 25 * 60)
    reconcile.run(timezone.now() - timedelta(days=3))
    outbox.drain()
    assert [one.body for one in twilio.sent] == ["Your order is ready."]


@pytest.fixture
def after_outage():
    """What came before it is all here."""
    channel = Channel.objects.ours()
    channel.end_reconciling(timezone.now() - timedelta(hours=20), again_soon=False)


def left_for_team() -> list[str]:
    return list(HelpRequest.objects.order_by("pk").values_list("text", flat=True))


def test_a_late_answer_to_staff_reaches_them_and_the_person_hears_once_that_it_was_late(
    twilio, after_outage, phone, deliver
):
    phone.say("hi")
    contact = Contact.objects.get()
    contact.send("How many parts?")
    deliver()
    asked = [one.body for one in twilio.sent]
    Message.objects.update(created_at=timezone.now() - timedelta(hours=5))
    Conversation.objects.update(heard_at=timezone.now() - timedelta(hours=5))
    lost(twilio, phone.address, "About 12", 95)
    lost(twilio, phone.address, "or 13", 90)
    lost(twilio, BEN, "hi", 100)
    for _ in range(2):
        reconcile.run()
        deliver()
    assert left_for_team() == ["About 12\nor 13"]
    assert [one.body for one in twilio.sent_to(phone.address)] == [*asked, LATE_FOR_TEAM()]
    assert [one.body for one in twilio.sent_to(BEN)] == [LATE()]
    lost(twilio, phone.address, "I have not heard from you", 85)
    reconcile.run()
    deliver()
    assert len(twilio.sent_to(BEN)) == 1
    assert "*Defects*" in "".join(phone.say("menu") + phone.say("2"))


@pytest.mark.parametrize("words", ["can I speak to a person", "can somebody call me back"])
def test_who_asks_for_a_person_too_late_reaches_the_team(twilio, words):
    lost(twilio, ANNA, words, 90)
    reconcile.run()
    assert left_for_team() == [words]


def test_late_photos_reach_the_team_as_one_request(twilio):
    for minutes in (91, 90):
        lost(twilio, ANNA, "", minutes, media=[Media("image/jpeg", b"x")])
    reconcile.run()
    assert left_for_team() == ["📎\n📎"]


def test_whoever_tells_of_an_emergency_hears_whom_to_call_however_late(
    twilio, after_outage, deliver
):
    for text, minutes in (("fire in hall 2, man down", 82), ("man down!", 81), ("please", 80)):
        lost(twilio, ANNA, text, minutes)
    for _ in range(2):
        reconcile.run()
        deliver()
    assert [one.body for one in twilio.sent] == [EMERGENCY(), LATE_FOR_TEAM()]
    assert left_for_team() == ["🚨 fire in hall 2, man down\nman down!"]


def test_and_when_the_person_has_written_since_but_once(twilio, phone, deliver):
    lost(twilio, phone.address, "man down", 10)
    phone.say("is anybody there?")
    reconcile.run()
    deliver()
    assert [one.body for one in twilio.sent] == [EMERGENCY()]
    lost(twilio, phone.address, "fire", 8)
    phone.say("fire in hall 2")
    reconcile.run()
    deliver()
    assert len(twilio.sent) == 1


def test_but_not_when_that_is_a_day_ago_or_we_have_blocked_the_person(twilio, phone, deliver):
    phone.say("hi")
    Contact.objects.get().block()
    lost(twilio, phone.address, "man down", 90)
    lost(twilio, ANNA, "man down", 26 * 60)
    reconcile.run(timezone.now() - timedelta(days=2))
    deliver()
    assert not Message.objects.filter(body=EMERGENCY()).exists()


def test_who_is_told_that_it_came_late_is_told_that_the_team_has_it(twilio, after_outage, deliver):
    lost(twilio, ANNA, "", 91, media=[Media("image/jpeg", b"x")])
    lost(twilio, ANNA, "thanks", 90)
    lost(twilio, BEN, "can I speak to a person", 90)
    lost(twilio, CARL, "hi", 90)
    reconcile.run()
    deliver()
    told = [[one.body for one in twilio.sent_to(person)] for person in (ANNA, BEN, CARL)]
    assert told == [[LATE_FOR_TEAM()], [LATE_FOR_TEAM()], [LATE()]]


@pytest.mark.parametrize("text", ["menu", "thanks", "2", "stop", "hi"])
def test_what_is_nothing_for_people_is_left_for_nobody(twilio, phone, text):
    phone.say("hi")
    Contact.objects.get().send("Your gloves are here.")
    lost(twilio, phone.address, text, 90)
    reconcile.run()
    assert left_for_team() == []


def test_nor_is_the_late_answer_to_a_question_of_a_report(twilio, phone, worker):
    worker.send("Your gloves are here.")
    for text in ("menu", "2", "1"):
        phone.say(text)
    lost(twilio, phone.address, "Scratch on the housing", 90)
    reconcile.run()
    assert left_for_team() == []


def test_nobody_who_is_blocked_reaches_the_team(twilio, phone):
    phone.say("hi")
    Contact.objects.get().block()
    lost(twilio, phone.address, "", 90, media=[Media("image/jpeg", b"x")])
    reconcile.run()
    assert left_for_team() == []


def test_who_has_written_since_needs_no_word_about_it(twilio, after_outage, phone, deliver):
    lost(twilio, phone.address, "hi", 90)
    phone.say("hi")
    lost(twilio, ANNA, "hi", 90)
    lost(twilio, ANNA, "anybody?", 30)
    lost(twilio, BEN, "stop", 90)
    lost(twilio, CARL, "hi", 26 * 60)
    reconcile.run(timezone.now() - timedelta(days=2))
    deliver()
    assert LATE() not in [one.body for one in twilio.sent]


def test_what_was_written_before_we_had_the_number_is_apologized_for_to_nobody(twilio, deliver):
    lost(twilio, ANNA, "hi", 90)
    reconcile.run()
    deliver()
    assert not twilio.sent


def test_who_wrote_too_late_hears_so_also_when_twilio_then_cannot_be_asked(
    twilio, after_outage, deliver
):
    lost(twilio, ANNA, "hi", 90)
    photo = lost(twilio, BEN, "", 80, media=[Media("image/jpeg", b"x")])
    twilio.trouble.always(
        troubles.too_many(0), when=lambda request: f"{photo.sid}/Media" in request.path
    )
    with pytest.raises(rest.Unreachable):
        reconcile.run()
    twilio.trouble.stop()
    for _ in range(2):
        deliver()
        assert [one.body for one in twilio.sent_to(ANNA)] == [LATE()]
        a_minute_later()
        reconcile.run()


def test_and_when_whoever_took_it_in_was_killed(twilio, after_outage, deliver, monkeypatch):
    def die(errand, *arguments):
        raise SystemExit

    lost(twilio, ANNA, "hi", 90)
    monkeypatch.setattr(reconcile._Errand, "apologize", die)
    with pytest.raises(SystemExit):
        reconcile.run()
    monkeypatch.undo()
    for _ in range(2):
        a_minute_later()
        reconcile.run()
        deliver()
    assert [one.body for one in twilio.sent] == [LATE()]


def test_the_history_before_the_first_day_stays_where_it_is(twilio):
    lost(twilio, ANNA, "long ago", 25 * 60)
    lost(twilio, ANNA, "yesterday", 23 * 60)
    assert reconcile.run().late == 1
    assert heard() == ["yesterday"]


def test_three_days_away(twilio):
    Channel.objects.ours()
    Channel.objects.update(reconciled_at=timezone.now() - timedelta(hours=71.9))
    for hours in (71, 50, 49, 30, 2, 0.5):
        lost(twilio, ANNA, f"{hours} hours ago", hours * 60)
    found = reconcile.run()
    assert (found.fetched, found.late, found.answered) == (6, 5, 1)
    assert heard() == [f"{hours} hours ago" for hours in (71, 50, 49, 30, 2, 0.5)]
    assert len(lists_of(twilio)) == 3


# Since when --------------------------------------------------------------------------------------


def test_the_next_run_begins_where_the_last_one_ended(twilio):
    before = timezone.now()
    reconcile.run()
    done = Channel.objects.get().reconciled_at
    assert before - reconcile.OVERLAP <= done <= timezone.now() - reconcile.OVERLAP
    reconcile.run()
    since = datetime.fromisoformat(lists_of(twilio)[-1]["DateSent>"])
    assert since == done.replace(microsecond=0)


def test_a_normal_run_is_a_few_queries(twilio, django_assert_max_num_queries):
    for number in range(60):
        lost(twilio, f"+2782111{number:04}", "hi")
    reconcile.run()
    with django_assert_max_num_queries(8):
        reconcile.run()


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_trouble_half_way_is_made_good_by_the_next_run_in_order(twilio, nth):
    for minutes in (50, 40, 30):
        lost(twilio, ANNA, f"{minutes}", minutes, media=[Media("image/jpeg", b"x")])
    lost(twilio, BEN, "20", 20)
    twilio.trouble.once(*[None] * nth, troubles.failure(), when=troubles.anything)
    assert reconcile.run().failed == 4 - nth
    assert heard()[-1] == "20", "others do not wait for it"
    assert Channel.objects.get().reconciled_at is None
    assert reconcile.run().failed == 0
    assert [body for body in heard() if body != "20"] == ["50", "40", "30"]


def test_when_the_list_fails_it_is_asked_for_again_in_a_minute(twilio):
    for minutes in (50, 40, 30):
        lost(twilio, ANNA, f"{minutes}", minutes, media=[Media("image/jpeg", b"x")])
    twilio.trouble.once(troubles.failure(), when=troubles.anything)
    with pytest.raises(rest.Unreachable, match="500"):
        reconcile.run()
    channel = Channel.objects.get()
    assert channel.reconciled_at is None
    assert reconcile.run() is None, "it leaves Twilio alone for a minute"
    assert not Channel.objects.left_reconciling().exists()
    a_minute_later()
    assert Channel.objects.left_reconciling().exists()
    reconcile.run()
    assert heard() == ["50", "40", "30"]
    assert not Channel.objects.left_reconciling().exists()


def a_minute_later() -> None:
    Channel.objects.update(reconciling_until=timezone.now() - timedelta(seconds=1))


@pytest.mark.parametrize(
    "trouble", [troubles.html(200), troubles.cut(), troubles.reset(), troubles.refusal(20003, 401)]
)
def test_any_trouble_is_one_exception(twilio, trouble):
    twilio.trouble.always(trouble, when=troubles.anything)
    with pytest.raises(rest.Unreachable):
        reconcile.run()


def test_who_died_blocks_nobody_for_long(twilio):
    lost(twilio, ANNA, "hi")
    assert Channel.objects.ours().begin_reconciling()
    assert reconcile.run() is None
    a_minute_later()
    assert reconcile.run().fetched == 1


def test_whoever_is_killed_half_way_has_done_nothing_twice(twilio, monkeypatch):
    for minutes in (3, 2, 1):
        lost(twilio, ANNA, f"{minutes}", minutes)
    stopped = lost(twilio, BEN, "hi", 2.5)
    receive = receiving.receive

    def dying(incoming):
        answer = receive(incoming)
        if incoming.sid == stopped.sid:
            raise SystemExit
        return answer

    monkeypatch.setattr(receiving, "receive", dying)
    with pytest.raises(SystemExit):
        reconcile.run()
    assert heard() == ["3", "hi"]
    monkeypatch.undo()
    a_minute_later()
    assert reconcile.run().fetched == 2
    assert heard() == ["3", "hi", "2", "1"]
    replies = Message.objects.filter(direction="out").values_list("in_reply_to", flat=True)
    assert len(replies) == len(set(replies))


def test_one_that_cannot_be_stored_stops_no_other_and_is_tried_again(twilio, monkeypatch):
    bad = lost(twilio, ANNA, "bad", 3)
    lost(twilio, ANNA, "good", 2)
    receive = receiving.receive

    def strict(incoming):
        if incoming.sid == bad.sid:
            raise IntegrityError
        return receive(incoming)

    monkeypatch.setattr(receiving, "receive", strict)
    assert reconcile.run().failed == 1
    assert heard() == ["good"]
    assert Channel.objects.get().reconciled_at is None
    monkeypatch.undo()
    reconcile.run()
    assert heard() == ["good", "bad"]


def test_one_that_is_gone_from_twilio_since_it_was_listed_stops_no_other(twilio):
    gone = lost(twilio, ANNA, "", 3, media=[Media("image/jpeg", b"x")])
    lost(twilio, BEN, "good", 2)
    twilio.trouble.always(
        troubles.refusal(20404, 404), when=lambda request: f"{gone.sid}/Media" in request.path
    )
    assert reconcile.run().failed == 1
    assert heard() == ["good"]


# What became of ours -----------------------------------------------------------------------------


def test_lost_reports_are_made_good(twilio):
    anna = Contact.objects.create(phone=ANNA)
    Conversation.objects.create(contact=anna, heard_at=timezone.now())
    twilio.fate = Fate(("sent", "delivered", "read"), callbacks=False)
    twilio.decide(Fate.failing(63024, callbacks=False), to=BEN)
    ben = Contact.objects.create(phone=BEN)
    Conversation.objects.create(contact=ben, heard_at=timezone.now())
    one, other = anna.send("Shift begins at six.")[0], ben.send("Shift begins at seven.")[0]
    outbox.drain()

    assert reconcile.run().completed == 2
    one.refresh_from_db()
    other.refresh_from_db()
    assert (one.status, one.price, one.price_unit) == (Status.READ, Decimal("-0.005"), "USD")
    assert (other.status, other.error_code) == (Status.FAILED, 63024)
    assert reconcile.run().completed == 0


@pytest.mark.parametrize("status", [404, 403, 410, 500])
def test_one_whose_files_twilio_does_not_name_holds_up_nobody_and_is_kept_at_last(
    twilio, status, log
):
    photo = lost(twilio, ANNA, "Look at this", 3, media=[Media("image/jpeg", b"x")])
    lost(twilio, BEN, "good", 2)
    fault = troubles.failure(500) if status == 500 else troubles.refusal(20500, status)
    twilio.trouble.always(fault, when=lambda request: f"{photo.sid}/Media" in request.path)
    assert reconcile.run().failed == 1
    assert heard() == ["good"]
    assert ("Twilio could not be asked", photo.sid) in [
        (one["event"], one.get("sid")) for one in log
    ]
    assert Channel.objects.get().reconciled_at is None, "it is asked for again"
    photo.sent = photo.created = photo.sent - timedelta(hours=25)
    found = reconcile.run(timezone.now() - timedelta(hours=26))
    assert (found.failed, found.late) == (0, 1)
    assert heard() == ["good", "Look at this"]
    assert Message.objects.get(sid=photo.sid).why == reconcile.NO_FILES


@pytest.mark.parametrize("fault", [troubles.refusal(20003, 401), troubles.too_many(0)])
def test_when_nothing_can_be_asked_it_goes_on_later(twilio, fault):
    photo = lost(twilio, ANNA, "", 3, media=[Media("image/jpeg", b"x")])
    lost(twilio, BEN, "good", 2)
    twilio.trouble.always(fault, when=lambda request: f"{photo.sid}/Media" in request.path)
    with pytest.raises(rest.Unreachable):
        reconcile.run()
    assert heard() == []


def test_a_status_never_falls(twilio):
    anna = Contact.objects.create(phone=ANNA)
    Conversation.objects.create(contact=anna, heard_at=timezone.now())
    message = anna.send("Shift begins at six.")[0]
    outbox.drain()
    message.refresh_from_db()
    message.settle(Status.READ)
    reconcile.run()
    message.refresh_from_db()
    assert message.status == Status.READ


def test_a_reply_whose_sid_was_never_told_is_found_by_its_words(twilio, phone):
    for _ in range(2):
        phone.say("hi")
    replies = list(Message.objects.filter(direction="out").order_by("pk"))
    at = replies[0].created_at
    Message.objects.filter(pk=replies[0].pk).update(created_at=at - timedelta(minutes=3))
    others = [reply_at_twilio(twilio, phone.address, words) for words in ("Not ours", "hi")]
    theirs = [
        reply_at_twilio(twilio, phone.address, reply.body, at - timedelta(minutes=minutes))
        for reply, minutes in zip(replies, (3, 0), strict=True)
    ]
    assert reconcile.run().completed == 2
    sids = Message.objects.filter(direction="out").order_by("pk").values_list("sid", flat=True)
    assert list(sids) == [one.sid for one in theirs]
    assert not set(sids) & {one.sid for one in others}
    assert reconcile.run().completed == 0


def reply_at_twilio(twilio: FakeTwilio, to: str, body: str, at: datetime | None = None) -> AtTwilio:
    """The answer to a webhook, delivered, whose callbacks nobody got."""
    return twilio.memory.add(
        AtTwilio(
            account_sid=twilio.memory.account_sid,
            direction="outbound-reply",
            from_=webhook_address(twilio),
            to=f"whatsapp:{to}",
            body=body,
            status="delivered",
            sent=(at or timezone.now()).replace(microsecond=0),
        )
    )


@pytest.fixture
def unheard(twilio):
    """Somebody wrote so long ago and was answered, and Twilio never got the answer."""

    def unheard(address: str, text: str = "hi", minutes: float = 12) -> list[Message]:
        message = lost(twilio, address, text, minutes)
        webhook_of(message)
        answer = Message.objects.filter(in_reply_to__sid=message.sid)
        answer.update(created_at=timezone.now() - timedelta(minutes=minutes))
        Message.objects.filter(sid=message.sid).update(created_at=message.sent)
        Conversation.objects.update(heard_at=message.sent)
        return list(answer.order_by("pk"))

    return unheard


def look_twice(deliver) -> None:
    for _ in range(2):
        reconcile.run()
        deliver()


@pytest.mark.parametrize("minutes", [11, 19, 59])
def test_an_answer_that_twilio_never_got_goes_after_all_and_once(
    twilio, unheard, deliver, phone, minutes
):
    Channel.objects.ours().end_reconciling(timezone.now(), again_soon=False)
    (answer,) = unheard(phone.address, minutes=minutes)
    look_twice(deliver)
    assert [one.body for one in twilio.sent] == [answer.body]
    answer.refresh_from_db()
    assert (answer.status, answer.sid) == (Status.DELIVERED, twilio.sent[0].sid)
    assert simulator.replies(webhook_of(twilio.messages[0])) == [], "it has gone"


def test_an_answer_of_several_messages_goes_in_order(twilio, unheard, deliver, phone, monkeypatch):
    long = "\n\n".join(f"{number} " * 500 for number in (1, 2))
    monkeypatch.setattr("whatsapp_bot.desk.Desk.answer", lambda desk: long)
    parts = unheard(phone.address)
    assert len(parts) == 2
    look_twice(deliver)
    assert [one.body for one in twilio.sent] == [part.body for part in parts]


@pytest.mark.parametrize("minutes", [5, 61])
def test_one_that_may_be_on_its_way_or_comes_too_late_is_left(
    twilio, unheard, deliver, phone, minutes
):
    unheard(phone.address, minutes=minutes)
    look_twice(deliver)
    assert not twilio.sent


def test_nobody_gets_an_old_answer_who_has_written_since(twilio, unheard, deliver, phone):
    unheard(phone.address)
    phone.say("menu")
    look_twice(deliver)
    assert not twilio.sent


@pytest.mark.parametrize("tries", [0, 1])
def test_nor_who_wrote_while_it_was_in_doubt(twilio, unheard, deliver, phone, tries):
    (answer,) = unheard(phone.address)
    reconcile.run()
    if tries:
        twilio.trouble.once(None, troubles.too_many(0), when=troubles.anything)
        for _ in ("look it up", "send it"):
            outbox.settle([(errand, outbox._run(errand)) for errand in outbox.claim(1)])
    phone.say("menu")
    deliver()
    assert not twilio.sent
    answer.refresh_from_db()
    assert (answer.status, answer.why, answer.attempts) == (Status.FAILED, outbox.TOO_LATE, tries)
    assert simulator.replies(webhook_of(twilio.messages[0])) == [], "it is over"


def test_twilio_is_asked_for_no_message_whose_answer_it_has_just_told_or_nobody_waits_for(
    twilio, unheard, phone, new_phone
):
    (answer,) = unheard(phone.address)
    reply_at_twilio(twilio, phone.address, answer.body, answer.created_at)
    other = new_phone()
    unheard(other.address)
    other.say("menu")
    assert reconcile.run().completed == 1
    assert "Message" not in [one.route for one in twilio.requests]


def test_what_was_typed_in_the_simulator_is_sent_to_nobody(twilio, deliver, phone, new_phone):
    for one in (phone, new_phone("+99900000009")):
        one.say("hi")
        twilio.receive(one.address, "another day", post_to="")
    a_while_ago = timezone.now() - timedelta(minutes=12)
    Message.objects.update(created_at=a_while_ago)
    twilio.memory.messages()[0].sent -= timedelta(days=2)
    twilio.memory.messages()[1].sent -= timedelta(days=2)
    look_twice(deliver)
    assert not twilio.sent


@pytest.mark.parametrize("words", ["the same", "blanks", "redacted", "another"])
@pytest.mark.parametrize("later", [0, 11])
def test_what_twilio_has_of_it_in_whatever_words_is_not_said_twice(
    twilio, unheard, deliver, phone, words, later
):
    """Also where it sent it late: then its time tells nothing."""
    (answer,) = unheard(phone.address)
    at = answer.created_at + timedelta(minutes=later)
    body = {"the same": answer.body, "redacted": "", "another": "By hand", "blanks": ""}[words]
    body = " ".join(answer.body.split()) if words == "blanks" else body
    reply_at_twilio(twilio, phone.address, body, at)
    look_twice(deliver)
    assert len(twilio.sent) == 1


def test_what_twilio_has_in_its_queue_without_a_date_is_not_said_twice(
    twilio, unheard, deliver, phone
):
    (answer,) = unheard(phone.address)
    queued = reply_at_twilio(twilio, phone.address, answer.body)
    queued.status, queued.sent, queued.created = "queued", None, answer.created_at
    look_twice(deliver)
    answer.refresh_from_db()
    assert (answer.status, answer.sid) == (Status.SENT, queued.sid)
    assert twilio.sent == [queued]


def test_of_the_same_answer_given_twice_the_one_that_arrived_may_be_either(
    twilio, unheard, deliver, phone
):
    first, second = unheard(phone.address, minutes=13) + unheard(phone.address, minutes=12)
    reply_at_twilio(twilio, phone.address, second.body, first.created_at)
    look_twice(deliver)
    assert len(twilio.sent) == 1


def test_while_twilio_cannot_be_asked_no_answer_goes(twilio, unheard, deliver, phone):
    unheard(phone.address)
    twilio.trouble.always(troubles.failure(), when=lambda one: one.route == "Message")
    look_twice(deliver)
    assert not twilio.sent
    twilio.trouble.stop()
    look_twice(deliver)
    assert len(twilio.sent) == 1


def test_a_reply_that_went_with_another_one_is_none_that_was_lost(twilio, deliver, phone, settings):
    settings.TWILIO_REPLY_WITH = "api"
    for text in ("hi", "3"):
        webhook_of(lost(twilio, phone.address, text))
    deliver()
    Message.objects.update(created_at=timezone.now() - timedelta(minutes=12))
    look_twice(deliver)
    assert len(twilio.sent) == 1


def webhook_address(twilio: FakeTwilio) -> str:
    return f"whatsapp:{twilio.number}"


def test_what_somebody_sent_from_the_console_is_none_of_ours(twilio):
    rest.client().messages.create(
        to=f"whatsapp:{ANNA}", from_=webhook_address(twilio), body="By hand"
    )
    assert reconcile.run().completed == 0
    assert not Message.objects.exists()


def test_once_an_hour_older_ones_are_looked_at_too(twilio):
    moment = timezone.now().replace(minute=30)
    with time_machine.travel(moment, tick=False) as clock:
        for expected in (reconcile.OPEN_FOR, timedelta(minutes=20), timedelta(minutes=20)):
            reconcile.run()
            since = datetime.fromisoformat(lists_of(twilio, "From")[-1]["DateSent>"])
            assert timedelta() <= moment - since - expected < timedelta(seconds=1)
            moment += timedelta(minutes=10)
            clock.move_to(moment)
        reconcile.run()
    since = datetime.fromisoformat(lists_of(twilio, "From")[-1]["DateSent>"])
    assert moment - since >= reconcile.OPEN_FOR


# By hand and by itself ---------------------------------------------------------------------------


def reconcile_by_hand(*arguments: str) -> str:
    said = StringIO()
    call_command("reconcile", *arguments, stdout=said)
    return said.getvalue().strip()


def test_the_command_says_what_it_found(twilio):
    lost(twilio, ANNA, "hi", 5)
    lost(twilio, BEN, "hi", 100)
    assert reconcile_by_hand() == (
        "2 messages fetched, 1 answered, 1 stored without an answer (too old), "
        "0 statuses completed."
    )


def test_the_command_looks_as_far_back_as_it_is_told(twilio):
    Channel.objects.ours()
    done = timezone.now() - timedelta(minutes=20)
    Channel.objects.update(reconciled_at=done)
    lost(twilio, ANNA, "long ago", 50 * 60)
    lost(twilio, BEN, "a quarter", 15)
    assert reconcile_by_hand("--hours", "0.1").startswith("0 messages")
    assert Channel.objects.get().reconciled_at == done, "it has not looked at all that is open"
    day = (timezone.localtime() - timedelta(days=3)).date()
    assert reconcile_by_hand("--since", day.isoformat()).startswith("2 messages")
    assert Channel.objects.get().reconciled_at > done


def test_the_command_says_why_it_cannot(twilio, settings):
    with pytest.raises(CommandError, match="2026-11-20"):
        call_command("reconcile", "--since", "yesterday")
    for beyond in (("--hours", "nan"), ("--hours", "1e12"), ("--since", "0001-01-01")):
        with pytest.raises(CommandError, match=beyond[0]):
            call_command("reconcile", *beyond)
    twilio.trouble.once(troubles.refusal(20003, 401), when=troubles.anything)
    with pytest.raises(CommandError, match="auth token"):
        call_command("reconcile")
    with pytest.raises(CommandError, match=r"which `manage\.py doctor` names"):
        call_command("reconcile")


def test_a_trial_without_an_account_asks_nobody(twilio, settings):
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_API_URL = "AC" + "0" * 32, ""
    sweep.ask_for_what_we_missed()
    sweep.ask_again_after_trouble()
    sweep.ask_for_approvals()
    assert waiting_tasks() == []
    with pytest.raises(CommandError, match="trial"):
        call_command("reconcile")


def test_the_worker_does_so_by_itself(twilio):
    sweep.ask_for_what_we_missed()
    sweep.ask_for_what_we_missed()
    assert waiting_tasks() == [tasks.reconcile.module_path]
    lost(twilio, ANNA, "hi")
    tasks.reconcile.call()
    assert heard() == ["hi"]
    twilio.trouble.once(troubles.failure(), when=troubles.anything)
    tasks.reconcile.call()


def waiting_tasks() -> list[str]:
    from django_tasks_db.models import DBTaskResult

    return list(DBTaskResult.objects.ready().values_list("task_path", flat=True))
