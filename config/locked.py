"""What somebody else is changing for longer than one can wait: nothing is wrong, it is tried again.

A long import locks the rows that it changes until all of them are stored.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from whatsapp_bot.locked import LOCKED, is_locked


class TryAgain:
    """Shows a page that says so. To load it again is to send the same again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, wrong: Exception) -> HttpResponse | None:
        if is_locked(wrong):
            return not_logged(render(request, "locked.html", {"locked": LOCKED}, status=503))
        return None


def not_logged(response: HttpResponse) -> HttpResponse:
    """For Django every answer from 500 on is a fault of ours, and an error in the log."""
    response._has_been_logged = True
    return response
