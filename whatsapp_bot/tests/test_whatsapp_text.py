import sys
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsapp_bot.models import Message
from whatsapp_bot.twilio.webhook import twiml
from whatsapp_bot.whatsapp_text import (
    _UNWANTED,
    MAX_LENGTH,
    clean,
    digits_to_number,
    length,
    preview,
    shortened,
    split,
    without_marks,
)

anything = st.text(st.characters(codec=None))


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("a\0b", "ab"),
        ("a\ud800b\udfffc", "abc"),
        ("a\ufffeb\uffffc\U0001ffffd", "abcd"),
        ("a\u202eb\u2066c\u2069", "abc"),
        ("a\x0b\x1b[0m\x85b", "a[0mb"),
        ("one\r\ntwo\rthree\n", "one\ntwo\nthree"),
        ("tab\there", "tab\there"),
        ("👩‍🏭 é ‎ مرحبا", "👩‍🏭 é ‎ مرحبا"),
    ],
)
def test_cleaning(raw, cleaned):
    assert clean(raw, 100) == cleaned


@given(anything)
def test_what_is_clean_can_be_stored_and_sent(text):
    cleaned = clean(text, 1000)
    cleaned.encode()
    assert "\0" not in cleaned
    (body,) = ElementTree.fromstring(twiml([Message(pk=1, body=text)])).iterfind("Message/Body")  # noqa: S314
    assert (body.text or "") == clean(text, len(text))


@given(anything, st.integers(2, 50))
def test_a_split_text_fits_and_loses_nothing_but_white_space(text, limit):
    text = clean(text, 1000)
    parts = split(text, limit)
    assert all(0 < length(part) <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


def test_a_text_is_split_at_line_ends():
    lines = [f"line {number} " + "x" * 90 for number in range(40)]
    parts = split("\n".join(lines))
    assert all(length(part) <= MAX_LENGTH for part in parts)
    assert "\n".join(parts).split("\n") == lines


def test_an_emoji_counts_as_two():
    assert length("a🏭é") == 4
    assert [length(part) for part in split("🏭" * 801)] == [1600, 2]


def test_what_is_too_long_is_shortened_after_a_word():
    assert shortened("as it is") == "as it is"
    assert shortened("🏭 the line stands still", 15) == "🏭 the line…"
    assert length(shortened("🏭" * 900)) == MAX_LENGTH - 1


@pytest.mark.parametrize(
    ("text", "number"),
    [("2", 2), ("２.", 2), ("٢", 2), ("2️⃣", 2), (" (12) ", 12), ("#3", 3)]
    + [(text, 2) for text in ("2,", "2!", "2..", "2-", "2;", "2:", "2 !!", "2️⃣.")]
    + [(text, None) for text in ("", "two", "2 3", "2a", "1234", "-1", "½", "²³x")]
    + [(text, None) for text in ("-2", "2-3", "2,5", "2!3", "!2", "\N{MINUS SIGN}2", "- 2", "2%")],
)
def test_numbers_that_choose(text, number):
    assert digits_to_number(text) == number


def test_marks_of_others_are_not_ours():
    assert without_marks("*bold* _it_ a*b part_no_1 ~no~") == "∗bold∗ ˍitˍ a*b part_no_1 ∼no∼"


def test_a_preview_is_short():
    assert preview("a\n b\tc") == "a b c"
    assert preview("x" * 100, 10) == "x" * 9 + "…"


def test_nothing_unwanted_is_printable():
    """What `clean` leaves alone needs no cleaning."""
    everything = map(chr, range(sys.maxunicode + 1))
    assert not any(one.isprintable() for one in everything if _UNWANTED.match(one))
