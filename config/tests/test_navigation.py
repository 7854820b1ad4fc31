"""The tabs above a list."""

import pytest

from config.navigation import TABS


@pytest.mark.parametrize(
    ("query", "active"),
    [
        ("", "All"),
        ("p=2&o=3&q=seal", "All"),
        ("standing=late", "Late"),
        ("standing=late&p=2", "Late"),
        ("o=-1&standing=open", "Open"),
        ("standing=open&status__exact=ready", ""),
    ],
)
def test_a_tab_is_marked_on_every_page_of_its_list(rf, query, active):
    request = rf.get("/admin/orders/order/", QUERY_STRING=query)
    (items,) = [tab["items"] for tab in TABS if tab["models"] == ["orders.order"]]
    assert "".join(item["title"] for item in items if item["active"](request)) == active
