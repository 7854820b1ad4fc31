"""Who tells of a fire or of somebody hurt hears at once whom to call, and the team knows."""

import re
import time
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from orders.models import Customer, Order
from whatsapp_bot import sweep, tasks
from whatsapp_bot.checks import check_mail
from whatsapp_bot.desk import Desk
from whatsapp_bot.emergency import tells_of_emergency
from whatsapp_bot.inbound import Incoming, Sender
from whatsapp_bot.models import Contact, HelpRequest, Message
from whatsapp_bot.models.contact import Role
from whatsapp_bot.models.help_request import TRIAL, HelpRequestQuerySet
from whatsapp_bot.receiving import keep
from whatsapp_bot.recent import forget_all
from whatsapp_bot.tests.staff import browser, shown, staff, waiting
from whatsapp_bot.tests.test_inbox import colleague

ALARM = "🚨 Is somebody in danger?"


@pytest.mark.parametrize(
    "said",
    [
        *(
            "FIRE!!!",
            "help!!! fire",
            "fire line 3",
            "call the fire brigade",
            "fire at line 3",
            "There's a fire in hall 2",
            "the press is on fire",
        ),
        *("not a drill, fire at line 3", "smoke everywhere", "smoke coming from the motor"),
        *("the forklift is smoking", "there was an explosion", "gas leak", "I smell gas"),
        *("someone is hurt", "Somebody got badly hurt", "no joke someone is hurt", "I got burnt"),
        *("a guy is bleeding", "he's unconscious", "man down!!", "she fainted", "I cut my finger"),
        *("Someone is hurt, nobody helps", "he is not breathing", "worker trapped in the lift"),
        *("Thabo's hand got caught in the roller", "accident on line 2", "emergency!"),
        *("call an ambulance", "Ambulance please", "Es brennt in Halle 2", "fuego en la linea 3"),
        *("my hand is bleeding", "the machine caught my finger", "He lost his finger in the press"),
        *("Sipho fell from the ladder", "someone passed out", "two workers injured"),
        *("a worker was crushed", "acid in my eyes", "electrocuted by the panel"),
        *("the building is burning", "I got shocked by the panel", "no way, fire at line 3"),
        *("Daar is 'n brand in saal 2", "Brand!", "Iemand is seergekry", "Kunomlilo emshinini"),
        *("Umuntu ulimele", "Jemand ist verletzt", "Die Presse brennt", "Alguien está herido"),
        *("he got burned at line 3", "I was hit by the forklift", "forklift hit a worker"),
        *("accident!", "he needs a doctor", "need first aid at line 2", "I have chest pain"),
        *("smoke!", "call 112 now", "Unfall in Halle 2", "Wypadek na linii 2"),
        *("Hay una fuga de gas", "Ktoś jest ranny", "Pali się!", "Quelqu'un est blessé"),
        *("hand stuck in press", "im hurt", "hes unconscious", "injured worker line 3"),
        *("he lost 2 fingers", "accident line 2", "SOS", "sos line 4", "🆘", "🚑", "🆘🆘 line 3"),
        *("two injured", "3 people injured", "Injury in hall 2", "guy cut his finger off"),
        *("my finger is broken", "she broke an arm", "he has a broken leg", "He cut himself"),
        *("he cant breathe", "she couldn't breathe", "theyre trapped in the lift", "he died"),
        *("we had an accident at line 2", "serious accident", "bad accident in hall 3"),
        *(
            "line 2 accident!",
            "an accident happened here",
            "I saw an accident",
            "he had an accident",
        ),
        *("lots of blood", "theres blood", "blood everywhere", "he is choking", "im choking"),
        *("gas leaking", "gas is escaping", "gas leakage in hall 2", "gas smell", "gas smell here"),
        *("flames coming out of the panel", "flames!", "machine in flames", "flames from the roof"),
        *("run over by forklift", "he was run over by a truck", "forklift ran over his foot"),
        *("help! fingers caught in the rollers", "operators hand crushed", "hurt my leg"),
        *(
            "hair caught in the drill",
            "stuck in the elevator",
            "someone fell",
            "he fell into the pit",
        ),
        *("she isnt breathing", "He doesn't breathe", "unconscious man at line 2", "bleeding hand"),
        *(
            "huge fire",
            "fingers cut off",
            "lost a finger",
            "his fingers are gone",
            "emergency line 3",
        ),
        *("he got a shock from the panel", "dead man", "we cant get out", "guy fell in the pit"),
        *("doctor needed", "first aid please", "medic!", "she has a seizure", "he is unresponsive"),
        *("No, somebody is hurt", "No. He is bleeding!", "no someone is trapped", "No! Fire!"),
        *("Nie, wypadek na linii 2", "no, no, smoke everywhere", "no my hand is stuck"),
        *("forklift hit someone", "forklift hit me", "a forklift hit him", "got hit by a forklift"),
        *(
            "John is bleeding",
            "he hit his head and is bleeding",
            "she hit her head",
            "I hit my head",
        ),
        *("unconscious", "unresponsive", "trapped", "trapped under pallet", "worker down"),
        *(
            "worker is not moving",
            "she isn't moving",
            "his hand is in the press",
            "he's not moving",
        ),
        *("Someone is stuck under the forklift", "man under forklift", "S.O.S.", "S.O.S. line 3"),
        *("first aid!", "doctor!!", "pls ambulance", "acid on skin", "someones hurt"),
        *("she hasnt been breathing", "he is no longer breathing", "somebodys bleeding"),
        *("doctor please come to line 3", "he is drowning in the tank", "the driver has died"),
        *("Maria is unconscious", "Sipho got hurt", "everyones hurt", "Thandi fainted"),
        *("Not a drill! Fire!", "her hair is in the drill", "he's stuck between the rollers"),
        *("a guy is lying on the floor", "he has no pulse"),
        *("They fell from the roof", "someones hand is stuck", "somebody down at line 3"),
    ],
)
def test_what_is_an_emergency(said):
    assert tells_of_emergency(said)


@pytest.mark.parametrize(
    "said",
    [
        *(
            "fire extinguisher at line 3 is missing",
            "machine fire door jammed",
            "fire door blocked",
            "fire drill tomorrow",
            "no fire",
        ),
        *("fired up the machine", "we fire at 900 degrees", "not on fire", "burn marks"),
        *("smoke detector broken", "explosion-proof motor", "no gas leak", "gas leak test failed"),
        *("no one was hurt", "nobody is injured", "the operator was not hurt"),
        *("someone could get hurt", "dead battery in the forklift", "they have burned parts"),
        *("the robot arm is stuck in the press", "bleeding the hydraulics", "deleted by accident"),
        *("the emergency stop does not work", "emergency exit is locked", "first aid kit is empty"),
        *("the robot's arm is stuck", "the printer's head is burnt", "the driver is burnt out"),
        *("the motor is burning hot", "machine burning smell", "I lost my hand drill"),
        *("they were crushed in transport", "They are burned at the edges"),
        *("we need first aid training", "he burned the motor", "he fell behind the schedule"),
        *("Feuerlöscher fehlt", "die battery is dood", "Die Lampe brennt nicht", "brandblusser"),
        *("Niemand ist verletzt", "Pali się czerwona lampka", "kein Feuer", "nadie está herido"),
        *("machine down", "press 3 leaks oil", "Where is order ORD-1001?", "2", ""),
        *("arm stuck on robot 3", "the hand of the robot is stuck", "robot arm broken"),
        *(
            "hand stuck on the gauge",
            "leg crushed in transport",
            "hand brake stuck",
            "foot pedal caught",
        ),
        *("hair stuck in the paint", "hair crack in the casting", "finger guard broken"),
        *(
            "accident line manager",
            "accident report form",
            "we have an accident book",
            "no accident",
        ),
        *(
            "serious accident report is missing",
            "we haven't had an accident",
            "sent by accident now",
        ),
        *(
            "injury report missing",
            "injury statistics",
            "no injuries",
            "injuries: none",
            "not injured",
        ),
        *("he lost his glove", "he cut the wire", "I cut 2 pieces", "he broke his hand drill"),
        *("they broke a leg of the table", "we cut 2 foot pieces", "the table's leg is broken"),
        *(
            "she has a broken hand pump",
            "my hand drill is broken",
            "im late",
            "its broken",
            "hes here",
        ),
        *("the chute is choking", "bearing seizure", "we have a stroke of 20 mm", "they fell"),
        *("the cable was run over by a forklift", "they were run over", "the battery died"),
        *("flame arrester broken", "flame cutting", "the flames in the burner are too low"),
        *("gas spring leaking", "gas leakage test", "no gas smell", "no blood", "blood pressure"),
        *("SOS label missing", "the first aid kit is needed", "the 🚑 has no diesel left today"),
        *(
            "someone lost a hand scanner",
            "he broke his head set",
            "we cut two finger joints too deep",
        ),
        *(
            "run over by 2 hours",
            "he burned two motors",
            "he crushed the box",
            "dead man switch broken",
        ),
        *("someone broke a leg off the table", "they are choking the supply", "hand wheel stuck"),
        *("he fell asleep", "a label got stuck in the machine", "forklift drove over the cable"),
        *("emergency light on line 3", "the cover can't get out of place", "SOS button broken"),
        *("doctor blade worn", "the buttons, they are unresponsive", "my line is stuck"),
        *("we are drowning in scrap", "LED driver has died", "they fell into the gearbox"),
        *("the batteries, they died after an hour", "I was at the doctor now I am back"),
        *("first aid please refill", "Forklift ran over my foot pedal", "the ink is bleeding"),
        *("flames out of the kiln burner", "flames from the gas burner are low", "ink is bleeding"),
        *("no worker is hurt", "no injured people", "nobodys hurt", "No. Fire drill is tomorrow"),
        *("none are injured", "no one is unconscious", "noone is hurt", "the signal has no pulse"),
        *("they collapsed the boxes", "they are lying on the floor", "it is not a joke"),
        *("forklift hit the rack", "line 2 is not moving", "the parts, they are not moving"),
        *(
            "we need a doctor blade",
            "they are stuck under the press",
            "someone is not moving the box",
        ),
        *("servo driver is dead", "the label is trapped under the film", "order 1001 SO S"),
    ],
)
def test_what_is_none(said):
    assert not tells_of_emergency(said)


def test_a_long_message_holds_nobody_up():
    words = "no fire at " * 9000
    begun = time.perf_counter()
    assert not tells_of_emergency(words)
    assert time.perf_counter() - begun < 2


def test_what_it_says_first_is_to_call_and_to_warn(say):
    assert say("Fire at line 3!").startswith(
        "🚨 Is somebody in danger? Call the emergency number now, and warn those around you. "
        "I am a machine. I have passed this on to our team, but it may be some time before anybody "
        "reads it."
    )


@pytest.mark.django_db
class TestInTheConversation:
    @pytest.mark.parametrize("before", [[], ["hi"], ["hi", "2"], ["hi", "1"], ["hi", "stop"]])
    def test_it_comes_first_and_reaches_the_team_wherever_one_is(self, say, before):
        for text in before:
            say(text)
        assert say("Fire at line 3!").startswith(ALARM)
        assert waiting() == ["🚨 Fire at line 3!"]

    @pytest.mark.parametrize("before", [[], ["hi"], ["hi", "2"], ["hi", "4"], ["hi", "1"]])
    def test_nobody_in_danger_is_told_to_choose_a_number(self, say, before):
        for text in before:
            say(text)
        reply = say("someone is hurt")
        assert reply.endswith("Send *menu* for the main menu.")
        assert "Sorry" not in reply
        assert "1. " not in reply

    def test_nor_after_a_silence(self, say):
        say("hi")
        say("2")
        with time_machine.travel(datetime.now(UTC) + timedelta(hours=30)):
            reply = say("someone is hurt")
        assert reply.startswith(ALARM)
        assert "1. " not in reply

    def test_nor_that_it_is_no_answer(self, phone):
        phone.send("image")
        (reply,) = phone.say("man down")
        assert reply.startswith(ALARM)
        assert "Sorry" not in reply
        assert "1. Yes" in reply

    def test_the_team_hears_also_of_what_came_too_late_to_be_answered(self, contact):
        sender = Sender(phone=contact.phone)
        keep(Incoming(sid="SM1", sender=sender, text="man down"))
        assert waiting() == ["🚨 man down"]

    @pytest.mark.parametrize("said", ["🆘", "🚑🚑", "im hurt"])
    def test_a_sign_or_a_hurried_word_is_enough(self, say, contact, said):
        say("hi")
        reply = say(said)
        assert reply.startswith(ALARM)
        assert "Sorry" not in reply
        keep(Incoming(sid="SM1", sender=Sender(phone=contact.phone), text=f"{said} now"))
        assert waiting() == [f"🚨 {said}\n{said} now"]

    def test_the_team_hears_also_when_the_bot_stumbles(self, say, monkeypatch):
        say("hi")
        monkeypatch.setattr(Desk, "_hear", lambda desk: 1 / 0)
        reply = say("man down")
        assert reply.startswith(ALARM)
        assert "something went wrong on our side" in reply
        assert waiting() == ["🚨 man down"]

    def test_an_alarm_that_fails_loses_no_message(self, say, monkeypatch):
        say("hi")
        monkeypatch.setattr(HelpRequestQuerySet, "alarm", lambda requests, said: 1 / 0)
        assert say("man down").startswith("Sorry, something went wrong on our side.")
        assert Message.objects.filter(body="man down").exists()

    def test_what_follows_reaches_the_team_too(self, say):
        say("someone is hurt")
        assert "passed that on to our team" in say("hall 2, by the press")
        assert waiting() == ["🚨 someone is hurt\nhall 2, by the press"]

    def test_who_says_it_twice_waits_for_the_team_once(self, say):
        say("fire")
        assert say("fire").startswith(ALARM)
        assert len(waiting()) == 1

    def test_who_says_another_one_adds_it_to_what_nobody_has_taken_yet(self, say):
        say("fire in hall 12")
        asked = HelpRequest.objects.get()
        seen = asked.version
        say("menu")
        assert say("fire in hall 1").startswith(ALARM)
        say("hall 3, by the press")
        assert waiting() == ["🚨 fire in hall 12\nfire in hall 1\nhall 3, by the press"]
        asked.refresh_from_db()
        assert "written more" in asked.news_since(seen, colleague("thandi"))

    def test_nobody_buries_the_alarms_of_others(self, new_phone):
        troll, other = new_phone(), new_phone()
        for hall in range(20):
            troll.say(f"fire in hall {hall}")
            troll.say("menu")
        other.say("man down at press 4")
        assert len(waiting()) == 2
        for line in range(4):
            troll.say("menu")
            troll.say(f"fire at line {line} " + "help " * 1_800)
            troll.say("and please hurry " * 200)
        assert len(waiting()[0]) < 10_000

    def test_what_is_left_for_the_team_is_marked_and_not_left_twice(self, say):
        for text in ("hi", "4", "1"):
            say(text)
        assert say("someone is hurt").startswith(ALARM)
        assert waiting() == ["🚨 someone is hurt"]

    def test_what_is_added_for_the_team_is_marked_too(self, say):
        for text in ("hi", "4", "1", "Who repairs the crane?"):
            say(text)
        assert say("now someone is hurt").startswith(ALARM)
        assert waiting() == ["🚨 Who repairs the crane?\nnow someone is hurt"]

    def test_the_same_words_are_another_alarm_once_somebody_took_the_first(self, say):
        say("fire")
        HelpRequest.objects.get().take(colleague("thandi"))
        say("menu")
        say("fire")
        assert HelpRequest.objects.untaken().get().text == "🚨 fire"

    def test_a_very_long_one_is_taken_as_well(self, say):
        say("man down")
        assert say("fire at line 3 " + "help " * 12_000).startswith(ALARM)

    def test_a_report_goes_on_with_it(self, say):
        for text in ("hi", "2", "1"):
            say(text)
        reply = say("smoke coming from the motor")
        assert reply.startswith(ALARM)
        assert "Defect Submitted" in reply

    def test_a_worker_is_asked_for_no_report_of_it(self, say, worker):
        say("hi")
        assert "defect" not in say("man down at press 4")
        assert "passed that on to our team" in say("hall 2, by the door")
        assert waiting() == ["🚨 man down at press 4\nhall 2, by the door"]

    def test_what_is_asked_with_it_is_answered(self, say, worker):
        acme = Customer.objects.create(name="Acme")
        Order.objects.create(number="ORD-1001", customer=acme, product="x", quantity=5)
        reply = say("Is ORD-1001 late? There was a fire in hall 2")
        assert reply.startswith(ALARM)
        assert "*Order ORD-1001*" in reply

    def test_every_page_of_the_admin_names_it_until_somebody_takes_it(self, say):
        say("man down at press 4")
        thandi = colleague("thandi")
        client = browser(thandi)
        page = shown(client, reverse("admin:index"))
        assert "This sounds like an emergency:" in page
        assert "🚨 man down at press 4" in page
        HelpRequest.objects.get().take(thandi)
        forget_all()
        assert "emergency" not in shown(client, reverse("admin:index"))

    def test_every_page_says_how_many_more_wait(self, new_phone):
        client = browser(colleague("thandi"))
        for place, more in enumerate(["", "1 more waits", "2 more wait"]):
            new_phone().say(f"fire in hall {place}")
            forget_all()
            page = shown(client, reverse("admin:index"))
            assert "🚨 fire in hall 0" in page
            assert f">{more}</a>." in page if more else "more wait" not in page
        new_phone().say("hi")
        there = re.search(r'href="([^"]+)">2 more wait<', page)[1].replace("&amp;", "&")
        found = client.get(there).context["cl"].result_list
        assert [asked.text for asked in found] == [f"🚨 fire in hall {place}" for place in range(3)]

    def test_a_trial_in_the_simulator_hides_nothing_that_is_real(self, new_phone):
        client = browser(colleague("thandi"))
        new_phone("+99900000001").say("fire in hall 1")
        page = shown(client, reverse("admin:index"))
        assert "This is a trial of an emergency in the simulator:" in page
        new_phone().say("fire in hall 2")
        forget_all()
        page = shown(client, reverse("admin:index"))
        assert "This sounds like an emergency:" in page
        assert "🚨 fire in hall 2</a>" in page
        assert "1 more waits" in page

    def test_who_may_see_no_requests_is_told_nothing(self, say):
        say("man down at press 4")
        assert "man down" not in shown(browser(staff("clerk")), reverse("admin:index"))

    def test_words_with_a_photo_count(self, phone):
        (reply,) = phone.send("image", text="fire at line 3")
        assert reply.startswith(ALARM)
        assert waiting() == ["🚨 fire at line 3"]

    def test_nor_is_a_customer_asked_whether_the_team_is_to_have_it(self, phone, contact):
        """They have it, and were told so; what follows joins it."""
        Contact.objects.update(role=Role.CUSTOMER)
        phone.say("hi")
        phone.say("1")
        (reply,) = phone.send("image", text="fire in the hall")
        assert reply.startswith(ALARM)
        assert "Shall I pass it on" not in reply
        phone.send("audio")
        assert waiting() == ["🚨 fire in the hall\n📎"]


@pytest.mark.django_db
class TestByMail:
    @pytest.fixture(autouse=True)
    def _to_whom(self, settings):
        settings.ADMINS = [("Safety", "safety@example.com")]

    @pytest.fixture
    def work(self):
        """What the worker does in this second. How often it was asked to send mails."""

        def work() -> int:
            sweep.wake_the_mailing()
            asked = DBTaskResult.objects.all().delete()[0]
            tasks.mail_alarms.func()
            return asked

        return work

    @pytest.fixture
    def no_server(self, settings):
        """No mail server answers until it is called."""
        there = settings.EMAIL_BACKEND
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
        return lambda: setattr(settings, "EMAIL_BACKEND", there)

    def test_one_mail_says_who_needs_help_and_where_to_take_it(self, new_phone, work):
        phone = new_phone(name="Thabo Nkosi")
        phone.say("someone is hurt")
        phone.say("hall 2, by the press")
        assert not mail.outbox
        assert work() == 1
        (told,) = mail.outbox
        asked = HelpRequest.objects.get()
        at = timezone.localtime(asked.created_at)
        assert told.to == ["safety@example.com"]
        assert told.subject == f"Andon: {asked.number} sounds like an emergency"
        assert "🚨 someone is hurt\nhall 2, by the press\n" in told.body
        assert (
            f"From Thabo Nkosi, {phone.address}, at {at:%H:%M}, {at.day} {at:%B %Y}." in told.body
        )
        page = reverse("admin:whatsapp_bot_helprequest_change", args=[asked.pk])
        assert f"https://andon.example.com{page}\n" in told.body

    def test_what_a_person_says_further_makes_no_second_mail(self, say, work):
        for text in ("someone is hurt", "menu", "fire at line 3", "fire at line 3", "man down"):
            say(text)
            work()
        assert len(mail.outbox) == 1
        assert work() == 0

    def test_of_each_person_there_is_one(self, new_phone, work):
        for _ in range(2):
            new_phone().say("fire")
        work()
        assert len(mail.outbox) == 2

    def test_another_emergency_is_mailed_again(self, say, work):
        say("fire")
        work()
        with time_machine.travel(datetime.now(UTC) + timedelta(hours=20)):
            say("fire")
            work()
        assert waiting() == ["🚨 fire", "🚨 fire"]
        for asked in HelpRequest.objects.all():
            asked.take(colleague(f"colleague-{asked.pk}"))
        with time_machine.travel(datetime.now(UTC) + timedelta(hours=21)):
            say("fire")
            work()
        assert len(mail.outbox) == 3

    def test_what_was_left_for_the_team_before_is_mailed_once_it_is_one(self, say, work):
        for text in ("hi", "4", "1", "Who repairs the crane?"):
            say(text)
        assert work() == 0
        say("now someone is hurt")
        work()
        (told,) = mail.outbox
        assert "Who repairs the crane?\nnow someone is hurt" in told.body

    def test_a_mail_server_that_is_down_loses_no_mail(self, say, work, no_server, log):
        assert say("fire").startswith(ALARM)
        work()
        assert [line["error"] for line in log if "mail" in line["event"]] == [
            "ConnectionRefusedError"
        ]
        assert work() == 0
        no_server()
        for later in (timedelta(minutes=2), timedelta(minutes=4)):
            with time_machine.travel(datetime.now(UTC) + later):
                work()
        assert len(mail.outbox) == 1

    def test_nor_does_it_trouble_anybody_with_what_somebody_took(self, say, work, no_server):
        say("fire")
        work()
        HelpRequest.objects.get().take(colleague("thandi"))
        no_server()
        with time_machine.travel(datetime.now(UTC) + timedelta(minutes=2)):
            assert work() == 0
        assert not mail.outbox

    def test_two_workers_send_one(self, say):
        say("fire")
        first, second = HelpRequest.objects.get(), HelpRequest.objects.get()
        first.mail()
        second.mail()
        assert len(mail.outbox) == 1

    def test_what_happens_while_others_are_told_of_counts(self, new_phone):
        """A mail server may be slow, and many may wait for it."""
        phones = [new_phone(), new_phone()]
        for phone in phones:
            phone.say("fire")
        taken, said_more = HelpRequest.objects.order_by("pk")
        HelpRequest.objects.get(pk=taken.pk).take(colleague("thandi"))
        phones[1].say("hall 2, by the press")
        taken.mail()
        said_more.mail()
        (told,) = mail.outbox
        assert "🚨 fire\nhall 2, by the press\n" in told.body

    def test_a_trial_in_the_simulator_is_said_to_be_one(self, new_phone, work):
        for phone in (new_phone("+99900000001"), new_phone("ZZ.simulator4"), new_phone()):
            phone.say("fire")
        work()
        assert [told.subject.endswith(" (a trial)") for told in mail.outbox] == [True, True, False]
        assert [told.body.startswith(TRIAL) for told in mail.outbox] == [True, True, False]

    def test_without_addresses_nobody_is(self, say, work, settings):
        settings.ADMINS = []
        say("fire")
        assert work() == 0
        assert not mail.outbox

    def test_without_a_mail_server_the_check_says_so(self, settings):
        assert not check_mail()
        settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
        (warning,) = check_mail()
        assert "nobody is told" in warning.msg
        settings.ADMINS = []
        assert not check_mail()
