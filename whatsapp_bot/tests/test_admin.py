"""Every model is in the admin, can be searched and opened, and what was said cannot be changed."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.urls import reverse

OURS = [
    model
    for app in ("whatsapp_bot", "orders", "defects")
    for model in apps.get_app_config(app).get_models()
]
PARTS_OF_OTHERS = {
    "CorrectiveAction",
    "Disposition",
    "Note",
    "MenuItem",
    "LinkingHour",
    "OrderLine",
    "Question",
    "Attachment",
    # What they hold is told by Change, field by field.
    "HistoricalDefectReport",
    "HistoricalDisposition",
    "HistoricalCorrectiveAction",
}


def test_every_model_is_there():
    missing = {model.__name__ for model in OURS if not admin.site.is_registered(model)}
    assert missing == PARTS_OF_OTHERS


@pytest.mark.parametrize(
    "model", [m for m in OURS if m.__name__ not in PARTS_OF_OTHERS], ids=lambda m: m.__name__
)
def test_its_pages_open(demo, admin_client, model):
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    registered = admin.site.get_model_admin(model)
    assert registered.list_display != ("__str__",) or model.__name__ == "Line"
    assert registered.search_fields
    assert admin_client.get(reverse(f"{name}_changelist"), {"q": "Line 1"}).status_code == 200
    every = admin_client.get(reverse(f"{name}_changelist"))
    assert every.status_code == 200
    row = model.objects.first()
    if row:
        assert admin_client.get(reverse(f"{name}_change", args=[row.pk])).status_code == 200


@pytest.mark.parametrize("name", ["message", "conversation", "media"])
def test_what_people_said_cannot_be_made_up_changed_or_deleted(demo, admin_client, name):
    model = apps.get_model("whatsapp_bot", name)
    row = model.objects.first()
    paths = [reverse(f"admin:whatsapp_bot_{name}_add")]
    if row:
        for action in ("delete", "change"):
            paths.append(reverse(f"admin:whatsapp_bot_{name}_{action}", args=[row.pk]))
    for path in paths:
        assert admin_client.post(path, {"post": "yes"}).status_code == 403


def test_the_main_menu_cannot_be_deleted(admin_client, db):
    from whatsapp_bot.models import Menu

    main = Menu.objects.get(key="main")
    path = reverse("admin:whatsapp_bot_menu_delete", args=[main.pk])
    assert admin_client.post(path, {"post": "yes"}).status_code == 403


def test_an_edited_text_is_what_the_bot_says(admin_client, say):
    from whatsapp_bot.models import Wording
    from whatsapp_bot.recent import forget_all

    row = Wording.objects.get(key="bot.not_understood")
    path = reverse("admin:whatsapp_bot_wording_change", args=[row.pk])
    admin_client.post(path, {"text": "Pardon? {0.__class__} %s %(x)s"})
    forget_all()
    say("hi")
    assert say("xyzzy").startswith("Pardon? {0.__class__} %s %(x)s\n")


@pytest.mark.parametrize(
    ("text", "problem"),
    [("Hello {name}", "{name} cannot be filled in here"), ("x" * 1601, "has 1601")],
)
def test_a_text_that_cannot_be_said_is_refused(admin_client, db, text, problem):
    from whatsapp_bot.models import Wording

    row = Wording.objects.get(key="defects.submitted")
    path = reverse("admin:whatsapp_bot_wording_change", args=[row.pk])
    response = admin_client.post(path, {"text": text})
    assert problem in response.content.decode()
    row.refresh_from_db()
    assert row.text == ""


def test_an_order_number_that_reads_like_another_is_refused_in_words(demo, admin_client):
    from orders.models import Customer, Order

    total = Order.objects.count()
    response = admin_client.post(
        reverse("admin:orders_order_add"),
        {
            "number": "ord 1001",
            "customer": Customer.objects.first().pk,
            "product": "Gear",
            "quantity": "5",
            "status": "received",
            "runs-TOTAL_FORMS": "0",
            "runs-INITIAL_FORMS": "0",
        },
    )
    assert "There is an order ORD-1001 already." in response.content.decode()
    assert Order.objects.count() == total
