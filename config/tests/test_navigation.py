"""The sidebar, and the tabs above a list."""

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils.text import capfirst

from config.navigation import NAVIGATION, TABS

CALLED_OTHERWISE = {
    "Failed messages",
    "Menus and greeting",
    "Our number",
}


def test_a_page_is_called_what_the_sidebar_calls_it():
    lists = {
        reverse(f"admin:{of.app_label}_{of.model_name}_changelist"): capfirst(
            of.verbose_name_plural
        )
        for of in (model._meta for model in admin.site._registry)
    }
    items = [item for group in NAVIGATION for item in group["items"]]
    titles = {item["title"]: lists.get(str(item["link"]).partition("?")[0]) for item in items}
    otherwise = {title for title, name in titles.items() if name and name != title}
    assert otherwise == CALLED_OTHERWISE


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
