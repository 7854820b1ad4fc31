"""Staff change what the bot says: texts, menus and pages."""

import pytest
import time_machine
from django.contrib.auth.models import User
from django.urls import reverse

from whatsapp_bot import recent, wording
from whatsapp_bot.admin.cleaned import CleanCharField
from whatsapp_bot.flows import addresses
from whatsapp_bot.models import Contact, Menu, MenuItem, Page, Wording
from whatsapp_bot.models.menu import problems_with
from whatsapp_bot.recent import forget_all

pytestmark = pytest.mark.django_db

HOSTILE = [
    "<script>alert(1)</script>",
    "%s %(x)s {0.__class__} {{ x }}",
    "\u0645\u0631\u062d\u0628\u0627 *hi*",
]


@pytest.fixture
def row():
    return Wording.objects.get(key="defects.submitted")


@pytest.fixture
def edit(admin_client):
    """Save a text in the admin, and return the page that comes back."""

    def edit(row, text, **more):
        path = reverse("admin:whatsapp_bot_wording_change", args=[row.pk])
        page = admin_client.post(path, {"text": text, **more}, follow=True)
        row.refresh_from_db()
        forget_all()
        return page.content.decode()

    return edit


# Texts -------------------------------------------------------------------------------------------


def test_every_declared_text_has_a_row_a_place_and_a_purpose():
    assert set(Wording.objects.values_list("key", flat=True)) == set(wording.Text.declared)
    for text in wording.Text.declared.values():
        assert text.place != "Elsewhere", text.key
        assert text.about.endswith("."), text.key
        assert not Wording(key=text.key).problem_with(text.default), text.key


def test_a_text_is_said_as_staff_word_it(edit, row, say):
    edit(row, "Danke! {number}")
    say("hi")
    say("2")
    say("1")
    assert say("Scratch").startswith("Danke! DEF-")


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_is_a_text_whatever_it_looks_like(edit, say, admin_client, text):
    row = Wording.objects.get(key="bot.not_understood")
    edit(row, text.replace("{0.__class__}", "{0.__class__}"))
    say("hi")
    assert say("xyzzy").startswith(text)
    page = admin_client.get(reverse("admin:whatsapp_bot_wording_changelist"), {"q": "class"})
    assert "<script>alert" not in page.content.decode()


def test_what_is_filled_in_is_not_filled_in_again(edit, row):
    edit(row, "{number} {number}")
    assert wording.Text.declared[row.key](number="{number}") == "{number} {number}"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "Thank you, {name}",
            "{name} cannot be filled in here. Placeholders of this text: {number}.",
        ),
        *(
            (f"No. {half}", "A brace is left over: what is filled in is written {number}.")
            for half in (
                "{number",
                "number}",
                "{ number }",
                "{number!r}",
                "{number.x}",
                "{{number}}",
                "{number:9}",
            )
        ),
        ("x" * 1601, "A message holds 1600 characters, this text has 1601."),
        ("🏭" * 801, "A message holds 1600 characters, this text has 1602."),
    ],
)
def test_a_text_that_cannot_be_said_is_refused_and_not_lost(edit, row, text, problem):
    page = edit(row, text)
    assert problem in page
    assert text in page
    assert row.text == ""


def test_who_changed_it_and_when_is_remembered(edit, row, admin_user):
    edit(row, "Thank you! {number}")
    assert row.changed_by == admin_user
    assert row.changed_at


def test_back_to_the_default_whatever_stands_in_the_box(edit, row, admin_user):
    edit(row, "Thank you!\n<{number}>")
    page = edit(row, "{nonsense}", back_to_default="1")
    assert "Your wording was:<br>Thank you!<br>&lt;{number}&gt;" in page
    assert (row.text, row.now) == ("", row.default)
    assert row.changed_by == admin_user


def test_the_default_saved_as_it_is_is_no_change_of_wording(edit, row):
    edit(row, row.default)
    assert row.text == ""


def test_a_new_default_leaves_an_edit_alone_and_shows(edit, row, admin_client, monkeypatch):
    edit(row, "Thank you! {number}")
    assert not row.default_is_newer
    monkeypatch.setattr(wording.Text.declared[row.key], "default", "Better: {number}")
    assert row.now == "Thank you! {number}"
    assert row.default_is_newer
    listed = admin_client.get(
        reverse("admin:whatsapp_bot_wording_changelist"), {"wording": "newer"}
    )
    assert "1 text" in listed.content.decode()


def test_a_newer_default_is_shown_until_the_text_is_saved(edit, monkeypatch, admin_user):
    row = Wording.objects.get(key="news.closed")
    edit(row, "{number} is done.", is_on="on")
    Wording.objects.update(changed_by=None)
    monkeypatch.setattr(wording.Text.declared[row.key], "default", "Better: {number}")
    edit(row, "{number} is done.")
    assert (row.switched_off, row.default_is_newer, row.changed_by) == (True, True, admin_user)
    edit(row, "{number} is done.")
    assert (row.text, row.default_is_newer) == ("{number} is done.", False)


@pytest.mark.parametrize("language", ["", "en", "en-ZA", "de"])
def test_who_has_another_language_reads_what_staff_wrote(edit, say, contact, language):
    edit(Wording.objects.get(key="help.text"), "Ask us.")
    Contact.objects.update(language=language)
    say("hi")
    assert say("help").startswith("Ask us.")


def test_the_wording_in_the_own_language_comes_first(edit, say, contact):
    edit(Wording.objects.get(key="help.text"), "Ask us.")
    Wording.objects.create(key="help.text", language="de", text="Fragen Sie uns.")
    forget_all()
    for language, words in (("de-at", "Fragen Sie uns."), ("af", "Ask us.")):
        Contact.objects.update(language=language)
        say("hi")
        assert say("help").startswith(words)


@pytest.mark.parametrize("language", ["☃", "../x", "a b", "e", "en-za-1-2"])
def test_what_is_no_language_is_refused(admin_client, contact, language):
    path = reverse("admin:whatsapp_bot_contact_change", args=[contact.pk])
    page = admin_client.post(path, {"role": "unknown", "language": language})
    assert "no code of a language" in page.content.decode()
    contact.refresh_from_db()
    assert contact.language == ""


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "Defect Submitted"}, "defects.submitted"),
        ({"place": "help"}, "help.text"),
        ({"wording": "yours"}, "bot.gone"),
    ],
)
def test_a_text_is_found_by_what_is_read_on_the_phone(admin_client, query, found):
    Wording.objects.get(key="bot.gone").reword("Gone.", User.objects.first())
    page = admin_client.get(reverse("admin:whatsapp_bot_wording_changelist"), query)
    shown = [row.key for row in page.context["cl"].result_list]
    assert found in shown
    assert len(shown) < Wording.objects.count()


def test_an_edit_is_live_within_two_seconds_in_a_process_that_knows_nothing_of_it(say):
    say("hi")
    Menu.objects.filter(key="main").update(text="New greeting")
    assert "New greeting" not in say("hi")
    assert recent.MAX_AGE <= 2
    for one in recent.Recent.every:
        one.loaded_at -= recent.MAX_AGE
    assert "New greeting" in say("hi")


# Menus -------------------------------------------------------------------------------------------


def items(*pairs):
    return [
        MenuItem(label=label, opens=opens, position=place)
        for place, (label, opens) in enumerate(pairs)
    ]


BACK = ("Back", "menu:main")


@pytest.mark.parametrize(
    ("key", "these", "problem"),
    [
        ("new", items(("Away", "report:gone"), BACK), "“Away” leads nowhere: what it opens is not there."),
        ("new", items(("Again", "menu:new"), BACK), "“Again” leads into this menu itself."),
        ("new", [], "This menu leads nowhere: add an item for everyone that opens something else."),
        ("main", items(BACK), "This menu leads nowhere: add an item for everyone that opens something else."),
        ("new", items(("Help", "help")), "This menu has no way back: add an item for everyone that opens the main menu."),
        ("new", items(("2", "help"), ("More", "orders.status"), BACK), "“2” would be taken for the number of an item."),
        ("new", items(("Help", "help"), ("help", "orders.status"), BACK), "“help” is there twice: nobody could tell the two apart."),
    ],
)  # fmt: skip
def test_a_menu_that_leads_astray_is_refused(key, these, problem):
    there = [*dict(addresses()), f"menu:{key}"]
    assert problems_with(key, these, there) == [problem]


def test_a_way_back_may_lead_through_another_menu():
    assert problems_with("new", items(("Defects", "menu:defects")), ["menu:defects"]) == []


def test_a_way_back_for_some_is_none():
    these = items(("Help", "help"), BACK)
    these[1].audience = MenuItem.Audience.WORKERS
    (problem,) = problems_with("new", these, dict(addresses()))
    assert "no way back" in problem


def test_a_menu_must_not_cut_off_another_one():
    other = Menu.objects.create(key="sub", text="Sub")
    MenuItem.objects.create(menu=other, label="Up", opens="menu:defects")
    forget_all()
    without_back = items(("Report", "report:defect"), ("Sub", "menu:sub"))
    assert problems_with("defects", without_back, dict(addresses())) == [
        "This menu has no way back: add an item for everyone that opens the main menu."
    ]


def post_menu(client, menu, rows, **more):
    data = {"text": "Choose:", "items-TOTAL_FORMS": len(rows), "items-INITIAL_FORMS": 0, **more}
    for number, row in enumerate(rows):
        data |= {f"items-{number}-{name}": value for name, value in row.items()}
    name = "admin:whatsapp_bot_menu_"
    path = reverse(f"{name}change", args=[menu.pk]) if menu else reverse(f"{name}add")
    return client.post(path, data, follow=True).content.decode()


def item(label, opens, position=10, audience="everyone"):
    return {"label": label, "opens": opens, "position": position, "audience": audience}


def test_a_menu_is_made_and_opened(admin_client, say):
    page = post_menu(
        admin_client, None, [item("Help", "help"), item("Back", "menu:main", 20)], key="new"
    )
    assert "was added successfully" in page
    Menu.objects.get(key="main").add_item("More", "menu:new")
    forget_all()
    assert "5. More" in say("hi")
    assert "Choose:\n\n1. Help\n2. Back" in say("more")


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([item("Help", "help")], "This menu has no way back"),
        ([item("x" * 25, "menu:main")], "at most 24 characters"),
        (
            [item("Help", "nowhere"), item("Back", "menu:main")],
            "is not one of the available choices",
        ),
    ],
)
def test_a_refused_menu_is_shown_with_its_reason_and_nothing_is_stored(admin_client, rows, problem):
    assert problem in post_menu(admin_client, None, rows, key="new")
    assert not Menu.objects.filter(key="new").exists()


def test_an_item_is_shown_to_whom_it_is_for(say, worker):
    MenuItem.objects.filter(label="Check order status").update(audience="customer")
    MenuItem.objects.filter(label="Report a defect").update(audience="worker")
    assert say("hi").splitlines()[2] == "1. Report a defect"


def test_a_menu_that_another_one_opens_cannot_be_deleted(admin_client):
    for key, status in (("defects", 403), ("main", 403)):
        menu = Menu.objects.get(key=key)
        path = reverse("admin:whatsapp_bot_menu_delete", args=[menu.pk])
        assert admin_client.post(path, {"post": "yes"}).status_code == status


def test_an_item_is_added_above_the_way_back_and_only_once():
    menu = Menu.objects.get(key="defects")
    for _ in range(2):
        menu.add_item("A label that is longer than twenty-four", "help")
    labels = list(menu.items.values_list("label", flat=True))
    assert labels == [
        "Report a defect",
        "View defect history",
        "A label that is longer…",
        "Back to menu",
    ]


def test_nothing_is_filled_in_in_a_menu_or_a_page(admin_client):
    menu = Menu.objects.get(key="main")
    page = admin_client.post(
        reverse("admin:whatsapp_bot_menu_change", args=[menu.pk]),
        {"text": "Welcome to {company}", "items-TOTAL_FORMS": 0, "items-INITIAL_FORMS": 0},
    )
    assert "{company} would be sent as it stands" in page.content.decode()
    menu.refresh_from_db()
    assert "company" not in menu.text


def test_a_new_item_without_a_place_comes_last(admin_client):
    rows = [item("Help", "help", ""), item("Back", "menu:main", 20)]
    post_menu(admin_client, None, rows, key="new")
    labels = Menu.objects.get(key="new").items.values_list("label", flat=True)
    assert list(labels) == ["Back", "Help"]


# Pages -------------------------------------------------------------------------------------------


def test_a_page_is_written_and_opened(admin_client, say):
    path = reverse("admin:whatsapp_bot_page_add")
    admin_client.post(path, {"title": "How to get here", "key": "way", "text": "Gate 3, *left*."})
    Menu.objects.get(key="main").add_item("How to get here", "page:way")
    forget_all()
    say("hi")
    assert say("how to get here").startswith("Gate 3, *left*.\n")


def test_a_page_that_is_gone_leads_to_the_menu(say):
    page = Page.objects.create(key="way", title="Way", text="Gate 3")
    Menu.objects.get(key="main").add_item("Way", page.address)
    forget_all()
    say("hi")
    page.delete()
    forget_all()
    reply = say("way")
    assert reply.startswith("Sorry, that is no longer available.")
    assert "1. Check order status" in reply


def test_a_page_that_a_menu_opens_cannot_be_deleted(admin_client):
    page = Page.objects.create(key="way", title="Way", text="Gate 3")
    path = reverse("admin:whatsapp_bot_page_delete", args=[page.pk])
    Menu.objects.get(key="main").add_item("Way", page.address)
    assert admin_client.post(path, {"post": "yes"}).status_code == 403
    MenuItem.objects.filter(opens=page.address).delete()
    assert admin_client.post(path, {"post": "yes"}).status_code == 302


@time_machine.travel("2026-11-23T08:00:00Z")
def test_the_page_of_a_text_tells_who_changed_it(admin_client, admin_user, row):
    row.reword("Thank you! {number}", admin_user)
    path = reverse("admin:whatsapp_bot_wording_change", args=[row.pk])
    assert "23 November 2026, 10:00 by admin" in admin_client.get(path).content.decode()


def test_what_staff_type_is_cleaned_and_not_cut():
    assert CleanCharField().clean("Two\r\nlines\x0b \u202e!") == "Two\nlines !"
    assert len(CleanCharField().clean("x" * 30_000)) == 30_000
