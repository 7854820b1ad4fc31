"""Twilio: the only place that knows it. Webhooks are verified and parsed here, replies written.

Facts are from Twilio's reference pages on webhooks, request validation and TwiML.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NoReturn
from xml.sax.saxutils import escape

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig, TooManyFieldsSent
from django.http import HttpRequest, QueryDict
from django.http.request import RawPostDataException, UnreadablePostError
from twilio.request_validator import RequestValidator

from whatsapp_bot.inbound import File, Incoming, Kind, Sender
from whatsapp_bot.whatsapp_text import clean

FORM = "application/x-www-form-urlencoded"
REQUIRED = ("MessageSid", "AccountSid", "From", "To")
LONGEST_BODY = 100_000
MOST_FILES = 10

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
    "reaction": Kind.OTHER,
}
_STORED_ELSEWHERE = re.compile(
    r"MessageSid|SmsSid|SmsMessageSid|AccountSid|From|To|Body|WaId|ProfileName|ExternalUserId"
    r"|NumMedia|NumSegments|SmsStatus|ApiVersion|ChannelMetadata|OriginalRepliedMessageSid"
    r"|Media(Url|ContentType)\d"
)


class Refused(Exception):
    """A request that is not Twilio's, or not for us. status: what to answer; why: for the log."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why
        self.headers = {"Allow": "POST"} if status == 405 else {}


def read(request: HttpRequest) -> Incoming:
    """The message that a webhook request brings.

    Raises Refused: 403 for a wrong signature, account or number, 4xx for another shape.
    """
    if request.method != "POST":
        raise Refused(405, "not a POST")
    parameters = _parameters(request)
    if not is_signed(request, parameters):
        raise Refused(403, "wrong signature")
    _check_shape(parameters)
    if parameters["AccountSid"] != settings.TWILIO_ACCOUNT_SID:
        raise Refused(403, "another account")
    if phone_number(parameters["To"]) != settings.TWILIO_WHATSAPP_NUMBER:
        raise Refused(403, "another number")
    return parse(parameters)


def is_signed(request: HttpRequest, parameters: QueryDict) -> bool:
    """Did whoever knows our auth token sign this request to our public address?"""
    signature = request.headers.get("X-Twilio-Signature", "")
    if not signature.isascii():
        return False
    query = request.META.get("QUERY_STRING", "")
    url = settings.PUBLIC_URL + request.path_info + (f"?{query}" if query else "")
    return RequestValidator(settings.TWILIO_AUTH_TOKEN).validate(url, parameters, signature)


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
        if value and not _STORED_ELSEWHERE.fullmatch(name)
    }
    if kind != Kind.OTHER:
        details.pop("MessageType", None)
    if kind == Kind.DOCUMENT and typed:
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


def twiml(texts: Iterable[str]) -> str:
    """The answer to a webhook that makes Twilio send `texts`, a message each."""
    messages = "".join(
        f"<Message><Body>{escape(clean(text, len(text)))}</Body></Message>" for text in texts
    )
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{messages}</Response>'


def phone_number(address: str) -> str | None:
    """`+` and digits of an address such as `whatsapp:+27…`; None when it is no phone number."""
    found = _PHONE.fullmatch(address.strip())
    return f"+{found[1]}" if found else None


def user_id(address: str) -> str | None:
    """The WhatsApp user id in an address such as `whatsapp:ZA.1a2b…`; None when there is none."""
    found = _USER_ID.fullmatch(address.strip())
    return found[1] if found else None


def _parameters(request: HttpRequest) -> QueryDict:
    if request.content_type != FORM:
        raise Refused(415, "not a form")
    try:
        return request.POST
    except (RequestDataTooBig, TooManyFieldsSent):
        raise Refused(413, "too large") from None
    except (BadRequest, RawPostDataException, UnreadablePostError):
        raise Refused(400, "unreadable") from None


def _check_shape(parameters: QueryDict) -> None:
    """A signature also fits parameters that were cut up otherwise: insist on a message's shape."""
    if any(len(values) > 1 for _, values in parameters.lists()):
        _refuse("a parameter twice")
    for name in REQUIRED:
        if name not in parameters:
            _refuse(f"no {name}")
    if not _MESSAGE_SID.fullmatch(parameters["MessageSid"]):
        _refuse("malformed MessageSid")
    if not _ACCOUNT_SID.fullmatch(parameters["AccountSid"]):
        _refuse("malformed AccountSid")
    for name in ("From", "To"):
        if not (phone_number(parameters[name]) or user_id(parameters[name])):
            _refuse(f"malformed {name}")


def _refuse(why: str) -> NoReturn:
    raise Refused(400, why)


def _sender(parameters: Mapping[str, str]) -> Sender:
    address = parameters["From"]
    return Sender(
        phone=phone_number(address),
        user_id=user_id(address) or user_id(parameters.get("ExternalUserId", "")),
        name=" ".join(clean(parameters.get("ProfileName", ""), 200).split()),
    )


def _kind(parameters: Mapping[str, str]) -> Kind:
    """What sort of message it is: as Twilio says, or by what it holds."""
    named = _KINDS.get(parameters.get("MessageType", "").lower())
    if named:
        return named
    if parameters.get("MediaUrl0"):
        return _kind_of_file(parameters.get("MediaContentType0", "").lower())
    if parameters.get("Latitude") and parameters.get("Longitude"):
        return Kind.LOCATION
    words = ("Body", "ButtonPayload", "ButtonText", "ListId", "ListTitle")
    return Kind.TEXT if any(parameters.get(name, "").strip() for name in words) else Kind.OTHER


def _kind_of_file(content_type: str) -> Kind:
    if "vcard" in content_type:
        return Kind.OTHER
    by_family = {"image": Kind.IMAGE, "audio": Kind.AUDIO, "video": Kind.VIDEO}
    return by_family.get(content_type.partition("/")[0], Kind.DOCUMENT)


def _files(parameters: Mapping[str, str]) -> tuple[File, ...]:
    files = []
    for position in range(MOST_FILES):
        url = clean(parameters.get(f"MediaUrl{position}", ""), 2000)
        if url:
            content_type = clean(parameters.get(f"MediaContentType{position}", ""), 100)
            files.append(File(url, content_type))
    return tuple(files)


def _quoted_sid(parameters: Mapping[str, str]) -> str:
    sid = parameters.get("OriginalRepliedMessageSid", "")
    return sid if _MESSAGE_SID.fullmatch(sid) else ""
