"""A system of each group makes every call: it gets what the group may, and is refused the rest.

R: Reviewers, E: Editors, O: Order clerks, M: Managers, A: Administrators. What is expected is written down by hand.
"""

import pytest

from config.tests.test_api_description import description
from config.tests.test_who_may_what import GROUPS

pytestmark = pytest.mark.django_db
ORDERS = {"get": "RMAO", "put": "AO", "post": "AO", "delete": "A"}
WHO = {
    "orders": ORDERS,
    "customers": ORDERS,
    "runs": ORDERS,
    "order-lines": {"get": "RMAO"},
    "lines": {"get": "RMAO", "post": "A"},
    "categories": {"get": "RMA", "post": "A", "patch": "A", "delete": "A"},
    "defects": {"get": "RMA", "post": "RA", "patch": "RA", "delete": "RA"},
    "contacts": {"get": "RAO", "patch": "A"},
    "messages": {"get": "RA"},
    "help-requests": {"get": "RA", "post": "RA"},
    "files": {"get": "RMA"},
}
"""By the first part of the address and the method; what people said by itself."""


def kind_of(path: str) -> str:
    return "messages" if path.endswith("/messages/") else path.split("/")[3]


@pytest.mark.parametrize("letter", GROUPS)
def test_every_group_may_what_it_may_and_nothing_else(api, letter, settings):
    settings.API_PER_MINUTE = 10_000
    system = api(GROUPS[letter])
    wrong = []
    for path, calls in description["paths"].items():
        kind = kind_of(path)
        number = "HELP-1" if kind == "help-requests" else "DEF-1"
        there = path.format(report=number, number=number, reference="K-1", id=1)
        for method in calls:
            may = letter in WHO[kind].get(method, "")
            status = getattr(system, method)(there, {}).status_code
            # What they may do fails for another reason here: it is not there, or says nothing.
            if status not in ((200, 400, 404) if may else (403,)):
                wrong.append(f"{method} {path}: {status}")
    assert not wrong, "\n".join(wrong)


def test_every_call_is_in_the_table():
    for path, calls in description["paths"].items():
        assert set(calls) <= set(WHO[kind_of(path)]), path
