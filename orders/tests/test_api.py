"""Orders, customers and production as other systems bring and fetch them."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from config.tests.test_api import pages, problem
from orders.models import Customer, CustomerLink, Line, Order, ProductionRun
from whatsapp_bot.models import Contact

pytestmark = pytest.mark.django_db
ORDERS = "/api/v1/orders/"
RUNS = "/api/v1/runs/"
CUSTOMERS = "/api/v1/customers/"
GEARS = {"customer": "K-100", "product": "Gear", "quantity": 500}


@pytest.fixture
def erp(api):
    return api("Administrators")


@pytest.fixture
def acme(db):
    return Customer.objects.create(name="Acme", reference="K-100")


@pytest.fixture
def line(db):
    return Line.objects.create(name="Line 1")


@pytest.fixture
def run(line):
    begins = timezone.now().replace(microsecond=0)
    return {
        "order": "ORD-1",
        "line": "Line 1",
        "product": "Gear",
        "begins": begins.isoformat(),
        "ends": (begins + timedelta(hours=8)).isoformat(),
        "quantity": 500,
    }


# Orders ------------------------------------------------------------------------------------------


@pytest.fixture
def noon():
    with time_machine.travel(timezone.localtime().replace(hour=12)) as clock:
        yield clock


def test_what_was_read_may_be_sent_back(noon, erp, acme, run):
    erp.put(f"{ORDERS}ORD-1/", {**GEARS, "due_date": str(timezone.localdate())})
    erp.put(f"{RUNS}MO-1/", {**run, "made": 7, "status": "running"})
    read = erp.get(f"{ORDERS}ORD-1/").json()
    assert erp.put(f"{ORDERS}ORD-1/", read).json() == read
    began = datetime.fromisoformat(read["created_at"]).astimezone(UTC)
    elsewhere = {**read, "created_at": f"{began:%Y-%m-%dT%H:%M:%SZ}"}
    assert erp.put(f"{ORDERS}ORD-1/", elsewhere).json() == read
    for path in (f"{RUNS}MO-1/", f"{CUSTOMERS}K-100/"):
        one = erp.get(path).json()
        assert erp.put(path, one).json() == one
    noon.shift(timedelta(hours=20))
    assert erp.get(f"{ORDERS}ORD-1/").json()["promised"] != read["promised"]
    assert erp.put(f"{ORDERS}ORD-1/", {**read, "notes": "Soon"}).status_code == 200
    shipped = {**read, "status": "shipped"}
    assert erp.put(f"{ORDERS}ORD-1/", shipped).json()["made"] == 500
    assert erp.put(f"{ORDERS}ORD-1/", shipped).status_code == 200, "the same after a time-out"


def test_what_was_read_may_be_sent_back_when_another_row_has_changed(erp, acme, contact):
    order = erp.put(f"{ORDERS}ORD-1/", GEARS).json()
    customer = erp.get(f"{CUSTOMERS}K-100/").json()
    CustomerLink.objects.create(customer=acme, contact=contact)
    assert erp.get(f"{CUSTOMERS}K-100/").json()["updated_at"] == customer["updated_at"]
    customer = erp.put(f"{CUSTOMERS}K-100/", {**customer, "name": "Acme Ltd"}).json()
    assert (customer["name"], customer["contacts"]) == ("Acme Ltd", [contact.pk])
    assert erp.get(f"{ORDERS}ORD-1/").json()["updated_at"] == order["updated_at"]
    order = erp.put(f"{ORDERS}ORD-1/", {**order, "notes": "Soon"}).json()
    assert (order["notes"], order["customer_name"]) == ("Soon", "Acme Ltd")


def test_what_lines_say_is_not_said_without_them(erp, acme):
    lines = [{"product": "Gear", "quantity": 5}, {"product": "Lid", "quantity": 7}]
    read = erp.put(f"{ORDERS}ORD-1/", {"customer": "K-100", "lines": lines}).json()
    for name, value in (("quantity", 50), ("product", "Gear")):
        said = {name: value, "notes": "Soon"}
        (error,) = problem(erp.put(f"{ORDERS}ORD-1/", said), 400)["errors"]
        assert error["pointer"] == f"#/{name}"
        assert error["detail"].startswith("It follows from the lines")
    assert erp.get(f"{ORDERS}ORD-1/").json() == read
    same = {"product": read["product"], "quantity": 12, "notes": "Soon"}
    assert erp.put(f"{ORDERS}ORD-1/", same).json()["notes"] == "Soon"
    single = {"lines": [], "product": "Gear", "quantity": 50}
    assert erp.put(f"{ORDERS}ORD-1/", single).json()["quantity"] == 50


def test_what_stands_beside_the_rows_is_refused(erp, acme):
    rows = {"rows": [{"number": "ORD-1", **GEARS}], "dry_run": True}
    (error,) = problem(erp.post(f"{ORDERS}bulk/", rows), 400)["errors"]
    assert error["pointer"] == "#/dry_run"
    assert not Order.objects.exists()


def test_a_field_that_is_only_read_cannot_be_said(erp, acme):
    erp.put(f"{ORDERS}ORD-1/", {**GEARS, "made": 0})
    read = erp.get(f"{ORDERS}ORD-1/").json()
    for said in ({"made": 320}, {**read, "made": 320}, {"made": 320, "updated_at": "2020-01-01"}):
        errors = problem(erp.put(f"{ORDERS}ORD-1/", {**said, "quantity": 400}), 400)["errors"]
        assert errors[0] == {
            "pointer": "#/made",
            "detail": "It is 0, and not changed like this: leave it out.",
        }
    (error,) = problem(erp.put(f"{ORDERS}ORD-2/", {**GEARS, "made": 5}), 400)["errors"]
    assert error["detail"] == "It is filled in here: leave it out."
    rows = [{"number": "ORD-1", "customer_name": "Beta", "quantity": 300}, read]
    told = erp.post(f"{ORDERS}bulk/", {"rows": rows[:1]}).json()["rows"]
    assert told[0]["errors"][0]["pointer"] == "#/customer_name"
    assert erp.post(f"{ORDERS}bulk/", {"rows": rows[1:]}).json()["unchanged"] == 1
    assert Order.objects.get().quantity == 500


@pytest.mark.parametrize("kept", ["seconds", "milliseconds", "microseconds"])
def test_a_program_that_keeps_less_of_a_moment_is_told_as_well(erp, acme, kept):
    with time_machine.travel(datetime(2026, 11, 24, 9, 30, 5, 123456, tzinfo=UTC), tick=False):
        read = erp.put(f"{ORDERS}ORD-1/", GEARS).json()
    for name in ("created_at", "updated_at"):
        read[name] = datetime.fromisoformat(read[name]).isoformat(timespec=kept)
    (error,) = problem(erp.put(f"{ORDERS}ORD-1/", {**read, "made": 320}), 400)["errors"]
    assert error["pointer"] == "#/made"
    assert erp.put(f"{ORDERS}ORD-1/", {**read, "notes": "Soon"}).json()["notes"] == "Soon"


def test_an_order_is_made_changed_and_stays(erp, acme):
    made = erp.put(f"{ORDERS}ORD-1/", GEARS)
    assert made.status_code == 201
    assert made.json()["number"] == "ORD-1"
    assert made.json()["customer_name"] == "Acme"
    again = erp.put(f"{ORDERS}ord 1/", {**GEARS, "customer": "k100"})
    assert again.status_code == 200
    assert again.json() == made.json()
    changed = erp.put(f"{ORDERS}ORD-1/", {"status": "on_hold", "due_date": "2027-03-01"})
    assert changed.status_code == 200
    order = Order.objects.get()
    assert (order.status, str(order.due_date), order.quantity) == ("on_hold", "2027-03-01", 500)
    assert changed.json()["updated_at"] > made.json()["updated_at"]
    assert erp.get(f"{ORDERS}ORD1/").json() == changed.json()
    assert erp.delete(f"{ORDERS}ORD-1/").status_code == 204
    problem(erp.get(f"{ORDERS}ORD-1/"), 404)


@pytest.mark.parametrize("number", ["2026/117", "ü 7", "a?b", "a%20b", "A.1", "bulky"])
def test_numbers_that_are_none_of_ours(erp, acme, number):
    there = f"{ORDERS}{number.replace('%', '%25').replace('?', '%3F')}/"
    assert erp.put(there, GEARS).json()["number"] == number
    assert erp.get(there).status_code == 200


@pytest.mark.parametrize(
    ("said", "where"),
    [
        ({}, "customer"),
        ({"customer": "K-100"}, "product"),
        ({**GEARS, "customer": "K-999"}, "customer"),
        ({**GEARS, "customer": None}, "customer"),
        ({**GEARS, "quantity": -1}, "quantity"),
        ({**GEARS, "quantity": 0}, "quantity"),
        ({**GEARS, "quantity": 3_000_000_000}, "quantity"),
        ({**GEARS, "status": "lost"}, "status"),
        ({**GEARS, "due_date": "1.3.2027"}, "due_date"),
        ({**GEARS, "number": "ORD-2"}, "number"),
        ({**GEARS, "qty": 5}, "qty"),
        ({**GEARS, "lines": [{"product": "Gear"}]}, "lines/0/quantity"),
        ({**GEARS, "lines": [{"position": 1, "product": "a", "quantity": 1}] * 2}, "lines"),
    ],
)
def test_what_is_wrong_with_an_order(erp, acme, said, where):
    errors = problem(erp.put(f"{ORDERS}ORD-1/", said), 400)["errors"]
    assert f"#/{where}" in [error["pointer"] for error in errors]
    assert not Order.objects.exists()


@pytest.mark.parametrize("number", ["-", "%E2%80%93", "x" * 61])
def test_numbers_that_are_none(erp, acme, number):
    (error,) = problem(erp.put(f"{ORDERS}{number}/", GEARS), 400)["errors"]
    assert error["pointer"] == "#/number"


@pytest.mark.parametrize("nothing", ["-", "%E2%80%93", "%20-%20"])
def test_what_has_no_number_is_not_what_an_address_without_one_means(erp, acme, run, nothing):
    for name in ("Without a reference", "Without one, too"):
        Customer.objects.create(name=name)
    erp.put(f"{RUNS}MO-1/", {**run, "order": None})
    ProductionRun.objects.update(reference="", key=None)
    for path in (RUNS, CUSTOMERS, ORDERS):
        problem(erp.get(f"{path}{nothing}/"), 404)
        problem(erp.delete(f"{path}{nothing}/"), 404)
    assert (Customer.objects.count(), ProductionRun.objects.count()) == (3, 1)
    assert erp.get(f"{RUNS}?order={nothing}").json()["results"] == []


def test_an_order_of_a_customer_without_a_reference_may_be_sent_back(erp, acme):
    nameless = Customer.objects.create(name="Without a reference")
    Customer.objects.create(name="Another")
    Order.objects.create(number="ORD-1", customer=nameless, product="Gear", quantity=5)
    read = erp.get(f"{ORDERS}ORD-1/").json()
    assert read["customer"] == ""
    assert erp.put(f"{ORDERS}ORD-1/", {**read, "notes": "Soon"}).json()["notes"] == "Soon"
    assert erp.post(f"{ORDERS}bulk/", {"rows": [{**read, "notes": "Now"}]}).json()["changed"] == 1
    assert Order.objects.get().customer == nameless
    erp.put(f"{ORDERS}ORD-1/", {"customer": "K-100"})
    for number in ("ORD-1", "ORD-2"):
        (error,) = problem(erp.put(f"{ORDERS}{number}/", {**GEARS, "customer": ""}), 400)["errors"]
        assert error["detail"] == "It is empty: the customer's reference is expected."
    assert Order.objects.get().customer == acme


def test_a_number_without_quotes_is_told_as_that(erp, acme, run):
    for known in ("100", "1001"):
        Customer.objects.create(name="Acme", reference=known)
    Line.objects.create(name="5")
    expected = "A text is expected, in quotes."
    for path, said, where in (
        (f"{ORDERS}ORD-1/", {**GEARS, "customer": 100}, "customer"),
        (f"{RUNS}MO-1/", {**run, "order": 1}, "order"),
        (f"{RUNS}MO-1/", {**run, "order": None, "line": 5}, "line"),
        (f"{CUSTOMERS}7/", {"reference": 7, "name": "Bolt"}, "reference"),
    ):
        (error,) = problem(erp.put(path, said), 400)["errors"]
        assert error == {"pointer": f"#/{where}", "detail": expected}
    (error,) = problem(erp.put(f"{RUNS}MO-1/", {**run, "order": None, "line": ""}), 400)["errors"]
    assert error["detail"] == "It is empty: the line's name is expected."
    told = erp.post(f"{ORDERS}bulk/", {"rows": [{"number": 1001}, GEARS, "ORD-1", None]}).json()
    assert [row["errors"] for row in told["rows"]] == [
        [{"pointer": "#/number", "detail": expected}],
        [{"pointer": "#/number", "detail": "It is missing."}],
        *[[{"pointer": "#", "detail": "An object is expected, as in the example."}]] * 2,
    ]


def test_the_lines_of_an_order(erp, acme):
    lines = [{"product": "Gear", "quantity": 5}, {"product": "Lid", "quantity": 7}]
    made = erp.put(f"{ORDERS}ORD-1/", {"customer": "K-100", "lines": lines})
    assert made.status_code == 201
    assert (made.json()["product"], made.json()["quantity"]) == ("Gear, Lid", 12)
    assert [line["position"] for line in made.json()["lines"]] == [1, 2]
    first = Order.objects.get().lines.first().pk
    again = erp.put(f"{ORDERS}ORD-1/", {"lines": lines, "product": "other", "quantity": 3})
    assert again.json() == made.json()
    lines = [
        {"position": 1, "product": "Gear", "quantity": 6},
        {"position": 9, "product": "Pin", "quantity": 1},
    ]
    changed = erp.put(f"{ORDERS}ORD-1/", {"lines": lines})
    assert (changed.json()["product"], changed.json()["quantity"]) == ("Gear, Pin", 7)
    assert Order.objects.get().lines.first().pk == first
    (row, _) = erp.get("/api/v1/order-lines/?order=ord1").json()["results"]
    assert (row["order"], row["product"]) == ("ORD-1", "Gear")
    assert erp.put(f"{ORDERS}ORD-1/", {"lines": []}).json()["lines"] == []


GEAR, LID = {"product": "Gear", "quantity": 5}, {"product": "Lid", "quantity": 7}


def made_of_each(order) -> dict[str, int]:
    return {need.product: need.made for need in order.needs()}


@pytest.fixture
def of_two(erp, acme, run):
    """An order of gears and lids, with a run that has made the gears."""
    erp.put(f"{ORDERS}ORD-1/", {"customer": "K-100", "lines": [GEAR, LID]})
    erp.put(f"{RUNS}MO-7/", {**run, "order_line": 1, "status": "finished", "made": 5})
    return Order.objects.get()


def test_a_line_without_a_position_is_the_one_with_its_product(erp, of_two):
    erp.put(f"{ORDERS}ORD-1/", {"lines": [LID]})
    assert made_of_each(of_two) == {"Lid": 0}
    assert erp.get(f"{RUNS}MO-7/").json()["order_line"] is None


def test_lines_in_another_order_are_the_same_lines(erp, of_two):
    before = erp.get(f"{ORDERS}ORD-1/").json()
    assert erp.put(f"{ORDERS}ORD-1/", {"lines": [LID, GEAR]}).json() == before
    pin = {"product": "Pin", "quantity": 1}
    erp.put(f"{ORDERS}ORD-1/", {"lines": [pin, {**LID, "product": "LID"}, GEAR]})
    assert made_of_each(of_two) == {"Gear": 5, "LID": 0, "Pin": 0}


def test_a_product_that_is_new_has_its_place_in_the_list(erp, of_two):
    """As one that is called otherwise from now on: its runs are known by the line."""
    wheel = {**GEAR, "product": "Gear wheel"}
    erp.put(f"{ORDERS}ORD-1/", {"lines": [wheel, LID]})
    assert made_of_each(of_two) == {"Gear wheel": 5, "Lid": 0}


def test_of_several_lines_with_a_product_each_stays_itself(erp, of_two):
    more = {**GEAR, "quantity": 9}
    erp.put(f"{ORDERS}ORD-1/", {"lines": [GEAR, more, LID]})
    assert [line["quantity"] for line in erp.get(f"{ORDERS}ORD-1/").json()["lines"]] == [5, 7, 9]
    erp.put(f"{ORDERS}ORD-1/", {"lines": [more, {**GEAR, "quantity": 6}, LID]})
    first, *_ = erp.get(f"{ORDERS}ORD-1/").json()["lines"]
    assert (first["position"], first["quantity"]) == (1, 6)
    taken = [{**LID, "position": 1}, {**GEAR, "position": 2}, GEAR, GEAR]
    positions = {
        line["position"] for line in erp.put(f"{ORDERS}ORD-1/", {"lines": taken}).json()["lines"]
    }
    assert positions == {1, 2, 3, 4}


def test_the_lines_need_permissions_of_their_own(api, acme):
    reader = api("orders.view_order", "orders.add_order", "orders.change_order")
    assert "lines" not in reader.put(f"{ORDERS}ORD-1/", GEARS).json()
    problem(reader.put(f"{ORDERS}ORD-1/", {"lines": []}), 400)
    other = api("orders.add_order", "orders.change_order", "orders.view_orderline", name="other")
    problem(other.put(f"{ORDERS}ORD-1/", {"lines": []}), 403)


def test_status_and_progress_follow_from_the_runs(erp, acme, run):
    erp.put(f"{ORDERS}ORD-1/", GEARS)
    assert erp.put(f"{RUNS}MO-7/", {**run, "status": "running", "made": 320}).status_code == 201
    order = erp.get(f"{ORDERS}ORD-1/").json()
    assert (order["status"], order["made"]) == ("in_production", 320)
    assert order["next_step"] == {"what": "make", "on": None}
    behind = erp.put(f"{ORDERS}ORD-1/", {**GEARS, "status": "received"}).json()
    assert behind == order


def test_what_changed_since(erp, acme):
    for number in range(5):
        erp.put(f"{ORDERS}ORD-{number}/", GEARS)
    since = erp.get(f"{ORDERS}ORD-4/").json()["updated_at"]
    erp.put(f"{ORDERS}ORD-1/", {"quantity": 1})
    found = [row["number"] for row in erp.get(ORDERS, {"updated_since": since}).json()["results"]]
    assert found == ["ORD-4", "ORD-1"]
    everything = [row["number"] for page in pages(erp, f"{ORDERS}?page_size=2") for row in page]
    assert everything == ["ORD-0", "ORD-2", "ORD-3", "ORD-4", "ORD-1"]


def test_what_changes_while_somebody_reads_is_not_lost(erp, acme):
    for number in range(6):
        erp.put(f"{ORDERS}ORD-{number}/", GEARS)
    reading = pages(erp, f"{ORDERS}?page_size=2")
    found = [row["number"] for row in next(reading)]
    erp.put(f"{ORDERS}ORD-0/", {"quantity": 1})
    erp.put(f"{ORDERS}ORD-2/", {"quantity": 1})
    found += [row["number"] for page in reading for row in page]
    assert found == ["ORD-0", "ORD-1", "ORD-3", "ORD-4", "ORD-5", "ORD-0", "ORD-2"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ("status=received", ["ORD-1"]),
        ("status=received&status=on_hold", ["ORD-1", "ORD-2"]),
        ("customer=k-200", ["ORD-2"]),
        ("customer=-", []),
        ("customer_reference=PO-9", ["ORD-2"]),
        ("due_from=2027-03-02", ["ORD-2"]),
        ("due_until=2027-03-01", ["ORD-1"]),
    ],
)
def test_filters(erp, acme, filters, expected):
    Customer.objects.create(name="Bolt", reference="K-200")
    nameless = Customer.objects.create(name="Without a reference")
    Order.objects.create(
        number="ORD-0", customer=nameless, product="Lid", quantity=1, status="ready"
    )
    erp.put(f"{ORDERS}ORD-1/", {**GEARS, "due_date": "2027-03-01"})
    more = {"customer": "K-200", "status": "on_hold", "due_date": "2027-03-02"}
    erp.put(f"{ORDERS}ORD-2/", {**GEARS, **more, "customer_reference": "PO-9"})
    found = erp.get(f"{ORDERS}?{filters}").json()["results"]
    assert [row["number"] for row in found] == expected


def since(system, path: str, moment: str) -> list[str]:
    """What of this kind has changed since this moment, which itself is not looked at."""
    rows = system.get(path, {"updated_since": moment}).json()["results"]
    return [row.get("number") or row["reference"] for row in rows if row["updated_at"] > moment]


@pytest.mark.parametrize("road", ["sent", "deleted", "several deleted"])
def test_a_run_that_loses_its_line_has_changed(erp, of_two, road):
    seen = erp.get(f"{RUNS}MO-7/").json()["updated_at"]
    match road:
        case "sent":
            erp.put(f"{ORDERS}ORD-1/", {"lines": [LID]})
        case "deleted":
            of_two.lines.first().delete()
        case "several deleted":
            of_two.lines.all().delete()
    assert ProductionRun.objects.get().order_line is None
    assert since(erp, RUNS, seen) == ["MO-7"]


def test_a_day_in_an_address_is_written_as_in_a_body(erp):
    for day in ("1.2.2027", "01/02/2027", "1 Feb 2027"):
        (error,) = problem(erp.get(ORDERS, {"due_from": day}), 400)["errors"]
        assert error["parameter"] == "due_from"


def test_an_order_whose_lines_add_up_to_more_than_a_line_may_be_sent_back(erp, acme):
    lines = [{"product": name, "quantity": 2_147_483_647} for name in ("Gear", "Lid")]
    read = erp.put(f"{ORDERS}ORD-1/", {"customer": "K-100", "lines": lines}).json()
    assert erp.put(f"{ORDERS}ORD-1/", read).json() == read
    without = {name: read[name] for name in read if name != "lines"}
    assert erp.put(f"{ORDERS}ORD-1/", without).json() == read
    erp.put(f"{ORDERS}ORD-1/", {"lines": [], "product": "Gear", "quantity": 5})
    (error,) = problem(erp.put(f"{ORDERS}ORD-1/", {"quantity": 3_000_000_000}), 400)["errors"]
    assert error == {"pointer": "#/quantity", "detail": "At most 2147483647."}


# Many --------------------------------------------------------------------------------------------


def test_many_at_once_each_by_itself(erp, acme):
    erp.put(f"{ORDERS}ORD-1/", GEARS)
    erp.put(f"{ORDERS}ORD-2/", GEARS)
    rows = [
        {**GEARS, "number": "ORD-1"},
        {"number": "ord 2", "quantity": 7},
        {**GEARS, "number": "ORD-3", "lines": [{"product": "Lid", "quantity": 2}]},
        {**GEARS, "number": "ORD-4", "customer": "K-999"},
        {**GEARS, "number": "ORD-5", "quantity": "many", "status": "odd"},
        {**GEARS, "number": "ORD1"},
        GEARS,
        "ORD-6",
        {**GEARS, "number": ["ORD-7"]},
        None,
    ]
    report = erp.post(f"{ORDERS}bulk/", {"rows": rows})
    assert report.status_code == 200
    told = report.json()
    counts = {name: told[name] for name in ("created", "changed", "unchanged", "wrong")}
    assert counts == {"created": 1, "changed": 1, "unchanged": 1, "wrong": 7}
    assert [row["outcome"] for row in told["rows"]] == ["unchanged", "changed", "created"] + [
        "wrong"
    ] * 7
    assert [row["row"] for row in told["rows"]] == list(range(10))
    assert told["rows"][3]["errors"] == [
        {"pointer": "#/customer", "detail": "There is no customer K-999."}
    ]
    assert {error["pointer"] for error in told["rows"][4]["errors"]} == {"#/quantity", "#/status"}
    assert "in row 0 already" in told["rows"][5]["errors"][0]["detail"]
    assert dict(Order.objects.values_list("number", "quantity")) == {
        "ORD-1": 500,
        "ORD-2": 7,
        "ORD-3": 2,
    }
    again = erp.post(f"{ORDERS}bulk/", {"rows": rows[:3]}).json()
    assert (again["unchanged"], again["changed"]) == (3, 0)


def test_a_row_that_one_may_not_store_keeps_none_of_the_others_out(api, acme):
    erp = api("orders.add_order", "orders.change_order", "orders.view_orderline")
    with_lines = {**GEARS, "lines": [{"product": "Lid", "quantity": 2}]}
    problem(erp.put(f"{ORDERS}ORD-2/", with_lines), 403)
    rows = [{**GEARS, "number": "ORD-1"}, {**with_lines, "number": "ORD-2"}]
    told = erp.post(f"{ORDERS}bulk/", {"rows": [*rows, {**GEARS, "number": "ORD-3"}]}).json()
    assert [row["outcome"] for row in told["rows"]] == ["created", "wrong", "created"]
    assert told["rows"][1]["errors"] == [{"pointer": "#", "detail": "You may not do this."}]


@pytest.mark.parametrize("said", [{}, [], {"rows": []}, {"rows": {}}, {"rows": [{}] * 501}])
def test_no_rows_or_too_many(erp, said):
    problem(erp.post(f"{ORDERS}bulk/", said), 400)


def test_what_a_row_costs(erp, acme, django_assert_max_num_queries):
    rows = [{**GEARS, "number": f"ORD-{n}"} for n in range(50)]
    with django_assert_max_num_queries(8 + 4 * 50):
        assert erp.post(f"{ORDERS}bulk/", {"rows": rows}).json()["created"] == 50
    with django_assert_max_num_queries(8 + 5 * 50):
        assert erp.post(f"{ORDERS}bulk/", {"rows": rows}).json()["unchanged"] == 50


# Customers, runs ---------------------------------------------------------------------------------


def test_customers_by_their_reference(erp, contact):
    assert erp.put(f"{CUSTOMERS}K-100/", {"name": "Acme"}).status_code == 201
    assert erp.put(f"{CUSTOMERS}k100/", {"name": "Acme Ltd"}).status_code == 200
    CustomerLink.objects.create(customer=Customer.objects.get(), contact=contact)
    shown = erp.get(f"{CUSTOMERS}K-100/").json()
    assert (shown["reference"], shown["name"], shown["contacts"]) == (
        "K-100",
        "Acme Ltd",
        [contact.pk],
    )
    told = erp.post(
        f"{CUSTOMERS}bulk/",
        {"rows": [{"reference": "K-200", "name": "Bolt"}, {"reference": "K-300"}]},
    )
    assert [row["outcome"] for row in told.json()["rows"]] == ["created", "wrong"]
    erp.put(f"{ORDERS}ORD-1/", GEARS)
    assert problem(erp.delete(f"{CUSTOMERS}K-100/"), 409)["type"].endswith("in-use")
    assert erp.delete(f"{CUSTOMERS}K-200/").status_code == 204


def test_who_is_linked_is_seen_by_who_may(api, acme):
    reader = api("orders.view_customer")
    assert "contacts" not in reader.get(f"{CUSTOMERS}K-100/").json()


def test_runs_by_their_reference(erp, acme, run):
    lines = [{"product": "Gear", "quantity": 5}, {"product": "Lid", "quantity": 7}]
    erp.put(f"{ORDERS}ORD-1/", {"customer": "K-100", "lines": lines})
    made = erp.put(f"{RUNS}MO-7/", {**run, "order_line": 2})
    assert made.status_code == 201
    assert (made.json()["order"], made.json()["order_line"], made.json()["line"]) == (
        "ORD-1",
        2,
        "Line 1",
    )
    assert erp.put(f"{RUNS}mo7/", {**run, "order_line": 2}).json() == made.json()
    stock = erp.put(f"{RUNS}MO-7/", {"order": None}).json()
    assert (stock["order"], stock["order_line"]) == (None, None)
    assert ProductionRun.objects.get().order is None
    assert [
        row["reference"] for row in erp.get(f"{RUNS}?line=Line 1&status=planned").json()["results"]
    ] == ["MO-7"]


def test_a_run_while_the_clocks_are_changed(erp, acme, run):
    erp.put(f"{ORDERS}ORD-1/", GEARS)
    there = f"{RUNS}MO-1/"
    with timezone.override("Europe/Berlin"):
        # A quarter to an hour later, though clocks show less.
        twice = {"begins": "2026-10-25T02:30:00+02:00", "ends": "2026-10-25T02:15:00+01:00"}
        read = erp.put(there, {**run, **twice})
        assert read.status_code == 201
        assert erp.put(there, {**run, **twice}).json() == read.json()
        back = {"begins": "2026-10-25T02:50:00+01:00", "ends": "2026-10-25T02:55:00+02:00"}
        assert problem(erp.put(there, back), 400)["errors"][0]["pointer"] == "#/ends"
        for unclear in ("2026-10-25T02:30:00", "2027-03-28T02:30:00"):
            (error,) = problem(erp.put(there, {"begins": unclear}), 400)["errors"]
            assert "may be ambiguous or it may not exist" in error["detail"]
        assert erp.put(there, {"begins": "2026-10-24T22:00:00"}).status_code == 200


@pytest.mark.parametrize(
    ("said", "where"),
    [
        ({"order": "ORD-9"}, "order"),
        ({"order_line": 3}, "order_line"),
        ({"line": "Line 9"}, "line"),
        ({"ends": "2020-01-01T00:00:00Z"}, "ends"),
        ({"begins": "0001-01-01T00:00:00+14:00"}, "begins"),
        ({"ends": "9999-12-31T23:59:59-12:00"}, "ends"),
        ({"made": -1}, "made"),
    ],
)
def test_what_is_wrong_with_a_run(erp, acme, run, said, where):
    erp.put(f"{ORDERS}ORD-1/", GEARS)
    errors = problem(erp.put(f"{RUNS}MO-7/", {**run, **said}), 400)["errors"]
    assert f"#/{where}" in [error["pointer"] for error in errors]


# Who may -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("group", ["Reviewers", "Managers"])
def test_readers_read(api, acme, group):
    Order.objects.create(number="ORD-1", customer=acme, product="Gear", quantity=5)
    reader = api(group)
    for path in (
        ORDERS,
        f"{ORDERS}ORD-1/",
        RUNS,
        CUSTOMERS,
        "/api/v1/order-lines/",
        "/api/v1/lines/",
    ):
        assert reader.get(path).status_code == 200, path
    for path in (f"{ORDERS}ORD-1/", f"{RUNS}MO-7/", f"{CUSTOMERS}K-100/"):
        problem(reader.put(path, {}), 403)
        problem(reader.delete(path), 403)
    for path in (ORDERS, RUNS, CUSTOMERS):
        problem(reader.post(f"{path}bulk/", {}), 403)
    problem(reader.post("/api/v1/lines/", {"name": "x"}), 403)


@pytest.mark.parametrize(
    ("path", "along"),
    [
        (f"{ORDERS}ORD-1/", ["order", "orderline", "productionrun"]),
        (f"{CUSTOMERS}K-100/", ["customer", "customerlink", "undonelink"]),
    ],
)
def test_what_goes_along_is_not_deleted_without_permission(api, erp, acme, path, along):
    Order.objects.create(number="ORD-1", customer=acme, product="Gear", quantity=5)
    for lacking in along:
        may = [f"orders.delete_{one}" for one in along if one != lacking]
        problem(api(*may, name=lacking).delete(path), 403)
    assert Order.objects.get().customer == acme


def test_editors_see_nothing_of_it(api):
    editor = api("Editors")
    for path in (ORDERS, RUNS, CUSTOMERS, "/api/v1/order-lines/", "/api/v1/lines/"):
        problem(editor.get(path), 403)


def test_a_contact_has_no_way_in(acme, phone):
    """Whoever is on WhatsApp is nobody here, whatever they send."""
    Contact.objects.create(phone=phone.address, role="customer")
    from rest_framework.test import APIClient

    for said in (phone.address, f"Bearer {phone.address}", f"Basic {phone.address}"):
        problem(APIClient().get(ORDERS, HTTP_AUTHORIZATION=said), 401)
