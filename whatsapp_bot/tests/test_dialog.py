"""The turn by itself, without a database."""

import pytest
from django import forms

from whatsapp_bot.dialog import (
    Said,
    State,
    chosen,
    go_back,
    set_right,
    take_each,
    take_turn,
    words_in,
)


@pytest.mark.parametrize(
    ("hurried", "careful"),
    [
        *(("wheres my order", "Where's my order?"), ("Whats on line 2", "What's on line 2")),
        *(
            ("im late, hes here", "I’m late, he's here"),
            ("ive theyre youre", "I've they're you're"),
        ),
        *(("cant wont dont didnt", "can't won't don't didn't"), ("ISNT", "isn't")),
    ],
)
def test_an_apostrophe_may_be_missing(hurried, careful):
    assert words_in(hurried) == words_in(careful) != hurried.casefold()


@pytest.mark.parametrize(
    "said", ["its were ill well", "want mint hint count front wheres1", "lets shell id hers"]
)
def test_what_is_a_word_of_its_own_stays_one(said):
    assert words_in(said) == said


MAIN = [
    ["a", "Check order status"],
    ["b", "Report a defect"],
    ["c", "View production schedule"],
    ["d", "Get help & support"],
    ["e", "Back to menu"],
]
DEFECTS = [["x", "Report a defect"], ["y", "View defect history"], ["z", "Back to menu"]]


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ("reprt defect", "b"),
        ("defect report", "b"),
        ("I want to report a defect", "b"),
        ("stauts", "a"),
        ("SCHEDULE!", "c"),
        ("suport", "d"),
        ("the schedule", "c"),
        ("check odrer", "a"),
        ("report a leak", "b"),
        ("get help and support", "d"),
        ("a cat", None),
        ("scratch on the back panel", None),
        ("the machine is broken", None),
        ("what is a widget?", None),
        ("6", None),
        ("0", None),
        ("-1", None),
        ("", None),
        ("🏭", None),
        ("report " * 20, None),
    ],
)
def test_what_is_near_a_label_of_the_main_menu(said, key):
    assert chosen(MAIN, Said(said)) == key


@pytest.mark.parametrize(
    ("said", "key"), [("reprt defect", "x"), ("histroy", "y"), ("defect", None), ("defects", "x")]
)
def test_what_is_near_two_labels_is_neither(said, key):
    assert chosen(DEFECTS, Said(said)) == key


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("Safe to run", "not safe to run"),
        ("Safe to run", "unsafe to run"),
        ("Safe to run", "it isn't safe to run"),
        ("Safe to run", "never safe to run"),
        ("Safe", "unsafe"),
        ("Unsafe to run", "safe to run"),
        ("Not safe to run", "safe to run"),
        ("Stop the line", "do not stop the line"),
        ("Stop the line", "don't stop the line"),
        ("Start over", "dont start over"),
        ("Accept the parts", "do not accept the parts"),
        ("Leaking", "not leaking"),
        ("Critical", "uncritical"),
        ("Critical", "not critical"),
        ("Conforming", "nonconforming"),
        ("Conforming", "non-conforming"),
        ("Nonconforming", "conforming"),
        ("Machine has stopped", "machine hasn't stopped"),
        ("Somebody is hurt", "nobody is hurt"),
        ("Something is broken", "nothing is broken"),
        ("Part is complete", "part is incomplete"),
    ],
)
def test_what_is_denied_is_not_said(label, said):
    assert chosen([["a", label], ["b", "Something else"]], Said(said)) is None


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("Not safe to run", "not safe to rn"),
        ("Do not use the parts", "don't use the parts"),
        ("Unsafe to run", "unsafe to rum"),
        ("Incoming inspection", "incomming inspection"),
        ("In the machine", "in teh machine"),
        ("Wrong part number", "wrong part no"),
        ("Part no. wrong", "part number wrong"),
        ("Side door", "the side dor"),
        ("No. 5 press", "no 5 pres"),
    ],
)
def test_what_denies_the_same_is_near(label, said):
    assert chosen([["a", label], ["b", "Something else"]], Said(said)) == "a"


@pytest.mark.parametrize(
    ("labels", "sayings"),
    [
        (["Bent", "Scratched", "Cracked", "Other"], ["dent", "track", "rack", "sent"]),
        (["Bolt", "Nut", "Washer"], ["belt", "cut", "bold"]),
        (["Worn", "Motor", "Hall", "Side"], ["torn", "rotor", "wall", "inside", "outside", "wide"]),
        (["Line A", "Hall B", "Office"], ["line b", "hall c", "Line B please", "on hall c"]),
        (["Press A", "Robot"], ["press b", "presb", "the press b"]),
        (["Press shop A", "Paint shop B"], ["press shop c", "paint shop a"]),
        (["Day shift", "Night shift"], ["early shift", "late shift", "any shift"]),
        (["Wrong size", "Cracked part"], ["wrong side", "track", "wrong side up"]),
        (["Shaft", "Paint", "Brake", "Crack"], ["shift", "point", "broke", "creak", "crank"]),
        (["Motor", "Valve", "Plate", "Side"], ["meter", "value", "place", "sight", "cite"]),
        (["Major", "Manor"], ["mayor", "magor"]),
    ],
)
def test_another_word_is_no_typing_error(labels, sayings):
    for said in sayings:
        assert chosen([[label, label] for label in labels], Said(said)) is None, said


@pytest.mark.parametrize(
    ("labels", "near"),
    [
        (["Small", "Large"], {"larg": "Large", "smal": "Small"}),
        (
            ["Minor", "Major", "Critical"],
            {"crit": "Critical", "criticle": "Critical", "mionr": "Minor", "majr": "Major"},
        ),
        (
            ["Bent", "Scratched", "Cracked", "Other"],
            {"scratchd": "Scratched", "craked": "Cracked", "crack": "Cracked", "bnt": "Bent"},
        ),
        (
            ["Line A", "Hall B", "Office"],
            {"linea": "Line A", "lin a": "Line A", "hal b": "Hall B", "the office": "Office"},
        ),
        (
            ["Day shift", "Night shift"],
            {"day": "Day shift", "dayshift": "Day shift", "nigth shift": "Night shift"},
        ),
        (
            ["Minor", "Major", "Crack", "Gearbox"],
            {
                "majer": "Major",
                "mayor": "Major",
                "magor": "Major",
                "minot": "Minor",
                "krack": "Crack",
                "gearboks": "Gearbox",
            },
        ),
        (
            ["No photo", "Photo", "Night shift", "Day shift"],
            {"no foto": "No photo", "foto": "Photo", "nite shift": "Night shift"},
        ),
        (["A press", "B press"], {"press a": "A press", "pres b": "B press"}),
        (["Leak", "Packaging damage"], {"leakage": "Leak", "packging": "Packaging damage"}),
        (
            ["Line 1", "Line 2", "Line stop"],
            {"line 2 stopped": "Line 2", "line stopped": "Line stop"},
        ),
    ],
)
def test_what_is_mistyped_is_near(labels, near):
    options = [[label, label] for label in labels]
    assert {said: chosen(options, Said(said)) for said in near} == near


@pytest.mark.parametrize(
    "said",
    [
        *(
            "production stopped",
            "Production down!",
            "stop production",
            "please stop the production",
        ),
        *("schedule stuck", "support not working"),
    ],
)
def test_what_is_amiss_is_no_label_that_tells_of_nothing(said):
    assert chosen(MAIN, Said(said)) is None


@pytest.mark.parametrize(
    ("said", "key"),
    [
        *(("minor I guess", "0"), ("I think it's major", "1"), ("it was critical", "2")),
        *(("probably line 2", "3"), ("at the line 2, I think", "3"), ("2. Major", "1")),
        *(("not minor I guess", None), ("I think not", None), ("maybe", None), ("4. Major", None)),
    ],
)
def test_a_label_in_a_sentence_that_says_no_more(said, key):
    labels = ["Minor", "Major", "Critical", "Line 2"]
    options = [[str(number), label] for number, label in enumerate(labels)]
    assert chosen(options, Said(said)) == key


@pytest.mark.parametrize(
    ("said", "key"),
    [
        *(("yes I think", "yes"), ("I think so, yes", "yes"), ("I think no", "no")),
        *(("1 yes", "yes"), ("2. No", "no"), ("1 no", None), ("👍👍", "yes"), ("👍🏾 👍🏾", "yes")),
        *(("I think not", None), ("it is not", None), ("👍👎", None)),
        *(("it's ok", None), ("I think it's ok", None), ("that's all right", None)),
        *(("It is all right", None), ("probably ok", None), ("it was noted", None)),
    ],
)
def test_a_yes_in_a_sentence_that_says_no_more(said, key):
    assert chosen([["yes", "Yes"], ["no", "No"]], Said(said)) == key


@pytest.mark.parametrize("tone", ["", *map(chr, range(0x1F3FB, 0x1F400))])
def test_a_thumb_of_any_colour(tone):
    yes_or_no = [["yes", "Yes"], ["no", "No"]]
    assert chosen(yes_or_no, Said(f"👍{tone}")) == "yes"
    assert chosen(yes_or_no, Said(f"👎{tone}")) == "no"


@pytest.mark.parametrize(
    ("labels", "said", "key"),
    [
        (["Minor", "Major"], "Two.", "1"),
        (["Minor", "Major"], "three", None),
        (["Minor", "Major"], "two parts", None),
        (["Line three", "Line two", "Line one"], "two", "1"),
        (["Two", "One"], "one", "1"),
    ],
)
def test_a_number_that_is_said_as_a_word(labels, said, key):
    options = [[str(number), label] for number, label in enumerate(labels)]
    assert chosen(options, Said(said)) == key


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ("Yes, please!", "yes"),
        ("OK.", "yes"),
        ("y.", "yes"),
        ("No, thank  you", "no"),
        ("n/a", None),
    ],
)
def test_yes_and_no_with_signs_and_spaces(said, key):
    assert chosen([["yes", "Yes"], ["no", "No"]], Said(said)) == key


@pytest.mark.parametrize(
    ("labels", "said", "key"),
    [
        (["> 5 mm", "< 5 mm"], "< 5 mm", "1"),
        (["> 5 mm", "< 5 mm"], "5 mm", None),
        (["A+", "A", "A-"], "a", "1"),
        (["A+", "A", "A-"], "A-", "2"),
        (["A-1", "A 1"], "a 1", "1"),
        (["⭐", "⭐⭐", "⭐⭐⭐"], "⭐⭐", "1"),
        (["⭐", "⭐⭐", "⭐⭐⭐"], "⭐⭐⭐⭐", None),
        (["✔️", "✖️"], "✖️", "1"),
        (["✔️", "✖️"], "✖", "1"),
        (["👎", "👍"], "👍🏾", "1"),
    ],
)
def test_labels_that_differ_in_signs(labels, said, key):
    options = [[str(number), label] for number, label in enumerate(labels)]
    assert chosen(options, Said(said)) == key


def test_a_payload_counts_before_the_words():
    assert chosen(MAIN, Said("Report a defect", payload="e")) == "e"
    assert chosen(MAIN, Said("Report a defect", payload="unknown")) == "b"


def test_a_key_that_is_typed_is_no_choice():
    assert chosen([["17", "Yes"], ["18", "No"]], Said("17")) is None


class Form(forms.Form):
    name = forms.CharField(max_length=5)
    size = forms.ChoiceField(choices=[("", "-----"), ("s", "Small"), ("l", "Large")])
    note = forms.CharField(required=False)

    def clean(self):
        if self.cleaned_data.get("note") == "bad":
            raise forms.ValidationError("Not that.")


def talk(*sayings, form=Form, state=None):
    turn = take_turn(form, state or State())
    for said in sayings:
        turn = take_turn(form, turn.state, said if isinstance(said, Said) else Said(said))
    return turn


def test_fields_are_asked_in_order():
    assert talk().state.asked == "name"
    assert talk("Bolt").state.asked == "size"
    assert talk("Bolt", "1").state.asked == "note"
    done = talk("Bolt", "large", "fine")
    assert done.reply is None
    assert done.form.cleaned_data == {"name": "Bolt", "size": "l", "note": "fine"}


def test_a_wrong_answer_is_asked_again_and_forgotten():
    turn = talk("far too long", "longer still")
    assert (turn.state.asked, turn.state.answers, turn.state.wrong) == ("name", {}, 2)
    assert "at most 5 characters" in turn.reply.error
    assert talk("far too long", "Bolt").state.wrong == 0


def test_an_answer_that_is_doubted_is_asked_again_and_taken_the_second_time():
    class Doubting(forms.CharField):
        def doubts(self, answer):
            return "" if len(answer) > 1 else "Really?"

    class Doubtful(Form):
        name = Doubting(max_length=5)

    turn = talk("x", form=Doubtful)
    assert (turn.state.asked, turn.state.answers, turn.reply.error) == ("name", {}, "Really?")
    assert talk("x", "y", form=Doubtful).reply.error == "Really?"
    assert talk("x", "far too long", "x", form=Doubtful).reply.error == "Really?"
    assert talk("x", "Bolt", form=Doubtful).state.asked == "size"
    taken = talk("x", "x", "1", "fine", form=Doubtful)
    assert (taken.reply, taken.form.cleaned_data["name"]) == (None, "x")


def test_an_optional_question_is_asked_and_may_be_skipped():
    assert talk("Bolt", "1").reply.optional
    assert talk("Bolt", "1", Said(skipped=True)).form.cleaned_data["note"] == ""


class Fact(forms.Form):
    stopped = forms.ChoiceField(choices=[("yes", "Yes"), ("no", "No")])


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        *((said, "yes") for said in ("ok", "Okay!", "ok boss", "👍", "yes", "sure", "1", "1!")),
        *((said, "yes") for said in ("yes already", "Yes, they did", "yes it is", "I think so")),
        *((said, "no") for said in ("not yet", "No, not yet", "no", "nope", "👎", "no it isn't")),
        *((said, None) for said in ("will do", "noted", "😊", "got it", "Ok, will do", "great")),
        *((said, None) for said in ("done", "noted, thanks", "not yet fixed", "already", "yet")),
    ],
)
def test_whether_something_is_so_takes_a_clear_answer(said, taken):
    turn = talk(said, form=Fact)
    assert turn.form.data.get("stopped") == taken
    assert (turn.reply is None) == bool(taken)


def test_what_is_wrong_as_a_whole_is_asked_at_the_end():
    turn = talk("Bolt", "1", "bad")
    assert (turn.state.asked, turn.reply.error) == ("note", "Not that.")


def test_options_are_those_of_the_moment_of_asking():
    class Reordered(Form):
        size = forms.ChoiceField(choices=[("l", "Large"), ("s", "Small")])

    asked = talk("Bolt").state
    turn = take_turn(Reordered, asked, Said("1"))
    assert turn.state.answers["size"] == "s"


def test_an_answer_that_the_form_no_longer_takes_is_asked_again():
    class Fewer(Form):
        size = forms.ChoiceField(choices=[("l", "Large"), ("x", "Huge")])

    turn = take_turn(Fewer, talk("Bolt").state, Said("1"))
    assert turn.state.asked == "size"
    assert turn.reply.error


def test_a_form_may_grow_and_shrink_between_two_messages():
    class Grown(Form):
        colour = forms.CharField()
        field_order = ["colour", "name"]

    class Shrunk(forms.Form):
        note = forms.CharField()

    asked = talk("Bolt").state
    assert take_turn(Grown, asked, Said("1")).state.asked == "colour"
    assert take_turn(Shrunk, asked, Said("1")).state.asked == "note"


def test_going_back_forgets_the_answer_before():
    back = go_back(Form, talk("Bolt", "1").state)
    assert back.answers == {"name": "Bolt"}
    assert take_turn(Form, back).state.asked == "size"
    assert go_back(Form, talk().state) is None


@pytest.mark.parametrize(
    "said", ["no wait, small", "Sorry, I meant small!", "oops small", "No, it was: Small"]
)
def test_the_choice_before_can_be_set_right(said):
    before, option = set_right(Form, talk("Bolt", "2").state, Said(said))
    assert (before.asked, before.answers, option) == ("size", {"name": "Bolt"}, ["s", "Small"])


@pytest.mark.parametrize(
    "said",
    [
        *("small", "no", "no, 1", "no wait, huge", "no small dent", "no small", "wait", "smalll"),
        *("sorry, large", "wait, large", "no wait, smal"),
    ],
)
def test_what_names_no_other_choice_sets_nothing_right(said):
    assert set_right(Form, talk("Bolt", "2").state, Said(said)) is None
    assert set_right(Form, talk("Bolt").state, Said("no wait, small")) is None


YES_OR_NO = [("yes", "Yes"), ("no", "No")]
SEVERITIES = [("a", "Minor"), ("b", "Major"), ("c", "Critical")]
KINDS = [("a", "Surface"), ("b", "Label"), ("c", "Power")]
LINES = [("a", "Line 1"), ("b", "Line 2"), ("c", "10")]


@pytest.mark.parametrize(
    ("choices", "before", "asked", "sayings"),
    [
        *(
            (YES_OR_NO, "yes", asked, ["Sorry, no", "no, none", "no nothing", "No, no!", "no nope"])
            for asked in (forms.CharField(), forms.ChoiceField(choices=YES_OR_NO))
        ),
        (YES_OR_NO, "yes", forms.CharField(), ["no wait, I have none", "no, ok"]),
        (YES_OR_NO, "no", forms.ChoiceField(choices=YES_OR_NO), ["actually yes", "no, yes"]),
        (SEVERITIES, "Major", forms.IntegerField(), ["sorry, three", "sorry, 3", "no, 3 please"]),
        (SEVERITIES, "Major", forms.ChoiceField(choices=SEVERITIES), ["sorry, minor"]),
        (KINDS, "Surface", forms.CharField(), ["No label", "No power", "no power!"]),
        (LINES, "Line 1", forms.IntegerField(), ["wait, one", "wait, two", "no, 10", "no, line 1"]),
    ],
)
def test_what_may_answer_the_question_asked_sets_nothing_right(choices, before, asked, sayings):
    class Two(forms.Form):
        first = forms.ChoiceField(choices=choices)
        second = asked

    state = talk(before, form=Two).state
    assert state.asked == "second"
    for said in sayings:
        assert set_right(Two, state, Said(said)) is None, said


@pytest.mark.parametrize("said", ["no wait, line 2", "no, line 2", "sorry, I meant line 2"])
@pytest.mark.parametrize(
    "asked", [forms.CharField(), forms.IntegerField(), forms.ChoiceField(choices=YES_OR_NO)]
)
def test_another_line_is_set_right_whatever_is_asked(asked, said):
    class Two(forms.Form):
        first = forms.ChoiceField(choices=LINES)
        second = asked

    assert set_right(Two, talk("line 1", form=Two).state, Said(said))[1] == ["b", "Line 2"]


class Hazard(forms.Form):
    bad = forms.ChoiceField(choices=SEVERITIES)
    stopped = forms.ChoiceField(choices=YES_OR_NO)
    line = forms.ChoiceField(choices=LINES)


@pytest.mark.parametrize(
    ("said", "answers", "asked"),
    [
        ("critical, line 2", {"bad": "c", "line": "b"}, "stopped"),
        ("Line 2 and critical", {"bad": "c", "line": "b"}, "stopped"),
        ("minor\nyes", {"bad": "a", "stopped": "yes"}, "line"),
        ("Major, no, line 1", {"bad": "b", "stopped": "no", "line": "a"}, ""),
    ],
)
def test_several_choices_can_be_made_at_once(said, answers, asked):
    turn = take_each(Hazard, talk(form=Hazard).state, Said(said))
    assert (turn.state.answers, turn.state.asked) == (answers, asked)


@pytest.mark.parametrize(
    "said", ["critical", "2, 3", "line 2, yes", "critical, huge", "minor, major", "yes and no", ","]
)
def test_but_not_where_a_part_of_it_is_no_choice(said):
    assert take_each(Hazard, talk(form=Hazard).state, Said(said)) is None


def test_a_form_without_fields_is_complete_at_once():
    assert take_turn(forms.Form, State()).reply is None


def test_the_state_survives_as_json():
    state = talk("Bolt").state
    assert State.from_json(state.as_json() | {"from a later version": 1}) == state
