"""The REST endpoints: what Twilio's reference documents of those that we use."""

import base64
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from whatsapp_bot.fake_twilio.memory import (
    API,
    IN_PROGRESS,
    Media,
    Memory,
    Message,
    iso_8601,
    new_sid,
    now,
    rfc_2822,
)
from whatsapp_bot.fake_twilio.trouble import Request

LONGEST_BODY = 1600
LONGEST = 1024
"""A content template with its blanks filled in."""
_ADDRESS = re.compile(
    r"(whatsapp:)?\+[1-9]\d{6,14}|whatsapp:[A-Z]{2}\.[A-Za-z0-9]{1,128}", re.ASCII
)

SAID = {
    20001: "Bad request",
    20003: "Authenticate",
    20004: "Method not allowed",
    20009: "Cannot delete this resource before it is complete",
    20404: "The requested resource was not found",
    20429: "Too Many Requests",
    20500: "An internal server error has occurred",
    20503: "Service Unavailable",
    21211: "Invalid 'To' Phone Number",
    21481: "Invalid PageToken",
    21602: "Message body is required.",
    21603: "A 'From' phone number is required.",
    21604: "A 'To' phone number is required.",
    21610: "Attempt to send to unsubscribed recipient",
    21617: "The concatenated message body exceeds the 1600 character limit.",
    21655: "The ContentSid is invalid",
    21656: "The ContentVariables parameter is invalid",
    30409: "This message cannot be canceled",
    63021: "Channel invalid content error",
    63007: "Twilio could not find a Channel with the specified From address",
}


class Problem(Exception):
    """An answer that is one of Twilio's errors."""

    def __init__(self, code: int, status: int = 400, message: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.status = status
        self.message = message or SAID.get(code, "The request was refused")

    def answer(self) -> "Answer":
        headers = {"WWW-Authenticate": 'Basic realm="Twilio API"'} if self.status == 401 else {}
        payload = {
            "code": self.code,
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }
        return Answer(self.status, payload, headers)


@dataclass
class Answer:
    """then: what follows once it is settled, outside the memory's lock."""

    status: int
    payload: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    then: Callable[[], None] | None = None

    def encoded(self) -> bytes:
        if self.body is not None:
            return self.body
        return b"" if self.payload is None else json.dumps(self.payload).encode()


def _not_found(request: Request) -> Problem:
    return Problem(20404, 404, f"The requested resource {request.path} was not found")


class Rest:
    """Answers requests out of a memory.

    url: our own address. link: makes the address at the CDN for a file. accepted: called with
    every new message, to let its fate begin.
    """

    def __init__(
        self,
        memory: Memory,
        auth_token: str,
        url: str,
        link: Callable[[Media], str],
        accepted: Callable[[Message], None],
    ) -> None:
        self._memory = memory
        self._url = url
        self._link = link
        self._accepted = accepted
        user = f"{memory.account_sid}:{auth_token}"
        self._authorization = "Basic " + base64.b64encode(user.encode()).decode()
        account = API + r"/Accounts/(?P<account>AC[0-9a-fA-F]{32})"
        message = account + r"/Messages/(?P<sid>(?:SM|MM)[0-9a-fA-F]{32})"
        media = message + r"/Media/(?P<media>ME[0-9a-fA-F]{32})"
        content = r"/v1/Content/(?P<sid>HX[0-9a-fA-F]{32})"
        self._routes = [
            (re.compile(pattern), name, methods)
            for pattern, name, methods in (
                (account + r"\.json", "Account", {"GET": self._account}),
                (
                    account + r"/Messages\.json",
                    "Messages",
                    {"GET": self._list_messages, "POST": self._create_message},
                ),
                (
                    message + r"\.json",
                    "Message",
                    {
                        "GET": self._fetch_message,
                        "POST": self._update_message,
                        "DELETE": self._delete_message,
                    },
                ),
                (message + r"/Media\.json", "Media list", {"GET": self._list_media}),
                (
                    media + r"\.json",
                    "Media",
                    {"GET": self._fetch_media, "DELETE": self._delete_media},
                ),
                (media, "Media", {"GET": self._open_media, "DELETE": self._delete_media}),
                (
                    account + r"/IncomingPhoneNumbers\.json",
                    "Numbers",
                    {"GET": self._list_numbers, "POST": self._create_number},
                ),
                (
                    account + r"/IncomingPhoneNumbers/(?P<sid>PN[0-9a-fA-F]{32})\.json",
                    "Number",
                    {"GET": self._fetch_number, "POST": self._update_number},
                ),
                ("/v2/Channels/Senders", "Senders", {"GET": self._list_senders}),
                (
                    r"/v2/Channels/Senders/(?P<sid>XE[0-9a-fA-F]{32})",
                    "Sender",
                    {"GET": self._fetch_sender, "POST": self._update_sender},
                ),
                (
                    "/v1/Content",
                    "Contents",
                    {"GET": self._list_contents, "POST": self._create_content},
                ),
                (
                    content,
                    "Content",
                    {"GET": self._fetch_content, "DELETE": self._delete_content},
                ),
                (content + "/ApprovalRequests", "Approval", {"GET": self._fetch_approval}),
                (
                    content + "/ApprovalRequests/whatsapp",
                    "Approval",
                    {"POST": self._create_approval},
                ),
                (r"/v2/Indicators/Typing\.json", "Typing", {"POST": self._type}),
            )
        ]

    def handle(self, request: Request) -> Answer:
        try:
            return self._handle(request)
        except Problem as problem:
            return problem.answer()

    def name(self, request: Request) -> None:
        """Give the request its route's name."""
        for pattern, name, _ in self._routes:
            if pattern.fullmatch(request.path):
                request.route = name

    def _handle(self, request: Request) -> Answer:
        if request.headers.get("authorization") != self._authorization:
            raise Problem(20003, 401)
        for pattern, _, methods in self._routes:
            found = pattern.fullmatch(request.path)
            if found:
                return self._call(methods, request, found.groupdict())
        raise _not_found(request)

    def _call(
        self, methods: dict[str, Callable[..., Answer]], request: Request, names: dict[str, str]
    ) -> Answer:
        if names.pop("account", self._memory.account_sid) != self._memory.account_sid:
            raise _not_found(request)
        if request.method not in methods:
            raise Problem(20004, 405)
        with self._memory:
            answer = methods[request.method](request, **names)
        if answer.then:
            answer.then()
        return answer

    # Account

    def _account(self, request: Request) -> Answer:
        sid = self._memory.account_sid
        created = rfc_2822(self._memory.created)
        subresources = {
            name: f"{API}/Accounts/{sid}/{path}.json"
            for name, path in (
                ("messages", "Messages"),
                ("incoming_phone_numbers", "IncomingPhoneNumbers"),
            )
        }
        return Answer(
            200,
            {
                "auth_token": "[Redacted]",
                "date_created": created,
                "date_updated": created,
                "friendly_name": "Factory",
                "owner_account_sid": sid,
                "sid": sid,
                "status": "active",
                "subresource_uris": subresources,
                "type": "Full",
                "uri": f"{API}/Accounts/{sid}.json",
            },
        )

    # Messages

    def _create_message(self, request: Request) -> Answer:
        form = request.form
        self._check_send(request)
        service = form.get("MessagingServiceSid")
        variables = _variables(form.get("ContentVariables", ""))
        if form.get("ContentSid") and len(self._text_of(form["ContentSid"], variables)) > LONGEST:
            raise Problem(63021)
        scheduled = service and form.get("ScheduleType") == "fixed" and form.get("SendAt")
        message = self._memory.add(
            Message(
                account_sid=self._memory.account_sid,
                direction="outbound-api",
                to=form["To"],
                from_=form.get("From"),
                body=form.get("Body") or self._text_of(form.get("ContentSid"), variables),
                status="scheduled" if scheduled else "accepted" if service else "queued",
                media_urls=request.media_urls,
                messaging_service_sid=service,
                content_sid=form.get("ContentSid"),
                content_variables=variables,
                status_callback=form.get("StatusCallback", ""),
            )
        )
        answer = Answer(201, message.resource())
        if not scheduled:
            answer.then = lambda: self._accepted(message)
        return answer

    def _check_send(self, request: Request) -> None:
        form = request.form
        to, from_, body = form.get("To", ""), form.get("From", ""), form.get("Body", "")
        if not to:
            raise Problem(21604)
        if not _ADDRESS.fullmatch(to):
            raise Problem(21211, message=f"Invalid 'To' Phone Number: {to[:4]}XXXX")
        if not (from_ or form.get("MessagingServiceSid")):
            raise Problem(21603)
        if from_ and not self._memory.sends_from(from_):
            raise Problem(63007)
        if not (body or request.media_urls or form.get("ContentSid")):
            raise Problem(21602)
        if len(body) > LONGEST_BODY:
            raise Problem(21617)
        if form.get("ContentSid") and not self._memory.content(form["ContentSid"]):
            raise Problem(21655)

    def _text_of(self, content_sid: str | None, variables: dict[str, str]) -> str:
        content = content_sid and self._memory.content(content_sid)
        if not content:
            return ""
        filled = {**content["variables"], **variables}
        text = next((kind["body"] for kind in content["types"].values() if kind.get("body")), "")
        return re.sub(r"\{\{\s*(\w+)\s*}}", lambda name: str(filled.get(name[1], name[0])), text)

    def _list_messages(self, request: Request) -> Answer:
        query = request.query
        after, before = _moments(query)
        is_any_time = not any(name.startswith("DateSent") for name in query)
        at = datetime.now(UTC)
        found = self._memory.messages(
            lambda message: (
                message.shows_from <= at
                and query.get("From", message.from_) == message.from_
                and (is_any_time or (message.sent and after <= message.sent < before))
            ),
            to=query.get("To", ""),
        )
        # Newest first; turned round after the sort, so that of two in a second the later one leads.
        found.sort(key=lambda message: message.when)
        found.reverse()
        return Answer(200, _page(request, "messages", found))

    def _message(self, request: Request, sid: str) -> Message:
        message = self._memory.message(sid)
        if message is None:
            raise _not_found(request)
        return message

    def _fetch_message(self, request: Request, sid: str) -> Answer:
        return Answer(200, self._message(request, sid).resource())

    def _update_message(self, request: Request, sid: str) -> Answer:
        message = self._message(request, sid)
        if request.form.get("Body", "") != "" or not request.form.keys() & {"Body", "Status"}:
            raise Problem(20001)
        if "Body" in request.form:
            message.body, message.updated = "", now()
        if request.form.get("Status") == "canceled":
            if message.status != "scheduled":
                raise Problem(30409)
            message.become("canceled")
        return Answer(200, message.resource())

    def _delete_message(self, request: Request, sid: str) -> Answer:
        if self._message(request, sid).status in IN_PROGRESS:
            raise Problem(20009, 409)
        self._memory.forget(sid)
        return Answer(204)

    # Media

    def _list_media(self, request: Request, sid: str) -> Answer:
        message = self._message(request, sid)
        found = [_MediaOf(message, media) for media in message.media]
        return Answer(200, _page(request, "media_list", found))

    def _media(self, request: Request, sid: str, media: str) -> "_MediaOf":
        message = self._message(request, sid)
        for file in message.media:
            if file.sid == media:
                return _MediaOf(message, file)
        raise _not_found(request)

    def _fetch_media(self, request: Request, sid: str, media: str) -> Answer:
        return Answer(200, self._media(request, sid, media).resource())

    def _open_media(self, request: Request, sid: str, media: str) -> Answer:
        file = self._media(request, sid, media).media
        if file.missing > 0:
            file.missing -= 1
            raise _not_found(request)
        return Answer(307, None, {"Location": file.redirect or self._link(file)})

    def _delete_media(self, request: Request, sid: str, media: str) -> Answer:
        found = self._media(request, sid, media)
        found.message.media.remove(found.media)
        return Answer(204)

    # Numbers and senders

    def _list_numbers(self, request: Request) -> Answer:
        wanted = request.query.get("PhoneNumber", "")
        numbers = self._memory.numbers.values()
        found = [_Plain(number) for number in numbers if wanted in number["phone_number"]]
        return Answer(200, _page(request, "incoming_phone_numbers", found))

    def _create_number(self, request: Request) -> Answer:
        if "PhoneNumber" not in request.form:
            raise Problem(20001, message="A 'PhoneNumber' is required")
        number = self._memory.add_number(request.form["PhoneNumber"])
        _change(number, request.form)
        return Answer(201, number)

    def _number(self, request: Request, sid: str) -> dict[str, Any]:
        if sid not in self._memory.numbers:
            raise _not_found(request)
        return self._memory.numbers[sid]

    def _fetch_number(self, request: Request, sid: str) -> Answer:
        return Answer(200, self._number(request, sid))

    def _update_number(self, request: Request, sid: str) -> Answer:
        number = self._number(request, sid)
        _change(number, request.form)
        return Answer(200, number)

    def _list_senders(self, request: Request) -> Answer:
        senders = [_Plain(sender) for sender in self._memory.senders.values()]
        return Answer(200, _page_with_meta(request, "senders", senders, self._url))

    def _sender(self, request: Request, sid: str) -> dict[str, Any]:
        if sid not in self._memory.senders:
            raise _not_found(request)
        return self._memory.senders[sid]

    def _fetch_sender(self, request: Request, sid: str) -> Answer:
        return Answer(200, {**self._sender(request, sid), "url": self._url + request.path})

    def _update_sender(self, request: Request, sid: str) -> Answer:
        sender = self._sender(request, sid)
        changes = (request.json or {}).get("webhook") or {}
        sender["webhook"].update({k: v for k, v in changes.items() if v is not None})
        return Answer(202, {**sender, "url": self._url + request.path})

    # Content templates

    def _list_contents(self, request: Request) -> Answer:
        contents = [_Plain(content) for content in self._memory.contents.values()]
        return Answer(200, _page_with_meta(request, "contents", contents, self._url))

    def _create_content(self, request: Request) -> Answer:
        given = request.json or {}
        types = {kind: value for kind, value in (given.get("types") or {}).items() if value}
        if not types or not given.get("language"):
            raise Problem(20001, message="'language' and 'types' are required")
        sid = new_sid("HX")
        url = f"{self._url}/v1/Content/{sid}"
        content = {
            "account_sid": self._memory.account_sid,
            "date_created": iso_8601(now()),
            "date_updated": iso_8601(now()),
            "friendly_name": given.get("friendly_name"),
            "language": given["language"],
            "links": {
                "approval_create": f"{url}/ApprovalRequests/whatsapp",
                "approval_fetch": f"{url}/ApprovalRequests",
            },
            "sid": sid,
            "types": types,
            "url": url,
            "variables": given.get("variables") or {},
        }
        self._memory.contents[sid] = content
        return Answer(201, content)

    def _content(self, request: Request, sid: str) -> dict[str, Any]:
        content = self._memory.content(sid)
        if content is None:
            raise _not_found(request)
        return content

    def _fetch_content(self, request: Request, sid: str) -> Answer:
        return Answer(200, self._content(request, sid))

    def _delete_content(self, request: Request, sid: str) -> Answer:
        self._content(request, sid)
        self._memory.contents.pop(sid, None)
        self._memory.approvals.pop(sid, None)
        return Answer(204)

    def _create_approval(self, request: Request, sid: str) -> Answer:
        content = self._content(request, sid)
        given = request.json or {}
        if not given.get("name") or not given.get("category"):
            raise Problem(20001, message="'name' and 'category' are required")
        self._memory.approvals[sid] = {
            "allow_category_change": True,
            "category": given["category"],
            "content_type": next(iter(content["types"])),
            "name": given["name"],
            "rejection_reason": "",
            "status": "received",
        }
        return Answer(201, self._memory.approvals[sid])

    def _fetch_approval(self, request: Request, sid: str) -> Answer:
        self._content(request, sid)
        return Answer(
            200,
            {
                "account_sid": self._memory.account_sid,
                "sid": sid,
                "url": self._url + request.path,
                "whatsapp": {"type": "whatsapp", **self._memory.approval(sid)},
            },
        )

    # Typing

    def _type(self, request: Request) -> Answer:
        message = self._message(request, request.form.get("messageId", ""))
        if request.form.get("channel") != "whatsapp" or message.direction != "inbound":
            raise Problem(20001)
        self._memory.typing.append(message.sid)
        return Answer(200, {"success": True})


@dataclass
class _MediaOf:
    message: Message
    media: Media

    @property
    def sid(self) -> str:
        return self.media.sid

    def resource(self) -> dict[str, Any]:
        return {
            "account_sid": self.message.account_sid,
            "content_type": self.media.content_type,
            "date_created": rfc_2822(self.media.created),
            "date_updated": rfc_2822(self.media.created),
            "parent_sid": self.message.sid,
            "sid": self.media.sid,
            "uri": f"{self.message.uri}/Media/{self.media.sid}.json",
        }


@dataclass
class _Plain:
    fields: dict[str, Any]

    @property
    def sid(self) -> str:
        return self.fields["sid"]

    def resource(self) -> dict[str, Any]:
        return self.fields


def _variables(text: str) -> dict[str, str]:
    if not text:
        return {}
    try:
        variables = json.loads(text)
    except ValueError:
        raise Problem(21656) from None
    if not isinstance(variables, dict):
        raise Problem(21656)
    return variables


def _moments(query: dict[str, str]) -> tuple[datetime, datetime]:
    """From when on and before when, as the DateSent filters have it.

    A date alone is that whole day, in GMT; a moment is exact to its second.
    """
    after, before = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    for name, value in query.items():
        sign = name.removeprefix("DateSent").rstrip("=")
        if not name.startswith("DateSent") or sign not in ("", "<", ">"):
            continue
        start, length = _span(value)
        if sign in ("", ">"):
            after = max(after, start)
        if sign in ("", "<"):
            before = min(before, start + length)
    return after, before


def _span(text: str) -> tuple[datetime, timedelta]:
    try:
        start = datetime.fromisoformat(text)
    except ValueError:
        raise Problem(20001, message="Invalid DateSent") from None
    start = start.replace(tzinfo=start.tzinfo or UTC)
    return start, timedelta(days=1) if len(text) == 10 else timedelta(seconds=1)


def _change(number: dict[str, Any], form: dict[str, str]) -> None:
    """`SmsUrl` of a form is `sms_url` of the resource."""
    for name, value in form.items():
        field_name = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
        if field_name in number and field_name not in ("sid", "account_sid", "phone_number"):
            number[field_name] = value
    number["date_updated"] = rfc_2822(now())


def _cut_out(request: Request, found: Iterable[Any]) -> tuple[list[Any], int, int, int, bool]:
    """The page that is asked for: its items, size, number, where it starts, is there a next one.

    A token names the last item of the page before, so what arrives meanwhile moves nothing.
    """
    found = list(found)
    size = _whole(request.query.get("PageSize"), 50, least=1, most=1000)
    number = _whole(request.query.get("Page"), 0, least=0, most=10**9)
    start = number * size
    token = request.query.get("PageToken", "")
    if token:
        sids = [item.sid for item in found]
        if token.removeprefix("PA") not in sids:
            raise Problem(21481)
        start = sids.index(token.removeprefix("PA")) + 1
    return found[start : start + size], size, number, start, start + size < len(found)


def _whole(text: str | None, default: int, *, least: int, most: int) -> int:
    if not text:
        return default
    if not text.isdecimal() or not least <= int(text) <= most:
        raise Problem(20001, message="Invalid page")
    return int(text)


def _uris(request: Request, items: list[Any], size: int, number: int, more: bool) -> dict[str, Any]:
    filters = {k: v for k, v in request.query.items() if not k.startswith("Page")}

    def uri(page: int, token: str = "") -> str:
        query = {**filters, "PageSize": size, "Page": page}
        if token:
            query["PageToken"] = token
        return f"{request.path}?{urlencode(query)}"

    return {
        "first": uri(0),
        "next": uri(number + 1, f"PA{items[-1].sid}") if more else None,
        "previous": uri(number - 1) if number else None,
        "own": uri(number, request.query.get("PageToken", "")),
    }


def _page(request: Request, key: str, found: Iterable[Any]) -> dict[str, Any]:
    """A page of a list in the API of 2010."""
    items, size, number, start, more = _cut_out(request, found)
    uris = _uris(request, items, size, number, more)
    return {
        "end": start + max(len(items) - 1, 0),
        "first_page_uri": uris["first"],
        key: [item.resource() for item in items],
        "next_page_uri": uris["next"],
        "page": number,
        "page_size": size,
        "previous_page_uri": uris["previous"],
        "start": start,
        "uri": uris["own"],
    }


def _page_with_meta(request: Request, key: str, found: Iterable[Any], url: str) -> dict[str, Any]:
    """A page of a list in the newer APIs."""
    items, size, number, _, more = _cut_out(request, found)
    uris = {k: v and url + v for k, v in _uris(request, items, size, number, more).items()}
    return {
        "meta": {
            "page": number,
            "page_size": size,
            "first_page_url": uris["first"],
            "previous_page_url": uris["previous"],
            "url": uris["own"],
            "next_page_url": uris["next"],
            "key": key,
        },
        key: [item.resource() for item in items],
    }
