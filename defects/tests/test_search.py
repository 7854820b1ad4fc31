"""Looking for reports and messages by words, and a list that is too long to be counted."""

import pytest

from defects.models import DefectReport
from orders.models import Customer, Order
from whatsapp_bot.admin import long_list
from whatsapp_bot.models import Contact, Media, Message

pytestmark = pytest.mark.django_db
REPORTS = "/admin/defects/defectreport/"


@pytest.fixture
def report():
    customer = Customer.objects.create(name="Pumps Ltd")
    order = Order.objects.create(number="AB-123", customer=customer, product="P", quantity=1)
    thandi = Contact.objects.create(phone="+27820000001", name="Thandi Nkosi")
    return DefectReport.objects.create(
        number="DEF-1",
        reported_by=thandi,
        order=order,
        description="Öl leaks at M8, 100% of the bolts",
    )


@pytest.mark.parametrize(
    ("words", "is_found"),
    [
        ("leaks", True),
        ("LEAK", True),
        ("eak", True),
        ("leaks bolts", True),
        ("leaks housing", False),
        ("def-1", True),
        ("nkosi", True),
        ("0000001", True),
        ("ab-12", True),
        ("thandi ab-123 m8", True),
        # One or two letters begin a word.
        ("m8", True),
        ("8", False),
        ("th", True),
        ("ks", False),
        ("100%", True),
        ("%", False),
        ("% leaks", True),
        ("_eak", False),
    ],
)
def test_each_word_is_looked_for(words, is_found, report):
    assert DefectReport.objects.with_words(words).exists() == is_found


def test_many_who_match_are_found_as_well(report, monkeypatch):
    monkeypatch.setattr("whatsapp_bot.search.MOST_IDS", 1)
    Contact.objects.create(phone="+27820000002", name="Thandi Botha")
    assert DefectReport.objects.with_words("thandi").get() == report


def test_messages_are_found_by_words_person_and_sid(report):
    message = Message.objects.create(
        contact=report.reported_by, direction="in", body="The seal leaks", sid="SM1", status="read"
    )
    for words in ("seal", "the leaks", "nkosi", "nkosi seal", "SM1"):
        assert Message.objects.with_words(words).get() == message, words
    assert not Message.objects.with_words("housing").exists()


def test_files_are_found_by_who_sent_them_and_by_sid(report):
    message = Message.objects.create(
        contact=report.reported_by, direction="in", sid="MM1", status="read"
    )
    file = message.media.create(url="https://api.twilio.com/1")
    for words in ("nkosi", "thandi nkosi", "MM1", "nkosi MM1"):
        assert Media.objects.with_words(words).get() == file, words
    for words in ("botha", "nkosi MM2", "%"):
        assert not Media.objects.with_words(words).exists(), words


def test_the_list_is_searched_for_several_words(report, admin_client):
    assert "DEF-1" in admin_client.get(f"{REPORTS}?q=thandi+leaks").content.decode()
    assert "DEF-1" not in admin_client.get(f"{REPORTS}?q=thandi+housing").content.decode()


@pytest.fixture
def long(report, monkeypatch):
    """Three reports in a list that shows two."""
    monkeypatch.setattr(long_list, "MOST_LISTED", 2)
    for number in ("DEF-2", "DEF-3"):
        DefectReport.objects.create(
            number=number, reported_by=report.reported_by, description="Dent"
        )


def test_a_long_list_says_that_there_is_more(long, admin_client):
    shown = admin_client.get(REPORTS)
    assert shown.context["cl"].result_count == 2
    text = shown.content.decode()
    assert "The first 2 defect reports of more: filter or search to see others." in text
    assert "Select all 2" not in text
    assert "All reports" in text.split('class="export"')[1]
    assert "of more" not in admin_client.get(f"{REPORTS}?q=dent").content.decode()


def test_nothing_is_done_with_more_than_a_list_shows(long, admin_client):
    chosen = {"action": "acknowledge", "select_across": "1", "index": "0"}
    for report in DefectReport.objects.all()[:1]:
        chosen["_selected_action"] = report.pk
    shown = admin_client.post(REPORTS, chosen, follow=True)
    assert "filter the list further" in shown.content.decode()
    assert not DefectReport.objects.exclude(status="reported").exists()
    admin_client.post(f"{REPORTS}?q=dent", chosen)
    assert DefectReport.objects.filter(status="acknowledged").count() == 2
