"""What the worker looks after now and then, when one of it fails."""

import threading

import pytest
from django.db import OperationalError

from whatsapp_bot import sweep

pytestmark = pytest.mark.django_db


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


def test_without_the_database_all_is_begun_anew(jobs):
    def ask():
        raise OperationalError

    jobs.append((600, ask))
    with pytest.raises(OperationalError):
        sweep.run(threading.Event())
