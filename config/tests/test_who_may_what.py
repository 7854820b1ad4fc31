"""A user of each group opens every page: sees what they may, and is refused the rest.

R: Reviewers, E: Editors, O: Order clerks, M: Managers, A: Administrators. Nobody is N, staff without a group.
What is expected is written down here by hand, and not taken from what the groups are made of.
"""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from config.access.models import Token
from config.navigation import NAVIGATION
from defects.models import DefectCategory, DefectReport, Export
from orders.models import Customer, Import, Line, PinnedLine, UndoneLink, WrongLookup
from whatsapp_bot.models import Channel, Contact, Media, Message, MessageTemplate, Page
from whatsapp_bot.tests import files

GROUPS = {
    "R": "Reviewers",
    "E": "Editors",
    "O": "Order clerks",
    "M": "Managers",
    "A": "Administrators",
}
# who sees it, who may add one, who may post to a row's page, who may delete one
ROWS = {
    "defects.defectreport": ("RMA", "", "RA", ""),
    "defects.reportform": ("EMA", "EA", "EA", ""),  # the first one is on a menu
    "defects.formversion": ("EMA", "", "EA", ""),
    "whatsapp_bot.helprequest": ("RA", "", "RA", ""),
    "whatsapp_bot.contact": ("RAO", "A", "RA", ""),
    "whatsapp_bot.message": ("RA", "", "", ""),
    "whatsapp_bot.media": ("RMA", "", "", ""),
    "whatsapp_bot.conversation": ("A", "", "", ""),
    "whatsapp_bot.channel": ("A", "", "", ""),
    "whatsapp_bot.menu": ("EA", "EA", "EA", ""),  # the first one is the main menu
    "whatsapp_bot.wording": ("EA", "", "EA", ""),
    "whatsapp_bot.page": ("EA", "EA", "EA", "EA"),
    "whatsapp_bot.messagetemplate": ("EA", "EA", "EA", "EA"),
    "orders.order": ("RMAO", "AO", "AO", "A"),
    "orders.customer": ("RMAO", "AO", "AO", "A"),
    "orders.customerlink": ("RMAO", "AO", "", "AO"),
    "orders.undonelink": ("MAO", "", "", "A"),
    "orders.productionrun": ("RMAO", "AO", "AO", "A"),
    "orders.line": ("RMAO", "A", "A", "A"),
    "orders.shift": ("RMAO", "A", "A", "A"),
    "orders.pinnedline": ("RMAO", "A", "A", "A"),
    "orders.wronglookup": ("MAO", "", "", ""),
    "defects.change": ("RMA", "", "", ""),
    "defects.defectcategory": ("RMA", "A", "A", ""),  # the first one has reports
    "defects.export": ("RMA", "", "RMA", ""),  # a page with nothing to change
    "orders.import": ("MAO", "AO", "MAO", ""),  # a page with nothing to change
    "auth.user": ("A", "A", "", ""),  # the first one may do everything
    "auth.group": ("A", "A", "A", "A"),
    "access.token": ("REMAO", "REMAO", "", ""),  # those but for A only their own
}
PAGES = {
    "/admin/": "REMANO",
    "/admin/password_change/": "REMANO",
    "/admin/search/?s=report": "REMANO",
    "/admin/jsi18n/": "REMANO",
    "/simulator/": "EA",
    "/docs/": "REMANO",
    "/admin/autocomplete/?app_label=defects&model_name=defectreport&field_name=order": "RMAO",
    "/admin/autocomplete/?app_label=defects&model_name=defectreport&field_name=line": "RMAO",
    "/admin/autocomplete/?app_label=orders&model_name=customerlink&field_name=contact": "RAO",
}
IN_THE_SIDEBAR = {
    "R": "Defect reports, Help requests, Contacts, Messages, Failed messages, Defect categories, "
    "Orders, Customers, Links to customers, Production runs, Lines, Shifts, Workers' lines, Files, "
    "Changes of reports, Exports, API tokens",
    "E": "Menus and greeting, Texts, Text pages, Message templates, Report forms, Simulator, "
    "Form versions, API tokens",
    "O": "Contacts, Orders, Customers, Links to customers, Production runs, Lines, Shifts, Workers' "
    "lines, Imports, Undone links, Wrong order numbers, API tokens",
    "M": "Defect reports, Report forms, Defect categories, Orders, Customers, Links to customers, "
    "Production runs, Lines, Shifts, Workers' lines, Files, Changes of reports, Form versions, "
    "Exports, Imports, Undone links, Wrong order numbers, API tokens",
    "N": "",
}

pytestmark = pytest.mark.django_db


@pytest.fixture
def factory(demo, settings) -> None:
    """At least one row of everything."""
    in_memory = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    settings.STORAGES = {**settings.STORAGES, "default": in_memory}
    Page.objects.create(key="hours", title="Opening hours", text="Monday to Friday")
    MessageTemplate.objects.create(
        notice="news.closed", content_sid="HX" + "1" * 32, body="Closed."
    )
    Channel.objects.ours()
    DefectCategory.objects.get_or_create(name="Surface")
    report = DefectReport.objects.exclude(status__in=["decided", "closed"]).first()
    report.dispositions.create(kind="repair", quantity=1)
    report.actions.create(what="New tool guide", owner=User.objects.first())
    someone = {"contact": Contact.objects.first()}
    UndoneLink.objects.create(customer=Customer.objects.first(), **someone)
    PinnedLine.objects.get_or_create(**someone, defaults={"line": Line.objects.first()})
    WrongLookup.objects.create(contact=Contact.objects.first(), number="ORD-0000")
    kept = default_storage.save("one.jpg", ContentFile(files.JPEG))
    message = Message.objects.filter(direction="in").first()
    report.attach([message.pk])
    Media.objects.create(
        message=message,
        status="stored",
        content_type="image/jpeg",
        size=len(files.JPEG),
        file=kept,
        thumbnail=kept,
        fetched_at=timezone.now(),
    )


def browser_of(letter: str) -> Client:
    user = User.objects.create_user(f"user-{letter}", is_staff=True)
    if letter in GROUPS:
        user.groups.add(Group.objects.get(name=GROUPS[letter]))
    browser = Client(raise_request_exception=False)
    browser.force_login(user)
    return browser


def test_every_page_is_in_the_table():
    there = {model._meta.label_lower for model in admin.site._registry}
    assert there == set(ROWS), "Say in ROWS who sees it, adds, changes and deletes."


@pytest.mark.parametrize("letter", [*GROUPS, "N"])
def test_everybody_sees_what_they_may_and_nothing_else(factory, letter):
    browser = browser_of(letter)
    user = User.objects.get(username=f"user-{letter}")
    Export.objects.create(by=user, status="done")
    Token.objects.create(user=user, name="ERP", expiry=timezone.now())
    Import.objects.create(by=user, status="done", name="a")
    report = DefectReport.objects.order_by("pk").first()
    leads_to_its_page = reverse("admin:defects_defectreport_history", args=[report.pk])
    wrong = []

    def expect(who: str, method: str, path: str) -> None:
        status = getattr(browser, method)(path).status_code
        opened = 302 if path == leads_to_its_page else 200
        allowed = status in (200, 302) if method == "post" else status == opened
        refused = status == 403
        if (letter in who and not allowed) or (letter not in who and not refused):
            wrong.append(f"{method} {path}: {status}")

    for path, who in PAGES.items():
        expect(who, "get", path)
    for label, (sees, adds, changes, deletes) in ROWS.items():
        model = next(one for one in admin.site._registry if one._meta.label_lower == label)
        row = model.objects.order_by("pk").first()
        name = "admin:" + label.replace(".", "_")
        expect(sees, "get", reverse(f"{name}_changelist"))
        expect(sees, "get", reverse(f"{name}_changelist") + "?q=a")
        expect(adds, "get", reverse(f"{name}_add"))
        if row is None and not sees:
            continue
        expect(sees, "get", reverse(f"{name}_change", args=[row.pk]))
        expect(sees, "get", reverse(f"{name}_history", args=[row.pk]))
        expect(deletes, "get", reverse(f"{name}_delete", args=[row.pk]))
        expect(changes, "post", reverse(f"{name}_change", args=[row.pk]))
    message, media = Message.objects.first(), Media.objects.first()
    expect("RMA", "get", reverse("file", args=[media.pk]))
    expect("RMA", "get", reverse("thumbnail", args=[media.pk]))
    expect("RA", "post", reverse("admin:whatsapp_bot_message_send_again", args=[message.pk]))
    expect("RA", "post", reverse("admin:whatsapp_bot_media_try_again", args=[media.pk]))
    expect("EA", "post", reverse("simulator:people"))
    first = User.objects.order_by("pk").first()
    for page in ("password_change", "reset_second_factor"):
        expect("", "post", reverse(f"admin:auth_user_{page}", args=[first.pk]))
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("letter", IN_THE_SIDEBAR)
def test_the_sidebar_has_what_they_may_see(letter, rf):
    request = rf.get("/")
    browser_of(letter)
    request.user = User.objects.get(username=f"user-{letter}")
    items = [item for group in NAVIGATION for item in group["items"]]
    shown = [item["title"] for item in items if item["permission"](request)]
    assert ", ".join(shown) == IN_THE_SIDEBAR[letter]


@pytest.mark.parametrize(("letter", "is_there"), [("E", True), ("R", False), ("N", False)])
def test_the_way_to_the_simulator(letter, is_there):
    page = browser_of(letter).get("/admin/").content.decode()
    assert (f'href="{reverse("simulator:page")}"' in page) == is_there


def test_not_staff_is_not_let_in_whatever_the_group():
    browser = browser_of("A")
    User.objects.update(is_staff=False)
    for path in ("/admin/", reverse("admin:orders_order_changelist")):
        assert browser.get(path).status_code == 302
    assert browser.get("/simulator/").status_code == 403
