"""People who report one defect after the other, each message perhaps brought more than once."""

import itertools
import random
import re
import threading
import time
from collections import deque
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from django.utils import timezone

from benchmarks.faults.product import WEBHOOK
from whatsapp_bot.fake_twilio import FakeTwilio, Media
from whatsapp_bot.fake_twilio.webhooks import inbound_parameters
from whatsapp_bot.models import Contact, Conversation, Message

STEPS = ("hi", "2", "1", "{fault}", "2", "2")
DIFFERENT = 7
"""From so many reports on, each goes as the one before: the list of one's own is full."""
NUMBERS = re.compile(r"DEF-[\d-]*\d|message=\d+|Seal \d+")
"""What differs between the answers to two people in the same place."""


@dataclass(frozen=True)
class Try:
    """One time that a message was brought; status 0 is no answer. Monotonic seconds."""

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
        return min(good) - self.tries[0].began if good else float("inf")


@dataclass
class Person:
    address: str
    told: list[Told] = field(default_factory=list)

    @property
    def next_words(self) -> str:
        turn = len(self.told)
        return STEPS[turn % len(STEPS)].format(fault=fault(self.address, turn // len(STEPS)))


def fault(address: str, report: int) -> str:
    """What somebody's report says: each of them something of its own."""
    return f"Seal {report} of {address[1:]} leaks"


@dataclass(frozen=True)
class Place:
    """Where a conversation stands after a turn, and what was answered, but for numbers."""

    answer: str
    flow: str
    asking: dict

    @classmethod
    def after(cls, told: Told) -> "Place":
        conversation = Conversation.objects.get(contact__phone=told.address)
        (answer,) = told.answers
        return cls(anonymous(answer, told.address), conversation.flow, asking(conversation, told))


def anonymous(text: str, address: str) -> str:
    return NUMBERS.sub("…", text).replace(address[1:], "…")


def asking(conversation: Conversation, told: Told) -> dict:
    """What is asked and answered so far; every fault is the same."""
    given = conversation.state.get("asking", {})
    answers = given.get("answers", {})
    fault_now = fault(told.address, told.turn // len(STEPS))
    same = {name: "…" if value == fault_now else value for name, value in answers.items()}
    return {**given, "answers": same}


class Traffic:
    """So many turns a second, of people of whom each waits for the answer.

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
        self.people = [Person(f"+2783{n:07}") for n in range(people)]
        self._free = deque(self.people)
        self._dice = random.Random(seed)  # noqa: S311
        self._lock = threading.Lock()
        self._ended = threading.Event()
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

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for hand in self._hands:
            hand.join()
        self._doubles.shutdown()
        self.took = time.monotonic() - self.began
        if self.faults:
            raise self.faults[0]

    def rehearse(self) -> None:
        """What is answered, and where that leads, as long as nothing is broken."""
        somebody = Person("+27829999999")
        self.expected = []
        for _ in range(DIFFERENT * len(STEPS)):
            self.expected.append(Place.after(self.bring(self.write(somebody))))

    def expected_after(self, told: Told) -> Place:
        report, step = divmod(told.turn, len(STEPS))
        return self.expected[min(report, DIFFERENT - 1) * len(STEPS) + step]

    @property
    def told(self) -> list[Told]:
        return [told for person in self.people for told in list(person.told)]

    def answered_after(self, moment: float) -> float:
        """Seconds from this moment to the first good answer to what came later."""
        tries = (one for told in self.told for one in list(told.tries))
        ended = (one.ended for one in tries if one.is_good and one.began >= moment)
        return min(ended, default=float("inf")) - moment

    def await_answer(self) -> float:
        """Seconds from now until somebody has a good answer, a minute at most."""
        now = time.monotonic()
        while (answered := self.answered_after(now)) > 60 > time.monotonic() - now:
            time.sleep(0.05)
        return answered

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
            time.sleep(0.1)
        return told

    def bring_once(self, told: Told) -> Try:
        began = time.monotonic()
        delivery = self.twilio.webhooks.post(f"{WEBHOOK}#rc=0", told.parameters)
        done = Try(began, time.monotonic(), delivery.status, delivery.body)
        told.tries.append(done)
        return done

    def _go_on(self) -> None:
        try:
            while not self._ended.is_set():
                with self._lock:
                    person = self._free.popleft()
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
                    self._doubles.submit(self.bring, earlier or told)
                self.bring(told)
                with self._lock:
                    self._free.append(person)
        except BaseException as error:
            self.faults.append(error)
            self._ended.set()


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
        self.written += next(self.turn).send(f"Your order is ready, {len(self.written)}.")
