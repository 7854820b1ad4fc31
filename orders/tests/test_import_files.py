"""Files that are imported: how their cells, headings and rows are read, and the command."""

import codecs
import csv
import io
import zipfile
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from io import StringIO

import openpyxl
import pytest
import xlsxwriter
from django.core.management import CommandError, call_command
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from orders.importing import tables
from orders.importing import xlsx as unpacking
from orders.importing.columns import find_header, letter
from orders.importing.judging import JUDGES
from orders.importing.resources import OrderResource
from orders.importing.tables import Unreadable, open_table
from orders.importing.values import Choice, Day, Moment, Reference, Text, Whole
from orders.models import Customer, Import, Line, Order, ProductionRun

db = pytest.mark.django_db


def read(content, name="orders.csv", sheet=""):
    return list(open_table(io.BytesIO(content), name, len(content)).rows(sheet))


# Files --------------------------------------------------------------------------------------------

TEXT = "Order;Customer;Notes\nORD-1;Müller & Söhne;fünf, sechs\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"]
)
@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_csv_however_it_was_saved(encoding, separator, ending):
    cells = [line.split(";") for line in TEXT.splitlines()]
    text = StringIO()
    csv.writer(text, delimiter=separator, lineterminator=ending).writerows(cells)
    assert read(text.getvalue().encode(encoding)) == [(1, cells[0]), (2, cells[1])]


@pytest.mark.parametrize(
    ("encoding", "word"),
    [("cp850", "Müller"), ("cp850", "Härtel"), ("cp437", "Köln"), ("mac-roman", "Müller")],
)
def test_letters_that_cannot_be_read_are_not_replaced(encoding, word):
    text = f"Order,Customer\n{'ORD-1,Acme' * 20_000}\nORD-2,{word}\n"
    with pytest.raises(Unreadable, match="Please save it as “CSV UTF-8”, or as XLSX"):
        read(text.encode(encoding))
    assert read(text.encode("cp1252"))[-1][1] == ["ORD-2", word]


@pytest.mark.parametrize("cut", ["a;b\nü;c".encode("utf-16")[:-1], codecs.BOM_UTF8 + b"a;\xfc"])
def test_a_letter_that_is_cut_off_is_not_replaced(cut):
    with pytest.raises(Unreadable, match="letters cannot be read"):
        read(cut)


@pytest.mark.parametrize("word", ["the „Gear“", "2” pipe", "Košice", "5”x7”", "Œuvre – fin…"])
def test_the_signs_of_windows_are_read(word):
    assert read(f"Order;Customer\nORD-1;{word}\n".encode("cp1252"))[1][1] == ["ORD-1", word]


def test_rows_that_look_empty_are():
    assert read(b"a;b;c\n ; ; \n;;\n\xc2\xa0;\t;\nd;e; \n\x1a") == [
        (1, ["a", "b", "c"]),
        (5, ["d", "e"]),
    ]
    rows = '<row><c t="str"><v> </v></c></row><row/><row><c t="str"><v>a</v></c></row>'
    assert read(xlsx(f"<sheetData>{rows}</sheetData>"), "a.xlsx") == [(3, ["a"])]


def test_rows_are_numbered_as_a_spreadsheet_shows_them():
    lines = 'sep=;\n\na;b\n"two\nlines";c\n\nd;e\n'
    assert read(lines.encode()) == [(2, ["a", "b"]), (3, ["two\nlines", "c"]), (5, ["d", "e"])]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("strange", ["\u2028", "\u2029", "\x85", "\v", "\f", "\x1c"])
def test_what_ends_no_line_of_a_spreadsheet_ends_no_row(strange, encoding):
    rows = [["Order", "Product"], ["ORD-1", f"Gear{strange}wheel"], ["ORD-2", "Nut"]]
    text = "".join(f"{order},{product}\r\n" for order, product in rows)
    assert read(text.encode(encoding)) == list(enumerate(rows, 1))
    remark = f"Round gear{strange},,or square{strange},,or neither"
    text = f"Order;Remark\nORD-1;{remark}\n"
    assert read(text.encode(encoding))[1] == (2, ["ORD-1", remark])


def test_a_file_is_read_as_often_as_one_likes_and_stays_open():
    with io.BytesIO(b"a,b\nc,d\n") as file:
        table = open_table(file, "a.csv", 8)
        begun = table.rows()
        assert next(begun) == (1, ["a", "b"])
        begun.close()
        assert list(table.rows()) == list(table.rows()) == [(1, ["a", "b"]), (2, ["c", "d"])]
        assert not file.closed


def test_xlsx_has_days_and_numbers_and_what_formulas_came_to():
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file)
    sheet = book.add_worksheet()
    day = book.add_format({"num_format": "dd.mm.yyyy"})
    sheet.write_datetime("A3", datetime(2026, 12, 24), day)  # noqa: DTZ001
    sheet.write("B3", 12.5)
    sheet.write_formula("C3", "=1+1", None, 2)
    sheet.write("ZZ3", "far away")
    book.close()
    assert read(file.getvalue(), "a.xlsx") == [(3, [datetime(2026, 12, 24), 12.5, 2])]  # noqa: DTZ001


def test_a_formula_that_came_to_an_empty_text_is_empty():
    """As Excel and LibreOffice save it."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file)
    sheet = book.add_worksheet()
    sheet.write("A1", "ORD-1")
    sheet.write_formula("B1", '=""', None, "")
    book.close()
    with zipfile.ZipFile(file) as written:
        parts = {part: written.read(part) for part in written.namelist()}
    name = "xl/worksheets/sheet1.xml"
    assert read(packed(**parts), "a.xlsx") == [(1, ["ORD-1", tables.NOT_WORKED_OUT])]
    parts[name] = parts[name].replace(b'<c r="B1"><f>', b'<c r="B1" t="str"><f>')
    assert read(packed(**parts), "a.xlsx") == [(1, ["ORD-1"])]


def packed(**parts):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in parts.items():
            book.writestr(name.replace("__", "/"), content)
    return file.getvalue()


def unpacked(content):
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return {name: book.read(name) for name in book.namelist()}


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.xls", bytes.fromhex("d0cf11e0a1b11ae1") + b"x" * 600, "of the old kind"),
        (
            "a.xlsx",
            bytes.fromhex("d0cf11e0a1b11ae1") + "EncryptedPackage".encode("utf-16-le"),
            "protected with a password",
        ),
        ("a.docx", packed(**{"word__document.xml": "<a/>"}), "no XLSX file"),
        ("a.ods", packed(**{"content.xml": "<a/>"}), "an OpenDocument file"),
        ("a.xlsx", packed(**{"xl__workbook.xml": "<a>"}), "It is damaged"),
        ("a.csv", b'a,b\n"c,d\n' + b"x" * 200_000, "a quotation mark that is not closed"),
        ("a.csv", b'a,b\n"c,d\n' + b"e,f\n" * 50_000, "Row 2 and what follows cannot be read"),
        ("a.csv", b'a,b\nc,"d\ne,f\ng,h\n', "Row 2 has a quotation mark that is not closed"),
        ("a.csv", b'a,b\nc,"d', "Row 2 has a quotation mark that is not closed"),
    ],
    ids=["old", "protected", "a text", "OpenDocument", "damaged", *("an open quotation",) * 4],
)
def test_each_fault_has_its_sentence(name, content, says):
    with pytest.raises(Unreadable, match=says):
        read(content, name)


def test_a_bomb_is_not_unpacked():
    content = packed(
        **{"xl__workbook.xml": "<a/>", "xl__sharedStrings.xml": b"0" * (tables.LARGEST_PART + 1)}
    )
    assert len(content) < 200_000
    with pytest.raises(Unreadable, match="too large when it is unpacked"):
        read(content, "a.xlsx")


MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OPEN = "application/vnd.openxmlformats-officedocument.spreadsheetml"
RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
HEAD, ROW = "<row><c><v>1</v></c></row>", '<row><c t="s"><v>0</v></c></row>'


def xlsx(sheet=f"<sheetData>{HEAD}{ROW}</sheetData>", texts="", styles="", book="", at="xl/s.xml"):
    """A workbook put together by hand; `at` is where its texts are."""
    types = f"""<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
        <Override PartName="/xl/workbook.xml" ContentType="{OPEN}.sheet.main+xml"/>
        <Override PartName="/{at}" ContentType="{OPEN}.sharedStrings+xml"/></Types>"""
    related = f"""<Relationships xmlns="{RELATED.replace("officeDocument", "package", 1)}">
        <Relationship Id="r1" Type="{RELATED}/worksheet" Target="worksheets/1.xml"/>
        </Relationships>"""
    sheets = f'<sheets><sheet name="S" sheetId="1" r:id="r1" xmlns:r="{RELATED}"/></sheets>'
    return packed(
        **{
            "[Content_Types].xml": types,
            "xl__workbook.xml": f'<workbook xmlns="{MAIN}">{sheets}{book}</workbook>',
            "xl___rels__workbook.xml.rels": related,
            "xl__styles.xml": f'<styleSheet xmlns="{MAIN}">{styles}</styleSheet>',
            "xl__worksheets__1.xml": f'<worksheet xmlns="{MAIN}">{sheet}</worksheet>',
            at.replace("/", "__"): f'<sst xmlns="{MAIN}"><si><t>ORD-1</t></si>{texts}</sst>',
        }
    )


def in_sheet(content):
    return f"<sheetData>{HEAD}{content}</sheetData>"


BOMBS = {
    "cells of one row": xlsx(in_sheet(f"<row>{'<c/>' * 20_000}</row>")),
    "empty cells": xlsx(in_sheet("<row><c/><c/></row>" * 600)),
    "one cell": xlsx(in_sheet(f'<row><c t="inlineStr"><is><t>{"a" * 70_000}</t></is></c></row>')),
    "before the rows": xlsx(f"{'<x/>' * 20_000}{in_sheet('')}"),
    "between the rows": xlsx(in_sheet("<x/>" * 20_000)),
    "one text": xlsx(texts=f"<si>{'<r/>' * 20_000}</si>"),
    "many texts": xlsx(texts="<si/>" * 3_000),
    "texts under another name": xlsx(texts="<si/>" * 60_000, at="xl/s.bin"),
    "styles": xlsx(styles=f"<cellXfs>{'<xf/>' * 1_000}</cellXfs>"),
    "what is no element": xlsx(book=f"<!--{'x' * 100_000}-->"),
    "parts": packed(**{"xl__workbook.xml": "", **{f"{n}": "" for n in range(101)}}),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_little_file_that_is_much_unpacked_is_refused(name, monkeypatch):
    """With limits for a test: as they are, it would take minutes and gigabytes without them."""
    monkeypatch.setattr(tables, "MOST_PARTS", 100)
    monkeypatch.setattr(tables, "LARGEST_PART", 200_000)
    monkeypatch.setattr(unpacking, "LONGEST_PIECE", 50_000)
    monkeypatch.setattr(unpacking, "LARGEST_WHOLE", 50_000)
    monkeypatch.setattr(unpacking, "MOST_ELEMENTS", 1_000)
    monkeypatch.setattr(unpacking, "MOST_TEXTS", 2_000)
    monkeypatch.setattr(unpacking, "MOST_CELLS", 1_000)
    assert read(xlsx(), "a.xlsx") == [(1, [1]), (2, ["ORD-1"])]
    with pytest.raises(Unreadable, match="too large when it is unpacked"):
        read(BOMBS[name], "a.xlsx")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.xlsx", xlsx(in_sheet(f'<row r="{10**12}"/>'))),
        ("a.csv", b"a" + b"\n" * tables.LAST_ROW + b"b"),
    ],
    ids=["xlsx", "csv"],
)
def test_a_row_further_down_than_there_are_any_is_refused(name, content):
    """Those before it would be empty ones, and looked at for days."""
    with pytest.raises(Unreadable, match="below row 1,048,576"):
        read(content, name)


def test_entities_are_not_filled_in():
    entity = '<!DOCTYPE sst [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>'
    parts = unpacked(xlsx())
    parts["xl/s.xml"] = entity.encode() + parts["xl/s.xml"].replace(b"ORD-1", b"&b;")
    with pytest.raises(Unreadable, match="It is damaged"):
        read(packed(**parts), "a.xlsx")


def test_what_stands_behind_the_rows_plays_no_part():
    """A list of many orders may have as many merged cells, links and conditions."""
    merged = '<mergeCell ref="A1:B1"/>' * 200_000
    sheet = f"{in_sheet(ROW)}<mergeCells>{merged}</mergeCells>"
    assert read(xlsx(sheet), "a.xlsx") == [(1, [1]), (2, ["ORD-1"])]


TEXTS = """<si><t>課きく</t><rPh sb="0" eb="1"><t>カ</t></rPh><phoneticPr fontId="1"/></si>
    <si><r><rPr><b/><sz val="11"/></rPr><t xml:space="preserve">a </t></r><r><t>b</t></r></si>"""
FORMATS = """<numFmts><numFmt numFmtId="164" formatCode="[h]:mm"/></numFmts>
    <cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="20"/><xf numFmtId="164"/></cellXfs>"""
SHEETS = {
    "gaps": """<row r="3" ht="30"><c r="B3"><v>1</v></c><c><v>7</v></c></row><row/>
        <row><c><v>2.5E3</v></c></row><row r="9"><c r="C9"><v>3</v></c><c r="A9"><v>1</v></c></row>""",
    "texts": "<row>" + "".join(f'<c t="s"><v>{place}</v></c>' for place in range(3)) + "</row>",
    "texts of their own": """<row><c t="inlineStr"><is><r><t>a</t></r><r><t> b</t></r></is></c>
        <c t="inlineStr"><is><t><![CDATA[a<b]]></t></is></c><c t="str"><v>x&amp;y</v></c></row>""",
    "kinds": """<row><c t="b"><v>1</v></c><c t="b"><v>0</v></c><c t="e"><v>#N/A</v></c><c><v/></c>
        <c t="d"><v>2026-01-02T03:04:05</v></c><c t="n"><v> 5 </v></c></row>""",
    "days": "".join(
        f'<row><c s="{of}"><v>{n}</v></c></row>' for of in range(4) for n in (0.5, 9e9)
    ),
    "remarks": "<!-- 1 --><row><!-- 2 --><c><!-- 3 --><v>1<!-- 4 -->2</v></c></row>",
    "many": "".join(f"<row>{f'<c><v>{row}</v></c>' * (row % 99)}</row>" for row in range(999)),
}


@pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")
@pytest.mark.parametrize("since_1904", ["0", "1"])
@pytest.mark.parametrize("name", SHEETS)
def test_it_is_read_as_openpyxl_reads_it(name, since_1904):
    book = f'<workbookPr date1904="{since_1904}"/>'
    content = xlsx(in_sheet(SHEETS[name]), TEXTS, FORMATS, book)
    sheet = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)["S"]
    cells = sheet.iter_rows(max_col=tables.MOST_COLUMNS, values_only=True)
    rows = [(number, tables._stripped(list(row))) for number, row in enumerate(cells, 1)]
    assert read(content, "a.xlsx") == [(number, row) for number, row in rows if row]


@pytest.mark.parametrize("kind", ['t="str"><v>{}</v>', 't="inlineStr"><is><t>{}</t></is>'])
def test_what_is_escaped_in_a_text_is_shown_to_nobody(kind):
    cells = [kind.format(text) for text in ("two_x000D_\nlines", "a_x005F_x000D_", "b_x41")]
    shared = "".join(f"<si><t>{text}</t></si>" for text in ("c_x000D_", "d_x005F_x000D_"))
    cells += ['t="s"><v>1</v>', 't="s"><v>2</v>']
    row = f"<row>{''.join(f'<c {cell}</c>' for cell in cells)}</row>"
    ((_, read_there),) = read(xlsx(f"<sheetData>{row}</sheetData>", shared), "a.xlsx")
    assert read_there == ["two\r\nlines", "a_x000D_", "b_x41", "c\r", "d_x000D_"]
    assert Text(60, lines=True).clean(read_there[0]) == "two\nlines"


def test_no_row_is_lost_for_its_place():
    """As openpyxl would lose those that are not in order."""
    rows = "".join(f'<row r="{row}"><c><v>{row}</v></c></row>' for row in (3, 2, 4))
    assert read(xlsx(f"<sheetData>{rows}</sheetData>"), "a.xlsx") == [(3, [3]), (2, [2]), (4, [4])]


def test_what_an_xlsx_file_says_of_itself_plays_no_part():
    parts = unpacked(xlsx())
    created = '<created xmlns="http://purl.org/dc/terms/">once</created>'
    parts["docProps/core.xml"] = f"<coreProperties>{created}</coreProperties>"
    assert read(packed(**parts), "a.xlsx") == [(1, [1]), (2, ["ORD-1"])]


def test_the_strict_kind_is_said_to_be_one():
    parts = unpacked(xlsx())
    strict = b"http://purl.oclc.org/ooxml/spreadsheetml/main"
    renamed = {name: part.replace(MAIN.encode(), strict) for name, part in parts.items()}
    with pytest.raises(Unreadable, match="save it as “Excel Workbook”"):
        read(packed(**renamed), "a.xlsx")


def test_a_column_too_far_to_the_right_is_told_of_wherever_it_is():
    styled, filled = '<c s="0"/>' * 150, "<c><v>1</v></c>"
    for cells in (f"{styled}{filled}", f'{filled}<c r="CZ1"><v>1</v></c>'):
        content = xlsx(f"<sheetData><row>{cells}</row></sheetData>")
        table = open_table(io.BytesIO(content), "a.xlsx", len(content))
        list(table.rows())
        assert table.is_cut


def test_too_large_and_too_many(monkeypatch):
    monkeypatch.setattr(tables, "MOST_ROWS", 2)
    with pytest.raises(Unreadable, match="more than 2 rows"):
        read(b"a\nb\nc\n")
    with pytest.raises(Unreadable, match="are the most"):
        open_table(io.BytesIO(b"a"), "a.csv", tables.LARGEST_FILE + 1)


def test_a_row_that_would_fill_the_memory_is_refused(monkeypatch):
    monkeypatch.setattr(tables, "LONGEST_ROW", 10)
    assert read(b"a,b,c,d,e\nf,g,h,i,j\n"), "each of them is short enough"
    for row in (b"," * 11, b'"\n",' * 3):
        with pytest.raises(Unreadable, match="more than 10 characters"):
            read(b"a\n" + row)


def wide_xlsx(width):
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        book.add_worksheet().write_row(0, 0, range(width))
    return file.getvalue()


def wide_csv(width):
    return ",".join(map(str, range(width))).encode() + b"," * 50


@pytest.mark.parametrize(("name", "file"), [("a.csv", wide_csv), ("a.xlsx", wide_xlsx)])
@pytest.mark.parametrize(("width", "is_cut"), [(100, False), (101, True), (300, True)])
def test_of_a_wide_table_the_first_columns_are_read(name, file, width, is_cut):
    content = file(width)
    table = open_table(io.BytesIO(content), name, len(content))
    ((_, cells),) = table.rows()
    assert list(map(str, cells)) == list(map(str, range(100)))
    assert table.is_cut == is_cut


@given(st.binary(max_size=300))
def test_whatever_is_in_a_file_it_is_read_or_refused(content):
    for start, name in ((b"", "a.csv"), (b"PK\x03\x04", "a.xlsx")):
        with suppress(Unreadable):
            assert all(cells for _, cells in read(start + content, name))


# Headings -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headings", "names"),
    [
        ("Order No.,CUSTOMER,item,Qty,Delivery Date", "number customer product quantity due_date"),
        (
            "order_number|Client|Product name|Quantity (pcs)|Due",
            "number customer product quantity due_date",
        ),
        (
            "Sales order,Customer no.,PO #,Article,Pos.",
            "number customer_number customer_reference product position",
        ),
        (
            "Our order,Client,Part,Qty.,Delivery dt.",
            "number customer product quantity due_date",
        ),
        ("Order #,Client,Notes for the customer", "number customer notes"),
        # What is written for colleagues is not for the customer.
        ("Order #,Client,Remarks,Comment", "number customer"),
        ("Order #,PO,Client", "number customer_reference customer"),
        ("Our PO,Client,Part,Qty", "number customer product quantity"),
        ("Our PO,Client,Order no.,Qty", "customer_reference customer number quantity"),
        ("Our PO,Client,Order no.,PO number", "customer number customer_reference"),
        (
            "Auftrag Nr.,Kunde,Bezeichnung,Menge,Liefertermin",
            "number customer product quantity due_date",
        ),
    ],
)
def test_headings_that_are_known(headings, names):
    cells = headings.split("|" if "|" in headings else ",")
    rows = [(1, ["Orders of this week"]), (3, cells), (4, ["ORD-1", "Acme"])]
    header = find_header(rows, list(OrderResource().columns.values()))
    assert header.number == 3
    assert [header.found[place].name for place in sorted(header.found)] == names.split()


@pytest.mark.parametrize("what", JUDGES)
def test_no_heading_means_two_columns(what):
    known: dict[str, str] = {}
    for name, column in JUDGES[what].resource_class().columns.items():
        for heading in column.headings:
            assert known.setdefault(heading, name) == name
        assert not column.perhaps & column.headings


def test_letters():
    assert [letter(place) for place in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]


# Cells --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("1200", 1200),
        ("1.200", 1200),
        ("1,200", 1200),
        ("1 200", 1200),
        ("1\u202f200", 1200),
        ("1'200", 1200),
        ("1200,0", 1200),
        ("1.200,00", 1200),
        ("1,200.00", 1200),
        ("1.200.000", 1_200_000),
        ("12 pcs", 12),
        ("12 Stk.", 12),
        ("0", 0),
        (12.0, 12),
        ("", None),
        (None, None),
    ],
)
def test_whole_numbers(cell, number):
    assert Whole().clean(cell) == number


@pytest.mark.parametrize(
    "cell",
    [
        "12.5",
        12.5,
        "1,20,0",
        "1.2.300",
        "-3",
        "99999999999",
        "9" * 5000,
        "12 kg",
        "many",
        True,
        "١٢.٥",
    ],
)
def test_what_is_no_whole_number_says_so(cell):
    with pytest.raises(ValueError, match=r"\.$"):
        Whole().clean(cell)


def test_a_column_tells_what_its_commas_are():
    alone, beside, decimal = Whole(), Whole(), Whole()
    for widget, cells in (
        (alone, ["5,000", "12,000"]),
        (beside, ["5,000", "12"]),
        (decimal, ["5,000", "12,50"]),
    ):
        for cell in cells:
            widget.look(cell)
    assert [one.is_open() for one in (alone, beside, decimal)] == [True, False, False]
    assert (beside.clean("5,000"), decimal.clean("5,000")) == (5000, 5)
    alone.choice = "decimals"
    assert alone.clean("5,000") == 5


@pytest.mark.parametrize(
    "cell",
    [
        date(2026, 12, 24),
        datetime(2026, 12, 24, 6),  # noqa: DTZ001
        "2026-12-24",
        "2026-12-24 00:00:00",
        "2026-12-24T06:00:00Z",
        "20261224",
        "24.12.2026",
        "24.12.26",
        "24/12/2026",
        "24-12-2026",
        "24 Dec 2026",
        "24-Dec-26",
        "24th December 2026",
        "Dec 24, 2026",
        "Thu 24 Dec 2026",
        "24. Dezember 2026",
        46380,
        "46380",
    ],
)
def test_days(cell):
    assert Day().clean(cell) == date(2026, 12, 24)


@pytest.mark.parametrize(
    "cell",
    ["soon", "31.02.2026", "24.12.1926", "12", 12, 5e9, True, "KW 48", time(6), "9999999999"],
)
def test_what_is_no_day_says_so(cell):
    with pytest.raises(ValueError, match=r"\.$"):
        Day().clean(cell)


def test_a_column_tells_what_its_days_begin_with():
    american, unclear = Day(), Day()
    for cell in ("03/04/2026", "12/24/2026"):
        american.look(cell)
    unclear.look("03/04/2026")
    assert (american.is_open(), unclear.is_open()) == (False, True)
    assert american.clean("03/04/2026") == date(2026, 3, 4)
    assert unclear.clean("03/04/2026") == date(2026, 4, 3)
    unclear.choice = "month"
    assert unclear.clean("03/04/2026") == date(2026, 3, 4)


def test_moments_are_the_factorys():
    expected = timezone.make_aware(datetime(2026, 12, 24, 18, 30))  # noqa: DTZ001
    widget = Moment()
    for cell in ("24.12.2026 18:30", "2026-12-24T18:30", "Dec 24, 2026 6:30 pm"):
        assert widget.clean(cell) == expected
    widget.day = Day()
    assert widget.clean("18:30", {"day": "24.12.2026"}) == expected
    assert widget.clean(time(18, 30), {"day": date(2026, 12, 24)}) == expected
    for cell in ("2026-12-24T16:30:00Z", "2026-12-24 18:30+02:00", "2026-12-24T11:30-0500"):
        assert widget.clean(cell) == datetime(2026, 12, 24, 16, 30, tzinfo=UTC)
    for cell in ("24.12.2026", "18:30", "24.12.2026 25:00", "2026-12-24T18:30+99:00"):
        with pytest.raises(ValueError, match=r"\.$"):
            Moment().clean(cell)


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("2026-12-24T23:00:00.000Z", 25),
        ("2026-12-24T22:59Z", 24),
        ("2026-12-25T04:00+05:00", 25),
        ("2026-12-25 03:59+05:00", 24),
        ("24.12.2026 23:30", 24),
    ],
)
def test_a_moment_of_another_zone_is_due_on_its_day_in_the_factory(cell, day):
    with timezone.override("Europe/Berlin"):
        assert Day().clean(cell) == date(2026, 12, day)


def test_a_day_ends_at_24():
    midnight = timezone.make_aware(datetime(2026, 12, 25))  # noqa: DTZ001
    widget = Moment()
    widget.day = Day()
    for cell in ("24:00", "24:00:00", timedelta(days=1)):
        assert widget.clean(cell, {"day": "24.12.2026"}) == midnight
    assert widget.clean("24.12.2026 24:00") == midnight
    assert Day().clean("24.12.2026 24:00") == date(2026, 12, 24)
    for cell in ("24:01", "25:00", "06:60", timedelta(hours=25)):
        with pytest.raises(ValueError, match=r"\.$"):
            widget.clean(cell, {"day": "24.12.2026"})


def test_texts():
    assert Text(60).clean(1001.0) == "1001"
    assert Text(60).clean("  two\n  words\x00\u202e ") == "two words"
    assert Text(60, lines=True).clean("two\nlines") == "two\nlines"
    for cell, says in (
        ("x" * 61, "61 characters, and 60"),
        (datetime(2026, 3, 12), "made a date of it"),  # noqa: DTZ001
        (timedelta(hours=100, minutes=45), "made a date of it"),
        ("#N/A", "an error of the spreadsheet"),
    ):
        with pytest.raises(ValueError, match=says):
            Text(60).clean(cell)


@pytest.mark.parametrize(
    "error",
    [
        "#N/A",
        "#REF!",
        "#VALUE!",
        "#DIV/0!",
        "#NAME?",
        "#NULL!",
        "#NUM!",
        "#ERROR!",
        "#NV",
        "#WERT!",
        "#BEZUG!",
        "#ZAHL!",
        "#ÜBERLAUF!",
        "#N/D",
        "#N/D!",
        "#N/B",
        "#VERW!",
        "#VALEUR!",
        "#RIF!",
        "#ADR!",
        "#¡REF!",
        "#¡DIV/0!",
        "#¿NOMBRE?",
        "#SPILL!",
        "#CALC!",
        "#BUSY!",
        "#GETTING_DATA",
    ],
)
def test_an_error_of_the_spreadsheet_is_no_product(error):
    for widget in (Text(60), Reference(), Whole(), Day()):
        with pytest.raises(ValueError, match="an error of the spreadsheet"):
            widget.clean(error)


@pytest.mark.parametrize("text", ["#URGENT!", "#WICHTIG!", "#NEU!", "#OK?", "#A/B", "#NVX"])
def test_what_only_looks_like_one_is_taken_as_it_stands(text):
    for widget in (Text(60), Text(60, lines=True), Reference()):
        assert widget.clean(text) == text


def test_what_its_column_had_no_room_for_is_no_product():
    with pytest.raises(ValueError, match="Please widen the column"):
        Text(60).clean("########")
    for product in ("#10-32 screw", "#8", "#", "##", "# 7 NV", "#Nut!", "No. #5!"):
        assert Text(60).clean(product) == product


@pytest.mark.parametrize("cell", ["4,50001E+09", "4.50001e+09", "1E+12", 4.5e20])
def test_a_number_that_the_spreadsheet_has_shortened_is_none(cell):
    with pytest.raises(ValueError, match=r"has shortened it\. Please give the column"):
        Reference().clean(cell)


@pytest.mark.parametrize(
    ("cell", "number"),
    [("E+45", "E+45"), ("1E5", "1E5"), ("1E-05", "1E-05"), (4.500012345e9, "4500012345")],
)
def test_a_number_may_look_much_like_that(cell, number):
    assert Reference().clean(cell) == number


def test_choices():
    widget = Choice(Order.Status.choices, {"wip": "in_production"})
    for cell in ("In Production", "in_production", "IN-PRODUCTION", "WIP"):
        assert widget.clean(cell) == "in_production"
    with pytest.raises(ValueError, match="Please write received, planned"):
        widget.clean("lost")


@db
@given(st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.dates(), st.times()))
def test_whatever_is_in_a_cell_it_is_understood_or_refused(cell):
    for widget in (Whole(), Day(), Moment(), Text(60)):
        widget.look(cell)
        with suppress(ValueError):
            assert widget.clean(cell, {}) != ""


# The command --------------------------------------------------------------------------------------


@pytest.fixture
def acme(db):
    return Customer.objects.create(name="Acme GmbH", reference="K-100")


@pytest.fixture
def place(tmp_path):
    def place(*lines):
        path = tmp_path / "orders.csv"
        path.write_text("\n".join(lines))
        return path

    return place


def run(*arguments, **options):
    out, err = StringIO(), StringIO()
    call_command("import_orders", *map(str, arguments), stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


GOOD = ("Order;Customer;Product;Qty;Colour", "ORD-1;Acme GmbH;Gear;10;red")


def test_the_command_imports_and_leaves_a_record(acme, place):
    out, _ = run(place(*GOOD), "--dry-run")
    assert "1 new, 0 changed, 0 unchanged, 0 wrong" in out
    assert "The column “Colour” is left out." in out
    assert not Order.objects.exists()
    assert not Import.objects.exists()
    out, _ = run(place(*GOOD))
    assert "Imported: 1 new" in out
    record = Import.objects.get()
    assert (record.by, record.name, record.new) == (None, "orders.csv", 1)
    assert (record.status, record.preview) == (Import.Status.DONE, {})
    out, _ = run(place(*GOOD))
    assert "Imported: 0 new, 0 changed, 1 unchanged" in out


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("o" * 220 + ".csv", "o" * 150 + "…" + "o" * 45 + ".csv"),
        ("orders \udcff\u202evsc.csv", "orders vsc.csv"),
    ],
    ids=["long", "strange"],
)
def test_the_command_notes_the_name_of_any_file(acme, tmp_path, name, kept):
    path = tmp_path / name
    path.write_text("\n".join(GOOD))
    run(path)
    assert Import.objects.get().name == kept


def test_the_command_tells_what_is_wrong_and_imports_nothing(acme, place):
    path = place(*GOOD, "ORD-2;Acne;Gear;many;")
    err = StringIO()
    with pytest.raises(CommandError, match=r"1 row is wrong\. Nothing was imported.") as failed:
        call_command("import_orders", str(path), stdout=StringIO(), stderr=err)
    assert failed.value.returncode == 1
    assert "Row 3, Customer: The customer “Acne” is not known." in err.getvalue()
    assert "Row 3, Qty: “many” is no whole number." in err.getvalue()
    assert "--make-customers makes the customers that are not known." in err.getvalue()
    assert not Order.objects.exists()
    run(path, "--leave-wrong")
    assert Order.objects.count() == 1
    path = place(*GOOD, "ORD-2;Acne;Gear;1;")
    assert "--make-customers" not in "".join(run(path, "--make-customers"))
    assert Customer.objects.filter(name="Acne").exists()


def test_the_command_says_what_it_has_to_be_told(acme, place, tmp_path):
    path = place("Order;Customer;Product;Qty;Due", "ORD-1;Acme GmbH;Gear;10;03/04/2026")
    with pytest.raises(CommandError, match="say with --dates one of day"):
        run(path)
    run(path, "--dates", "month")
    assert Order.objects.get().due_date == date(2026, 3, 4)
    with pytest.raises(CommandError, match="say with --header"):
        run(place("a;b", "c;d"))
    with pytest.raises(CommandError, match="No column was found for: order number, customer"):
        run(place("Product;Qty", "Gear;10"))
    with pytest.raises(CommandError, match="no rows below the headings, which are in row 1"):
        run(place("Order;Qty"))
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        run(tmp_path / "nothing.csv")
    with pytest.raises(CommandError, match="It is empty"):
        run(place(""))


def test_the_command_says_how_many_columns_it_reads(acme, place):
    head, row = GOOD
    out, _ = run(place(head + ";more" * 100, row + ";1" * 100))
    assert "It has more than 100 columns, and only the first 100 are read." in out
    assert Order.objects.count() == 1


def test_the_command_imports_runs(acme, place):
    Line.objects.create(name="Line 1")
    head = "Run;Line;Product;Start;End;Qty"
    run(place(head, "R-1;Line 1;Gear;24.12.2026 06:00;24.12.2026 14:00;10"), "--what", "runs")
    assert ProductionRun.objects.get().key == "R1"


def test_xlsx_from_another_program(acme, tmp_path):
    book = openpyxl.Workbook()
    for line in GOOD:
        book.active.append(line.split(";"))
    book.save(tmp_path / "orders.xlsx")
    out, _ = run(tmp_path / "orders.xlsx")
    assert "Imported: 1 new" in out


def test_the_command_takes_no_other_sheet_than_was_meant(acme, place, tmp_path):
    book = openpyxl.Workbook()
    for line in GOOD:
        book.active.append(line.split(";"))
    book.save(tmp_path / "orders.xlsx")
    with pytest.raises(CommandError, match=r"There is no sheet “Ordres”\. There are: Sheet"):
        run(tmp_path / "orders.xlsx", "--sheet", "Ordres")
    with pytest.raises(CommandError, match="A CSV file has none"):
        run(place(*GOOD), "--sheet", "Sheet")
    assert not Order.objects.exists()
    out, _ = run(tmp_path / "orders.xlsx", "--sheet", "Sheet")
    assert "Imported: 1 new" in out


def test_the_command_names_the_sheets_when_the_first_has_no_rows(acme, tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["About this file"])
    orders = book.create_sheet("Orders")
    for line in GOOD:
        orders.append(line.split(";"))
    book.save(tmp_path / "orders.xlsx")
    with pytest.raises(CommandError, match="or with --sheet which of Sheet, Orders"):
        run(tmp_path / "orders.xlsx")
    run(tmp_path / "orders.xlsx", "--sheet", "Orders")
    assert Order.objects.exists()


def test_a_formula_that_nobody_worked_out_is_not_empty(acme, tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["Order", "Customer", "Product", "Qty", "Due", "Total"])
    book.active.append(["ORD-1", "Acme GmbH", "Gear", 10, "=TODAY()+7", "=D2*2"])
    book.active.append(["ORD-2", "Acme GmbH", "Gear", 10, None, "=D3*2"])
    book.save(tmp_path / "orders.xlsx")
    err = StringIO()
    with pytest.raises(CommandError, match="1 row is wrong"):
        call_command("import_orders", str(tmp_path / "orders.xlsx"), stdout=StringIO(), stderr=err)
    assert "Row 2, Due: There is a formula in it that was not worked out" in err.getvalue()


@db
def test_runs_of_the_hour_that_comes_twice_stay_unchanged(place):
    Line.objects.create(name="Line 1")
    head = "Run;Line;Product;Start;End;Qty"
    path = place(head, "R-1;Line 1;Gear;25.10.2026 02:30;25.10.2026 06:00;10")
    with timezone.override("Europe/Berlin"):
        run(path, "--what", "runs")
        out, _ = run(path, "--what", "runs")
    assert "Imported: 0 new, 0 changed, 1 unchanged" in out
