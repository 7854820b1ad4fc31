"""What does a turn take of the processor, in one process that has it for itself?

    python -m benchmarks.alone [--people 150] [--rounds 5]

Without gunicorn, network and others who write: the floor (see `floor.py`), the product, and the
product with nothing to think about, which says the same to everybody. They take turns, on the
conversations of `reporters.py`. What PostgreSQL itself uses is not counted.

Makes a test database beside that of DATABASE_URL, as the tests do, and removes it again. Prints ms
of CPU time a turn, medians. Exits with 1 when an answer was wrong.
"""

import argparse
import gc
import io
import itertools
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from unittest.mock import patch

from django.db import connection

from benchmarks import floor
from benchmarks.filling import databases, make_known_at_the_floor
from benchmarks.reporters import FloorReporter, Reporter, script
from config.tests.serving import beside
from whatsapp_bot.desk import Desk
from whatsapp_bot.simulator.phone import Phone

App = Callable[..., list[bytes]]


def environ(request: bytes) -> dict:
    """What a server hands on of a request as it goes over the wire."""
    head, _, body = request.partition(b"\r\n\r\n")
    line, *headers = head.decode().split("\r\n")
    method, path, protocol = line.split()
    given = dict(header.split(": ", 1) for header in headers)
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "CONTENT_TYPE": given.pop("Content-Type"),
        "CONTENT_LENGTH": given.pop("Content-Length"),
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in given.items()},
        "SERVER_NAME": given["Host"],
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": protocol,
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
    }


def answer(app: App, request: dict) -> bytes:
    """The answer as it goes over the wire, without its headers."""
    said: list[str] = []
    response = app(request, lambda status, headers, error=None: said.append(status))
    body = b"".join(response)
    getattr(response, "close", bool)()
    return f"HTTP/1.1 {said[0]}\r\n\r\n".encode() + body


def take_turns(app: App, people: list[Reporter], turn: int) -> tuple[float, list[bytes]]:
    """ms of CPU time a turn, and the wrong answers; whose turn it is is left to chance."""
    requests = []
    for number, person in enumerate(people):
        person.will_say(script(number, turn))
        requests.append(iter([environ(one) for one in person.requests]))
    order = [person for person in range(len(people)) for _ in people[person].words]
    random.shuffle(order)
    gc.collect()
    began = time.process_time()
    answers = [answer(app, next(requests[person])) for person in order]
    taken = time.process_time() - began
    right = [people[person].hear(came) for person, came in zip(order, answers, strict=True)]
    wrong = [came for came, is_right in zip(answers, right, strict=True) if not is_right]
    return taken * 1000 / len(order), wrong


class Anybody(Reporter):
    """Somebody to whom the same is said each time."""

    def is_right(self, answer: str) -> bool:
        return f"<Body>{THE_SAME}</Body>" in answer


THE_SAME = "What would you like to do?"
WITHOUT_THINKING = "the product without thinking"
CONTESTANTS = {"floor": FloorReporter, "product": Reporter, WITHOUT_THINKING: Anybody}


def thinking(name: str) -> AbstractContextManager:
    if name == WITHOUT_THINKING:
        return patch.object(Desk, "answer", lambda desk: THE_SAME)
    return nullcontext()


@contextmanager
def log_unread() -> Iterator[None]:
    """What is logged is written, and nobody sees it."""
    sys.stderr.flush()
    seen = os.dup(2)
    with open(os.devnull, "wb") as nothing:
        os.dup2(nothing.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(seen, 2)
        os.close(seen)


def people(count: int) -> dict[str, list[Reporter]]:
    """So many for each: who has sent 60 messages in a minute is not answered any more."""
    numbers = itertools.count()
    return {
        name: [kind(Phone(f"+2782{next(numbers):07}", "Somebody")) for _ in range(count)]
        for name, kind in CONTESTANTS.items()
    }


def measure(options: argparse.Namespace) -> None:
    """In a process with the settings of production, on a database that is there."""
    from config.wsgi import application

    everybody = people(options.people)
    apps = dict.fromkeys(CONTESTANTS, application) | {"floor": floor.application}
    taken: dict[str, list[float]] = {name: [] for name in CONTESTANTS}
    wrong = []
    for turn in range(options.rounds + 1):
        for name in CONTESTANTS:
            with thinking(name), log_unread():
                ms, came = take_turns(apps[name], everybody[name], turn)
            taken[name].append(ms)
            wrong += came
    for name, rounds in taken.items():
        print(f"{connection.vendor}, {name}: {statistics.median(rounds[1:]):.2f} ms of CPU a turn")
    if wrong:
        sys.exit(f"WRONG: {len(wrong)} answers, such as {wrong[0].decode(errors='replace')}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=150)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--within", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.within:
        return measure(options)
    with databases():
        make_known_at_the_floor([one.phone.address for one in people(options.people)["floor"]])
        sys.exit(
            subprocess.run(  # noqa: S603
                [sys.executable, "-m", "benchmarks.alone", "--within", *sys.argv[1:]],
                env=beside(),
            ).returncode
        )


if __name__ == "__main__":
    main()
