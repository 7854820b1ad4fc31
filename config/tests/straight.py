"""What Twilio brings, as a web server hands it to us: past Django's test client."""

from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.test import RequestFactory
from django.urls import reverse

from config.wsgi import application
from whatsapp_bot.simulator.phone import FORM, sign


def bring(name: str, parameters: dict[str, str]) -> tuple[int, dict[str, str], str]:
    """The status, the headers and the text of the answer to these, signed, at the view's address."""
    said: list = []
    path = reverse(name)
    environ = RequestFactory().generic("POST", path, urlencode(parameters), FORM).environ
    environ["HTTP_HOST"] = urlsplit(settings.PUBLIC_URL).hostname
    environ["HTTP_X_TWILIO_SIGNATURE"] = sign(parameters, path)
    body = b"".join(application(environ, lambda *line: said.extend(line)))
    status, headers = said
    assert dict(headers)["Content-Length"] == str(len(body))
    return int(status.split()[0]), dict(headers), body.decode()
