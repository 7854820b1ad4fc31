"""The people on WhatsApp, and what they left for the team, as other systems see them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from config.tests.test_api import pages, problem
from whatsapp_bot.models import Contact, HelpRequest, Message

pytestmark = pytest.mark.django_db
CONTACTS = "/api/v1/contacts/"
HELP = "/api/v1/help-requests/"


@pytest.fixture
def asked(say):
    """Somebody has left a message for the team."""
    for text in ("hi", "4", "1", "My order came without lids"):
        say(text)
    return HelpRequest.objects.get()


@pytest.fixture
def there(asked):
    return f"{HELP}{asked.number}/"


# Contacts ----------------------------------------------------------------------------------------


def test_contacts(api, asked):
    reader = api("Reviewers")
    (shown,) = reader.get(CONTACTS).json()["results"]
    contact = asked.contact
    assert (shown["phone"], shown["role"]) == (contact.phone, "unknown")
    assert shown["last_heard"]
    assert reader.get(f"{CONTACTS}{contact.pk}/").json() == shown
    found = [
        reader.get(CONTACTS, filters).json()["results"]
        for filters in (
            {"phone": contact.phone},
            {"role": "worker"},
            {"created_since": shown["created_at"]},
        )
    ]
    assert [len(rows) for rows in found] == [1, 0, 1]


def test_a_role_is_given_by_who_may(api, asked):
    there = f"{CONTACTS}{asked.contact.pk}/"
    problem(api("Reviewers", name="anna").patch(there, {"role": "worker"}), 403)
    admin = api("Administrators", name="admin")
    (error,) = problem(admin.patch(there, {"role": "worker", "phone": "+1"}), 400)["errors"]
    assert error["pointer"] == "#/phone"
    assert Contact.objects.get().role == "unknown"
    read = admin.get(there).json()
    assert admin.patch(there, {**read, "role": "worker"}).json()["role"] == "worker"
    contact = Contact.objects.get()
    assert (contact.role, contact.phone) == ("worker", asked.contact.phone)
    problem(admin.patch(there, {"role": "chief"}), 400)
    problem(admin.delete(there), 405)


def test_messages_are_for_who_may_read_them(api, asked):
    there = f"{CONTACTS}{asked.contact.pk}/messages/"
    problem(api("whatsapp_bot.view_contact", name="clerk").get(there), 403)
    reader = api("Reviewers")
    said = [row for page in pages(reader, f"{there}?page_size=2") for row in page]
    assert [row["id"] for row in said] == list(
        Message.objects.order_by("-pk").values_list("pk", flat=True)
    )
    assert "My order came without lids" in [row["body"] for row in said]


# Help requests -----------------------------------------------------------------------------------


def test_taking_and_answering(api, asked, there):
    anna, ben = api("Reviewers", name="anna"), api("Reviewers", name="ben")
    assert anna.post(f"{there}take/").json()["taken_by"] == "anna"
    assert problem(ben.post(f"{there}take/"), 409)["reasons"]
    problem(ben.post(f"{there}hand_back/"), 409)
    assert ben.post(f"{there}take/", {"over": True}).json()["taken_by"] == "ben"
    assert ben.post(f"{there}hand_back/").json()["state"] == "open"
    (sent,) = anna.post(f"{there}answer/", {"text": "They are on their way."}).json()
    assert (sent["body"], sent["written_by"]) == ("They are on their way.", "anna")
    shown = anna.get(there).json()
    assert (shown["state"], shown["answered_by"]) == ("answered", "anna")
    assert Message.objects.get(pk=sent["id"]).in_reply_to == asked.message
    assert anna.post(f"{there}reopen/").json()["state"] == "open"
    assert anna.post(f"{there}mark_answered/").json()["state"] == "answered"


@pytest.mark.parametrize("text", ["They are on their way.", "way " * 900])
def test_an_answer_that_is_sent_again_after_a_time_out_is_sent_once(api, asked, there, text):
    anna, ben = api("Reviewers", name="anna"), api("Reviewers", name="ben")
    once = anna.post(f"{there}answer/", {"text": text})
    again = anna.post(f"{there}answer/", {"text": text})
    assert (again.status_code, again.json()) == (200, once.json())
    assert Message.objects.filter(written_by=anna.user).count() == len(once.json())
    others = [
        anna.post(f"{there}answer/", {"text": "Or not."}),
        ben.post(f"{there}answer/", {"text": text}),
    ]
    assert {one.status_code for one in others} == {200}
    assert Message.objects.filter(written_by__isnull=False).count() == 2 * len(once.json()) + 1


@pytest.mark.parametrize("text", ["", " \n", "\u202e", "x" * 8001, None], ids=range(5))
def test_an_answer_says_something(api, asked, there, text):
    problem(api("Reviewers").post(f"{there}answer/", {"text": text}), 400)
    assert HelpRequest.objects.get().state == "open"


def test_filters(api, asked, there):
    reader = api("Reviewers")
    later = (timezone.now() + timedelta(minutes=1)).isoformat()
    for filters, count in [
        ({}, 1),
        ({"status": "open"}, 1),
        ({"status": "answered"}, 0),
        ({"is_taken": "true"}, 0),
        ({"is_taken": "false"}, 1),
        ({"contact": asked.contact.pk}, 1),
        ({"created_since": later}, 0),
    ]:
        assert len(reader.get(HELP, filters).json()["results"]) == count, filters
    problem(reader.get(HELP, {"contact": 10**30}), 400)


@pytest.mark.parametrize("group", ["Managers", "Editors", None])
def test_who_may_not(api, asked, there, group):
    system = api(*filter(None, [group]))
    for path in (
        CONTACTS,
        f"{CONTACTS}{asked.contact.pk}/",
        f"{CONTACTS}{asked.contact.pk}/messages/",
        HELP,
        there,
    ):
        problem(system.get(path), 403)
    for verb in ("take", "hand_back", "mark_answered", "reopen", "answer"):
        problem(system.post(f"{there}{verb}/", {"text": "x"}), 403)


def test_to_take_is_not_to_write(api, asked, there):
    clerk = api("whatsapp_bot.view_helprequest", "whatsapp_bot.change_helprequest")
    assert clerk.post(f"{there}take/").status_code == 200
    problem(clerk.post(f"{there}answer/", {"text": "x"}), 403)
