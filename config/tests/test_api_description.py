"""The API against its own description: what it says of itself is so, whatever it is sent.

make test ARGS="-k as_it_is_described"                           # the same few examples each time
API_EXAMPLES=200 make test ARGS="-k as_it_is_described"          # the long run

docs/api.md has the command for one against a server.
"""

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.signals import request_started
from django.db import close_old_connections
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, settings
from rest_framework.exceptions import ParseError
from rest_framework.test import APIClient
from schemathesis import checks
from schemathesis.specs.openapi import checks as openapi

from config.access.models import Token
from config.api.parsing import cleaned
from config.wsgi import application
from conftest import with_token
from defects.models import DefectReport
from orders.models import Customer, Order, ProductionRun
from whatsapp_bot.models import Contact, HelpRequest
from whatsapp_bot.tests.database import undone

pytestmark = pytest.mark.django_db
CHECKS = [
    checks.not_a_server_error,
    openapi.status_code_conformance,
    openapi.content_type_conformance,
    openapi.response_schema_conformance,
    openapi.negative_data_rejection,
    openapi.unsupported_method,
    openapi.ignored_auth,
]

KINDS = {
    "orders": (Order, "number"),
    "customers": (Customer, "reference"),
    "runs": (ProductionRun, "reference"),
    "contacts": (Contact, "id"),
    "help-requests": (HelpRequest, "number"),
}

description = SchemaGenerator().get_schema(request=None, public=True)
schema = schemathesis.openapi.from_dict(description)
schema.app = application
schema.config.update(base_url="http://testserver")
examples = settings(
    max_examples=int(os.environ.get("API_EXAMPLES", "2")),
    derandomize="API_EXAMPLES" not in os.environ,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def system(shared_rows: Callable[..., Any]) -> Iterator[dict[str, str]]:
    """The headers of a system that may do everything, in a factory where there is something."""
    headers: dict[str, str] = {}

    def make() -> None:
        call_command("demo", "--anyway", verbosity=0)
        user = User.objects.create_user("system", is_staff=True, is_superuser=True)
        later = timezone.now() + timedelta(days=1)
        secret = Token(user=user, made_by=user, name="test", expiry=later).mint()
        headers["Authorization"] = f"Bearer {secret}"

    with shared_rows(make):
        yield headers


def ask_for_what_is_there(case: Any) -> None:
    """Have every other case, if it is as described, be about a row that there is."""
    is_positive = case.meta and case.meta.generation.mode == schemathesis.GenerationMode.POSITIVE
    if not (case.path_parameters and is_positive and len(str(case.body)) % 2 == 0):
        return
    kind, about = case.path.split("/")[3], case.path_parameters
    if kind == "defects":
        report = DefectReport.objects.exclude(actions=None).first() or DefectReport.objects.first()
        about["report" if "report" in about else "number"] = report.number
        if "id" in about:
            rows = report.actions if "actions" in case.path else report.dispositions
            about["id"] = getattr(rows.first(), "pk", 1)
    elif kind in KINDS:
        model, name = KINDS[kind]
        about[name] = getattr(model.objects.first(), name)


def fitting(case: Any) -> list[Callable[..., Any]]:
    """The checks that a case is not for: a text that is too long may fit once it is clean."""
    try:
        is_clean = cleaned(case.body) == case.body
    except ParseError:
        return []
    return [] if is_clean else [openapi.negative_data_rejection]


@pytest.fixture
def whatever_is_asked(settings: Any) -> Iterator[None]:
    """However often, and of whichever host. Set again for each case, they would be ever slower.

    No request closes the connection: its transaction is that of the test.
    """
    settings.API_PER_MINUTE = settings.API_WRONG_TOKENS_PER_MINUTE = 1_000_000
    settings.ALLOWED_HOSTS = ["*"]
    request_started.disconnect(close_old_connections)
    yield
    request_started.connect(close_old_connections)


@schema.parametrize()
@examples
@pytest.mark.usefixtures("whatever_is_asked")
def test_it_answers_as_it_is_described(case: Any, system: dict[str, str]) -> None:
    with undone():
        ask_for_what_is_there(case)
        case.call_and_validate(headers=system, checks=CHECKS, excluded_checks=fitting(case))


def test_it_says_what_is_always_in_an_answer_and_nothing_that_is_for_us_alone() -> None:
    kinds = description["components"]["schemas"]
    assert set(kinds["Order"]["properties"]) - set(kinds["Order"]["required"]) == {"lines"}
    assert set(kinds["Customer"]["properties"]) - set(kinds["Customer"]["required"]) == {"contacts"}
    assert "required" not in kinds["OrderRequest"]
    assert kinds["OrderLineRequest"]["required"] == ["product", "quantity"]
    told = {kind.get("description", "") for kind in kinds.values()}
    assert not [words for words in told if "of_others" in words or "`needed`" in words]


@pytest.mark.parametrize(
    ("method", "path"),
    [(method, path) for path, calls in description["paths"].items() for method in calls],
)
def test_strangers_are_refused_everywhere(method: str, path: str, system: dict[str, str]) -> None:
    report = DefectReport.objects.first().number
    there = path.format(report=report, number=report, reference="K-1", id=1)
    for given in ({}, {"Authorization": "Bearer wrong"}):
        answer = getattr(APIClient(headers=given), method)(there, {})
        assert answer.status_code == 401
        assert answer["Content-Type"] == "application/problem+json"


def test_nobody_without_permissions_gets_further() -> None:
    """Every call of the description, by a user of the staff who may do nothing."""
    client = with_token(User.objects.create_user("nobody", is_staff=True))
    for path, calls in description["paths"].items():
        there = path.format(report="DEF-1", number="DEF-1", reference="K-1", id=1)
        there = there.replace("help-requests/DEF", "help-requests/HELP")
        for method in calls:
            assert getattr(client, method)(there, {}).status_code == 403, f"{method} {path}"
