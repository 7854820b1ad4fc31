"""Who changed what, from what to what, and through which door; and the list to look it up in."""

from datetime import timedelta
from importlib import import_module

import pytest
import time_machine
from django.apps import apps
from django.contrib.auth.models import AnonymousUser, User
from django.db.models.signals import post_save
from django.urls import reverse
from django.utils import timezone
from simple_history.models import HistoricalRecords

from defects.models import Change, DefectCategory, DefectReport, Door
from defects.models.audit import AuditedRecords
from defects.tests.people import a_report, colleague
from orders.models import Customer, Line, Order
from whatsapp_bot.tests.database import statements

pytestmark = pytest.mark.django_db
LIST = "admin:defects_change_changelist"


@pytest.fixture
def anna():
    return colleague("anna", first_name="Annabel")


def told(**of):
    """Each change in words, the oldest first."""
    found = Change.objects.filter(**of).order_by("pk")
    return [(one.what, one.before, one.after, one.who, one.door) for one in found]


def test_filing_a_report_is_no_change_of_it(report):
    assert told() == []


@pytest.mark.parametrize(
    ("path", "door"),
    [
        ("/admin/defects/defectreport/", Door.ADMIN),
        ("/whatsapp/", Door.WHATSAPP),
        ("/simulator/say/", Door.WHATSAPP),
        ("/api/reports/", Door.API),
        (None, Door.COMMAND),
    ],
)
def test_the_door_is_where_the_request_came_in(report, anna, rf, path, door, monkeypatch):
    if path:
        monkeypatch.setattr(HistoricalRecords.context, "request", rf.get(path), raising=False)
    report.acknowledge(anna)
    assert told() == [("status", "reported", "acknowledged", "anna", door)]


def test_a_step_taken_on_the_page_and_several_at_once(report, new_phone, anna, admin_client):
    other = a_report(new_phone)
    category = DefectCategory.objects.create(name="Surface")
    path = reverse("admin:defects_defectreport_changelist")
    chosen = [report.pk, other.pk]
    for action, beside in (
        ("acknowledge", {}),
        ("assign", {"assignee": anna.pk}),
        ("categorise", {"category": category.pk}),
    ):
        admin_client.post(path, {"action": action, "_selected_action": chosen, **beside})
    expected = [
        ("status", "reported", "acknowledged", "admin", "admin"),
        ("assignee", "", "anna", "admin", "admin"),
        ("category", "", "Surface", "admin", "admin"),
    ]
    assert told(report=report) == told(report=other) == expected


def test_parts_come_change_and_go(report, anna):
    ben = User.objects.create_user("ben")
    part = report.dispositions.create(kind="scrap", quantity=4)
    part.quantity = 10
    part.save()
    part.delete()
    action = report.actions.create(what="New tool guide", owner=anna)
    action.finish(anna)
    action.verify(ben)
    action.take_back(anna)
    assert [change[:4] for change in told()] == [
        ("disposition “scrap: 4”", "", "scrap: 4", ""),
        ("disposition “scrap: 10” quantity", "4", "10", ""),
        ("disposition “scrap: 10”", "scrap: 10", "", ""),
        ("corrective action “New tool guide”", "", "New tool guide", ""),
        ("corrective action “New tool guide” done by", "", "anna", "anna"),
        ("corrective action “New tool guide” verified by", "", "ben", "ben"),
        ("corrective action “New tool guide” done by", "anna", "", "anna"),
        ("corrective action “New tool guide” verified by", "ben", "", "anna"),
    ]
    assert {change.report_id for change in Change.objects.all()} == {report.pk}


def test_a_duplicate_that_moves_on_says_by_whom(report, new_phone, anna):
    second, third = a_report(new_phone), a_report(new_phone)
    third.mark_duplicate(anna, second)
    second.mark_duplicate(anna, report)
    moved = told(report=third, field="duplicate_of")
    assert [change[1:4] for change in moved] == [
        ("", str(second), "anna"),
        (str(second), str(report), "anna"),
    ]


def test_two_changes_in_one_moment_are_two(report):
    with time_machine.travel(timezone.now(), tick=False):
        for severity in ("minor", "major", "critical"):
            report.severity = severity
            report.save()
    assert [change[1:3] for change in told()] == [
        ("", "minor"),
        ("minor", "major"),
        ("major", "critical"),
    ]


def test_what_was_changed_outlives_who_did_it_and_the_report(report, anna, admin_client):
    report.dispositions.create(kind="scrap", quantity=4)
    report.acknowledge(anna)
    anna.delete()
    report.reported_by.delete()
    assert told(field="status") == [("status", "reported", "acknowledged", "anna", "command")]
    assert [change[1] for change in told(of="defectreport", field="")] == [str(report)]
    page = admin_client.get(reverse(LIST)).content.decode()
    assert page.count(report.number) >= 4
    assert "anna" in page


# The list -----------------------------------------------------------------------------------------


@pytest.fixture
def listed(admin_client):
    def listed(**query):
        response = admin_client.get(reverse(LIST), query)
        assert response.status_code == 200
        return list(response.context["cl"].result_list)

    return listed


def test_it_is_found_by_report_and_by_person(report, anna, listed):
    with time_machine.travel(timezone.now() + timedelta(days=1, minutes=1)):
        other = DefectReport.objects.file(reported_by=report.reported_by, description="Other")
        other.acknowledge(None)
    report.acknowledge(anna)
    there, mine = Change.objects.get(report=other), Change.objects.get(report=report)
    digits = report.number.partition("-")[2]
    for words in (report.number, report.number.lower(), digits, digits[:8], "anna", "annabel"):
        assert listed(q=words) == [mine], words
    assert listed(q=f"anna {other.number}") == []
    assert listed(q="DEF-") == listed() == [there, mine]
    assert listed(q="nobody % _") == []


def test_it_is_narrowed_by_field_door_person_and_day(clock, report, anna, listed):
    report.acknowledge(anna)
    report.assign(None, anna)
    part = report.dispositions.create(kind="scrap", quantity=4)
    with time_machine.travel(timezone.now() + timedelta(days=3)):
        part.quantity = 5
        part.save()
    status, assignee, came, quantity = Change.objects.order_by("pk")
    assert listed(field="defectreport.status") == [status]
    assert listed(field="disposition.quantity") == [quantity]
    assert listed(field="disposition.") == [came]
    assert listed(field="defectreport.nothing") == []
    assert listed(by__id__exact=anna.pk) == [status]
    assert listed(door="command", field="defectreport.assignee") == [assignee]
    assert listed(door__exact="whatsapp") == []
    today = timezone.localdate()
    assert listed(at_from=today.isoformat(), at_to=today.isoformat()) == [came, assignee, status]
    assert listed(at_from=(today + timedelta(days=1)).isoformat()) == [quantity]


@pytest.mark.usefixtures("read_once")
def test_it_takes_as_many_statements_for_many_as_for_few(report, new_phone, anna, listed):
    report.acknowledge(anna)
    listed()
    few = len(statements(listed))
    for _ in range(5):
        other = a_report(new_phone)
        other.acknowledge(anna)
        other.assign(anna, anna)
        other.dispositions.create(kind="scrap", quantity=1).delete()
    assert len(listed()) == 21
    assert len(statements(listed)) == few
    assert len(statements(report.changes)) == 1


def test_a_long_text_is_short_in_the_list_and_whole_on_its_page(report, listed, admin_client):
    report.cause = "Worn tool. " * 100
    report.save()
    (change,) = listed()
    assert report.cause not in admin_client.get(reverse(LIST)).content.decode()
    there = reverse("admin:defects_change_change", args=[change.pk])
    assert report.cause.strip() in admin_client.get(there).content.decode()


def test_nobody_writes_changes_or_deletes_it(report, anna, admin_client):
    report.acknowledge(anna)
    change = Change.objects.get()
    before = Change.objects.values().get()
    own = {"number": "DEF-1", "at_0": "2025-01-01", "at_1": "00:00", "who": "nobody", "after": "x"}
    for path in (
        reverse("admin:defects_change_add"),
        reverse("admin:defects_change_change", args=[change.pk]),
        reverse("admin:defects_change_delete", args=[change.pk]),
    ):
        assert admin_client.post(path, {**own, "post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [change.pk], "post": "yes"}
    admin_client.post(reverse(LIST), chosen)
    admin_client.post(reverse(LIST), {"form-TOTAL_FORMS": 1, "form-0-who": "nobody", "_save": "x"})
    assert Change.objects.values().get() == before
    for part in ("historicaldefectreport", "historicaldisposition", "historicalcorrectiveaction"):
        path = f"/admin/defects/{part}/{report.history.last().pk}/"
        assert admin_client.post(f"{path}delete/", {"post": "yes"}).status_code == 404
        assert admin_client.post(f"{path}change/", own).status_code == 404
    assert report.history.count() == 2


def test_what_was_changed_before_is_taken_from_the_histories(report, new_phone, anna):
    report.acknowledge(anna)
    report.categorise(anna, DefectCategory.objects.create(name="Surface"))
    report.assign(anna, anna)
    gone = report.dispositions.create(kind="scrap", quantity=4)
    gone.quantity = 5
    gone.save()
    gone.delete()
    report.actions.create(what="New tool guide", owner=anna).finish(anna)
    a_report(new_phone).mark_duplicate(anna, report)
    told_then = sorted((*change, at) for change, at in zip(told(), times(), strict=True))
    Change.objects.all().delete()
    migration = import_module("defects.migrations.0005_change")
    migration.take_from_histories(apps, None)
    # Another report is called by its number there.
    told_now = [
        (what, before, str(report) if what == "duplicate of" else after, *rest, at)
        for (what, before, after, *rest), at in zip(told(), times(), strict=True)
    ]
    named = [one for one in sorted(told_now) if "scrap: 4" not in one]
    assert named == [one for one in told_then if "scrap: 4" not in one]
    assert Change.objects.filter(number=report.number).count() == len(told_then) - 2


def times():
    return Change.objects.order_by("pk").values_list("at", flat=True)


@pytest.mark.parametrize("name", ["anna", None])
def test_the_first_row_of_a_history_is_what_simple_history_makes(new_phone, rf, monkeypatch, name):
    request = rf.post("/simulator/")
    request.user = User.objects.create_user(name) if name else AnonymousUser()
    monkeypatch.setattr(HistoricalRecords.context, "request", request, raising=False)
    given = {"severity": "critical", "lot": "L 7", "answers": [{"name": "lot", "answer": "L 7"}]}
    report = a_report(new_phone, **given)
    library = HistoricalRecords.create_historical_record
    monkeypatch.setattr(AuditedRecords, "create_historical_record", library)
    post_save.send(DefectReport, instance=report, created=True, using="default")
    ours, made = DefectReport.history.order_by("pk").values()
    for row in (ours, made):
        del row["history_id"], row["history_date"]
    assert ours == made
    assert (ours["door"], bool(ours["history_user_id"])) == (Door.WHATSAPP, bool(name))


def test_a_critical_report_is_urgent_from_the_start(new_phone):
    assert a_report(new_phone, severity="critical").urgency == 0
    assert DefectReport.objects.get().urgency == 0


@pytest.mark.parametrize("lost", ["order", "line"])
def test_a_report_whose_order_or_line_is_deleted_has_changed(report, anna, lost):
    customer = Customer.objects.create(name="Acme")
    order = Order.objects.create(number="ORD-1", customer=customer, product="Gear", quantity=5)
    line = Line.objects.create(name="Line 1")
    report.order, report.line = order, line
    report.save()
    changed = report.updated_at
    getattr(report, lost).delete()
    report.refresh_from_db()
    assert (report.order is None, report.line is None) == (lost == "order", lost == "line")
    assert report.updated_at > changed
    last = told(field=lost)[-1]
    assert last[:3] == (lost, {"order": "ORD-1", "line": "Line 1"}[lost], "")
