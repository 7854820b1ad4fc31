"""What is wrong with an installation is said, and how to mend it."""

import errno
import json
import threading
from contextlib import contextmanager
from datetime import timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from whatsapp_bot import doctor, fetching, outbox, reconcile, sweep, tasks
from whatsapp_bot.delivery import Status
from whatsapp_bot.doctor import State
from whatsapp_bot.fake_twilio import FakeTwilio
from whatsapp_bot.fake_twilio import trouble as troubles
from whatsapp_bot.models import Channel, Contact, Conversation, Message, MessageTemplate
from whatsapp_bot.simulator import attachments
from whatsapp_bot.twilio import rest, webhook
from whatsapp_bot.twilio.rest import Unreachable
from whatsapp_bot.twilio.webhook import signature

HX = "HX" + "1" * 32


@pytest.fixture(autouse=True)
def twilio(fake_twilio: FakeTwilio, settings, tmp_path):
    settings.TWILIO_API_URL = fake_twilio.url
    settings.PUBLIC_URL = "http://127.0.0.1:9"
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
    settings.MEDIA_ROOT = tmp_path
    settings.ADMINS = [("a", "staff@example.com")]
    yield fake_twilio
    rest.close()


@pytest.fixture
def found(db):
    """What a check finds: pairs of a state and the whole of what is said."""

    def found(check) -> list[tuple[State, str]]:
        return [
            (one.state, f"{one.about}: {one.says} {one.mend}") for one in doctor._guarded(check)
        ]

    return found


def only(findings: list[tuple[State, str]], state: State) -> str:
    return "\n".join(says for found, says in findings if found == state)


@pytest.mark.django_db(transaction=True)
def test_a_good_installation(live_server, twilio, settings, log):
    settings.PUBLIC_URL = live_server.url
    call_command("connect", live_server.url, stdout=StringIO())
    reconcile.run()
    said = StringIO()
    call_command("doctor", stdout=said)
    lines = said.getvalue().splitlines()
    assert lines[-1] == "Nothing is wrong."
    (warning,) = (line for line in lines if line.startswith("warning"))
    assert warning.endswith(f"Messages go to {twilio.url} and not to Twilio.")
    states = {line.split()[0] for line in lines if line and line[0] != " "} - {"Nothing"}
    assert states == {"ok", "note", "warning"}
    assert not Message.objects.exists()
    assert not Contact.objects.exists()
    assert not list(settings.MEDIA_ROOT.iterdir())
    assert not [line for line in log if line["log_level"] != "info"]


def test_names_that_are_no_settings(found, settings):
    settings.NOT_SETTINGS = {"ALARM_EMAIL": "ALARM_EMAILS", "REDIS_URL": "", "X_URL": ""}
    (misspelt, misspelt_says), (others, others_says) = found(doctor.names_in_env)
    assert (misspelt, others) == (State.WARNING, State.NOTE)
    assert "ALARM_EMAIL is no setting, and does nothing. Is ALARM_EMAILS meant?" in misspelt_says
    assert "REDIS_URL, X_URL" in others_says
    settings.NOT_SETTINGS = {}
    assert found(doctor.names_in_env)[0][0] == State.OK


@pytest.mark.django_db(transaction=True)
def test_everything_wrong_at_once_is_told_without_secrets(twilio, settings):
    twilio.trouble.always(troubles.refusal(20003, 401), when=troubles.anything)
    said = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", "--json", stdout=said)
    assert ended.value.code == 1
    wrong = {one["about"] for one in json.loads(said.getvalue()) if one["state"] == "wrong"}
    assert wrong == {"Twilio account", "signature", "worker"}
    assert settings.TWILIO_AUTH_TOKEN not in said.getvalue()


def test_a_trial_without_an_account(found, settings):
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_API_URL = "AC" + "0" * 32, ""
    settings.DEBUG = True
    ((state, says),) = found(doctor.twilio)
    assert (state, "no Twilio account" in says) == (State.NOTE, True)
    for check in (
        doctor.debug,
        doctor.message_templates,
        doctor.worker,
    ):
        assert not only(found(check), State.WRONG)
    # On whatever port it runs: nobody calls it.
    assert not found(doctor.signature_round_trip)


def test_an_account_that_was_never_filled_in(found, settings):
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_API_URL = "AC" + "0" * 32, ""
    assert "no Twilio account" in only(found(doctor.twilio), State.WRONG)


def test_debug(found, settings):
    assert only(found(doctor.debug), State.OK)
    settings.DEBUG = True
    assert "DEBUG=false" in only(found(doctor.debug), State.WARNING)


def test_migrations(found):
    assert only(found(doctor.database), State.OK)
    MigrationRecorder.Migration.objects.filter(app="orders").delete()
    assert "manage.py migrate" in only(found(doctor.database), State.WRONG)


def test_the_database_is_named(found, monkeypatch):
    kind = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[connection.vendor]
    name = f"database: {kind}, {connection.settings_dict['NAME']}"
    assert only(found(doctor.database), State.OK).startswith(name)
    with monkeypatch.context() as patch:
        patch.setattr(connection, "vendor", "postgresql")
        patch.setattr(connection, "settings_dict", {"NAME": "andon", "HOST": "10.0.0.5"})
        assert doctor._name_of_database() == "PostgreSQL, andon at 10.0.0.5,"


@pytest.mark.skipif(connection.vendor != "sqlite", reason="It is no file.")
def test_the_file_of_the_database_is_named_in_full(monkeypatch):
    monkeypatch.setattr(connection, "settings_dict", {"NAME": "one.sqlite3"})
    assert doctor._name_of_database() == f"SQLite, {Path.cwd() / 'one.sqlite3'},"


def test_a_database_that_is_ahead_of_the_program(found):
    MigrationRecorder(connection).record_applied("whatsapp_bot", "9999_of_tomorrow")
    said = only(found(doctor.database), State.WARNING)
    assert "whatsapp_bot 9999_of_tomorrow" in said


def test_a_database_that_does_not_let_us_in(found, monkeypatch):
    def refuse(*_):
        raise OperationalError('password authentication failed for user "andon"\nsecond line')

    monkeypatch.setattr(doctor, "missing_migrations", refuse)
    said = only(found(doctor.database), State.WRONG)
    assert 'does not answer: password authentication failed for user "andon" ' in said
    assert "second line" not in said


def test_without_the_database_it_says_so_and_logs_nothing(found, log):
    def broken():
        raise OperationalError("secret")
        yield

    said = "broken: It could not be checked, since the database does not answer as it should. "
    assert only(found(broken), State.WRONG) == said
    assert log == []


def test_a_check_that_stumbles_stops_no_other(found, monkeypatch):
    def broken():
        raise RuntimeError("secret")
        yield

    assert only(found(broken), State.WRONG) == "broken: It could not be checked: RuntimeError. "


# Twilio ------------------------------------------------------------------------------------------


def test_a_fake_twilio_is_not_taken_for_twilio(found, twilio, settings):
    assert "TWILIO_API_URL" in only(found(doctor.twilio), State.WARNING)
    settings.TWILIO_ACCOUNT_SID = "AC" + "0" * 32
    findings = found(doctor.twilio)
    assert not only(findings, State.WARNING)
    assert f"Messages go to {twilio.url}" in only(findings, State.NOTE)


def test_twilio_is_away(found, twilio):
    twilio.trouble.always(troubles.failure(503), when=troubles.anything)
    assert "status.twilio.com" in only(found(doctor.twilio), State.WRONG)


def test_the_sender(found, twilio, settings):
    sid, sender = next(iter(twilio.memory.senders.items()))
    sender["status"] = "OFFLINE"
    assert "OFFLINE" in only(found(doctor.twilio), State.WRONG)
    sender["status"] = "ONLINE:UPDATING"
    findings = found(doctor.twilio)
    assert "carrying out a change" in only(findings, State.NOTE)
    assert "Our number" not in only(findings, State.WRONG)
    del twilio.memory.senders[sid]
    assert "TWILIO_WHATSAPP_NUMBER" in only(found(doctor.twilio), State.WRONG)
    settings.TWILIO_WHATSAPP_NUMBER = "+14155238886"
    assert "sandbox" in only(found(doctor.twilio), State.NOTE)


def test_the_addresses_at_twilio(found, twilio, settings):
    wrong = only(found(doctor.twilio), State.WRONG)
    mend = f"Is PUBLIC_URL right? Then `manage.py connect {settings.PUBLIC_URL}`."
    assert wrong.count(mend) == 3
    call_command("connect", settings.PUBLIC_URL, stdout=StringIO())
    assert not only(found(doctor.twilio), State.WRONG)
    webhook = next(iter(twilio.memory.senders.values()))["webhook"]
    webhook["callback_url"] = webhook["callback_url"].replace("rc=2", "rc=0")
    assert "#rc=2&rp=all" in only(found(doctor.twilio), State.WRONG)


@pytest.mark.parametrize(("seconds", "way"), [(20, "behind"), (-20, "ahead of")])
def test_the_clock(found, monkeypatch, seconds, way):
    there = format_datetime(timezone.now() + timedelta(seconds=seconds))
    monkeypatch.setattr(
        rest._Http, "date", property(lambda _: there, lambda *_: None), raising=False
    )
    assert f"seconds {way} Twilio's" in only(found(doctor.twilio), State.WRONG)


@contextmanager
def answering(status: int, text: str = "", **headers: str):
    """Something at an address of this machine that answers every POST like this."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "text", "hint"),
    [
        (403, "wrong signature", "A proxy on the way changes the path"),
        (403, "another account", "reads .env anew"),
        (403, "Forbidden by some proxy", "Something else answers"),
        (404, "", "Something else answers"),
        (200, "Welcome", "Something else answers"),
        (502, "", "does not reach Andon"),
        (301, "", "leads on to https://elsewhere.example.com"),
    ],
)
def test_what_answers_at_our_address(found, settings, status, text, hint):
    with answering(status, text, Location="https://elsewhere.example.com") as settings.PUBLIC_URL:
        assert hint in only(found(doctor.signature_round_trip), State.WRONG)


def test_nothing_answers_at_our_address(found):
    assert "cannot be reached" in only(found(doctor.signature_round_trip), State.WRONG)


@pytest.mark.django_db(transaction=True)
def test_a_proxy_that_changes_the_path(live_server, settings, found):
    """The web server signs for its PUBLIC_URL, and something before it takes a part away."""
    settings.PUBLIC_URL = live_server.url
    assert only(found(doctor.signature_round_trip), State.OK)
    elsewhere = {**vars(webhook), "signature": lambda url, given: signature(f"{url}x", given)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(doctor, "webhook", SimpleNamespace(**elsewhere))
        assert "PUBLIC_URL" in only(found(doctor.signature_round_trip), State.WRONG)


# Message templates -------------------------------------------------------------------------------


@pytest.fixture
def template(db, twilio) -> MessageTemplate:
    twilio.memory.contents[HX] = {
        "sid": HX,
        "language": "en",
        "types": {"twilio/text": {"body": "Our team writes: {{1}}"}},
        "variables": {},
    }
    return MessageTemplate.objects.create(
        notice="staff.message",
        content_sid=HX,
        body="Our team writes: {{1}}",
        variables={"1": "text"},
    )


def review(twilio: FakeTwilio, status: str, reason: str = "") -> None:
    twilio.memory.approvals[HX] = {"status": status, "rejection_reason": reason}


def test_templates_as_twilio_has_them(found, twilio, template):
    assert "has not been submitted" in only(found(doctor.message_templates), State.WARNING)
    review(twilio, "received")
    assert "being looked at" in only(found(doctor.message_templates), State.NOTE)
    review(twilio, "rejected", "Too vague")
    assert "Too vague" in only(found(doctor.message_templates), State.WARNING)
    template.refresh_from_db()
    assert (template.approval, template.reason) == ("rejected", "Too vague")
    assert template.checked_at

    review(twilio, "approved")
    findings = found(doctor.message_templates)
    assert "“What staff write to a person” (staff.message) in en" in only(findings, State.OK)
    assert "(staff.message) has no approved one" not in only(findings, State.NOTE)
    MessageTemplate.objects.update(body="We write: {{1}}")
    assert "worded otherwise" in only(found(doctor.message_templates), State.WARNING)
    del twilio.memory.contents[HX]
    assert "no content with this SID" in only(found(doctor.message_templates), State.WARNING)


def test_to_look_at_a_template_sends_nothing(found, twilio, template):
    contact = Contact.objects.create(phone="+27821110009")
    (message,) = contact.send("Please call us.")
    review(twilio, "approved")
    assert only(found(doctor.message_templates), State.OK)
    template.refresh_from_db()
    assert template.approval == template.Approval.APPROVED
    message.refresh_from_db()
    assert message.status == Status.WAITING
    tasks.learn_approvals.call()
    message.refresh_from_db()
    assert message.status == Status.QUEUED


def test_notices_without_a_template_wait_and_are_named_in_one_note(found):
    ((state, said),) = found(doctor.message_templates)
    assert state == State.NOTE
    assert "what has no approved one waits until the person writes again" in said
    assert "“What staff write to a person” (staff.message)" in said
    assert "“To the reporter, when a report is closed” (news.closed)" in said
    assert "bot.late" not in said, "it goes within the 24 hours alone"


def test_one_that_staff_delete_just_then_stops_no_other(twilio, template, monkeypatch):
    deleted = MessageTemplate.objects.create(
        notice="news.closed", content_sid="HX" + "9" * 32, body="Closed."
    )
    review(twilio, "approved")
    content = rest.content

    def delete_meanwhile(sid):
        MessageTemplate.objects.filter(pk=deleted.pk).delete()
        return content(sid)

    monkeypatch.setattr(rest, "content", delete_meanwhile)
    tasks.learn_approvals.call()
    template.refresh_from_db()
    assert template.approval == template.Approval.APPROVED


def test_what_waits_goes_once_its_template_is_approved(twilio, template):
    contact = Contact.objects.create(phone="+27821110009")
    (message,) = contact.send("Please call us.")
    assert message.status == Status.WAITING
    review(twilio, "pending")
    tasks.learn_approvals.call()
    message.refresh_from_db()
    assert message.status == Status.WAITING
    review(twilio, "approved")
    twilio.trouble.once(troubles.failure(), when=troubles.anything)
    tasks.learn_approvals.call()
    message.refresh_from_db()
    assert message.status == Status.WAITING
    tasks.learn_approvals.call()
    message.refresh_from_db()
    assert message.status == Status.QUEUED


@pytest.mark.parametrize(("status", "asked"), [(None, 1), (429, 1), (500, 2)])
def test_who_does_not_answer_is_not_asked_of_each_template(template, monkeypatch, status, asked):
    MessageTemplate.objects.create(
        notice="news.closed", content_sid="HX" + "9" * 32, body="Closed."
    )
    sids = []

    def content(sid):
        sids.append(sid)
        raise Unreachable("It has trouble.", status)

    monkeypatch.setattr(rest, "content", content)
    tasks.learn_approvals.call()
    assert len(sids) == asked


def test_an_answer_about_another_content_says_nothing_of_this_one(twilio, template):
    contact = Contact.objects.create(phone="+27821110009")
    (message,) = contact.send("Please call us.")
    review(twilio, "approved")
    MessageTemplate.objects.update(content_sid="HX" + "b" * 32)  # while Twilio was asked
    template.learn_approval()
    template.refresh_from_db()
    assert template.approval == template.Approval.UNSUBMITTED
    assert template.release_what_waits() == 0
    message.refresh_from_db()
    assert message.status == Status.WAITING


def test_what_does_not_fit_a_template_goes_on_waiting(twilio, template):
    contact = Contact.objects.create(phone="+27821110009")
    (long,) = contact.send("h" * 1595)
    (short,) = contact.send("Please call us.")
    MessageTemplate.objects.update(approval="approved")
    template.refresh_from_db()
    assert template.release_what_waits() == 1
    long.refresh_from_db()
    short.refresh_from_db()
    assert (long.status, short.status) == (Status.WAITING, Status.QUEUED)


def test_a_template_in_another_language_releases_nothing(twilio, template):
    contact = Contact.objects.create(phone="+27821110009", language="de")
    (message,) = contact.send("Please call us.")
    MessageTemplate.objects.update(approval="approved")
    template.refresh_from_db()
    assert template.release_what_waits() == 0
    message.refresh_from_db()
    assert message.status == Status.WAITING


def test_approvals_are_asked_for_by_themselves(template):
    from django_tasks_db.models import DBTaskResult

    sweep.ask_for_approvals()
    (task,) = DBTaskResult.objects.ready()
    assert task.task_path == tasks.learn_approvals.module_path


# The work in the background ----------------------------------------------------------------------


def test_the_worker_is_away(found, phone):
    reconcile.run()
    assert only(found(doctor.worker), State.OK)
    phone.say("hi")
    message = Message.objects.filter(direction="out").get()
    message.status, message.try_at = Status.QUEUED, timezone.now() - timedelta(minutes=5)
    message.save()
    assert "due for 5 minutes" in only(found(doctor.worker), State.WRONG)
    Channel.objects.update(stopped_at=timezone.now(), code=20003)
    assert only(found(doctor.worker), State.OK)
    assert "auth token" in only(found(doctor.sending), State.WRONG)
    Channel.objects.update(reconciled_at=timezone.now() - timedelta(hours=2))
    assert "last asked" in only(found(doctor.worker), State.WRONG)


def test_failed_and_waiting_messages_are_counted(found):
    contact = Contact.objects.create(phone="+27821110009")
    contact.send("One")
    contact.send("Two")
    Message.objects.filter(body="Two").update(status=Status.FAILED)
    findings = found(doctor.sending)
    assert "1 message waits" in only(findings, State.NOTE)
    assert "1 message of the last day failed" in only(findings, State.WARNING)
    Message.objects.update(status=Status.FAILED)
    assert "2 messages of the last day failed" in only(found(doctor.sending), State.WARNING)
    Message.objects.filter(body="Two").update(details={"again": 1})
    assert "1 message of the last day failed" in only(found(doctor.sending), State.WARNING)


def test_what_is_tried_in_vain_without_a_connection_is_told(found, clock, settings):
    settings.TWILIO_API_URL = "http://127.0.0.1:9"
    someone = Contact.objects.create(phone="+27821110009")
    Conversation.objects.create(contact=someone, heard_at=timezone.now())
    someone.send("One")
    someone.send("Two")
    outbox.drain(0.01)
    assert not only(found(doctor.sending), State.WARNING)
    clock.shift(timedelta(minutes=20))
    outbox.drain(0.01)
    outbox.rest_carriers()
    warning = only(found(doctor.sending), State.WARNING)
    assert "1 message has been tried in vain; the oldest was written 20 minutes ago." in warning
    assert "Does this machine reach https://api.twilio.com?" in warning
    Message.objects.update(status=Status.SENT, try_at=None)
    assert not only(found(doctor.sending), State.WARNING)


def test_few_tries_as_an_earlier_version_had_them_are_noted(found, settings):
    assert not only(found(doctor.sending), State.NOTE)
    settings.SEND_ATTEMPTS = 8
    note = only(found(doctor.sending), State.NOTE)
    assert "tried for 1 hour" in note
    assert "SEND_ATTEMPTS" in note


# This machine ------------------------------------------------------------------------------------


def test_storage_that_cannot_be_written(found, settings, tmp_path):
    assert only(found(doctor.storage), State.OK)
    (tmp_path / "file").write_text("")
    settings.MEDIA_ROOT = tmp_path / "file"
    assert "must belong to" in only(found(doctor.storage), State.WRONG)


def test_storage_that_is_full_is_left_as_it_was(found, settings, monkeypatch):
    def fill(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ContentFile, "chunks", fill)
    said = only(found(doctor.storage), State.WRONG)
    assert "No space left on device. Make room where" in said
    assert not list(settings.MEDIA_ROOT.iterdir())


def test_a_folder_of_files_that_is_not_mounted_is_noticed(found, phone, settings, tmp_path):
    phone.say(**attachments.parameters_for("image"))
    fetching.drain(0.01)
    assert only(found(doctor.storage), State.OK)
    settings.MEDIA_ROOT = tmp_path / "elsewhere"
    said = only(found(doctor.storage), State.WRONG)
    assert "The last file that was stored is not here. Is MEDIA_ROOT mounted" in said


def test_mail(found, settings):
    assert only(found(doctor.mail), State.OK)
    settings.ADMINS = []
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    warnings = only(found(doctor.mail), State.WARNING)
    assert "ALARM_EMAILS" in warnings
    assert "EMAIL_URL" in warnings
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    assert "did not let us in" in only(found(doctor.mail), State.WRONG)
