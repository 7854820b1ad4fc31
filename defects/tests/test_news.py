"""What a reporter hears, and what becomes of the reply."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from defects.models import DefectReport
from orders.models import Customer, Order
from whatsapp_bot.delivery import DeliveryReport, Status
from whatsapp_bot.models import Conversation, Message, MessageTemplate, Wording
from whatsapp_bot.recent import forget_all

pytestmark = pytest.mark.django_db


@pytest.fixture
def report(say):
    """Reported by the person with the phone, who then stands at no question."""
    for text in ("hi", "2", "1", "Deep scratch on the cover"):
        say(text)
    while not DefectReport.objects.exists():
        say("skip")
    return DefectReport.objects.get()


@pytest.fixture
def tell(report, deliver):
    """Change the status, and deliver what follows; the message."""

    def tell(status="acknowledged"):
        report.status = status
        report.save()
        message = report.tell_news()
        deliver()
        if message:
            message.refresh_from_db()
        return message

    return tell


@pytest.fixture
def ask(report, deliver):
    def ask(question="How many parts?"):
        message = report.ask(question)
        deliver()
        message.refresh_from_db()
        return message

    return ask


def another(report, say):
    """A report that the same person makes after this one."""
    for text in ("menu", "2", "1", "Bent pin"):
        say(text)
    while DefectReport.objects.count() < 2:
        say("skip")
    return DefectReport.objects.exclude(pk=report.pk).get()


def filed_with(report):
    incoming = report.attachments.filter(message__direction="in")
    return list(incoming.values_list("message__body", flat=True))


@pytest.mark.parametrize("status", ["acknowledged", "decided", "closed"])
def test_the_reporter_hears_of_it(report, tell, status, fake_twilio):
    tell(status)
    (sent,) = fake_twilio.sent
    assert report.number in sent.body
    assert "Deep scratch" in sent.body


@pytest.mark.parametrize("status", ["reported", "in_review", "unfounded", "duplicate"])
def test_but_not_of_everything(tell, status):
    assert tell(status) is None


def test_staff_reword_it_and_switch_it_off(report, tell, fake_twilio):
    row, _ = Wording.objects.get_or_create(key="news.acknowledged")
    row.reword("{number}: seen, thanks.", None)
    forget_all()
    tell()
    assert fake_twilio.sent[0].body == f"{report.number}: seen, thanks."
    Wording.objects.filter(key="news.acknowledged").update(switched_off=True)
    forget_all()
    assert tell() is None


def test_a_reply_that_quotes_it_is_filed(report, tell, say):
    message = tell()
    answer = say("It is on the left side", OriginalRepliedMessageSid=message.sid)
    assert answer.startswith(f"Thank you! I have added that to your report {report.number}.")
    assert filed_with(report) == ["It is on the left side"]


def test_also_while_something_else_is_under_way_which_goes_on(report, tell, say):
    message = tell()
    for text in ("menu", "2", "1"):
        question = say(text)
    answer = say("It is on the left side", OriginalRepliedMessageSid=message.sid)
    added = f"Thank you! I have added that to your report {report.number}."
    assert answer == f"{added}\n\n{question}"
    assert filed_with(report) == ["It is on the left side"]


@pytest.mark.parametrize("since", ["a report was made", "we told of another", "one is begun"])
def test_a_photo_that_quotes_it_is_filed_whatever_came_since(
    report, tell, say, phone, deliver, since
):
    message = tell()
    if since == "one is begun":
        for text in ("menu", "2", "1"):
            say(text)
    else:
        newer = another(report, say)
        if since == "we told of another":
            newer.status = "acknowledged"
            newer.tell_news()
            deliver()
    phone.send("image", OriginalRepliedMessageSid=message.sid)
    assert report.attachments.filter(message__kind="image").exists()


@pytest.mark.parametrize("asked", ["Is it fixed yet?", "any news", "is it done", "not done yet??"])
def test_who_asks_how_it_stands_is_told_so(report, tell, say, asked):
    filed = "I have added your question, so that our team sees it."
    assert say(asked).startswith(
        f"Your report {report.number}: received, waiting for our team. {filed}"
    )
    tell()
    assert say(asked).startswith(f"Your report {report.number}: seen by our team. {filed}")
    message = tell("closed")
    quoting = say(asked, OriginalRepliedMessageSid=message.sid)
    assert quoting.startswith(f"Your report {report.number}: closed. {filed}")
    assert filed_with(report) == [asked] * 3


def test_but_not_who_asks_back(report, ask, say):
    ask("How many parts?")
    assert "Thank you! I have added that" in say("Which parts do you mean?")


def test_and_long_after(report, tell, say):
    message = tell()
    with time_machine.travel(timezone.now() + timedelta(days=9)):
        say("Still there?", OriginalRepliedMessageSid=message.sid)
    assert filed_with(report) == ["Still there?"]


def test_what_names_the_report_can_be_quoted_as_well(report, say):
    thanks = Message.objects.filter(body__contains=report.number).latest("pk")
    thanks.sid = "SM" + "4" * 32
    thanks.save()
    say("Line 2, by the way", OriginalRepliedMessageSid=thanks.sid)
    assert filed_with(report) == ["Line 2, by the way"]


def test_what_was_sent_again_can_be_quoted_as_well(report, tell, say, deliver):
    message = tell()
    failed = DeliveryReport(message.sid, "undelivered", None, Status.FAILED, 63012)
    Message.objects.take_report(failed)
    deliver()
    again = Message.objects.latest("pk")
    Message.objects.filter(pk=again.pk).update(body="About your report")
    say("It is on the left side", OriginalRepliedMessageSid=again.sid)
    assert filed_with(report) == ["It is on the left side"]


def test_a_reply_within_a_day_is_filed(report, tell, say):
    tell()
    with time_machine.travel(timezone.now() + timedelta(hours=23)):
        say("It happens every morning")
    assert filed_with(report) == ["It happens every morning"]


def test_who_has_turned_to_the_menu_comments_on_nothing(report, tell, say):
    tell("closed")
    say("menu")
    assert "I did not get that" in say("asdf")
    assert not report.attachments.filter(message__body="asdf").exists()


def test_what_is_added_to_a_report_just_made_is_filed_with_it(report, say):
    assert report.number in say("and the second bracket has it too")
    assert report.attachments.filter(message__body__startswith="and the second").exists()


@pytest.fixture
def order(report):
    """One that the reporter may know of."""
    customer = Customer.objects.create(name="Acme")
    customer.links.create(contact=report.reported_by)
    return Order.objects.create(
        number="ORD-1001", customer=customer, product="Bracket", quantity=500
    )


@pytest.mark.parametrize(
    "remark",
    [
        *("20 of ORD-1001 are scratched", "The same with order ORD-1001", "Is ORD-1001 bent too?"),
        *(
            "Update on ORD-1001: 20 more of them were found today",
            "order ORD-1001 fell off the track",
        ),
        *("ORD-1001 was wet when it arrived", "when we opened ORD-1001 we saw 20 bad ones"),
        *(
            "please check if ORD-1001 also has it",
            "ORD-1001 came without labels, when can you come?",
        ),
    ],
)
def test_a_remark_that_names_an_order_is_filed_with_the_report(report, order, say, remark):
    assert report.number in say(remark)
    assert filed_with(report) == [remark]


def test_a_question_for_an_order_is_no_remark_on_a_report(report, order, tell, say):
    assert "*Order ORD-1001*" in say("Where is ORD-1001?")
    tell()
    assert "Which order would you like to know about?" in say("When will my order be ready?")
    say("menu")
    assert filed_with(report) == []


def test_to_what_we_asked_a_question_is_an_answer(report, order, ask, say):
    ask("Which order is it?")
    assert report.number in say("Where is ORD-1001?")
    assert filed_with(report) == ["Where is ORD-1001?"]


def test_but_not_half_an_hour_later(report, say):
    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        assert "I cannot answer that myself" in say("and the second bracket has it too")


def test_later_it_is_not(report, tell, say):
    tell()
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        answer = say("It happens every morning")
    assert "Sorry, I cannot answer that myself" in answer
    assert filed_with(report) == []


def test_numbers_words_and_thanks_mean_what_they_always_mean(report, tell, say):
    tell()
    assert "You are welcome" in say("thanks")
    assert "Welcome" in say("menu")
    assert "Defects" in say("2")
    assert filed_with(report) == []


@pytest.mark.parametrize(
    ("courtesy", "answer"),
    [
        *(
            ("Thx!", "You are welcome"),
            ("OK, thanks", "You are welcome"),
            ("🙏🏾", "You are welcome"),
        ),
        *(
            ("Bye", "Goodbye"),
            ("good night.", "Goodbye"),
            ("ok", "👍\n\nSend"),
            ("Perfect!", "👍\n\nSend"),
            ("cool thx", "You are welcome"),
            ("👍🏽", "👍\n\nSend"),
        ),
    ],
)
def test_who_is_polite_adds_nothing(report, tell, say, courtesy, answer):
    assert say(courtesy).startswith(answer)
    tell()
    assert say(courtesy).startswith(answer)
    assert filed_with(report) == []
    assert report.number in say("It is on the left side"), "what follows is still filed"


@pytest.mark.parametrize("said", ["ok", "👍🏾", "Thanks 🙏", "🙏"])
def test_who_is_polite_in_the_middle_of_a_form_answers_nothing(report, say, said):
    for text in ("menu", "2", "1"):
        say(text)
    report.reported_by.send("Your gloves are here.")
    reply = say(said)
    assert "describe the defect" in reply
    assert "*menu*" not in reply
    assert DefectReport.objects.count() == 1


def test_ok_may_be_an_answer_in_a_form(report, say):
    for text in ("menu", "2", "1"):
        say(text)
    report.reported_by.send("Your gloves are here.")
    assert "too little" not in say("ok")
    assert "too little" in say("ok")
    assert "✅" in say("ok")


@pytest.mark.parametrize("before", [[], ["menu"]])
def test_ok_may_be_the_answer_to_a_question(report, ask, say, before):
    ask("Can we scrap them?")
    for text in before:
        say(text)
    assert report.number in say("👍")
    assert filed_with(report) == ["👍"]


def test_a_photo_within_a_day_is_filed(report, tell, phone):
    tell()
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        (answer,) = phone.send("image")
    assert report.number in answer
    assert report.attachments.filter(message__kind="image").count() == 1


def test_a_photo_goes_with_a_report_made_since(report, tell, phone, say):
    tell()
    newer = another(report, say)
    phone.send("image")
    assert newer.attachments.filter(message__kind="image").exists()


def test_the_answer_to_a_question_may_be_a_number(report, ask, say):
    ask("How many parts?")
    assert report.number in say("2")
    assert filed_with(report) == ["2"]
    assert "Defects" in say("2"), "the question has its answer"


def test_words_still_work_while_a_question_is_open(report, ask, say):
    ask()
    assert "Welcome" in say("menu")
    assert "Defects" in say("2")
    assert filed_with(report) == []


def test_a_question_is_answered_by_an_album(report, ask, phone):
    ask("Please send photos of the label.")
    phone.send("image")
    phone.send("image")
    assert report.attachments.filter(message__kind="image").count() == 2


def test_a_question_that_waits_is_not_answered_before_it_is_read(report, ask, say, deliver):
    with time_machine.travel(timezone.now() + timedelta(days=3), tick=True):
        message = ask()
        assert message.status == Status.WAITING
        answer = say("I have a new problem here")
        assert report.number not in answer
        deliver()
        message.refresh_from_db()
        assert message.status == Status.SENT
    with time_machine.travel(timezone.now() + timedelta(days=3, hours=20), tick=True):
        say("menu")
        assert report.number in say("Twelve of them")
    assert filed_with(report) == ["Twelve of them"]


@pytest.fixture
def template(fake_twilio):
    """For questions; Meta looks at it."""
    body, sid = "About {{1}}: {{2}}", "HX" + "1" * 32
    fake_twilio.memory.contents[sid] = {"types": {"twilio/text": {"body": body}}, "variables": {}}
    return MessageTemplate.objects.create(
        notice="news.question",
        content_sid=sid,
        body=body,
        variables={"1": "number", "2": "question"},
        approval=MessageTemplate.Approval.PENDING,
    )


def test_a_question_is_answered_that_went_when_its_template_was_approved(
    report, ask, say, deliver, template
):
    with time_machine.travel(timezone.now() + timedelta(days=3), tick=True):
        message = ask()
        assert message.status == Status.WAITING
    with time_machine.travel(timezone.now() + timedelta(days=5), tick=True):
        template.approval = MessageTemplate.Approval.APPROVED
        template.save()
        assert template.release_what_waits() == 1
        assert not Conversation.objects.get().holds
        deliver()
        message.refresh_from_db()
        assert message.status == Status.SENT
        assert report.number in say("2")
    assert filed_with(report) == ["2"]


def test_a_question_is_answered_although_something_else_waits(report, ask, say, deliver, template):
    template.approval = MessageTemplate.Approval.APPROVED
    template.save()
    with time_machine.travel(timezone.now() + timedelta(days=3), tick=True):
        (other,) = report.reported_by.send("Your parcel is at the gate.")
        assert ask().status == Status.SENT
        assert template.release_what_waits() == 0
        assert Conversation.objects.get().holds
        assert report.number in say("2")
        deliver()
        other.refresh_from_db()
        assert other.status == Status.SENT
    assert filed_with(report) == ["2"]


def test_news_are_replied_to_although_a_question_waits(report, tell, say, template):
    template.notice, template.body = "news.acknowledged", "We look into {{1}}: {{2}}"
    template.variables = {"1": "number", "2": "preview"}
    template.approval = MessageTemplate.Approval.APPROVED
    template.save()
    with time_machine.travel(timezone.now() + timedelta(days=3), tick=True):
        (asked,) = report.reported_by.send("When do you fetch your gloves?")
        assert asked.status == Status.WAITING
        assert tell().template
        assert report.number in say("It leaks again")
        assert report.number not in say("Tomorrow"), "the question has been read since"
    assert filed_with(report) == ["It leaks again"]


def test_what_is_said_of_another_report_is_no_answer(report, ask, say, deliver):
    newer = another(report, say)
    newer.status = "acknowledged"
    message = newer.tell_news()
    deliver()
    message.refresh_from_db()
    ask("How many parts?")
    say("ok", OriginalRepliedMessageSid=message.sid)
    assert report.number in say("2")
    assert (filed_with(newer), filed_with(report)) == (["ok"], ["2"])


def test_what_tells_only_takes_the_place_of_no_question(report, ask, say):
    ask("How many parts?")
    report.reported_by.send("Your gloves are here.")
    assert report.number in say("2")
    assert filed_with(report) == ["2"]


def test_what_asks_takes_it(report, ask, say):
    ask("How many parts?")
    report.reported_by.send("When do you fetch your gloves?")
    assert report.number not in say("tomorrow")
    assert filed_with(report) == []


def test_an_answer_after_hours_is_not_taken_for_something_unfinished(report, ask, say):
    for text in ("menu", "2", "1", "Half a report"):
        say(text)
    ask()
    with time_machine.travel(timezone.now() + timedelta(hours=8)):
        assert report.number in say("Twelve")
    assert filed_with(report) == ["Twelve"]


def test_others_cannot_reply_to_it(report, tell, new_phone):
    message = tell()
    other = new_phone()
    other.say("hi")
    other.say("It is on the left side", OriginalRepliedMessageSid=message.sid)
    assert filed_with(report) == []


def test_what_we_told_is_kept_with_the_report(report, tell, ask):
    tell()
    ask("How many?")
    told = report.attachments.filter(message__direction="out")
    assert told.count() == 2


def test_a_person_who_stopped_hears_nothing(report, tell, say):
    say("stop")
    report.refresh_from_db()
    assert tell() is None
    assert not Conversation.objects.get().state.get("expects")
