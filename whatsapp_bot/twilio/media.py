"""Fetching the files that people sent from where Twilio has them, and deleting them there.

A file's address comes from outside, and what answers may lead elsewhere. So a request goes only
to the hosts below, by https, to an address that is public and was checked before it is connected
to; and each redirect is looked at like the first address. Plain `http.client` knows no proxies,
no passwords from files, no redirects and no decompression, and that is what is wanted here.

Facts are from Twilio's pages on the Media resource and on protecting access to media.
"""

import base64
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from http.client import HTTPS_PORT, HTTPConnection, HTTPException, HTTPResponse
from ipaddress import IPv6Address, IPv6Network, ip_address
from urllib.parse import urljoin, urlsplit

import requests
from django.conf import settings

LARGEST = 16 * 1024 * 1024
"""Bytes: WhatsApp takes no larger files."""
MOST_REDIRECTS = 5
LONGEST_URL = 8000
SILENCE_SECONDS = 15
"""After so long without a byte nothing more is expected."""

HOSTS = {
    "api.twilio.com": "/2010-04-01/Accounts/",
    "mms.twiliocdn.com": "/",
    "media.twiliocdn.com": "/",
    # Files from before an account protected its media: a bucket of Twilio's, and no other one.
    "s3-external-1.amazonaws.com": "/media.twiliocdn.com/",
}
"""Where files are, and how their paths begin. The first one is told our credentials."""
OWN = "api.twilio.com"

_URL = re.compile(r"(https?)://([a-z0-9.-]+|\[::1\])(?::([1-9]\d{0,4}))?(/[!-~]*)")
_RESOURCE = re.compile(
    r"/2010-04-01/Accounts/AC[0-9a-fA-F]{32}/Messages/((?:SM|MM)[0-9a-fA-F]{32})"
    r"/Media/(ME[0-9a-fA-F]{32})"
)
_NAT64 = IPv6Network("64:ff9b::/96")


class NotFetched(Exception):
    """A file was not had.

    why: a sentence for staff. for_good: is trying again no use? outage: has Twilio, or the way to
    it, trouble that need not be about this file?
    """

    def __init__(self, why: str, *, for_good: bool = False, outage: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.for_good = for_good
        self.outage = outage


class NotDeleted(Exception):
    """Twilio did not delete its copy, or we cannot tell."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request may go. own: it is Twilio's API, which is told who we are."""

    scheme: str
    host: str
    port: int
    path: str
    own: bool
    is_fake: bool = False

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}{self.path}"


def fetch(url: str) -> bytes:
    """The file at `url`, as it came, LARGEST bytes at most.

    It takes FETCH_SECONDS at most, however slowly the other side answers. Raises NotFetched.
    """
    deadline = time.monotonic() + settings.FETCH_SECONDS
    place, trusted = allowed(url), True
    for _ in range(MOST_REDIRECTS + 1):
        # Once we were sent elsewhere, who asks to come back is not to be told our credentials.
        trusted = trusted and place.own
        try:
            with _asked(place, deadline, with_credentials=trusted) as response:
                if response.status not in (301, 302, 303, 307, 308):
                    return _content(response, deadline)
                place = _next(place, response)
        except (OSError, HTTPException) as error:
            raise NotFetched(_trouble(error, deadline), outage=True) from error
    raise NotFetched("Its address leads from one to the next without an end.", for_good=True)


def delete(url: str) -> None:
    """Delete Twilio's copy of the file at `url`; no matter if it is gone already.

    Raises NotDeleted.
    """
    from twilio.base.exceptions import TwilioException, TwilioRestException

    from whatsapp_bot.twilio import rest

    message_sid, sid = _sids(url)
    try:
        deleted = rest.client().messages(message_sid).media(sid).delete()
    except TwilioRestException as error:
        deleted = error.status == 404
    except (TwilioException, requests.exceptions.RequestException, ValueError) as error:
        raise NotDeleted from error
    if not deleted:
        raise NotDeleted


def is_at_twilio(url: str) -> bool:
    """Is this the address of a file that Twilio has, and that we could have it delete?"""
    return _sids(url) is not None


def _sids(url: str) -> tuple[str, str] | None:
    """The SIDs of the message and of the file."""
    try:
        place = allowed(url)
    except NotFetched:
        return None
    found = _RESOURCE.fullmatch(place.path)
    return (found[1], found[2]) if found and place.own else None


# Where a request may go --------------------------------------------------------------------------


def allowed(url: str) -> Place:
    """The place at this address. Raises NotFetched when nothing is to be fetched there."""
    found = _URL.fullmatch(url) if len(url) <= LONGEST_URL else None
    if not found or "\\" in url or not _is_plain(found[4]):
        raise NotFetched("Its address is malformed.", for_good=True)
    scheme, host, port, path = found.groups()
    if settings.TWILIO_API_URL:
        return _of_the_fake(scheme, host, int(port or 80), path)
    if scheme != "https" or port not in (None, "443") or host not in HOSTS:
        raise NotFetched("Its address is none of Twilio's.", for_good=True)
    begins = HOSTS[host] + (f"{settings.TWILIO_ACCOUNT_SID}/" if host == OWN else "")
    if not path.startswith(begins):
        raise NotFetched("Its address is none of Twilio's.", for_good=True)
    return Place(scheme, host, 443, path, own=host == OWN)


def _is_plain(path: str) -> bool:
    """Does it lead where it seems to lead, without `..` or what becomes that?"""
    plain = path.partition("?")[0].partition("#")[0].lower()
    return not re.search(r"//|/\.|%2e|%2f|%5c|%00", plain)


def _of_the_fake(scheme: str, host: str, port: int, path: str) -> Place:
    """A fake Twilio on this machine takes the place of the real one: it alone is asked then."""
    for origin in (settings.TWILIO_API_URL, settings.TWILIO_MEDIA_URL):
        parts = urlsplit(origin)
        there = (parts.scheme, parts.netloc.rpartition(":")[0] or parts.netloc, parts.port or 80)
        if origin and (scheme, host, port) == there:
            own = origin == settings.TWILIO_API_URL
            return Place(scheme, host, port, path, own=own, is_fake=True)
    raise NotFetched("Its address is none of Twilio's.", for_good=True)


def _next(place: Place, response: HTTPResponse) -> Place:
    """Where a redirect leads."""
    location = response.headers.get("Location", "")
    if not location:
        raise NotFetched("Its address leads nowhere.")
    try:
        target = urljoin(place.url, location)
    except ValueError:
        raise NotFetched("Its address is malformed.", for_good=True) from None
    try:
        return allowed(target)
    except NotFetched as error:
        why = f"It is said to be elsewhere, but: {error.why}"
        raise NotFetched(why, for_good=True) from None


def _addresses(place: Place) -> list[str]:
    """Where to connect to. Raises NotFetched unless every address of the host is a public one."""
    found = socket.getaddrinfo(place.host.strip("[]"), place.port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(one[4][0] for one in found))
    if not place.is_fake and not all(is_public(address) for address in addresses):
        why = "The name of its server leads into a private network."
        raise NotFetched(why, for_good=True)
    return addresses


def is_public(address: str) -> bool:
    """Is this IP address one of the internet at large, whichever way it is written?"""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped:
            ip = ip.ipv4_mapped
        elif ip in _NAT64:
            ip = ip_address(int(ip) & 0xFFFFFFFF)
        elif ip.sixtofour or ip.teredo:
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


# Asking ------------------------------------------------------------------------------------------


class _Bounded(HTTPConnection):
    """A connection to an address that was checked, cut at the deadline.

    A time limit on each read would not do: a byte now and then keeps it going for ever.
    """

    def __init__(self, place: Place, deadline: float) -> None:
        super().__init__(place.host, place.port)
        self._place = place
        self._deadline = deadline
        self._watched: socket.socket | None = None
        self._alarm = threading.Timer(deadline - time.monotonic(), self._cut)
        self._alarm.daemon = True

    def connect(self) -> None:
        """To what was checked: the name is not looked up a second time."""
        trouble: OSError = TimeoutError()
        for address in _addresses(self._place):
            left = self._deadline - time.monotonic()
            if left <= 0:
                break
            try:
                self.sock = socket.create_connection(
                    (address, self._place.port), timeout=min(SILENCE_SECONDS, left)
                )
            except OSError as error:
                trouble = error
                continue
            # A second handle on the same connection, whatever TLS does with the first.
            self._watched = self.sock.dup()
            self._alarm.start()
            return
        raise trouble

    def _cut(self) -> None:
        # Perhaps it has ended by itself.
        with suppress(OSError):
            self._watched.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        """Not in `close`: http.client closes a connection while the answer is still being read."""
        self.close()
        self._alarm.cancel()
        if self._watched:
            self._watched.close()


class _BoundedTLS(_Bounded):
    """The certificate must be that of the host which was asked for, whatever its address."""

    default_port = HTTPS_PORT

    def connect(self) -> None:
        super().connect()
        self.sock = _trusted_authorities().wrap_socket(self.sock, server_hostname=self.host)


@cache
def _trusted_authorities() -> ssl.SSLContext:
    """Those that the Twilio client trusts as well."""
    return ssl.create_default_context(cafile=requests.certs.where())


@contextmanager
def _asked(place: Place, deadline: float, *, with_credentials: bool) -> Iterator[HTTPResponse]:
    if deadline <= time.monotonic():
        raise TimeoutError
    connection = (_BoundedTLS if place.scheme == "https" else _Bounded)(place, deadline)
    headers = {"Accept": "*/*", "Accept-Encoding": "identity", "Connection": "close"}
    if with_credentials:
        account = f"{settings.TWILIO_ACCOUNT_SID}:{settings.TWILIO_AUTH_TOKEN}"
        headers["Authorization"] = f"Basic {base64.b64encode(account.encode()).decode()}"
    try:
        connection.request("GET", place.path.partition("#")[0], headers=headers)
        with connection.getresponse() as response:
            yield response
    finally:
        connection.end()


def _content(response: HTTPResponse, deadline: float) -> bytes:
    if response.status in (401, 429) or response.status >= 500:
        raise NotFetched(f"Twilio has trouble (the answer was {response.status}).", outage=True)
    if response.status != 200:
        raise NotFetched(f"It was not there (the answer was {response.status}).")
    if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise NotFetched("It came compressed, which was not asked for.", for_good=True)
    too_large = NotFetched("It is larger than the 16 MB that WhatsApp takes.", for_good=True)
    if (response.length or 0) > LARGEST:
        raise too_large
    content = bytearray()
    while part := response.read(65536):
        content += part
        if len(content) > LARGEST:
            raise too_large
    if response.length or time.monotonic() >= deadline:
        raise TimeoutError  # The end of what came is not the end of the file.
    return bytes(content)


def _trouble(error: Exception, deadline: float) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return "Its server could not show that it is Twilio's."
    if time.monotonic() >= deadline:
        return f"It took longer than {settings.FETCH_SECONDS:g} seconds."
    if isinstance(error, TimeoutError):
        return "The connection was lost half-way."
    return "Its server could not be reached."
