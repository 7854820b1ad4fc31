"""Processes that die at any moment, while people write: nothing is lost, and nothing doubled.

The short form of `make faults ARGS=kills`.
"""

from pathlib import Path

import pytest

from benchmarks.faults import product
from benchmarks.faults.kills import kill_and_reckon

LONGEST = 60
"""Seconds; a busy machine is no fault of a test."""

pytestmark = pytest.mark.django_db(transaction=True)


def test_nothing_is_lost_when_processes_are_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # What a fake Twilio that is held up reads so late looks as if it had never come.
    monkeypatch.setitem(product.QUICK, "LOOK_UP_AFTER_SECONDS", "5")
    victims = ["web", "worker", "web", "gunicorn", "web", "web"]
    deaths, wrong = kill_and_reckon(tmp_path, victims, people=12, rate=20)
    assert {death.who for death in deaths} == {"web", "worker", "gunicorn"}
    assert all(death.answered_after < LONGEST for death in deaths)
    assert wrong == []
