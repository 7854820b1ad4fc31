"""Pictures, voice notes, documents and locations, and the report that they belong to."""

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.test import Client

from defects.models import Attachment, DefectReport, Question
from orders.models import Customer, CustomerLink, Order
from whatsapp_bot.models import Contact, HelpRequest, Media, Message
from whatsapp_bot.models.contact import Role
from whatsapp_bot.recent import forget_all
from whatsapp_bot.simulator import phone as simulator
from whatsapp_bot.tests import files
from whatsapp_bot.tests.staff import waiting


@pytest.fixture
def describing(say):
    """Somebody has been asked to describe a defect."""
    say("hi")
    say("2")
    say("1")


@pytest.fixture
def ask_for(say, defect_form):
    """Have the form ask for this kind of answer instead, and begin a report."""

    def ask_for(kind):
        defect_form.questions.update(kind=kind)
        defect_form.publish()
        forget_all()
        for text in ("hi", "2", "1"):
            say(text)

    return ask_for


def attached() -> int:
    return Media.objects.filter(message__attachment__report=DefectReport.objects.get()).count()


def test_a_caption_is_the_answer(phone, describing):
    (reply,) = phone.send("image", text="The seal leaks")
    assert "Defect Submitted" in reply
    assert DefectReport.objects.get().description == "The seal leaks"
    assert attached() == 1


def test_without_a_caption_the_picture_is_kept_and_the_question_repeated(phone, say, describing):
    (reply,) = phone.send("image")
    assert reply == "📎 Got it, I will add that to your report.\n\nPlease describe the defect:"
    assert "Defect Submitted" in say("The seal leaks")
    assert attached() == 1


@pytest.mark.parametrize(
    ("kind", "content_type", "text"),
    [
        ("audio", "audio/ogg", ""),
        ("video", "video/mp4", ""),
        ("document", "application/pdf", "drawing.pdf"),
    ],
)
def test_other_files_belong_to_the_report_as_well(phone, say, describing, kind, content_type, text):
    (reply,) = phone.send(kind, content_type, text)
    assert "Please describe the defect:" in reply
    say("The seal leaks")
    assert attached() == 1
    assert DefectReport.objects.get().description == "The seal leaks"


def test_a_location_belongs_to_the_report(say, describing):
    reply = say("", MessageType="location", Latitude="-33.92", Longitude="18.42", Label="Hall 3")
    assert "Please describe the defect:" in reply
    say("The seal leaks")
    message = Attachment.objects.get().message
    assert message.details == {
        "Latitude": "-33.92",
        "Longitude": "18.42",
        "Label": "Hall 3",
    }


def test_with_a_caption_that_is_no_answer_the_picture_is_kept_and_said_to_be(
    phone, say, describing, two_questions
):
    forget_all()
    say("The seal leaks")
    (reply,) = phone.send("image", text="the left one")
    assert reply.startswith(
        "📎 Got it, I will add that to your report.\n\nSorry, I need one number, such as 12."
    )
    assert "Defect Submitted" in say("3")
    assert attached() == 1


def test_a_picture_joins_the_report_just_made(phone, say, describing, clock):
    say("The seal leaks")
    clock.shift(timedelta(minutes=29))
    (reply,) = phone.send("image")
    number = DefectReport.objects.get().number
    assert reply.startswith(f"📎 Added to your report {number}, “The seal leaks”.")
    assert attached() == 1


def test_a_picture_half_an_hour_later_does_not(phone, say, describing, clock):
    say("The seal leaks")
    clock.shift(timedelta(minutes=31))
    (reply,) = phone.send("image")
    assert "Would you like to report a defect with it?" in reply
    assert attached() == 0


def test_a_picture_for_the_last_report_leaves_the_question_standing(phone, say, describing):
    say("The seal leaks")
    say("2")
    (reply,) = phone.send("image")
    assert "Added to your report" in reply
    assert "1. Report a defect" in reply
    assert "Please describe the defect:" in say("1")


def test_a_picture_with_nothing_under_way_is_offered_to_be_reported(phone, say):
    (reply,) = phone.send("image")
    assert "Would you like to report a defect with it?\n\n1. Yes\n2. No" in reply
    assert say("yes") == "Please describe the defect:"
    say("The seal leaks")
    assert attached() == 1


FOR_TEAM = (
    "📎 Thank you, I have that. Shall I pass it on to our team?\n\n"
    "1. Yes, pass it on\n2. No, show me the menu"
)
VOICE, PICTURE = ("audio", "audio/ogg"), ("image", "image/jpeg")
PDF = ("document", "application/pdf")


@pytest.mark.parametrize(
    ("role", "file", "is_for_team"),
    [
        *((Role.WORKER, file, False) for file in (VOICE, PICTURE, PDF)),
        *((Role.CUSTOMER, file, True) for file in (VOICE, PICTURE, PDF)),
        *((Role.UNKNOWN, file, True) for file in (VOICE, PDF)),
        (Role.UNKNOWN, PICTURE, False),
    ],
)
def test_what_may_show_no_defect_is_offered_to_the_team(
    phone, say, contact, role, file, is_for_team
):
    Contact.objects.update(role=role)
    say("hi")
    (asked,) = phone.send(*file)
    assert (asked == FOR_TEAM) == is_for_team
    assert ("report a defect with it" in asked) != is_for_team


@pytest.fixture
def customer(contact):
    Contact.objects.update(role=Role.CUSTOMER)


@pytest.mark.parametrize("before", [["hi"], ["hi", "1"], ["hi", "2"], ["hi", "4"], []])
def test_what_a_customer_sends_reaches_the_team(phone, say, customer, before):
    for text in before:
        say(text)
    (asked,) = phone.send("audio")
    assert asked.endswith(FOR_TEAM)
    assert "Our team has your message" in say("yes")
    request = HelpRequest.objects.get()
    assert (request.text, request.message.kind) == ("📎", "audio")
    assert not DefectReport.objects.exists()


def test_its_caption_and_what_is_added_go_with_it(phone, say, customer):
    assert phone.send("image", text="This is the seal")[0].endswith(FOR_TEAM)
    assert "our team will see that as well" in phone.send("audio")[0]
    assert "Our team has your message" in say("it came like that")
    assert HelpRequest.objects.get().text == "This is the seal\nit came like that"


def test_what_is_asked_of_a_picture_goes_with_it(phone, say, customer):
    say("hi")
    assert phone.send("image", text="When do you deliver?")[0].endswith(FOR_TEAM)


@pytest.mark.parametrize("said", ["for order ORD-1001", "ORD-1001", "PO 4711"])
def test_an_order_that_is_named_with_it_goes_with_it(phone, say, customer, contact, said):
    acme = Customer.objects.create(name="Acme")
    CustomerLink.objects.create(contact=contact, customer=acme)
    Order.objects.create(number="ORD-1001", customer=acme, product="Bracket", quantity=5)
    phone.send(*PDF, text="drawing.pdf")
    assert "Our team has your message" in say(said)
    assert HelpRequest.objects.get().text == f"📎\n{said}"
    assert "passed that on" in say("for order ORD-1001")
    assert "*Order ORD-1001*" in say("Where is ORD-1001?")


@pytest.mark.parametrize("said", ["2 no", "no 2", "2, nope"])
def test_a_no_with_its_number_passes_nothing_on(phone, say, customer, said):
    phone.send("image")
    assert say(said).startswith("Sorry, that is not one of the choices.")
    assert not HelpRequest.objects.exists()
    assert "Our team has your message" in say("No. 4711")


def test_a_location_is_for_the_team_too_or_for_nobody(say, customer):
    say("hi")
    assert say("", MessageType="location", Latitude="1.5", Longitude="2.5") == FOR_TEAM
    assert "Check order status" in say("no")
    assert not HelpRequest.objects.exists()


def test_an_album_of_a_customer_is_asked_about_once(phone, say, customer):
    say("hi")
    assert [phone.send("image") for _ in range(3)] == [[FOR_TEAM], [], []]


def test_a_picture_of_a_customer_joins_the_report_that_is_begun_by_the_menu(phone, say, customer):
    phone.send("image")
    say("menu")
    say("2")
    say("1")
    say("The seal leaks")
    assert attached() == 1


@pytest.mark.parametrize("role", [Role.WORKER, Role.UNKNOWN])
def test_at_the_help_it_is_for_the_team(phone, say, contact, role):
    Contact.objects.update(role=role)
    say("hi")
    say("4")
    assert phone.send("image") == [FOR_TEAM]


def test_a_voice_note_is_a_message_for_the_team(phone, say):
    say("hi")
    say("4")
    say("1")
    assert "Our team has your message" in phone.send("audio")[0]
    request = HelpRequest.objects.get()
    assert (request.text, request.message.kind) == ("🎤 Voice note", "audio")
    assert "passed that on to our team" in phone.send("audio")[0]


def test_that_a_voice_note_does_not_answer_the_question_is_said(phone, say, describing):
    assert phone.send("audio") == [
        "📎 Got it, I will add that to your report. "
        "I cannot listen to it, so please write a few words as well.\n\n"
        "Please describe the defect:"
    ]
    assert "Defect Submitted" in say("The seal leaks")
    assert attached() == 1


def test_where_the_question_has_choices_it_asks_for_a_number(phone, say, worker):
    say("the belt is torn")
    assert phone.send("audio") == [
        "📎 I have that one as well. I cannot listen to it, so please send one of the numbers.\n\n"
        "Thank you for telling me! Shall I report that as a defect?\n\n1. Yes\n2. No"
    ]


@pytest.mark.parametrize("kind", ["number", "date"])
def test_where_words_are_no_answer_it_asks_for_the_answer(phone, ask_for, kind):
    ask_for(kind)
    assert phone.send("audio") == [
        "📎 Got it, I will add that to your report. "
        "I cannot listen to it, so please write the answer.\n\n"
        "Please describe the defect:"
    ]


def test_where_a_photo_is_asked_for_it_asks_for_no_words(phone, ask_for):
    ask_for("photo")
    assert phone.send("audio") == [
        "📎 Got it, I will add that to your report.\n\nPlease describe the defect:"
    ]


def test_its_caption_is_the_description(phone, say):
    phone.send("image", text="The seal leaks")
    assert "Defect Submitted" in say("1")
    assert DefectReport.objects.get().description == "The seal leaks"
    assert attached() == 1


def test_but_not_one_that_describes_nothing(phone, say):
    phone.send("image", text="ok")
    assert say("yes") == "Please describe the defect:"
    say("The seal leaks")
    assert DefectReport.objects.get().description == "The seal leaks"
    assert attached() == 1


def test_two_pictures_of_an_album_do_not_say_the_same_twice(phone, say, describing):
    assert "that tells me too little" in phone.send("image", text="ok")[0]
    assert phone.send("image", text="ok")[0].endswith("Please describe the defect:")
    assert not DefectReport.objects.exists()
    say("The seal leaks")
    assert attached() == 2


def test_a_picture_that_is_not_to_be_reported_joins_no_later_report(phone, say):
    phone.send("image")
    assert "no report then" in say("no")
    say("2")
    say("1")
    say("The seal leaks")
    assert attached() == 0


def test_a_picture_waits_half_an_hour(phone, say, clock):
    phone.send("image")
    clock.shift(timedelta(minutes=31))
    assert say("yes").startswith("That was a while ago")
    say("The seal leaks")
    assert attached() == 0


def test_a_picture_joins_a_report_that_is_begun_by_the_menu(phone, say, clock):
    phone.send("image")
    clock.shift(timedelta(minutes=5))
    say("menu")
    say("2")
    say("1")
    say("The seal leaks")
    assert attached() == 1


def test_an_album_is_answered_once(phone, say, describing, clock):
    replies = []
    for _ in range(10):
        replies += phone.send("image")
        clock.shift(timedelta(milliseconds=300))
    assert replies == ["📎 Got it, I will add that to your report.\n\nPlease describe the defect:"]
    say("The seal leaks")
    assert attached() == 10


def test_an_album_whose_first_picture_has_the_caption_ends_on_one_report(phone, describing):
    (reply,) = phone.send("image", text="The seal leaks")
    assert "Defect Submitted" in reply
    for _ in range(9):
        assert phone.send("image") == []
    assert attached() == 10


def test_an_album_whose_last_picture_has_the_caption_ends_on_one_report(phone, describing):
    phone.send("image")
    for _ in range(8):
        assert phone.send("image") == []
    assert "Defect Submitted" in phone.send("image", text="The seal leaks")[0]
    assert attached() == 10


def test_an_album_with_nothing_under_way_is_asked_about_once(phone, say):
    assert len(phone.send("image")) == 1
    for _ in range(9):
        assert phone.send("image") == []
    say("yes")
    say("The seal leaks")
    assert attached() == 10


def test_a_silent_picture_sent_again_stays_silent(phone, describing):
    phone.send("image")
    again = phone.parameters(
        MessageType="image",
        NumMedia="1",
        MediaUrl0="https://api.twilio.com/x",
        MediaContentType0="image/png",
    )
    first = simulator.post(again)
    second = simulator.post(again)
    assert simulator.replies(first) == simulator.replies(second) == []
    assert Message.objects.filter(sid=again["MessageSid"]).count() == 1


def test_pictures_after_eleven_seconds_are_answered_again(phone, describing, clock):
    phone.send("image")
    clock.shift(timedelta(seconds=11))
    assert len(phone.send("image")) == 1


def test_a_cancelled_report_takes_its_pictures_with_it(phone, say, describing):
    phone.send("image")
    say("cancel")
    say("2")
    say("1")
    say("Another thing")
    assert attached() == 0


def test_a_picture_after_a_long_silence_is_kept_while_the_report_is_offered(
    phone, say, two_questions, clock
):
    say("hi")
    say("2")
    say("1")
    say("The seal leaks")
    clock.shift(timedelta(hours=5))
    (reply,) = phone.send("image")
    assert "1. Continue" in reply
    assert say("1") == "How many parts?"
    say("4")
    assert attached() == 1


@pytest.mark.parametrize(
    "words",
    [
        *("There is no oil in the gearbox", "it makes a noise, yes, a loud one", "Not a scratch"),
        *("No guard on machine 5", "No. 5 press is leaking", "No 5 has no oil", "wrong lot number"),
    ],
)
def test_words_after_a_picture_describe_the_defect(phone, say, words):
    phone.send("image")
    assert "Defect Submitted" in say(words)
    assert DefectReport.objects.get().description == words
    assert attached() == 1


@pytest.mark.parametrize("word", ["yeah", "ok", "OK.", "Sure!", "👍", "Yes, please", "Y"])
def test_there_are_many_words_for_yes(phone, say, word):
    phone.send("image")
    assert say(word) == "Please describe the defect:"


@pytest.mark.parametrize("word", ["nope", "No thanks", "No, thank you!", "no  thanks.", "👎"])
def test_there_are_many_words_for_no(phone, say, word):
    phone.send("image")
    assert "no report then" in say(word)


@pytest.mark.parametrize(
    "words",
    [
        *("what?", "not", "now", "maybe so", "Who are you?", "No, that was for my boss"),
        *("no it was a mistake", "nope, my mistake there", "sorry wrong chat", "no damage"),
        *("Sorry, wrong person", "oops wrong person sorry"),
    ],
)
def test_what_is_neither_yes_nor_no_nor_a_description_is_asked_again(phone, say, words):
    phone.send("image")
    assert say(words).startswith("Sorry, that is not one of the choices.")
    assert not DefectReport.objects.exists()


@pytest.mark.parametrize(
    "words",
    [
        *("No. 5 press leaks", "No. A5 press leaks", "No.CNC-5 is down again"),
        "The wrong person was let into the cell",
        *("press broke", "Line 3", "oil leak"),
    ],
)
def test_what_only_looks_like_a_no_is_a_description(phone, say, words):
    phone.send("image")
    assert "not one of the choices" not in say(words)


def test_an_album_after_a_long_silence_is_offered_the_report_once(phone, say, two_questions, clock):
    say("hi")
    say("2")
    say("1")
    say("The seal leaks")
    clock.shift(timedelta(hours=5))
    replies = []
    for _ in range(3):
        replies += phone.send("image")
        clock.shift(timedelta(seconds=1))
    assert len(replies) == 1
    assert say("start over") == "Please describe the defect:"
    say("The lid is bent")
    say("4")
    assert attached() == 3


def test_a_silent_picture_leaves_what_was_asked_meanwhile(phone, say, clock):
    phone.send("image")
    clock.shift(timedelta(seconds=2))
    say("menu")
    clock.shift(timedelta(seconds=2))
    assert phone.send("image") == []
    assert "View defect history" in say("2")
    say("1")
    say("The seal leaks")
    assert attached() == 2


def test_a_photo_that_was_asked_for_is_answered_however_soon(phone, say, defect_form):
    Question.objects.create(
        form=defect_form, position=20, name="label", kind="photo", text="Now one of the label:"
    )
    defect_form.publish()
    forget_all()
    say("hi")
    say("2")
    say("1")
    assert phone.send("image", text="The seal leaks") == ["Now one of the label:"]
    assert "Defect Submitted" in phone.send("image")[0]


@pytest.mark.parametrize("kind", ["contacts", "sticker", "reaction"])
def test_what_cannot_be_read_has_the_question_asked_again(say, two_questions, kind):
    for text in ("hi", "2", "1", "The seal leaks"):
        say(text)
    assert say("", MessageType=kind) == (
        "Sorry, I cannot read that kind of message. Please write to me in words.\n\nHow many parts?"
    )
    assert "Defect Submitted" in say("3")


def test_what_cannot_be_read_is_no_photo_either(say, ask_for):
    ask_for("photo")
    for kind in ("sticker", "image"):
        reply = say("", MessageType=kind)
        assert reply == "Sorry, I need a picture here.\n\nPlease describe the defect:"


def test_a_photo_that_is_sent_as_a_document_is_one(phone, ask_for):
    ask_for("photo")
    (reply,) = phone.send("document", "image/jpeg", "IMG_2041.jpg")
    assert "Defect Submitted" in reply
    message = Attachment.objects.get().message
    assert (message.kind, message.body, message.file_name) == ("image", "", "IMG_2041.jpg")


@pytest.mark.parametrize("kind", ["image/tiff", "image/vnd.dwg", "image/svg+xml"])
def test_a_drawing_is_no_photo(phone, ask_for, kind):
    ask_for("photo")
    assert phone.send("document", kind, "plan.tif") == [
        "📎 Got it, I will add that to your report.\n\nPlease describe the defect:"
    ]
    assert "Defect Submitted" in phone.send("document", "image/jpg; x=y", "IMG_2041.jpg")[0]
    assert attached() == 2


def test_the_name_of_a_photo_describes_nothing(phone, say, describing):
    (reply,) = phone.send("document", "image/heic", "torn seal at line 3.heic")
    assert reply == "📎 Got it, I will add that to your report.\n\nPlease describe the defect:"
    assert "Send a photo now" not in say("The seal leaks")


def test_a_voice_note_is_no_part_of_an_album(phone, describing, clock):
    phone.send("image")
    clock.shift(timedelta(seconds=5))
    assert len(phone.send("audio")) == 1


def test_a_caption_is_not_lost_while_something_unfinished_is_offered(phone, say, two_questions):
    say("hi")
    say("2")
    say("1")
    say("Old one")
    say("menu")
    phone.send("image", text="A crack in the frame")
    assert "“Old one”" in say("yes")
    assert say("start over") == "How many parts?"
    say("4")
    assert DefectReport.objects.get().description == "A crack in the frame"


def test_a_location_is_no_photo(say, ask_for):
    ask_for("photo")
    place = {"MessageType": "location", "Latitude": "-33.92", "Longitude": "18.42"}
    assert "Please describe the defect:" in say("", **place)


def test_more_still_works_after_a_picture_has_joined_a_report(phone, say, contact):
    for count in range(7):
        DefectReport.objects.file(reported_by=contact, description=f"Thing {count}")
    say("hi")
    say("2")
    assert "*more*" in say("2")
    phone.send("image")
    assert "Thing 1" in say("more")


def test_a_captioned_picture_is_the_message_for_the_team(phone, say):
    say("hi")
    say("4")
    assert say("1") == "What would you like to tell our team?"
    assert phone.send("image")[0].startswith("📎 Got it, our team will see that as well.")
    assert "HELP-" in phone.send("image", text="Please call me about my invoice")[0]
    assert HelpRequest.objects.get().text == "Please call me about my invoice"


@pytest.mark.parametrize("leave", ["menu", "help", "back", "stop", "hi"])
def test_a_photo_for_the_team_reaches_it_without_words_too(phone, say, leave):
    for text in ("hi", "4", "1"):
        say(text)
    phone.send("image")
    phone.send("image", text="?")
    assert "Thank you! I have passed that on to our team." in say(leave)
    assert waiting() == ["📎\n?"]
    for text in ("menu", "2", "1", "The seal leaks"):
        say(text)
    assert attached() == 0
    assert waiting() == ["📎\n?"]


def test_a_photo_from_before_is_not_for_the_team(phone, say):
    """It waits for a report, also while a message for the team is written."""
    assert "report a defect with it?" in phone.send("image")[0]
    say("help")
    say("1")
    phone.send("image")
    assert "Our team has your message" in say("Please call me")
    for text in ("menu", "help", "1"):
        say(text)
    assert "passed that on" not in say("menu")
    for text in ("2", "1", "The seal leaks"):
        say(text)
    assert attached() == 1
    assert waiting() == ["Please call me"]


def test_nor_is_one_for_a_report_that_was_left_half_way(phone, say, two_questions, clock):
    for text in ("hi", "2", "1"):
        say(text)
    say("Oil on the floor there")
    clock.shift(timedelta(hours=30))
    assert "1. Continue" in phone.send("image")[0]
    for text in ("help", "1", "back", "back"):
        assert "passed that on" not in say(text)
    assert say("1") == "How many parts?"
    say("4")
    assert attached() == 1
    assert waiting() == []


def test_also_after_a_long_silence(phone, say, clock):
    for text in ("hi", "4", "1"):
        say(text)
    phone.send("image")
    clock.shift(timedelta(hours=5))
    assert say("2").startswith(
        "It has been a while, so we start again here.\n\n"
        "Thank you! I have passed that on to our team."
    )
    assert waiting() == ["📎"]


def test_but_not_where_it_is_cancelled_or_was_only_offered(phone, say, customer):
    for text in ("hi", "4", "1"):
        say(text)
    phone.send("image")
    assert say("cancel").startswith("Cancelled. Nothing was submitted.")
    assert phone.send("image", text="And this?") == [FOR_TEAM]
    assert "passed that on" not in say("menu")
    assert waiting() == []


def test_who_sees_reports_and_no_messages_sees_their_photos_only(describing, phone, settings, api):
    """A manager: at the page and the list of files, at the addresses of both, and over the API."""
    in_memory = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    settings.STORAGES = {**settings.STORAGES, "default": in_memory}
    phone.send("image", text="My own words")
    phone.say("help")
    phone.say("1")
    phone.send("image", text="For the team only")
    filed, other = Media.objects.order_by("pk")
    assert attached() == 1
    for media in (filed, other):
        media.file.save("one.jpg", ContentFile(files.JPEG), save=False)
        media.thumbnail.save("one.jpg", ContentFile(files.JPEG), save=False)
        media.status, media.content_type = Media.Status.STORED, "image/jpeg"
        media.save()
    system = api("Managers")
    browser = Client()
    browser.force_login(system.user)
    for client, way, refused in (
        (browser, "/files/{}/", 404),
        (browser, "/files/{}/small/", 404),
        (browser, "/admin/whatsapp_bot/media/{}/change/", 302),
        (system, "/api/v1/files/{}/", 404),
        (system, "/api/v1/files/{}/small/", 404),
    ):
        assert client.get(way.format(filed.pk)).status_code == 200, way
        assert client.get(way.format(other.pk)).status_code == refused, way
    for path in ("", f"{filed.pk}/change/"):
        page = browser.get(f"/admin/whatsapp_bot/media/{path}").content.decode()
        assert "image/jpeg" in page
        assert "My own words" not in page
        assert "For the team" not in page
