"""Connecting to an address that was checked must not weaken what TLS proves of its name."""

import shutil
import socket
import ssl
import subprocess
import threading
from contextlib import suppress

import pytest
from django.conf import settings

from whatsapp_bot.twilio import media

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="there is no openssl here")
URL = f"https://api.twilio.com/2010-04-01/Accounts/{settings.TWILIO_ACCOUNT_SID}/Messages/x"


class Server:
    """A TLS server for one connection. asked_for: the name in its hello; heard: the request."""

    def __init__(self, certificate: str, key: str) -> None:
        self.asked_for = self.heard = ""
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._context.sni_callback = self._note
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _note(self, _: object, name: str, __: object) -> None:
        self.asked_for = name

    def _serve(self) -> None:
        plain, _ = self._listening.accept()
        with self._listening, plain, suppress(OSError):
            connection = self._context.wrap_socket(plain, server_side=True)
            self.heard = connection.recv(65536).decode()
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfile")
            connection.close()


@pytest.fixture
def serve(tmp_path, monkeypatch):
    """Start a server with a certificate for a name; it is what all addresses lead to."""

    def serve(name: str, *, trusted: bool = True) -> Server:
        certificate, key = str(tmp_path / "certificate"), str(tmp_path / "key")
        subprocess.run(
            f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
            f" -subj /CN={name} -addext subjectAltName=DNS:{name} -keyout {key} -out {certificate}".split(),
            check=True,
            capture_output=True,
        )
        if trusted:
            context = ssl.create_default_context(cafile=certificate)
            monkeypatch.setattr(media, "_trusted_authorities", lambda: context)
        server = Server(certificate, key)
        connect = socket.create_connection
        monkeypatch.setattr(media, "_addresses", lambda place: ["93.184.215.14"])
        monkeypatch.setattr(
            socket, "create_connection", lambda _, timeout: connect(("127.0.0.1", server.port))
        )
        return server

    return serve


def test_the_name_is_asked_for_and_shown(serve):
    server = serve("api.twilio.com")
    assert media.fetch(URL) == b"file"
    server.thread.join()
    assert server.asked_for == "api.twilio.com"
    lines = server.heard.split("\r\n")
    assert "Host: api.twilio.com" in lines
    assert any(line.startswith("Authorization: Basic ") for line in lines)


@pytest.mark.parametrize(("name", "trusted"), [("api.twilio.com", False), ("evil.example", True)])
def test_who_cannot_show_it_hears_nothing(serve, name, trusted):
    server = serve(name, trusted=trusted)
    with pytest.raises(media.NotFetched, match="could not show that it is Twilio's"):
        media.fetch(URL)
    server.thread.join()
    assert server.heard == ""
