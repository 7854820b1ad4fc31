"""Staff look after orders, and see and undo who linked themselves."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from orders.models import Customer, CustomerLink, Line, Order, OrderLine, ProductionRun, UndoneLink
from whatsapp_bot.models import Contact
from whatsapp_bot.tests.database import statements
from whatsapp_bot.tests.staff import staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def order():
    customer = Customer.objects.create(name="Acme", reference="K-1")
    order = Order.objects.create(number="ORD-1", customer=customer, product="Gear", quantity=500)
    begins = timezone.now() - timedelta(hours=1)
    ProductionRun.objects.create(
        order=order,
        line=Line.objects.create(name="Line 1"),
        product="Gear",
        begins=begins,
        ends=begins + timedelta(days=2),
        quantity=500,
        made=320,
        status="running",
    )
    return order


@pytest.fixture
def link(order):
    buyer = Contact.objects.create(phone="+27820000001", name="Buyer")
    return CustomerLink.objects.by_knowledge(buyer, "ORD-1", "K-1")


def posted(page) -> dict[str, str]:
    """What the browser would post of this page as it is."""
    forms = [page.context["adminform"].form]
    for formset in page.context["inline_admin_formsets"]:
        forms += [formset.formset.management_form, *formset.formset.forms]
    return {
        field.html_name: field.value() if field.value() is not None else ""
        for form in forms
        for field in form
    }


def finish(order, **values):
    run = order.runs.get()
    for name, value in {"status": "finished", **values}.items():
        setattr(run, name, value)
    run.save()


def saved_as_it_was(client, order, page, **values):
    """Save the page as it was opened, but for these values, and leave the runs alone."""
    untouched = {"runs-TOTAL_FORMS": "0", "runs-INITIAL_FORMS": "0"}
    path = reverse("admin:orders_order_change", args=[order.pk])
    assert client.post(path, {**posted(page), **untouched, **values}).status_code == 302
    order.refresh_from_db()


def test_an_order_that_shrinks_to_what_is_made_is_ready(admin_client, order):
    finish(order)
    page = admin_client.get(reverse("admin:orders_order_change", args=[order.pk]))
    saved_as_it_was(admin_client, order, page, quantity="320")
    assert (order.quantity, order.status) == (320, Order.Status.READY)


def test_a_page_that_was_open_for_long_takes_no_order_back(admin_client, order):
    page = admin_client.get(reverse("admin:orders_order_change", args=[order.pk]))
    finish(order, made=500)
    saved_as_it_was(admin_client, order, page, notes="By lorry.")
    assert (order.notes, order.status) == ("By lorry.", Order.Status.READY)


def test_the_list_shows_progress_and_the_promise(
    clock, admin_client, order, django_assert_max_num_queries
):
    for number in range(2, 30):
        Order.objects.create(
            number=f"ORD-{number}", customer=order.customer, product="Lid", quantity=1
        )
    path = reverse("admin:orders_order_changelist")
    with django_assert_max_num_queries(12):
        page = admin_client.get(path).content.decode()
    assert "320 of 500 made" in page
    assert f"{timezone.localtime() + timedelta(hours=47):%-d %b %Y}" in page


@pytest.mark.parametrize(("standing", "found"), [("open", 1), ("late", 0), ("", 2)])
def test_open_and_late_ones_are_found(admin_client, order, standing, found):
    Order.objects.create(
        number="X",
        customer=order.customer,
        product="x",
        quantity=1,
        status="delivered",
        due_date="2020-01-01",
    )
    path = reverse("admin:orders_order_changelist")
    assert len(admin_client.get(path, {"standing": standing}).context["cl"].result_list) == found


def test_late_is_what_has_not_left_in_time(admin_client, order):
    """What is shipped is on its way: nobody here can hurry it."""
    path = reverse("admin:orders_order_changelist")
    for status, is_late in [("planned", True), ("ready", True), ("shipped", False)]:
        Order.objects.filter(pk=order.pk).update(status=status, due_date="2020-01-01")
        late = admin_client.get(path, {"standing": "late"}).context["cl"].result_list
        assert (order in late) is is_late


def test_a_whole_number_finds_that_order_alone(admin_client, order):
    Order.objects.create(number="ORD-12", customer=order.customer, product="x", quantity=1)
    path = reverse("admin:orders_order_changelist")
    for words, found in [("ord 1", 1), ("ORD-1", 1), ("RD-1", 2), ("acme", 2)]:
        assert len(admin_client.get(path, {"q": words}).context["cl"].result_list) == found


def test_the_page_shows_what_follows_and_lines_take_over(admin_client, order):
    path = reverse("admin:orders_order_change", args=[order.pk])
    page = admin_client.get(path)
    assert "320 of 500 made" in page.content.decode()
    assert "the rest is made" in page.content.decode()
    filled = posted(page)
    new = {"product": "Lid", "quantity": "40", "position": ""}
    filled |= {"lines-TOTAL_FORMS": "1"} | {f"lines-0-{name}": new[name] for name in new}
    for moment in ("begins", "ends"):
        at = timezone.localtime(getattr(order.runs.get(), moment))
        filled |= {f"runs-0-{moment}_0": f"{at:%Y-%m-%d}", f"runs-0-{moment}_1": f"{at:%H:%M:%S}"}
    answer = admin_client.post(path, filled)
    assert answer.status_code == 302, answer.context["errors"]
    order.refresh_from_db()
    assert (order.product, order.quantity) == ("Lid", 40)
    assert "product" not in admin_client.get(path).context["adminform"].form.fields


@pytest.fixture
def new_order(admin_client, order):
    """Save the page of a new order, with these values; what it says then."""
    page = reverse("admin:orders_order_add")
    opened = posted(admin_client.get(page))

    def new_order(**values) -> str:
        said = {**opened, "number": "ORD-7", "customer": order.customer_id, **values}
        return admin_client.post(page, said, follow=True).content.decode()

    return new_order


def lines(*rows) -> dict[str, object]:
    """What the page posts of these products and quantities in lines."""
    values = {"lines-TOTAL_FORMS": len(rows)}
    for place, (product, quantity) in enumerate(rows):
        values |= {f"lines-{place}-product": product, f"lines-{place}-quantity": quantity}
    return values


def test_a_new_order_says_what_is_ordered_in_lines_alone(new_order):
    assert "was added successfully" in new_order(**lines(("Gear", 5), ("Lid", 7)))
    made = Order.objects.get(number="ORD-7")
    assert (made.product, made.quantity, made.lines.count()) == ("Gear, Lid", 12, 2)


def test_or_in_product_and_quantity_but_says_it_somewhere(new_order):
    removed = {**lines(("Gear", 5)), "lines-0-DELETE": "on"}
    unseen = {"product": "\u202e", "quantity": "5"}
    for said in ({}, {"product": "Gear"}, {"quantity": "5"}, lines((" ", "")), removed, unseen):
        assert "What is ordered? Fill in product and quantity above" in new_order(**said)
    assert not Order.objects.filter(number="ORD-7").exists()
    assert "was added successfully" in new_order(product="Gear", quantity="5")


def test_who_may_add_no_lines_says_product_and_quantity(client, order):
    client.force_login(staff("clerk", "add_order", "view_order", "view_customer"))
    said = {"number": "ORD-7", "customer": order.customer_id, "status": "received"}
    page = client.post(reverse("admin:orders_order_add"), said)
    assert set(page.context["adminform"].form.errors) == {"product", "quantity"}


def test_a_number_that_reads_alike_is_refused(admin_client, order):
    path = reverse("admin:orders_order_add")
    filled = posted(admin_client.get(path))
    filled |= {"number": "ord 1", "customer": order.customer_id, "product": "x", "quantity": "1"}
    assert "There is an order ORD-1 already" in admin_client.post(path, filled).content.decode()


def test_who_linked_themselves_is_marked_and_can_be_found(admin_client, link):
    colleague = Contact.objects.create(phone="+27820000002", name="Known to staff")
    CustomerLink.objects.create(contact=colleague, customer=link.customer)
    path = reverse("admin:orders_customerlink_changelist")
    page = admin_client.get(path, {"origin__exact": "themselves"}).content.decode()
    assert "Buyer" in page
    assert "Known to staff" not in page
    assert reverse("admin:orders_order_change", args=[link.order_id]) in page
    customers = admin_client.get(reverse("admin:orders_customer_changelist")).content.decode()
    assert "1 by themselves" in customers


@pytest.mark.parametrize("road", ["one", "several", "the customer's page"])
def test_deleting_a_link_undoes_it_for_good(admin_client, admin_user, link, road):
    if road == "one":
        path = reverse("admin:orders_customerlink_delete", args=[link.pk])
        admin_client.post(path, {"post": "yes"})
    elif road == "several":
        chosen = {"action": "delete_selected", "_selected_action": [link.pk], "post": "yes"}
        admin_client.post(reverse("admin:orders_customerlink_changelist"), chosen)
    else:
        path = reverse("admin:orders_customer_change", args=[link.customer_id])
        filled = posted(admin_client.get(path))
        assert admin_client.post(path, {**filled, "links-0-DELETE": "on"}).status_code == 302
    assert not CustomerLink.objects.exists()
    assert UndoneLink.objects.get().by == admin_user
    assert CustomerLink.objects.by_knowledge(link.contact, "ORD-1", "K-1") is None


def test_a_link_is_undone_and_not_given_to_somebody_else(admin_client, link):
    somebody = Contact.objects.create(phone="+27820000002", name="Somebody")
    path = reverse("admin:orders_customer_change", args=[link.customer_id])
    filled = posted(admin_client.get(path))
    admin_client.post(path, {**filled, "links-0-contact": somebody.pk})
    assert CustomerLink.objects.get().contact == link.contact
    added = {"links-1-customer": link.customer_id, "links-1-contact": somebody.pk, "links-1-id": ""}
    admin_client.post(path, {**filled, **added, "links-TOTAL_FORMS": 2})
    assert {one.contact for one in CustomerLink.objects.all()} == {link.contact, somebody}


def test_staff_may_let_somebody_link_themselves_again(admin_client, link):
    link.undo()
    row = UndoneLink.objects.get()
    path = reverse("admin:orders_undonelink_delete", args=[row.pk])
    admin_client.post(path, {"post": "yes"})
    assert CustomerLink.objects.by_knowledge(row.contact, "ORD-1", "K-1")


@pytest.mark.parametrize(("day", "found"), [("today", 1), ("yesterday", 0), ("week", 1), ("x", 1)])
def test_runs_are_found_by_day(admin_client, order, day, found):
    order.runs.update(begins=timezone.localtime().replace(hour=0, minute=0), ends=timezone.now())
    path = reverse("admin:orders_productionrun_changelist")
    assert len(admin_client.get(path, {"day": day}).context["cl"].result_list) == found


def test_a_run_chooses_among_the_lines_of_its_own_order(admin_client, order):
    own = OrderLine.objects.create(order=order, product="Gear", quantity=1)
    other = Order.objects.create(number="X", customer=order.customer, product="x", quantity=1)
    OrderLine.objects.create(order=other, product="Theirs", quantity=1)
    page = admin_client.get(reverse("admin:orders_order_change", args=[order.pk]))
    (runs,) = [
        one.formset for one in page.context["inline_admin_formsets"] if one.formset.prefix == "runs"
    ]
    assert list(runs.forms[0].fields["order_line"].queryset) == [own]


def test_however_many_lines_and_runs_an_order_has_its_page_asks_for_them_together(
    admin_client, order
):
    run = order.runs.get()

    def grow(by: int) -> None:
        for _ in range(by):
            run.order_line = OrderLine.objects.create(order=order, product="Gear", quantity=1)
            run.pk, run._state.adding = None, True
            run.save()

    def asked(name: str, row) -> list[str]:
        page = reverse(f"admin:orders_{name}_change", args=[row.pk])
        made = statements(lambda: admin_client.get(page))
        return [re.sub(r"\d+", "…", sql) for sql in made if 'FROM "orders_' in sql]

    grow(2)
    few = asked("order", order), asked("productionrun", run)
    grow(5)
    assert (asked("order", order), asked("productionrun", run)) == few


def test_the_page_of_a_run_asks_for_a_line_of_its_order_if_there_are_any(admin_client, order):
    """By its name: nobody knows its key. What is only known later is not on a new run's page."""
    run = order.runs.get()
    path = reverse("admin:orders_productionrun_change", args=[run.pk])

    def asked(path: str):
        return admin_client.get(path).context["adminform"].form.fields

    assert "order_line" not in asked(path)
    own = OrderLine.objects.create(order=order, product="Gear", quantity=1)
    other = Order.objects.create(number="X", customer=order.customer, product="x", quantity=1)
    OrderLine.objects.create(order=other, product="Theirs", quantity=1)
    assert list(asked(path)["order_line"].queryset) == [own]

    add = reverse("admin:orders_productionrun_add")
    assert "order_line" not in asked(add)
    assert "Created at" not in admin_client.get(add).content.decode()


def test_pages_lead_where_there_is_one(admin_client, order):
    """Their last page is not known before it is there: nobody counts a million orders."""
    path = reverse("admin:orders_order_changelist")

    def ends(query: str = "") -> list[str]:
        page = admin_client.get(f"{path}{query}").content.decode()
        return [
            word for word in ("1 order\n", "Page 1", "Page 2", "Previous<", "Next<") if word in page
        ]

    assert ends() == ["1 order\n"]
    Order.objects.bulk_create(
        Order(number=f"ORD-2-{n}", customer=order.customer, product="Gear", quantity=1)
        for n in range(100)
    )
    assert ends() == ["Page 1", "Next<"]
    assert ends("?p=2") == ["Page 2", "Previous<"]


def test_before_a_link_is_undone_one_reads_what_that_means(admin_client, link):
    path = reverse("admin:orders_customerlink_delete", args=[link.pk])
    assert (
        "cannot link themselves to that customer again" in admin_client.get(path).content.decode()
    )
    after = admin_client.post(path, {"post": "yes"})
    assert after["Location"] == reverse("admin:orders_customerlink_changelist")


def test_who_may_not_undo_a_link_is_not_told_what_it_means(client, link):
    client.force_login(staff("clerk", "view_customerlink"))
    path = reverse("admin:orders_customerlink_delete", args=[link.pk])
    assert client.get(path).status_code == 403
    page = client.get(reverse("admin:orders_customerlink_changelist")).content.decode()
    assert "cannot link themselves" not in page
