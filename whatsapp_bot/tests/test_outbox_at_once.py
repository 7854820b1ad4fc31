"""Several workers at one outbox."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.utils import timezone

from whatsapp_bot import outbox
from whatsapp_bot.delivery import DeliveryReport, Status
from whatsapp_bot.fake_twilio import trouble
from whatsapp_bot.models import Channel, Contact, Conversation, Message

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE, EACH, WORKERS = 12, 8, 3


@pytest.fixture
def queued():
    people = [Contact.objects.create(phone=f"+2783{n:07}") for n in range(PEOPLE)]
    for person in people:
        Conversation.objects.create(contact=person, heard_at=timezone.now())
    for number in range(EACH):
        for person in people:
            person.send(f"Message {number}")
    return people


def work(_: int) -> None:
    """As a worker does, until nothing is left."""
    try:
        while Message.objects.unsettled().exists():
            outbox.drain(0.2)
    finally:
        connection.close()


def test_each_goes_out_once_and_in_order(queued, fake_twilio, deliver, settings):
    settings.SEND_ATTEMPTS = 40
    fake_twilio.trouble.randomly(
        {trouble.too_many(0): 0.1, trouble.cut(): 0.1, trouble.reset(): 0.1}, seed=3
    )
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(work, range(WORKERS)))
    assert Counter(Message.objects.values_list("status", flat=True)) == {Status.SENT: PEOPLE * EACH}
    for person in queued:
        came = [message.body for message in fake_twilio.sent_to(person.address)]
        assert came == [f"Message {number}" for number in range(EACH)]


def test_while_sending_is_stopped_one_alone_is_handed_over_to_see(queued, fake_twilio, deliver):
    """However long Twilio takes to refuse it."""
    Channel.objects.ours().stop(20003)
    Channel.objects.update(try_at=timezone.now())
    errands = outbox.claim(16)
    assert len(errands) == 1
    outbox.drain(0.5)
    assert not fake_twilio.requests
    outbox.settle([(errand, outbox._run(errand)) for errand in errands])
    assert not Channel.objects.ours().trouble
    assert len(outbox.claim(16)) == PEOPLE


def test_what_one_has_in_hand_no_other_takes(queued):
    first = {errand.parcel.message_id for errand in outbox.claim(5)}
    second = {errand.parcel.message_id for errand in outbox.claim(50)}
    assert len(first) == 5
    assert not first & second
    assert len(first | second) == PEOPLE, "one of each person"


@pytest.mark.skipif(connection.vendor == "sqlite", reason="It locks all or nothing.")
def test_a_conversation_that_is_locked_holds_up_its_own_person_alone(queued, fake_twilio, deliver):
    held = Conversation.objects.filter(contact=queued[0])
    held.update(heard_at=None)
    release = threading.Event()

    def hold() -> None:
        with transaction.atomic():
            held.select_for_update().get()
            locked.set()
            release.wait(20)
        connection.close()

    locked, holder = threading.Event(), threading.Thread(target=hold)
    holder.start()
    try:
        assert locked.wait(5)
        sent = {errand.parcel.to for errand in outbox.claim(50)}
    finally:
        release.set()
        holder.join()
    assert sent == {person.address for person in queued[1:]}


@pytest.mark.skipif(connection.vendor == "sqlite", reason="It locks all or nothing.")
def test_a_message_that_is_locked_holds_up_its_own_outcome_alone(queued, fake_twilio, deliver):
    """As long as somebody holds it; nothing has to be looked up, and nothing goes twice."""
    errands = outbox.claim(3)
    outcomes = [(errand, outbox._run(errand)) for errand in errands]
    held, *free = [errand.parcel.message_id for errand in errands]
    with transaction.atomic():
        Message.objects.select_for_update().get(pk=held)
        began = time.monotonic()
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(_and_close, outbox.settle, outcomes).result() == set(free)
        assert time.monotonic() - began < 2.8  # before anybody gives up waiting for a lock
    status = dict(Message.objects.values_list("pk", "status"))
    assert [status[one] for one in (held, *free)] == [Status.SENDING, Status.SENT, Status.SENT]
    assert outbox.settle(outcomes) == {held, *free}
    assert Message.objects.get(pk=held).status == Status.SENT


@pytest.mark.skipif(connection.vendor == "sqlite", reason="It locks all or nothing.")
def test_its_outcome_is_noted_once_it_is_free(queued, fake_twilio, deliver):
    first = queued[0].messages.earliest("pk")
    sent_others = Message.objects.filter(status=Status.SENT).exclude(contact=queued[0])
    fake_twilio.trouble.once(trouble.slow(0.5), when=trouble.sends_to(queued[0].address))
    with ThreadPoolExecutor(1) as pool:
        draining = pool.submit(_and_close, outbox.drain, 60)
        _wait_for(lambda: fake_twilio.sent_to(queued[0].address))
        with transaction.atomic():
            Message.objects.select_for_update().get(pk=first.pk)
            time.sleep(4)  # longer than one waits for a lock
            _wait_for(lambda: sent_others.count() == (PEOPLE - 1) * EACH)
        draining.result()
    assert {message.status for message in Message.objects.all()} == {Status.SENT}
    assert len(fake_twilio.sent) == PEOPLE * EACH


def test_one_that_is_slow_keeps_nobody_else_waiting(queued, fake_twilio, deliver):
    """Nor those to whom somebody writes meanwhile."""
    slow, other = queued[0], queued[1]
    fake_twilio.trouble.once(trouble.slow(6), when=trouble.sends_to(slow.address))
    with ThreadPoolExecutor(1) as pool:
        draining = pool.submit(_and_close, outbox.drain)
        _wait_for(lambda: Message.objects.filter(status=Status.SENT).count() == (PEOPLE - 1) * EACH)
        other.send("Written meanwhile.")
        _wait_for(lambda: len(fake_twilio.sent_to(other.address)) == EACH + 1)
        assert not slow.messages.filter(status=Status.SENT).exists()
        draining.result()
    came = [message.body for message in fake_twilio.sent_to(slow.address)]
    assert came == [f"Message {number}" for number in range(EACH)]


def test_nor_do_as_many_as_half_of_them(queued, fake_twilio, deliver, settings):
    slow, others = (
        queued[: settings.SEND_AT_ONCE // 2 + 1],
        queued[settings.SEND_AT_ONCE // 2 + 1 :],
    )
    are_slow = [trouble.sends_to(person.address) for person in slow]
    fake_twilio.trouble.always(
        trouble.slow(4), when=lambda request: any(is_one(request) for is_one in are_slow)
    )
    with ThreadPoolExecutor(1) as pool:
        draining = pool.submit(_and_close, outbox.drain, 3)
        sent = Message.objects.filter(status=Status.SENT)
        _wait_for(lambda: sent.filter(contact__in=others).count() > len(others))
        assert not sent.filter(contact__in=slow).exists()
        draining.result()


def _and_close(do, *arguments):
    """For a thread of its own."""
    try:
        return do(*arguments)
    finally:
        connection.close()


def _wait_for(condition):
    ends = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < ends, "it did not come about"
        time.sleep(0.02)


def test_of_two_first_reports_at_once_neither_is_lost(phone):
    """Both tell the SID: the second one waits for the first, and finds it stored."""
    phone.say("hi")
    reply = Message.objects.get(direction=Message.Direction.OUT)
    sent, delivered = (
        DeliveryReport("SM" + "5" * 32, status.value, reply.pk, status)
        for status in (Status.SENT, Status.DELIVERED)
    )
    known = []

    def bring_second() -> None:
        known.append(Message.objects.take_report(delivered))
        connection.close()

    second = threading.Thread(target=bring_second)
    with transaction.atomic():
        Message.objects.take_report(sent)
        second.start()
        time.sleep(0.3)
    second.join()
    reply.refresh_from_db()
    assert known == [True]
    assert reply.status == Status.DELIVERED


def test_two_who_write_first_to_somebody_at_once(contact):
    """Staff and staff, or staff and a worker: neither stumbles over the other."""
    barrier = threading.Barrier(8)

    def write(number: int) -> None:
        try:
            barrier.wait()
            contact.send(f"Message {number}")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert contact.messages.count() == 8
