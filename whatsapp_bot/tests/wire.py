"""What this process asks of the network, as the interpreter itself reports it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_noted: list[tuple[str, object]] | None = None


def _listen(event: str, arguments: tuple) -> None:
    if _noted is not None and event in ("socket.connect", "socket.sendto", "socket.getaddrinfo"):
        _noted.append((event, arguments[1] if event != "socket.getaddrinfo" else arguments[0]))


@contextmanager
def watched() -> Iterator[list[tuple[str, object]]]:
    """Each connection, datagram and look-up of a name from here on, with where it goes."""
    global _noted
    if not hasattr(sys, "_andon_listens"):
        # An audit hook can never be taken away again, nor be got round by anybody's sockets.
        sys.addaudithook(_listen)
        sys._andon_listens = True
    _noted = []
    try:
        yield _noted
    finally:
        _noted = None
