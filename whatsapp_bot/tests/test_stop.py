"""Who does not want to hear from us, and who says too much at once."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from whatsapp_bot.models import Contact, Message


@pytest.mark.parametrize(
    "word",
    [
        *("STOP", "stop", "Unsubscribe", "Stop.", "Opt-out", "No more messages!"),
        *("Stop sending me this", "please don't message me"),
    ],
)
def test_stop_ends_what_we_begin_and_says_how_things_stand(say, word):
    say("hi")
    assert say(word).startswith("All right, we will send you no more news.")
    assert Contact.objects.get().opted_out_at


def test_who_stopped_is_still_answered_and_not_told_again(say):
    say("hi")
    say("stop")
    assert "View defect history" in say("2")
    assert "no more news" not in say("menu")


def test_start_turns_it_on_again_and_shows_the_menu(say):
    say("hi")
    say("stop")
    reply = say("START")
    assert reply.startswith("Welcome back!")
    assert "1. Check order status" in reply
    assert Contact.objects.get().opted_out_at is None
    assert "Welcome back!" not in say("start")


def test_the_first_word_may_be_stop(say):
    assert say("STOP").startswith("All right, we will send you no more news.")
    assert Contact.objects.get().opted_out_at
    assert say("start").startswith("Welcome back!")


def test_who_stopped_us_before_the_first_word_can_start_us_again(say, contact):
    contact.opt_out(told=False)
    reply = say("start")
    assert reply.startswith("Welcome back!")
    assert "switched off" not in reply


@pytest.mark.parametrize("left", [["2"], ["2", "1"], ["1"], ["4"]])
def test_stop_counts_after_a_long_silence_wherever_one_was(say, left):
    for text in ("hi", *left):
        say(text)
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        assert say("stop").startswith("All right, we will send you no more news.")
        assert Contact.objects.get().opted_out_at
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        assert say("start").startswith("Welcome back!")
        assert Contact.objects.get().opted_out_at is None


@pytest.mark.parametrize("text", ["cancel", "Please stop the machine", "the emergency stop"])
def test_nothing_else_opts_out(say, text):
    say("hi")
    say("2")
    say("1")
    say(text)
    assert Contact.objects.get().opted_out_at is None


def test_more_than_sixty_in_a_minute_are_stored_and_answered_once(say):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        replies = [say("menu") for _ in range(65)]
        assert all("1. Check order status" in reply for reply in replies[:60])
        assert replies[60].startswith("That is a lot at once!")
        assert replies[61:] == ["", "", "", ""]
        assert Message.objects.filter(direction="in").count() == 65
        clock.shift(timedelta(minutes=1))
        assert "1. Check order status" in say("menu")


def test_stop_counts_however_much_was_said_before(say):
    for _ in range(62):
        say("hi")
    assert say("stop").startswith("All right, we will send you no more news.")
    assert Contact.objects.get().opted_out_at
    assert say("start").startswith("Welcome back!")
    assert say("hi") == ""


def test_a_clock_that_was_set_back_silences_nobody(say):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(61):
            say("menu")
        clock.shift(timedelta(hours=-1))
        assert "1. Check order status" in say("menu")
