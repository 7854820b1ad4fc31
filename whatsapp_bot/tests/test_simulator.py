"""The simulator's page: who may use it, and that it talks to the real webhook."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from whatsapp_bot import outbox
from whatsapp_bot.delivery import Status
from whatsapp_bot.inbound import Kind
from whatsapp_bot.models import Contact, Conversation, Message
from whatsapp_bot.models.contact import Role, is_made_up
from whatsapp_bot.simulator import attachments, phone
from whatsapp_bot.simulator.people import CAST
from whatsapp_bot.twilio import rest
from whatsapp_bot.twilio import webhook as twilio

pytestmark = pytest.mark.django_db

WORKER, UNKNOWN = CAST["worker"].address, CAST["unknown"].address
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
DOORS = [
    ("get", "page"),
    ("post", "people"),
    ("post", "new_person"),
    ("post", "history"),
    ("post", "say"),
    ("post", "script"),
]


Post = Callable[..., HttpResponse]


@pytest.fixture
def post(tester: Client) -> Post:
    """Post to one of the simulator's addresses as staff."""
    return lambda at, /, **values: tester.post(reverse(f"simulator:{at}"), values, secure=True)


@pytest.fixture
def type_as(post: Post) -> Callable[..., dict[str, Any]]:
    def type_as(whom: str, text: str = "", **more: Any) -> dict[str, Any]:
        return post("say", whom=whom, text=text, **more).json()

    return type_as


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.MEDIA_ROOT = tmp_path
    return


# Who may ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "name"), DOORS)
def test_strangers_are_sent_to_sign_in(client: Client, method: str, name: str) -> None:
    path = reverse(f"simulator:{name}")
    answer = getattr(client, method)(path, secure=True)
    assert answer.status_code == 302
    assert answer["Location"] == f"{reverse('admin:login')}?next={path}"


@pytest.mark.parametrize(("method", "name"), DOORS)
def test_signed_in_is_not_enough(client: Client, method: str, name: str) -> None:
    client.force_login(User.objects.create_user("customer"))
    assert getattr(client, method)(reverse(f"simulator:{name}"), secure=True).status_code == 403


@pytest.mark.parametrize(("method", "name"), DOORS)
def test_staff_need_the_permission(client: Client, method: str, name: str) -> None:
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    assert getattr(client, method)(reverse(f"simulator:{name}"), secure=True).status_code == 403


def test_files_are_behind_the_same_door(client: Client) -> None:
    path = reverse("simulator:file", args=["ME" + "0" * 32 + ".png"])
    assert client.get(path, secure=True).status_code == 302


def test_everybody_may_in_debug(client: Client, settings: Any) -> None:
    settings.DEBUG = True
    assert client.get("/simulator/", secure=True).status_code == 200


@pytest.mark.parametrize("name", [name for method, name in DOORS if method == "post"])
def test_posts_need_the_token(settings: Any, name: str) -> None:
    settings.DEBUG = True
    careful = Client(enforce_csrf_checks=True)
    assert careful.post(reverse(f"simulator:{name}"), secure=True).status_code == 403


def test_page_loads_nothing_from_elsewhere(tester: Client) -> None:
    page = tester.get("/simulator/", secure=True)
    assert page["Content-Security-Policy"].startswith("default-src 'self';")
    html = page.content.decode()
    for foreign in ("http:", "https:", "//cdn", "style=", "<style", "onclick"):
        assert foreign not in html


def test_who_may_not_read_messages_meets_no_real_people(tester: Client, post: Post) -> None:
    real = Contact.objects.create(phone="+27821234567", name="Nomsa")
    made_up = Contact.objects.create(phone="+99912345678", name="Nomsa, made up")
    hidden = Contact.objects.create(user_id="ZZ.nomsa", name="Nomsa, hidden")
    Permission.objects.get(codename="view_message").user_set.clear()
    found = post("people", words="nomsa").json()["found"]
    assert [one["address"] for one in found] == [hidden.user_id, made_up.phone]
    for door in ("history", "say", "script", "open"):
        answer = post(door, whom=real.phone, text="hi", address="bot.help")
        assert answer.status_code == 400
        assert "not as real ones" in answer.json()["error"]
    assert not Message.objects.exists()
    assert post("say", whom=made_up.phone, text="hi").status_code == 200


# People -------------------------------------------------------------------------------------------


def test_cast_is_always_there(post: Post) -> None:
    cast = post("people").json()["cast"]
    assert [one["as"] for one in cast] == ["worker", "customer", "unknown", "no number"]
    assert not Contact.objects.exists()


@pytest.mark.parametrize("words", ["nomsa", "Nom", "+27 82 555", "825550"])
def test_contacts_are_found(post: Post, words: str) -> None:
    Contact.objects.create(phone="+27825550001", name="Nomsa Dlamini")
    Contact.objects.create(phone="+27111111111", name="Pieter")
    found = post("people", words=words).json()["found"]
    assert [one["name"] for one in found] == ["Nomsa Dlamini"]


def test_nobody_is_found_by_other_words(post: Post) -> None:
    Contact.objects.create(phone="+27825550001", name="Nomsa Dlamini")
    assert post("people", words="%").json()["found"] == []


def test_cast_is_what_it_plays(type_as: Callable) -> None:
    for person in CAST.values():
        type_as(person.address, "hi")
    roles = Contact.objects.order_by("pk").values_list("role", flat=True)
    assert list(roles) == [Role.WORKER, Role.CUSTOMER, Role.UNKNOWN, Role.UNKNOWN]
    assert Contact.objects.get(name="Somebody hidden").phone is None


def test_contact_stays_who_it_is(type_as: Callable) -> None:
    contact = Contact.objects.create(phone="+27825550001", user_id="ZA.77ab", name="Nomsa")
    answer = type_as("+27825550001", "hi", name="Somebody else")
    contact.refresh_from_db()
    assert (contact.name, Contact.objects.count()) == ("Nomsa", 1)
    assert answer["exchange"]["parameters"]["ExternalUserId"] == "ZA.77ab"


@pytest.mark.parametrize("hides", [{}, {"hides_number": "on"}])
@pytest.mark.parametrize("role", Role.values)
def test_new_person(post: Post, type_as: Callable, role: str, hides: dict) -> None:
    person = post("new_person", name="Ama", role=role, **hides).json()
    assert person["address"].startswith("ZZ." if hides else "+999")
    type_as(person["address"], "hi", name=person["name"])
    contact = Contact.objects.get()
    assert (contact.name, contact.role, contact.address) == ("Ama", role, person["address"])


@pytest.mark.parametrize("whom", ["", "Nomsa", "+27", "javascript:1", "{0.__class__}"])
def test_no_such_address(post: Post, whom: str) -> None:
    answer = post("say", whom=whom, text="hi")
    assert answer.status_code == 400
    assert "phone number" in answer.json()["error"]


def test_no_such_role(post: Post) -> None:
    assert post("new_person", role="king").status_code == 400


# Messages -----------------------------------------------------------------------------------------


def test_goes_through_the_real_webhook(type_as: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    is_signed = twilio.is_signed

    def remember(request: Any, parameters: Any) -> bool:
        seen.append((request.path, request.headers["X-Twilio-Signature"]))
        return is_signed(request, parameters)

    monkeypatch.setattr(twilio, "is_signed", remember)
    answer = type_as(WORKER, "hi")
    exchange = answer["exchange"]
    assert seen == [("/whatsapp/webhook/", exchange["sent"]["X-Twilio-Signature"])]
    assert exchange["status"] == "200 OK"
    assert exchange["body"].startswith("<?xml")
    said, replied = answer["messages"]
    assert said["mine"]
    assert said["sid"] == exchange["parameters"]["MessageSid"]
    assert "Welcome" in replied["text"]
    assert Message.objects.count() == 2


def test_whole_dialogue(type_as: Callable) -> None:
    for text in ("hi", "2", "1", "Scratch on the lid"):
        answer = type_as(UNKNOWN, text)
    assert "Defect Submitted" in answer["messages"][1]["text"]
    type_as(UNKNOWN, "2")
    assert "Scratch on the lid" in type_as(UNKNOWN, "2")["messages"][1]["text"]


def test_refusal_is_told(type_as: Callable, post: Post, settings: Any) -> None:
    sign = phone.sign
    try:
        phone.sign = lambda *about: "wrong"
        answer = post("say", whom=WORKER, text="a message that is refused")
    finally:
        phone.sign = sign
    assert answer.status_code == 502
    assert answer.json()["error"] == "The webhook refused the message: 403, wrong signature."
    assert answer.json()["exchange"]["status"] == "403 Forbidden"
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "{0.__class__} %s {{ 7 }}",
        "مرحبا بالعالم",
        "x" * 5000,
        "*bold* _it_ ~no~ ```mono```",
        "line\u2028separator and \N{FACTORY}",
    ],
)
def test_weird_text_comes_back_as_it_is(type_as: Callable, post: Post, text: str) -> None:
    assert type_as(UNKNOWN, text)["messages"][0]["text"] == text
    answer = post("history", whom=UNKNOWN)
    assert answer["Content-Type"] == "application/json"
    assert answer.json()["messages"][0]["text"] == text


@pytest.mark.parametrize(
    ("kind", "text", "stored"),
    [
        ("image", "the lid", {"body": "the lid"}),
        ("audio", "ignored", {"body": ""}),
        ("document", "plan.pdf", {"body": "", "details__FileName": "plan.pdf"}),
        ("location", "-26.2, 28.04", {"body": "", "details__Latitude": "-26.2"}),
        ("location", "", {"details__Longitude": "28.0473"}),
        ("other", "", {"body": ""}),
    ],
)
def test_attachments(type_as: Callable, kind: str, text: str, stored: dict) -> None:
    type_as(UNKNOWN, text, kind=kind)
    message = Message.objects.get(direction="in", kind=kind, **stored)
    assert message.media.count() == (kind in attachments.EXAMPLES)


def test_examples_exist() -> None:
    folder = Path(attachments.__file__).parent.parent / "static"
    for path, _ in attachments.EXAMPLES.values():
        assert (folder / path).stat().st_size > 100


def test_own_picture_is_kept_and_shown(type_as: Callable, tester: Client) -> None:
    upload = SimpleUploadedFile("lid.png", PNG, "image/png")
    answer = type_as(UNKNOWN, "the lid", kind="image", file=upload)
    path = answer["messages"][0]["files"][0]
    assert answer["exchange"]["parameters"]["MediaUrl0"].endswith(path)
    picture = tester.get(path, secure=True)
    assert b"".join(picture.streaming_content) == PNG
    assert picture["Content-Type"] == "image/png"
    assert "sandbox" in picture["Content-Security-Policy"]


def test_pages_are_no_pictures(post: Post) -> None:
    upload = SimpleUploadedFile("lid.html", b"<script>1</script>", "text/html")
    answer = post("say", whom=UNKNOWN, kind="image", file=upload)
    assert answer.status_code == 400
    assert "JPEG" in answer.json()["error"]
    assert not Message.objects.exists()


def test_an_empty_file_is_no_picture(post: Post) -> None:
    upload = SimpleUploadedFile("lid.png", b"", "image/png")
    answer = post("say", whom=UNKNOWN, kind="image", file=upload)
    assert (answer.status_code, answer.json()) == (400, {"error": "That file is empty."})
    assert not Message.objects.exists()


@pytest.mark.parametrize("name", ["ME" + "1" * 32 + ".png", "../../settings.py", "ME1.png"])
def test_no_such_file(tester: Client, name: str) -> None:
    assert tester.get(f"/simulator/files/{name}", secure=True).status_code == 404


def test_files_from_elsewhere_are_not_shown(contact: Contact, post: Post) -> None:
    message = Message.objects.create(contact=contact, direction="in", kind=Kind.IMAGE)
    message.media.create(url="https://api.twilio.com/ME1", content_type="image/jpeg")
    shown = post("history", whom=contact.phone).json()["messages"]
    assert shown[0]["files"] == [""]


# History ------------------------------------------------------------------------------------------


@pytest.fixture
def long_talk(contact: Contact) -> Contact:
    Message.objects.bulk_create(
        Message(contact=contact, direction="in", body=f"number {n}") for n in range(120)
    )
    return contact


def test_history_comes_in_pages(long_talk: Contact, post: Post) -> None:
    pages, before = [], ""
    for _ in range(3):
        page = post("history", whom=long_talk.phone, before=before).json()
        pages.append(page)
        before = page["messages"][0]["id"]
    assert [len(page["messages"]) for page in pages] == [50, 50, 20]
    assert [page["earlier"] for page in pages] == [True, True, False]
    assert pages[0]["messages"][-1]["text"] == "number 119"
    assert pages[2]["messages"][0]["text"] == "number 0"


def test_history_goes_on_from_a_message(long_talk: Contact, post: Post) -> None:
    last = long_talk.messages.order_by("pk")[117].pk
    news = post("history", whom=long_talk.phone, after=last).json()["messages"]
    assert [message["text"] for message in news] == ["number 118", "number 119"]


def test_history_tells_how_far_our_messages_are(contact: Contact, post: Post) -> None:
    contact.send("Please call us.")
    (shown,) = post("history", whom=contact.phone).json()["messages"]
    assert shown["delivery"]["status"] == "waiting"

    def deliveries() -> dict[str, dict[str, str]]:
        return post("history", whom=contact.phone, after=shown["id"]).json()["deliveries"]

    message = Message.objects.get()
    message.settle(Status.DELIVERED)
    delivered = {"status": "delivered", "words": "delivered", "text": "Please call us."}
    assert deliveries() == {str(message.pk): delivered}
    message.settle(Status.FAILED, 63024)
    assert "not on WhatsApp" in deliveries()[str(message.pk)]["words"]
    said = Message.objects.create(contact=contact, direction="in", status=Status.RECEIVED)
    assert post("history", whom=contact.phone).json()["messages"][-1]["id"] == said.pk
    assert post("history", whom=contact.phone).json()["messages"][-1]["delivery"] is None


@pytest.mark.parametrize("address", [WORKER, CAST["no number"].address, "+15550100001"])
def test_nothing_leaves_to_people_who_are_made_up(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    """Also with a real account."""
    monkeypatch.setattr(rest, "send", lambda parcel: pytest.fail("it left"))
    by = "user_id" if address.startswith("ZZ") else "phone"
    contact = Contact.objects.create(**{by: address})
    Conversation.objects.create(contact=contact, heard_at=timezone.now())
    (message,) = contact.send("Please call us.")
    outbox.drain()
    message.refresh_from_db()
    assert message.status == Status.SENT
    assert re.fullmatch("SM[0-9a-f]{32}", message.sid)


@pytest.mark.parametrize("address", ["+27821234567", "+15005550006", "ZA.1a2b"])
def test_others_are_not_made_up(address: str) -> None:
    assert not is_made_up(address)


def test_history_is_of_one_person(long_talk: Contact, post: Post) -> None:
    assert post("history", whom=UNKNOWN).json()["messages"] == []


@pytest.mark.parametrize("before", ["x", "-1", "²", "9" * 40])
def test_history_with_nonsense(long_talk: Contact, post: Post, before: str) -> None:
    assert len(post("history", whom=long_talk.phone, before=before).json()["messages"]) == 50


@pytest.mark.parametrize("address", ["nothing", "", "draft:\0", "draft:" + "x" * 200, "draft:ü b"])
def test_what_is_no_address_is_not_opened(post: Post, address: str) -> None:
    answer = post("open", whom=CAST["worker"].address, address=address)
    assert answer.status_code == 400
    assert "not there any more" in answer.json()["error"]
