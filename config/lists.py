"""Lists of the admin that are asked for what they cannot be filtered by."""

from collections.abc import Callable

import structlog
from django.contrib.admin.views.main import ERROR_FLAG
from django.db import DataError, NotSupportedError, ProgrammingError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect

log = structlog.get_logger("config")

NOT_UNDERSTOOD = (
    IndexError,
    OverflowError,
    ValueError,
    DataError,
    NotSupportedError,
    ProgrammingError,
)
"""What comes of a number of 23 digits, half a range, or words in text that is JSON."""


class WholeListInstead:
    """Shows the whole list instead, as Django does where it notices by itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, wrong: Exception) -> HttpResponse | None:
        if not (isinstance(wrong, NOT_UNDERSTOOD) and _is_filtered_list(request)):
            return None
        # The whole list would have failed as well if the fault were ours; the log tells them apart.
        log.warning("a list cannot be filtered so", path=request.path, exc_info=wrong)
        return redirect(f"{request.path}?{ERROR_FLAG}=1")


def _is_filtered_list(request: HttpRequest) -> bool:
    page = request.resolver_match
    is_list = page and page.namespace == "admin" and str(page.url_name).endswith("_changelist")
    asked = request.method == "GET" and request.GET and ERROR_FLAG not in request.GET
    return bool(is_list and asked)
