"""The fake Twilio, seen by Twilio's own client: what it answers, remembers, and spoils."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from django.conf import settings
from django.urls import reverse
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from twilio.rest.content.v1.content import ContentList
from twilio.rest.content.v1.content.approval_create import ApprovalCreateList

from whatsapp_bot.fake_twilio import FakeTwilio, Fate, Media
from whatsapp_bot.fake_twilio import trouble as troubles
from whatsapp_bot.management.commands import fake_twilio as command
from whatsapp_bot.models import MessageTemplate
from whatsapp_bot.simulator import phone as simulator

SOMEBODY = "+27821230001"
SOMEBODY_ELSE = "+27821230002"
SENDER = f"whatsapp:{settings.TWILIO_WHATSAPP_NUMBER}"


def client_of(url: str, token: str = "", account: str = "", timeout: float = 30) -> Client:
    client = Client(
        settings.TWILIO_ACCOUNT_SID,
        token or settings.TWILIO_AUTH_TOKEN,
        account or None,
        http_client=TwilioHttpClient(timeout=timeout),
    )
    for domain in (client.api, client.content, client.messaging):
        domain.base_url = url
    return client


@pytest.fixture
def client(fake_twilio: FakeTwilio) -> Client:
    return client_of(fake_twilio.url)


def send(client: Client, body: str = "The press runs again", to: str = SOMEBODY, **more):
    return client.messages.create(to=f"whatsapp:{to}", from_=SENDER, body=body, **more)


def until(happened: Callable[[], bool], seconds: float = 10) -> None:
    """Wait for what another thread is about to do."""
    ends = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < ends, "it never happened"
        time.sleep(0.005)


class Listener:
    """A server of ours that webhooks reach; `answers` are given in order, then 200."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], dict[str, str]]] = []
        self.answers: list[tuple[int, str]] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = {k: v[0] for k, v in parse_qs(body, keep_blank_values=True).items()}
                listener.got.append((self.path, form, dict(self.headers)))
                status, text = listener.answers.pop(0) if listener.answers else (200, "")
                self.send_response(status)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def statuses(self) -> list[str]:
        return [form["MessageStatus"] for _, form, _ in self.got]


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    thread = threading.Thread(target=listener.server.serve_forever, args=(0.02,))
    thread.start()
    yield listener
    listener.server.shutdown()
    thread.join()
    listener.server.server_close()


class TestMessages:
    def test_a_message_has_the_documented_fields(self, fake_twilio, client):
        sent = send(client)

        assert re.fullmatch(r"SM[0-9a-f]{32}", sent.sid)
        assert (sent.status, sent.direction, sent.body) == (
            "queued",
            "outbound-api",
            "The press runs again",
        )
        assert (sent.to, sent.from_) == (f"whatsapp:{SOMEBODY}", SENDER)
        assert (sent.price, sent.price_unit, sent.error_code, sent.error_message) == (None,) * 4
        assert (sent.num_media, sent.num_segments, sent.api_version) == ("0", "1", "2010-04-01")
        assert sent.account_sid == settings.TWILIO_ACCOUNT_SID
        assert abs(sent.date_created - datetime.now(UTC)) < timedelta(seconds=5)
        assert sent.date_updated == sent.date_created
        assert sent.uri == f"/2010-04-01/Accounts/{sent.account_sid}/Messages/{sent.sid}.json"
        assert sent.subresource_uris == {"media": sent.uri.replace(".json", "/Media.json")}
        assert [message.sid for message in fake_twilio.sent_to(SOMEBODY)] == [sent.sid]
        assert fake_twilio.sent_to(SOMEBODY_ELSE) == []

    def test_later_it_is_delivered_and_has_a_price(self, client):
        sent = client.messages(send(client).sid).fetch()

        assert (sent.status, sent.price, sent.price_unit) == ("delivered", "-0.00500", "USD")
        assert sent.date_sent >= sent.date_created

    def test_a_service_accepts_without_a_sender(self, client):
        service = "MG" + "1" * 32
        sent = client.messages.create(
            to=f"whatsapp:{SOMEBODY}", messaging_service_sid=service, body="Hello"
        )

        assert (sent.status, sent.from_, sent.num_segments) == ("accepted", None, "0")
        assert sent.messaging_service_sid == service
        assert client.messages(sent.sid).fetch().from_ == SENDER

    def test_media_make_a_media_message(self, client):
        sent = send(client, media_url=["https://example.com/part.jpg"])

        assert sent.sid.startswith("MM")
        assert sent.num_media == "1"

    def test_a_user_id_is_an_address(self, fake_twilio, client):
        send(client, to="ZA.1a2b3c")

        assert len(fake_twilio.sent_to("ZA.1a2b3c")) == 1

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"to": "whatsapp:0821230001"}, 21211),
            ({"to": ""}, 21604),
            ({"body": ""}, 21602),
            ({"body": "x" * 1601}, 21617),
            ({"from_": ""}, 21603),
            ({"from_": "whatsapp:+15005550001"}, 63007),
            ({"content_sid": "HX" + "1" * 32}, 21655),
            ({"content_variables": "no JSON"}, 21656),
        ],
    )
    def test_what_cannot_be_sent_is_refused(self, fake_twilio, client, changes, code):
        given = {"to": f"whatsapp:{SOMEBODY}", "from_": SENDER, "body": "Hello", **changes}

        with pytest.raises(TwilioRestException) as refused:
            client.messages.create(**given)

        assert (refused.value.status, refused.value.code) == (400, code)
        assert fake_twilio.messages == []

    def test_an_error_is_json_of_four(self, fake_twilio):
        answer = requests.post(
            f"{fake_twilio.url}/2010-04-01/Accounts/{settings.TWILIO_ACCOUNT_SID}/Messages.json",
            auth=(settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN),
            data={"To": f"whatsapp:{SOMEBODY}", "From": SENDER},
            timeout=5,
        )

        assert answer.status_code == 400
        assert answer.json() == {
            "code": 21602,
            "message": "Message body is required.",
            "more_info": "https://www.twilio.com/docs/errors/21602",
            "status": 400,
        }

    def test_redacting_and_deleting(self, fake_twilio, client):
        sent = send(client)

        assert client.messages(sent.sid).update(body="").body == ""
        assert client.messages(sent.sid).delete()
        assert fake_twilio.messages == []
        with pytest.raises(TwilioRestException) as missing:
            client.messages(sent.sid).fetch()
        assert (missing.value.status, missing.value.code) == (404, 20404)

    def test_only_what_is_scheduled_can_be_canceled(self, client):
        planned = client.messages.create(
            to=f"whatsapp:{SOMEBODY}",
            messaging_service_sid="MG" + "1" * 32,
            body="Tomorrow",
            schedule_type="fixed",
            send_at=datetime.now(UTC) + timedelta(hours=1),
        )

        assert planned.status == "scheduled"
        with pytest.raises(TwilioRestException) as unfinished:
            client.messages(planned.sid).delete()
        assert unfinished.value.code == 20009
        assert client.messages(planned.sid).update(status="canceled").status == "canceled"
        with pytest.raises(TwilioRestException) as refused:
            client.messages(send(client).sid).update(status="canceled")
        assert refused.value.code == 30409


class TestWhoMayAsk:
    def test_wrong_credentials(self, fake_twilio):
        with pytest.raises(TwilioRestException) as refused:
            send(client_of(fake_twilio.url, token="wrong"))

        assert (refused.value.status, refused.value.code) == (401, 20003)
        assert fake_twilio.messages == []

    def test_another_account(self, fake_twilio):
        with pytest.raises(TwilioRestException) as refused:
            send(client_of(fake_twilio.url, account="AC" + "9" * 32))

        assert (refused.value.status, refused.value.code) == (404, 20404)

    def test_the_account_itself(self, client):
        account = client.api.accounts(settings.TWILIO_ACCOUNT_SID).fetch()

        assert (account.sid, account.status, account.type) == (
            settings.TWILIO_ACCOUNT_SID,
            "active",
            "Full",
        )


class TestLists:
    def test_three_pages_newest_first(self, fake_twilio, client):
        sids = [send(client, f"Message {number}").sid for number in range(7)]

        listed = client.messages.list(to=f"whatsapp:{SOMEBODY}", page_size=3)

        assert [message.sid for message in listed] == sids[::-1]
        pages = [request for request in fake_twilio.requests if request.method == "GET"]
        assert len(pages) == 3
        assert [page.query.get("Page") for page in pages] == [None, "1", "2"]
        assert all(page.query["To"] == f"whatsapp:{SOMEBODY}" for page in pages)

    def test_what_arrives_between_two_pages_moves_nothing(self, client):
        sids = [send(client, f"Message {number}").sid for number in range(4)]

        first = client.messages.page(page_size=2)
        newer = send(client, "In between")
        second = first.next_page()

        seen = [message.sid for message in first] + [message.sid for message in second]
        assert seen == sids[::-1]
        assert newer.sid not in seen
        assert second.next_page() is None

    def test_a_wrong_token(self, client):
        with pytest.raises(Exception, match="Unable to fetch page"):
            client.messages.page(page_token="PAnothing")

    def test_by_sender_and_recipient(self, fake_twilio, client):
        incoming = fake_twilio.receive(SOMEBODY, "hi")
        outgoing = send(client)
        send(client, to=SOMEBODY_ELSE)

        def sids(**filters):
            return [message.sid for message in client.messages.list(**filters)]

        assert sids(to=SENDER) == [incoming.sid]
        assert sids(from_=f"whatsapp:{SOMEBODY}") == [incoming.sid]
        assert sids(to=f"whatsapp:{SOMEBODY}", from_=SENDER) == [outgoing.sid]

    def test_by_time(self, fake_twilio, client):
        old, new = fake_twilio.receive(SOMEBODY, "old"), fake_twilio.receive(SOMEBODY, "new")
        moment = datetime(2026, 11, 5, 12, 30, 15, tzinfo=UTC)
        old.sent, new.sent = moment, moment + timedelta(days=1)

        def bodies(**filters):
            return [message.body for message in client.messages.list(**filters)]

        assert bodies(date_sent=moment.date().isoformat()) == ["old"]
        assert bodies(date_sent=moment) == ["old"]
        assert bodies(date_sent_after=moment) == ["new", "old"]
        assert bodies(date_sent_after=moment + timedelta(seconds=1)) == ["new"]
        assert bodies(date_sent_before=moment) == ["old"]
        assert bodies(date_sent_before=moment - timedelta(seconds=1)) == []
        both = {"date_sent_after": moment, "date_sent_before": moment + timedelta(hours=1)}
        assert bodies(**both) == ["old"]

    def test_a_new_message_may_show_only_later(self, fake_twilio, client):
        fake_twilio.memory.shows_after = 60

        sent = send(client)

        assert client.messages.list() == []
        assert client.messages(sent.sid).fetch().sid == sent.sid


class TestTrouble:
    def test_too_many(self, fake_twilio, client):
        fake_twilio.trouble.once(troubles.too_many(retry_after=7))

        with pytest.raises(TwilioRestException) as refused:
            send(client)

        assert (refused.value.status, refused.value.code) == (429, 20429)
        assert client.http_client._test_only_last_response.headers["Retry-After"] == "7"
        assert fake_twilio.messages == []
        assert send(client).status == "queued"

    @pytest.mark.parametrize(("status", "done"), [(500, False), (500, True), (503, False)])
    def test_failures(self, fake_twilio, client, status, done):
        fake_twilio.trouble.once(troubles.failure(status, done))

        with pytest.raises(TwilioRestException) as failed:
            send(client)

        assert failed.value.status == status
        assert len(fake_twilio.messages) == done

    def test_a_refusal_for_one_person(self, fake_twilio, client):
        when = troubles.sends_to(SOMEBODY_ELSE)
        fake_twilio.trouble.always(troubles.refusal(21610), when=when)

        send(client)
        for _ in range(2):
            with pytest.raises(TwilioRestException) as refused:
                send(client, to=SOMEBODY_ELSE)
            assert (refused.value.status, refused.value.code) == (400, 21610)
        fake_twilio.trouble.stop()
        send(client, to=SOMEBODY_ELSE)

    @pytest.mark.parametrize("late", [False, True])
    def test_slow(self, fake_twilio, late):
        fake_twilio.trouble.once(troubles.slow(30, late=late))

        with pytest.raises(requests.exceptions.ReadTimeout):
            send(client_of(fake_twilio.url, timeout=0.05))

        until(lambda: len(fake_twilio.requests) == 1)
        until(lambda: len(fake_twilio.messages) == (not late))

    def test_slow_is_answered_in_the_end(self, fake_twilio, client):
        fake_twilio.trouble.once(troubles.slow(0.05), troubles.slow(0.05, late=True))

        assert [send(client).status, send(client).status] == ["queued", "queued"]

    @pytest.mark.parametrize(("trouble", "stored"), [(troubles.cut(), 1), (troubles.reset(), 0)])
    def test_cut_and_reset(self, fake_twilio, client, trouble, stored):
        fake_twilio.trouble.once(None, trouble)
        first = send(client)

        with pytest.raises(requests.exceptions.ConnectionError) as lost:
            send(client)

        assert len(fake_twilio.messages) == 1 + stored
        assert ("reset by peer" in str(lost.value)) == (trouble.name == "reset")
        assert fake_twilio.requests[-1].status == 0
        # A new connection goes well.
        assert client.messages(first.sid).fetch().sid == first.sid

    @pytest.mark.parametrize("status", [200, 201])
    def test_html(self, fake_twilio, client, status):
        fake_twilio.trouble.once(troubles.html(status))

        with pytest.raises(json.JSONDecodeError):
            send(client)

        assert len(fake_twilio.messages) == 1

    def test_other_requests_have_none_unless_wanted(self, fake_twilio, client):
        fake_twilio.trouble.once(troubles.failure())
        assert client.messages.list() == []

        fake_twilio.trouble.once(troubles.failure(), when=troubles.anything)
        with pytest.raises(TwilioRestException):
            send(client)
        with pytest.raises(Exception, match="Unable to fetch page"):
            client.messages.list()

    def test_chances_follow_their_seed(self):
        request = troubles.Request("POST", "/x/Messages.json", {}, {}, {}, 0)

        def drawn(seed: int) -> list[str]:
            some = troubles.Troubles()
            some.randomly(troubles.parse("429=0.1,500=0.1,cut=0.05,reset=0.05"), seed)
            found = [some.for_request(request) for _ in range(4000)]
            return [trouble.name if trouble else "" for trouble in found]

        assert drawn(7) == drawn(7) != drawn(8)
        counted = Counter(drawn(7))
        assert counted.keys() == {"429", "500", "cut", "reset", ""}
        assert 340 < counted["429"] < 460
        assert 150 < counted["cut"] < 250

    @pytest.mark.parametrize("text", ["429", "flood=0.1", "429=much", "429=0.9,500=0.2"])
    def test_unknown_trouble(self, text):
        with pytest.raises(ValueError, match=r".+"):
            troubles.Troubles().randomly(troubles.parse(text), 1)


class TestCallbacks:
    def test_they_are_signed_and_shaped_as_from_twilio(self, fake_twilio, client, listener):
        fake_twilio.fate = Fate(("sent", "delivered", "read"))
        url = f"{listener.url}/whatsapp/status/?message=17"

        sent = send(client, status_callback=url)
        fake_twilio.webhooks.settle()

        assert listener.statuses() == ["sent", "delivered", "read"]
        path, form, headers = listener.got[1]
        assert path == "/whatsapp/status/?message=17"
        assert RequestValidator(settings.TWILIO_AUTH_TOKEN).validate(
            url, form, headers["X-Twilio-Signature"]
        )
        assert headers["Content-Type"].startswith("application/x-www-form-urlencoded")
        assert (
            form.items()
            >= {
                "MessageSid": sent.sid,
                "SmsSid": sent.sid,
                "MessageStatus": "delivered",
                "SmsStatus": "delivered",
                "AccountSid": settings.TWILIO_ACCOUNT_SID,
                "To": f"whatsapp:{SOMEBODY}",
                "From": SENDER,
                "ChannelPrefix": "whatsapp",
                "ChannelToAddress": "+2782123XXXX",
                "EventType": "DELIVERED",
                "ApiVersion": "2010-04-01",
            }.items()
        )
        assert "ErrorCode" not in form
        assert client.messages(sent.sid).fetch().status == "read"

    @pytest.mark.parametrize("code", [63016, 63024])
    def test_a_later_failure(self, fake_twilio, client, listener, code):
        fake_twilio.decide(Fate.failing(code), to=SOMEBODY)

        spared = send(client, to=SOMEBODY_ELSE, status_callback=listener.url)
        sent = send(client, status_callback=listener.url)
        assert sent.status == "queued"
        fake_twilio.webhooks.settle()

        assert listener.statuses() == ["sent", "undelivered"]
        assert listener.got[1][1]["ErrorCode"] == str(code)
        assert "ChannelStatusMessage" in listener.got[1][1]
        found = client.messages(sent.sid).fetch()
        assert (found.status, found.error_code) == ("undelivered", code)
        assert client.messages(spared.sid).fetch().status == "delivered"

    def test_in_any_order_and_twice(self, fake_twilio, client, listener):
        fate = Fate(("sent", "delivered", "read"), shuffled=True, doubled=True)
        fake_twilio.fate = fate
        orders = set()
        for _ in range(10):
            sent = send(client, status_callback=listener.url)
            fake_twilio.webhooks.settle()
            orders.add(tuple(listener.statuses()))
            listener.got.clear()
            assert client.messages(sent.sid).fetch().status == "read"

        assert all(Counter(order) == Counter(fate.statuses * 2) for order in orders)
        assert len(orders) > 1

    def test_in_a_given_order(self, fake_twilio, client, listener):
        fake_twilio.fate = Fate(("read", "sent", "delivered"))

        sent = send(client, status_callback=listener.url)
        fake_twilio.webhooks.settle()

        assert listener.statuses() == ["read", "sent", "delivered"]
        assert client.messages(sent.sid).fetch().status == "read"

    def test_they_may_overtake_the_answer(self, fake_twilio, client, listener):
        fake_twilio.fate = Fate(("sent",), early=True)

        sent = send(client, status_callback=listener.url)

        assert listener.statuses() == ["sent"]
        assert sent.status == "queued"

    def test_one_by_hand(self, fake_twilio, client, listener):
        sent = send(client, status_callback=listener.url)
        listener.answers = [(503, "")]

        delivery = fake_twilio.report(
            fake_twilio.memory.message(sent.sid), "failed", error_code=63012
        )

        assert delivery.status == 503
        assert client.messages(sent.sid).fetch().error_code == 63012
        assert (listener.statuses(), listener.got[0][1]["ErrorCode"]) == (["failed"], "63012")

    def test_none_unless_wanted(self, fake_twilio, client, listener):
        send(client, status_callback=listener.url)
        fake_twilio.webhooks.settle()

        assert listener.got == []

    def test_by_default_they_go_where_the_sender_says(self, fake_twilio, client, listener):
        (sender,) = fake_twilio.memory.senders.values()
        sender["webhook"]["status_callback_url"] = listener.url
        fake_twilio.fate = Fate(("sent",))

        send(client)
        fake_twilio.webhooks.settle()

        assert listener.statuses() == ["sent"]

    def test_never_off_this_machine(self, fake_twilio, client):
        fake_twilio.fate = Fate(("sent",), early=True)

        send(client, status_callback="http://192.0.2.1/status")

        assert [delivery.failure for delivery in fake_twilio.webhooks.deliveries] == ["ct", "ct"]

    def test_cut_messages_have_callbacks_too(self, fake_twilio, client, listener):
        fake_twilio.fate = Fate(("sent",))
        fake_twilio.trouble.once(troubles.cut())

        with pytest.raises(requests.exceptions.ConnectionError):
            send(client, status_callback=listener.url)
        fake_twilio.webhooks.settle()

        assert listener.statuses() == ["sent"]


class TestIncoming:
    def test_the_webhook_is_signed_for_the_public_address(self, fake_twilio, listener):
        public = settings.PUBLIC_URL + "/whatsapp/"
        fake_twilio.webhooks.routes[settings.PUBLIC_URL] = listener.url

        message = fake_twilio.receive(
            SOMEBODY, "hi", name="Thandi", post_to=public + "#rc=2&rp=all", Forwarded="true"
        )

        ((path, form, headers),) = listener.got
        assert path == "/whatsapp/"
        assert RequestValidator(settings.TWILIO_AUTH_TOKEN).validate(
            public, form, headers["X-Twilio-Signature"]
        )
        assert (
            form.items()
            >= {
                "MessageSid": message.sid,
                "From": f"whatsapp:{SOMEBODY}",
                "To": SENDER,
                "Body": "hi",
                "WaId": SOMEBODY[1:],
                "ProfileName": "Thandi",
                "NumMedia": "0",
                "MessageType": "text",
                "SmsStatus": "received",
                "Forwarded": "true",
            }.items()
        )
        assert headers["Host"] == urlsplit(settings.PUBLIC_URL).netloc

    @pytest.mark.parametrize(
        ("overrides", "answers", "tries"),
        [
            ("", [503, 200], 1),
            ("#rc=2&rp=all", [503, 404, 200], 3),
            ("#rc=2&rp=all", [503, 503, 503, 200], 3),
            ("#rc=2&rp=5xx", [503, 404, 200], 2),
            ("#rc=1&rp=4xx", [503], 1),
            ("#rc=0&rp=all", [503], 1),
        ],
    )
    def test_retries(self, fake_twilio, listener, overrides, answers, tries):
        listener.answers = [(status, "") for status in answers]

        fake_twilio.receive(SOMEBODY, "hi", post_to=listener.url + overrides)

        assert len(listener.got) == tries
        assert len({headers["I-Twilio-Idempotency-Token"] for _, _, headers in listener.got}) == 1
        assert len({form["MessageSid"] for _, form, _ in listener.got}) == 1
        assert len(fake_twilio.alerts) == (answers[tries - 1] != 200)

    def test_nobody_there_is_tried_twice(self, fake_twilio):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{closed.getsockname()[1]}/"

            message = fake_twilio.receive(SOMEBODY, "hi", post_to=url)

        assert [delivery.failure for delivery in fake_twilio.webhooks.deliveries] == ["ct", "ct"]
        assert [(alert.code, alert.message_sid) for alert in fake_twilio.alerts] == [
            (11200, message.sid)
        ]
        assert fake_twilio.messages == [message]

    def test_the_fallback_is_told_why(self, fake_twilio, client, listener):
        (sender,) = client.messaging.v2.channels_senders.list(channel="whatsapp")
        fake_twilio.memory.senders[sender.sid]["webhook"].update(
            callback_url=f"{listener.url}/first", fallback_url=f"{listener.url}/second"
        )
        listener.answers = [(500, ""), (200, "<Response/>")]

        fake_twilio.receive(SOMEBODY, "hi")

        assert [path for path, _, _ in listener.got] == ["/first", "/second"]
        assert listener.got[1][1]["ErrorUrl"] == f"{listener.url}/first"
        assert listener.got[1][1]["ErrorCode"] == "11200"

    def test_replies_in_the_answer_are_sent_and_tracked(self, fake_twilio, listener):
        fake_twilio.fate = Fate()
        listener.answers = [
            (
                200,
                '<Response><Message statusCallback="/status/?message=4"><Body>Hello &amp; welcome'
                "</Body></Message><Message>Bye</Message></Response>",
            )
        ]

        fake_twilio.receive(SOMEBODY, "hi", post_to=f"{listener.url}/whatsapp/")
        fake_twilio.webhooks.settle()

        first, second = fake_twilio.sent_to(SOMEBODY)
        assert (first.body, first.direction, first.status) == (
            "Hello & welcome",
            "outbound-reply",
            "delivered",
        )
        assert second.body == "Bye"
        assert [path for path, _, _ in listener.got[1:]] == ["/status/?message=4"] * 2
        assert listener.got[1][1]["MessageSid"] == first.sid

    @pytest.mark.parametrize(
        ("answer", "code"),
        [("no TwiML", 12100), ("<Response><Message><Body/></Message></Response>", 14103)],
    )
    def test_answers_that_cannot_be_sent(self, fake_twilio, listener, answer, code):
        listener.answers = [(200, answer)]

        fake_twilio.receive(SOMEBODY, "hi", post_to=listener.url)

        assert [alert.code for alert in fake_twilio.alerts] == [code]
        assert fake_twilio.sent == []

    @pytest.mark.django_db
    def test_our_own_webhook_takes_it(self, fake_twilio):
        def through_django(delivery, address, overrides):
            response = simulator._client().post(
                urlsplit(address).path,
                urlencode(delivery.parameters),
                content_type=simulator.FORM,
                headers={"x-twilio-signature": delivery.headers["X-Twilio-Signature"]},
                SERVER_NAME=urlsplit(settings.PUBLIC_URL).hostname,
            )
            delivery.status, delivery.body = response.status_code, response.content.decode()

        fake_twilio.webhooks.send = through_django

        fake_twilio.receive(SOMEBODY, "hi", post_to=settings.PUBLIC_URL + reverse("webhook"))

        assert fake_twilio.alerts == []
        assert len(fake_twilio.sent_to(SOMEBODY)) == 1


class TestMedia:
    PICTURE = b"\xff\xd8\xff picture"

    @pytest.fixture
    def message(self, fake_twilio: FakeTwilio):
        return fake_twilio.receive(SOMEBODY, media=[Media("image/jpeg", self.PICTURE)])

    def ask(self, url: str, credentials: bool = True) -> requests.Response:
        auth = (settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN) if credentials else None
        return requests.get(url, auth=auth, allow_redirects=False, timeout=5)

    def test_a_redirect_to_the_cdn(self, fake_twilio, message):
        address = fake_twilio.media_address(message, message.media[0])

        assert self.ask(address, credentials=False).status_code == 401
        answer = self.ask(address)
        assert answer.status_code == 307
        link = answer.headers["Location"]
        assert link.startswith(fake_twilio.media_url + "/")
        assert not link.startswith(fake_twilio.url)
        file = self.ask(link, credentials=False)

        assert (file.status_code, file.content) == (200, self.PICTURE)
        assert file.headers["Content-Type"] == "image/jpeg"
        assert self.ask(link.partition("?")[0], credentials=False).status_code == 403
        assert self.ask(link.replace("Expires=", "Expires=1"), credentials=False).status_code == 403
        assert fake_twilio.leaks == []

    def test_leaked_credentials_are_noticed(self, fake_twilio, message):
        link = fake_twilio.link(message.media[0])

        assert self.ask(link).status_code == 400
        assert len(fake_twilio.leaks) == 1

    def test_not_found_at_first(self, fake_twilio, message):
        message.media[0].missing = 2
        address = fake_twilio.media_address(message, message.media[0])

        assert [self.ask(address).status_code for _ in range(3)] == [404, 404, 307]

    def test_a_redirect_elsewhere(self, fake_twilio, message):
        message.media[0].redirect = "http://10.0.0.1/secret"

        answer = self.ask(fake_twilio.media_address(message, message.media[0]))

        assert answer.headers["Location"] == "http://10.0.0.1/secret"

    def test_a_file_without_an_end(self, fake_twilio, message):
        message.media[0].endless = True
        link = fake_twilio.link(message.media[0])

        with requests.get(link, stream=True, timeout=5) as answer:
            assert sum(len(next(answer.iter_content(65536))) for _ in range(20)) > 1_000_000

    def test_listed_fetched_and_deleted(self, fake_twilio, client, message):
        files = client.messages(message.sid).media

        (file,) = files.list()
        assert (file.sid, file.content_type) == (message.media[0].sid, "image/jpeg")
        assert file.parent_sid == message.sid
        assert files(file.sid).fetch().uri == file.uri
        link = fake_twilio.link(message.media[0])
        assert files(file.sid).delete()
        assert files.list() == []
        assert self.ask(link, credentials=False).status_code == 404
        assert client.messages(message.sid).fetch().num_media == "0"

    def test_the_webhook_names_it(self, fake_twilio, listener):
        message = fake_twilio.receive(
            SOMEBODY, media=[Media("audio/ogg", b"OggS")], post_to=listener.url
        )

        form = listener.got[0][1]
        assert (form["NumMedia"], form["MessageType"]) == ("1", "audio")
        assert form["MediaUrl0"] == fake_twilio.media_address(message, message.media[0])
        assert form["MediaContentType0"] == "audio/ogg"


class TestSettingUp:
    def test_a_number_is_connected(self, fake_twilio, client, listener):
        (number,) = client.incoming_phone_numbers.list(phone_number=settings.TWILIO_WHATSAPP_NUMBER)

        changed = client.incoming_phone_numbers(number.sid).update(
            sms_url=f"{listener.url}/whatsapp/#rc=2",
            sms_fallback_url=f"{listener.url}/fallback/",
            status_callback=f"{listener.url}/status/",
        )

        assert changed.sms_url == f"{listener.url}/whatsapp/#rc=2"
        found = client.incoming_phone_numbers(number.sid).fetch()
        assert (found.sms_fallback_url, found.status_callback) == (
            f"{listener.url}/fallback/",
            f"{listener.url}/status/",
        )
        fake_twilio.receive(SOMEBODY, "hi")
        assert [path for path, _, _ in listener.got] == ["/whatsapp/"]

    def test_a_new_number(self, client):
        made = client.incoming_phone_numbers.create(phone_number="+15005550123", sms_url="http://x")

        assert (made.phone_number, made.sms_url) == ("+15005550123", "http://x")
        assert len(client.incoming_phone_numbers.list()) == 2

    def test_a_whatsapp_sender_is_connected(self, client, fake_twilio, listener):
        (sender,) = client.messaging.v2.channels_senders.list(channel="whatsapp")
        assert (sender.sender_id, sender.status) == (SENDER, "ONLINE")
        answer = requests.post(
            f"{fake_twilio.url}/v2/Channels/Senders/{sender.sid}",
            json={"webhook": {"callback_url": f"{listener.url}/whatsapp/"}},
            auth=client.auth,
            timeout=5,
        )

        assert answer.status_code == 202
        found = client.messaging.v2.channels_senders(sender.sid).fetch()
        assert found.webhook["callback_url"] == f"{listener.url}/whatsapp/"
        fake_twilio.receive(SOMEBODY, "hi")
        assert [path for path, _, _ in listener.got] == ["/whatsapp/"]

    def test_a_template_is_made_approved_and_sent(self, fake_twilio, client):
        types = {"twilio/text": {"body": "Report {{1}} is closed"}}
        made = client.content.v1.contents.create(
            ContentList.ContentCreateRequest(
                {
                    "friendly_name": "report_closed",
                    "language": "en",
                    "variables": {"1": "DEF-17"},
                    "types": ContentList.Types(
                        {"twilio/text": ContentList.TwilioText(types["twilio/text"])}
                    ),
                }
            )
        )
        approvals = client.content.v1.contents(made.sid)

        assert re.fullmatch(r"HX[0-9a-f]{32}", made.sid)
        assert (made.types, made.variables) == (types, {"1": "DEF-17"})
        assert approvals.approval_fetch().fetch().whatsapp["status"] == "unsubmitted"
        asked = approvals.approval_create.create(
            ApprovalCreateList.ContentApprovalRequest(
                {"name": "report_closed", "category": "UTILITY"}
            )
        )
        assert (asked.status, asked.content_type) == ("received", "twilio/text")
        fake_twilio.review(made.sid, "rejected", "Too vague")
        assert approvals.approval_fetch().fetch().whatsapp["rejection_reason"] == "Too vague"
        fake_twilio.review(made.sid)
        assert approvals.approval_fetch().fetch().whatsapp["status"] == "approved"
        assert [content.sid for content in client.content.v1.contents.list()] == [made.sid]

        client.messages.create(
            to=f"whatsapp:{SOMEBODY}",
            from_=SENDER,
            content_sid=made.sid,
            content_variables='{"1": "DEF-18"}',
        )
        (sent,) = fake_twilio.sent_to(SOMEBODY)
        assert (sent.content_sid, sent.content_variables) == (made.sid, {"1": "DEF-18"})
        assert sent.body == "Report DEF-18 is closed"
        assert client.content.v1.contents(made.sid).delete()
        assert client.content.v1.contents.list() == []

    def test_what_is_known_elsewhere_is_approved(self, fake_twilio, client):
        sid = "HX" + "1" * 32
        fake_twilio.memory.approved = {sid: "Report {{1}} is closed."}.get
        there = client.content.v1.contents(sid)
        assert there.fetch().types == {"twilio/text": {"body": "Report {{1}} is closed."}}
        assert there.approval_fetch().fetch().whatsapp["status"] == "approved"
        sent = send(client, "", content_sid=sid, content_variables='{"1": "DEF-7"}')
        assert sent.body == "Report DEF-7 is closed."
        with pytest.raises(TwilioRestException) as refused:
            client.content.v1.contents("HX" + "2" * 32).fetch()
        assert refused.value.status == 404

    def test_typing(self, fake_twilio, client):
        message = fake_twilio.receive(SOMEBODY, "hi")

        typing = client.messaging.v2.typing_indicator
        assert typing.create(channel="whatsapp", message_id=message.sid).success
        assert fake_twilio.memory.typing == [message.sid]
        with pytest.raises(TwilioRestException) as missing:
            typing.create(channel="whatsapp", message_id="SM" + "0" * 32)
        assert missing.value.status == 404


class TestTheServer:
    def test_many_at_once_lose_nothing(self, fake_twilio):
        """8 clients, 200 sends each, over a connection each."""
        path = f"/2010-04-01/Accounts/{settings.TWILIO_ACCOUNT_SID}/Messages.json"
        user = f"{settings.TWILIO_ACCOUNT_SID}:{settings.TWILIO_AUTH_TOKEN}".encode()
        headers = {
            "Authorization": "Basic " + b64encode(user).decode(),
            "Content-Type": "application/x-www-form-urlencoded",
        }

        def send_all(client: int) -> list[str]:
            sids = []
            with _connected(fake_twilio) as connection:
                for number in range(200):
                    form = {
                        "To": f"whatsapp:{SOMEBODY}",
                        "From": SENDER,
                        "Body": f"{client}/{number}",
                    }
                    connection.request("POST", path, urlencode(form), headers)
                    sids.append(json.loads(connection.getresponse().read())["sid"])
            return sids

        with ThreadPoolExecutor(8) as pool:
            sids = [sid for some in pool.map(send_all, range(8)) for sid in some]

        assert len(set(sids)) == 1600
        assert {message.sid for message in fake_twilio.sent} == set(sids)
        assert {message.body for message in fake_twilio.sent} == {
            f"{client}/{number}" for client in range(8) for number in range(200)
        }
        assert len(fake_twilio.requests) == 1600

    def test_requests_are_recorded(self, fake_twilio, client):
        fake_twilio.trouble.once(troubles.too_many())
        with pytest.raises(TwilioRestException):
            send(client)

        (request,) = fake_twilio.requests
        assert (request.method, request.route, request.status) == ("POST", "Messages", 429)
        assert request.trouble == "429"
        assert request.form["Body"] == "The press runs again"
        assert request.headers["user-agent"].startswith("twilio-python/")

    def test_stopping_leaves_nothing(self):
        before = set(threading.enumerate())
        fake = FakeTwilio.with_our_account().start()
        fake.fate = Fate(delay=60)
        client = client_of(fake.url)
        send(client, status_callback=f"{fake.url}/status/")
        port = urlsplit(fake.url).port

        started = time.monotonic()
        fake.stop()

        assert time.monotonic() - started < 5
        assert set(threading.enumerate()) <= before
        with pytest.raises(OSError, match=r".+"):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()

    @pytest.mark.parametrize(
        "request_line",
        ["GET /2010-04-01/nothing", "POST /v1/Content", "PUT /2010-04-01/Accounts/{}.json"],
    )
    def test_strange_requests_are_answered(self, fake_twilio, client, request_line):
        method, path = request_line.format(settings.TWILIO_ACCOUNT_SID).split()

        answer = requests.request(
            method, fake_twilio.url + path, data={"a": "b"}, auth=client.auth, timeout=5
        )

        assert answer.status_code in (400, 404, 405)
        assert answer.json()["status"] == answer.status_code

    def test_only_this_machine(self, fake_twilio):
        for url in (fake_twilio.url, fake_twilio.media_url):
            assert urlsplit(url).hostname == "127.0.0.1"


def test_the_command():
    command = ["manage.py", "fake_twilio", "--port", "0", "--trouble", "429=1", "--seed", "7"]
    with subprocess.Popen(
        [sys.executable, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings_test"},
    ) as process:
        try:
            url = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())[0]
            client = client_of(url)
            with pytest.raises(TwilioRestException) as refused:
                send(client, "Nobody logs this")
            assert refused.value.code == 20429
            assert client.messages.list(to=f"whatsapp:{SOMEBODY}") == []
        finally:
            process.send_signal(signal.SIGTERM)
        lines = process.stdout.read().splitlines()
        assert process.wait(30) == 0
    assert lines == ["POST Messages 429 429", "GET Messages 200"]


@pytest.mark.django_db(transaction=True)
def test_the_command_may_know_what_staff_enter():
    sid = "HX" + "1" * 32
    assert command._as_entered(sid) is None
    MessageTemplate.objects.create(notice="news.closed", content_sid=sid, body="It is closed.")
    assert command._as_entered(sid) == "It is closed."


@contextmanager
def _connected(fake: FakeTwilio) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(urlsplit(fake.url).netloc, timeout=60)
    try:
        yield connection
    finally:
        connection.close()
