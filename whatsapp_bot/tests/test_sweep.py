"""What the worker looks after now and then, when one of it fails."""

import threading

import pytest
from django.db import OperationalError, connection

from whatsapp_bot import sweep
from whatsapp_bot.models import Channel

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def jobs(monkeypatch):
    """Those that are called, in place of the real ones."""
    jobs = []
    monkeypatch.setattr(sweep, "_every", jobs)
    return jobs


def test_what_befalls_one_holds_up_no_other_and_brings_none_forward(jobs):
    ended, rounds, asked = threading.Event(), [], []

    def delete_old_files():
        raise PermissionError

    def count():
        rounds.append(1)
        if len(rounds) == 3:
            ended.set()

    jobs += [(600, lambda: asked.append(1)), (0, delete_old_files), (0, count)]
    sweep.run(ended)
    assert (len(asked), len(rounds)) == (1, 3)


def test_a_table_that_is_locked_holds_up_only_what_needs_it(jobs):
    ended, tries, rounds, asked = threading.Event(), [], [], []

    def ask_what_is_locked():
        tries.append(1)
        raise OperationalError("canceling statement due to lock timeout")

    def count():
        rounds.append(1)
        if len(rounds) == 3:
            ended.set()

    jobs += [(600, lambda: asked.append(1)), (0, ask_what_is_locked), (0, count)]
    sweep.run(ended)
    assert (len(asked), len(tries), len(rounds)) == (1, 1, 3)


def test_without_the_database_all_is_begun_anew(jobs):
    reached = []

    def away(*_):
        raise OperationalError("connection refused")

    jobs += [(600, Channel.objects.note_work), (600, lambda: reached.append(1))]
    with connection.execute_wrapper(away), pytest.raises(OperationalError):
        sweep.run(threading.Event())
    assert reached == []
