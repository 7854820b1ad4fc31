"""manage.py export_defects"""

import subprocess
import sys
from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from config.tests.serving import beside
from defects.models import DefectReport, Export
from defects.tests.sheets import csv_rows, xlsx_rows
from whatsapp_bot import narrowed
from whatsapp_bot.models import Contact

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def reports(db):
    """One of each day from the 20th on, a minute after midnight in the factory."""
    nomsa = Contact.objects.create(phone="+27820000001")
    first = timezone.make_aware(datetime(2026, 11, 20, 0, 1))  # noqa: DTZ001
    return [
        DefectReport.objects.file(
            reported_by=nomsa,
            description=f"Report {n}",
            created_at=first + timedelta(days=n),
            status="closed" if n % 2 else "reported",
        )
        for n in range(4)
    ]


def export(*options):
    told = StringIO()
    call_command("export_defects", *options, stderr=told)
    return told.getvalue()


def described(rows):
    return [row[4] for row in rows[1:]]


def test_days_are_the_factorys_and_both_included(reports, tmp_path):
    place = tmp_path / "some.csv"
    told = export("--from", "2026-11-21", "--to", "2026-11-22", "--out", str(place))
    assert described(csv_rows(place.read_bytes())) == ["Report 2", "Report 1"]
    assert told == f"{place}: 2 reports.\n"
    row = Export.objects.get()
    assert (row.by, row.done) == (None, 2)
    assert row.filters == "Reported at: from 21 November 2026 until 22 November 2026"


def test_as_xlsx_with_a_status(reports, tmp_path):
    export("--format", "xlsx", "--status", "closed", "--out", "closed.xlsx")
    assert described(xlsx_rows((tmp_path / "closed.xlsx").read_bytes())) == ["Report 3", "Report 1"]
    assert Export.objects.get().filters == "Status: closed"


def test_its_row_leads_to_the_list_that_shows_the_same(reports, admin_client, tmp_path):
    export("--from", "2026-11-21", "--status", "closed", "--status", "reported")
    row = Export.objects.get()
    listed = admin_client.get(f"/admin/defects/defectreport/?{row.query}").context["cl"]
    assert listed.result_count == row.done > 0
    assert row.filters == narrowed.described(listed)
    assert row.filters == "Status: reported or closed; Reported at: from 21 November 2026"


def test_without_a_name_it_has_that_of_the_day(clock, reports, tmp_path):
    export()
    (place,) = tmp_path.iterdir()
    assert place.name == f"defects-{timezone.localdate()}.csv"


def test_nothing_is_overwritten_unless_forced(reports, tmp_path):
    place = tmp_path / "there.csv"
    place.write_text("precious")
    with pytest.raises(CommandError, match="is there already"):
        export("--out", str(place))
    assert place.read_text() == "precious"
    export("--out", str(place), "--force")
    assert len(csv_rows(place.read_bytes())) == 5


def test_one_that_breaks_off_leaves_the_old_file(reports, tmp_path, monkeypatch):
    place = tmp_path / "there.csv"
    place.write_text("precious")
    monkeypatch.setattr("defects.export.read", lambda ids: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export("--out", str(place), "--force")
    assert place.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [place]


@pytest.mark.parametrize(
    "options",
    [
        ["--from", "2026-11-22", "--to", "2026-11-21"],
        ["--from", "yesterday"],
        ["--format", "pdf"],
        ["--status", "lost"],
        ["--out", "no/such/folder/file.csv"],
    ],
)
def test_what_makes_no_sense_is_refused(db, options):
    with pytest.raises(CommandError):
        export(*options)
    assert not Export.objects.exists()


def test_what_was_cut_is_said(reports):
    DefectReport.objects.update(description="x" * 40_000)
    assert "4 cells were longer" in export()


@pytest.mark.django_db(transaction=True)
def test_it_writes_to_standard_output_and_has_exit_codes(reports):
    command = [sys.executable, "manage.py", "export_defects"]
    options = {"cwd": settings.BASE_DIR, "env": beside(), "capture_output": True}
    done = subprocess.run([*command, "--out", "-"], **options, check=True)
    assert len(csv_rows(done.stdout)) == 5
    wrong = subprocess.run([*command, "--from", "never"], **options, check=False)
    assert wrong.returncode == 2
    assert b"never" in wrong.stderr
