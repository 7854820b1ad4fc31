"""Trouble as ordered: what the fake Twilio does to a request instead of answering it well.

`once`, `always` and `randomly` order it. They concern sends alone unless `when` says otherwise,
and what was ordered by `once` comes before the rest, in that order.
"""

import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum


class Kind(Enum):
    ANSWER = "answer"  # with a status of our own, instead of doing what was asked
    SPOIL = "spoil"  # do it, then answer so that nobody can tell
    WAIT = "wait"
    CUT = "cut"  # do it, then hang up
    RESET = "reset"  # hang up, nothing done


@dataclass(frozen=True)
class Trouble:
    """One sort of trouble.

    status and code: what is answered, with Twilio's error code. done: whether the request was
    carried out all the same. seconds: how long it takes, or what Retry-After says.
    """

    name: str
    kind: Kind
    status: int = 0
    code: int = 0
    done: bool = False
    seconds: float = 0
    html: bool = False


def too_many(retry_after: float = 1) -> Trouble:
    """429 with Retry-After, in seconds. Nothing was done."""
    return Trouble("429", Kind.ANSWER, 429, 20429, seconds=retry_after)


def failure(status: int = 500, done: bool = False) -> Trouble:
    """A 5xx; done: although the message is on its way."""
    kind = Kind.SPOIL if done else Kind.ANSWER
    return Trouble(str(status), kind, status, 20000 + status, done)


def refusal(code: int, status: int = 400) -> Trouble:
    """One of Twilio's error codes, such as 21610 for somebody who opted out."""
    return Trouble(str(code), Kind.ANSWER, status, code)


def html(status: int = 201, done: bool = True) -> Trouble:
    """A page of HTML where JSON belongs, as from a proxy on the way."""
    return Trouble("html", Kind.SPOIL if done else Kind.ANSWER, status, done=done, html=True)


def slow(seconds: float, late: bool = False) -> Trouble:
    """The answer takes a while; late: what was asked is done only then, too."""
    return Trouble("late" if late else "slow", Kind.WAIT, done=not late, seconds=seconds)


def cut() -> Trouble:
    """Accepted, then cut: the message is on its way, but no answer comes."""
    return Trouble("cut", Kind.CUT, done=True)


def reset() -> Trouble:
    """The connection is reset, and nothing was done."""
    return Trouble("reset", Kind.RESET)


NAMED: Mapping[str, Callable[[], Trouble]] = {
    "429": too_many,
    "500": failure,
    "503": lambda: failure(503),
    "500-done": lambda: failure(done=True),
    "html": html,
    "slow": lambda: slow(20),
    "late": lambda: slow(20, late=True),
    "cut": cut,
    "reset": reset,
}


@dataclass
class Request:
    """A request as it came. `trouble` and `status` say how it ended; 0 is no answer at all.

    at: seconds of the monotonic clock. route: its name for logs, without anything personal.
    """

    method: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    headers: dict[str, str]
    at: float
    route: str = ""
    trouble: str = ""
    status: int = 0
    media_urls: list[str] = field(default_factory=list)
    json: dict | None = None


When = Callable[[Request], bool]


def sends(request: Request) -> bool:
    return request.method == "POST" and request.path.endswith("/Messages.json")


def anything(request: Request) -> bool:
    return True


def sends_to(address: str) -> When:
    """Sends to this phone number or WhatsApp user id."""
    wanted = address.removeprefix("whatsapp:")
    return lambda request: (
        sends(request) and request.form.get("To", "").removeprefix("whatsapp:") == wanted
    )


class Troubles:
    """The orders, asked for every request."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._once: list[tuple[When, Trouble | None]] = []
        self._always: list[tuple[When, Trouble]] = []
        self._chances: tuple[dict[Trouble, float], random.Random] | None = None

    def once(self, *troubles: Trouble | None, when: When = sends) -> None:
        """The next requests meet these, one each, in order; None is a request that goes well."""
        with self._lock:
            self._once += [(when, trouble) for trouble in troubles]

    def always(self, trouble: Trouble, when: When = sends) -> None:
        with self._lock:
            self._always.append((when, trouble))

    def randomly(self, chances: Mapping[Trouble, float], seed: int) -> None:
        """To sends. Each with its probability; the same seed gives the same sequence."""
        if sum(chances.values()) > 1 or min(chances.values(), default=0) < 0:
            raise ValueError("the chances must be between 0 and 1, and 1 at most together")
        with self._lock:
            self._chances = (dict(chances), random.Random(seed))  # noqa: S311

    def stop(self) -> None:
        """All is well again."""
        with self._lock:
            self._once, self._always, self._chances = [], [], None

    def for_request(self, request: Request) -> Trouble | None:
        with self._lock:
            for position, (when, trouble) in enumerate(self._once):
                if when(request):
                    del self._once[position]
                    return trouble
            for when, trouble in self._always:
                if when(request):
                    return trouble
            if self._chances and sends(request):
                return self._drawn()
        return None

    def _drawn(self) -> Trouble | None:
        chances, dice = self._chances
        drawn = dice.random()
        for trouble, chance in chances.items():
            if drawn < chance:
                return trouble
            drawn -= chance
        return None


def parse(text: str) -> dict[Trouble, float]:
    """`429=0.1,cut=0.05` as trouble and chances. Raises ValueError for anything else."""
    chances = {}
    for part in filter(None, text.split(",")):
        name, _, chance = part.strip().partition("=")
        if name not in NAMED:
            raise ValueError(f"{name!r} is none of {', '.join(NAMED)}")
        chances[NAMED[name]()] = float(chance)
    return chances
