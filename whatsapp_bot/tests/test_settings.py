"""A wrong setting stops the start with one line that names it."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
NAMES = {
    name
    for reader in (r"env\.\w+", "_read", "_matching", "_switch", "_number")
    for name in re.findall(
        rf"{reader}\(\s*\"([A-Z_]+)\"", (ROOT / "config/settings.py").read_text(encoding="utf-8")
    )
}

GOOD = {
    "ANDON_ENV_FILE": os.devnull,
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "SECRET_KEY": "x" * 50,
    "TWILIO_ACCOUNT_SID": "AC" + "5" * 32,
    "TWILIO_AUTH_TOKEN": "0123456789abcdef",
    "TWILIO_WHATSAPP_NUMBER": "whatsapp:+15005550006",
    "PUBLIC_URL": "https://andon.example.com/",
}


def start(script: str = "import config.wsgi", **changes: str | None) -> subprocess.CompletedProcess:
    variables = {"PATH": os.environ["PATH"]} | GOOD | changes
    return subprocess.run(
        [sys.executable, "-c", script],
        env={name: value for name, value in variables.items() if value is not None},
        capture_output=True,
        text=True,
    )


def test_it_starts():
    started = start()
    assert (started.returncode, started.stderr) == (0, "")


def test_it_starts_for_a_trial_with_nothing_set():
    nothing = dict.fromkeys(GOOD.keys() - {"ANDON_ENV_FILE", "DJANGO_SETTINGS_MODULE"})
    assert start(**nothing, DEBUG="true").returncode == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (name, value)
        for name in ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_WHATSAPP_NUMBER")
        for value in (None, "", "nonsense")
    ]
    + [
        ("PUBLIC_URL", "andon.example.com"),
        ("PUBLIC_URL", "https://andon.example.com/#rc=2"),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", None),
        ("DEBUG", "perhaps"),
        ("DATABASE_URL", "oracle://x"),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "postgres://"),
        ("PUBLIC_URL", "https://andon.example.com:port"),
        ("PUBLIC_URL", "https://andon.example.com:65536"),
        ("PUBLIC_URL", "https://[andon"),
        ("ALLOWED_HOSTS", "https://andon.example.com"),
        ("CONVERSATION_TIMEOUT_HOURS", "-1"),
        ("CONVERSATION_TIMEOUT_HOURS", "1e300"),
        ("TIME_ZONE", "Mars/Olympus"),
        ("ADMIN_SECOND_FACTOR", "sometimes"),
        ("SIGN_IN_TRIES", "0"),
        ("SIGN_IN_PAUSE_MINUTES", "0"),
        ("SIGN_IN_HOURS", "for ever"),
        ("PROXIES", "-1"),
        ("CONVERSATION_TIMEOUT_HOURS", "four"),
        ("TWILIO_MEDIA_URL", "http://10.0.0.1:8010"),
        ("TWILIO_MEDIA_URL", "https://mms.twiliocdn.com"),
        ("TWILIO_DELETE_MEDIA", "sometimes"),
        ("ALARM_EMAILS", "operations"),
        ("ALARM_EMAILS", "operations@example.com; staff@example.com"),
        ("FETCH_SECONDS", "0"),
        ("FETCH_AT_ONCE", "many"),
        ("MEDIA_STORAGE_URL", "bucket"),
        ("MEDIA_STORAGE_URL", "s3://"),
        ("MEDIA_STORAGE_URL", "s3://bucket?acl=public-read"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(name, value):
    stopped = start(**{name: value})
    assert stopped.returncode == 3
    (line,) = stopped.stderr.splitlines()
    assert line.startswith("Andon cannot start: ")
    assert name in line


@pytest.mark.parametrize("file", [".env.example", "README.md"])
def test_every_setting_is_described_and_nothing_else(file):
    text = (ROOT / file).read_text(encoding="utf-8")
    described = re.findall(r"^#?([A-Z_]+)=", text, re.M) + re.findall(
        r"^\| `([A-Z_]+)`", text, re.M
    )
    assert len(NAMES) > 20
    assert set(described) - {"TEST_DATABASE_URL"} == NAMES


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [("RECONCILE_EVERY_MINUTES", "0", "1441"), ("RECONCILE_ANSWER_WITHIN_MINUTES", "-1", "1440")],
)
def test_numbers_have_bounds(name, least, most):
    for value in (least, most, "often"):
        assert name in start(**{name: value}).stderr


def test_the_example_says_how_it_is_by_itself():
    """Uncommented, each line of .env.example is a value that the start accepts."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    given = dict(re.findall(r"^#([A-Z_]+)=(.+)", text, re.M))
    for needs_a_library in ("MEDIA_STORAGE_URL", "CACHE_URL"):  # see below
        given.pop(needs_a_library)
    assert start(**{**given, "DEBUG": "true"}).stderr == ""


def test_a_copy_of_the_example_will_do_for_a_trial(tmp_path):
    """Its gaps are not filled in; only DEBUG is switched on."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    file = tmp_path / ".env"
    file.write_text(text.replace("DEBUG=false", "DEBUG=true"))
    nothing = dict.fromkeys(GOOD.keys() - {"DJANGO_SETTINGS_MODULE"})
    assert start(**nothing | {"ANDON_ENV_FILE": str(file)}).stderr == ""


def test_who_mails_come_from_is_never_nobody():
    script = "from django.conf import settings; print(settings.SERVER_EMAIL)"
    assert start(script, EMAIL_FROM="").stdout.strip() == "andon@localhost"


def test_a_port_may_be_any():
    assert start(PUBLIC_URL="http://127.0.0.1:65535").stderr == ""


def test_a_key_may_begin_with_any_character():
    """It is no name of another variable, whose default would take its place."""
    script = "from django.conf import settings; print(settings.SECRET_KEY)"
    assert start(script, SECRET_KEY="$" + "x" * 50).stdout.strip() == "$" + "x" * 50


@pytest.mark.parametrize(
    "line", ["TWILIO_AUTH_TOKEN 0123456789abcdef", "TWILIO_AUTH_TOKEN = 0123456789abcdef"]
)
def test_a_line_that_is_no_setting_is_not_shown(tmp_path, line):
    file = tmp_path / ".env"
    file.write_text(f"# settings\n\n  \nDEBUG=true\n{line}\n")
    stopped = start(ANDON_ENV_FILE=str(file))
    assert stopped.returncode == 3
    (said,) = stopped.stderr.splitlines()
    assert f"line 5 of {file}" in said
    assert "0123456789abcdef" not in said


def test_a_file_may_come_from_windows(tmp_path):
    file = tmp_path / ".env"
    file.write_bytes("\ufeffTIME_ZONE=Africa/Johannesburg\r\nDEBUG=true\r\n".encode())
    script = "from django.conf import settings; print(settings.TIME_ZONE)"
    assert start(script, ANDON_ENV_FILE=str(file)).stdout.strip() == "Africa/Johannesburg"


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    latin = tmp_path / "latin.env"
    latin.write_bytes("EMAIL_FROM=J\u00fcrgen".encode("latin-1"))
    for file in (tmp_path, tmp_path / "none", latin):
        stopped = start(ANDON_ENV_FILE=str(file))
        assert stopped.returncode == 3
        (said,) = stopped.stderr.splitlines()
        assert str(file) in said


def test_all_that_is_wrong_is_named_together():
    stopped = start(TWILIO_AUTH_TOKEN=None, PUBLIC_URL=None)
    (line,) = stopped.stderr.splitlines()
    assert "TWILIO_AUTH_TOKEN" in line
    assert "PUBLIC_URL" in line


def test_a_misspelt_name_is_told_with_the_one_that_is_meant():
    stopped = start(TWILIO_AUTH_TOKEN=None, TWILLIO_AUTH_TOKEN="0123456789abcdef")
    (line,) = stopped.stderr.splitlines()
    assert "TWILLIO_AUTH_TOKEN is no setting: is TWILIO_AUTH_TOKEN meant?" in line
    assert "0123456789abcdef" not in line


def test_a_misspelt_name_that_need_not_be_set_is_told_by_check():
    script = (
        "from django.core.management import execute_from_command_line as run; run(['', 'check'])"
    )
    checked = start(script, ALARM_EMAIL="a@example.com")
    assert checked.returncode == 0
    assert "ALARM_EMAIL is no setting" in checked.stderr
    assert "Is ALARM_EMAILS meant?" in checked.stderr


def test_names_that_are_no_settings(tmp_path):
    file = tmp_path / ".env"
    file.write_text("debug=true\nMAIL_URL=x\nREDIS_URL=x\nAWS_ACCESS_KEY_ID=x\nZGVhZGJlZWY==\n")
    script = "from django.conf import settings; print(settings.NOT_SETTINGS)"
    around = {
        "ALLOWED_HOST": "a",
        "TEST_DATABASE_URL": "x",
        "HOSTNAME": "x",
        "WEB_CONCURRENCY": "3",
    }
    said = start(script, ANDON_ENV_FILE=str(file), **around).stdout
    assert ast.literal_eval(said) == {
        "ALLOWED_HOST": "ALLOWED_HOSTS",
        "MAIL_URL": "EMAIL_URL",
        "REDIS_URL": "",
        "debug": "DEBUG",
    }


def test_a_bucket_needs_a_library():
    stopped = start(MEDIA_STORAGE_URL="s3://bucket?region=eu-west-1")
    assert stopped.returncode == 3
    (line,) = stopped.stderr.splitlines()
    assert "pip install 'django-storages[s3]'" in line


def test_files_go_to_a_bucket(tmp_path):
    """With stand-ins for the libraries, which are optional."""
    for module in ("storages", "boto3"):
        (tmp_path / module).mkdir()
        (tmp_path / module / "__init__.py").touch()
    url = "s3://a.bucket/files/here/?region=eu-west-1&endpoint=https://s3.example.com:9000"
    script = "from django.conf import settings; print(settings.STORAGES['default'])"
    done = start(script, MEDIA_STORAGE_URL=url, PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    storage = ast.literal_eval(done.stdout)
    assert storage["BACKEND"] == "storages.backends.s3.S3Storage"
    options = storage["OPTIONS"]
    assert (options["bucket_name"], options["location"]) == ("a.bucket", "files/here")
    assert options["region_name"] == "eu-west-1"
    assert options["endpoint_url"] == "https://s3.example.com:9000"
    assert options["default_acl"] is None


def test_what_is_kept_in_the_folder_of_the_program_is_warned_of():
    check = (
        "import django; from django.core.management import call_command; "
        "django.setup(); call_command('check', '--deploy')"
    )
    said = start(check).stderr
    assert f"folder of the program, where a new installation loses them: {ROOT}/db.sqlite3" in said
    assert "Set MEDIA_ROOT in .env" in said
    elsewhere = start(check, DATABASE_URL="postgres://a:b@127.0.0.1:9/andon", MEDIA_ROOT="/srv")
    assert (elsewhere.returncode, "W005" in elsewhere.stderr) == (0, False)
    relative = start(check, DATABASE_URL="sqlite:///one.sqlite3", MEDIA_ROOT="media").stderr
    assert f"loses them: {ROOT}/one.sqlite3" in relative
    assert f"loses them: {ROOT}/media" in relative
