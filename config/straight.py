"""A shorter way for what no browser sends."""

from collections.abc import Callable, Iterable
from typing import Any

from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.db import close_old_connections, connection
from django.middleware.security import SecurityMiddleware
from django.urls import resolve, reverse
from simple_history.models import HistoricalRecords

from whatsapp_bot.migrated import needed_migrations

FOR_TWILIO = ("webhook", "status")


class Utf8Request(WSGIRequest):
    """What is sent to us is UTF-8, whatever a header says: of some charsets Django would break."""

    @property
    def encoding(self) -> None:
        return None

    @encoding.setter
    def encoding(self, charset: Any) -> None:
        pass


class Application(WSGIHandler):
    """Django's, but that what Twilio brings goes straight to its view.

    It has no session, its signature is checked instead of a form's token, and nobody waits for the
    signals that a request began and ended. A history tells by the request how a change came in.
    """

    request_class = Utf8Request

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async)
        self.straight = {
            address: convert_exception_to_response(SecurityMiddleware(resolve(address).func))
            for address in map(reverse, FOR_TWILIO)
        }
        needed_migrations()  # Later there may be others on the disk.

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        view = self.straight.get(environ.get("PATH_INFO", ""))
        if not view:
            return super().__call__(environ, start_response)
        request = HistoricalRecords.context.request = self.request_class(environ)
        try:
            response = view(request)
        finally:
            del HistoricalRecords.context.request
        if connection.errors_occurred:  # as the signals would have it done
            close_old_connections()
        headers = [*response.items(), ("Content-Length", str(len(response.content)))]
        start_response(f"{response.status_code} {response.reason_phrase}", headers)
        return [response.content]
