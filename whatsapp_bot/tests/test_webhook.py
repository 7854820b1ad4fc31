"""The webhook's door: what comes in, what is refused, and what every answer looks like."""

import json
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.db import OperationalError
from hypothesis import given
from hypothesis import strategies as st

from whatsapp_bot import desk, receiving, views
from whatsapp_bot.delivery import Status
from whatsapp_bot.inbound import Kind
from whatsapp_bot.models import Contact, Conversation, Media, MenuItem, Message
from whatsapp_bot.recent import forget_all
from whatsapp_bot.simulator import phone as simulator
from whatsapp_bot.tests.database import held_by_another
from whatsapp_bot.twilio import webhook as twilio

pytestmark = pytest.mark.django_db


WORDS = st.text(st.characters(exclude_categories=["Cs"]))


def rows() -> int:
    return sum(model.objects.count() for model in (Contact, Conversation, Message, Media))


@pytest.fixture
def parameters(phone):
    return phone.parameters("hi")


@pytest.mark.parametrize(
    "signature",
    ["", "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "häßlich=", "\x80", "=" * 6000],
    ids=["missing", "short", "wrong", "latin1", "byte", "long"],
)
def test_a_wrong_signature_is_refused_without_a_row(parameters, signature):
    response = simulator.post(parameters, **{"x-twilio-signature": signature})
    assert response.status_code == 403
    assert rows() == 0


def test_no_signature_at_all_is_refused(client, parameters):
    response = client.post("/whatsapp/webhook/", urlencode(parameters), content_type=simulator.FORM)
    assert response.status_code == 403
    assert rows() == 0


def test_a_signature_with_another_token_is_refused(parameters, settings):
    signature = simulator.sign(parameters, "/whatsapp/webhook/")
    settings.TWILIO_AUTH_TOKEN = "another-token-0000000000"  # noqa: S105
    response = simulator.post(parameters, **{"x-twilio-signature": signature})
    assert response.status_code == 403


def test_forwarded_headers_do_not_matter_for_the_signature(parameters):
    headers = {"x-forwarded-host": "evil.example.com", "x-forwarded-proto": "http"}
    assert simulator.post(parameters, **headers).status_code == 200


def test_a_query_in_the_address_is_signed_as_well(client, parameters):
    path = "/whatsapp/webhook/?a=%20b&c"
    signature = simulator.sign(parameters, path)
    response = client.post(
        path,
        urlencode(parameters),
        content_type=simulator.FORM,
        headers={"x-twilio-signature": signature},
    )
    assert response.status_code == 200


@given(st.dictionaries(WORDS, WORDS))
def test_the_signature_is_that_of_twilios_library(parameters):
    path = "/whatsapp/webhook/?a=ü"
    ours = twilio.signature(settings.PUBLIC_URL + path, parameters)
    assert ours == simulator.sign(parameters, path)


def test_a_signature_over_the_address_with_its_port_is_good_as_well(parameters):
    url = f"{settings.PUBLIC_URL}:443/whatsapp/webhook/"
    signature = twilio.signature(url, parameters)
    assert simulator.post(parameters, **{"x-twilio-signature": signature}).status_code == 200


def resplit(parameters, change):
    """Another way to cut the same signed string: the signature stays good."""
    before = simulator.sign(parameters, "/whatsapp/webhook/")
    changed = change(dict(parameters))
    assert simulator.sign(changed, "/whatsapp/webhook/") == before
    return changed


def without_message_sid(parameters):
    # "From" + "whatsapp:…" + "MessageSid" + "SM…" reads the same with one key less.
    sender, sid = parameters.pop("From"), parameters.pop("MessageSid")
    kind = parameters.pop("MessageType")
    return parameters | {"From": f"{sender}MessageSid{sid}MessageType{kind}"}


def with_malformed_sid(parameters):
    sid = parameters.pop("MessageSid")
    kind = parameters.pop("MessageType")
    return parameters | {"MessageSid": f"{sid}MessageType{kind}"}


def with_shortened_account(parameters):
    account = parameters.pop("AccountSid")
    return parameters | {f"AccountSid{account[:2]}": account[2:]}


@pytest.mark.parametrize(
    "change", [without_message_sid, with_malformed_sid, with_shortened_account]
)
def test_parameters_cut_up_otherwise_under_a_good_signature_are_refused(phone, change):
    parameters = {
        name: value
        for name, value in phone.parameters("hi").items()
        if name in ("AccountSid", "Body", "From", "MessageSid", "MessageType", "To")
    }
    parameters = resplit(parameters, change)
    assert simulator.post(parameters).status_code == 400
    assert rows() == 0


def test_a_parameter_twice_under_a_good_signature_is_refused(client, parameters):
    # Twilio's validator signs a repeated value once.
    body = urlencode([*parameters.items(), ("MessageSid", parameters["MessageSid"])])
    signature = simulator.sign(parameters, "/whatsapp/webhook/")
    response = client.post(
        "/whatsapp/webhook/",
        body,
        content_type=simulator.FORM,
        headers={"x-twilio-signature": signature},
    )
    assert response.status_code == 400
    assert rows() == 0


@pytest.mark.parametrize("name", ["MessageSid", "AccountSid", "From", "To"])
@pytest.mark.parametrize("value", [None, "", "x", "SM1", "whatsapp:", "+12", "whatsapp:ZA."])
def test_what_is_required_has_to_be_there_and_well_formed(parameters, name, value):
    parameters.pop(name)
    if value is not None:
        parameters[name] = value
    assert simulator.post(parameters).status_code == 400
    assert rows() == 0


@pytest.mark.parametrize(
    ("name", "value"), [("AccountSid", "AC" + "9" * 32), ("To", "whatsapp:+15005550007")]
)
def test_another_account_or_number_is_refused(parameters, name, value):
    parameters[name] = value
    assert simulator.post(parameters).status_code == 403
    assert rows() == 0


@pytest.mark.parametrize(
    "sender", ["+27821234567", " 27821234567", "27821234567", "whatsapp: 27821234567"]
)
def test_a_sender_is_known_however_the_number_is_written(parameters, sender):
    parameters["From"] = sender
    assert simulator.post(parameters).status_code == 200
    assert Contact.objects.get().phone == "+27821234567"


@pytest.mark.parametrize("number", ["15005550006", "+15005550006", "whatsapp:+15005550006"])
def test_our_number_is_known_however_it_is_written(parameters, number):
    parameters["To"] = number
    assert simulator.post(parameters).status_code == 200


def test_get_is_no_message(client):
    assert client.get("/whatsapp/webhook/").status_code == 405


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (json.dumps({"MessageSid": "SM"}), "application/json", 415),
        ("--x\r\n\r\n--x--", "multipart/form-data; boundary=x", 415),
        ("", "", 415),
        ("a=1", "application/x-www-form-urlencoded; charset=utf-16", 400),
        ("&".join(f"a{n}=1" for n in range(1500)), simulator.FORM, 413),
        ("&" * 1000, simulator.FORM, 413),
        ("Body=" + "x" * 3_000_000, simulator.FORM, 413),
        ("%00%ff=%ed%a0%80", simulator.FORM, 403),
    ],
    ids=[
        "json",
        "multipart",
        "nothing",
        "utf16",
        "1500 fields",
        "1000 separators",
        "3 MB",
        "rubbish",
    ],
)
def test_another_shape_is_refused(client, body, content_type, status):
    response = client.post(
        "/whatsapp/webhook/",
        body,
        content_type=content_type,
        headers={"x-twilio-signature": "x"},
    )
    assert response.status_code == status
    assert rows() == 0


@pytest.mark.parametrize(
    "text",
    [
        "nul\0 here",
        "bell\x07 \x1b[31m vertical\x0btab",
        "not \ufffe a \uffff character",
        "\u202eright to left\u2066",
        "{0.__class__} {number} %s %(x)s {{ x }}",
        "</Body></Message></Response><script>alert(1)</script> & ]]> &#0;",
        "x" * 100_000,
        "🏭" * 25_000,
        "\n" * 5_000,
        "مرحبا",
        "",
    ],
)
@pytest.mark.parametrize("before", [[], ["hi"], ["hi", "2", "1"], ["hi", "4", "1"], ["hi", "1"]])
def test_any_text_gets_a_well_formed_answer(phone, text, before):
    for said in before:
        phone.say(said)
    replies = phone.say(text)
    assert replies
    assert all(0 < len(reply.encode("utf-16-le")) // 2 <= 1600 for reply in replies)
    assert not Message.objects.filter(status=Status.TROUBLE).exists()


def test_text_is_cleaned_once_and_kept(phone):
    phone.say("a\0b\u202ec\r\nd\ufffe {0.__class__} <b>")
    assert Message.objects.filter(direction="in").get().body == "abc\nd {0.__class__} <b>"


def test_other_parameters_are_kept_whatever_they_are(phone):
    phone.say("hi", Forwarded="true", NewThing2027="what\0ever", Empty="")
    message = Message.objects.get(direction="in")
    assert message.details == {"Forwarded": "true", "NewThing2027": "whatever"}


@pytest.mark.parametrize("kind", ["contacts", "sticker", "reaction", "hologram"])
def test_a_message_of_an_unknown_kind_gets_one_kind_line(phone, kind):
    phone.say("hi")
    media = {"MediaUrl0": "https://api.twilio.com/x", "MediaContentType0": "text/vcard"}
    (reply,) = phone.say("", MessageType=kind, **(media if kind != "reaction" else {}))
    assert reply == ("Sorry, I cannot read that kind of message. Please write to me in words.")
    assert "1. Report a defect" in phone.say("2")[0]


@pytest.mark.parametrize("kind", ["image", "audio", "video", "document"])
def test_what_comes_without_its_file_is_none(phone, kind):
    phone.say("hi")
    (reply,) = phone.say("", MessageType=kind)
    assert reply == "Sorry, I cannot read that kind of message. Please write to me in words."
    message = Message.objects.filter(direction="in").latest("pk")
    assert (message.kind, message.details) == (Kind.OTHER, {"MessageType": kind})
    assert "*Defects*" in phone.say("2", MessageType=kind)[0]


def test_what_a_reaction_says_is_heard(phone):
    phone.say("hi")
    assert phone.say("🙏", MessageType="reaction")[0].startswith("You are welcome!")


@pytest.mark.parametrize("first", ["hi", "2", "what is this?", "👋", "menu"])
def test_a_first_message_of_any_text_gets_the_main_menu(phone, first):
    (reply,) = phone.say(first)
    assert reply.startswith("👋 Welcome!")


def test_a_first_sticker_gets_the_main_menu_too(phone):
    assert phone.say("", MessageType="sticker")[0].startswith("👋 Welcome!")


def test_nonsense_gets_a_kind_line_and_the_menu_again(say):
    say("hi")
    reply = say("xyzzy")
    assert reply.startswith("Sorry, I did not get that.")
    assert "1. Check order status" in reply


def test_the_same_message_again_gets_the_stored_reply(phone):
    parameters = phone.parameters("hi")
    first = simulator.post(parameters)
    again = simulator.post(parameters | {"Body": "changed on the way"})
    assert first.content == again.content
    assert Message.objects.filter(direction="in").get().body == "hi"


def test_a_database_that_is_away_is_a_503_in_time(phone, monkeypatch):
    calls = []

    def away(incoming):
        calls.append(incoming)
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(receiving, "receive", away)
    response = phone.post("hi")
    assert response.status_code == 503
    assert len(calls) == 1  # inside a test's transaction a second connection is no help


@pytest.mark.django_db(transaction=True)
def test_who_writes_while_others_lock_the_conversation_is_refused_and_it_is_no_fault(
    phone, monkeypatch, log
):
    phone.post("hi")
    monkeypatch.setattr(views, "WORTH_A_SECOND_TRY", 0)
    log.clear()
    with held_by_another(Conversation.objects.get()):
        assert phone.post("menu").status_code == 503
    said = [(line["log_level"], line["event"], line["why"]) for line in log]
    assert said == [("warning", "message not taken", "Somebody else is changing this.")]
    assert phone.post("menu").status_code == 200


def test_a_fault_that_lets_nothing_be_stored_is_a_503(phone, monkeypatch):
    def fault(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(Conversation.objects, "locked_to_hear", fault)
    assert phone.post("hi").status_code == 503


def test_a_fault_of_ours_stores_the_message_and_says_sorry(phone, monkeypatch, log):
    def fault(*_):
        raise ZeroDivisionError("the text of +27820000000")

    monkeypatch.setattr(desk.Desk, "answer", fault)
    (reply,) = phone.say("Do not lose this")
    assert reply.startswith("Sorry, something went wrong on our side.")
    message = Message.objects.get(direction="in")
    assert (message.body, message.status) == ("Do not lose this", Status.TROUBLE)
    (line,) = [line for line in log if line["log_level"] == "error"]
    assert (line["sid"], line["error"]) == (message.sid, "ZeroDivisionError")


def test_the_log_has_one_line_for_a_turn(phone, log):
    parameters = phone.parameters("hi")
    simulator.post(parameters)
    (line,) = log
    assert line["sid"] == parameters["MessageSid"]
    assert line["flow"] == "menu:main"
    assert line["outcome"] == "answered"
    assert line["ms"] >= 0


def test_a_command_shows_the_conversation_without_the_lines_of_turns(phone, parameters, log):
    with simulator.quietly():
        phone.say("hi")
        simulator.post(parameters, **{"x-twilio-signature": "wrong"})
    phone.say("menu")
    assert [line["event"] for line in log] == ["webhook refused", "turn"]


def test_the_log_has_one_line_without_a_traceback_for_a_refusal(parameters, log):
    simulator.post(parameters, **{"x-twilio-signature": "wrong"})
    (line,) = log
    assert line["why"] == "wrong signature"
    assert "error" not in line


def test_plain_http_is_answered_and_not_redirected(client, parameters, settings):
    settings.SECURE_SSL_REDIRECT = True
    response = client.post(
        "/whatsapp/webhook/",
        urlencode(parameters),
        content_type=simulator.FORM,
        headers={"x-twilio-signature": simulator.sign(parameters, "/whatsapp/webhook/")},
    )
    assert response.status_code == 200
    assert client.get("/health/").status_code == 200
    assert client.get("/admin/").status_code == 301


def test_an_address_without_its_last_slash_loses_no_message(client, phone):
    parameters = phone.parameters("hi")
    response = client.post(
        "/whatsapp/webhook",
        urlencode(parameters),
        content_type=simulator.FORM,
        headers={"x-twilio-signature": simulator.sign(parameters, "/whatsapp/webhook")},
    )
    assert response.status_code == 200


def test_a_menu_with_nothing_for_somebody_says_so(say):
    MenuItem.objects.filter(menu__key="main").update(audience="worker")
    forget_all()
    assert "our team can read it" in say("hi")
    assert "our team can read it" in say("2")


def test_the_third_nonsense_at_the_main_menu_gets_an_example(say):
    say("hi")
    for _ in range(3):
        reply = say("99")
    assert "For example: 1" in reply
    assert "Or send *menu*" not in reply


@pytest.mark.parametrize("greeting", ["Good morning!", "Hello there", "*hi*", "Hey 👋"])
def test_a_greeting_is_greeted(say, greeting):
    say("hi")
    assert say(greeting).startswith("👋 Welcome!")


def test_thanks_are_answered_when_nothing_is_asked(say):
    say("hi")
    assert say("Thank you!").startswith("You are welcome!")
    assert "View defect history" in say("2")
