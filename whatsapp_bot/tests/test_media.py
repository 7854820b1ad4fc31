"""From a photo on somebody's phone to a copy of our own, and what may go wrong on the way."""

import errno
import threading
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage, default_storage
from django.db import connection
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from PIL import Image

from whatsapp_bot import fetching, pictures, sweep, tasks
from whatsapp_bot.fake_twilio import Media as File
from whatsapp_bot.fake_twilio import trouble as troubles
from whatsapp_bot.models import Contact, Media
from whatsapp_bot.models.media import OF_BLOCKED, TOO_MANY, WAITS
from whatsapp_bot.simulator import attachments
from whatsapp_bot.simulator.phone import Phone
from whatsapp_bot.tests import files
from whatsapp_bot.tests.wire import watched

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _storage(settings):
    """Anything that speaks Django's storage API will do; no file is written."""
    in_memory = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    settings.STORAGES = {**settings.STORAGES, "default": in_memory}


@pytest.fixture
def twilio(fake_twilio, settings):
    settings.TWILIO_API_URL = fake_twilio.url
    settings.TWILIO_MEDIA_URL = fake_twilio.media_url
    return fake_twilio


@pytest.fixture
def send(twilio, phone: Phone) -> Callable[..., Media]:
    """Somebody sends a file, and Twilio calls our webhook; the row that this makes."""

    def send(file: File, **parameters: str) -> Media:
        at_twilio = twilio.receive(phone.address, media=[file], post_to="")
        phone.say(
            "",
            NumMedia="1",
            MediaUrl0=twilio.media_address(at_twilio, file),
            MediaContentType0=file.content_type,
            **{"MessageSid": at_twilio.sid, "MessageType": "image", **parameters},
        )
        return Media.objects.get(message__sid=at_twilio.sid)

    return send


def photo(**more) -> File:
    return File("image/jpeg", files.photo_with_place(), **more)


def stored() -> set[str]:
    """The names of all files in the storage."""

    def below(folder: str) -> set[str]:
        folders, names = default_storage.listdir(folder)
        here = {f"{folder}/{name}" for name in names}
        return here.union(*(below(f"{folder}/{name}") for name in folders))

    return below("files") if default_storage.exists("files") else set()


def fetch_all(media: Media) -> Media:
    fetching.drain()
    media.refresh_from_db()
    return media


# A photo ------------------------------------------------------------------------------------------


def test_a_photo_is_fetched_stored_anew_and_deleted_at_twilio(send, twilio, clock):
    file = photo()
    media = send(file)
    assert (media.status, media.said_type) == ("waiting", "image/jpeg")

    fetch_all(media)
    assert (media.status, media.content_type, media.why) == ("stored", "image/jpeg", "")
    assert media.fetched_at == timezone.now()
    with media.file.open() as kept:
        content = kept.read()
    assert len(content) == media.size
    assert Image.open(BytesIO(content)).size == (300, 900)
    assert files.GPS in file.content
    assert files.GPS not in content
    assert Image.open(media.thumbnail.open()).size == (133, 400)
    assert stored() == {media.file.name, media.thumbnail.name}
    assert twilio.leaks == []

    assert twilio.memory.media(file.sid)
    clock.shift(timedelta(minutes=9))
    fetch_all(media)
    assert twilio.memory.media(file.sid)
    clock.shift(timedelta(minutes=1))
    fetch_all(media)
    assert twilio.memory.media(file.sid) is None
    assert media.deleted_at_twilio == timezone.now()
    assert media.try_at is None
    assert stored() == {media.file.name, media.thumbnail.name}


def test_its_name_is_no_secret_to_be_guessed(send):
    names = [fetch_all(send(photo())).file.name for _ in range(3)]
    assert len(set(names)) == 3
    for name in names:
        folder, _, token = name.rpartition("/")
        assert folder == f"files/{timezone.now():%Y/%m}"
        assert len(token) == 32


def test_twilio_keeps_it_when_it_is_to(send, twilio, clock, settings):
    settings.TWILIO_DELETE_MEDIA = False
    file = photo()
    media = fetch_all(send(file))
    clock.shift(timedelta(days=1))
    fetch_all(media)
    assert twilio.memory.media(file.sid)
    assert media.deleted_at_twilio is None


@pytest.mark.parametrize(
    ("content", "kind"),
    [(content, kind) for content, kind in files.HARMLESS.values() if kind != "image/heic"],
    ids=[name for name in files.HARMLESS if name != "HEIC"],
)
def test_files_of_every_kind_are_kept(send, content, kind):
    media = fetch_all(send(File("application/octet-stream", content)))
    assert (media.status, media.why) == ("stored", "")
    if media.thumbnail:
        assert kind.startswith("image/")
        return
    assert media.content_type == kind
    with media.file.open() as kept:
        assert kept.read() == content


def test_a_picture_that_pillow_does_not_know_is_kept_as_it_came(send):
    content = files.iso_media(b"heic")
    media = fetch_all(send(File("image/heic", content)))
    assert (media.status, media.content_type, media.why) == (
        "stored",
        "image/heic",
        pictures.AS_IT_CAME,
    )
    assert not media.thumbnail


def test_a_picture_of_too_many_pixels_is_kept_as_it_came(send):
    content = files.TOO_LARGE_PICTURES["one pixel too many"]
    media = fetch_all(send(File("image/png", content)))
    assert (media.status, media.content_type, media.why) == (
        "stored",
        "image/png",
        pictures.TOO_MANY_PIXELS,
    )
    with media.file.open() as kept:
        assert kept.read() == content
    assert not media.thumbnail


def test_a_kind_that_is_claimed_is_not_believed(send):
    media = fetch_all(send(File("image/jpeg", files.PDF)))
    assert (media.content_type, media.said_type) == ("application/pdf", "image/jpeg")
    media = fetch_all(send(File("application/pdf", files.JPEG)))
    assert (media.content_type, media.said_type) == ("image/jpeg", "application/pdf")


def test_twilio_keeps_it_from_the_moment_that_it_is_to(send, twilio, clock, settings):
    file = photo()
    media = fetch_all(send(file))
    settings.TWILIO_DELETE_MEDIA = False
    clock.shift(timedelta(minutes=10))
    fetch_all(media)
    assert twilio.memory.media(file.sid)
    assert (media.status, media.try_at) == ("stored", None)


@pytest.mark.parametrize("name", ["SVG", "HTML", "GIF and script", "program for Windows", "zip"])
def test_a_dangerous_file_is_refused_and_not_stored(send, twilio, clock, name):
    file = File("image/jpeg", files.DANGEROUS[name])
    media = fetch_all(send(file))
    assert media.status == "refused"
    assert media.why.startswith("It is ")
    assert media.try_at is None
    assert stored() == set()
    clock.shift(timedelta(days=1))
    fetch_all(media)
    assert twilio.memory.media(file.sid)


def test_the_log_says_whose_file_it_was_and_why_it_was_refused(send, log):
    media = send(File("image/jpeg", files.SVG))
    fetching.drain()
    media.refresh_from_db()
    (line,) = (line for line in log if line["event"] == "file")
    assert (line["sid"], line["why"]) == (media.message.sid, media.why)


def test_a_redirect_elsewhere_is_refused(send):
    media = fetch_all(send(photo(redirect="http://10.0.0.1/secret")))
    assert (media.status, media.why) == (
        "refused",
        "It is said to be elsewhere, but: Its address is none of Twilio's.",
    )


def test_of_somebody_blocked_no_file_is_fetched_before_they_are_unblocked(send, twilio, phone):
    phone.say("hi")
    contact = Contact.objects.get()
    contact.block()
    file = photo()
    media = fetch_all(send(file))
    assert (media.status, media.why, media.try_at) == ("refused", OF_BLOCKED, None)
    Media.objects.try_again()
    assert fetch_all(media).why == OF_BLOCKED
    assert stored() == set()
    assert not twilio.requests
    assert twilio.memory.media(file.sid)

    contact.unblock()
    Media.objects.try_again()
    assert fetch_all(media).status == "stored"


def test_what_waits_when_they_are_blocked_is_not_fetched_either(send, twilio, clock):
    media = send(photo(missing=1))
    assert fetch_all(media).status == "waiting"
    media.message.contact.block()
    clock.shift(timedelta(seconds=1))
    assert fetch_all(media).status == "refused"
    assert len(twilio.requests) == 1


def test_of_one_person_so_many_files_are_fetched_by_themselves_in_a_day(
    send, twilio, phone, new_phone, clock, monkeypatch
):
    monkeypatch.setattr("whatsapp_bot.models.media.MOST_OF_ONE", 3)
    phone.say("hi")
    clock.shift(timedelta(hours=1))
    files_sent = [photo() for _ in range(5)]
    sent = [send(file) for file in files_sent]
    new_phone("+27820000901").send("image")
    fetching.drain()
    *found, of_another = Media.objects.order_by("pk")
    assert [media.status for media in found] == ["stored"] * 3 + ["refused"] * 2
    assert [media.why for media in found[3:]] == [TOO_MANY] * 2
    assert of_another.why != TOO_MANY
    assert twilio.memory.media(files_sent[3].sid)

    assert Media.objects.filter(pk=sent[3].pk).try_again() == 1
    assert fetch_all(sent[3]).status == "stored"
    clock.shift(timedelta(hours=23))
    assert fetch_all(send(photo())).status == "refused"
    clock.shift(timedelta(hours=2))
    assert fetch_all(send(photo())).status == "stored"


# Trying again -------------------------------------------------------------------------------------


def test_what_is_not_there_at_first_is_there_a_moment_later(send, twilio, clock):
    media = send(photo(missing=2))
    fetch_all(media)
    assert (media.status, media.attempts) == ("waiting", 1)
    assert media.why == "It was not there (the answer was 404)."
    fetching.drain()
    assert len(twilio.requests) == 1
    clock.shift(timedelta(seconds=1))
    fetch_all(media)
    assert (media.status, media.attempts) == ("waiting", 2)
    clock.shift(timedelta(seconds=2))
    fetch_all(media)
    assert (media.status, media.attempts, media.why) == ("stored", 0, "")
    assert len(stored()) == 2


def test_what_never_comes_is_given_up_after_an_hour_and_can_be_tried_again(send, clock):
    file = photo(missing=8)
    media = send(file)
    began = timezone.now()
    for wait in (*WAITS, 0):
        fetch_all(media)
        clock.shift(timedelta(seconds=wait))
    assert timedelta(minutes=50) < timezone.now() - began < timedelta(minutes=70)
    assert media.status == "missing"
    assert media.why == "It was not there (the answer was 404). It was tried 8 times."
    clock.shift(timedelta(days=1))
    assert fetching.drain() == 0

    assert Media.objects.try_again() == 1
    assert fetch_all(media).status == "stored"
    assert Media.objects.try_again() == 0


@pytest.mark.parametrize(
    "trouble",
    [troubles.failure(503), troubles.too_many(), troubles.cut(), troubles.reset()],
    ids=["503", "429", "cut", "reset"],
)
def test_trouble_at_twilio_passes(send, twilio, clock, trouble):
    media = send(photo())
    twilio.trouble.once(trouble, when=troubles.anything)
    assert fetch_all(media).status == "waiting"
    clock.shift(timedelta(seconds=1))
    assert fetch_all(media).status == "stored"


def down(*_: object, **__: object) -> None:
    raise ConnectionRefusedError


@pytest.mark.parametrize("trouble", [troubles.failure(503), troubles.failure(401), None])
def test_an_outage_of_hours_costs_no_picture(send, twilio, clock, monkeypatch, trouble):
    media = send(photo())
    began, tries = timezone.now(), 0
    with monkeypatch.context() as patch:
        if trouble:
            twilio.trouble.always(trouble, when=troubles.anything)
        else:
            patch.setattr("socket.create_connection", down)
        while timezone.now() - began < timedelta(hours=20):
            assert fetch_all(media).status == "waiting"
            tries += 1
            clock.move_to(media.try_at)
    twilio.trouble.stop()
    assert tries < 40
    assert fetch_all(media).status == "stored"


def test_an_outage_of_days_is_said(send, twilio, clock):
    media = send(photo())
    twilio.trouble.always(troubles.failure(503), when=troubles.anything)
    began = timezone.now()
    while fetch_all(media).status == "waiting":
        clock.move_to(media.try_at)
    assert timedelta(hours=23) < timezone.now() - began < timedelta(hours=26)
    assert media.why.startswith("Twilio has trouble (the answer was 503). It was tried ")


def test_wrong_credentials_are_trouble_too(send, settings, clock):
    media = send(photo())
    token, settings.TWILIO_AUTH_TOKEN = settings.TWILIO_AUTH_TOKEN, "x" * 32
    assert fetch_all(media).status == "waiting"
    settings.TWILIO_AUTH_TOKEN = token
    clock.shift(timedelta(seconds=1))
    assert fetch_all(media).status == "stored"


def test_deleting_is_tried_for_a_day(send, twilio, clock):
    file = photo()
    media = fetch_all(send(file))
    twilio.trouble.always(troubles.failure(500), when=troubles.anything)
    began = timezone.now()
    clock.shift(fetching.KEPT_AT_TWILIO)
    for wait in (*WAITS, 0):
        fetch_all(media)
        clock.shift(timedelta(seconds=wait * fetching.SLOWER))
    assert media.try_at is None
    assert (media.status, media.why, media.deleted_at_twilio) == ("stored", "", None)
    assert timedelta(hours=20) < timezone.now() - began < timedelta(hours=24)


def test_what_is_gone_at_twilio_counts_as_deleted(send, twilio, clock):
    file = photo()
    media = fetch_all(send(file))
    twilio.memory.messages()[0].media.clear()
    clock.shift(fetching.KEPT_AT_TWILIO)
    assert fetch_all(media).deleted_at_twilio


@pytest.mark.parametrize("left", [b"half", None])
def test_what_our_storage_lost_is_fetched_anew(send, twilio, clock, left):
    file = photo()
    media = fetch_all(send(file))
    default_storage.delete(media.file.name)
    if left:
        default_storage.save(media.file.name, ContentFile(left))
    clock.shift(fetching.KEPT_AT_TWILIO)
    fetch_all(media)
    assert twilio.memory.media(file.sid)
    assert media.try_at > timezone.now()
    assert media.status == "stored"
    assert media.file.size == media.size
    assert stored() == {media.file.name, media.thumbnail.name}
    clock.shift(fetching.KEPT_AT_TWILIO)
    assert fetch_all(media).deleted_at_twilio


def test_a_storage_that_cannot_be_asked_has_lost_nothing(send, twilio, clock, monkeypatch):
    media = fetch_all(send(photo()))
    clock.shift(fetching.KEPT_AT_TWILIO)
    with monkeypatch.context() as patch:
        patch.setattr(InMemoryStorage, "exists", raise_no_space)
        assert fetch_all(media).status == "stored"
    assert media.try_at > timezone.now()


def test_a_storage_that_is_away_is_trouble_too(send, clock, monkeypatch):
    media = send(photo())
    with monkeypatch.context() as patch:
        patch.setattr(InMemoryStorage, "save", lambda *_, **__: 1 / 0)
        assert fetch_all(media).status == "waiting"
    assert media.why == fetching.STUMBLED
    clock.shift(timedelta(seconds=1))
    assert fetch_all(media).status == "stored"


def test_a_disk_that_is_full_for_hours_costs_no_picture(send, clock, monkeypatch):
    media = send(photo())
    with monkeypatch.context() as patch:
        patch.setattr(InMemoryStorage, "save", raise_no_space)
        began, tries = timezone.now(), 0
        while timezone.now() - began < timedelta(hours=3):
            assert fetch_all(media).status == "waiting"
            tries += 1
            clock.move_to(media.try_at)
    assert tries < 30
    assert fetch_all(media).status == "stored"
    assert stored() == {media.file.name, media.thumbnail.name}


def test_a_bucket_that_is_away_for_hours_costs_none_either(send, clock, monkeypatch):
    """Not even to look for what an earlier try may have left is possible then."""
    media = send(photo())
    with monkeypatch.context() as patch:
        patch.setattr(InMemoryStorage, "save", raise_no_space)
        patch.setattr(InMemoryStorage, "delete", raise_no_space)
        for _ in range(20):
            assert fetch_all(media).status == "waiting"
            clock.move_to(media.try_at)
    assert fetch_all(media).status == "stored"


def raise_no_space(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


# Workers ------------------------------------------------------------------------------------------


def test_a_worker_killed_half_way_leaves_it_to_the_next(send, clock, settings):
    media = send(photo())
    (errand,) = fetching.claim(4)
    fetching._fetch(errand)
    assert len(stored()) == 2

    assert fetching.drain() == 0
    clock.shift(timedelta(seconds=settings.FETCH_CLAIM_SECONDS))
    fetch_all(media)
    assert media.status == "stored"
    assert stored() == {media.file.name, media.thumbnail.name}


def test_a_worker_that_comes_too_late_throws_its_copy_away(send, clock, settings):
    media = send(photo())
    (errand,) = fetching.claim(4)
    clock.shift(timedelta(seconds=settings.FETCH_CLAIM_SECONDS))
    fetch_all(media)
    fetching.settle([(errand, fetching._fetch(errand))])
    media.refresh_from_db()
    assert media.status == "stored"
    assert stored() == {media.file.name, media.thumbnail.name}


def test_what_kills_every_worker_is_given_up(send, clock, settings):
    media = send(photo())
    for _ in range(len(WAITS) + 1):
        assert len(fetching.claim(4)) == 1
        clock.shift(timedelta(seconds=settings.FETCH_CLAIM_SECONDS))
    assert fetching.claim(4) == []
    media.refresh_from_db()
    assert (media.status, media.why) == ("missing", "Fetching it broke down. It was tried 8 times.")


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_fetch_each_file_once(send, twilio):
    for _ in range(6):
        send(photo())
    begin = threading.Barrier(2)

    def work() -> None:
        begin.wait()
        fetching.drain()
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert set(Media.objects.values_list("status", flat=True)) == {"stored"}
    assert len(twilio.cdn_requests) == 6
    assert len(stored()) == 12


@pytest.mark.django_db(transaction=True)
def test_a_message_with_a_file_wakes_a_worker_and_so_does_the_sweep(send):
    def woken() -> int:
        return DBTaskResult.objects.filter(task_path=tasks.fetch_files.module_path).count()

    media = send(photo())
    assert woken() == 1
    DBTaskResult.objects.all().delete()
    sweep.wake_the_fetching()
    assert woken() == 1
    sweep.wake_the_fetching()
    assert woken() == 1
    tasks.fetch_files.call()
    media.refresh_from_db()
    assert media.status == "stored"
    DBTaskResult.objects.all().delete()
    sweep.wake_the_fetching()
    assert woken() == 0


def test_a_message_without_one_wakes_nobody(phone, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as callbacks:
        phone.say("hi")
    assert not any(one.work == tasks.fetch_files for one in callbacks)


# The simulator ------------------------------------------------------------------------------------


def test_files_of_the_simulator_are_read_here(phone):
    for kind in attachments.EXAMPLES:
        phone.say("", **attachments.parameters_for(kind))
    upload = ContentFile(files.photo_with_place(), "part.jpg")
    upload.content_type = "image/jpeg"
    own = attachments.store(upload)
    phone.say("", **attachments.parameters_for("image", file=own))
    with watched() as network:
        fetching.drain()
    assert network == []
    kinds = list(Media.objects.order_by("pk").values_list("status", "content_type"))
    assert kinds == [
        ("stored", "image/jpeg"),
        ("stored", "audio/ogg"),
        ("stored", "image/jpeg"),
        ("stored", "application/pdf"),
        ("stored", "image/jpeg"),
    ]
    last = Media.objects.latest("pk")
    assert files.GPS not in last.file.open().read()
    assert last.try_at is None


def test_an_own_file_that_only_seems_to_be_a_picture_is_refused(phone):
    page = ContentFile(files.PAGE, "part.jpg")
    page.content_type = "image/jpeg"
    phone.say("", **attachments.parameters_for("image", file=attachments.store(page)))
    fetching.drain()
    assert Media.objects.get().status == "refused"


def test_nothing_else_of_this_server_is_read(settings):
    default_storage.save("secret", ContentFile(b"secret"))
    for path in (
        "/static/simulator/samples/../../x",
        "/simulator/files/../secret",
        "/simulator/files/secret",
        "/admin/",
    ):
        assert attachments.read_here(settings.PUBLIC_URL + path) is None
