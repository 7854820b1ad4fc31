"""Production's settings, on a machine whose clock is wrong by what a file says.

In the process, since libfaketime makes `time.sleep` of Python 3.11 fail. What Andon asks for the
time is `timezone.now` and `time.time`; how long something takes it asks the monotonic clock,
which does not jump.
"""

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.utils import timezone

from config.settings import *  # noqa: F403

_ahead = Path(os.environ["CLOCK_AHEAD"])
_right = time.time


def _seconds_ahead() -> float:
    return float(_ahead.read_text() or 0)


def _now() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=_seconds_ahead())


timezone.now = _now
time.time = lambda: _right() + _seconds_ahead()
