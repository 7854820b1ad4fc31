"""Many people who write to a webhook at the same time, each strictly in order.

One process with a few connections. They are kept alive where the server does so; gunicorn's
workers of the usual kind do not. The requests are made and signed before.

Whose turn it is on a connection is left to chance: people do not wait for each other, so at any
moment some of them begin, and others are half-way or at the end.
"""

import random
import resource
import select
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

LONGEST_WAIT = 30
"""Seconds without any answer after which we give up."""

chance = random.Random(1)  # noqa: S311


class Person(Protocol):
    """Somebody with something to say."""

    def next_request(self) -> bytes | None:
        """What to send now; None when all is said."""

    def hear(self, answer: bytes) -> bool:
        """Is this the right answer to what was sent last?"""


@dataclass(slots=True)
class Load:
    """What came of it. taken: seconds of each turn. own: CPU seconds of this process."""

    taken: list[float] = field(default_factory=list)
    wrong: list[bytes] = field(default_factory=list)
    seconds: float = 0
    own: float = 0

    @property
    def turns_a_second(self) -> float:
        return len(self.taken) / self.seconds

    def percentile(self, percent: int) -> float:
        """In milliseconds."""
        ordered = sorted(self.taken)
        return 1000 * ordered[min(len(ordered) * percent // 100, len(ordered) - 1)]


class Line:
    """A connection to the server, on which one person at a time is served."""

    def __init__(self, address: tuple[str, int], poll: select.epoll) -> None:
        self.address = address
        self.poll = poll
        self.socket: socket.socket | None = None

    def ask(self, person: Person, request: bytes) -> int:
        """Send the request; the number of the file that tells when there is an answer."""
        self.person, self.answer, self.began = person, b"", time.perf_counter()
        if not self.socket:
            self.socket = socket.create_connection(self.address)
            self.poll.register(self.socket, select.EPOLLIN)
        self.socket.sendall(request)
        return self.socket.fileno()

    def read(self) -> bool:
        """Read on; is the answer complete?"""
        part = self.socket.recv(65536)
        self.answer += part
        head, found, body = self.answer.partition(b"\r\n\r\n")
        head = head.lower()
        _, has_length, after = head.partition(b"content-length:")
        complete = bool(found and has_length) and len(body) >= int(after.split(b"\r")[0])
        if not part or (complete and b"connection: close" in head):
            self.hang_up()
        return complete or not part

    def hang_up(self) -> None:
        if self.socket:
            self.socket.close()
            self.socket = None


def run(address: tuple[str, int], people: Iterable[Person], connections: int) -> Load:
    """Have all of them say all that they have to say."""
    load, waiting, busy = Load(), list(people), {}
    cpu, began = _own_cpu(), time.perf_counter()
    with select.epoll() as poll:
        lines = [Line(address, poll) for _ in range(connections)]
        for line in lines:
            _serve_next(line, waiting, busy)
        while busy:
            ready = poll.poll(LONGEST_WAIT)
            if not ready:
                raise TimeoutError(f"No answer for {LONGEST_WAIT} s")
            for number, _ in ready:
                line = busy[number]
                if line.read():
                    load.taken.append(time.perf_counter() - line.began)
                    del busy[number]
                    if not line.person.hear(line.answer):
                        load.wrong.append(line.answer)
                    waiting.append(line.person)
                    _serve_next(line, waiting, busy)
        for line in lines:
            line.hang_up()
    load.seconds, load.own = time.perf_counter() - began, _own_cpu() - cpu
    return load


def _serve_next(line: Line, waiting: list[Person], busy: dict[int, Line]) -> None:
    """Somebody has the line, whoever it is, unless all is said."""
    while waiting:
        person = waiting.pop(chance.randrange(len(waiting)))
        request = person.next_request()
        if request:
            busy[line.ask(person, request)] = line
            return


def _own_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
