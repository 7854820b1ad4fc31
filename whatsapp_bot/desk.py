"""The front desk: what is said to one message of a person, and where it leads."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.forms import Field

from whatsapp_bot import flows, texts
from whatsapp_bot.addresses import (
    FILE_FOR_TEAM,
    FOR_TEAM,
    HELP,
    LEAVE_MESSAGE,
    MAIN_MENU,
    MORE_FOR_TEAM,
    RESUME,
)
from whatsapp_bot.asking import choices_in, in_words
from whatsapp_bot.dialog import (
    Answers,
    Expects,
    Said,
    State,
    Turn,
    bare,
    chosen,
    go_back,
    set_right,
    take_each,
    take_turn,
    words_in,
)
from whatsapp_bot.emergency import tells_of_emergency
from whatsapp_bot.flows import MORE, Astray, Flow, Gone, Open, Resume, Say
from whatsapp_bot.inbound import Incoming, Kind
from whatsapp_bot.models import Conversation, HelpRequest, Message
from whatsapp_bot.place import KEPT_FOR, Place
from whatsapp_bot.questions import FEWEST_WORDS, LongText, knows_not, tells_nothing
from whatsapp_bot.vocabulary import asks_for_a_person, meant_by, nearly_meant
from whatsapp_bot.whatsapp_text import digits_to_number, paragraphs

log = structlog.get_logger("whatsapp_bot")

ALBUM = timedelta(seconds=10)
"""Pictures that come within this time after one that was answered are one album with it."""
MOST_A_MINUTE = 60
MOST_JUMPS = 10
TURNS_AWAY = ("menu", "cancel", "stop")
"""Who says so has nothing to add to what we told."""
COURTESIES = {"thanks": texts.YOU_ARE_WELCOME, "bye": texts.GOODBYE, "ok": texts.NOTED}
"""Who says so adds nothing to what we told, unless we have asked."""
ABOUT_MORE = ("yes", "no")
TAKES_BACK = ("cancel", "back")


class Desk:
    """One message at the front desk."""

    def __init__(self, conversation: Conversation, message: Message, incoming: Incoming) -> None:
        self.conversation = conversation
        self.contact = conversation.contact
        self.message = message
        self.now: datetime = message.created_at
        self.said = Said(incoming.text, incoming.payload)
        self.words = words_in(incoming.text) or bare(incoming.text)
        self.place = Place.of(conversation)
        self.word = HELP if self._wants_a_person() else meant_by(self.words)
        self.is_emergency = tells_of_emergency(incoming.text)
        self.is_new = not (conversation.heard_at or self._counts_at_any_time() or self._expected())
        self.jumps = 0

    def answer(self) -> str:
        """The reply, or "" when none is due; the conversation stands where it leads."""
        count = self.place.count(self.now)
        if count <= MOST_A_MINUTE or stop_or_start(self.said.text):
            reply = self._hear_emergency() if self.is_emergency else self._hear()
            reply = paragraphs(reply, texts.OPTED_OUT() if self.contact.tell_of_opt_out() else "")
        else:
            # Two bots would otherwise talk all night.
            reply = texts.TOO_FAST() if count == MOST_A_MINUTE + 1 else ""
        self.place.store(self.conversation)
        return reply

    def _hear(self) -> str:
        reply = self._start_again() if self._was_silent_for_long() else ""
        if reply:
            self._begin_album()
        elif self.message.has_attachment:
            reply = self._hear_attachment()
        elif self.message.kind == Kind.OTHER:
            reply = self._hear_unreadable()
        else:
            reply = self._hear_words()
        greets = self.is_new and self.place.flow != MAIN_MENU and not self.is_emergency
        return paragraphs(texts.FIRST() if greets and reply else "", reply)

    def _hear_emergency(self) -> str:
        """Say whom to call, have the team know, and go on with what was under way all the same."""
        reply = self._hear()
        asked = HelpRequest.objects.alarm(self.message)
        if self.place.is_at_rest:
            first = asked.message or self.message
            self.place.expect_more(first.address_after, self.now, KEPT_FOR)
        return paragraphs(texts.EMERGENCY(), reply)

    def _hear_unreadable(self) -> str:
        """Say so, and ask again what was asked."""
        if self.place.is_at_rest:
            return self.open(MAIN_MENU) if self.is_new else texts.UNREADABLE()
        if self._wants_picture():
            return self.turn(Said())
        return paragraphs(texts.UNREADABLE(), self.turn())

    # Words ---------------------------------------------------------------------------------------

    def _hear_words(self) -> str:
        quoted = self._claim_of_quoted()
        if quoted:
            return self._hand_over(quoted, silent=False)
        if self._answers_earlier_question():
            return self._ask_what_is_open()
        if self._was_asked_since():
            self.place.rest()
        asking = self.place.asking
        if asking.asked and chosen(asking.options, self.said, near=False):
            return self.turn(self.said)
        word = self._word_with_an_error() or self.word
        if word in TAKES_BACK and self.place.has_just_sent and self._expected():
            return paragraphs(texts.SENT_ALREADY(), texts.GO_ON())
        if word in TURNS_AWAY:
            self.place.expect_no_comment()
        if word in WORDS:
            return WORDS[word](self)
        if word == MORE and self.place.more:
            return self.open(self.place.more)
        if self.place.is_at_rest:
            return self._hear_at_rest()
        courtesy = self._courtesy_meanwhile()
        if courtesy:
            return paragraphs(courtesy, self.turn())
        elsewhere = self._hear_elsewhere() if self._chooses_nothing() else ""
        return elsewhere or self._hear_answer()

    def _answers_earlier_question(self) -> bool:
        """Is it a number or a choice, in reply to a question other than the one that is open?"""
        if not self.message.quoted_sid or self.said.payload:
            return False
        quoted = self.contact.messages.earlier_turn(self.message.quoted_sid)
        if not quoted:
            return False
        told, (asked, asking) = quoted.in_words(), self._open_question()
        if asked and told.endswith(asked):
            return False
        chose_then = chosen(choices_in(told), self.said, near=False) is not None
        return chose_then or self._is_number_for(asking)

    def _open_question(self) -> tuple[str, State]:
        """What is asked now, as it was said; at rest that is the main menu."""
        flow = self._flow_at(MAIN_MENU if self.place.is_at_rest else self.place.flow)
        if not flow:
            return "", State()
        turn = take_turn(flow.build_form, self.place.asking)
        return in_words(flow, turn) if turn.reply else "", turn.state

    def _is_number_for(self, asking: State) -> bool:
        """Would it be taken for the answer?"""
        if digits_to_number(self.said.text) is None:
            return False
        takes_any = bool(asking.asked) and asking.expects == Expects.TEXT
        return takes_any or chosen(asking.options, self.said, near=False) is not None

    def _ask_what_is_open(self) -> str:
        if self.place.is_at_rest:
            return paragraphs(texts.EARLIER_DONE(), self.open(MAIN_MENU))
        return paragraphs(texts.EARLIER(), self.turn())

    def _hear_answer(self) -> str:
        flow = self._flow_at(self.place.flow)
        ways = (self._set_right, self._take_each, self._hear_sentence)
        reply = next(filter(None, (way(flow) for way in ways)), "") if flow else ""
        reply = reply or self.turn(self.said)
        # Nobody in danger is told that it was none.
        return self.turn() if self.is_emergency and self.place.asking.wrong else reply

    def _set_right(self, flow: Flow) -> str:
        """The reply to `no wait, line 3`, which is about the choice before; "" where it is not."""
        righted = set_right(flow.build_form, self.place.asking, self.said)
        if not righted:
            return ""
        self.place.asking, (key, label) = righted
        return paragraphs(texts.CHANGED(answer=label), self.turn(Said(payload=key)))

    def _take_each(self, flow: Flow) -> str:
        """The reply to the answers to several questions at once; "" where it is one, or none."""
        turn = take_each(flow.build_form, self.place.asking, self.said)
        return self._go_on(flow, turn) if turn else ""

    def _hear_sentence(self, flow: Flow) -> str:
        """The reply to a sentence instead of a choice, with the question again; "" for none."""
        if not self._says_more_than_a_choice(flow):
            return ""
        return self._tell_meanwhile() or self._take_more()

    def _tell_meanwhile(self) -> str:
        """The reply to `where is ORD-1001?`; "" where it is none, or we would have to ask back."""
        address = flows.claimed(self.contact, self.message)
        if not address:
            return ""
        before = replace(self.place)
        told = self.open(address)
        asks_back = bool(self.place.flow)
        self.place.return_to(before)
        return "" if asks_back else paragraphs(_without_go_on(told), self.turn())

    def _take_more(self) -> str:
        """The reply to what tells more of what is reported; "" where it asks, or tells nothing."""
        if knows_not(self.words):
            return ""
        if self.said.text.rstrip().endswith("?") or self._asks_for_something():
            return ""
        self.place.keep(self.message)
        return paragraphs(texts.ADDED(), self.turn())

    def _says_more_than_a_choice(self, flow: Flow) -> bool:
        """Is it a sentence at a question of a report that has choices, and none of them?

        `critical, line 9` is no sentence.
        """
        if not (flow.takes_more_words and self._is_no_choice()):
            return False
        return sum(map(str.isalpha, self.words.split())) >= FEWEST_WORDS

    def _is_no_choice(self) -> bool:
        """Is a choice asked for, and none made or tapped?"""
        if self.place.asking.expects != Expects.CHOICE or self.said.payload:
            return False
        return self.place.asking.answer(self.said) is None

    def _word_with_an_error(self) -> str:
        """The word of ours that was mistyped where only a choice is asked for; "" for none."""
        word, asking = nearly_meant(self.words), self.place.asking
        if not word or asking.expects not in (Expects.CHOICE, Expects.SUGGESTION):
            return ""
        return "" if chosen(asking.options, self.said) else word

    def _hear_at_rest(self) -> str:
        """Nothing is under way: it chooses from the main menu, or somebody claims it."""
        flow = self._flow_at(MAIN_MENU)
        if not flow:
            return texts.NO_MENU()
        shown = self.place.flow == MAIN_MENU
        menu = self.place.asking if shown else take_turn(flow.build_form, State()).state
        question = "" if shown or self._taps(menu) else self._expected(asks=True)
        if question:
            return self.open(question)
        if chosen(menu.options, self.said) is None:
            small_talk = self._small_talk()
            if small_talk and not self.is_new:
                return small_talk
            if self.word == MORE and not (shown or self.is_new):
                return paragraphs(texts.NO_MORE(), texts.GO_ON())
            elsewhere = self._hear_elsewhere()
            if elsewhere:
                return elsewhere
            if self.is_new:
                return self.open(MAIN_MENU)
        self.place.enter(MAIN_MENU)
        self.place.asking = menu
        return self.turn(self.said)

    def _courtesy_meanwhile(self) -> str:
        """The reply to what is meant for what staff have just written, and answers no question.

        An ok does so only once: it may be an answer as well.
        """
        told = self.place.was_told_since and not self._expected(asks=True)
        if self.word not in COURTESIES or (self.word == "ok" and not told):
            return ""
        self.place.speak_of_another()
        return COURTESIES[self.word]()

    def _was_asked_since(self) -> bool:
        """Did a question of staff come after ours, at which nothing is lost? It is answered then.

        So also by a number.
        """
        if self.word in (*WORDS, MORE) or self._taps(self.place.asking):
            return False
        return self._was_told_since_the_menu() and bool(self._expected(asks=True))

    def _was_told_since_the_menu(self) -> bool:
        """Has something come after the menu or the list at which the person is?"""
        flow = self._flow_at(self.place.flow) if self.place.was_told_since else None
        return bool(flow and not flow.takes_attachments and not self.place.asking.answers)

    def _taps(self, asking: State) -> bool:
        return self.said.payload in [key for key, _ in asking.options]

    def _small_talk(self) -> str:
        """The reply to what adds nothing to what was told or sent; "" where it may."""
        courtesy = COURTESIES.get(self.word)
        if courtesy and not self._expected(asks=True):
            return paragraphs(courtesy(), texts.GO_ON())
        if self.word not in ABOUT_MORE or self.place.expects_reply:
            return ""
        if self.word == "yes":
            return texts.TELL_ME() if self._expected() else ""
        self.place.expect_no_comment()
        return paragraphs(texts.ALL_RIGHT(), texts.GO_ON())

    def _counts_at_any_time(self) -> bool:
        """Is it stop, start or help, which mean the same after a silence and as the first word?"""
        starts = self.word == "start" and self.contact.opted_out_at is not None
        return starts or self.word in ("stop", HELP)

    def _claim_of_quoted(self) -> str | None:
        """The address that wants what was said about a message of ours; not for words like menu."""
        return None if self.word in WORDS else flows.claimed_reply(self.contact, self.message)

    def _expected(self, *, asks: bool = False) -> str:
        """What the person may be replying to."""
        return self.place.expected(self.now, asks=asks)

    def _offered(self) -> str | None:
        """What may be of use with it, where nobody claims it and nothing was tapped.

        At which it was not said already: that would be a circle.
        """
        if self.said.payload or self.message.kind == Kind.OTHER or self.place.flow == HELP:
            return None
        offered = flows.offered(self.contact, self.message)
        return None if offered == self.place.flow else offered

    def _chooses_nothing(self) -> bool:
        """Is it at a menu, and none of its items?"""
        flow = self._flow_at(self.place.flow)
        return bool(flow and flow.is_menu) and chosen(self.place.asking.options, self.said) is None

    def _hear_elsewhere(self) -> str:
        """The reply to words that answer no question, where they are about something else."""
        address = self._leads_to()
        if address:
            return self.open(address)
        if not self.is_emergency:
            return ""
        self.place.rest()
        return texts.GO_ON()

    def _leads_to(self) -> str | None:
        """Where words lead that answer no question."""
        claimed = flows.claimed(self.contact, self.message)
        replies = self.place.is_at_rest or self._was_told_since_the_menu()
        expected = self._expected() if replies else ""
        if claimed or expected or self.is_emergency:
            return claimed or expected
        return self._offered() or self._to_be_passed_on()

    def _to_be_passed_on(self) -> str | None:
        """Where to ask whether the team is to have what we did not understand."""
        is_short = len(self.words.split()) < FEWEST_WORDS and not self.place.asking.wrong
        if is_short or not any(map(str.isalpha, self.words)):
            return None
        if self.said.payload or self._tells_team():
            return None
        return f"{FOR_TEAM}:{self.message.pk}"

    def _wants_a_person(self) -> bool:
        """Is somebody of the team asked for, who is not just being told that?"""
        if self._tells_team() or not asks_for_a_person(self.words):
            return False
        return not self._expected().startswith(MORE_FOR_TEAM)

    def _tells_team(self) -> bool:
        return self.place.flow.partition(":")[0] in (LEAVE_MESSAGE, FOR_TEAM, FILE_FOR_TEAM)

    def to_menu(self) -> str:
        return paragraphs(self._put_aside(), self.open(MAIN_MENU))

    def help(self) -> str:
        """The help, from which *back* leads to where one was."""
        here = [self.place.flow] if self.place.flow not in ("", HELP) else []
        way_back = [*self.place.trail, *here]
        reply = paragraphs(self._put_aside(), self.open(HELP))
        self.place.trail = way_back
        return reply

    def start(self) -> str:
        return paragraphs(texts.STARTED() if self.contact.opt_in() else "", self.to_menu())

    def stop(self) -> str:
        self.contact.opt_out(told=True)
        kept = self._put_aside()
        self.place.rest()
        return paragraphs(texts.STOPPED(), kept)

    def back(self) -> str:
        flow = self._flow_at(self.place.flow)
        if flow:
            earlier = go_back(flow.build_form, self.place.asking)
            if earlier:
                self.place.asking = earlier
                return self.turn()
        if not self.place.trail:
            return self.to_menu()
        return paragraphs(self._put_aside(), self._return_to(self.place.trail[-1]))

    def _return_to(self, address: str) -> str:
        """Open it again, or go on with it where it was left half-way for where we are now."""
        if self._flow_at(address) and self.place.has_aside(address):
            return self._resume(address, start_over=False)
        return self.open(address)

    def skip(self) -> str:
        return self.turn(Said(skipped=True)) if self.place.flow else self.open(MAIN_MENU)

    def cancel(self) -> str:
        flow = self._flow_at(self.place.flow)
        if "report" in self.words and not (flow and flow.takes_attachments):
            return self._cancel_report()
        name, _, offered = self.place.flow.partition(":")
        if name == RESUME:
            self.place.take_aside(offered)
        return self._drop(something=bool(flow and not flow.is_menu))

    def _cancel_report(self) -> str:
        """Drop the report that was left last, where none is under way."""
        if not self.place.aside:
            return self.open(f"{FOR_TEAM}:{self.message.pk}")  # It was sent long ago.
        self.place.take_aside(self.place.aside[-1]["flow"])
        return self._drop(something=True)

    def _drop(self, *, something: bool) -> str:
        """Keep nothing of it, and go to the menu. That is said where there was something."""
        self.place.kept = []
        return paragraphs(texts.CANCELLED() if something else "", self.open(MAIN_MENU))

    # Attachments ---------------------------------------------------------------------------------

    def _hear_attachment(self) -> str:
        """A picture or the like joins what is under way, or goes to whoever claims it.

        Of an album only the first is answered, unless another one has words with it.
        """
        silent = self._goes_on_album()
        reply = self._take_attachment(silent)
        if silent:
            return ""
        self._begin_album()
        return reply

    def _goes_on_album(self) -> bool:
        """Is it a picture of an album that was answered already, and not itself an answer?"""
        is_picture = Kind(self.message.kind).is_picture and not self.said.text
        if not (is_picture and self.place.album) or self._wants_picture():
            return False
        return abs(self.now - datetime.fromisoformat(self.place.album)) <= ALBUM

    def _begin_album(self) -> None:
        if Kind(self.message.kind).is_picture:
            self.place.album = self.now.isoformat()

    def _wants_picture(self) -> bool:
        return self.place.asking.expects == Expects.ATTACHMENT

    def _take_attachment(self, silent: bool) -> str:
        quoted = self._claim_of_quoted()
        if quoted:
            return self._hand_over(quoted, silent)
        flow = self._flow_at(self.place.flow)
        if flow and flow.takes_attachments:
            self.place.keep(self.message)
            return "" if silent else self._hear_caption(flow)
        belongs = self.place.expects_reply or self.place.has_just_sent
        replies = self._expected() if belongs else ""
        claimed = replies or flows.claimed(self.contact, self.message)
        is_for_team = bool(flow and flow.leaves_files_to_team)
        address = claimed or ("" if is_for_team else self._offered())
        if not address and self.is_emergency:
            self.place.rest()  # The team has it.
            return texts.GO_ON()
        return self._hand_over(address or f"{FILE_FOR_TEAM}:{self.message.pk}", silent)

    def _hear_caption(self, flow: Flow) -> str:
        """What came with it, or the picture itself, is the answer to the question if it can be."""
        is_picture = Kind(self.message.kind).is_picture
        text = self.said.text or (flow.spoken if self.message.kind == Kind.AUDIO else "")
        said = Said(text, attachment=str(self.message.pk) if is_picture else "")
        kept = self._that_it_is_kept(flow)
        answer = self.place.asking.answer(said)
        # Who sends two pictures with the same words under them has not said them again.
        if answer and answer != self.place.asking.doubted:
            reply = self.turn(said)
            return paragraphs(kept, reply) if self.place.asking.wrong else reply
        return paragraphs(kept, self.turn())

    def _that_it_is_kept(self, flow: Flow) -> str:
        """Said of a voice note, it asks for what we can read."""
        if self.message.kind != Kind.AUDIO or self._wants_picture():
            return flow.when_kept()
        return f"{flow.when_kept()} {self._that_it_is_not_heard(flow)}"

    def _that_it_is_not_heard(self, flow: Flow) -> str:
        if self.place.asking.options:
            return texts.CANNOT_LISTEN_TO_A_CHOICE()
        wants_words = isinstance(self._question(flow), LongText)
        return texts.CANNOT_LISTEN() if wants_words else texts.CANNOT_LISTEN_TO_AN_ANSWER()

    def _hand_over(self, address: str, silent: bool) -> str:
        """Open what claimed it. What was asked before still stands, unless that asks as well."""
        before = replace(self.place)
        reply = self.open(address)
        asks = self.place.flow == address
        if asks:
            self.place.keep(self.message)
        if silent or not asks:
            self.place.return_to(before)
        if not asks and not before.is_at_rest:
            reply = paragraphs(_without_go_on(reply), self.turn())
        return reply

    # Silence, and what is left half-way ----------------------------------------------------------

    def _was_silent_for_long(self) -> bool:
        heard_at = self.conversation.heard_at
        limit = timedelta(hours=settings.CONVERSATION_TIMEOUT_HOURS)
        return heard_at is not None and self.now - heard_at > limit

    def _start_again(self) -> str:
        """The offer to go on, or the menu; "" when nothing had been asked, or it still counts."""
        if self._says_whether_to_pass_on():
            return ""
        nothing_was_asked = self.place.is_at_rest
        left = self._put_aside()
        self.place.rest()
        if self._counts_before_all():
            return ""
        offer = self._offer_to_go_on()
        if offer or nothing_was_asked or self._is_about_something():
            return offer
        return paragraphs(texts.EXPIRED(), left, self.open(MAIN_MENU))

    def _counts_before_all(self) -> bool:
        """Is it to be heard, and nothing be offered before?"""
        if self._counts_at_any_time() or self._expected(asks=True):
            return True
        return self._claim_of_quoted() is not None or self._asks_for_something()

    def _offer_to_go_on(self) -> str:
        """The offer to go on with what was left half-way; "" where nothing was."""
        left = self.place.to_offer("" if self.word in WORDS else self.said.text, self.message)
        if not left:
            return ""
        if self.message.has_attachment or self._offered():
            self.place.keep(self.message)
        return self.open(f"{RESUME}:{left}")

    def _is_about_something(self) -> bool:
        """Is there something to say to it besides that the question has expired?"""
        if self.message.has_attachment or self.is_emergency:
            return True
        if flows.claimed(self.contact, self.message) or self._replies_to_what_we_told():
            return True
        return bool(self._offered() or self._to_be_passed_on())

    def _says_whether_to_pass_on(self) -> bool:
        """Does what the team may have wait for just this? Unless they have asked since."""
        answers = chosen(self.place.asking.options, self.said, near=False) is not None
        return answers and self._tells_team() and not self._expected(asks=True)

    def _asks_for_something(self) -> bool:
        """Is it a sentence about what we know? In short, it may answer what was left half-way."""
        if self.message.has_attachment or len(self.words.split()) < FEWEST_WORDS:
            return False
        if flows.claimed(self.contact, self.message) is not None:
            return True
        offered = self._flow_at(self._offered() or "")
        return bool(offered and not offered.takes_attachments)

    def _replies_to_what_we_told(self) -> bool:
        """Is it about what came after the question? A number may still be that one's answer."""
        is_number = digits_to_number(self.said.text) is not None
        return self.place.was_told_since and not is_number and bool(self._expected())

    def _put_aside(self) -> str:
        """Remember what is under way, if it can be resumed, and say so."""
        flow = self._flow_at(self.place.flow)
        return flow.leave() if flow else ""

    def _resume(self, address: str, start_over: bool) -> str:
        left = self.place.take_aside(address)
        if start_over:
            return self.open(address, left.get("given"))
        self.place.take_up(left)
        return self._hear_what_was_said(left.get("said", ""), left.get("by")) or self.turn()

    def _hear_what_was_said(self, text: str, by: dict[str, Any] | None) -> str:
        """The reply to what was said before the offer, where that can only be the answer; else "".

        The words stay with the report then.
        """
        reply = self.turn(Said(text)) if text and self._can_only_answer(text) else ""
        if reply and not self.place.asking.wrong:
            return reply
        if by and not self.place.is_kept(by) and not tells_nothing(text):
            self.place.kept = [*self.place.kept, by]
        return ""

    def _can_only_answer(self, text: str) -> bool:
        """Is it surely meant as the answer, and no 2 for the menu or words about something else?"""
        flow, asking = self._flow_at(self.place.flow), self.place.asking
        if not flow:
            return False
        if asking.expects == Expects.CHOICE:
            is_one = chosen(asking.options, Said(text), near=False) is not None
            return is_one and not tells_nothing(text)
        return asking.expects == Expects.TEXT and not isinstance(self._question(flow), LongText)

    def _question(self, flow: Flow) -> Field | None:
        """The field of the form that is asked now."""
        asking = self.place.asking
        return flow.build_form(asking.answers).fields.get(asking.asked)

    # Flows ---------------------------------------------------------------------------------------

    def turn(self, said: Said | None = None) -> str:
        """Take `said` as an answer to what is asked; without it, ask again."""
        flow = self._flow_at(self.place.flow)
        if not flow:
            return paragraphs(texts.GONE(), self.open(MAIN_MENU))
        return self._go_on(flow, take_turn(flow.build_form, self.place.asking, said))

    def open(self, address: str, answers: Answers | None = None) -> str:
        """Begin what is at `address`, with some `answers` given already."""
        self.jumps += 1
        flow = self._flow_at(address) if self.jumps <= MOST_JUMPS else None
        if flow and flow.resumable and self.place.has_aside(address):
            self.place.add_given(address, answers or {})
            address = f"{RESUME}:{address}"
            flow = self._flow_at(address)
        if not flow:
            self.place.rest()
            if address == MAIN_MENU or self.jumps > MOST_JUMPS:
                return texts.NO_MENU()
            return paragraphs(texts.GONE(), self.open(MAIN_MENU))
        self.place.enter(address)
        if flow.takes_attachments:
            self.place.drop_stale(self.now)
        return self._go_on(flow, take_turn(flow.build_form, State(answers or {})))

    def _go_on(self, flow: Flow, turn: Turn) -> str:
        self.place.asking = turn.state
        if turn.reply:
            self.place.more = flow.more
            return in_words(flow, turn)
        match flow.done(turn.form):
            case Say(text, more, trail):
                self.place.rest(more, trail)
                return paragraphs(text, texts.MORE_OR_MENU() if more else texts.GO_ON())
            case Open(address, before, answers):
                if flow.is_menu:
                    self.place.leave_menu()
                return paragraphs(before, self.open(address, answers))
            case Resume(address, start_over):
                return self._resume(address, start_over)
            case Astray(address, before):
                self.place.asking = State()
                # What was opened because of these words is what they are about.
                elsewhere = "" if self.jumps else self._hear_elsewhere()
                return elsewhere or paragraphs(before, self.open(address))

    def _flow_at(self, address: str) -> Flow | None:
        try:
            return flows.find(address, self.contact, self.message, self.place)
        except Gone:
            return None


WORDS: dict[str, Callable[[Desk], str]] = {
    "hello": Desk.to_menu,
    "menu": Desk.to_menu,
    "stop": Desk.stop,
    "help": Desk.help,
    "start": Desk.start,
    "back": Desk.back,
    "skip": Desk.skip,
    "cancel": Desk.cancel,
}
"""What these words do anywhere, when they are the whole message."""


def _without_go_on(told: str) -> str:
    return told.removesuffix(texts.GO_ON()).strip()


def stop_or_start(text: str) -> str:
    """`stop` for who wants to hear nothing more, `start` for who does again; "" for all else."""
    word = meant_by(words_in(text))
    return word if word in ("stop", "start") else ""
