"""Starting as in production: a process of its own, with nothing but what the environment says."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from django.conf import settings
from django.urls import reverse

from config.tests.serving import gunicorn, serving, started
from whatsapp_bot.simulator.phone import FORM, Phone, sign

NEEDED = {
    "TWILIO_ACCOUNT_SID": settings.TWILIO_ACCOUNT_SID,
    "TWILIO_AUTH_TOKEN": settings.TWILIO_AUTH_TOKEN,
    "TWILIO_WHATSAPP_NUMBER": settings.TWILIO_WHATSAPP_NUMBER,
    "PUBLIC_URL": settings.PUBLIC_URL,
    "SECRET_KEY": settings.SECRET_KEY,
}


def environment(**values: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "ANDON_ENV_FILE": os.devnull, **values}


def start(**values: str) -> subprocess.CompletedProcess[str]:
    """Start, and wait for the end: for settings with which it must not run."""
    return subprocess.run(
        gunicorn(),
        cwd=settings.BASE_DIR,
        env=environment(**values),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_without_settings_it_stops_with_one_line_that_names_them():
    stopped = start()
    assert stopped.returncode != 0
    (line,) = stopped.stderr.splitlines()
    assert line.startswith("Andon cannot start: ")
    assert all(name in line for name in NEEDED)


def test_wrong_settings_are_named_together_and_never_shown():
    wrong = {
        "TWILIO_ACCOUNT_SID": "AC-mistyped",
        "TWILIO_AUTH_TOKEN": "mistyped",
        "PUBLIC_URL": "mistyped.example.com",
        "DATABASE_URL": "mysql://andon:mistyped@127.0.0.1/andon",
        "SQLITE_SYNCHRONOUS": "mistyped",
        "CACHE_URL": "redis://mistyped@127.0.0.1:6379/0",
        "CSRF_TRUSTED_ORIGINS": "https://andon.example.com,mistyped.example.com",
        "TIME_ZONE": "Africa/Mistyped",
        "CONVERSATION_TIMEOUT_HOURS": "mistyped",
    }
    stopped = start(**{**NEEDED, **wrong})
    assert stopped.returncode != 0
    (line,) = stopped.stderr.splitlines()
    assert all(name in line for name in wrong)
    assert "mistyped" not in line.lower()


def test_a_command_without_the_database_says_so_in_two_lines():
    command = subprocess.run(
        [sys.executable, "manage.py", "migrate"],
        cwd=settings.BASE_DIR,
        env=environment(**NEEDED, DATABASE_URL="postgres://andon:secret@127.0.0.1:9/andon"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert command.returncode == 1
    says, mend = command.stderr.splitlines()
    assert says.startswith("The database does not answer: ")
    assert "DATABASE_URL" in mend
    assert "secret" not in says


@pytest.mark.skipif(find_spec("redis") is not None, reason="the library is installed")
def test_a_cache_that_is_shared_needs_a_library():
    stopped = start(**NEEDED, CACHE_URL="redis://:secret@127.0.0.1:6379/0")
    assert stopped.returncode == 3
    (line,) = stopped.stderr.splitlines()
    assert "pip install redis" in line
    assert "secret" not in line


def test_garbage_is_looked_for_again_once_all_is_loaded():
    started = (
        "import gc, runpy; of_gunicorn = runpy.run_path('gunicorn.conf.py'); "
        "print(gc.isenabled()); of_gunicorn['when_ready'](None); print(gc.isenabled())"
    )
    said = subprocess.check_output(
        [sys.executable, "-c", started], cwd=settings.BASE_DIR, text=True
    )
    assert said.split() == ["False", "True"]


def test_a_misspelt_name_is_said_once_in_the_log():
    """Whoever starts gunicorn alone sees no `check`."""
    given = environment(**NEEDED, DATABASE_URL="sqlite:////nowhere", ALARM_EMAIL="a@example.com")
    with started(given, "--workers", "2") as server:
        try:
            line = next(line for line in server.stderr if "no settings" in line)
        finally:
            server.terminate()
        assert "no settings" not in server.stderr.read()
    assert json.loads(line)["meant"] == {"ALARM_EMAIL": "ALARM_EMAILS"}


def test_a_power_cut_takes_nothing_back_that_sqlite_has_stored(tmp_path: Path):
    """A commit waits for the disk, which PostgreSQL has it do by itself."""
    asks = "from django.db import connection as c; c.ensure_connection(); "
    asks += "print(*(c.connection.execute(f'PRAGMA {what}').fetchone()[0] for what in "
    asks += "('journal_mode', 'synchronous')))"
    given = environment(**NEEDED, DATABASE_URL=f"sqlite:///{tmp_path / 'db.sqlite3'}")
    said = subprocess.check_output(
        [sys.executable, "manage.py", "shell", "--no-imports", "--command", asks],
        cwd=settings.BASE_DIR,
        env=given,
        text=True,
    )
    assert said.split() == ["wal", "2"]  # FULL


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where it listens, with the settings that it needs and no more, and no collectstatic."""
    database: Path = tmp_path_factory.mktemp("start") / "db.sqlite3"
    given = environment(**NEEDED, DATABASE_URL=f"sqlite:///{database}")
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(migrate, cwd=settings.BASE_DIR, env=given, check=True, timeout=120)
    with serving(given, "--workers", "2") as address:
        yield address


def ask(request: Request | str) -> tuple[int, str]:
    try:
        with urlopen(request, timeout=20) as response:
            return response.status, response.read().decode()
    except HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


def test_it_says_that_it_is_healthy(address: str):
    assert ask(f"{address}/health/")[0] == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "andon.example.com"])
def test_it_answers_what_twilio_sends(address: str, host: str):
    """Through a proxy that passes on the host name, and through one that does not."""
    path = reverse("webhook")
    parameters = Phone("+27820000000").parameters("hi")
    headers = {
        "Host": host,
        "Content-Type": FORM,
        "X-Twilio-Signature": sign(parameters, path),
    }
    url = f"{address}{path}"
    status, answer = ask(Request(url, urlencode(parameters).encode(), headers))
    assert status == 200
    assert "<Body>" in answer

    headers["X-Twilio-Signature"] = "forged"
    assert ask(Request(url, urlencode(parameters).encode(), headers))[0] == 403
