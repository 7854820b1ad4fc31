"""Whatever bytes arrive: the webhook parses or refuses them, and the dialog asks or is done.

    make fuzz                                            # both, a minute each
    make fuzz ARGS="webhook --runs 5000000"

Atheris makes up input that reaches ever more of `whatsapp_bot`. No database is asked and nothing is
sent. What breaks is printed with the input that did it, kept in a file `crash-...` in the folder
that is named, and the exit status is not 0. Else nothing is left behind.
"""

import argparse
import json
import os
import random
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree

import atheris

from benchmarks.processes import finish

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings_test")
os.environ["TEST_DATABASE_URL"] = "sqlite://:memory:"

with atheris.instrument_imports(include=["whatsapp_bot"]):
    import django

    django.setup()

    from django import forms
    from django.conf import settings
    from django.test import RequestFactory
    from django.urls import reverse

    from whatsapp_bot import wording
    from whatsapp_bot.dialog import Said, State, go_back, take_turn
    from whatsapp_bot.inbound import Kind
    from whatsapp_bot.models import Message
    from whatsapp_bot.questions import ChoiceField, Form, LongText, PictureField, YesNoField
    from whatsapp_bot.simulator.phone import Phone
    from whatsapp_bot.twilio import webhook
    from whatsapp_bot.whatsapp_text import MAX_LENGTH, length, split

A_MINUTE = ["-max_total_time=60"]
LONGEST_INPUT = 1000
SEEDS = 300
CORPUS = "corpus"
BYTES_ALONE = 0.2
"""How many of the bodies are no parameters at all."""
UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
NAMES = (
    *("MessageSid", "AccountSid", "From", "To", "Body", "ProfileName", "WaId", "ExternalUserId"),
    *("NumMedia", "MediaUrl0", "MediaContentType0", "MediaUrl1", "MessageType", "Latitude"),
    *("Longitude", "Address", "Label", "ButtonPayload", "ButtonText", "ListId", "ListTitle"),
    *("OriginalRepliedMessageSid", "ChannelMetadata", "MessageStatus", "ErrorCode", "Price"),
)
SID = f"SM{'0' * 32}"
WELL_FORMED = Phone("+27820000001").parameters(MessageSid=SID, SmsSid=SID, SmsMessageSid=SID)
CHOICES = [("front", "Front"), ("back", "Back side"), ("other", "Other")]
KINDS = [LongText, partial(ChoiceField, choices=CHOICES), YesNoField, PictureField]
WORDS = ("1", "2", "3", "yes", "no", "skip", "Front", "frnt", "Other", "٢", "2️⃣", "")


# The webhook -------------------------------------------------------------------------------------


def webhook_takes(data: bytes) -> None:
    """A body, signed as Twilio would where it can be, is read as a message or refused."""
    given = atheris.FuzzedDataProvider(data)
    request = _request(given)
    try:
        incoming = webhook.read(request)
    except webhook.Refused as refused:
        assert 400 <= refused.status < 500, refused.status  # noqa: PT017, S101
        return
    told = [incoming.text, incoming.payload, incoming.sender.name, *incoming.details.values()]
    assert not any(UNWANTED.search(text) for text in told), told  # noqa: S101
    assert incoming.sender.phone or incoming.sender.user_id  # noqa: S101
    assert isinstance(incoming.kind, Kind)  # noqa: S101
    json.dumps(incoming.details).encode()
    _can_be_answered_with(incoming.text)


def _request(given: atheris.FuzzedDataProvider) -> "django.http.HttpRequest":
    if given.ConsumeProbability() < BYTES_ALONE:
        body, parameters = given.ConsumeBytes(LONGEST_INPUT), {}
    else:
        parameters = {**WELL_FORMED}
        for _ in range(given.ConsumeIntInRange(0, 6)):
            name = given.PickValueInList([*NAMES, given.ConsumeUnicodeNoSurrogates(12)])
            parameters[name] = given.ConsumeUnicodeNoSurrogates(80)
        body = urlencode(parameters).encode()
    path = reverse("webhook")
    signed = webhook.signature(f"{settings.PUBLIC_URL}{path}", parameters)
    return RequestFactory().post(
        path, body, content_type=webhook.FORM, headers={"X-Twilio-Signature": signed}
    )


def _can_be_answered_with(text: str) -> None:
    """Does the text, in as many messages as it takes, fit into XML that can be read?"""
    parts = split(text)
    assert all(0 < length(part) <= MAX_LENGTH for part in parts), parts  # noqa: S101
    answer = webhook.twiml(Message(pk=number, body=part) for number, part in enumerate(parts, 1))
    ElementTree.fromstring(answer)  # noqa: S314


# The dialog --------------------------------------------------------------------------------------


def dialog_goes_on(data: bytes) -> None:
    """Whatever is said: one open question is asked, or the form is complete and valid."""
    given = atheris.FuzzedDataProvider(data)
    build_form = _form_of(given)
    turn = take_turn(build_form, State())
    for _ in range(given.ConsumeIntInRange(1, 12)):
        if turn.reply is None:
            break
        state = State.from_json(json.loads(json.dumps(turn.state.as_json())))
        assert state == turn.state, state  # noqa: S101
        assert state.asked in turn.form.fields  # noqa: S101
        assert state.asked not in state.answers  # noqa: S101
        if given.ConsumeIntInRange(0, 9) == 0:
            turn = take_turn(build_form, go_back(build_form, state) or State())
        else:
            turn = take_turn(build_form, state, _said(given))
    if turn.reply is None:
        assert turn.form.is_valid(), turn.form.errors  # noqa: S101
    else:
        assert turn.reply.question  # noqa: S101


def _said(given: atheris.FuzzedDataProvider) -> Said:
    return Said(
        text=given.PickValueInList([*WORDS, given.ConsumeUnicodeNoSurrogates(60)]),
        payload=given.PickValueInList(
            ["", "", "front", "yes", given.ConsumeUnicodeNoSurrogates(9)]
        ),
        attachment=given.PickValueInList(["", "", "7"]),
        skipped=given.ConsumeIntInRange(0, 9) == 0,
    )


def _form_of(given: atheris.FuzzedDataProvider) -> Callable[[dict[str, str]], forms.Form]:
    """A form of up to five questions, one of which is there after some answers only."""
    kinds = [given.PickValueInList(KINDS) for _ in range(given.ConsumeIntInRange(1, 5))]
    asked = {
        f"q{number}": _question(kind, given.ConsumeBool()) for number, kind in enumerate(kinds)
    }
    hidden = f"q{given.ConsumeIntInRange(0, 4)}"

    def build_form(answers: dict[str, str]) -> forms.Form:
        without = hidden if len(answers.get("q0", "")) % 2 else ""
        return Form(answers, {name: field for name, field in asked.items() if name != without})

    return build_form


@cache
def _question(kind: Callable[..., forms.Field], required: bool) -> forms.Field:
    """One of these, made once: that takes longer than whatever is asked and said."""
    return kind(label="A question", required=required)


# The run -----------------------------------------------------------------------------------------

TARGETS = {"webhook": webhook_takes, "dialog": dialog_goes_on}


def fuzz(name: str, options: list[str]) -> None:
    """Never returns: the fuzzer ends the process."""
    wording.reworded.value, wording.reworded.loaded_at = {}, float("inf")
    atheris.Setup(
        [sys.argv[0], f"-max_len={LONGEST_INPUT}", "-len_control=0", *options], TARGETS[name]
    )
    atheris.Fuzz()


def _to_begin_with(folder: str) -> str:
    """A folder of long inputs: from none at all it takes the fuzzer a long time to get to them."""
    corpus = Path(folder) / CORPUS
    corpus.mkdir()
    dice = random.Random(1)  # noqa: S311
    for number in range(SEEDS):
        (corpus / str(number)).write_bytes(dice.randbytes(dice.randint(1, LONGEST_INPUT)))
    return str(corpus)


def fuzz_beside(name: str, options: list[str]) -> int:
    """In a process of its own, whose folder stays when something broke; its exit status."""
    folder = Path(tempfile.mkdtemp(prefix="andon-fuzz-"))
    how = ["--within", str(folder), *options]
    try:
        return finish([sys.executable, "-m", "benchmarks.fuzz", name, *how])
    finally:
        if any(found.name != CORPUS for found in folder.iterdir()):
            print(f"What it found is in {folder}")
        else:
            shutil.rmtree(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", nargs="?", choices=TARGETS)
    parser.add_argument("--runs", type=int, help="instead of a minute")
    parser.add_argument("--within", metavar="FOLDER", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.within:
        options = [f"-runs={given.runs}"] if given.runs else A_MINUTE
        corpus = _to_begin_with(given.within)
        fuzz(given.target, [*options, f"-artifact_prefix={given.within}/", corpus])
    more = ["--runs", str(given.runs)] if given.runs else []
    targets = [given.target] if given.target else list(TARGETS)
    try:
        statuses = [fuzz_beside(name, more) for name in targets]
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    sys.exit(any(statuses))


if __name__ == "__main__":
    main()
