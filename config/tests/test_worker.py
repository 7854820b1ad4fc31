"""The worker, as a process of its own."""

import json
import signal
import subprocess
import sys
import time

import pytest
from django.conf import settings
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from config.tests.serving import beside, working
from config.tests.test_start import NEEDED, environment
from whatsapp_bot.delivery import Status
from whatsapp_bot.models import Contact, Conversation, Message

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def nomsa():
    contact = Contact.objects.create(phone="+27820000001")
    Conversation.objects.create(contact=contact, heard_at=timezone.now())
    return contact


def wait_until(condition, seconds=20):
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not come about"
        time.sleep(0.05)


def is_sent(message):
    """Is it, or has the worker by now asked what became of it, and heard more?"""
    gone = (Status.SENT, Status.DELIVERED, Status.READ)
    return lambda: Message.objects.get(pk=message.pk).status in gone


def test_it_sends_what_is_written_and_what_was_left_and_ends_when_told(nomsa, fake_twilio):
    (left,) = nomsa.send("Written while no worker was there.")
    DBTaskResult.objects.all().delete()
    with working(beside(TWILIO_API_URL=fake_twilio.url, SEND_PAUSE_SECONDS="0")) as worker:
        wait_until(is_sent(left))
        (message,) = nomsa.send("Written while it was at work.")
        wait_until(is_sent(message))
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=20) == 0
    assert [sent.body for sent in fake_twilio.sent] == [left.body, message.body]


def test_a_database_that_is_away_is_told_once_and_so_is_its_return(tmp_path):
    folder = tmp_path / "mounted later"
    given = environment(**NEEDED, DATABASE_URL=f"sqlite:///{folder}/db.sqlite3")
    with subprocess.Popen(
        [sys.executable, "manage.py", "worker", "--quiet"],
        cwd=settings.BASE_DIR,
        env=given,
        stderr=subprocess.PIPE,
        text=True,
    ) as worker:
        try:
            away, more = json.loads(worker.stderr.readline()), []
            time.sleep(2.5)  # Each of its threads tries again in this time.
            folder.mkdir()
            while len(more) < 100 and "the database is back" not in more:
                more.append(json.loads(worker.stderr.readline())["event"])
        finally:
            worker.kill()
    assert away["event"] == "the database is away"
    assert away["why"] == "unable to open database file"
    assert "the database is away" not in more
    assert more.count("the database is back") == 1
