"""People who report one defect after the other, each message perhaps brought more than once."""

import itertools
import json
import random
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf

from django.utils import timezone

from benchmarks.faults.product import WEBHOOK
from whatsapp_bot.fake_twilio import FakeTwilio, Media
from whatsapp_bot.fake_twilio.webhooks import inbound_parameters
from whatsapp_bot.models import Contact, Conversation, Message

STEPS = ("hi", "2", "1", "{fault}", "2", "2")
FILES = STEPS.index("{fault}")
DIFFERENT = 7
"""From so many reports on, each goes as the one before: the list of one's own is full."""
IDS = re.compile(r"(?:DEF|HELP)-[\d-]*\d|message=\d+|\bhelp\.\w+:\d+")
"""What differs between the answers to two people who say the same."""
FAULTS = re.compile(r"Seal \d+")
"""What differs between two reports of somebody."""
REFUSED = 503
NO_ANSWER = 0
"""The status of a try that had none."""
UNTIL_ANSWERED = 60
"""Seconds within which somebody is answered when all is well again."""


@dataclass(frozen=True)
class Try:
    """One time that a message was brought. Monotonic seconds."""

    began: float
    ended: float
    status: int
    body: str

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300


@dataclass
class Told:
    """A message of somebody. turn: which of the person's it is, from 0."""

    sid: str
    address: str
    turn: int
    words: str
    parameters: dict[str, str]
    tries: list[Try] = field(default_factory=list)

    @property
    def is_acknowledged(self) -> bool:
        return any(one.is_good for one in self.tries)

    @property
    def answers(self) -> set[str]:
        return {one.body for one in self.tries if one.is_good}

    @property
    def waited(self) -> float:
        """Seconds until the first good answer."""
        good = [one.ended for one in self.tries if one.is_good]
        # A try is noted when it ends, and a later one may end first.
        return min(good) - min(one.began for one in self.tries) if good else inf

    @property
    def fault(self) -> str:
        """What the report says that it belongs to."""
        return fault(self.address, self.turn // len(STEPS))

    @property
    def files_report(self) -> bool:
        """Is it the step with which a report is made?"""
        return self.turn % len(STEPS) == FILES


@dataclass
class Person:
    """has_said_all: has nothing to add to what was said until now."""

    address: str
    told: list[Told] = field(default_factory=list)
    has_said_all: bool = False

    @property
    def next_words(self) -> str:
        turn = len(self.told)
        return STEPS[turn % len(STEPS)].format(fault=fault(self.address, turn // len(STEPS)))


def fault(address: str, report: int) -> str:
    """What somebody's report says: each of them something of its own."""
    return f"Seal {report} of {address[1:]} leaks"


@dataclass(frozen=True)
class Place:
    """Where a conversation stands after a turn, and what was answered, whoever it is."""

    answer: str
    flow: str
    asking: str

    @classmethod
    def after(cls, told: Told) -> "Place":
        conversation = Conversation.objects.get(contact__phone=told.address)
        (answer,) = told.answers
        return cls.at(conversation, answer)

    @classmethod
    def at(cls, conversation: Conversation, answer: str = "", says: str = "") -> "Place":
        """says: whose words the person says, if somebody else's."""
        phone = conversation.contact.phone
        asking = json.dumps(conversation.state.get("asking", {}), sort_keys=True)
        texts = (answer, conversation.flow, asking)
        return cls(*(whatever_fault(text, phone, says or phone) for text in texts))


def anonymous(text: str, *addresses: str) -> str:
    """The text as it would be to somebody else than these."""
    for address in addresses:
        text = text.replace(address[1:], "…")
    return IDS.sub("…", text)


def whatever_fault(text: str, *addresses: str) -> str:
    """The same, as it would be for another fault."""
    return FAULTS.sub("…", anonymous(text, *addresses))


class Traffic:
    """So many turns a second, of people of whom each waits for the answer.

    reporters: who they are. others: who says something else, when a scenario has them do so.
    duplicates: how many of the messages are brought twice, at once or later. gives_up: seconds
    for which a message is brought again after a failure, as Twilio does for 15.
    """

    def __init__(
        self,
        twilio: FakeTwilio,
        *,
        people: int = 80,
        rate: float = 40,
        duplicates: float = 0.3,
        gives_up: float = 15,
        hands: int = 16,
        seed: int = 1,
    ) -> None:
        self.twilio = twilio
        self.rate = rate
        self.duplicates = duplicates
        self.gives_up = gives_up
        self.reporters = [Person(f"+2783{n:07}") for n in range(people)]
        self.others: list[Person] = []
        self.rehearsed: list[Told] = []
        self._free = deque(self.reporters)
        self._flying: set[object] = set()
        self._dice = random.Random(seed)  # noqa: S311
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._let_go = threading.Event()
        self._next_at = 0.0
        self._doubles = ThreadPoolExecutor(hands)
        hands = min(hands, people)
        self._hands = [threading.Thread(target=self._go_on) for _ in range(hands)]
        self.faults: list[BaseException] = []

    def __enter__(self) -> "Traffic":
        self.rehearse()
        self.began = self._next_at = time.monotonic()
        for hand in self._hands:
            hand.start()
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        """What is being brought is brought to its end, unless something went wrong."""
        self._ended.set()
        if error:
            self._let_go.set()
        for hand in self._hands:
            hand.join()
        self._doubles.shutdown(cancel_futures=self._let_go.is_set())
        self.took = time.monotonic() - self.began
        if self.faults:
            raise self.faults[0]

    def rehearse(self) -> None:
        """What is answered, and where that leads, as long as nothing is broken."""
        somebody = Person("+27829999999")
        self.expected = []
        for _ in range(DIFFERENT * len(STEPS)):
            told = self.bring(self.write(somebody))
            self.rehearsed.append(told)
            self.expected.append(Place.after(told))

    def expected_after(self, told: Told) -> Place:
        report, step = divmod(told.turn, len(STEPS))
        return self.expected[min(report, DIFFERENT - 1) * len(STEPS) + step]

    def somebody(self, address: str) -> Person:
        """One of the others."""
        self.others.append(Person(address))
        return self.others[-1]

    @property
    def told(self) -> list[Told]:
        return _told_by([*self.reporters, *self.others])

    @property
    def reported(self) -> list[Told]:
        return _told_by(self.reporters)

    @property
    def tries(self) -> list[Try]:
        return [one for told in self.told for one in list(told.tries)]

    @property
    def failed(self) -> list[Try]:
        return [one for one in self.tries if not one.is_good]

    def in_words(self) -> str:
        """What came of it, also what nobody is judged by."""
        refused = [one.ended - one.began for one in self.failed if one.status == REFUSED]
        waited = [one.waited for one in self.told if one.is_acknowledged]
        return (
            f"  {len(self.told)} messages in {self.took:.0f} s: asked for {self.rate:g} a second, "
            f"{len(self.reported) / self.took:.1f} came\n"
            f"  brought {len(self.tries)} times, {len(self.failed)} of these in vain, "
            f"{len(refused)} with {REFUSED}, within {max(refused, default=0):.2f} s; "
            f"the longest wait for an answer: {max(waited, default=0):.2f} s"
        )

    def half_have_said_all(self) -> None:
        """Every second of them writes no more, and waits for the answers."""
        for person in self.reporters[::2]:
            person.has_said_all = True

    def answered_after(self, moment: float) -> float:
        """Seconds from this moment to the first good answer to what came later, if soon enough."""
        ended = (one.ended for one in self.tries if one.is_good and one.began >= moment)
        waited = min(ended, default=inf) - moment
        return waited if waited < UNTIL_ANSWERED else inf

    def await_answer(self) -> float:
        """Seconds from now until somebody has a good answer, if soon enough."""
        now = time.monotonic()
        wait_until(lambda: self.answered_after(now) < inf, UNTIL_ANSWERED)
        return self.answered_after(now)

    def write(self, person: Person, words: str = "", files: Iterable[Media] = ()) -> Told:
        """The person writes these words, or the next of a report; Twilio has them."""
        words = words or person.next_words
        message = self.twilio.receive(person.address, words, files, post_to="")
        urls = [self.twilio.media_address(message, file) for file in message.media]
        parameters = inbound_parameters(message, urls, "")
        told = Told(message.sid, person.address, len(person.told), words, parameters)
        person.told.append(told)
        return told

    def bring(self, told: Told) -> Told:
        """Bring it to us until it is taken, or Twilio gives up."""
        ends = time.monotonic() + self.gives_up
        while not self.bring_once(told).is_good and time.monotonic() < ends:
            if self._let_go.wait(0.1):
                break
        return told

    def bring_once(self, told: Told) -> Try:
        began = time.monotonic()
        flight = object()
        self._flying.add(flight)
        try:
            delivery = self.twilio.webhooks.post(f"{WEBHOOK}#rc=0", told.parameters)
        finally:
            self._flying.remove(flight)
        done = Try(began, time.monotonic(), delivery.status, delivery.body)
        told.tries.append(done)
        return done

    def await_flight(self) -> None:
        """Wait until a message is just being brought, for a second at most."""
        ends = time.monotonic() + 1
        while not self._flying and time.monotonic() < ends:
            time.sleep(0.0002)

    def _go_on(self) -> None:
        with self._noting_faults():
            while not self._ended.is_set():
                with self._lock:
                    person = self._free.popleft()
                    if person.has_said_all:
                        continue
                    at, self._next_at = self._next_at, self._next_at + 1 / self.rate
                    # Nobody hurries to make up for a time of trouble.
                    self._next_at = max(self._next_at, time.monotonic() - 1)
                    twice = self._dice.random() < self.duplicates
                    later = twice and person.told and self._dice.random() < 0.5
                    earlier = self._dice.choice(person.told) if later else None
                if self._ended.wait(max(0, at - time.monotonic())):
                    return
                told = self.write(person)
                if twice:
                    self._doubles.submit(self._bring_too, earlier or told)
                self.bring(told)
                with self._lock:
                    self._free.append(person)

    def _bring_too(self, told: Told) -> None:
        with self._noting_faults():
            self.bring(told)

    @contextmanager
    def _noting_faults(self) -> Iterator[None]:
        """A fault of ours ends it all, and is raised at the end."""
        try:
            yield
        except BaseException as error:
            self.faults.append(error)
            self._ended.set()


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    ends = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends:
            return False
        time.sleep(0.2)
    return True


def _told_by(people: Iterable[Person]) -> list[Told]:
    return [told for person in people for told in list(person.told)]


class Staff:
    """They write to people who have nothing else to do."""

    def __init__(self) -> None:
        self.people = [Contact.objects.create(phone=f"+2784{n:07}") for n in range(20)]
        Conversation.objects.bulk_create(
            Conversation(contact=one, heard_at=timezone.now()) for one in self.people
        )
        self.turn = itertools.cycle(self.people)
        self.written: list[Message] = []

    def write(self) -> None:
        """Two to one of them, which have to arrive in this order."""
        person = next(self.turn)
        for _ in range(2):
            self.written += person.send(f"Your order is ready, {len(self.written)}.")
