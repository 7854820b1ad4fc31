"""Down for ten minutes, while people go on writing: after the start nothing is missing."""

import sqlite3
import subprocess
import sys
import time
from datetime import timedelta
from itertools import product
from pathlib import Path

from django.conf import settings

from config.tests.serving import serving, working
from config.tests.test_start import NEEDED, environment
from whatsapp_bot.fake_twilio import FakeTwilio, Fate

PEOPLE = [f"+2782333{number:04}" for number in range(8)]
LONGEST = 120  # seconds


def test_after_ten_minutes_down_everybody_is_answered_in_order(
    fake_twilio: FakeTwilio, tmp_path: Path
):
    database = tmp_path / "db.sqlite3"
    given = environment(
        **NEEDED, DATABASE_URL=f"sqlite:///{database}", TWILIO_API_URL=fake_twilio.url
    )
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(migrate, cwd=settings.BASE_DIR, env=given, check=True, timeout=120)
    fake_twilio.fate = Fate(("sent", "delivered"))
    (sender,) = fake_twilio.memory.senders.values()
    sender["webhook"]["callback_url"] = f"{settings.PUBLIC_URL}/whatsapp/webhook/#rc=2&rp=all"
    fake_twilio.webhooks.routes[settings.PUBLIC_URL] = "http://127.0.0.1:9"

    at_twilio = []
    for number, (words, person) in enumerate(product(("hi", "4"), PEOPLE)):
        lost = fake_twilio.receive(person, words)
        lost.sent = lost.created = lost.sent - timedelta(seconds=600 - 35 * number)
        at_twilio.append(lost.sid)
    assert {alert.code for alert in fake_twilio.alerts} == {11200}

    started = time.monotonic()
    with serving(given) as address, working(given):
        fake_twilio.webhooks.routes[settings.PUBLIC_URL] = address
        while answered(database) < len(at_twilio) or unsettled(database):
            assert time.monotonic() - started < LONGEST
            time.sleep(0.2)

    heard = rows(
        database, "SELECT sid FROM whatsapp_bot_message WHERE direction = 'in' ORDER BY id"
    )
    assert heard == [(sid,) for sid in at_twilio]
    for person in PEOPLE:
        words = "\n".join(message.body for message in fake_twilio.sent_to(person))
        assert words.index("How can we help you today") < words.index("Help & support")


def answered(database: Path) -> int:
    """How many messages of people have an answer, be it on its way."""
    query = "SELECT count(DISTINCT in_reply_to_id) FROM whatsapp_bot_message"
    return rows(database, query)[0][0]


def unsettled(database: Path) -> int:
    query = (
        "SELECT count(*) FROM whatsapp_bot_message "
        "WHERE direction = 'out' AND status NOT IN ('delivered', 'read')"
    )
    return rows(database, query)[0][0]


def rows(database: Path, query: str) -> list[tuple]:
    connection = sqlite3.connect(database)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()
