"""Reports of delivery: in any order, doubled, and of messages that are not ours."""

from decimal import Decimal
from itertools import permutations
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest

from whatsapp_bot.delivery import Status
from whatsapp_bot.models import Message
from whatsapp_bot.simulator import phone as simulator
from whatsapp_bot.tests.database import held_by_another

pytestmark = pytest.mark.django_db
SID = "SM" + "a" * 32


@pytest.fixture
def message(phone):
    """A reply of ours, whose SID we do not know yet."""
    phone.say("hi")
    return Message.objects.get(direction="out")


@pytest.fixture
def report(client, settings):
    """Report as Twilio does, and return the answer."""

    def report(status, message=None, **more):
        query = f"?message={message.pk}" if message else ""
        path = f"/whatsapp/status/{query}"
        parameters = {
            "MessageSid": SID,
            "MessageStatus": status,
            "AccountSid": settings.TWILIO_ACCOUNT_SID,
            "From": f"whatsapp:{settings.TWILIO_WHATSAPP_NUMBER}",
            "To": "whatsapp:+27820000000",
            **more,
        }
        return client.post(
            path,
            urlencode(parameters),
            content_type=simulator.FORM,
            headers={"x-twilio-signature": simulator.sign(parameters, path)},
        )

    return report


def test_the_answer_asks_for_a_report_on_each_message(phone, settings):
    answer = ElementTree.fromstring(phone.post("hi").content)  # noqa: S314
    (asked,) = answer.iterfind("Message")
    message = Message.objects.get(direction="out")
    assert asked.get("statusCallback") == (
        f"{settings.PUBLIC_URL}/whatsapp/status/?message={message.pk}"
    )


@pytest.mark.django_db(transaction=True)
def test_a_report_on_what_others_lock_is_refused_and_it_is_no_fault(report, message, log):
    log.clear()
    with held_by_another(message):
        assert report("sent", message).status_code == 503
    said = [(line["log_level"], line["event"], line["why"]) for line in log]
    assert said == [("warning", "report not taken", "Somebody else is changing this.")]
    assert report("sent", message).status_code == 204


def test_the_first_report_teaches_the_sid_and_later_ones_need_only_that(report, message):
    assert report("sent", message).status_code == 204
    report("delivered")
    message.refresh_from_db()
    assert (message.sid, message.status) == (SID, Status.DELIVERED)


@pytest.mark.parametrize("order", [*permutations(["queued", "sent", "delivered", "read"])])
def test_reports_in_any_order_end_alike(report, message, order):
    for status in order:
        report(status, message)
        report(status, message)
    message.refresh_from_db()
    assert message.status == Status.READ


@pytest.mark.parametrize("order", [*permutations(["queued", "sent", "failed"])])
def test_a_failure_is_final(report, message, order):
    for status in order:
        code = {"ErrorCode": "63016"} if status == "failed" else {}
        report(status, message, **code)
    message.refresh_from_db()
    assert (message.status, message.error_code) == (Status.FAILED, 63016)


@pytest.mark.parametrize("arrival", ["delivered", "read"])
@pytest.mark.parametrize("order", [*permutations(["sent", "failed", "arrival"])])
def test_what_has_arrived_has_not_failed(report, message, order, arrival):
    for status in order:
        code = {"ErrorCode": "63024"} if status == "failed" else {}
        report(arrival if status == "arrival" else status, message, **code)
    message.refresh_from_db()
    assert (message.status, message.why) == (arrival, "")


@pytest.mark.parametrize("arrival", ["delivered", "read"])
def test_what_has_arrived_does_not_go_again(report, message, arrival):
    for status in ("sent", arrival):
        report(status, message)
    report("undelivered", message, ErrorCode="63012")
    assert list(Message.objects.filter(direction="out")) == [message]


def test_the_price_is_noted(report, message):
    report("sent", message, Price="-0.00500", PriceUnit="usd")
    message.refresh_from_db()
    assert (message.price, message.price_unit) == (Decimal("-0.005"), "USD")


def test_an_unknown_word_is_kept_and_changes_nothing_else(report, message):
    assert report("teleported", message).status_code == 204
    message.refresh_from_db()
    assert (message.status, message.details) == (Status.SENT, {"status": "teleported"})


def test_a_report_on_a_message_that_is_not_ours_is_taken_politely(report, phone):
    assert report("sent").status_code == 204
    parameters = phone.parameters("hi")
    simulator.post(parameters)
    assert report("read", MessageSid=parameters["MessageSid"]).status_code == 204
    assert Message.objects.get(direction="in").status == Status.RECEIVED


@pytest.mark.parametrize("number", ["", "x", "9" * 30, "-1", "0", "1; DROP"])
def test_a_strange_id_is_none(report, message, number):
    class Strange:
        pk = number

    assert report("sent", Strange).status_code == 204
    message.refresh_from_db()
    assert message.sid is None


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"AccountSid": "AC" + "9" * 32}, 403),
        ({"MessageSid": "nonsense"}, 400),
        ({"MessageStatus": ""}, 400),
        ({"ErrorCode": "x" * 100, "Price": "NaN", "PriceUnit": "\0"}, 204),
    ],
)
def test_another_shape_is_refused(report, message, more, status):
    assert report("sent", message, **more).status_code == status


def test_an_unsigned_report_is_refused(client, message):
    body = urlencode({"MessageSid": SID, "MessageStatus": "failed"})
    response = client.post("/whatsapp/status/", body, content_type=simulator.FORM)
    assert response.status_code == 403
    assert client.get("/whatsapp/status/").status_code == 405
    message.refresh_from_db()
    assert message.status == Status.SENT


def test_a_report_signed_for_another_message_does_not_fit(client, report, message, settings):
    parameters = {
        "MessageSid": SID,
        "MessageStatus": "failed",
        "AccountSid": settings.TWILIO_ACCOUNT_SID,
    }
    response = client.post(
        f"/whatsapp/status/?message={message.pk}",
        urlencode(parameters),
        content_type=simulator.FORM,
        headers={"x-twilio-signature": simulator.sign(parameters, "/whatsapp/status/?message=1")},
    )
    assert response.status_code == (204 if message.pk == 1 else 403)
