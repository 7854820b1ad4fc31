"""A shorter way for what no browser sends."""

from collections.abc import Callable
from functools import cache

from django.http import HttpRequest, HttpResponse
from django.urls import resolve, reverse

View = Callable[[HttpRequest], HttpResponse]


@cache
def views_for_twilio() -> dict[str, View]:
    """The views that Twilio calls, by their addresses."""
    addresses = map(reverse, ("webhook", "status"))
    return {address: resolve(address).func for address in addresses}


def what_twilio_brings(get_response: View) -> View:
    """Go from here straight to the view, past the middleware that only browsers need.

    Twilio has no session, and its signature is checked instead of a form's token.
    """
    views = views_for_twilio()

    def middleware(request: HttpRequest) -> HttpResponse:
        view = views.get(request.path_info)
        if not view:
            return get_response(request)
        response = view(request)
        response.headers["Content-Length"] = str(len(response.content))
        return response

    return middleware
