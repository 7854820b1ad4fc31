"""Exporting from the list: what it shows, who may, and what becomes of a large one."""

import os
import re
import signal
import subprocess
import sys
import time
from datetime import timedelta
from html import unescape

import pytest
import time_machine
from django.conf import settings as project
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client, TestCase
from django.urls import reverse
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from config.tests.serving import beside, working
from defects import export as files
from defects import exporting, sweep
from defects.admin import exports
from defects.models import DefectReport, Export, Severity, Status
from defects.tasks import make_exports
from defects.tests.sheets import csv_rows, xlsx_rows, xlsx_sheets
from orders.models import Line
from whatsapp_bot import long_work
from whatsapp_bot.models import Contact
from whatsapp_bot.tests.staff import browser, staff

pytestmark = pytest.mark.django_db
LIST = "/admin/defects/defectreport/"
MAY = ["view_defectreport", "export_defectreport"]


@pytest.fixture(autouse=True)
def _storage(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def reports(db):
    """Some reports that differ, oldest first."""
    people = [Contact.objects.create(phone=f"+2782000000{n}", name=f"P{n}") for n in range(3)]
    lines = [Line.objects.create(name=f"Line {n}") for n in range(2)]
    now = timezone.now()
    return [
        DefectReport.objects.file(
            reported_by=people[n % 3],
            description=f"{'Scratch' if n % 2 else 'Oil leak'} {n}",
            line=lines[n % 2],
            status=Status.values[n % 3],
            severity=Severity.values[n % 3],
            created_at=now - timedelta(days=40 * (9 - n)),
        )
        for n in range(10)
    ]


@pytest.fixture
def anna(db):
    return staff("anna", *MAY)


@pytest.fixture
def client(anna):
    return browser(anna)


@pytest.fixture
def large(monkeypatch):
    """Nothing is small enough to be waited for."""
    monkeypatch.setattr(exports, "AT_ONCE", 0)


def content_of(response):
    return b"".join(response.streaming_content)


def ask(client, query="", kind="csv"):
    return client.post(f"{LIST}export/", {"query": query, "format": kind})


def numbers(rows):
    return [row[0] for row in rows[1:]]


def shown(client, query):
    """The numbers of the reports on all pages of the list."""
    cl = client.get(f"{LIST}?{query}").context["cl"]
    pages = range(1, cl.paginator.num_pages + 1)
    shown = [client.get(f"{LIST}?{query}&p={page}").context["cl"].result_list for page in pages]
    return [report.number for results in shown for report in results]


# What the list shows ------------------------------------------------------------------------------

QUERIES = [
    "",
    "status__exact=reported",
    "q=scratch",
    "q=P1",
    "q=%2B27820000002",
    "o=1",
    "o=-1.2",
    "line__id__exact={line}&o=7",
    "created_at__year={year}",
    "created_at__year={year}&created_at__month={month}",
    "status__exact=acknowledged&q=oil&o=8",
    "q=nothing+is+like+this",
    "status__in=reported&status__in=in_review",
]


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_it_is_exactly_what_the_list_shows(clock, client, reports, monkeypatch, query, kind):
    from django.contrib import admin

    monkeypatch.setattr(admin.site.get_model_admin(DefectReport), "list_per_page", 4)
    now = timezone.localtime()
    query = query.format(line=reports[0].line_id, year=now.year, month=now.month)
    rows_of = csv_rows if kind == "csv" else xlsx_rows
    listed = shown(client, query)
    assert numbers(rows_of(content_of(ask(client, query, kind)))) == listed
    assert len(listed) < 10 or "=" not in query or query.startswith("o=")


def test_which_page_of_the_list_it_is_plays_no_part(client, reports):
    assert len(csv_rows(content_of(ask(client, "p=2&all=&e=1")))) == 11
    assert Export.objects.get().query == ""


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", ""),
        ("status__exact=reported&q=seal", "Status: reported; Search: seal"),
        ("o=0.-4", "Sorted by number, severity (descending)"),
        # What cannot be sorted by, and what is no column.
        ("o=1.99.x.-", ""),
        ("at_work=mine&o=-0", "Progress: my open; Sorted by number (descending)"),
    ],
)
def test_its_row_says_the_filters_as_the_list_does(client, reports, query, said):
    about = dict(xlsx_sheets(content_of(ask(client, query, "xlsx")))["About"])
    export = Export.objects.get()
    assert (export.filters, about["Filters"]) == (said, said or "none")
    page = client.get(reverse("admin:defects_export_change", args=[export.pk])).content.decode()
    assert f">{said or 'the whole list'}</a>" in page
    exports = client.get("/admin/defects/export/").content.decode()
    assert f"Excel: {said or 'all reports'}" in exports


def test_the_button_says_how_many_and_carries_the_filters(client, reports):
    page = client.get(f"{LIST}?status__exact=reported&p=1").content.decode()
    assert "All 4 reports" in page
    assert 'name="query" value="status__exact=reported"' in page
    page = client.get(f"{LIST}?id={reports[0].pk}").content.decode()
    assert "The one report" in page


def test_the_list_has_its_own_looks_and_those_of_the_button(client, reports):
    page = client.get(LIST).content.decode()
    for file in ("export.css", "export.js", "report.css"):
        assert f"/defects/{file}" in page


def test_the_file_has_a_name_and_is_kept_by_nobody_in_between(client, reports):
    with time_machine.travel("2026-11-22 12:00+02:00"):
        response = ask(client, "", "xlsx")
    assert response["Content-Disposition"] == 'attachment; filename="defects-2026-11-22.xlsx"'
    assert "no-store" in response["Cache-Control"]
    assert response["Content-Type"].startswith("application/vnd.openxml")
    about = dict(xlsx_sheets(content_of(response))["About"])
    assert (about["Reports"], about["Asked for by"]) == ("10", "anna")
    assert about["Cut"] == "Nothing was cut."


def test_what_was_cut_is_said_on_the_next_page(client, reports):
    DefectReport.objects.filter(pk=reports[0].pk).update(description="x" * 40_000)
    content_of(ask(client))
    assert "1 cell was longer" in client.get(LIST).content.decode()
    assert Export.objects.get().cut == 1


# Who may ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("codenames", [["view_defectreport"], ["export_defectreport"]])
def test_without_both_permissions_there_is_no_button_and_no_file(reports, codenames):
    client = browser(staff("ben", *codenames))
    assert ask(client).status_code == 403
    assert "defectreport/export/" not in client.get(LIST).content.decode()
    assert not Export.objects.exists()


def test_nor_for_who_is_not_signed_in(reports):
    response = ask(Client())
    assert response.status_code == 302
    assert "login" in response["Location"]


def test_it_is_asked_for_by_post_only(client, reports):
    assert client.get(f"{LIST}export/").status_code == 405


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"format": "exe"}, 400),
        ({}, 400),
        ({"format": "csv", "query": "q=" + "x" * 5000}, 400),
        ({"format": "csv", "query": "reported_by__messages__body=x"}, 302),
        ({"format": "csv", "query": "created_at__year=x"}, 302),
        ({"format": "csv", "query": "nonsense=1"}, 302),
    ],
)
def test_what_makes_no_sense_is_refused(client, reports, form, status):
    assert client.post(f"{LIST}export/", form).status_code == status
    assert not Export.objects.exists()


def test_each_export_is_on_record(client, anna, reports):
    content_of(ask(client, "q=scratch&p=1"))
    export = Export.objects.get()
    assert (export.by, export.query, export.format) == (anna, "q=scratch", "csv")
    assert (export.status, export.done, export.file) == (Export.Status.DONE, 5, "")
    assert "Search: scratch" in client.get("/admin/defects/export/").content.decode()
    page = client.get(f"/admin/defects/export/{export.pk}/change/").content.decode()
    assert "5 reports are in the file. It was handed over at once." in page


# Large ones ---------------------------------------------------------------------------------------


@pytest.fixture
def asked(client, reports, large):
    """A large export that waits."""
    response = ask(client, "status__exact=reported&o=1")
    export = Export.objects.get()
    assert response["Location"] == reverse("admin:defects_export_change", args=[export.pk])
    return export


def make():
    """What the worker does with the next one, without a process of its own."""
    export = Export.objects.claim()
    exporting.make(export)
    return Export.objects.get(pk=export.pk)


def page_of(export, part="change", **options):
    return reverse(f"admin:defects_export_{part}", args=[export.pk], **options)


def test_a_large_one_is_made_in_the_background_and_downloaded(client, asked):
    assert "It waits for its turn." in client.get(page_of(asked)).content.decode()
    assert client.get(page_of(asked, "download")).status_code == 404
    export = make()
    assert export.status == Export.Status.DONE
    page = client.get(page_of(export)).content.decode()
    assert "4 reports are in the file. It is kept until" in page
    assert page_of(export, "download") in page
    response = client.get(page_of(export, "download"))
    assert f'filename="{export.name}"' in response["Content-Disposition"]
    assert numbers(csv_rows(content_of(response))) == shown(client, "status__exact=reported&o=1")
    assert len(export.file.name) >= 40


@pytest.mark.django_db(transaction=True)
def test_asking_wakes_the_worker(asked):
    assert DBTaskResult.objects.get().queue_name == "exporting"


def test_the_page_is_told_how_far_it_is(client, asked, monkeypatch):
    monkeypatch.setattr(files, "BATCH", 2)
    monkeypatch.setattr(long_work, "TELL_EVERY", 0)
    told = []
    read = files.read

    def watched(ids):
        for batch in read(ids):
            told.append(client.get(page_of(asked, "state")).json())
            yield batch

    monkeypatch.setattr(files, "read", watched)
    make()
    assert [state["done"] for state in told] == [0, 2]
    assert told[1]["sentence"] == "2 of 4 reports are written (50 %)."
    assert all(state["unfinished"] and state["total"] == 4 for state in told)
    assert not client.get(page_of(asked, "state")).json()["unfinished"]


def test_one_that_waits_can_be_cancelled(client, asked):
    assert client.get(page_of(asked, "cancel")).status_code == 405
    page = client.post(page_of(asked, "cancel"), follow=True).content.decode()
    assert "It was cancelled." in page
    assert Export.objects.claim() is None
    client.post(page_of(asked, "cancel"))


def test_one_that_is_being_made_can_be_cancelled(client, asked, monkeypatch):
    monkeypatch.setattr(long_work, "TELL_EVERY", 0)
    read = files.read

    def cancelled(ids):
        yield from read(ids)
        client.post(page_of(asked, "cancel"))

    monkeypatch.setattr(files, "read", cancelled)
    export = make()
    assert export.status == Export.Status.CANCELLED
    assert not default_storage.exists(export.file.name)


def test_what_a_worker_that_died_had_in_hand_begins_anew(asked):
    first = Export.objects.claim()
    default_storage.save(first.file.name, _some_file())
    assert Export.objects.claim() is None
    with time_machine.travel(timezone.now() + Export.CLAIM + timedelta(seconds=1)):
        with TestCase.captureOnCommitCallbacks(execute=True):
            second = Export.objects.claim()
        assert (second.pk, second.attempts) == (first.pk, 2)
        assert not default_storage.exists(first.file.name)
        assert not first.hold(done=1), "it is in other hands"
        assert not first.settle(4, 0)
        with pytest.raises(exporting.Stopped):
            exporting._make(first)
        exporting.make(second)
    assert Export.objects.get().status == Export.Status.DONE


@pytest.fixture
def ends_with(monkeypatch, tmp_path):
    """Have the process that makes an export end in some way, at once."""

    def ends_with(end):
        maker = tmp_path / "python"
        maker.write_text(f"#!/bin/sh\n{end}\n")
        maker.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(maker))

    return ends_with


@pytest.mark.parametrize(("end", "status"), [("kill -TERM $$", "running"), ("exit 1", "waiting")])
def test_a_worker_that_is_told_to_end_begins_none_anew(asked, ends_with, end, status):
    """All its processes are told so. The try of its own would be the next one's."""
    ends_with(end)
    long_work.work_beside(Export.objects.claim(), "prepare_export")
    assert Export.objects.get().status == status
    assert not Export.objects.due(timezone.now()).exists()


def test_what_is_done_may_tidy_up_before_it_ends(asked, ends_with, tmp_path):
    """It is nobody's any more from the moment on that it says so."""
    ends_with(f"sleep 2; touch {tmp_path}/tidied-up")
    export = Export.objects.claim()
    Export.objects.update(status=Export.Status.DONE)
    long_work.work_beside(export, "prepare_export")
    assert (tmp_path / "tidied-up").exists()


def test_but_not_for_ever(asked, ends_with, monkeypatch):
    monkeypatch.setattr(long_work, "PATIENCE", 0.1)
    ends_with("exec sleep 60")
    export = Export.objects.claim()
    export.cancel()
    began = time.monotonic()
    long_work.work_beside(export, "prepare_export")
    assert time.monotonic() - began < 20


def test_an_hour_without_storage_is_survived_and_staff_are_told(client, asked, ends_with):
    ends_with("exit 1")  # as when the bucket cannot be reached
    began = timezone.now()
    with time_machine.travel(began, tick=False) as clock:
        make_exports.call()
        at = timezone.localtime(began + timedelta(minutes=1))
        says = f"It broke off, and is tried again by itself at {at:%H:%M}."
        assert says in client.get(page_of(asked)).content.decode()
        assert client.get(page_of(asked, "state")).json()["sentence"] == says
        for _ in range(60):
            clock.shift(timedelta(minutes=1))
            make_exports.call()
        # The bucket is back.
        assert "again by itself at" in client.get(page_of(asked)).content.decode()
        clock.shift(timedelta(hours=1))
        assert "It waits for its turn." in client.get(page_of(asked)).content.decode()
        assert make().status == Export.Status.DONE


def test_after_the_last_try_nobody_is_told_to_wait(asked, ends_with):
    ends_with("exit 1")
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(Export.TRIES):
            clock.move_to(max(Export.objects.get().claimed_until, timezone.now()))
            make_exports.call()
        assert Export.objects.get().status == Export.Status.FAILED


def test_what_cannot_be_put_away_holds_up_nobody(asked, monkeypatch):
    """The bucket is away, and keeps what somebody left there who died."""
    Export.objects.claim().let_go()

    def away(place):
        raise OSError

    monkeypatch.setattr(default_storage, "delete", away)
    with TestCase.captureOnCommitCallbacks(execute=False):
        assert Export.objects.claim().attempts == 2


def test_one_that_everybody_dies_of_is_given_up(asked):
    for _ in range(Export.TRIES):
        Export.objects.claim().let_go()
    assert Export.objects.claim() is None
    export = Export.objects.get()
    assert (export.status, export.why) == (Export.Status.FAILED, "Making it broke down.")


def test_who_may_not_export_any_more_gets_nothing(client, anna, asked):
    anna.user_permissions.clear()
    export = make()
    assert export.status == Export.Status.FAILED
    assert "may not export" in export.why
    assert not default_storage.exists(export.file.name)


def test_the_file_is_deleted_after_a_day_and_the_record_stays(client, asked):
    export = make()
    sweep.delete_old_exports()
    assert default_storage.exists(export.file.name)
    with time_machine.travel(timezone.now() + timedelta(days=1, minutes=1)):
        sweep.delete_old_exports()
        page = browser(export.by).get(page_of(export)).content.decode()
    assert not default_storage.exists(export.file.name)
    assert "Its file was deleted." in page
    assert client.get(page_of(export, "download")).status_code == 404


def test_what_cutting_did_stands_on_the_page(client, asked):
    DefectReport.objects.filter(status="reported").update(description="=" + "x" * 40_000)
    assert "4 cells were longer" in client.get(page_of(make())).content.decode()


# Other people's -----------------------------------------------------------------------------------


def test_nobody_else_gets_at_it(asked):
    export = make()
    ben = browser(staff("ben", *MAY))
    assert ben.get(page_of(export)).headers["Location"] == "/admin/defects/export/"
    for part in ("state", "download"):
        assert ben.get(page_of(export, part)).status_code == 404
    assert ben.post(page_of(export, "cancel")).status_code == 404
    assert "anna" not in ben.get("/admin/defects/export/").content.decode()
    nobody = browser(staff("carl", "view_defectreport"))
    for part in ("change", "state", "download"):
        assert nobody.get(page_of(export, part)).status_code == 403


def test_who_may_see_all_sees_who_took_what_and_takes_nothing(asked, admin_client):
    export = make()
    auditor = browser(staff("auditor", "view_export"))
    for client in (auditor, admin_client):
        assert "anna" in client.get("/admin/defects/export/").content.decode()
        page = client.get(page_of(export)).content.decode()
        assert "4 reports are in the file." in page
        assert page_of(export, "download") not in page
        assert client.get(page_of(export, "download")).status_code == 403
        assert client.post(page_of(export, "cancel")).status_code == 403


def test_the_log_cannot_be_changed(admin_client, asked):
    for path in ("add/", f"{asked.pk}/delete/"):
        assert (
            admin_client.post(f"/admin/defects/export/{path}", {"post": "yes"}).status_code == 403
        )


# With real processes ------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_killed_half_way_loses_nothing(anna, reports, tmp_path, monkeypatch):
    monkeypatch.setattr(Export, "CLAIM", timedelta(seconds=3))
    export = Export.objects.create(by=anna, query="o=1")
    assert Export.objects.claim() == export
    mine = Export.objects.get()
    env = beside(MEDIA_ROOT=str(tmp_path))
    # One that gets no further than its first batch, and is killed there.
    slow = (
        "import django, time; django.setup()\n"
        "from defects import export, exporting; from defects.models import Export\n"
        "from datetime import timedelta; Export.CLAIM = timedelta(seconds=3)\n"
        "export.read = lambda ids: (print('reading', flush=True), time.sleep(60))\n"
        f"exporting.make(Export.objects.get(pk={mine.pk}))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", slow],
        cwd=project.BASE_DIR,
        env=env,
        stdout=subprocess.PIPE,
        text=True,
    ) as maker:
        assert "reading" in maker.stdout.readline()
        os.kill(maker.pid, signal.SIGKILL)
    assert Export.objects.get().status == Export.Status.RUNNING
    with working(env):
        ends = time.monotonic() + 60
        while Export.objects.get().is_unfinished:
            assert time.monotonic() < ends, "nobody took it up"
            time.sleep(0.1)
    export.refresh_from_db()
    assert (export.status, export.attempts, export.done) == (Export.Status.DONE, 2, 10)
    with export.file.open() as file:
        assert len(csv_rows(file.read())) == 11
    connection.close()


def _some_file():
    from django.core.files.base import ContentFile

    return ContentFile(b"half of it")


def test_what_failed_or_is_gone_is_exported_again(client, asked):
    export = make()
    Export.objects.update(status=Export.Status.FAILED, why="Making it broke down.", file="")
    client = browser(export.by)
    page = client.get(page_of(export)).content.decode()
    assert "Export it again" in page
    (query,) = re.findall(r'name="query" value="([^"]*)"', page)
    again = {"query": unescape(query), "format": export.format}
    client.post(reverse("admin:defects_defectreport_export"), again)
    newer = Export.objects.latest("pk")
    assert newer.pk != export.pk
    assert (newer.query, newer.format, newer.by) == (export.query, export.format, export.by)


def test_others_are_told_why_there_is_no_file_for_them(admin_client, asked):
    page = admin_client.get(page_of(make())).content.decode()
    assert "Only who asked for it can download it." in page
    assert "Export it again" not in page
