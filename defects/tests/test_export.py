"""The files: what is in them, and what a spreadsheet does with it."""

import io
from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from defects import export
from defects.export import Writing
from defects.models import DefectCategory, DefectReport, Disposition, Severity, Status
from defects.tests.sheets import csv_rows, moment, xlsx_rows, xlsx_sheets
from orders.models import Customer, Line, Order
from whatsapp_bot import spreadsheets
from whatsapp_bot.models import Contact, Media, Message
from whatsapp_bot.spreadsheets import (
    CUT_MARK,
    SHEETS,
    Cells,
    Column,
    XlsxSheet,
    cut_to_fit,
    harmless,
    would_run,
)
from whatsapp_bot.whatsapp_text import length

db = pytest.mark.django_db


@pytest.fixture
def nomsa(db):
    return Contact.objects.create(phone="+27820000001", name="Nomsa")


@pytest.fixture
def file(nomsa):
    def file(description="Deep scratch", **values):
        return DefectReport.objects.file(reported_by=nomsa, description=description, **values)

    return file


def written(kind="csv", reports=None, **options):
    file = io.BytesIO()
    reports = DefectReport.objects.order_by("pk") if reports is None else reports
    result = Writing(reports, kind).write(file, **options)
    return file.getvalue(), result


def records(kind="csv", reports=None):
    """The rows as dictionaries by the titles of their columns."""
    content, _ = written(kind, reports)
    title, *rows = csv_rows(content) if kind == "csv" else xlsx_rows(content)
    return [dict(zip(title, row, strict=True)) for row in rows]


# Text that a spreadsheet would run ----------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1+1",
        "-2+3+cmd|' /C calc'!A0",
        "@SUM(1,1)",
        '=HYPERLINK("https://example.com","x")',
        "\t=1+1",
        "\r=1+1",
        "\n=1+1",
        "＝1+1",
        "＋1+1",
        "－1+1",
        "＠x",
        " =1+1",
        "\u200b=1+1",
        "\ufeff=1+1",
        "\u00a0=1+1",
        "+27820000001*1",
        "-",
        "=",
    ],
)
def test_formulas_are_made_harmless(text):
    assert would_run(text)
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize(
    "text", ["", "Deep scratch", "5", "-5", "+27820000001", "-1.5", "1,5", "a=b", "a@b.example"]
)
def test_numbers_and_plain_text_stay_as_they_are(text):
    assert harmless(text) == text


@given(st.text())
def test_nothing_that_is_written_begins_as_a_formula(text):
    safe = harmless(text)
    assert safe in (text, f"'{text}")
    if not spreadsheets._NUMBER.fullmatch(safe):
        assert safe.strip()[:1] not in tuple("=+-@＝＋－＠")
        assert safe[:1] not in tuple("\t\r\n")


@db
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=60))
def test_any_text_comes_back_from_both_files(text):
    column = [Column("Text", None)]
    cleaned = Cells().text(text)
    for kind, rows_of in (("csv", csv_rows), ("xlsx", xlsx_rows)):
        file = io.BytesIO()
        sheet = SHEETS[kind](file, column, Cells())
        sheet.add([text])
        sheet.close({})
        (_, *row) = rows_of(file.getvalue())
        found = row[0][0] if row and row[0] else ""
        assert found == (harmless(cleaned) if kind == "csv" else cleaned)


@db
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_formula_in_a_report_is_text(file, kind):
    file('=HYPERLINK("https://example.com","x")', part="@SUM(1)", lot="-5")
    (record,) = records(kind)
    mark = "'" if kind == "csv" else ""
    assert record["Description"] == f'{mark}=HYPERLINK("https://example.com","x")'
    assert record["Part"] == f"{mark}@SUM(1)"
    assert record["Lot"] == "-5"


@db
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_titles_of_columns_are_text_as_well(defect_form, nomsa, kind):
    question = defect_form.questions.get()
    question.text = "=1+1"
    question.save()
    defect_form.publish()
    DefectReport.objects.file(reported_by=nomsa, description="x", form=defect_form)
    assert ("'=1+1" if kind == "csv" else "=1+1") in records(kind)[0]


# Text that would break a file ---------------------------------------------------------------------


@db
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_what_breaks_files_is_left_out_and_all_else_stays(file, kind):
    report = file("x")
    report.description = "bell\x07 null\ufffe rlo\u202e شكر \U0001f527 “q” a;b,c\r\nsecond _x0041_"
    report.save()
    (record,) = records(kind)
    expected = "bell null rlo شكر \U0001f527 “q” a;b,c\nsecond _x0041_"
    assert record["Description"] == expected


def test_surrogates_and_null_are_left_out():
    assert Cells().text("a\ud800b\x00c\udfff") == "abc"


def test_a_cell_that_fits_is_not_cut():
    for text in ("x" * 32767, "\U0001f527" * 16383 + "x"):
        assert cut_to_fit(text) is text


@given(st.text(st.sampled_from("x\U0001f527é"), min_size=20, max_size=80))
def test_a_cut_cell_fits_and_says_so(text):
    cut = cut_to_fit(text, 30)
    assert length(cut) <= 30
    if length(text) > 30:
        assert cut.endswith(CUT_MARK)
        assert text.startswith(cut.removesuffix(CUT_MARK))
        assert length(cut) >= 29
    else:
        assert cut == text


@db
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_what_is_cut_is_counted_and_said(file, kind):
    file("\U0001f527" * 20_000, cause="=" + "x" * 40_000)
    content, result = written(kind)
    assert result.cut == 2
    (record,) = records(kind)
    for title in ("Description", "Cause"):
        assert record[title].endswith(CUT_MARK)
        assert 32_760 < length(record[title]) <= 32_767
    if kind == "xlsx":
        assert dict(xlsx_sheets(content)["About"])["Cut"].startswith("2 cells were longer")


def test_more_rows_than_a_sheet_holds_go_on_the_next():
    file = io.BytesIO()
    sheet = XlsxSheet(file, [Column("N", None)], Cells(), "Defect reports", most_rows=3)
    for number in range(7):
        sheet.add([number])
    assert sheet.close({"Reports": "7"}) == 3
    sheets = xlsx_sheets(file.getvalue())
    assert list(sheets) == ["Defect reports", "Defect reports 2", "Defect reports 3", "About"]
    assert sheets["Defect reports"] == [["N"], [0], [1], [2]]
    assert sheets["Defect reports 3"] == [["N"], [6]]


def test_days_before_spreadsheets_know_any_are_written_as_text():
    file = io.BytesIO()
    sheet = XlsxSheet(file, [Column("Day", None)], Cells())
    sheet.add([date(1066, 10, 14)])
    sheet.close({})
    assert xlsx_rows(file.getvalue())[1] == ["1066-10-14"]


# What is in it ------------------------------------------------------------------------------------


@db
def test_all_that_is_known_of_a_report(file, nomsa, django_user_model):
    anna = django_user_model.objects.create_user("anna")
    acme = Customer.objects.create(name="Acme")
    kept = file("The first")
    report = file(
        "Deep scratch",
        order=Order.objects.create(number="ORD-1", customer=acme, product="Gear", quantity=9),
        line=Line.objects.create(name="Line 1"),
        category=DefectCategory.objects.create(name="Surface"),
        severity=Severity.MAJOR,
        part="P-1",
        lot="L7",
        inspected=100,
        nonconforming=12,
        containment="Stopped",
        cause="Dull tool",
        assignee=anna,
        due_on=date(2026, 12, 1),
        duplicate_of=kept,
        answers=[{"name": "what", "question": "What is wrong?", "answer": "Deep scratch"}],
    )
    report.dispositions.create(kind=Disposition.Kind.SCRAP, quantity=10)
    report.dispositions.create(kind=Disposition.Kind.USE_AS_IS, quantity=2, reason="Fits")
    DefectReport.objects.filter(pk=report.pk).update(
        created_at=datetime(2026, 11, 20, 22, 30, tzinfo=UTC),
        status=Status.CLOSED,
        closed_at=datetime(2026, 11, 23, 21, 0, tzinfo=UTC),
        decided_by=anna,
    )
    message = Message.objects.create(contact=nomsa, direction="in", status="received", sid="MM1")
    report.attach([message.pk])
    for place, kind in enumerate(["image/jpeg", "image/png", "audio/ogg"]):
        Media.objects.create(message=message, position=place, content_type=kind, try_at=None)
    one = records()[1]
    assert one["Number"] == report.number
    assert one["Reported at"] == "2026-11-21 00:30:00", "in the factory's time zone"
    assert one["Reporter"] == "Nomsa"
    assert one["Phone or user id"] == "+27820000001"
    assert (one["Status"], one["Severity"], one["Category"]) == ("closed", "major", "Surface")
    assert (one["Line"], one["Part"], one["Lot"]) == ("Line 1", "P-1", "L7")
    assert (one["Order"], one["Product"]) == ("ORD-1", "Gear")
    assert (one["Quantity inspected"], one["Quantity nonconforming"]) == ("100", "12")
    assert one["Dispositions"] == "scrap: 10\nuse as is: 2 (Fits)"
    assert (one["Containment"], one["Cause"]) == ("Stopped", "Dull tool")
    assert (one["Assignee"], one["Decided by"], one["Due"]) == ("anna", "anna", "2026-12-01")
    assert one["Days open"] == "2"
    assert one["Duplicate of"] == kept.number
    assert one["Photos"] == "2"
    assert one["Answers"] == "What is wrong? Deep scratch"
    one = records("xlsx")[1]
    assert moment(one["Reported at"]) == datetime(2026, 11, 21, 0, 30)  # noqa: DTZ001
    assert moment(one["Due"]).date() == date(2026, 12, 1)
    assert (one["Quantity nonconforming"], one["Days open"], one["Photos"]) == (12, 2, 2)
    assert one["Phone or user id"] == "+27820000001"


@db
def test_the_end_of_a_day_is_that_day_in_both_files(file):
    file(created_at=datetime(2026, 10, 31, 21, 59, 59, 999_900, tzinfo=UTC))
    (text,), (sheet,) = records(), records("xlsx")
    assert text["Reported at"] == "2026-10-31 23:59:59"
    assert moment(sheet["Reported at"]) == datetime(2026, 10, 31, 23, 59, 59)  # noqa: DTZ001


@db
def test_who_hides_the_phone_number_is_known_by_the_user_id(nomsa, file):
    Contact.objects.update(phone=None, user_id="ZA.1a2b")
    file()
    assert records()[0]["Phone or user id"] == "ZA.1a2b"


@db
def test_days_open_go_on_while_it_is_open_and_end_without_a_day_when_it_is_unfounded(file):
    file(created_at=timezone.now() - timedelta(days=3, hours=1))
    file(created_at=timezone.now() - timedelta(days=3), status=Status.UNFOUNDED)
    assert [one["Days open"] for one in records()] == ["3", ""]


@db
def test_with_one_form_each_question_has_a_column(two_questions, file):
    answers = [
        {"name": "description", "question": "What was wrong?", "answer": "Scratch"},
        {"name": "parts", "question": "How many?", "answer": "12"},
        {"name": "gone", "question": "Was it raining?", "answer": ""},
    ]
    names = [question.name for question in two_questions.questions.all()]
    answers[0]["name"] = names[0]
    file(form=two_questions, answers=answers)
    (one,) = records()
    assert one["How many parts?"] == "12", "as it is worded now"
    assert one["Other answers"] == "Was it raining? –"
    file(form=None, answers=answers)
    first, second = records()
    assert "How many parts?" not in first
    assert first["Answers"] == second["Answers"]
    assert "How many? 12" in first["Answers"]


@db
def test_an_export_of_nothing_has_its_header(db):
    for kind in ("csv", "xlsx"):
        assert records(kind) == []


@db
def test_they_come_in_the_given_order_over_many_batches(file, monkeypatch):
    monkeypatch.setattr(export, "BATCH", 2)
    for description in "dbeac":
        file(description)
    told = []
    reports = DefectReport.objects.order_by("description")
    content, result = written("csv", reports, progress=lambda *far: told.append(far))
    assert [row[4] for row in csv_rows(content)[1:]] == list("abcde")
    assert told == [(0, 5), (2, 5), (4, 5), (5, 5)]
    assert result.rows == 5


@db
def test_what_is_made_or_deleted_meanwhile_breaks_nothing(file, monkeypatch):
    monkeypatch.setattr(export, "BATCH", 2)
    for description in "abcde":
        file(description)

    def meanwhile(done, total):
        if done == 2:
            DefectReport.objects.filter(description="d").delete()
            file("new")

    content, result = written(progress=meanwhile)
    assert [row[4] for row in csv_rows(content)[1:]] == list("abce")
    assert result.rows == 4


@db
def test_a_batch_takes_three_statements(file, django_assert_num_queries):
    for description in "abcde":
        file(description)
    with django_assert_num_queries(5):
        written()
