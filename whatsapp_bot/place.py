from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

from whatsapp_bot.addresses import MAIN_MENU
from whatsapp_bot.dialog import Answers, State
from whatsapp_bot.models import Conversation, Message

KEPT_FOR = timedelta(minutes=30)
"""How long a picture waits for a report to join."""
MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class Place:
    """Where a conversation stands.

    flow: the address of what is under way, "" at rest. trail: the menus that led there, at the help
    also what was left for it, and at rest the list that was chosen from. asking: its form. more:
    the address that *more* opens. kept: messages that wait for a report, most of them with
    attachments, as {"message": id, "at": time}; "for" is what was under way when it came. album:
    when a picture was last answered. aside: the flows that were left half-way, each as {"flow",
    "asking", "kept"}; with "given", answers that came later, and once it was "offered" what was
    "said" then, "by" a message as in kept. minute: when it began and how many messages came in it,
    as {"at", "count"}. expects: what somebody who is at rest may be replying to, as {"address",
    "notice", "message", "until", "asks"}; a number is an answer only where it "asks". It is "just"
    sent while nothing else has been opened since. expects_then: the same of what waits until the
    person writes.
    """

    flow: str = ""
    trail: list[str] = field(default_factory=list)
    asking: State = field(default_factory=State)
    more: str = ""
    kept: list[dict[str, Any]] = field(default_factory=list)
    album: str = ""
    aside: list[dict[str, Any]] = field(default_factory=list)
    minute: dict[str, Any] = field(default_factory=dict)
    expects: dict[str, Any] = field(default_factory=dict)
    expects_then: dict[str, Any] = field(default_factory=dict)

    STORED: ClassVar = (
        *("trail", "more", "kept", "album", "aside", "minute"),
        *("expects", "expects_then"),
    )

    @classmethod
    def of(cls, conversation: Conversation) -> "Place":
        stored = conversation.state
        place = cls(flow=conversation.flow, asking=State.from_json(stored.get("asking", {})))
        for name in cls.STORED:
            if name in stored:
                setattr(place, name, stored[name])
        return place

    def store(self, conversation: Conversation) -> None:
        conversation.flow = self.flow
        state = {"asking": self.asking.as_json()} if self.flow else {}
        for name in self.STORED:
            if value := getattr(self, name):
                state[name] = value
        conversation.state = state

    def count(self, now: datetime) -> int:
        """How many messages came within a minute, with the one that came `now`."""
        begun = self.minute and datetime.fromisoformat(self.minute["at"])
        if not begun or abs(now - begun) >= MINUTE:
            self.minute = {"at": now.isoformat(), "count": 0}
        self.minute["count"] += 1
        return self.minute["count"]

    def expected(self, now: datetime, *, asks: bool = False) -> str:
        """The address of what may be replied to; asks: only if that is a question. "" for none."""
        one = self.expects
        if not one or now > datetime.fromisoformat(one["until"]) or (asks and not one["asks"]):
            return ""
        return one["address"]

    @property
    def is_at_rest(self) -> bool:
        """Is nothing under way, or the main menu shown?"""
        return self.flow in ("", MAIN_MENU)

    @property
    def expects_reply(self) -> bool:
        """May what comes be a reply to something that we told or asked?"""
        return bool(self.expects.get("notice"))

    @property
    def has_just_sent(self) -> bool:
        """Is what was sent of one's own accord the last thing that was spoken of?"""
        return bool(self.expects.get("just")) and not (self.flow or self.expects_reply)

    @property
    def was_told_since(self) -> bool:
        """Have we told or asked something since anything was opened?"""
        return bool(self.expects.get("just")) and self.expects_reply

    def expect_no_comment(self) -> None:
        """What comes now is about something else, unless we have asked."""
        if self.expects and not self.expects["asks"]:
            self.expects = {}

    def expect_more(self, address: str, now: datetime, within: timedelta) -> None:
        """What is added within that time belongs to `address`, unless we have asked something."""
        if not self.expected(now, asks=True):
            until = (now + within).isoformat()
            about = {"address": address, "notice": "", "asks": False, "just": True}
            self.expects = {**about, "until": until}

    def note_answer(self, address: str) -> None:
        """What was asked there has its answer; what else is said may still belong to it."""
        if self.expects and self.expects["address"] == address:
            self.expects = {**self.expects, "asks": False, "just": True}

    def enter(self, address: str) -> None:
        """Be at `address`. Where it is a menu that led here, the way goes on from there."""
        if address == MAIN_MENU:
            self.trail = []
        elif address in self.trail:
            self.trail = self.trail[: self.trail.index(address)]
        self.flow, self.asking, self.more = address, State(), ""
        self.speak_of_another()

    def speak_of_another(self) -> None:
        """What was told or sent is not the last thing that was spoken of any more."""
        if "just" in self.expects:
            self.expects = {name: value for name, value in self.expects.items() if name != "just"}

    def leave_menu(self) -> None:
        """Remember this menu as what led to where we go now."""
        self.trail = [*self.trail, self.flow]

    def return_to(self, before: "Place") -> None:
        """Have the same question asked as before."""
        self.flow, self.trail = before.flow, before.trail
        self.asking, self.more = before.asking, before.more

    def keep(self, message: Message) -> None:
        self.kept = [*self.kept, _as_kept(message) | {"for": self.flow}]

    def is_kept(self, message: dict[str, Any]) -> bool:
        """Is this one, as in `kept`, among them?"""
        return message["message"] in _ids(self.kept)

    def drop_stale(self, now: datetime) -> None:
        """Keep only what came in the last KEPT_FOR."""
        self.kept = [
            kept for kept in self.kept if now - datetime.fromisoformat(kept["at"]) <= KEPT_FOR
        ]

    def take_kept(self) -> list[int]:
        """The ids of the kept messages, oldest first, which are kept no longer."""
        kept, self.kept = self.kept, []
        return _ids(kept)

    def take_kept_for_this(self) -> list[int]:
        """The same of those that came while this was under way. What came before stays."""
        came = [one for one in self.kept if one.get("for") == self.flow]
        self.kept = [one for one in self.kept if one not in came]
        return _ids(came)

    def put_aside(self) -> None:
        """Remember what is under way, to offer it again."""
        self.take_aside(self.flow)
        left = {"flow": self.flow, "asking": self.asking.as_json(), "kept": self.kept}
        self.aside = [*self.aside, left]
        self.kept = []

    def give_aside(self, address: str, given: Answers, message: Message) -> None:
        """Have answers that came in this message wait at `address`, as if it was left with them.

        Where it was left half-way, what was answered there stands: the message is kept with it.
        """
        left = self._aside_at(address)
        if left:
            left |= {"given": given, "kept": [*left["kept"], _as_kept(message)]}
        else:
            left = {"flow": address, "asking": State(given).as_json(), "kept": self.kept}
            self.aside = [*self.aside, left]
            self.kept = []

    def take_back(self, address: str, given: Answers) -> None:
        """Have these answers wait at `address` no more, if they are all that waits there."""
        if self.answers_aside(address) == given:
            self.kept = [*self.take_aside(address)["kept"], *self.kept]

    def has_aside(self, address: str) -> bool:
        """Was this flow left half-way?"""
        return address in [left["flow"] for left in self.aside]

    def add_given(self, address: str, given: Answers) -> None:
        """Have these answers, if any, wait with what was left half-way at `address`."""
        if given:
            self._aside_at(address)["given"] = given

    def answers_aside(self, address: str) -> Answers:
        """The raw answers given before this flow was left half-way."""
        return self._aside_at(address).get("asking", {}).get("answers", {})

    def _aside_at(self, address: str) -> dict[str, Any]:
        return next((left for left in self.aside if left["flow"] == address), {})

    def to_offer(self, said: str, message: Message) -> str:
        """The address of what was left last, when it has not been offered yet; else "".

        What was `said` instead, in this message, waits with it: it may answer its question.
        """
        for left in reversed(self.aside):
            if not left.get("offered"):
                left |= {"offered": True, "said": said, "by": _as_kept(message)}
                return left["flow"]
        return ""

    def take_aside(self, address: str) -> dict[str, Any]:
        """What was left half-way at `address`, which is aside no longer."""
        found = [left for left in self.aside if left["flow"] == address]
        self.aside = [left for left in self.aside if left["flow"] != address]
        return found[-1] if found else {}

    def take_up(self, left: dict[str, Any]) -> None:
        """Be again where we were when it was put aside."""
        self.enter(left["flow"])
        asking = State.from_json(left["asking"])
        self.asking = replace(asking, answers={**left.get("given", {}), **asking.answers})
        self.kept = [*left["kept"], *self.kept]

    def rest(self, more: str = "", trail: Sequence[str] = ()) -> None:
        self.flow, self.trail, self.asking, self.more = "", list(trail), State(), more


def _ids(kept: Sequence[dict[str, Any]]) -> list[int]:
    return [one["message"] for one in kept]


def _as_kept(message: Message) -> dict[str, Any]:
    return {"message": message.pk, "at": message.created_at.isoformat()}
