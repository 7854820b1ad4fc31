"""What Twilio brings us: messages and reports of their delivery, verified and parsed.

Facts are from Twilio's reference pages on webhooks, request validation and TwiML.
"""

import hmac
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cache
from urllib.parse import unquote_plus
from xml.sax.saxutils import escape, quoteattr

from django.conf import settings
from django.http import HttpRequest
from django.http.request import UnreadablePostError
from django.urls import reverse
from twilio.request_validator import RequestValidator

from whatsapp_bot.delivery import DeliveryReport, Status
from whatsapp_bot.inbound import File, Incoming, Kind, Sender
from whatsapp_bot.models import Message
from whatsapp_bot.sniffing import PICTURES
from whatsapp_bot.whatsapp_text import clean

FORM = "application/x-www-form-urlencoded"
LONGEST_BODY = 100_000
MOST_BYTES = 2_500_000
MOST_PARAMETERS = 1000
MOST_FILES = 10
_FILES = [(f"MediaUrl{place}", f"MediaContentType{place}") for place in range(MOST_FILES)]

_MESSAGE_SID = re.compile(r"(SM|MM)[0-9a-fA-F]{32}")
_ACCOUNT_SID = re.compile(r"AC[0-9a-fA-F]{32}")
_PHONE = re.compile(r"(?:whatsapp:)?[+ ]?([1-9]\d{6,14})", re.ASCII)
_USER_ID = re.compile(r"(?:whatsapp:)?([A-Z]{2}\.[A-Za-z0-9]{1,128})")

_KINDS = {
    "text": Kind.TEXT,
    "button": Kind.TEXT,
    "interactive": Kind.TEXT,
    "image": Kind.IMAGE,
    "audio": Kind.AUDIO,
    "voice": Kind.AUDIO,
    "video": Kind.VIDEO,
    "document": Kind.DOCUMENT,
    "location": Kind.LOCATION,
    "contacts": Kind.OTHER,
    "sticker": Kind.OTHER,
}
_FILED = (Kind.IMAGE, Kind.AUDIO, Kind.VIDEO, Kind.DOCUMENT)
_PICTURES = {*PICTURES, "image/jpg", "image/heif"}
"""Those that can be shown, also as some phones call them. A drawing (TIFF, DWG) is a document."""
STATUSES = {
    **dict.fromkeys(("accepted", "scheduled", "queued", "sending", "sent"), Status.SENT),
    "delivered": Status.DELIVERED,
    "read": Status.READ,
    **dict.fromkeys(("failed", "undelivered", "canceled"), Status.FAILED),
}
_STORED_ELSEWHERE = {
    *("MessageSid", "SmsSid", "SmsMessageSid", "AccountSid", "From", "To", "Body", "WaId"),
    *("ProfileName", "ExternalUserId", "NumMedia", "NumSegments", "SmsStatus", "ApiVersion"),
    *("ChannelMetadata", "OriginalRepliedMessageSid"),
    *(name for names in _FILES for name in names),
}


NOBODY = "+999000000000"
"""A number that no country has: to it goes what `manage.py doctor` signs, and we refuse."""


class Refused(Exception):
    """A request that is not Twilio's, or not for us. status: what to answer; why: for the log.

    is_a_try: it came from us, to see whether it would arrive.
    """

    def __init__(self, status: int, why: str, *, is_a_try: bool = False) -> None:
        super().__init__(why)
        self.status = status
        self.why = why
        self.is_a_try = is_a_try
        self.headers = {"Allow": "POST"} if status == 405 else {}


def read(request: HttpRequest) -> Incoming:
    """The message that a webhook request brings.

    Raises Refused: 403 for a wrong signature, account or number, 4xx for another shape.
    """
    parameters = _verified(request)
    _check_addresses(parameters)
    to = phone_number(parameters["To"])
    if to != settings.TWILIO_WHATSAPP_NUMBER:
        raise Refused(403, "another number", is_a_try=to == NOBODY)
    return parse(parameters)


def read_report(request: HttpRequest) -> DeliveryReport:
    """What a status callback says of a message of ours.

    Raises Refused as `read` does.
    """
    parameters = _verified(request)
    word = clean(parameters.get("MessageStatus", ""), 20).lower()
    if not word:
        raise Refused(400, "no MessageStatus")
    return DeliveryReport(
        sid=parameters["MessageSid"],
        word=word,
        message_id=_whole(request.GET.get("message", ""), digits=18),
        status=STATUSES.get(word),
        error_code=_whole(parameters.get("ErrorCode", ""), digits=6),
        price=price(parameters.get("Price", "")),
        price_unit=clean(parameters.get("PriceUnit", ""), 3).upper(),
    )


def signature(url: str, parameters: Mapping[str, str]) -> str:
    """What Twilio would sign a POST of these parameters to this address with."""
    signed = url + "".join([name + parameters[name] for name in sorted(parameters)])
    key = settings.TWILIO_AUTH_TOKEN.encode()
    return b64encode(hmac.digest(key, signed.encode(), "sha1")).decode()


def status_callback(message_id: int) -> str:
    """Where Twilio is to report what becomes of our message with this id."""
    return f"{settings.PUBLIC_URL}{_status_path()}?message={message_id}"


@cache
def _status_path() -> str:
    return reverse("status")


def _whole(digits_in: str, *, digits: int) -> int | None:
    """The number in a text of at most so many digits, else None."""
    plain = digits_in.isascii() and digits_in.isdecimal() and len(digits_in) <= digits
    return int(digits_in) if plain else None


def price(text: str) -> Decimal | None:
    """An amount as Twilio writes it, such as -0.00500; None for none."""
    return Decimal(text) if re.fullmatch(r"-?\d{1,6}(\.\d{1,6})?", text, re.ASCII) else None


def _verified(request: HttpRequest) -> dict[str, str]:
    """The parameters of a request that Twilio signed, for our account.

    A signature also fits parameters that were cut up otherwise, so it takes the shape as well.
    """
    if request.method != "POST":
        raise Refused(405, "not a POST")
    parameters = _parameters(request)
    if not is_signed(request, parameters):
        raise Refused(403, "wrong signature")
    for name, pattern in {"MessageSid": _MESSAGE_SID, "AccountSid": _ACCOUNT_SID}.items():
        if not pattern.fullmatch(parameters.get(name, "")):
            raise Refused(400, f"no {name}, or malformed")
    if parameters["AccountSid"] != settings.TWILIO_ACCOUNT_SID:
        raise Refused(403, "another account")
    return parameters


def is_signed(request: HttpRequest, parameters: Mapping[str, str]) -> bool:
    """Did whoever knows our auth token sign this request to our public address?"""
    given = request.META.get("HTTP_X_TWILIO_SIGNATURE", "")
    if not given.isascii():
        return False
    query = request.META.get("QUERY_STRING", "")
    url = settings.PUBLIC_URL + request.path_info + (f"?{query}" if query else "")
    # Twilio's own validator takes ten times as long. It also knows of ports that come and go.
    return hmac.compare_digest(signature(url, parameters), given) or RequestValidator(
        settings.TWILIO_AUTH_TOKEN
    ).validate(url, parameters, given)


def parse(parameters: Mapping[str, str]) -> Incoming:
    """Twilio's parameters, of the right shape, as a message. Unknown ones are kept as details."""
    kind = _kind(parameters)
    typed = clean(parameters.get("Body", ""), LONGEST_BODY)
    said = [
        clean(parameters.get(name, ""), 200)
        for name in ("ButtonPayload", "ListId", "ButtonText", "ListTitle")
    ]
    details = {
        clean(name, 100): clean(value, 2000)
        for name, value in parameters.items()
        if value and name not in _STORED_ELSEWHERE
    }
    if kind != Kind.OTHER:
        details.pop("MessageType", None)
    sent_as = _named_kind(parameters) if kind == Kind.IMAGE else kind
    if sent_as == Kind.DOCUMENT and typed:
        # WhatsApp sends a document's name as its text.
        details["FileName"], typed = typed, ""
    return Incoming(
        sid=parameters["MessageSid"],
        sender=_sender(parameters),
        kind=kind,
        text=said[2] or said[3] or typed,
        payload=said[0] or said[1],
        files=_files(parameters),
        quoted_sid=_quoted_sid(parameters),
        details=details,
    )


def twiml(messages: Iterable[Message]) -> str:
    """The answer to a webhook that makes Twilio send these messages, and report on each."""
    sent = "".join(
        f"<Message statusCallback={quoteattr(status_callback(message.pk))}>"
        f"<Body>{escape(clean(message.body, len(message.body)))}</Body></Message>"
        for message in messages
    )
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{sent}</Response>'


def phone_number(address: str) -> str | None:
    """`+` and digits of an address such as `whatsapp:+27…`; None when it is no phone number."""
    found = _PHONE.fullmatch(address.strip())
    return f"+{found[1]}" if found else None


def user_id(address: str) -> str | None:
    """The WhatsApp user id in an address such as `whatsapp:ZA.1a2b…`; None when there is none."""
    found = _USER_ID.fullmatch(address.strip())
    return found[1] if found else None


def _parameters(request: HttpRequest) -> dict[str, str]:
    if request.content_type != FORM:
        raise Refused(415, "not a form")
    if request.content_params.get("charset", "utf-8").lower() != "utf-8":
        raise Refused(400, "another charset")
    try:
        sent = request.read(MOST_BYTES + 1)
        if len(sent) > MOST_BYTES:
            raise Refused(413, "too large")
        form = sent.decode()
    except (UnicodeDecodeError, UnreadablePostError):
        raise Refused(400, "unreadable") from None
    if form.count("&") >= MOST_PARAMETERS:
        raise Refused(413, "too many parameters")
    pairs = [pair.partition("=") for pair in form.split("&") if pair]
    parameters = {_unquoted(name): _unquoted(value) for name, _, value in pairs}
    if len(parameters) < len(pairs):
        raise Refused(400, "a parameter twice")
    return parameters


def _unquoted(part: str) -> str:
    """Of a form. Most parts have nothing quoted, and Python's `parse_qsl` takes twice as long."""
    return unquote_plus(part) if "%" in part or "+" in part else part


def _check_addresses(parameters: Mapping[str, str]) -> None:
    for name in ("From", "To"):
        address = parameters.get(name, "")
        if not (phone_number(address) or user_id(address)):
            raise Refused(400, f"no {name}, or malformed")


def _sender(parameters: Mapping[str, str]) -> Sender:
    address = parameters["From"]
    return Sender(
        phone=phone_number(address),
        user_id=user_id(address) or user_id(parameters.get("ExternalUserId", "")),
        name=" ".join(clean(parameters.get("ProfileName", ""), 200).split()),
    )


def _named_kind(parameters: Mapping[str, str]) -> Kind | None:
    """What sort of message Twilio says it is."""
    return _KINDS.get(parameters.get("MessageType", "").lower())


def _kind(parameters: Mapping[str, str]) -> Kind:
    """What sort of message it is: as Twilio says, or by what it holds. No file is no picture.

    A picture is one also where it was sent as a document, so that WhatsApp leaves it sharp.
    """
    named = _named_kind(parameters)
    has_file = bool(parameters.get("MediaUrl0"))
    held = _kind_of_file(parameters.get("MediaContentType0", "").lower()) if has_file else None
    if (named, held) == (Kind.DOCUMENT, Kind.IMAGE):
        return held
    if named and (has_file or named not in _FILED):
        return named
    if held:
        return held
    if parameters.get("Latitude") and parameters.get("Longitude"):
        return Kind.LOCATION
    words = ("Body", "ButtonPayload", "ButtonText", "ListId", "ListTitle")
    return Kind.TEXT if any(parameters.get(name, "").strip() for name in words) else Kind.OTHER


def _kind_of_file(content_type: str) -> Kind:
    if "vcard" in content_type:
        return Kind.OTHER
    if content_type.partition(";")[0].strip() in _PICTURES:
        return Kind.IMAGE
    by_family = {"audio": Kind.AUDIO, "video": Kind.VIDEO}
    return by_family.get(content_type.partition("/")[0], Kind.DOCUMENT)


def _files(parameters: Mapping[str, str]) -> tuple[File, ...]:
    return tuple(
        File(url, clean(parameters.get(content_type, ""), 100))
        for named, content_type in _FILES
        if named in parameters and (url := clean(parameters[named], 2000))
    )


def _quoted_sid(parameters: Mapping[str, str]) -> str:
    sid = parameters.get("OriginalRepliedMessageSid", "")
    return sid if _MESSAGE_SID.fullmatch(sid) else ""
