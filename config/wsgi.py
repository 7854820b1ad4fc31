import os
from typing import Any

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


class Utf8Request(WSGIRequest):
    """What is sent to us is UTF-8, whatever a header says: of some charsets Django would break."""

    @property
    def encoding(self) -> None:
        return None

    @encoding.setter
    def encoding(self, charset: Any) -> None:
        pass


WSGIHandler.request_class = Utf8Request
application = get_wsgi_application()
