"""What the API says and refuses, whatever it is asked for."""

import json
from io import BytesIO

import pytest
import time_machine
from django.core.cache import cache
from django.core.signals import request_started
from django.db import OperationalError, close_old_connections
from django.test import RequestFactory
from django.utils import timezone
from rest_framework.test import APIClient

from config.api.authentication import StrangerThrottle
from config.wsgi import application
from defects.models import DefectCategory, DefectReport, Note
from orders.models import Customer
from whatsapp_bot.models import Contact

pytestmark = pytest.mark.django_db
CATEGORIES = "/api/v1/categories/"
REPORTS = "/api/v1/defects/"


@pytest.fixture
def everything(api):
    return api(is_superuser=True)


@pytest.fixture
def serving():
    """Called as a server calls it, and with the test's own connection to the database."""
    request_started.disconnect(close_old_connections)
    yield application
    request_started.connect(close_old_connections)


def problem(response, status: int) -> dict:
    """What the API says is wrong."""
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    told = json.loads(response.content)
    assert told["status"] == status
    assert told["title"]
    return told


# Strangers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["", "v1/", "v1/nowhere/", "v1/categories", "v1/categories/", "v1/defects/DEF-1/", "schema/"],
)
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "options"])
def test_strangers_learn_nothing(method, path):
    response = getattr(APIClient(), method)(f"/api/{path}")
    assert problem(response, 401)["detail"] == (
        "Please send a token, as in: Authorization: Bearer andon_…"
    )
    assert response["WWW-Authenticate"] == "Bearer"


def test_a_session_is_no_token(admin_client):
    problem(admin_client.get(CATEGORIES), 401)


@pytest.mark.parametrize(
    "said",
    [
        "Bearer",
        "Bearer a b",
        "Bearer andon_",
        "Bearer andon_" + "0" * 64,
        "Bearer \xff",
        "Bearer \0",
        "Token x",
        "Basic eDp5",
    ],
)
def test_wrong_tokens(said):
    problem(APIClient().get(CATEGORIES, HTTP_AUTHORIZATION=said), 401)


# Addresses ---------------------------------------------------------------------------------------


def test_an_address_that_leads_nowhere(everything):
    assert "nothing at this address" in problem(everything.get("/api/v1/nowhere/"), 404)["detail"]
    assert "end in a slash" in problem(everything.post("/api/v1/categories"), 404)["detail"]
    problem(everything.get(f"{REPORTS}DEF-1/"), 404)
    problem(everything.get(f"{CATEGORIES}{'9' * 30}/"), 404)


@pytest.mark.parametrize("path", ["?status=%00", "?%00=1", "DEF-%00/", "?cursor=%00"])
def test_nul_in_an_address(everything, path):
    assert "character" in problem(everything.get(REPORTS + path), 400)["detail"]


def test_a_filter_that_there_is_not(everything):
    (error,) = problem(everything.get(f"{REPORTS}?statsu=reported"), 400)["errors"]
    assert error["parameter"] == "statsu"
    assert "status" in error["detail"]
    (error,) = problem(everything.get(f"{REPORTS}?status=odd"), 400)["errors"]
    assert error["parameter"] == "status"
    problem(everything.get(f"{REPORTS}?updated_since=yesterday"), 400)
    (error,) = problem(everything.get(f"{REPORTS}?updated_since="), 400)["errors"]
    assert "nothing to filter by" in error["detail"]
    problem(everything.get(f"{REPORTS}?" + "&".join(f"a{n}=1" for n in range(2000))), 400)


def test_one_value_of_two_is_not_dropped(everything):
    for name, one, other in (
        ("assignee", "anna", "ben"),
        ("updated_since", "2027-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("page_size", "1", "2"),
        ("cursor", "a", "b"),
    ):
        (error,) = problem(everything.get(f"{REPORTS}?{name}={one}&{name}={other}"), 400)["errors"]
        assert error == {"parameter": name, "detail": "It is there twice, and takes one value."}
        if name != "cursor":
            assert everything.get(f"{REPORTS}?{name}={one}&{name}={one}").status_code == 200
    assert everything.get(f"{REPORTS}?status=reported&status=closed").status_code == 200


@pytest.fixture
def a_little_of_all():
    DefectCategory.objects.create(pk=1, name="Scratch")
    Customer.objects.create(reference="K-100", name="Acme")
    person = Contact.objects.create(pk=1, phone="+27820000001")
    DefectReport.objects.create(number="DEF-1", reported_by=person, description="Scratch")


@pytest.mark.parametrize("name", ["dry_run", "page_size", "name"])
@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        ("get", "customers/K-100/", None),
        ("put", "customers/K-100/", {"name": "Other"}),
        ("delete", "customers/K-100/", None),
        ("post", "customers/bulk/", {"rows": [{"reference": "K-101", "name": "Other"}]}),
        ("post", "categories/", {"name": "Other"}),
        ("patch", "categories/1/", {"name": "Other"}),
        ("post", "defects/DEF-1/notes/", {"text": "Other"}),
        ("post", "defects/DEF-1/acknowledge/", None),
        ("get", "defects/DEF-1/photos/", None),
        ("get", "files/1/small/", None),
    ],
)
def test_what_is_no_list_is_not_done_with_a_parameter(
    everything, a_little_of_all, method, path, said, name
):
    def stored():
        models = (DefectCategory, Customer, DefectReport, Note)
        return [list(model.objects.values()) for model in models]

    before = stored()
    response = getattr(everything, method)(f"/api/v1/{path}?{name}=1", said)
    (error,) = problem(response, 400)["errors"]
    assert error == {"parameter": name, "detail": "Not a filter. There are none here."}
    assert stored() == before


def test_what_else_is_wrong_is_said_first(everything, api, a_little_of_all):
    problem(APIClient().delete(f"{CATEGORIES}1/?dry_run=1"), 401)
    problem(api(name="nobody").delete(f"{CATEGORIES}1/?dry_run=1"), 403)
    problem(everything.patch(f"{CATEGORIES}?dry_run=1"), 405)


def test_a_list_below_somebody_has_pages(everything, a_little_of_all):
    assert everything.get("/api/v1/contacts/1/messages/?page_size=1").json()["results"] == []


@pytest.mark.parametrize("charset", ["utf-16", "hex", "rot13", "undefined", "no-such"])
def test_a_charset_changes_nothing(everything, serving, charset):
    body = '{"name": "Gép"}'.encode()
    about = {
        "wsgi.input": BytesIO(body),
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": f"application/json; charset={charset}",
        "HTTP_AUTHORIZATION": f"Bearer {everything.secret}",
    }
    environ = {**RequestFactory()._base_environ(), **about}
    answers = []
    for path, method, query in (
        (CATEGORIES, "POST", ""),
        (CATEGORIES, "GET", "a=%C3%A9"),
        ("/whatsapp/webhook/", "POST", "a=%C3%A9"),
        ("/", "GET", "a=%C3%A9"),
    ):
        where = {"PATH_INFO": path, "REQUEST_METHOD": method, "QUERY_STRING": query}
        serving({**environ, **where}, lambda status, headers: answers.append(status[:3]))
    assert answers == ["201", "400", "415", "302"]
    assert DefectCategory.objects.get().name == "Gép"


# Bodies ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("", "required"),
        ("{", "not JSON"),
        ("[]", "dictionary"),
        ("null", "No data"),
        ('"text"', "dictionary"),
        ('{"name": NaN}', "not JSON"),
        ('{"name": "Gap", "name": "Dent"}', '"name" is twice'),
        (b'{"name": "\xff"}', "not JSON"),
        ('{"name": "a\\u0000b"}', "character"),
        ('{"name": "\\ud800"}', "character"),
        ('{"na\\u0000me": "x"}', "character"),
        ('{"name": "Gap", "position": 1' + "0" * 5000 + "}", "JSON"),
        ('{"name": "Gap", "position": 9223372036854775808}', "less than or equal"),
        ('{"name": "Gap", "position": 1e999}', "whole number"),
        ('{"name": "Gap", "is_active": "perhaps"}', "true or false"),
        ('{"name": "Gap", "colour": "red"}', "no such field"),
        ('{"name": {"a": 1}}', "in quotes"),
        ("[" * 5000 + "]" * 5000, "too deep"),
        ('{"name":' * 5000 + "1" + "}" * 5000, "too deep"),
        ('{"name":' + "[" * 30 + "]" * 30 + "}", "too deep"),
    ],
)
def test_bodies_that_are_refused(everything, body, why):
    response = everything.post(CATEGORIES, body, content_type="application/json")
    assert why in str(problem(response, 400))
    assert not DefectCategory.objects.exists()


def test_texts_are_clean(everything):
    said = {"name": " Gap\u202e\r\n\x07 here "}
    assert everything.post(CATEGORIES, said).json()["name"] == "Gap\n here"


def test_what_is_wrong_is_named(everything):
    (first, second) = problem(everything.post(CATEGORIES, {"position": -1}), 400)["errors"]
    assert {first["pointer"], second["pointer"]} == {"#/name", "#/position"}


def test_more_than_fits(everything, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    problem(everything.post(CATEGORIES, {"name": "x" * 1000}), 413)


def test_a_body_that_does_not_say_how_long_it_is(everything, serving):
    """Django takes it for none at all."""
    about = {
        "wsgi.input": BytesIO(b'{"name": "Gap"}'),
        "wsgi.input_terminated": True,
        "HTTP_TRANSFER_ENCODING": "chunked",
        "CONTENT_TYPE": "application/json",
        "HTTP_AUTHORIZATION": f"Bearer {everything.secret}",
        "PATH_INFO": CATEGORIES,
        "REQUEST_METHOD": "POST",
    }
    environ = {**RequestFactory()._base_environ(), **about}
    answers = []
    (told,) = serving(environ, lambda status, headers: answers.append(status[:3]))
    assert answers == ["411"]
    assert "Content-Length" in json.loads(told)["detail"]


def test_other_formats(everything):
    problem(everything.post(CATEGORIES, "name=Gap", content_type="text/plain"), 415)
    problem(everything.get(CATEGORIES, HTTP_ACCEPT="text/html"), 406)
    problem(everything.put(CATEGORIES, {}), 405)


# Faults ------------------------------------------------------------------------------------------


def test_what_others_refer_to_stays(everything, phone):
    category = DefectCategory.objects.create(name="Gap")
    contact = Contact.objects.create(phone=phone.address)
    DefectReport.objects.file(reported_by=contact, description="x", category=category)
    assert problem(everything.delete(f"{CATEGORIES}{category.pk}/"), 409)["type"].endswith("in-use")


def test_the_database_is_away(everything, monkeypatch):
    def gone(*_, **__):
        raise OperationalError("server closed the connection")

    monkeypatch.setattr("config.api.paging.KeysetPagination.paginate_queryset", gone)
    response = everything.get(CATEGORIES)
    assert "database" in problem(response, 503)["detail"]
    assert response["Retry-After"] == "10"


def test_a_fault_of_ours_is_a_problem_too(everything, monkeypatch):
    monkeypatch.setattr("config.api.paging.KeysetPagination.paginate_queryset", lambda: None)
    assert "detail" not in problem(everything.get(CATEGORIES), 500)


# Limits ------------------------------------------------------------------------------------------


@pytest.fixture
def a_moment(everything):
    """Within a minute, which does not end meanwhile."""
    within = timezone.now().replace(second=48, microsecond=0)
    with time_machine.travel(within, tick=False) as moment:
        yield moment


def test_a_token_may_ask_so_often(everything, settings, a_moment):
    settings.API_PER_MINUTE = 2
    assert [everything.get(CATEGORIES).status_code for _ in range(3)] == [200, 200, 429]
    response = everything.get(CATEGORIES)
    assert "Request was throttled" in problem(response, 429)["detail"]
    assert int(response["Retry-After"]) == 12
    a_moment.shift(12)
    assert [everything.get(CATEGORIES).status_code for _ in range(3)] == [200, 200, 429]


def test_what_another_worker_counts_meanwhile_is_not_forgotten(settings, a_moment):
    settings.API_WRONG_TOKENS_PER_MINUTE = 2
    request = RequestFactory().get("/")
    others = [StrangerThrottle()]

    class Shared:
        """The cache, of which another worker makes use right after we did."""

        def __getattr__(self, name):
            def use(*about):
                found = getattr(cache, name)(*about)
                if others:
                    assert others.pop().allow_request(request, None)
                return found

            return use

    ours = StrangerThrottle()
    ours.cache = Shared()
    assert ours.allow_request(request, None)
    assert not StrangerThrottle().allow_request(request, None)


def test_an_address_may_guess_so_often(everything, settings, a_moment):
    settings.API_WRONG_TOKENS_PER_MINUTE = 2
    stranger = APIClient(HTTP_AUTHORIZATION="Bearer wrong")
    assert [stranger.get(CATEGORIES).status_code for _ in range(3)] == [401, 401, 429]
    problem(stranger.get("/api/nowhere/"), 429)
    problem(APIClient().get(CATEGORIES), 401)
    assert everything.get(CATEGORIES).status_code == 200
    assert stranger.get(CATEGORIES, REMOTE_ADDR="10.0.0.9").status_code == 401


# Pages -------------------------------------------------------------------------------------------


def pages(client, path):
    """Page by page, as `next` leads."""
    while path:
        page = client.get(path).json()
        yield page["results"]
        path = page["next"]


def test_pages_follow_each_other(everything):
    for n in range(5):
        DefectCategory.objects.create(name=f"{n}", position=n // 3)
    found = list(pages(everything, f"{CATEGORIES}?page_size=2&is_active=true"))
    assert [[row["name"] for row in page] for page in found] == [["0", "1"], ["2", "3"], ["4"]]


def test_thousands_that_changed_in_the_same_moment(everything, phone):
    contact = Contact.objects.create(phone=phone.address)
    one = DefectReport(reported_by=contact, description="x", updated_at=contact.created_at)
    rows = [DefectReport(**{**_values(one), "number": f"DEF-{n}"}) for n in range(1300)]
    DefectReport.objects.bulk_create(rows)
    found = [
        row["number"] for page in pages(everything, f"{REPORTS}?page_size=500") for row in page
    ]
    assert found == [f"DEF-{n}" for n in range(1300)]


def _values(report):
    return {"reported_by": report.reported_by, "description": "x", "updated_at": report.updated_at}


@pytest.mark.parametrize("size", ["0", "501", "-1", "x", "", "9" * 5000, "٣"])
def test_sizes_of_pages(everything, size):
    (error,) = problem(everything.get(CATEGORIES, {"page_size": size}), 400)["errors"]
    assert error["parameter"] == "page_size"


@pytest.mark.parametrize(
    "cursor",
    ["x", "W10", "bnVsbA", "e30", "WyIxIl0", "WyJhIiwiYiJd", "\xff", "[" * 3000, "=", "WzEsW11d"],
)
def test_cursors_that_somebody_made_up(everything, cursor):
    problem(everything.get(CATEGORIES, {"cursor": cursor}), 400)
    (error,) = problem(everything.get(REPORTS, {"cursor": cursor}), 400)["errors"]
    assert error["parameter"] == "cursor"
