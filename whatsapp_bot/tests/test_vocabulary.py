"""Our words, however they are said; and only where they are the whole message."""

import pytest

from whatsapp_bot.dialog import bare, words_in
from whatsapp_bot.models import Contact, HelpRequest
from whatsapp_bot.vocabulary import PHRASES, asks_for_a_person, meant_by


@pytest.mark.parametrize(
    ("said", "word"),
    [
        *(("Hola!", "hello"), ("Hallo", "hello"), ("Buenos días", "hello"), ("Cześć", "hello")),
        *(("Sawubona", "hello"), ("Dzień dobry", "hello"), ("Good morning team", "hello")),
        *(("ayuda", "help"), ("Hilfe!", "help"), ("please help", "help"), ("a hulp", "a hulp")),
        *(("Help asseblief", "help"), ("Ngicela usizo", "help"), ("No, gracias", "no")),
        *(("Nein danke", "no"), ("Nie, dziękuję", "no"), ("Hilfe, bitte!", "help")),
        *(("STOPP", "stop"), ("please stop", "stop"), ("Hi, stop please", "stop")),
        *((f"{said} contact me", "stop") for said in ("do not", "don't", "Please dont")),
        *((f"{said} your list", "stop") for said in ("remove me from", "Please take me off")),
        *(("stop contacting me", "stop"), ("remove me", "stop"), ("Stop spamming me!", "stop")),
        *(("do not contact me again", "stop"), ("STOP NOW", "stop"), ("stop now please", "stop")),
        *((said, said) for said in ("stop it now", "stop the line now", "remove me from line 2")),
        *((said, said) for said in ("contact me", "take me off line 2", "do not contact me today")),
        *((f"do not {said}", "stop") for said in ("contact me anymore", "text me again")),
        *((f"Don't {said}", "stop") for said in ("message me anymore!", "write to us any more")),
        *((f"please dont {said}", "stop") for said in ("send me any more messages", "spam me")),
        *((f"stop {said}", "stop") for said in ("texting", "texting me", "sending me this")),
        *((f"{said} unsubscribe", "stop") for said in ("I want to", "please", "how do I")),
        *(("I don't want any more messages", "stop"), ("thanks, don't text me again", "stop")),
        *((said, "stop") for said in ("stop all messages", "no more updates", "leave me alone")),
        *((said, said) for said in ("no more parts", "stop sending parts")),
        *((said, said) for said in ("stop texting the customer", "do not send this", "text me")),
        *((said, said) for said in ("do not message me about line 2", "do not write on the part")),
        *((said, said) for said in ("stop writing on the parts", "do not contact the customer")),
        *(("main menu please", "menu"), ("Start over", "menu"), ("ok menu", "menu")),
        *(("never mind", "cancel"), ("Forget it!", "cancel"), ("please cancel that", "cancel")),
        *(("go back please", "back"), ("terug", "back"), ("Zurück", "back")),
        *(("gracias", "thanks"), ("Baie dankie!", "thanks"), ("ok thank you sir", "thanks")),
        *(("Sure, go ahead", "yes"), ("Please do!", "yes"), ("None.", "no"), ("no photo", "no")),
        *(("ok boss", "ok"), ("yebo", "yes"), ("no thanks", "no"), ("please", "please")),
        *(
            ("skip this please", "skip"),
            ("Great, thanks!", "thanks"),
            ("stop button", "stop button"),
        ),
        *(("Hola, buenos días", "hello"), ("Hi, thanks!", "thanks"), ("no no", "no")),
        *(("yes, thank you", "yes"), ("Ok. Got it, thanks, bye", "bye"), ("yes no", "yes no")),
        *(("Thanks a lot for your quick help!", "thanks"), ("menu thanks", "menu")),
        *(("thanks for nothing", "thanks for nothing"), ("stop help", "stop help")),
        *(("नमस्ते", "hello"), ("हाँ", "yes"), ("नहीं", "no"), ("धन्यवाद", "thanks")),
        *(("Please stop the machine", "please stop the machine"), ("", "")),
        *(("morning", "morning"), ("exit", "exit"), ("stop button", "stop button")),
    ],
)
def test_what_a_message_amounts_to(said, word):
    assert meant_by(words_in(said)) == word


@pytest.mark.parametrize("said", ["❤️", "❤", "❤️❤️", "❤️ ❤️", "🙏🏾"])
def test_a_heart_of_any_kind_and_number_is_thanks(said):
    assert meant_by(bare(said)) == "thanks"


def test_no_phrase_means_two_words():
    phrases = [one for word, others in PHRASES.items() for one in (word, *others)]
    assert len(phrases) == len(set(phrases))


@pytest.mark.parametrize(
    "said",
    [
        *(
            "I need to talk to someone",
            "i want to speak to a person",
            "Can I talk to a real human?",
        ),
        *("I need a human", "agent please", "speak to someone", "call me back", "Please call me"),
        *("can someone call me?", "are you a bot?", "Is this a real person", "anyone there??"),
        *("Hi there, is anybody there?", "hello? anyone?", "What are your hours?"),
        *("Let me speak to your manager", "I want to talk to the manager please", "phone me"),
        *("what are your opening hours?", "When do you open", "get me a manager"),
    ],
)
def test_who_asks_for_a_person(said):
    words = words_in(said)
    assert asks_for_a_person(words) or meant_by(words) == "help"


@pytest.mark.parametrize(
    "said",
    [
        *("I need to talk to someone about the press on line 3", "call me when it is ready"),
        *("I need someone at line 3", "the person next to me saw it", "are you sure", "someone"),
        *("support bracket", "I need a support bracket", "manager", "is somebody hurt", "2", ""),
    ],
)
def test_who_does_not(said):
    assert not asks_for_a_person(words_in(said))


@pytest.mark.django_db
class TestInTheConversation:
    @pytest.mark.parametrize("before", [[], ["hi"], ["hi", "1"], ["hi", "2"], ["hi", "2", "1"]])
    def test_who_asks_for_a_person_is_shown_the_way_to_the_team(self, say, before):
        for text in before:
            say(text)
        assert say("I need to talk to someone").startswith("*Help & support*")

    def test_also_right_after_a_report(self, say):
        for text in ("hi", "2", "1", "The seal leaks"):
            say(text)
        assert say("I want to speak to a person").startswith("*Help & support*")

    def test_what_is_said_to_the_team_stays_with_it(self, say, contact):
        for text in ("hi", "4", "1"):
            say(text)
        assert "Our team has your message" in say("Please call me back")
        assert "passed that on" in say("Can someone call me?")
        assert HelpRequest.objects.get().text == "Please call me back\nCan someone call me?"
        contact.send("How can we reach you?")
        assert "passed that on" in say("call me")

    @pytest.mark.parametrize("said", ["never mind", "Forget it", "cancel that", "cancelar"])
    def test_who_changes_their_mind_gets_out_of_a_question(self, say, said):
        say("hi")
        say("1")
        assert say(said).startswith("Cancelled. Nothing was submitted.")

    @pytest.mark.parametrize("said", ["stop contacting me", "Take me off your list", "STOP NOW"])
    def test_a_stop_may_be_said_in_many_ways(self, say, said):
        say("hi")
        assert say(said).startswith("All right, we will send you no more news")
        assert Contact.objects.get().opted_out_at

    def test_a_stop_in_other_words_counts_as_the_first_word(self, say):
        assert say("Stopp bitte").startswith("👋 Welcome!")
        assert say("Stopp").startswith("All right, we will send you no more news.")
        assert Contact.objects.get().opted_out_at

    @pytest.mark.parametrize(
        ("said", "answer"),
        [
            *(("mnu", "👋 Welcome!"), ("cancle", "Cancelled."), ("hlep", "*Help & support*")),
            *(("bck", "👋 Welcome!"), ("menue", "👋 Welcome!")),
        ],
    )
    def test_a_typing_error_where_a_choice_is_asked_for_is_no_dead_end(self, say, said, answer):
        say("hi")
        say("1")
        assert say(said).startswith(answer)

    @pytest.mark.parametrize(
        "said",
        [
            *("pack", "rack", "jack", "ship", "slip", "kip", "held", "kelp", "men"),
            "cancels",
        ],
    )
    def test_but_a_word_of_its_own_is_none(self, say, said):
        say("hi")
        question = say("4")
        reply = say(said)
        assert reply.startswith("Sorry, I did not get that.")
        assert reply.endswith(question)

    @pytest.mark.parametrize("said", ["mnu", "cancle"])
    def test_and_where_words_are_it_is_asked_once_more(self, say, said):
        for text in ("hi", "2", "1"):
            say(text)
        assert say(said).startswith("Sorry, that tells me too little.")
        assert "✅" in say(said)

    @pytest.mark.parametrize("said", ["no thanks", "nein danke"])
    def test_a_no_to_nothing_is_all_right(self, say, said):
        say("hi")
        assert say(said) == "All right.\n\nSend *menu* for the main menu."

    @pytest.mark.parametrize(
        "said", ["2 please", "number 2", "Option two", "the 2nd", "second one"]
    )
    def test_a_number_among_words_chooses(self, say, said):
        say("hi")
        assert say(said).startswith("*Defects*")
