"""Fixtures for all tests: people with phones, and a log that must keep quiet about them."""

import gc
import logging
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from itertools import chain, count
from typing import Any

import hypothesis
import pytest
import structlog
import time_machine
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group, Permission, User
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client, TransactionTestCase
from django.utils import timezone
from rest_framework.test import APIClient

from config.access.models import Token
from config.logs import name_exception
from whatsapp_bot import outbox
from whatsapp_bot.fake_twilio import FakeTwilio
from whatsapp_bot.models import Contact, Message
from whatsapp_bot.models.contact import Role
from whatsapp_bot.recent import forget_all
from whatsapp_bot.simulator import phone as simulator
from whatsapp_bot.simulator.phone import Phone
from whatsapp_bot.tests.database import undoing_changes
from whatsapp_bot.tests.staff import browser, staff
from whatsapp_bot.twilio import rest

# A busy machine is no fault of a test.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")

_numbers = count(27820000001)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected stays: looking through it for garbage, time and again, costs a tenth."""
    gc.disable()
    collected = yield
    gc.freeze()
    gc.enable()
    return collected


@pytest.hookimpl(wrapper=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """One worker more than there are cores, for browsers and processes are waited for.

    Not many more than tests can be shared out among: each makes a database of its own.
    """
    return min((yield) + 1, 8)


@pytest.fixture(autouse=True)
def _read_anew() -> None:
    """No test sees the menus, texts, forms and figures of another."""
    _forget_what_was_read()


def _forget_what_was_read() -> None:
    forget_all()
    cache.clear()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """What is left by a test that is in no transaction is undone; what was there before stays.

    Django would empty all tables, and make permissions, groups, texts and menus anew.
    """
    with django_db_blocker.unblock():
        undoing = [*chain(*map(undoing_changes, apps.get_models(include_auto_created=True)))]

    def undo(_test: TransactionTestCase) -> None:
        connection.ops.execute_sql_flush(undoing)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", undo)
        yield


@pytest.fixture
def read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """For counting statements: menus, texts and forms are read once, however long it takes."""
    monkeypatch.setattr("whatsapp_bot.recent.MAX_AGE", 1e9)


@pytest.fixture
def new_phone() -> Callable[..., Phone]:
    def make(address: str = "", name: str = "") -> Phone:
        return Phone(address or f"+{next(_numbers)}", name)

    return make


@pytest.fixture
def phone(db: None, new_phone: Callable[..., Phone]) -> Phone:
    """The phone of somebody who has never written before."""
    return new_phone()


@pytest.fixture
def say(phone: Phone) -> Callable[..., str]:
    """Say something on that phone and hear the replies, as one text."""

    def say(text: str = "", **parameters: str) -> str:
        return "\n---\n".join(phone.say(text, **parameters))

    return say


@pytest.fixture
def contact(phone: Phone) -> Contact:
    """The person with the phone, known before the first message."""
    return Contact.objects.create(phone=phone.address)


@pytest.fixture
def worker(contact: Contact) -> Contact:
    contact.role = Role.WORKER
    contact.save()
    return contact


@pytest.fixture
def tester(db: None) -> Client:
    """The browser of somebody who may use the simulator, also as people who are real."""
    return browser(staff("staff", "use_simulator", "view_message"))


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """It stands still, until it is moved."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield clock


@pytest.fixture(scope="session")
def shared_rows(
    django_db_setup: None, django_db_blocker: Any
) -> Callable[[Callable[[], object]], AbstractContextManager[None]]:
    """What is made with it is there for each test of a module, as it was made, and then gone.

    Before the first of them `_read_anew` has not run yet.
    """

    @contextmanager
    def shared_rows(make: Callable[[], object]) -> Iterator[None]:
        with django_db_blocker.unblock():
            whole = transaction.atomic()
            whole.__enter__()
        try:
            with django_db_blocker.unblock():
                _forget_what_was_read()
                make()
            yield
        finally:
            # Also when they could not be made: the other tests have nothing to do with that.
            with django_db_blocker.unblock():
                transaction.set_rollback(True)
                whole.__exit__(None, None, None)

    return shared_rows


@pytest.fixture(scope="module")
def demo(shared_rows: Callable[..., AbstractContextManager[None]]) -> Iterator[None]:
    """The small factory of `manage.py demo`, made once for all tests of a module."""
    with shared_rows(lambda: call_command("demo", "--anyway", verbosity=0)):
        yield


@pytest.fixture
def api(db: None) -> Callable[..., APIClient]:
    """Another system, with the token of a user who may do what is named: groups or permissions."""

    def system(*allowed: str, name: str = "erp", **values: Any) -> APIClient:
        user = User.objects.create_user(name, is_staff=True, **values)
        for one in allowed:
            if "." in one:
                codename = one.partition(".")[2]
                user.user_permissions.add(Permission.objects.get(codename=codename))
            else:
                user.groups.add(Group.objects.get(name=one))
        return with_token(user)

    return system


def with_token(user: User, **values: Any) -> APIClient:
    later = timezone.now() + timedelta(days=1)
    secret = Token(user=user, made_by=user, **{"name": "test", "expiry": later, **values}).mint()
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    client.user, client.secret = user, secret
    return client


@pytest.fixture
def fake_twilio(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeTwilio]:
    """Twilio on a free port of this machine, with the account and number of the settings.

    What one at the same port told another test of the time, which may be days off, is forgotten.
    """
    monkeypatch.setattr(rest, "_clock", rest._Clock())
    with FakeTwilio.with_our_account() as fake:
        yield fake
    assert not fake.faults


@pytest.fixture
def deliver(fake_twilio: FakeTwilio, settings: Any) -> Iterator[Callable[[], int]]:
    """Send what is due to the fake Twilio, and what that makes due, until nothing is.

    Waits are short. Returns how often something was handed over or looked up.
    """
    settings.TWILIO_API_URL = fake_twilio.url
    settings.SEND_PAUSE_SECONDS = 0
    settings.SEND_PER_SECOND = 10_000
    settings.SEND_BACK_OFF_SECONDS = 1e-9
    settings.SEND_ATTEMPTS = 8
    settings.LOOK_UP_AFTER_SECONDS = 1e-9

    def deliver() -> int:
        settled = 0
        while Message.objects.due(timezone.now()).exists():
            settled += outbox.drain(0.01)
        return settled

    yield deliver
    outbox.rest_carriers()


@pytest.fixture(autouse=True)
def log() -> Iterator[list[dict]]:
    """What we logged, with its level as `log_level`."""
    processors = [structlog.stdlib.add_logger_name, name_exception]
    with structlog.testing.capture_logs(processors) as lines:
        yield lines


@pytest.fixture(autouse=True)
def _log_keeps_secrets(
    caplog: pytest.LogCaptureFixture, log: list[dict], monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Whatever a test does, its log holds no token, phone number, name or text of a message."""
    secrets = {settings.TWILIO_AUTH_TOKEN, settings.SECRET_KEY}
    post = simulator.post

    def remember(parameters: dict[str, str], **headers: str):
        for name in ("From", "Body", "ProfileName", "ButtonText", "Latitude"):
            value = parameters.get(name, "").removeprefix("whatsapp:").strip(" +")
            # Shorter ones ("2", "hi", "defects") stand in any log.
            if len(value) > 8:
                secrets.add(value[:200])
        return post(parameters, **headers)

    monkeypatch.setattr(simulator, "post", remember)
    yield
    records = [*caplog.get_records("setup"), *caplog.get_records("call")]
    lines = "\n".join([*map(_formatted, records), *map(str, log)])
    for secret in secrets:
        assert secret not in lines, f"the log tells {secret!r}"


def _formatted(record: logging.LogRecord) -> str:
    formatter = logging.getLogger().handlers[0].formatter
    return formatter.format(logging.makeLogRecord(record.__dict__))
