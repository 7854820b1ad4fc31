"""Who wrote: phone numbers, WhatsApp user ids, and people who turn out to be one."""

import pytest
from django.core.exceptions import ValidationError

from defects.models import DefectReport
from orders.models import Customer, CustomerLink
from whatsapp_bot.models import Contact, Message
from whatsapp_bot.models.contact import Role

pytestmark = pytest.mark.django_db

USER_ID = "ZA.1a2b3c4d5e"


@pytest.fixture
def hidden(new_phone):
    """Somebody who hides the phone number."""
    return new_phone(USER_ID, "Somebody")


def test_somebody_without_a_phone_number_has_the_whole_conversation(hidden):
    hidden.say("hi")
    hidden.say("2")
    hidden.say("1")
    assert "Defect Submitted" in hidden.say("No number, but a defect")[0]
    contact = Contact.objects.get()
    assert (contact.phone, contact.user_id, contact.name) == (None, USER_ID, "Somebody")
    assert DefectReport.objects.get().reported_by == contact


@pytest.mark.parametrize("written", [USER_ID, f"whatsapp:{USER_ID}"])
def test_a_phone_number_and_a_user_id_that_come_together_are_one_contact(phone, written):
    phone.say("hi")
    phone.say("2", ExternalUserId=written)
    contact = Contact.objects.get()
    assert (contact.phone, contact.user_id) == (phone.address, USER_ID)


def test_a_malformed_user_id_is_ignored(phone):
    phone.say("hi", ExternalUserId="not/one")
    assert Contact.objects.get().user_id is None


def test_rows_made_apart_become_the_older_one_with_all_that_is_theirs(phone, hidden):
    phone.say("hi")
    hidden.say("hi")
    hidden.say("2")
    hidden.say("1")
    hidden.say("From the hidden one")
    older, newer = Contact.objects.order_by("pk")
    customer = Customer.objects.create(name="Acme")
    for contact in (older, newer):
        CustomerLink.objects.create(contact=contact, customer=customer)
    other = Customer.objects.create(name="Bolts")
    CustomerLink.objects.create(contact=newer, customer=other)

    phone.say("2", ExternalUserId=USER_ID)

    contact = Contact.objects.get()
    assert contact.pk == older.pk
    assert (contact.phone, contact.user_id) == (phone.address, USER_ID)
    assert contact.messages.filter(direction="in").count() == 6
    assert DefectReport.objects.get().reported_by == contact
    assert set(contact.customers.all()) == {customer, other}
    assert contact.role == Role.CUSTOMER
    assert contact.messages.count() == Message.objects.count()


def test_people_who_become_one_go_on_where_they_were_last(phone, hidden):
    phone.say("hi")
    hidden.say("hi")
    hidden.say("2")
    assert phone.say("1", ExternalUserId=USER_ID) == ["Please describe the defect:"]


def test_a_known_number_with_another_user_id_is_somebody_new(phone):
    phone.say("hi", ExternalUserId=USER_ID)
    phone.say("2", ExternalUserId=USER_ID)
    phone.say("1", ExternalUserId=USER_ID)
    phone.say("Mine", ExternalUserId=USER_ID)

    (reply,) = phone.say("2", ExternalUserId="ZA.another")
    assert reply.startswith("👋 Welcome!")
    assert "not reported anything" in phone.say("2", ExternalUserId="ZA.another")[0]
    before, now = Contact.objects.order_by("pk")
    assert (before.phone, before.user_id) == (None, USER_ID)
    assert (now.phone, now.user_id) == (phone.address, "ZA.another")


def test_a_number_passes_on_between_two_people_who_are_known(phone, new_phone):
    other = new_phone("ZA.other")
    phone.say("hi", ExternalUserId=USER_ID)
    other.say("hi")
    phone.say("hi", ExternalUserId="ZA.other")
    assert Contact.objects.get(user_id=USER_ID).phone is None
    assert Contact.objects.get(user_id="ZA.other").phone == phone.address


def test_somebody_known_may_change_the_number(phone, new_phone):
    phone.say("hi", ExternalUserId=USER_ID)
    moved = new_phone()
    moved.say("hi", ExternalUserId=USER_ID)
    assert Contact.objects.get().phone == moved.address


def test_a_contact_that_staff_entered_is_the_person_who_writes(phone):
    known = Contact.objects.create(phone=phone.address, role=Role.WORKER)
    phone.say("hi", ExternalUserId=USER_ID)
    contact = Contact.objects.get()
    assert (contact.pk, contact.role, contact.user_id) == (known.pk, Role.WORKER, USER_ID)


def test_the_profile_name_follows(phone):
    phone.say("hi", ProfileName="Some\0body")
    assert Contact.objects.get().name == "Somebody"
    phone.say("hi", ProfileName="Somebody else")
    assert Contact.objects.get().name == "Somebody else"
    phone.say("hi", ProfileName="")
    assert Contact.objects.get().name == "Somebody else"


@pytest.mark.parametrize("known", ["phone", "user_id"])
def test_a_contact_that_staff_entered_joins_the_one_that_wrote(phone, hidden, known):
    address = {"phone": phone.address, "user_id": USER_ID}
    Contact.objects.create(**{known: address[known]}, role=Role.CUSTOMER)
    (hidden if known == "phone" else phone).say("hi")
    phone.say("hi", ExternalUserId=USER_ID)
    contact = Contact.objects.get()
    assert (contact.phone, contact.user_id) == (phone.address, USER_ID)
    assert contact.role == Role.CUSTOMER


def test_who_becomes_one_is_reached_at_the_number_written_from(phone, new_phone):
    phone.say("hi")
    new_phone().say("hi", ExternalUserId=USER_ID)
    phone.say("hi", ExternalUserId=USER_ID)
    assert Contact.objects.get().phone == phone.address


def test_who_becomes_one_keeps_the_half_written_report_and_its_picture(phone, hidden):
    hidden.say("hi")
    hidden.say("2")
    hidden.say("1")
    hidden.send("image")
    phone.say("hi")
    for text in ("2", "1", "The seal leaks"):
        phone.say(text, ExternalUserId=USER_ID)
    assert DefectReport.objects.get().attachments.count() == 1


@pytest.mark.parametrize("heard_later", ["hi", ""])
def test_who_becomes_one_still_answers_what_was_asked(phone, hidden, heard_later):
    for text in ("hi", "2", "1", "Scratch"):
        phone.say(text)
    report = DefectReport.objects.get()
    if heard_later:
        hidden.say(heard_later)
    report.ask("How many parts?")
    if not heard_later:
        hidden.say("hi")
    (reply,) = phone.say("about 12", ExternalUserId=USER_ID)
    assert report.number in reply
    assert report.attachments.filter(message__body="about 12").exists()


def test_who_becomes_one_has_to_wait_as_before(phone, hidden):
    phone.say("hi")
    hidden.say("hi")
    hidden.say("1")
    for _ in range(5):
        hidden.say("ORD-9")
    phone.say("menu", ExternalUserId=USER_ID)
    assert "try again after" in phone.say("1", ExternalUserId=USER_ID)[0]


def test_who_becomes_one_is_a_worker_if_either_was(phone, hidden):
    phone.say("hi")
    hidden.say("hi")
    older, newer = Contact.objects.order_by("pk")
    Contact.objects.filter(pk=older.pk).update(role=Role.CUSTOMER)
    Contact.objects.filter(pk=newer.pk).update(role=Role.WORKER, language="de")
    phone.say("hi", ExternalUserId=USER_ID)
    contact = Contact.objects.get()
    assert (contact.role, contact.language) == (Role.WORKER, "de")


def test_staff_may_write_a_number_as_people_do(phone):
    contact = Contact(phone="+27 (82) 123-4567", user_id="")
    contact.full_clean()
    assert (contact.phone, contact.user_id) == ("+27821234567", None)


@pytest.mark.parametrize("values", [{"phone": "082 123 4567"}, {"user_id": "somebody"}, {}])
def test_staff_cannot_enter_what_never_writes(values):
    with pytest.raises(ValidationError):
        Contact(**values).full_clean()


@pytest.mark.parametrize("order", ["5", "-5"])
def test_who_has_never_written_is_sorted_as_the_longest_silent(admin_client, phone, order):
    phone.say("hi")
    Contact.objects.create(phone="+27820009999")
    page = admin_client.get(f"/admin/whatsapp_bot/contact/?o={order}")
    longest_silent_first = ["+27820009999", phone.address]
    shown = [contact.phone for contact in page.context["cl"].result_list]
    assert shown == longest_silent_first[:: 1 if order == "5" else -1]
