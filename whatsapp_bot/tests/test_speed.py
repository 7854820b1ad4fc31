"""What a turn costs the database."""

import gc
import re

import pytest
from django.db import connection
from django.utils import timezone

from config.tests.straight import bring
from whatsapp_bot import prepared
from whatsapp_bot.inbound import Sender
from whatsapp_bot.models import Contact, Conversation, HelpRequest, Message
from whatsapp_bot.models.conversation import _locking
from whatsapp_bot.tests.database import analyze, statements

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("read_once")]

MOST = {"sqlite": 4, "postgresql": 2}
"""Read, lock and store what was said; store where it led and what was replied."""


def test_a_plain_menu_turn_takes_few_statements(phone):
    phone.say("hi")
    phone.say("menu")
    made = statements(lambda: phone.say("2"))
    assert len(made) <= MOST[connection.vendor], "\n".join(made)


def test_a_question_of_a_report_takes_no_more(phone):
    phone.say("hi")
    phone.say("2")
    phone.say("1")
    phone.say("menu")
    phone.say("2")
    made = statements(lambda: phone.say("1"))
    assert len(made) <= MOST[connection.vendor], "\n".join(made)


TO_FILE = {"sqlite": 3, "postgresql": 1}
"""Find a free number, store the report, begin its history."""


def test_to_file_a_report_takes_few_more(phone):
    for text in ("hi", "2", "1", "A scratch", "2", "1"):
        phone.say(text)
    made = statements(lambda: phone.say("Another scratch"))
    most = MOST[connection.vendor] + TO_FILE[connection.vendor]
    assert len(made) <= most, "\n".join(made)


def test_to_list_ones_reports_takes_one_more(phone):
    for text in ("hi", "2", "1", "A scratch", "2", "2", "2"):
        phone.say(text)
    made = statements(lambda: phone.say("2"))
    assert len(made) <= MOST[connection.vendor] + 1, "\n".join(made)


def test_to_offer_to_report_what_a_worker_tells_takes_no_more(phone, worker):
    for text in ("hi", "press three leaks oil", "no"):
        phone.say(text)
    made = statements(lambda: phone.say("the belt is torn"))
    assert len(made) <= MOST[connection.vendor], "\n".join(made)


@pytest.mark.parametrize("texts", [["hi", "2", "1", "A scratch", "2", "2"], ["help", "1", "stop"]])
def test_a_turn_leaves_nothing_for_the_garbage_collector(phone, texts):
    """What it leaves takes memory that no turn has used before, and keeps one of the next waiting."""
    for text in texts * 2:
        answered(phone, text)
    gc.collect()
    gc.disable()
    try:
        left = [(text, gc.collect()) for text in texts if answered(phone, text)]
    finally:
        gc.enable()
    assert left == [(text, 0) for text in texts]


def answered(phone, text: str) -> str:
    """What is said, without Django's test client, which leaves garbage of its own."""
    _, _, answer = bring("webhook", phone.parameters(text))
    return re.search("<Body>.+</Body>", answer, re.DOTALL)[0]


@pytest.fixture(scope="module")
def many(shared_rows):
    """Enough rows for the planner to prefer an index, and statistics that say so."""
    with shared_rows(make_many):
        yield


def make_many():
    Contact.objects.bulk_create(Contact(phone=f"+2783{n:07}") for n in range(3000))
    contacts = list(Contact.objects.all())
    Conversation.objects.bulk_create(Conversation(contact=contact) for contact in contacts)
    Message.objects.bulk_create(
        Message(contact=contact, direction="in", sid=f"SM{n:032}", status="received")
        for n, contact in enumerate(contacts * 3)
    )
    analyze(Contact, Conversation, Message)


def reads_whole_table(queryset) -> bool:
    """Does the planner of this database read all rows of a table for it?"""
    return is_whole_table(queryset.explain())


def is_whole_table(plan: str) -> bool:
    # An index of the unsettled alone is no whole table.
    plan = plan.lower().replace("scan whatsapp_bot_message using index message_uns", "")
    whole = "seq scan" if connection.vendor == "postgresql" else r"\bscan (whatsapp_bot|u\d)"
    return bool(re.search(whole, plan))


def test_a_plan_without_an_index_is_noticed(many):
    assert reads_whole_table(Message.objects.filter(body="x"))


@pytest.mark.parametrize(
    "sender",
    [
        Sender(phone="+27830000007"),
        Sender(user_id="ZA.1"),
        Sender(phone="+27830000007", user_id="ZA.1"),
    ],
)
def test_the_read_of_a_turn_uses_an_index(many, sender):
    assert not reads_whole_table(Conversation.objects._known_as(sender))


def plan(sql: str, values: list[str]) -> str:
    how = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        cursor.execute(f"{how} {sql}", values)
        return "\n".join(str(row) for row in cursor.fetchall())


def test_the_read_of_a_turn_of_somebody_known_uses_an_index(many):
    query = _locking("contact__phone", "contact__user_id")
    assert not is_whole_table(plan(query.sql, ["+27830000007", "ZA.1"]))


def test_the_next_number_is_found_by_an_index(many):
    HelpRequest.objects.bulk_create(
        HelpRequest(contact=Contact.objects.first(), number=f"HELP-20250101{n:06}", text="x")
        for n in range(3000)
    )
    analyze(HelpRequest)
    query = HelpRequest.objects.all()._free("HELP-20250101000007")
    assert prepared.rows(*query) == [("HELP-20250101000007-2",)]
    assert not is_whole_table(plan(*query))


def test_the_outbox_reads_only_what_is_unsettled(many):
    assert not reads_whole_table(Message.objects.due(timezone.now()))


def test_finding_the_stored_reply_uses_an_index(many):
    replies = Message.objects.filter(in_reply_to__sid="SM" + "0" * 32)
    assert not reads_whole_table(replies.order_by("pk"))


def test_a_persons_messages_are_found_by_an_index(many):
    contact = Contact.objects.order_by("pk")[7]
    assert not reads_whole_table(contact.messages.order_by("-pk")[:20])
