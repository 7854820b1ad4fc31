"""The page of a contact: what was said as bubbles, all of it within reach, and what is beside it."""

import re
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone

from defects.models import DefectReport
from orders.models import Customer, CustomerLink
from whatsapp_bot.admin.talk import AT_ONCE
from whatsapp_bot.delivery import Status
from whatsapp_bot.models import Contact, Conversation, HelpRequest, Message
from whatsapp_bot.tests.database import statements
from whatsapp_bot.tests.staff import may, page_of, posted, shown
from whatsapp_bot.tests.test_writing import with_details

pytestmark = pytest.mark.django_db


def bubbles(page: str) -> list[str]:
    return re.findall(r'class="talk-text" dir="auto">(.*?)</div>', page, re.DOTALL)


def said(contact: Contact, count: int) -> None:
    Message.objects.bulk_create(
        Message(contact=contact, direction="in", body=f"Number {number}", status=Status.RECEIVED)
        for number in range(count)
    )


def test_both_sides_are_shown_with_what_became_of_it(admin_client, say, contact):
    say("hi")
    clerk = User.objects.create_user("clerk")
    failed = contact.send("Your parts are here.", clerk)[0]
    failed.settle(Status.FAILED, 63024)
    contact.send("Are you there?", clerk)[0].settle(Status.READ)
    page = shown(admin_client, page_of(contact))
    hi, menu, parts, there = bubbles(page)
    assert (hi, parts, there) == ("hi", "Your parts are here.", "Are you there?")
    assert "Check order status" in menu
    after = page.partition("Your parts are here.")[2]
    assert "This phone number is not on WhatsApp. (Twilio 63024)" in after.partition("talk-who")[0]
    assert "clerk" in after.partition("Are you there?")[0]
    assert page.index("Are you there?") < page.index('name="to_send"')
    assert page.count("talk-ours") == 3
    newer = failed.send_again()
    after = shown(admin_client, page_of(contact)).partition("Your parts are here.")[2]
    assert f'href="{page_of(newer)}">Sent again' in after.partition("talk-who")[0]


def test_each_day_begins_with_its_date(admin_client, contact):
    said(contact, 3)
    noon = timezone.make_aware(datetime(2026, 3, 4, 12))  # noqa: DTZ001
    for message, days in zip(Message.objects.order_by("pk"), (2, 2, 0), strict=True):
        message.created_at = noon - timedelta(days=days)
        message.save()
    page = shown(admin_client, page_of(contact))
    assert re.findall(r'talk-day">([^<]+)<', page) == ["2 March 2026", "4 March 2026"]


def test_all_of_it_is_within_reach_and_no_message_is_shown_twice(admin_client, contact):
    said(contact, 2 * AT_ONCE + 7)
    seen: list[str] = []
    query = ""
    while True:
        page = shown(admin_client, page_of(contact) + query)
        shown_now = bubbles(page)
        assert ("Latest messages" in page) == bool(query)
        seen = shown_now + seen
        earlier = re.search(r'href="(\?before=\d+)">Earlier messages', page)
        if not earlier:
            break
        assert len(shown_now) == AT_ONCE
        query = earlier[1]
    assert seen == [f"Number {number}" for number in range(2 * AT_ONCE + 7)]


@pytest.mark.parametrize("before", ["0", "x", "", "9" * 40, "٣"])
def test_an_address_that_was_typed_does_no_harm(admin_client, contact, before):
    said(contact, 3)
    assert admin_client.get(page_of(contact), {"before": before}).status_code == 200


def test_what_was_said_long_ago_is_found_without_reading_the_rest(admin_client, contact, read_once):
    said(contact, 3)
    shown(admin_client, "/admin/")
    made = statements(lambda: shown(admin_client, page_of(contact) + "?before=2"))
    of_contact = '"whatsapp_bot_message"."contact_id" ='
    (found,) = [one for one in made if of_contact in one and "LIMIT" in one]
    assert "OFFSET" not in found
    assert f"LIMIT {AT_ONCE + 1}" in found


def test_files_are_for_those_who_may_see_them(phone, contact):
    phone.say("hi")
    phone.send("image", text="Look")
    client = may("view_contact", "view_message")
    assert "being fetched" not in shown(client, page_of(contact))
    clerk = User.objects.get(username="clerk")
    clerk.user_permissions.add(Permission.objects.get(codename="view_media"))
    assert "being fetched" in shown(client, page_of(contact))


def test_without_the_permission_nothing_that_was_said_is_shown(say, contact):
    say("hi")
    page = shown(may("view_contact"), page_of(contact))
    assert "talk-" not in page.partition("<main")[2].replace("talk-main", "").replace(
        "talk-page", ""
    ).replace("talk-beside", "")
    assert "Help requests" not in page
    assert "Defect reports" not in page


def test_what_the_person_asked_and_reported_is_beside_it(admin_client, say, contact):
    for text in ("hi", "4", "1", "Where are you?", "menu", "2", "1", "Deep scratch"):
        say(text)
    while not DefectReport.objects.exists():
        say("skip")
    asked, report = HelpRequest.objects.get(), DefectReport.objects.get()
    page = shown(admin_client, page_of(contact))
    assert page_of(asked) in page
    assert page_of(report) in page
    for every in re.findall(r'href="([^"]+)">All of them', page):
        found = shown(admin_client, every)
        assert asked.number in found or report.number in found
    assert re.findall(r'href="([^"]+)">All of them', page) == [
        f"/admin/whatsapp_bot/helprequest/?contact__id__exact={contact.pk}",
        f"/admin/defects/defectreport/?reported_by__id__exact={contact.pk}",
    ]


def test_open_help_requests_come_before_answered_ones(admin_client, contact):
    for number, status in enumerate(["open", *["answered"] * 6]):
        HelpRequest.objects.create(
            number=f"HELP-{number}", contact=contact, text="?", status=status
        )
    page = shown(admin_client, page_of(contact))
    numbers = re.findall(r">HELP-(\d):", page)
    assert numbers == ["0", "6", "5", "4", "3"]


def test_customers_are_linked_on_the_page(admin_client, say, contact):
    say("hi")
    acme = Customer.objects.create(name="Acme")
    row = {"customer_links-0-customer": acme.pk, "customer_links-0-contact": contact.pk}
    form = with_details(contact, **row, _save="") | {"customer_links-TOTAL_FORMS": 1}
    assert "successfully" in posted(admin_client, page_of(contact), **form)
    assert CustomerLink.objects.get().customer == acme
    contact.refresh_from_db()
    assert contact.role == "customer"
    assert "Acme" in shown(admin_client, page_of(contact))


def test_who_may_see_customers_sees_them_and_may_write_all_the_same(say, contact):
    say("hi")
    CustomerLink.objects.create(customer=Customer.objects.create(name="Acme"), contact=contact)
    client = may("view_contact", "write_to_contact", "view_customerlink", "view_customer")
    page = shown(client, page_of(contact))
    assert "Acme" in page
    forms = dict(re.findall(r'name="(customer_links-\w+_FORMS)" value="(\d+)"', page))
    assert forms
    text = posted(client, page_of(contact), **forms, to_send="Hello", send="send")
    assert "It is on its way." in text
    assert CustomerLink.objects.count() == 1


def test_the_list_says_who_they_are_and_how_we_stand(admin_client, contact):
    contact.role, contact.opted_out_at = "worker", timezone.now()
    contact.save()
    every = "/admin/whatsapp_bot/contact/"
    row = shown(admin_client, every).partition("result_list")[2]
    assert "worker" in row
    assert "stopped" in row
    for query in ("role__exact=worker", "reach=stopped"):
        assert contact.phone in shown(admin_client, f"{every}?{query}")
    for query in ("role__exact=customer", "reach=blocked"):
        assert contact.phone not in shown(admin_client, f"{every}?{query}")


def test_marks_are_left_to_the_script_and_what_was_said_is_no_markup(admin_client, contact):
    Message.objects.create(
        contact=contact, direction="in", body="*menu* <b>", status="received", kind="text"
    )
    text = shown(admin_client, page_of(contact))
    assert '<div class="talk-text" dir="auto">*menu* &lt;b&gt;</div>' in text
    assert text.index("simulator/marks.js") < text.index("whatsapp_bot/talk.js")


def test_the_list_begins_with_who_wrote_last(admin_client, contact):
    now = timezone.now()
    heard = [("Bongani", now - timedelta(days=2)), ("Anna", now), ("Carl", now - timedelta(days=1))]
    for name, at in heard:
        one = Contact.objects.create(name=name, user_id=f"ZZ.{name}")
        Conversation.objects.create(contact=one, heard_at=at)
    Contact.objects.create(name="Silent", user_id="ZZ.silent")
    listed = admin_client.get("/admin/whatsapp_bot/contact/").context["cl"].result_list
    names = [one.name for one in listed if one != contact]
    assert names == ["Anna", "Carl", "Bongani", "Silent"]
