"""What the API says when something is wrong: always a problem as RFC 9457 describes it."""

import json
from collections.abc import Callable
from http import HTTPStatus
from math import ceil
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.db.models import ProtectedError, RestrictedError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from rest_framework import exceptions
from rest_framework.fields import get_error_detail

from config.api.filtering import WrongParameter
from config.locked import not_logged
from whatsapp_bot.api_base import flattened
from whatsapp_bot.locked import LOCKED, is_locked
from whatsapp_bot.refusals import NotAllowed

log = structlog.get_logger("config")

CONTENT_TYPE = "application/problem+json"
HEADERS = {"Cache-Control": "no-store"}
WAIT = {"Retry-After": "10"}
WHO_ARE_YOU = "Please send a token, as in: Authorization: Bearer andon_…"
Answer = Callable[[HttpRequest], HttpResponseBase]


def problem(
    status: int, detail: str = "", *, type: str = "", headers: Any = None, **more: Any
) -> HttpResponse:
    """type: the last part of the problem's name, when there is more to it than the status."""
    said = {
        "type": f"urn:andon:problem:{type}" if type else "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        **({"detail": detail} if detail else {}),
        **more,
    }
    return HttpResponse(
        json.dumps(said, ensure_ascii=False),
        status=status,
        content_type=CONTENT_TYPE,
        headers={**HEADERS, **(headers or {})},
    )


def as_problem(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """REST framework's exception handler. None: it is a fault of ours."""
    match error:
        case DjangoValidationError():
            return _invalid(get_error_detail(error))
        case WrongParameter():
            return _invalid(error.detail, parameters=True)
        case exceptions.ValidationError():
            return _invalid(error.detail)
        case exceptions.NotAuthenticated():
            return _told_by_the_framework(error, WHO_ARE_YOU)
        case exceptions.APIException():
            return _told_by_the_framework(error)
        case Http404():
            return problem(404, "There is nothing at this address.")
        case PermissionDenied():
            return problem(403, "You may not do this.")
        case NotAllowed():
            return problem(409, str(error), type="not-allowed", reasons=list(error.reasons))
        case ProtectedError() | RestrictedError():
            return problem(409, "Others refer to it, so it cannot be deleted.", type="in-use")
        case IntegrityError():
            return problem(409, "This has just been changed by somebody else. Please try again.")
        case DataError() | OverflowError():
            return problem(400, "A value is out of range.")
        case OperationalError() if is_locked(error):
            told = f"{LOCKED} Please try again."
            return not_logged(problem(503, told, type="locked", headers=WAIT))
        case OperationalError() | InterfaceError():
            log.error("database not available", exc_info=error)
            return problem(503, "The database is not available at the moment.", headers=WAIT)
    return None


def _told_by_the_framework(error: exceptions.APIException, detail: str = "") -> HttpResponse:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(ceil(wait))
    more = getattr(error, "more", {})
    return problem(
        error.status_code,
        detail or str(error.detail),
        type=getattr(error, "type", ""),
        headers=headers,
        **more,
    )


def _invalid(detail: Any, *, parameters: bool = False) -> HttpResponse:
    """parameters: what is wrong is in the address, and else in the body."""
    where = "parameter" if parameters else "pointer"
    errors = [
        {where: place.removeprefix("#/") if parameters else place, "detail": text}
        for place, text in flattened(detail)
    ]
    told = errors[0]["detail"] if len(errors) == 1 else f"{len(errors)} things are wrong."
    return problem(400, told, type="invalid", errors=errors)


class problems_under_api:  # noqa: N801
    """Middleware: whatever goes wrong under `/api/` is told as a problem, also before any view."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith("/api/"):
            return self.get_response(request)
        if request.headers.get("Transfer-Encoding") and not request.headers.get("Content-Length"):
            # It would be read as an empty one, and the answer would be that all is well.
            return problem(411, "Please say with Content-Length how long the body is: not chunked.")
        if unreadable := _unreadable(request):
            return problem(400, unreadable)
        response = self.get_response(request)
        if response.status_code < 400 or response["Content-Type"] == CONTENT_TYPE:
            return response
        return problem(response.status_code)


def _unreadable(request: HttpRequest) -> str:
    """Why nothing can be looked up by this address; "" when it can."""
    try:
        said = [request.path_info, *request.GET, *(v for _, vs in request.GET.lists() for v in vs)]
    except SuspiciousOperation:
        return "There are too many parameters."
    return "The address has a character that no text has." if "\0" in "".join(said) else ""
