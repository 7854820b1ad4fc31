"""Where a fetch goes, and where it does not: proven by what the interpreter says of sockets."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from django.conf import settings as django_settings

from whatsapp_bot.fake_twilio import Media
from whatsapp_bot.tests import files
from whatsapp_bot.tests.wire import watched
from whatsapp_bot.twilio import media
from whatsapp_bot.twilio.media import NotFetched, fetch

SOMEBODY = "+27821230001"
RESOURCE = f"/2010-04-01/Accounts/{django_settings.TWILIO_ACCOUNT_SID}/Messages/MM{'1' * 32}/Media/ME{'2' * 32}"
GOOD = f"https://api.twilio.com{RESOURCE}"


@pytest.fixture
def twilio(fake_twilio, settings):
    settings.TWILIO_API_URL = fake_twilio.url
    settings.TWILIO_MEDIA_URL = fake_twilio.media_url
    return fake_twilio


@pytest.fixture
def address(twilio) -> Callable[[Media], str]:
    """The address of a file that somebody has sent."""

    def send(file: Media) -> str:
        return twilio.media_address(twilio.receive(SOMEBODY, media=[file], post_to=""), file)

    return send


def not_fetched(url: str) -> NotFetched:
    with pytest.raises(NotFetched) as caught:
        fetch(url)
    return caught.value


# By name ------------------------------------------------------------------------------------------

ELSEWHERE = {
    "plain http": GOOD.replace("https", "http"),
    "another scheme": "ftp://api.twilio.com/2010-04-01/Accounts/x",
    "a file": "file:///etc/passwd",
    "no scheme": "//api.twilio.com/2010-04-01/",
    "look-alike below another": f"https://api.twilio.com.evil.example{RESOURCE}",
    "look-alike": f"https://api-twilio.com{RESOURCE}",
    "longer name": f"https://evilmms.twiliocdn.com{RESOURCE}",
    "below ours": f"https://x.api.twilio.com{RESOURCE}",
    "user": f"https://api.twilio.com@evil.example{RESOURCE}",
    "user and password": f"https://api.twilio.com:x@evil.example{RESOURCE}",
    "user at ours": f"https://me@api.twilio.com{RESOURCE}",
    "trailing dot": f"https://api.twilio.com.{RESOURCE}",
    "capitals": f"https://API.twilio.com{RESOURCE}",
    "another port": f"https://api.twilio.com:8443{RESOURCE}",
    "port of nothing": f"https://api.twilio.com:{RESOURCE}",
    "unicode": f"https://api.twilı\u014d.com{RESOURCE}",
    "full-width": f"https://api\uff0etwilio\uff0ecom{RESOURCE}",
    "soft hyphen": f"https://api.twi\u00adlio.com{RESOURCE}",
    "backslash": f"https://api.twilio.com\\@evil.example{RESOURCE}",
    "backslash in the path": f"{GOOD}\\..",
    "space": f"https://api.twilio.com {RESOURCE}",
    "line break": f"https://api.twilio.com{RESOURCE}\r\nHost: evil.example",
    "tab": f"https://api.\ttwilio.com{RESOURCE}",
    "question mark": f"https://evil.example?@api.twilio.com{RESOURCE}",
    "fragment": f"https://evil.example#@api.twilio.com{RESOURCE}",
    "loopback": f"https://127.0.0.1{RESOURCE}",
    "loopback as a number": f"https://2130706433{RESOURCE}",
    "loopback in IPv6": f"https://[::1]{RESOURCE}",
    "localhost": f"https://localhost{RESOURCE}",
    "private": f"https://10.0.0.1{RESOURCE}",
    "cloud metadata": "https://169.254.169.254/latest/meta-data/",
    "another account": GOOD.replace("AC5555", "AC6666"),
    "another resource": "https://api.twilio.com/2010-04-01/Accounts.json",
    "up and away": f"https://api.twilio.com{RESOURCE}/../../../../x",
    "up and away, encoded": f"https://api.twilio.com{RESOURCE}/%2e%2e/x",
    "another bucket": "https://s3-external-1.amazonaws.com/evil/x",
    "another bucket by dots": "https://s3-external-1.amazonaws.com/media.twiliocdn.com/../evil/x",
    "bucket with a longer name": "https://s3-external-1.amazonaws.com/media.twiliocdn.com.evil/x",
    "too long": GOOD + "a" * 9000,
    "nothing": "",
}


@pytest.mark.parametrize("url", ELSEWHERE.values(), ids=ELSEWHERE)
def test_other_addresses_are_not_even_looked_up(url):
    with watched() as network:
        error = not_fetched(url)
    assert network == []
    assert error.for_good


@pytest.mark.parametrize(
    "url",
    [
        GOOD,
        GOOD.replace(".com/", ".com:443/"),
        "https://mms.twiliocdn.com/AC1/ab?Expires=1&Signature=a~b_&Key-Pair-Id=K1",
        "https://media.twiliocdn.com/AC1/ab",
        "https://s3-external-1.amazonaws.com/media.twiliocdn.com/AC1/ab",
    ],
)
def test_twilios_own_are(url, monkeypatch):
    asked = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *_, **__: asked.append(host) or [])
    assert not not_fetched(url).for_good
    assert asked == [url.split("/")[2].partition(":")[0]]


# By number ----------------------------------------------------------------------------------------

PRIVATE = [
    "127.0.0.1",
    "0.0.0.0",  # noqa: S104
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd12::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "::127.0.0.1",
]


def names(monkeypatch, *lists: list[str]) -> list[str]:
    """Have names looked up there, one list after the other; which were."""
    asked, answers = [], iter(lists)

    def look_up(host, port, *_, **__):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in next(answers)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


@pytest.mark.parametrize("ip", PRIVATE)
def test_private_addresses_are_not_connected_to(ip, monkeypatch):
    for addresses in ([ip], ["93.184.215.14", ip], [ip, "93.184.215.14"]):
        names(monkeypatch, addresses)
        with watched() as network:
            error = not_fetched(GOOD)
        assert network == []
        assert error.for_good
        assert "private" in error.why


@pytest.mark.parametrize("ip", ["93.184.215.14", "2606:4700::1", "64:ff9b::5db8:d70e"])
def test_public_ones_are(ip):
    assert media.is_public(ip)


def test_a_name_that_changes_its_mind_gets_nothing(monkeypatch):
    """Looked up once; what was checked is connected to, whatever the name says next."""
    connected = []

    def connect(address, timeout):
        connected.append(address)
        raise ConnectionRefusedError

    asked = names(monkeypatch, ["93.184.215.14"], ["127.0.0.1"], ["127.0.0.1"])
    monkeypatch.setattr(socket, "create_connection", connect)
    assert not not_fetched(GOOD).for_good
    assert asked == ["api.twilio.com"]
    assert connected == [("93.184.215.14", 443)]


# Redirects ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    [
        "http://10.0.0.1/secret",
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:22/",
        "http://127.0.0.1/",
        "http://localhost:{cdn_port}/x",
        "http://[::1]:{cdn_port}/x",
        "https://127.0.0.1:{cdn_port}/x",
        "http://127.0.0.1:{cdn_port}@10.0.0.1/x",
        "http://evil.example/x",
        "https://evil.example/x",
        "//evil.example/x",
        "file:///etc/passwd",
        "gopher://127.0.0.1:{cdn_port}/x",
        "http://[",
        "https://mms.twiliocdn.com.evil.example/x",
        *PRIVATE[:2],
    ],
)
def test_redirects_elsewhere_are_not_followed(target, twilio, address):
    cdn_port = twilio.media_url.rpartition(":")[2]
    target = target.format(cdn_port=cdn_port)
    url = address(Media("image/jpeg", files.JPEG, redirect=target))
    with watched() as network:
        error = not_fetched(url)
    assert error.for_good or "answer was" in error.why
    api = ("127.0.0.1", int(twilio.url.rpartition(":")[2]))
    assert {where for event, where in network if event == "socket.connect"} == {api}
    assert {where for event, where in network if event != "socket.connect"} == {"127.0.0.1"}
    assert twilio.cdn_requests == []


def test_the_file_comes_by_a_redirect_and_without_our_credentials(twilio, address):
    assert fetch(address(Media("image/jpeg", files.JPEG))) == files.JPEG
    (request,) = twilio.cdn_requests
    assert request.headers["accept-encoding"] == "identity"
    assert twilio.leaks == []


def test_who_sends_us_elsewhere_and_back_does_not_get_them_either(twilio, address, settings):
    """api → CDN → api: the last request is answered 401, since it has no credentials."""
    back = address(Media("image/jpeg", files.JPEG))
    answers = {"/1": f"HTTP/1.1 302 x\r\nLocation: {back}\r\nContent-Length: 0\r\n\r\n"}
    with serving(lambda path: answers[path].encode()) as cdn:
        settings.TWILIO_MEDIA_URL = cdn.url
        url = address(Media("image/jpeg", files.JPEG, redirect=f"{cdn.url}/1"))
        assert "401" in not_fetched(url).why
    assert [("authorization" in request.headers) for request in twilio.requests] == [True, False]
    assert "authorization" not in cdn.heard[0].lower()


def test_redirects_end(settings):
    answer = b"HTTP/1.1 302 x\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n"
    with serving(lambda path: answer) as server:
        settings.TWILIO_API_URL = server.url
        assert "without an end" in not_fetched(f"{server.url}/1").why
    assert len(server.heard) == 6


def test_in_production_no_address_of_this_machine_is_asked(twilio, address, settings):
    url = address(Media("image/jpeg", files.JPEG))
    settings.TWILIO_API_URL = settings.TWILIO_MEDIA_URL = ""
    with watched() as network:
        assert not_fetched(url).for_good
    assert network == []


def test_beside_the_fake_the_real_twilio_is_not_asked(twilio):
    with watched() as network:
        assert not_fetched(GOOD).for_good
    assert network == []


# Size, time, encoding -----------------------------------------------------------------------------


class Server:
    """Answers each request with bytes, or with several in turn, slowly."""

    def __init__(self, answer: Callable[[str], bytes], pause: float = 0) -> None:
        self._answer, self._pause = answer, pause
        self.heard: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._ended = False
        self._thread = threading.Thread(target=self._serve)

    def _serve(self) -> None:
        while True:
            with suppress(OSError):
                connection, _ = self._socket.accept()
                with connection:
                    if self._ended:
                        return
                    request = connection.recv(65536).decode()
                    self.heard.append(request)
                    self._send(connection, self._answer(request.split(" ")[1]))

    def _send(self, connection: socket.socket, answer: bytes) -> None:
        if not self._pause:
            connection.sendall(answer)
            return
        for byte in answer:
            connection.sendall(bytes([byte]))
            time.sleep(self._pause)

    def __enter__(self) -> "Server":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        with socket.create_connection(self._socket.getsockname()):
            self._thread.join()
        self._socket.close()


def serving(answer: Callable[[str], bytes], pause: float = 0) -> Server:
    return Server(answer, pause)


SLOW = {
    "headers": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000,
    "one header": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 5000,
    "content": b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"y" * 5000,
    "content without a length": b"HTTP/1.1 200 OK\r\n\r\n" + b"y" * 5000,
    "pieces": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\ny\r\n" * 1000,
    "length of a piece": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"0" * 5000,
}


@pytest.mark.parametrize("answer", SLOW.values(), ids=SLOW)
def test_a_byte_now_and_then_does_not_keep_it_going(answer, settings):
    settings.FETCH_SECONDS = 0.4
    with serving(lambda path: answer, pause=0.002) as server:
        settings.TWILIO_API_URL = server.url
        began = time.monotonic()
        error = not_fetched(f"{server.url}/1")
        assert time.monotonic() - began < 4
    assert (error.why, error.for_good) == ("It took longer than 0.4 seconds.", False)


def test_seventeen_megabytes_are_refused_before_they_are_read(twilio, address):
    error = not_fetched(address(Media("video/mp4", b"\0" * 17 * 1024 * 1024)))
    assert error.for_good
    assert "16 MB" in error.why


def test_sixteen_are_not(twilio, address):
    assert len(fetch(address(Media("video/mp4", b"\0" * media.LARGEST)))) == media.LARGEST


ODD = {
    "compressed": (b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", "compressed"),
    "cut off": (b"Content-Length: 30\r\n\r\nabc", "half-way"),
    "pieces, cut off": (b"Transfer-Encoding: chunked\r\n\r\n9\r\nabc", "could not be reached"),
    "length of a piece without an end": (
        b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 1_000_000,
        "could not be reached",
    ),
    "wrong length": (b"Content-Length: 1\r\n\r\n" + b"a" * 30, None),
    "header without an end": (b"X: " + b"a" * 1_000_000, "could not be reached"),
    "too many headers": (b"X: y\r\n" * 100_000, "could not be reached"),
}


@pytest.mark.parametrize(("rest", "why"), ODD.values(), ids=ODD)
def test_odd_answers(rest, why, settings):
    with serving(lambda path: b"HTTP/1.1 200 OK\r\n" + rest) as server:
        settings.TWILIO_API_URL = server.url
        if why:
            assert why in not_fetched(f"{server.url}/1").why
        else:
            assert fetch(f"{server.url}/1") == b"a"


@pytest.mark.parametrize("status", [204, 206, 400, 401, 403, 404, 410, 429, 500, 503])
def test_anything_but_the_file_is_worth_another_try(status, settings):
    with serving(lambda path: b"HTTP/1.1 %d x\r\nContent-Length: 0\r\n\r\n" % status) as server:
        settings.TWILIO_API_URL = server.url
        error = not_fetched(f"{server.url}/1")
    assert not error.for_good
    assert str(status) in error.why


def test_nobody_there(settings):
    with serving(lambda path: b"") as server:
        settings.TWILIO_API_URL = server.url
    assert not not_fetched(f"{server.url}/1").for_good


# Memory -------------------------------------------------------------------------------------------

FETCH_ALONE = """
import re, sys, django
from pathlib import Path
django.setup()
from whatsapp_bot import fetching
outcome = fetching._run(fetching.Errand(1, sys.argv[1], "image/png", "there"))
print(outcome.why or type(outcome).__name__)
# What getrusage says includes the peak of the process that started this one.
print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""


@pytest.fixture
def fetched_alone(twilio, address, tmp_path) -> Callable[[Media], tuple[str, int]]:
    """Fetches a file in a process of its own: what is said of it, and the most memory, in kB."""

    def fetch_alone(file: Media) -> tuple[str, int]:
        done = subprocess.run(
            [sys.executable, "-c", FETCH_ALONE, address(file)],
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "config.settings_test",
                "TWILIO_API_URL": twilio.url,
                "TWILIO_MEDIA_URL": twilio.media_url,
                "MEDIA_ROOT": str(tmp_path),
            },
            capture_output=True,
            text=True,
            check=True,
        )
        said, peak = done.stdout.splitlines()
        return said, int(peak)

    return fetch_alone


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (Media("video/mp4", b"\0" * 65536, endless=True), "larger than the 16 MB"),
        (Media("image/png", files.TOO_LARGE_PICTURES["12,000 x 12,000"]), "too many pixels"),
        (Media("image/png", files.TOO_LARGE_PICTURES["says to be immense"]), "too many pixels"),
    ],
    ids=["endless", "12,000 x 12,000", "immense"],
)
def test_it_is_not_worked_on_within_200_megabytes(file, why, fetched_alone):
    said, peak = fetched_alone(file)
    assert why in said
    assert peak < 200 * 1024


# Drawn by the test alone: so large a one takes a second, and all workers collect all tests.
@pytest.mark.parametrize(
    ("kind", "size", "mode"),
    [
        ("WEBP", (4_000, 2_500), "RGBA"),
        ("PNG", (8_000, 5_000), "RGBA"),
        ("GIF", (8_000, 5_000), "P"),
    ],
    ids=["WebP", "PNG", "GIF"],
)
def test_the_largest_picture_of_each_kind_is_kept_within_450_megabytes(
    kind, size, mode, fetched_alone
):
    said, peak = fetched_alone(Media("image/png", files.picture(kind, size, mode)))
    assert said == "Stored"
    assert peak < 450 * 1024


def test_a_phones_largest_photo_is_kept_within_200_megabytes(fetched_alone):
    said, peak = fetched_alone(Media("image/jpeg", files.picture(size=(8064, 6048))))
    assert said == "Stored"
    assert peak < 200 * 1024
