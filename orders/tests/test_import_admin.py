"""Importing in the admin: what staff see and decide, who may, and what becomes of a large file."""

import io
import time
import zipfile
from datetime import datetime, timedelta
from importlib import import_module

import openpyxl
import pytest
import time_machine
import xlsxwriter
from django.apps import apps
from django.contrib.auth.models import Permission
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from config.tests.serving import beside, working
from orders import sweep
from orders.importing import work
from orders.importing.judging import OrderJudge
from orders.models import Customer, Import, Line, Order, OrderLine, ProductionRun
from orders.tests.test_import_files import xlsx
from whatsapp_bot.tests.staff import browser, staff

pytestmark = pytest.mark.django_db
MAY = [
    "add_import",
    "view_order",
    "add_order",
    "change_order",
    "add_orderline",
    "change_orderline",
    "view_productionrun",
    "add_productionrun",
    "change_productionrun",
    "add_customer",
]
ADD = "/admin/orders/import/add/"


@pytest.fixture(autouse=True)
def _storage(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def acme(db):
    return Customer.objects.create(name="Acme GmbH", reference="K-100")


@pytest.fixture
def anna(db):
    return staff("anna", *MAY)


@pytest.fixture
def client(anna):
    return browser(anna)


def csv(*lines, name="orders.csv"):
    return SimpleUploadedFile(name, "\n".join(lines).encode())


def page_of(imported, part="change"):
    return reverse(f"admin:orders_import_{part}", args=[imported.pk])


def choose(client, file, what="orders"):
    """Choose a file; the page that comes, and the import."""
    response = client.post(f"{ADD}?what={what}", {"file": file}, follow=True)
    assert response.status_code == 200
    return response, Import.objects.order_by("pk").last()


def decide(client, imported, **values):
    """Look again, with these choices beside those that are there."""
    form = client.get(page_of(imported)).context["form"]
    data = {field.html_name: field.value() for field in form}
    data = {name: value for name, value in data.items() if value not in (None, False)}
    response = client.post(page_of(imported, "check"), {**data, **values}, follow=True)
    imported.refresh_from_db()
    return response


def confirm(client, imported, **values):
    response = client.post(page_of(imported, "confirm"), values, follow=True)
    imported.refresh_from_db()
    return response


def counts(imported):
    return imported.new, imported.changed, imported.unchanged, imported.wrong


HEAD = "Order no.,Customer,Product,Qty,Due date"
GOOD = (HEAD, "ORD-1,Acme GmbH,Gear,10,2026-12-24", "ORD-2,acme gmbh,Wheel,5,")


# As a person does it ------------------------------------------------------------------------------


def spreadsheet():
    """As somebody would really send it."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file)
    book.add_worksheet("Notes").hide()
    sheet = book.add_worksheet("Week 48")
    sheet.activate()
    sheet.merge_range("A1:G1", "Open orders, week 48")
    sheet.write_row(
        "A4", ["Our Order #", "Client", "Article", "Qty (pcs)", "Deliver by", "State", "Colour"]
    )
    sheet.write("A4", "Order Nr.")
    rows = [
        ["ord 7001", "ACME GmbH", "Gear", "1.200", "24.12.2026", "in production", "red"],
        ["ORD-7002", "Acme GmbH", "Wheel", 12.0, "24 Dec 2026", "", "blue"],
        ["ORD-7001", "Acme GmbH", "Gear", 5, "", "", ""],
        ["ORD-7003", "Acmee GmbH", "Nut", "12 pcs", "31.12.26", "planned", ""],
        ["ORD-7004", "K-100", "Bolt", "12,5", "soon", "lost", ""],
    ]
    for number, row in enumerate(rows, 4):
        sheet.write_row(number, 0, row)
    book.close()
    return SimpleUploadedFile("Orders week 48.xlsx", file.getvalue())


def test_a_spreadsheet_that_a_person_would_really_send(client, acme):
    response, imported = choose(client, spreadsheet())
    page = response.content.decode()
    assert counts(imported) == (2, 0, 0, 3)
    faults = {
        (row["row"], heading): (cell, why)
        for row in imported.preview["rows"]["wrong"]
        for heading, cell, why in row["faults"]
    }
    assert set(faults) == {
        (7, "Order Nr."),
        (8, "Client"),
        (9, "Qty (pcs)"),
        (9, "Deliver by"),
        (9, "State"),
    }
    assert "in row 5 already" in faults[7, "Order Nr."][1]
    assert faults[8, "Client"][0] == "Acmee GmbH"
    assert "Is it “Acme GmbH”?" in faults[8, "Client"][1]
    assert "“12,5” is no whole number" in faults[9, "Qty (pcs)"][1]
    assert "“soon” is no day" in faults[9, "Deliver by"][1]
    for text in (
        "“lost” is not known",
        "The column “Colour” is left out.",
        "Choose the mended file",
    ):
        assert text in page
    assert not Order.objects.exists()

    assert "will be made" not in page
    decide(client, imported, make_customers="on")
    assert counts(imported) == (3, 0, 0, 2)
    confirm(client, imported, leave_wrong="yes")
    assert imported.status == Import.Status.DONE
    assert counts(imported) == (3, 0, 0, 2)
    first = Order.objects.get(key="ORD7001")
    assert (first.number, first.customer, first.quantity) == ("ord 7001", acme, 1200)
    assert (f"{first.due_date}", first.status) == ("2026-12-24", "in_production")
    assert Order.objects.get(key="ORD7003").customer.name == "Acmee GmbH"

    _, again = choose(client, spreadsheet())
    assert counts(again) == (0, 0, 3, 2)


def test_a_file_with_a_long_name_is_still_a_csv(client, acme):
    _page, imported = choose(client, csv(*GOOD, name=f"{'a' * 250}.csv"))
    assert counts(imported) == (2, 0, 0, 0)
    assert imported.name.endswith("aaa.csv")
    assert len(imported.name) == 200


def test_a_second_import_of_the_same_file_changes_nothing(client, acme):
    _, first = choose(client, csv(*GOOD))
    confirm(client, first)
    before = list(Order.objects.order_by("pk").values())
    response, second = choose(client, csv(*GOOD))
    assert counts(second) == (0, 0, 2, 0)
    assert "there is nothing to import" in response.content.decode()
    confirm(client, second)
    assert second.status == Import.Status.CHECKED
    assert list(Order.objects.order_by("pk").values()) == before


def test_what_changes_is_shown_and_done_and_stamped(client, acme):
    confirm(client, choose(client, csv(*GOOD))[1])
    before = Order.objects.get(number="ORD-1")
    Order.objects.filter(pk=before.pk).update(notes="Ring first", status="shipped")
    changed = csv(HEAD, "ord 1,Acme GmbH,Gear,11,2026-12-31", "ORD-2,,,,")
    response, imported = choose(client, changed)
    assert counts(imported) == (0, 1, 1, 0)
    (row,) = imported.preview["rows"]["changed"]
    assert row["changes"] == [["quantity", "10", "11"], ["due date", "24 Dec 2026", "31 Dec 2026"]]
    assert "31 Dec 2026" in response.content.decode()
    confirm(client, imported)
    after = Order.objects.get(pk=before.pk)
    assert (after.number, after.quantity, after.notes) == ("ORD-1", 11, "Ring first")
    assert after.status == "shipped"
    assert after.updated_at > before.updated_at
    assert after.created_at == before.created_at


def test_columns_are_mapped_by_hand_without_choosing_the_file_again(client, acme):
    response, imported = choose(client, csv("A,B,C,D", "ORD-1,Acme GmbH,Gear,10"))
    assert "The headings were not found" in response.content.decode()
    decide(
        client,
        imported,
        column_A="number",
        column_B="customer",
        column_C="product",
        column_D="quantity",
    )
    assert counts(imported) == (1, 0, 0, 0)
    page = decide(client, imported, column_D="product").content.decode()
    assert "“C” and “D” cannot both be the product" in page
    confirm(client, imported)
    assert Order.objects.get().quantity == 10


def test_a_column_that_is_lacking_is_named_beside_the_columns(client, acme):
    head = "Our job,Client,Article,Qty,Delivery dt.,Nr.x"
    response, imported = choose(client, csv(head, "ORD-1,Acme GmbH,Gear,10,2026-12-24,"))
    page = response.content.decode()
    assert "The headings were not found" not in page
    assert "There are no rows" not in page
    note = page.index("No column was found for: order number. Please say here")
    assert page.rindex("import-note", 0, note) < page.index("Which column is which")
    assert note < page.index("Which column is which") < page.index("Discard")
    assert "The columns “Our job”, “Nr.x” are left out." in page
    decide(client, imported, column_A="number")
    assert counts(imported) == (1, 0, 0, 0)

    response, imported = choose(client, csv("Order,Client,Qty", "ORD-1,Acme GmbH,10"))
    page = response.content.decode()
    assert "No column was found for: product. Rows that are new need it." in page
    assert counts(imported) == (0, 0, 0, 1)


def test_headings_without_rows(client, acme):
    response, _ = choose(client, csv("Orders", "Order,Client,Qty"))
    page = response.content.decode()
    assert "There are no rows below the headings, which are in row 2." in page
    assert "The headings were not found" not in page


def test_a_day_of_the_spreadsheet_is_shown_as_a_day(client, acme):
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"default_date_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet()
    sheet.write_row("A1", HEAD.split(","))
    sheet.write_row("A2", ["ORD-1", "Acme GmbH", "Gear", 10])
    sheet.write_datetime("E2", datetime(2026, 12, 15))  # noqa: DTZ001
    sheet.write_row("A3", ["ORD-2", "Acme GmbH", "Gear"])
    sheet.write_datetime("D3", datetime(2026, 12, 16, 14, 30))  # noqa: DTZ001
    book.close()
    response, _ = choose(client, SimpleUploadedFile("days.xlsx", file.getvalue()))
    page = response.content.decode()
    assert "<td>15 Dec 2026</td>" in page
    assert "“16 Dec 2026, 14:30” is no whole number" in page
    assert "00:00" not in page


OWN_HEAD = "Their no.,What for,What,Many,Many,When"


def test_which_column_is_which_is_remembered_for_the_mended_file(client, acme):
    rows = ("ORD-1,Acme GmbH,Gear,red,lots,2026-12-24", "ORD-2,Acme GmbH,Wheel,red,5,")
    _, imported = choose(client, csv(OWN_HEAD, *rows))
    assert counts(imported) == (0, 0, 0, 0)
    by_hand = {
        "column_A": "number",
        "column_B": "customer",
        "column_C": "product",
        "column_E": "quantity",
        "column_F": "due_date",
    }
    page = decide(client, imported, **by_hand).content.decode()
    assert counts(imported) == (1, 0, 0, 1)
    again = f"{ADD}?what=orders&amp;mends={imported.pk}"
    assert page.count(again) == 2, "for the file, and for the wrong rows"
    again = again.replace("&amp;", "&")
    assert "is remembered from orders.csv" in client.get(again).content.decode()

    # The headings are in another row, and a column has come before them.
    mended = [f"new,{line}" for line in (OWN_HEAD, rows[0].replace("lots", "7"), rows[1])]
    client.post(again, {"file": csv("Mended,on Monday", "", *mended)})
    second = Import.objects.latest("pk")
    assert counts(second) == (2, 0, 0, 0)
    confirm(client, second)
    first = Order.objects.get(key="ORD1")
    assert (first.quantity, f"{first.due_date}") == (7, "2026-12-24")

    # A file that mends nothing is looked at as if it were the first.
    _, another = choose(client, csv(OWN_HEAD, *rows))
    assert counts(another) == (0, 0, 0, 0)


def test_which_column_is_which_is_remembered_for_the_wrong_rows(client, acme):
    rows = ("ORD-1,Acme GmbH,Gear,red,lots,03/04/2026", "ORD-2,Acme GmbH,Wheel,red,5,")
    _, imported = choose(client, csv("Week 48", OWN_HEAD, *rows))
    decide(client, imported, header="2")
    by_hand = {"column_A": "number", "column_B": "customer", "column_C": "product"}
    decide(client, imported, **by_hand, column_E="quantity", column_F="due_date")
    decide(client, imported, meaning_due_date="month")
    wrong = b"".join(client.get(page_of(imported, "wrong")).streaming_content)
    page = confirm(client, imported, leave_wrong="yes").content.decode()
    assert f"mends={imported.pk}" in page, "also once the right rows are imported"
    book = openpyxl.load_workbook(io.BytesIO(wrong))
    book.active["E2"] = 7
    file = io.BytesIO()
    book.save(file)
    mended = SimpleUploadedFile("mended.xlsx", file.getvalue())
    client.post(f"{ADD}?what=orders&mends={imported.pk}", {"file": mended})
    second = Import.objects.latest("pk")
    assert counts(second) == (1, 0, 0, 0)
    confirm(client, second)
    assert f"{Order.objects.get(key='ORD1').due_date}" == "2026-03-04"


def test_what_others_said_of_their_columns_is_not_remembered(client, acme):
    _, imported = choose(client, csv("A,B,C,D", "ORD-1,Acme GmbH,Gear,many"))
    by_hand = {"column_A": "number", "column_B": "customer", "column_C": "product"}
    decide(client, imported, **by_hand, column_D="quantity")
    ben = browser(staff("ben", *MAY))
    for mends in (imported.pk, "none", 10**30):
        page = ben.get(f"{ADD}?what=orders&mends={mends}")
        assert page.status_code == 200
        assert "is remembered" not in page.content.decode()


def test_another_sheet_and_another_row_of_headings(client, acme):
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file)
    book.add_worksheet("Cover").write("A1", "Please see the next sheet")
    sheet = book.add_worksheet("Orders")
    for number, line in enumerate(GOOD):
        sheet.write_row(number, 0, line.split(","))
    book.close()
    page, imported = choose(client, SimpleUploadedFile("two.xlsx", file.getvalue()))
    assert counts(imported) == (0, 0, 0, 0)
    assert "Please say below which sheet they are on" in page.content.decode()
    decide(client, imported, sheet="Orders")
    assert counts(imported) == (2, 0, 0, 0)
    decide(client, imported, header="2")
    assert counts(imported) == (0, 0, 0, 0)
    decide(client, imported, header="1")
    assert counts(imported) == (2, 0, 0, 0)


def test_a_first_sheet_that_is_empty(client, acme):
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file)
    book.add_worksheet()
    sheet = book.add_worksheet("Orders")
    for number, line in enumerate(GOOD):
        sheet.write_row(number, 0, line.split(","))
    book.close()
    page, imported = choose(client, SimpleUploadedFile("two.xlsx", file.getvalue()))
    assert "There is nothing in it. Please choose the sheet" in page.content.decode()
    decide(client, imported, sheet="Orders")
    assert counts(imported) == (2, 0, 0, 0)


def test_headings_far_down_and_below_the_end(client, acme):
    _, imported = choose(client, csv(*(f"Line {n} of a report" for n in range(1, 41)), *GOOD))
    assert counts(imported) == (0, 0, 0, 0)
    decide(client, imported, header="41")
    assert counts(imported) == (2, 0, 0, 0)
    assert imported.preview["columns"][0]["example"] == "ORD-1"
    page = decide(client, imported, header="44").content.decode()
    assert counts(imported) == (0, 0, 0, 0)
    assert "The headings were not found. Please say below which row has them" in page
    decide(client, imported, header="41")
    confirm(client, imported)
    assert Order.objects.count() == 2


def test_a_very_wide_table_can_be_decided_about(client, acme):
    more = "".join(f",Column {number}" for number in range(20_000))
    response, imported = choose(client, csv(HEAD + more, f"{GOOD[1]}{',x' * 20_000}"))
    assert "It has more than 100 columns" in response.content.decode()
    assert counts(imported) == (1, 0, 0, 0)
    assert len(imported.preview["columns"]) == 100
    assert decide(client, imported, column_CV="notes").status_code == 200
    confirm(client, imported)
    assert Order.objects.get().notes == "x"


def test_a_day_that_may_be_two_is_asked_for(client, acme):
    rows = ("ORD-1,Acme GmbH,Gear,10,03/04/2026", "ORD-2,Acme GmbH,Gear,10,05/06/2026")
    response, imported = choose(client, csv(HEAD, *rows))
    page = response.content.decode()
    assert "Some cells can be read in two ways" in page
    assert "03/04/2026 is March 4" in page
    confirm(client, imported)
    assert not Order.objects.exists()
    decide(client, imported, meaning_due_date="month")
    confirm(client, imported)
    assert f"{Order.objects.get(key='ORD1').due_date}" == "2026-03-04"
    told = csv(HEAD, *rows, "ORD-3,Acme GmbH,Gear,10,25/06/2026")
    _, imported = choose(client, told)
    assert not imported.preview["questions"]
    assert counts(imported) == (1, 2, 0, 0)


def test_several_rows_make_an_order_with_lines(client, acme):
    head = "Order,Line,Customer,Product,Quantity,Delivery date"
    rows = ("ORD-1,10,Acme GmbH,Nut,5,2026-12-01", "ORD-1,20,,Bolt,7,")
    confirm(client, choose(client, csv(head, *rows))[1])
    order = Order.objects.get()
    assert (order.product, order.quantity) == ("Nut, Bolt", 12)
    assert list(order.lines.values_list("position", "quantity")) == [(10, 5), (20, 7)]
    _, imported = choose(client, csv(head, *rows))
    assert counts(imported) == (0, 0, 2, 0)
    _, imported = choose(client, csv(head, rows[0], "ORD-1,20,,Bolt,8,", "ORD-1,30,,Nut,1,"))
    assert counts(imported) == (1, 1, 1, 0)
    confirm(client, imported)
    order.refresh_from_db()
    assert (order.product, order.quantity, order.lines.count()) == ("Nut, Bolt", 14, 3)
    _, imported = choose(client, csv(HEAD, "ORD-1,Acme GmbH,Nut,5,"))
    assert counts(imported) == (0, 0, 0, 1)


def test_the_number_of_an_order_with_lines_is_spelled_as_each_likes(client, acme):
    head = "Order,Line,Customer,PO,Product,Qty"
    rows = ("ORD-7,1,Acme GmbH,PO 9,Nut,5", "ord 7,2,,po-9,Bolt,7", "Ord–7,3,,,Pin,1")
    _, imported = choose(client, csv(head, *rows))
    assert counts(imported) == (3, 0, 0, 0)
    confirm(client, imported)
    order = Order.objects.get()
    assert (order.number, order.customer_reference, order.lines.count()) == ("ORD-7", "PO 9", 3)
    _, imported = choose(client, csv(head, *rows[:2], "ORD-7,3,,PO 8,Pin,1"))
    assert counts(imported) == (0, 0, 0, 3)
    assert "Another row of this order says something else." in client.get(page_of(imported)).text


def test_production_runs(client, acme):
    Line.objects.create(name="Line 1")
    order = Order.objects.create(number="ORD-1", customer=acme, product="Gear", quantity=10)
    head = "Run,Order,Machine,Product,Date,Start,End,Planned,Produced,Status"
    rows = (
        "R-1,ord 1,line 1,Gear,24.12.2026,06:00,14:00,10,4,running",
        "R-2,,Line 1,Gear,24.12.2026,22:00,06:00,10,,",
        "R-3,ORD-9,Line 7,Gear,24.12.2026,06:00,05:59,10,,",
    )
    _, imported = choose(client, csv(head, *rows), "runs")
    assert counts(imported) == (2, 0, 0, 1)
    confirm(client, imported, leave_wrong="yes")
    first, second = ProductionRun.objects.order_by("pk")
    assert (first.order, first.made, first.status) == (order, 4, "running")
    assert second.ends - second.begins == timedelta(hours=8)
    assert timezone.localtime(first.begins).hour == 6
    order.refresh_from_db()
    assert order.status == Order.Status.IN_PRODUCTION, "it follows from its runs"
    _, again = choose(client, csv(head, *rows), "runs")
    assert counts(again) == (0, 0, 2, 1)
    # The order is further by now than the file knows.
    _, late = choose(client, csv(f"{HEAD},Status", "ORD-1,Acme GmbH,Gear,10,,received"))
    assert counts(late) == (0, 0, 1, 0)


@pytest.mark.parametrize("number", ["1001.0", "4.500012345E9"])
def test_runs_of_an_order_whose_number_a_program_wrote_as_a_float(client, acme, number):
    """As Apache POI does."""
    named = f"{float(number):.0f}"
    order = Order.objects.create(number=named, customer=acme, product="Gear", quantity=10)
    Line.objects.create(name="Line 1")
    cells = ["R-1", None, "Line 1", "Gear", "24.12.2026 06:00", "24.12.2026 14:00", "10"]
    titles = ["Run", "Order", "Machine", "Product", "Start", "End", "Planned"]
    of_order = f"<c><v>{number}</v></c>"
    content = xlsx(f"<sheetData>{written(titles)}{written(cells, of_order)}</sheetData>")
    _, imported = choose(client, SimpleUploadedFile("runs.xlsx", content), "runs")
    assert counts(imported) == (1, 0, 0, 0)
    confirm(client, imported)
    assert ProductionRun.objects.get().order == order


def written(cells, instead=""):
    """A row of a workbook put together by hand. instead: of cells that are None."""
    texts = (f"<c t='str'><v>{cell}</v></c>" if cell else instead for cell in cells)
    return f"<row>{''.join(texts)}</row>"


def test_a_run_that_ends_at_24(client):
    Line.objects.create(name="Line 1")
    head = "Run,Machine,Product,Date,Start,End,Planned"
    rows = ("R-1,Line 1,Gear,24.12.2026,14:00,24:00,10", "R-2,Line 1,Gear,24.12.2026,24:00,06:00,9")
    _, imported = choose(client, csv(head, *rows), "runs")
    confirm(client, imported)
    late, night = ProductionRun.objects.order_by("reference")
    assert late.ends == night.begins == late.begins + timedelta(hours=10)
    assert night.ends == night.begins + timedelta(hours=6)


def finished_run(order, made):
    begins = timezone.now()
    ProductionRun.objects.create(
        order=order,
        line=Line.objects.create(name="Line 1"),
        product="Gear",
        begins=begins,
        ends=begins + timedelta(hours=1),
        quantity=made,
        made=made,
        status="finished",
    )


def test_an_order_that_shrinks_to_what_is_made_is_ready(client, acme):
    order = Order.objects.create(number="ORD-1", customer=acme, product="Gear", quantity=500)
    finished_run(order, 400)
    _, imported = choose(client, csv(HEAD, "ORD-1,Acme GmbH,Gear,400,"))
    confirm(client, imported)
    order.refresh_from_db()
    assert (order.quantity, order.status) == (400, Order.Status.READY)


def test_an_order_that_is_released_is_as_far_as_its_runs(client, acme):
    order = Order.objects.create(
        number="ORD-1", customer=acme, product="Gear", quantity=5, status="on_hold"
    )
    finished_run(order, 5)
    _, imported = choose(client, csv(f"{HEAD},Status", "ORD-1,Acme GmbH,Gear,5,,received"))
    confirm(client, imported)
    order.refresh_from_db()
    assert order.status == Order.Status.READY


def test_a_run_whose_end_is_blank_is_wrong_also_below_one_that_ends(client):
    Line.objects.create(name="Line 1")
    head = "Run,Machine,Product,Date,Start,End,Planned"
    rows = (
        "R-1,Line 1,Gear,24.12.2026,06:00,14:00,10",
        "R-2,Line 1,Gear,24.12.2026,06:00, ,10",
    )
    _, imported = choose(client, csv(head, *rows), "runs")
    assert counts(imported) == (1, 0, 0, 1)


def test_the_wrong_rows_come_as_a_file_to_mend(client, acme):
    rows = ("ORD-1,Acme GmbH,\"=cmd|' /C calc'!A0\",lots,", "ORD-2,Acme GmbH,Gear,1,")
    _, imported = choose(client, csv(HEAD, *rows))
    response = client.get(page_of(imported, "wrong"))
    assert "orders-wrong.xlsx" in response["Content-Disposition"]
    content = b"".join(response.streaming_content)
    book = openpyxl.load_workbook(io.BytesIO(content))
    title, row = book["Wrong rows"].iter_rows(values_only=True)
    assert title == (*HEAD.split(","), "What is wrong")
    assert row[2].startswith("=cmd")
    assert book["Wrong rows"]["C2"].data_type == "s", "not a formula"
    assert "“lots” is no whole number" in row[5]
    _, again = choose(client, SimpleUploadedFile("mended.xlsx", content))
    assert counts(again) == (0, 0, 0, 1)
    content = b"".join(client.get(page_of(again, "wrong")).streaming_content)
    (title, _) = openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True)
    assert title.count("What is wrong") == 1


def test_the_wrong_rows_have_what_stands_right_of_the_last_heading(client, acme):
    more = [f"ORD-{number},Acme GmbH,Gear,1," for number in range(2, 60)]
    last = "ORD-60,Acme GmbH,Gear,lots,,, ,,,Remark"
    rows = (f"{GOOD[1]},Ring _x000D_ first", *more, last)
    _, imported = choose(client, csv(HEAD, *rows))
    assert [one["heading"] for one in imported.preview["columns"][5:]] == ["column F", "column J"]
    decide(client, imported, column_F="notes", column_D="customer_reference")
    assert counts(imported) == (0, 0, 0, 60)
    content = b"".join(client.get(page_of(imported, "wrong")).streaming_content)
    title, *_, last = openpyxl.load_workbook(io.BytesIO(content)).active.values
    assert title == (*HEAD.split(","), *[""] * 5, "What is wrong")
    assert last[9] == "Remark"
    client.post(
        f"{ADD}?what=orders&mends={imported.pk}", {"file": SimpleUploadedFile("m.xlsx", content)}
    )
    again = Import.objects.latest("pk")
    assert counts(again) == (0, 0, 0, 60)
    decide(client, again, column_D="quantity")
    assert counts(again) == (59, 0, 0, 1)
    confirm(client, again, leave_wrong="yes")
    assert Order.objects.get(key="ORD1").notes == "Ring _x000D_ first"


@pytest.mark.parametrize("digits", [20, 4000])
def test_a_number_longer_than_spreadsheets_keep_is_not_rounded(client, acme, digits):
    number = "1234567890" * (digits // 10)
    cells = f"<row><c><v>{number}</v></c><c t='str'><v>Nobody</v></c></row>"
    titles = "".join(f"<c t='str'><v>{title}</v></c>" for title in HEAD.split(","))
    content = xlsx(f"<sheetData><row>{titles}</row>{cells}</sheetData>")
    _, imported = choose(client, SimpleUploadedFile("orders.xlsx", content))
    wrong = b"".join(client.get(page_of(imported, "wrong")).streaming_content)
    assert openpyxl.load_workbook(io.BytesIO(wrong))["Wrong rows"]["A2"].value == number


def test_what_looks_like_a_script_does_nothing(client, acme):
    script = "<script>alert(1)</script>"
    file = csv(f"Order,Customer,Product,Qty,{script}", f"{script},{script},{script},{script},x")
    file.name = f"{script}.csv"
    response, _ = choose(client, file)
    page = response.content.decode()
    assert "&lt;script&gt;alert(1)" in page
    assert script not in page


def test_control_characters_do_no_harm(client, acme):
    rows = ("ORD\x00-1,Acme\x00 GmbH,Ge\x07ar,10,\u202esoon", "ORD-2\x00,Nobody\x00,\x00,\x00,x")
    _, imported = choose(client, csv(f"{HEAD},Col\x00our", *rows))
    assert counts(imported) == (0, 0, 0, 2)
    names = [row["name"] for row in imported.preview["rows"]["wrong"]]
    assert names == ["ORD-1", "ORD-2"]
    assert imported.preview["columns"][5]["heading"] == "Colour"
    _, imported = choose(client, csv(HEAD, rows[0].replace("soon", "")))
    confirm(client, imported)
    assert Order.objects.get().product == "Gear"


# Once it is done ----------------------------------------------------------------------------------


def shown(client, response, title):
    """The rows of the list that a link of the page leads to, by their numbers."""
    address = dict(response.context["outcome"])[title]
    assert address.replace("&", "&amp;") in response.content.decode()
    return {str(one) for one in client.get(address).context["cl"].result_list}


def test_what_is_new_and_what_changed_is_seen_from_there(client, acme):
    with time_machine.travel(timezone.now() - timedelta(days=1)):
        for number in ("ORD-1", "ORD-9"):
            Order.objects.create(number=number, customer=acme, product="Gear", quantity=1)
    _, imported = choose(client, csv(*GOOD))
    response = confirm(client, imported)
    assert list(dict(response.context["outcome"])) == [
        "See the new orders",
        "See the changed orders",
        "All orders",
    ]
    assert shown(client, response, "See the new orders") == {"ORD-2"}
    assert shown(client, response, "See the changed orders") == {"ORD-1"}
    assert shown(client, response, "All orders") == {"ORD-1", "ORD-2", "ORD-9"}
    auditor = browser(staff("auditor", "view_import"))
    assert not auditor.get(page_of(imported)).context["outcome"]


def test_what_a_wrong_file_brought_is_cancelled_by_its_rows_with_a_status(client, acme):
    _, wrong = choose(client, csv(*GOOD))
    confirm(client, wrong)
    head, *rows = GOOD
    _, back = choose(client, csv(f"{head},Status", *(f"{row},Cancelled" for row in rows)))
    assert counts(back) == (0, 2, 0, 0)
    confirm(client, back)
    assert {order.status for order in Order.objects.all()} == {Order.Status.CANCELLED}


def before(client, imported):
    """What was there before, as the file that the page of the import has."""
    page = client.get(page_of(imported)).content.decode()
    assert page_of(imported, "before") in page
    response = client.get(page_of(imported, "before"))
    return SimpleUploadedFile("before.xlsx", response.getvalue())


def standing():
    """All that orders say, by their numbers."""
    return {
        order.number: (
            *(order.customer.name, order.product, order.quantity, order.due_date),
            *(order.status, order.notes),
            list(order.lines.values_list("position", "product", "quantity")),
        )
        for order in Order.objects.all()
    }


def test_what_a_wrong_file_did_is_set_back_with_what_was_there_before(client, acme):
    first = ["Order no,Line,Customer,Product,Qty,Due date,State,Customer notes"]
    first += ["ORD-1,,Acme GmbH,Gear,10,2026-12-24,on hold,=1+1 is two"]
    first += ["ORD-2,1,Acme GmbH,Lid,5,,,", "ORD-2,2,,Pin,2000,,,", "ORD-3,,K-100,Nut,7,,,"]
    confirm(client, choose(client, csv(*first))[1])
    Customer.objects.create(name="Blue")
    was = standing()
    wrong = ["Order no,Line,Customer,Product,Qty,Due date,State,Customer notes"]
    wrong += ["ORD-1,,Blue,Wheel,11,2027-01-01,shipped,Soon", "ORD-2,1,,,,,delivered,"]
    wrong += ["ORD-2,2,,Bolt,1,,,", "ORD-3,,K-100,Nut,7,,,"]
    wrong += ["ORD-8,1,Blue,A,1,,,", "ORD-8,2,,B,1,,,", "ORD-9,,Blue,C,1,,,"]
    _, imported = choose(client, csv(*wrong))
    confirm(client, imported)
    assert counts(imported) == (3, 3, 1, 0)
    _, back = choose(client, before(client, imported))
    assert counts(back) == (0, 5, 0, 0)
    assert confirm(client, back).status_code == 200
    now = standing()
    assert [now.pop(number)[4] for number in ("ORD-8", "ORD-9")] == ["cancelled", "cancelled"]
    assert now == was


def test_what_only_looks_like_an_error_of_the_spreadsheet_is_imported(client, acme):
    head = "Order no,Customer,Product,Qty,Customer notes,PO"
    confirm(client, choose(client, csv(head, "ORD-1,K-100,#A/B,5,#URGENT!,#NEU!"))[1])
    order = Order.objects.get()
    assert (order.product, order.notes, order.customer_reference) == ("#A/B", "#URGENT!", "#NEU!")


def test_what_is_to_be_empty_is_emptied_and_set_back(client, acme):
    head = "Order no,Due date,Customer notes,PO"
    Order.objects.create(
        number="ORD-1",
        customer=acme,
        product="Gear",
        quantity=5,
        due_date="2026-12-24",
        notes="Ring",
    )
    was = standing()
    page, imported = choose(client, csv(head, "ORD-1,(empty), (Empty) ,PO-1"))
    (row,) = imported.preview["rows"]["changed"]
    assert row["changes"] == [
        ["customer's own reference", "", "PO-1"],
        ["due date", "24 Dec 2026", ""],
        ["notes for the customer", "Ring", ""],
    ]
    assert "<td>24 Dec 2026</td><td>(empty)</td>" in page.text
    confirm(client, imported)
    order = Order.objects.get()
    assert (order.due_date, order.notes, order.customer_reference) == (None, "", "PO-1")
    assert counts(choose(client, csv(head, "ORD-1,(empty),(empty),PO-1"))[1]) == (0, 0, 1, 0)
    confirm(client, choose(client, before(client, imported))[1])
    assert standing() == was
    assert Order.objects.get().customer_reference == ""


@pytest.mark.parametrize("column", ["Order", "Customer", "Product", "Qty", "Status"])
def test_what_cannot_be_empty_is_not_emptied(client, acme, column):
    Order.objects.create(number="ORD-1", customer=acme, product="Gear", quantity=5)
    cells = {"Order": "ORD-1"} | {column: "(empty)"}
    page, imported = choose(client, csv(",".join(["PO", *cells]), ",".join(["7", *cells.values()])))
    assert counts(imported) == (0, 0, 0, 1)
    assert "It cannot be emptied." in page.text


def test_a_run_that_an_order_got_is_for_stock_again(client, acme):
    Line.objects.create(name="Line 1")
    order = Order.objects.create(number="ORD-1", customer=acme, product="Gear", quantity=9)
    order.put_lines([{"position": 1, "product": "Gear", "quantity": 9}])
    head = "Run,Order,Order position,Line,Product,Start,End,Qty"
    plan = "Line 1,Gear,24.12.2026 06:00,24.12.2026 14:00,10"
    confirm(client, choose(client, csv(head, f"R-1,,,{plan}"), "runs")[1])
    _, imported = choose(client, csv(head, f"R-1,ORD-1,1,{plan}"), "runs")
    confirm(client, imported)
    order.refresh_from_db()
    assert (order.runs.count(), order.status) == (1, Order.Status.PLANNED)
    confirm(client, choose(client, before(client, imported), "runs")[1])
    run = ProductionRun.objects.get()
    assert (run.order, run.order_line) == (None, None)


def test_which_of_two_who_are_called_the_same_is_set_back(client, acme):
    other = Customer.objects.create(name="Acme GmbH", reference="K-200")
    order = Order.objects.create(number="ORD-1", customer=other, product="Gear", quantity=5)
    _, imported = choose(client, csv("Order,Customer", "ORD-1,K-100"))
    (row,) = imported.preview["rows"]["changed"]
    assert row["changes"] == [["customer", "Acme GmbH (K-200)", "Acme GmbH (K-100)"]]
    confirm(client, imported)
    order.refresh_from_db()
    assert order.customer == acme
    _, back = choose(client, before(client, imported))
    assert counts(back) == (0, 1, 0, 0)
    confirm(client, back)
    order.refresh_from_db()
    assert order.customer == other


LINES = "Order no,Line,Product,Qty,Due date,Customer notes"


def test_what_a_new_line_changes_of_its_order_is_set_back(client, acme):
    first = ["Order no,Line,Customer,Product,Qty,Due date,Customer notes"]
    first += ["ORD-1,1,Acme GmbH,Gear,10,2026-12-24,Ring", "ORD-2,1,K-100,Lid,5,2026-12-24,Ring"]
    confirm(client, choose(client, csv(*first))[1])
    was = standing()
    wrong = [LINES, "ORD-1,2,Wheel,999,2027-01-01,Never ring"]
    wrong += ["ORD-2,2,Wheel,999,2027-01-01,Never ring", "ORD-2,1,Pin,6,,"]
    _, imported = choose(client, csv(*wrong))
    confirm(client, imported)
    assert counts(imported) == (2, 1, 0, 0)
    _, back = choose(client, before(client, imported))
    assert counts(back) == (0, 2, 0, 0)
    confirm(client, back)
    OrderLine.objects.filter(product="Wheel").delete()
    assert standing() == was


def test_an_order_that_got_its_first_lines_is_set_back_once_they_are_deleted(client, acme):
    confirm(client, choose(client, csv(*GOOD))[1])
    was = standing()
    wrong = [LINES, "ORD-1,1,Wheel,999,2027-01-01,", "ORD-1,2,Pin,1,,", "ORD-2,1,Wheel,7,,"]
    _, imported = choose(client, csv(*wrong))
    confirm(client, imported)
    assert "where they are its first, do that before" in client.get(page_of(imported)).text
    response, back = choose(client, before(client, imported))
    assert counts(back) == (0, 0, 0, 2)
    assert "This order has lines." in response.text
    OrderLine.objects.all().delete()
    decide(client, back)
    assert counts(back) == (0, 2, 0, 0)
    confirm(client, back)
    assert standing() == was


def test_what_was_there_before_is_kept_for_a_week_and_for_whose_it_was(
    client, acme, django_capture_on_commit_callbacks
):
    _, imported = choose(client, csv(*GOOD))
    confirm(client, imported)
    auditor = browser(staff("auditor", *MAY, "view_import"))
    assert auditor.get(page_of(imported, "before")).status_code == 403
    assert "before" not in auditor.get(page_of(imported)).content.decode().split("content-main")[1]
    imported.refresh_from_db()
    for days, is_kept in ((6, True), (8, False)):
        with (
            time_machine.travel(timezone.now() + timedelta(days=days)),
            django_capture_on_commit_callbacks(execute=True),
        ):
            sweep.delete_old_imports()
        assert default_storage.exists(imported.before.name) == is_kept
        page = client.get(page_of(imported)).content.decode()
        assert (page_of(imported, "before") in page) == is_kept
    assert client.get(page_of(imported, "before")).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_what_was_there_before_is_put_away_when_all_is_saved(client, acme, monkeypatch):
    _, imported = choose(client, csv(*GOOD))
    put_away, settle = default_storage.save, Import.settle
    saved = []

    def save(*arguments):
        saved.append((Order.objects.count(), connection.in_atomic_block))
        return put_away(*arguments)

    def no(imported, status, *arguments, **values):
        if status == Import.Status.DONE:
            raise OperationalError("database is locked")
        return settle(imported, status, *arguments, **values)

    monkeypatch.setattr(default_storage, "save", save)
    with monkeypatch.context() as locked:
        locked.setattr(Import, "settle", no)
        confirm(client, imported)
    assert (imported.status, saved) == (Import.Status.CHECKED, []), "and nothing is left lying"
    page = client.get(page_of(imported)).text
    told = "Somebody else is changing this. Nothing was imported. Please confirm again."
    assert told in page
    assert "Something has changed" not in page
    confirm(client, imported)
    assert (imported.status, saved) == (Import.Status.DONE, [(2, False)])
    assert before(client, imported)


@pytest.mark.django_db(transaction=True)
def test_an_import_goes_on_by_itself_when_the_disk_is_not_full_any_more(
    client, acme, monkeypatch, log
):
    _, imported = choose(client, csv(*GOOD))
    settle = Import.settle

    def no(imported, status, *arguments, **values):
        if status == Import.Status.DONE:
            raise OperationalError("database or disk is full")
        return settle(imported, status, *arguments, **values)

    with monkeypatch.context() as full:
        full.setattr(Import, "settle", no)
        page = confirm(client, imported).text
    assert "It broke off, and is tried again by itself" in page
    assert "Somebody else is changing this" not in page
    assert [line["event"] for line in log if line["log_level"] == "error"] == ["work broke off"]
    with time_machine.travel(timezone.now() + timedelta(minutes=30)):
        work.work_on(Import.objects.claim())
    imported.refresh_from_db()
    assert imported.status == Import.Status.DONE
    assert Order.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_the_page_says_when_what_was_there_before_could_not_be_kept(client, acme, away):
    _, imported = choose(client, csv(*GOOD))
    away("save")
    page = confirm(client, imported).text
    assert imported.status == Import.Status.DONE
    assert Order.objects.count() == 2
    assert "it could not be kept" in page
    assert page_of(imported, "before") not in page
    assert client.get(page_of(imported, "before")).status_code == 404


def test_runs_are_set_back_with_what_was_there_before(client, acme):
    Line.objects.bulk_create(Line(name=name) for name in ("Line 1", "Line 2"))
    order = Order.objects.create(number="ORD-1", customer=acme, product="Gear", quantity=9)
    head = "Run,Order,Line,Product,Start,End,Qty"
    first = "R-1,ORD-1,Line 1,Gear,24.12.2026 06:00,24.12.2026 14:00,10"
    confirm(client, choose(client, csv(head, first), "runs")[1])
    was = ProductionRun.objects.values("line__name", "product", "begins", "ends", "quantity").get()
    wrong = [head, "R-1,,Line 2,Lid,25.12.2026 06:00,25.12.2026 14:00,11"]
    wrong += ["R-2,,Line 2,Lid,25.12.2026 22:00,26.12.2026 06:00,11"]
    _, imported = choose(client, csv(*wrong), "runs")
    confirm(client, imported)
    assert order.runs.count() == 1, "an empty cell leaves it as it is"
    confirm(client, choose(client, before(client, imported), "runs")[1])
    runs = ProductionRun.objects.values("line__name", "product", "begins", "ends", "quantity")
    assert runs.get(reference="R-1") == was
    assert ProductionRun.objects.get(reference="R-2").status == "cancelled"


def test_which_line_of_its_order_a_run_was_for_is_set_back(client, acme):
    head = "Order no,Line,Customer,Product,Qty"
    rows = [f"ORD-{order},{line},K-100,Gear,5" for order in (1, 2) for line in (1, 2)]
    confirm(client, choose(client, csv(head, *rows))[1])
    Line.objects.create(name="Line 1")
    head = "Run,Order,Order line,Line,Product,Start,End,Qty"
    plan = "Line 1,Gear,24.12.2026 06:00,24.12.2026 14:00,10"
    first = (f"R-1,ORD-1,2,{plan}", f"R-2,ORD-1,1,{plan}", f"R-3,ORD-1,,{plan}")
    _, imported = choose(client, csv(head, *first), "runs")
    confirm(client, imported)
    assert counts(imported) == (3, 0, 0, 0)

    def named():
        runs = ProductionRun.objects.order_by("reference")
        return list(runs.values_list("order__number", "order_line__position"))

    was = [("ORD-1", 2), ("ORD-1", 1), ("ORD-1", None)]
    assert named() == was
    assert counts(choose(client, csv(head, *first), "runs")[1]) == (0, 0, 3, 0)
    wrong = (f"R-1,ORD-2,,{plan}", f"R-2,,2,{plan}", f"R-3,ORD-1,,{plan}")
    _, imported = choose(client, csv(head, *wrong), "runs")
    first, second = imported.preview["rows"]["changed"]
    assert first["changes"] == [["order", "ORD-1", "ORD-2"], ["line of the order", "2", ""]]
    assert second["changes"] == [["line of the order", "1", "2"]]
    confirm(client, imported)
    assert named() == [("ORD-2", None), ("ORD-1", 2), ("ORD-1", None)]
    confirm(client, choose(client, before(client, imported), "runs")[1])
    assert named() == was


def test_a_line_that_the_order_of_a_run_does_not_have_is_wrong(client, acme):
    Order.objects.create(number="ORD-1", customer=acme, product="Gear", quantity=10)
    Line.objects.create(name="Line 1")
    plan = "Line 1,Gear,24.12.2026 06:00,24.12.2026 14:00,10"
    head = "Run,Order,Order line,Line,Product,Start,End,Qty"
    page, imported = choose(client, csv(head, f"R-1,ORD-1,3,{plan}", f"R-2,,3,{plan}"), "runs")
    assert counts(imported) == (0, 0, 0, 2)
    assert "The order ORD-1 has no line 3." in page.text
    assert "It is of no order." in page.text


def test_new_runs_are_seen_from_there(client):
    line = Line.objects.create(name="Line 1")
    row = "R-1,Line 1,Gear,24.12.2026 06:00,24.12.2026 14:00,10"
    _, imported = choose(client, csv("Run,Line,Product,Start,End,Qty", row), "runs")
    assert not client.get(page_of(imported)).context["outcome"], "nothing is imported yet"
    response = confirm(client, imported)
    made = str(ProductionRun.objects.get(line=line))
    assert shown(client, response, "See the new production runs") == {made}
    assert "See the changed" not in response.content.decode()


# Confirming ---------------------------------------------------------------------------------------


def test_confirming_twice_says_that_it_was_done(client, acme, django_capture_on_commit_callbacks):
    _, imported = choose(client, csv(*GOOD))
    place = imported.file.name
    with django_capture_on_commit_callbacks(execute=True):
        confirm(client, imported)
    page = confirm(client, imported).content.decode()
    assert "That was decided already." in page
    assert Order.objects.count() == 2
    assert not default_storage.exists(place)


def test_a_file_that_nobody_came_to_delete_is_deleted_after_a_day(client, acme):
    """The process was killed when all had been saved."""
    _, imported = choose(client, csv(*GOOD))
    place = imported.file.name
    confirm(client, imported)
    assert imported.status == Import.Status.DONE
    assert default_storage.exists(place)
    with time_machine.travel(timezone.now() + Import.KEPT + timedelta(minutes=1)):
        sweep.delete_old_imports()
    imported.refresh_from_db()
    assert (imported.status, imported.file) == (Import.Status.DONE, "")
    assert not default_storage.exists(place)


def test_what_changed_since_the_preview_is_looked_at_again(client, acme):
    _, imported = choose(client, csv(*GOOD))
    acme.orders.all().delete()
    Customer.objects.update(name="Another", reference="X", key="X")
    page = confirm(client, imported).content.decode()
    assert imported.status == Import.Status.CHECKED
    assert "Something has changed since you looked" in page
    assert counts(imported) == (0, 0, 0, 2)
    assert not Order.objects.exists()


def test_an_order_that_somebody_makes_at_the_same_moment(client, acme, monkeypatch):
    _, imported = choose(client, csv(*GOOD))
    saved = OrderJudge.save

    def late(judge):
        Order.objects.create(number="ord 2", customer=acme, product="Gear", quantity=1)
        saved(judge)

    monkeypatch.setattr(OrderJudge, "save", late)
    page = confirm(client, imported).content.decode()
    assert "Something has changed since you looked" in page
    assert imported.status == Import.Status.CHECKED
    assert not Order.objects.exists()
    monkeypatch.undo()
    confirm(client, imported)
    assert Order.objects.count() == 2


def test_wrong_rows_are_left_out_only_when_that_is_said(client, acme):
    _, imported = choose(client, csv(*GOOD, "ORD-3,Acme GmbH,Gear,many,"))
    page = confirm(client, imported).content.decode()
    assert "It cannot be imported as it is" in page
    assert not Order.objects.exists()
    confirm(client, imported, leave_wrong="yes")
    assert Order.objects.count() == 2


def test_it_can_be_discarded(client, acme, django_capture_on_commit_callbacks):
    _, imported = choose(client, csv(*GOOD))
    place = imported.file.name
    assert default_storage.exists(place)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(page_of(imported, "discard"))
    page = client.get(page_of(imported)).content.decode()
    assert "It was discarded, and nothing was imported." in page
    imported.refresh_from_db()
    assert imported.status == Import.Status.CANCELLED
    assert not default_storage.exists(place)
    assert "decided already" in confirm(client, imported).content.decode()
    assert not Order.objects.exists()


def test_the_file_is_kept_for_a_day_and_the_record_stays(
    client, acme, django_capture_on_commit_callbacks
):
    _, imported = choose(client, csv(*GOOD, "ORD-3,Acme GmbH,Gear,many,"))
    places = imported.file.name, imported.wrong_rows.name
    sweep.delete_old_imports()
    assert all(default_storage.exists(place) for place in places)
    with (
        time_machine.travel(timezone.now() + timedelta(days=1, minutes=1)),
        django_capture_on_commit_callbacks(execute=True),
    ):
        sweep.delete_old_imports()
    imported.refresh_from_db()
    assert imported.status == Import.Status.CANCELLED
    assert not any(default_storage.exists(place) for place in places)
    assert (imported.preview, imported.wrong) == ({}, 1)


# While the storage is away ------------------------------------------------------------------------


@pytest.fixture
def away(monkeypatch):
    """The storage can do none of these; all again after `undo()`."""

    def no(*arguments, **options):
        raise ConnectionError("the bucket is away")

    def be_away(*what):
        for one in what:
            monkeypatch.setattr(default_storage, one, no)
        return monkeypatch

    return be_away


def test_a_file_that_is_not_taken_is_asked_for_again(client, acme, away):
    bucket = away("save")
    page = client.post(ADD, {"file": csv(*GOOD)}).content.decode()
    assert "It could not be kept. Please choose it again in some minutes." in page
    assert not Import.objects.exists()
    bucket.undo()
    _, imported = choose(client, csv(*GOOD))
    assert imported.status == Import.Status.CHECKED


@pytest.mark.parametrize("is_confirmed", [False, True])
def test_what_breaks_off_goes_on_by_itself(client, acme, away, is_confirmed):
    if is_confirmed:
        _, imported = choose(client, csv(*GOOD))
        bucket = away("open")
        page = confirm(client, imported)
    else:
        bucket = away("open")
        page, imported = choose(client, csv(*GOOD))
    assert "It broke off, and is tried again by itself at" in page.content.decode()
    bucket.undo()
    with time_machine.travel(timezone.now() + Import.WAITS[0]):
        work.work_on(Import.objects.claim())
    imported.refresh_from_db()
    assert imported.status == (Import.Status.DONE if is_confirmed else Import.Status.CHECKED)
    assert Order.objects.count() == (2 if is_confirmed else 0)


def broken_down(client, away):
    """An import whose first look fails for good, and where its file is."""
    bucket = away("open")
    _, imported = choose(client, csv(*GOOD))
    for wait in Import.WAITS:
        with time_machine.travel(timezone.now() + wait):
            work.begin(Import.objects.get())
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        assert not Import.objects.claim()
    bucket.undo()
    imported.refresh_from_db()
    assert imported.status == Import.Status.FAILED
    assert default_storage.exists(imported.file.name)
    return imported, imported.file.name


def test_a_file_that_could_never_be_looked_at_is_deleted_after_a_day(client, away):
    imported, place = broken_down(client, away)
    page = client.get(page_of(imported)).text
    assert "It failed, and nothing was imported. Reading it broke down." in page
    with time_machine.travel(timezone.now() + Import.KEPT + timedelta(minutes=1)):
        sweep.delete_old_imports()
        assert not default_storage.exists(place)
        imported.refresh_from_db()
        assert imported.status == Import.Status.FAILED
        assert page_of(imported, "discard") not in client.get(page_of(imported)).text


def test_a_file_that_failed_before_there_was_an_end_to_it_is_deleted(client, away):
    imported, place = broken_down(client, away)
    Import.objects.update(expires_at=None)
    import_module("orders.migrations.0014_files_of_failed_imports").keep_for_a_day(apps, None)
    imported.refresh_from_db()
    assert imported.expires_at == imported.created_at + Import.KEPT
    with time_machine.travel(imported.expires_at):
        sweep.delete_old_imports()
    assert not default_storage.exists(place)


def test_a_file_that_could_never_be_looked_at_can_be_discarded(
    client, away, django_capture_on_commit_callbacks
):
    imported, place = broken_down(client, away)
    assert page_of(imported, "discard") in client.get(page_of(imported)).text
    with django_capture_on_commit_callbacks(execute=True):
        page = client.post(page_of(imported, "discard"), follow=True).text
    assert "It is discarded, and nothing was imported." in page
    assert not default_storage.exists(place)


def test_what_is_discarded_before_it_was_looked_at_is_deleted_later(client, away, monkeypatch):
    monkeypatch.setattr(Import, "LITTLE", 0)
    _, imported = choose(client, csv(*GOOD))
    client.post(page_of(imported, "discard"))  # and dies before the file is deleted
    assert default_storage.exists(imported.file.name)
    with time_machine.travel(timezone.now() + Import.KEPT + timedelta(minutes=1)):
        sweep.delete_old_imports()
    assert not default_storage.exists(imported.file.name)


def test_what_is_discarded_is_deleted_later(client, acme, away, django_capture_on_commit_callbacks):
    _, imported = choose(client, csv(*GOOD))
    place = imported.file.name
    bucket = away("delete")
    with django_capture_on_commit_callbacks(execute=True):
        page = client.post(page_of(imported, "discard"), follow=True)
    assert "It is discarded, and nothing was imported." in page.content.decode()
    bucket.undo()
    with time_machine.travel(timezone.now() + Import.KEPT + timedelta(minutes=1)):
        sweep.delete_old_imports()
    assert not default_storage.exists(place)


# Files that cannot be read ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("orders.csv", b"", "It is empty."),
        ("orders.csv", b"\n\n  \n", "There is no text in it."),
        ("orders.pdf", b"%PDF-1.4 ...", "It is a PDF."),
        ("orders.exe", b"MZ....", "It is no table that can be read here."),
        ("orders.csv", bytes(range(32)) * 50, "There is no text in it."),
        ("orders.xlsx", b"PK\x03\x04 and then nothing", "It is damaged."),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(client, name, content, says):
    response = client.post(f"{ADD}?what=orders", {"file": SimpleUploadedFile(name, content)})
    assert says in response.content.decode()
    assert not Import.objects.exists()


# Large ones ---------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_large_one_is_gone_through_in_the_background(client, acme, monkeypatch):
    monkeypatch.setattr(Import, "LITTLE", 0)
    response, imported = choose(client, csv(*GOOD))
    assert "It waits for its turn." in response.content.decode()
    assert DBTaskResult.objects.get().queue_name == "importing"
    state = client.get(page_of(imported, "state")).json()
    assert state["unfinished"]
    work.work_on(Import.objects.claim())
    assert not client.get(page_of(imported, "state")).json()["unfinished"]
    imported.refresh_from_db()
    assert counts(imported) == (2, 0, 0, 0)
    confirm(client, imported)
    assert imported.status == Import.Status.WAITING
    assert not Order.objects.exists()
    work.work_on(Import.objects.claim())
    imported.refresh_from_db()
    assert imported.status == Import.Status.DONE
    assert Order.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_worker_goes_through_it(client, acme, monkeypatch, tmp_path):
    monkeypatch.setattr(Import, "LITTLE", 0)
    _, imported = choose(client, csv(*GOOD))

    def wait_for(status):
        ends = time.monotonic() + 60
        while Import.objects.get().status != status:
            assert time.monotonic() < ends, "nobody took it up"
            time.sleep(0.1)
        imported.refresh_from_db()

    with working(beside(MEDIA_ROOT=str(tmp_path))):
        wait_for(Import.Status.CHECKED)
        assert counts(imported) == (2, 0, 0, 0)
        confirm(client, imported)
        wait_for(Import.Status.DONE)
    assert Order.objects.count() == 2
    connection.close()


def test_one_that_a_worker_died_of_begins_anew(client, acme, monkeypatch):
    monkeypatch.setattr(Import, "LITTLE", 0)
    choose(client, csv(*GOOD))
    first = Import.objects.claim()
    assert Import.objects.claim() is None
    with time_machine.travel(timezone.now() + Import.CLAIM + timedelta(seconds=1)):
        second = Import.objects.claim()
        assert second.attempts == 2
        work.work_on(second)
        work.work_on(first, lambda done, total: None)
    assert Import.objects.get().status == Import.Status.CHECKED


def test_one_that_is_confirmed_on_its_last_day_is_not_swept_away(client, acme, monkeypatch):
    monkeypatch.setattr(Import, "LITTLE", 0)
    choose(client, csv(*GOOD))
    work.work_on(Import.objects.claim())
    imported = Import.objects.get()
    with time_machine.travel(imported.expires_at - timedelta(minutes=1)) as clock:
        assert imported.confirm()
        clock.shift(timedelta(minutes=2))
        Import.objects.expire()
        # Nor while nobody comes to do it.
        Import.objects.update(expires_at=timezone.now())
        Import.objects.expire()
        work.work_on(Import.objects.claim())
    assert Import.objects.get().status == Import.Status.DONE
    assert Order.objects.count() == 2


def test_an_order_for_nothing_is_a_wrong_row(client, acme):
    response, imported = choose(client, csv(HEAD, "ORD-1,Acme GmbH,Gear,0,"))
    assert counts(imported) == (0, 0, 0, 1)
    assert "“0” is too little." in response.content.decode()


def test_a_number_without_end_is_a_wrong_row(client, acme):
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        for row, cells in enumerate([HEAD.split(","), ["ORD-1", "Acme GmbH", "Gear", 12345.5]]):
            sheet.write_row(row, 0, cells)
    whole, endless = zipfile.ZipFile(file), io.BytesIO()
    with zipfile.ZipFile(endless, "w") as book:
        for name in whole.namelist():
            book.writestr(name, whole.read(name).replace(b"12345.5", b"1.5e999"))
    _, imported = choose(client, SimpleUploadedFile("a.xlsx", endless.getvalue()))
    assert counts(imported) == (0, 0, 0, 1)
    rows = b"".join(client.get(page_of(imported, "wrong")).streaming_content)
    assert openpyxl.load_workbook(io.BytesIO(rows)).active["D2"].value == "inf"


def test_who_may_not_import_any_more_imports_nothing(client, anna, acme, monkeypatch):
    _, imported = choose(client, csv(*GOOD))
    monkeypatch.setattr(Import, "LITTLE", 0)
    confirm(client, imported)
    anna.user_permissions.clear()
    work.work_on(Import.objects.claim())
    imported.refresh_from_db()
    assert imported.status == Import.Status.FAILED
    assert not Order.objects.exists()


# Who may ------------------------------------------------------------------------------------------


def test_nobody_else_gets_at_it(client, acme):
    _, imported = choose(client, csv(*GOOD, "ORD-3,Acme GmbH,Gear,many,"))
    ben = browser(staff("ben", *MAY))
    assert ben.get(page_of(imported)).headers["Location"] == "/admin/orders/import/"
    for part in ("state", "wrong"):
        assert ben.get(page_of(imported, part)).status_code == 404
    for part in ("check", "confirm", "discard"):
        assert ben.post(page_of(imported, part)).status_code == 404
    auditor = browser(staff("auditor", "view_import"))
    page = auditor.get(page_of(imported)).content.decode()
    assert "orders.csv" in page
    assert page_of(imported, "confirm") not in page
    assert auditor.get(page_of(imported, "wrong")).status_code == 403
    for part in ("check", "confirm", "discard"):
        assert auditor.post(page_of(imported, part)).status_code == 403
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    "lacking", ["add_import", "add_order", "change_order", "add_orderline", "change_orderline"]
)
def test_who_may_not_add_and_change_orders_imports_none(lacking, acme):
    ben = browser(staff("ben", *(name for name in MAY if name != lacking)))
    assert ben.get(f"{ADD}?what=orders").status_code == 403
    assert ben.post(f"{ADD}?what=orders", {"file": csv(*GOOD)}).status_code == 403
    assert f"{ADD}?what=orders" not in ben.get("/admin/orders/order/").content.decode()


def test_who_may_not_add_customers_makes_none(acme):
    ben = browser(staff("ben", *(name for name in MAY if name != "add_customer")))
    _, imported = choose(ben, csv(HEAD, "ORD-1,Somebody,Gear,1,"))
    decide(ben, imported, make_customers="on")
    assert counts(imported) == (0, 0, 0, 1)


def test_who_may_not_add_customers_any_more_makes_none(anna, client, acme):
    _, imported = choose(client, csv(HEAD, "ORD-1,Somebody,Gear,1,"))
    decide(client, imported, make_customers="on")
    assert counts(imported) == (1, 0, 0, 0)
    anna.user_permissions.remove(Permission.objects.get(codename="add_customer"))
    confirm(client, imported)
    assert (imported.status, counts(imported)) == (Import.Status.CHECKED, (0, 0, 0, 1))
    assert not Order.objects.exists()


def test_nothing_is_decided_without_a_token_or_by_looking(anna, client, acme):
    _, imported = choose(client, csv(*GOOD))
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(anna)
    for part in ("check", "confirm", "discard"):
        assert strict.post(page_of(imported, part)).status_code == 403
        assert client.get(page_of(imported, part)).status_code == 405
    assert strict.post(f"{ADD}?what=orders", {"file": csv(*GOOD)}).status_code == 403


def test_the_button_is_on_both_lists(client):
    for model, what in (("order", "orders"), ("productionrun", "runs")):
        assert f"{ADD}?what={what}" in client.get(f"/admin/orders/{model}/").content.decode()
