"""What a reporter hears of what staff do on a report's page, and what staff are told about it."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from defects.models import DefectReport
from whatsapp_bot.delivery import Status
from whatsapp_bot.models import Conversation, Message, MessageTemplate, Wording
from whatsapp_bot.recent import forget_all

pytestmark = pytest.mark.django_db


@pytest.fixture
def report(say):
    for text in ("hi", "2", "1", "Deep scratch on the *cover*"):
        say(text)
    while not DefectReport.objects.exists():
        say("skip")
    return DefectReport.objects.get()


@pytest.fixture
def page(report):
    return reverse("admin:defects_defectreport_change", args=[report.pk])


@pytest.fixture
def shown(admin_client, page):
    return lambda: admin_client.get(page).content.decode()


@pytest.fixture
def save(admin_client, report, page):
    """Save the report's page with this status; what it says then."""

    def save(status: str = "reported", client: Client = admin_client, **fields: str) -> str:
        form = {
            "status": status,
            "attachments-TOTAL_FORMS": "0",
            "attachments-INITIAL_FORMS": "0",
            **fields,
        }
        return client.post(page, form, follow=True).content.decode()

    return save


def quiet() -> None:
    """The reporter last wrote two days ago."""
    Conversation.objects.update(heard_at=timezone.now() - timedelta(days=2))


def told() -> list[str]:
    news = Message.objects.filter(notice__startswith="news.").order_by("pk")
    return list(news.values_list("notice", flat=True))


def test_a_new_status_is_told(report, shown, save, fake_twilio, deliver):
    ahead = "If you set it to acknowledged, decided or closed, the reporter is told. It goes at"
    assert ahead in shown()
    assert "The reporter is told. It is on its way." in save("acknowledged")
    deliver()
    (sent,) = fake_twilio.sent
    assert report.number in sent.body
    assert "If you set it to decided or closed, the reporter is told." in shown()
    assert Message.objects.get(notice="news.acknowledged").written_by.username == "admin"


def test_and_once(save):
    save("acknowledged")
    assert "The reporter is" not in save("acknowledged")
    assert told() == ["news.acknowledged"]
    save("closed")
    assert told() == ["news.acknowledged", "news.closed"]


@pytest.mark.parametrize("status", ["in_review", "unfounded", "duplicate"])
def test_not_every_status_is_news(save, status):
    assert "The reporter is" not in save(status)
    assert not told()


def test_outside_the_window_it_waits(shown, save):
    quiet()
    assert "the reporter is told. It waits until the person writes to us, and goes then." in shown()
    assert "The reporter is told. It waits until" in save("decided")
    assert Message.objects.get(notice="news.decided").status == Status.WAITING


def test_or_goes_as_a_template(shown, save):
    quiet()
    MessageTemplate.objects.create(
        notice="news.closed",
        content_sid="HX" + "1" * 32,
        body="Report {{1}} is closed.",
        variables={"1": "number"},
        approval=MessageTemplate.Approval.APPROVED,
    )
    text = shown()
    assert "If you set it to acknowledged or decided, the reporter is told. It waits" in text
    assert "If you set it to closed, the reporter is told. It goes at once, in the words" in text
    assert "It is on its way, in the words of the approved message template." in save("closed")


def test_what_is_switched_off_is_not_told(shown, save):
    Wording.objects.filter(key="news.closed").update(switched_off=True)
    forget_all()
    text = shown()
    assert "If you set it to acknowledged or decided, the reporter is told." in text
    assert "set it to closed, the reporter is not told: this text is switched off." in text
    assert "The reporter is not told: this text is switched off." in save("closed")
    assert not told()


def test_nor_is_somebody_who_has_stopped_our_messages(report, say, shown, save):
    say("stop")
    stopped = "the reporter is not told: the person has stopped our messages."
    assert stopped in shown()
    assert stopped in save("closed").replace("The reporter", "the reporter")
    report.refresh_from_db()
    assert report.status == "closed"
    assert not told()


def test_a_question_is_asked_and_its_answer_filed(
    report, shown, save, say, page, admin_client, deliver, fake_twilio
):
    assert "Ask the reporter" in shown()
    assert "It is on its way." in save(to_send="How *many* parts?", send="send")
    deliver()
    (sent,) = fake_twilio.sent
    assert sent.body.endswith("How ∗many∗ parts?")
    assert report.number in sent.body
    assert report.number in say("Twelve")
    text = shown().partition("attachments-group")[2]
    for part in ("How ∗many∗ parts?", "admin", "sent", "Twelve", "/admin/whatsapp_bot/message/"):
        assert part in text


def test_news_and_a_question_at_once(report, save, say):
    save("acknowledged", to_send="How many?", send="send")
    assert told() == ["news.acknowledged", "news.question"]
    report.refresh_from_db()
    assert report.status == "acknowledged"
    assert report.number in say("2"), "the question came last, so it is what is answered"


def test_save_with_a_question_in_the_box_saves_and_asks_nothing(report, save):
    text = save("closed", to_send="How many?")
    assert "You have not sent your message yet." in text
    assert "How many?</textarea>" in text
    assert not told()
    report.refresh_from_db()
    assert report.status == "reported"


def test_a_question_has_at_most_a_thousand_characters(save):
    assert "A message holds 1000 characters" in save(to_send="x" * 1001, send="send")
    assert not told()


def test_who_may_not_write_changes_the_status_and_asks_nothing(report, save, page):
    clerk = User.objects.create_user("clerk", is_staff=True)
    names = ["view_defectreport", "change_defectreport"]
    clerk.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = Client()
    client.force_login(clerk)
    assert "Ask the reporter" not in client.get(page).content.decode()
    form = {"status": "closed", "to_send": "How many?", "send": "send"}
    assert client.post(page, form).status_code == 403
    assert "The reporter is told." in save("closed", client)
    assert told() == ["news.closed"]


def test_what_was_reported_is_no_markup(report, shown):
    DefectReport.objects.update(description="<b id=x>Scratch</b>")
    report.reported_by.name = "<i>Nomsa</i>"
    report.reported_by.save()
    text = shown()
    assert "<b id=x>" not in text
    assert "<i>Nomsa" not in text


@pytest.mark.django_db(transaction=True)
def test_two_who_close_it_at_once_tell_it_once(report, admin_user, page):
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connections

    def close(_: int) -> None:
        client = Client()
        client.force_login(admin_user)
        form = {"attachments-TOTAL_FORMS": "0", "attachments-INITIAL_FORMS": "0"}
        client.post(page, {"status": "closed", **form})
        connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(close, range(4)))
    assert told() == ["news.closed"]
