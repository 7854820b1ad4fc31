"""Reports as other systems read and review them: what the admin refuses is refused here."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.urls import reverse
from django.utils import timezone

from config.tests.test_api import pages, problem
from conftest import with_token
from defects.models import DefectCategory, DefectReport, Note
from orders.models import Customer, Line, Order
from whatsapp_bot.models import Contact, Media, Message
from whatsapp_bot.tests import files

pytestmark = pytest.mark.django_db
REPORTS = "/api/v1/defects/"


@pytest.fixture
def reviewer(api):
    return api("Reviewers", name="anna")


@pytest.fixture
def report(contact):
    return DefectReport.objects.file(reported_by=contact, description="Deep scratch")


@pytest.fixture
def there(report):
    return f"{REPORTS}{report.number}/"


@pytest.fixture
def surface(db):
    return DefectCategory.objects.create(name="Surface")


def reasons(response) -> str:
    """Why a step was refused."""
    told = problem(response, 409)
    assert told["type"] == "urn:andon:problem:not-allowed"
    return " ".join(told["reasons"])


# The review --------------------------------------------------------------------------------------


def test_a_report_is_sent_back_as_it_was_read_and_its_status_is_not_said(reviewer, there):
    read = reviewer.get(there).json()
    assert reviewer.patch(there, {**read, "cause": "Worn tool"}).json()["cause"] == "Worn tool"
    assert reviewer.patch(there, {**read, "cause": "Worn tool"}).status_code == 200
    (error,) = problem(reviewer.patch(there, {"status": "closed", "cause": "None"}), 400)["errors"]
    assert error["pointer"] == "#/status"
    assert error["detail"].startswith('It is "reported", and not changed')
    assert reviewer.get(there).json()["cause"] == "Worn tool"


def test_a_report_is_sent_back_though_others_are_called_otherwise(
    reviewer, report, there, surface, contact
):
    reviewer.patch(there, {"category": surface.pk})
    DefectReport.objects.update(decided_by=User.objects.get(username="anna"))
    read = reviewer.get(there).json()
    DefectCategory.objects.update(name="Scratches")
    Contact.objects.filter(pk=contact.pk).update(name="Nomsa Dlamini")
    User.objects.update(username="anna.k")
    told = reviewer.patch(there, {**read, "cause": "Worn tool"}).json()
    assert (told["cause"], told["category_name"]) == ("Worn tool", "Scratches")
    assert (told["reporter_name"], told["decided_by"]) == ("Nomsa Dlamini", "anna.k")


def test_a_report_stays_unchanged_when_nothing_is_different(reviewer, there):
    said = {"severity": "minor", "inspected": 4, "cause": "Worn tool"}
    read = reviewer.patch(there, said).json()
    assert reviewer.patch(there, said).json() == read
    assert reviewer.patch(there, {**said, "inspected": 5}).json()["updated_at"] > read["updated_at"]


def test_what_a_step_does_not_take_is_refused(reviewer, report, there):
    (error,) = problem(reviewer.post(f"{there}acknowledge/", {"reason": "Seen"}), 400)["errors"]
    assert error == {"pointer": "#/reason", "detail": "There is nothing to say here."}
    assert reviewer.get(there).json()["status"] == "reported"
    assert reviewer.post(f"{there}acknowledge/", {}).json()["status"] == "acknowledged"


def test_from_reported_to_closed(reviewer, report, there, surface):
    ben = with_token(User.objects.create_user("ben", is_staff=True, is_superuser=True))
    assert "has to be acknowledged first" in reasons(reviewer.post(f"{there}begin_review/"))
    assert reviewer.post(f"{there}acknowledge/").json()["status"] == "acknowledged"
    assert reviewer.post(f"{there}begin_review/").json()["assignee"] == "anna"
    assert "needs a disposition" in reasons(reviewer.post(f"{there}decide/"))
    found = {"severity": "major", "category": surface.pk, "nonconforming": 10, "cause": "Worn tool"}
    assert reviewer.patch(there, found).json()["category_name"] == "Surface"
    scrap = {"kind": "scrap", "quantity": 7}
    made = reviewer.post(f"{there}dispositions/", scrap)
    assert made.status_code == 201
    assert "for 7 parts, but 10 are nonconforming" in reasons(reviewer.post(f"{there}decide/"))
    reviewer.patch(f"{there}dispositions/{made.json()['id']}/", {"quantity": 10})
    assert reviewer.post(f"{there}decide/").json()["decided_by"] == "anna"
    action = reviewer.post(f"{there}actions/", {"what": "New tool", "owner": "anna"}).json()
    assert "not verified yet" in reasons(reviewer.post(f"{there}close/"))
    step = f"{there}actions/{action['id']}/"
    assert reviewer.post(f"{step}finish/").json()["state"] == "done"
    assert "Somebody else has to verify it" in reasons(reviewer.post(f"{step}verify/"))
    assert ben.post(f"{step}verify/").json()["verified_by"] == "ben"
    closed = reviewer.post(f"{there}close/").json()
    assert closed["status"] == "closed"
    assert [row["quantity"] for row in closed["dispositions"]] == [10]
    assert [row["state"] for row in closed["actions"]] == ["verified"]
    told = Message.objects.filter(contact=report.reported_by).order_by("pk")
    assert list(told.values_list("notice", flat=True)) == [
        "news.acknowledged",
        "news.decided",
        "news.closed",
    ]


def test_every_change_is_in_the_history_as_the_tokens_users(reviewer, report, there):
    reviewer.post(f"{there}acknowledge/")
    reviewer.patch(there, {"severity": "minor"})
    reviewer.post(f"{there}dispositions/", {"kind": "rework", "quantity": 1})
    found = {(change.who, change.door, change.what) for change in report.changes()}
    assert {("anna", "api", "status"), ("anna", "api", "severity")} <= found
    assert ("anna", "api", "disposition “rework: 1”") in found


def test_the_other_ways_out(reviewer, report, there, contact):
    assert problem(reviewer.post(f"{there}dismiss/"), 400)["errors"][0]["pointer"] == "#/reason"
    assert (
        reviewer.post(f"{there}dismiss/", {"reason": "Only dirt"}).json()["status"] == "unfounded"
    )
    assert "open it again" in reasons(reviewer.patch(there, {"severity": "minor"}))
    assert "open it again" in reasons(
        reviewer.post(f"{there}dispositions/", {"kind": "scrap", "quantity": 1})
    )
    assert reviewer.post(f"{there}reopen/", {"reason": "No dirt"}).json()["status"] == "in_review"
    assert Note.objects.count() == 2
    other = DefectReport.objects.file(reported_by=contact, description="The same")
    assert "of itself" in reasons(reviewer.post(f"{there}mark_duplicate/", {"of": report.number}))
    problem(reviewer.post(f"{there}mark_duplicate/", {"of": "DEF-1"}), 400)
    assert (
        reviewer.post(f"{there}mark_duplicate/", {"of": other.number}).json()["duplicate_of"]
        == other.number
    )


def test_assigning_and_categorising(reviewer, there, surface):
    User.objects.create_user("gone", is_staff=True, is_active=False)
    assert reviewer.post(f"{there}assign/", {"assignee": "anna"}).json()["assignee"] == "anna"
    assert reviewer.post(f"{there}assign/", {"assignee": None}).json()["assignee"] is None
    problem(reviewer.post(f"{there}assign/", {"assignee": "gone"}), 400)
    assert (
        reviewer.post(f"{there}categorise/", {"category": surface.pk}).json()["category"]
        == surface.pk
    )
    DefectCategory.objects.update(is_active=False)
    problem(reviewer.post(f"{there}categorise/", {"category": surface.pk}), 400)
    assert reviewer.patch(there, {"category": surface.pk}).status_code == 200
    reviewer.patch(there, {"category": None})
    problem(reviewer.patch(there, {"category": surface.pk}), 400)


def test_what_is_decided_stays(reviewer, report, there):
    DefectReport.objects.update(status="in_review", nonconforming=1)
    disposition = report.dispositions.create(kind="scrap", quantity=1)
    reviewer.post(f"{there}decide/")
    row = f"{there}dispositions/{disposition.pk}/"
    assert "open it again" in reasons(reviewer.patch(row, {"quantity": 2}))
    assert "open it again" in reasons(reviewer.delete(row))
    assert "open it again" in reasons(reviewer.patch(there, {"nonconforming": 2}))
    assert reviewer.patch(there, {"nonconforming": 1, "cause": "Worn"}).json()["cause"] == "Worn"
    assert "only 0 were inspected" in reasons(reviewer.patch(there, {"inspected": 0}))


def test_the_actions_of_a_report(reviewer, report, there):
    made = reviewer.post(
        f"{there}actions/", {"what": "New tool", "owner": "anna", "due_on": "2020-01-01"}
    )
    assert made.json()["state"] == "overdue"
    row = f"{there}actions/{made.json()['id']}/"
    assert reviewer.patch(row, {"due_on": None}).json()["state"] == "open"
    reviewer.post(f"{row}finish/")
    assert "Take it back first" in reasons(reviewer.delete(row))
    assert reviewer.post(f"{row}take_back/").json()["state"] == "open"
    assert reviewer.delete(row).status_code == 204


def test_the_actions_of_a_closed_report_stay_as_they_are(reviewer, report, there):
    made = {"what": "New tool", "owner": "anna"}
    row = f"{there}actions/{reviewer.post(f'{there}actions/', made).json()['id']}/"
    read = reviewer.get(row).json()
    DefectReport.objects.update(status="closed")
    for answer in (
        reviewer.post(f"{there}actions/", {"what": "More", "owner": "anna"}),
        reviewer.patch(row, {"what": "Other"}),
        reviewer.patch(row, {}),
        reviewer.delete(row),
        *(reviewer.post(f"{row}{verb}/") for verb in ("finish", "verify", "take_back")),
    ):
        closed = "The report is closed: open it again to change its actions."
        assert reasons(answer) == closed
    # A row is changed field by field: there is no PUT, whatever becomes of its report.
    problem(reviewer.put(row, {"what": "Other", "owner": "anna"}), 405)
    assert reviewer.get(f"{there}actions/").json()["results"] == [read]


def test_rows_of_another_report_are_not_there(reviewer, report, there, contact):
    other = DefectReport.objects.file(reported_by=contact, description="Other")
    disposition = other.dispositions.create(kind="scrap", quantity=1)
    problem(reviewer.patch(f"{there}dispositions/{disposition.pk}/", {"quantity": 2}), 404)
    problem(reviewer.get(f"{REPORTS}DEF-1/dispositions/"), 404)
    problem(reviewer.post(f"{REPORTS}DEF-1/dispositions/", {"kind": "scrap", "quantity": 1}), 404)


def test_one_disposition_of_a_kind(reviewer, there):
    for status in (201, 400):
        answer = reviewer.post(f"{there}dispositions/", {"kind": "scrap", "quantity": 1})
        assert answer.status_code == status


# Two at once -------------------------------------------------------------------------------------


def test_the_second_of_two_is_told_what_the_first_has_changed(reviewer, report, there):
    tag = reviewer.get(there)["ETag"]
    reviewer.patch(there, {"severity": "minor"}, HTTP_IF_MATCH=tag)
    told = problem(reviewer.patch(there, {"severity": "major"}, HTTP_IF_MATCH=tag), 412)
    assert told["changes"] == [{"who": "anna", "what": "severity", "was": "", "now": "minor"}]
    for answer in (
        reviewer.post(f"{there}acknowledge/", HTTP_IF_MATCH=tag),
        reviewer.post(f"{there}dispositions/", {"kind": "scrap", "quantity": 1}, HTTP_IF_MATCH=tag),
    ):
        problem(answer, 412)
    report.refresh_from_db()
    assert (report.severity, report.status) == ("minor", "reported")
    now = reviewer.get(there)["ETag"]
    assert reviewer.post(f"{there}acknowledge/", HTTP_IF_MATCH=now).status_code == 200
    assert reviewer.patch(there, {"severity": "major"}, HTTP_IF_MATCH="*").status_code == 200


# Reading -----------------------------------------------------------------------------------------


def test_what_there_is_to_read(reviewer, report, there, contact):
    order = Order.objects.create(
        number="ORD-1", customer=Customer.objects.create(name="Acme"), product="Gear", quantity=1
    )
    Line.objects.create(name="Line 1")
    shown = reviewer.patch(there, {"order": "ord 1", "line": "Line 1", "lot": "L-7"}).json()
    assert (shown["order"], shown["line"], shown["lot"]) == (order.number, "Line 1", "L-7")
    assert (shown["reported_by"], shown["status"]) == (contact.pk, "reported")
    (row,) = reviewer.get(REPORTS).json()["results"]
    assert row.items() <= shown.items()


def test_filters(reviewer, report, contact):
    other = DefectReport.objects.file(reported_by=contact, description="x", severity="critical")
    DefectReport.objects.filter(pk=other.pk).update(
        status="closed", created_at=timezone.now() - timedelta(days=9)
    )

    def found(**filters):
        return [row["number"] for row in reviewer.get(REPORTS, filters).json()["results"]]

    assert found(status="reported") == found(open="true") == [report.number]
    assert found(status=["reported", "closed"]) == [report.number, other.number]
    assert found(severity="critical") == found(open="false") == [other.number]
    assert found(created_since=(timezone.now() - timedelta(days=1)).isoformat()) == [report.number]
    assert found(reported_by=contact.pk, order="ORD-9") == []
    assert found(assignee="anna") == []


def test_what_changed_since(reviewer, report, there, contact):
    other = DefectReport.objects.file(reported_by=contact, description="x")
    since = timezone.now().isoformat()
    changed = {"updated_since": since}
    assert reviewer.get(REPORTS, changed).json()["results"] == []
    reviewer.post(f"{there}dispositions/", {"kind": "scrap", "quantity": 1})
    found = [row["number"] for row in reviewer.get(REPORTS, changed).json()["results"]]
    assert found == [report.number]
    assert [
        row["number"] for page in pages(reviewer, f"{REPORTS}?page_size=1") for row in page
    ] == [
        other.number,
        report.number,
    ]


def test_what_a_page_costs(reviewer, contact, django_assert_num_queries):
    for n in range(20):
        DefectReport.objects.file(reported_by=contact, description=f"{n}")
    reviewer.get(REPORTS)
    with django_assert_num_queries(4):  # the token, two for permissions, the page
        reviewer.get(REPORTS)


# Photos ------------------------------------------------------------------------------------------


@pytest.fixture
def photo(report, contact, settings):
    in_memory = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    settings.STORAGES = {**settings.STORAGES, "default": in_memory}
    message = Message.objects.create(
        contact=contact, direction="in", kind="image", status="received"
    )
    report.attach([message.pk])
    kept = default_storage.save("one", ContentFile(files.JPEG))
    return Media.objects.create(
        message=message,
        status="stored",
        content_type="image/jpeg",
        size=len(files.JPEG),
        file=kept,
        thumbnail=kept,
        fetched_at=timezone.now(),
    )


def test_the_photos_of_a_report(reviewer, photo, there):
    (shown,) = reviewer.get(f"{there}photos/").json()
    assert shown["content_type"] == "image/jpeg"
    for link in (shown["file"], shown["small"]):
        answer = reviewer.get(link, HTTP_ACCEPT="image/*")
        assert answer.status_code == 200
        assert b"".join(answer.streaming_content) == files.JPEG
        assert answer["Content-Type"] == "image/jpeg"
        assert "sandbox" in answer["Content-Security-Policy"]
    part = reviewer.get(shown["file"], HTTP_RANGE="bytes=0-3")
    assert part.status_code == 206
    assert b"".join(part.streaming_content) == files.JPEG[:4]


def test_a_page_that_somebody_sent_is_no_page_here(reviewer, photo, there):
    Media.objects.update(content_type="text/html")
    (shown,) = reviewer.get(f"{there}photos/").json()
    assert reviewer.get(shown["file"])["Content-Disposition"].startswith("attachment")


def test_a_photo_that_is_not_there_yet(reviewer, photo, there):
    Media.objects.update(status="waiting", thumbnail="")
    (shown,) = reviewer.get(f"{there}photos/").json()
    assert (shown["status"], shown["file"], shown["small"]) == ("waiting", None, None)
    problem(reviewer.get(f"/api/v1/files/{photo.pk}/"), 404)


# Who may -----------------------------------------------------------------------------------------

STEPS = ["acknowledge", "begin_review", "decide", "close", "dismiss", "mark_duplicate", "reopen"]
CHANGES = [
    *(("post", f"{step}/") for step in [*STEPS, "assign", "categorise"]),
    ("post", "dispositions/"),
    ("post", "actions/"),
    ("post", "notes/"),
    ("patch", ""),
]


@pytest.mark.parametrize("group", ["Managers", "Editors", None])
def test_who_may_not_review_in_the_admin_may_not_here(api, report, there, photo, group):
    system = api(*filter(None, [group]))
    sees = 200 if group == "Managers" else 403
    for part in ("", "photos/", "dispositions/", "actions/", "notes/"):
        assert system.get(there + part).status_code == sees, part
    assert system.get(f"/api/v1/files/{photo.pk}/").status_code == sees
    for method, part in CHANGES:
        problem(getattr(system, method)(there + part, {}), 403)
    admin = reverse("admin:defects_defectreport_change", args=[report.pk])
    browser = system.user
    assert not browser.has_perm("defects.review_defectreport")
    system.force_login(browser)
    system.post(admin, {"step": "acknowledge"})
    report.refresh_from_db()
    assert report.status == "reported"


def test_to_change_is_not_to_review(api, report, there):
    clerk = api("defects.view_defectreport", "defects.change_defectreport")
    assert clerk.patch(there, {"cause": "Worn tool"}).status_code == 200
    assert clerk.post(f"{there}notes/", {"text": "Seen it"}).json()["author"] == "erp"
    problem(clerk.post(f"{there}acknowledge/"), 403)
    problem(clerk.post(f"{there}dispositions/", {"kind": "scrap", "quantity": 1}), 403)
    problem(clerk.get(f"{there}photos/"), 403)


def test_categories(api, surface):
    reviewer, admin = api("Reviewers", name="anna"), api("Administrators", name="admin")
    there = f"/api/v1/categories/{surface.pk}/"
    assert reviewer.get(there).json()["name"] == "Surface"
    problem(reviewer.patch(there, {"name": "x"}), 403)
    assert admin.patch(there, {"is_active": False}).json()["is_active"] is False
    assert admin.delete(there).status_code == 204
