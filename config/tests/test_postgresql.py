"""Connections to PostgreSQL that are gone, or that are of no use."""

from collections.abc import Iterator

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.test import Client, RequestFactory

from config.tests.straight import bring
from config.wsgi import application

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="it is about PostgreSQL"),
]


@pytest.fixture
def options() -> Iterator[dict[str, str]]:
    """Those of the next connections; as the settings have them at first, and afterwards."""
    options = connection.settings_dict["OPTIONS"]
    before = dict(options)
    connection.close()
    yield options
    connection.close()
    options.update(before)


def test_a_server_that_only_reads_is_not_taken_for_ours(options, phone):
    """As after a failover: the one that was the first still answers at our address."""
    settings = options["options"]
    options["options"] = f"{settings} -c default_transaction_read_only=on"
    with pytest.raises(OperationalError):
        connection.ensure_connection()
    assert bring("webhook", phone.parameters("hi"))[0] == 503
    options["options"] = settings
    assert bring("webhook", phone.parameters("hi"))[0] == 200


def test_a_server_that_is_gone_without_a_word_is_asked_for_within_a_minute():
    connection.ensure_connection()
    asked = connection.connection.info.get_parameters()
    idle, interval, count = (
        int(asked[f"keepalives_{name}"]) for name in ("idle", "interval", "count")
    )
    assert idle + interval * count < 60


def test_after_a_restart_of_the_server_no_page_breaks():
    client = Client()
    client.force_login(User.objects.create_superuser("nomsa"))
    assert page(client) == 200
    end_our_connection()
    assert page(client) == 200


def page(client: Client) -> int:
    """The status with which the web server answers the signed in, past Django's test client."""
    said: list = []
    environ = RequestFactory(HTTP_X_FORWARDED_PROTO="https").get("/admin/password_change/").environ
    environ["HTTP_COOKIE"] = client.cookies.output(header="", sep=";")
    response = application(environ, lambda *line: said.extend(line))
    list(response)
    response.close()
    return int(said[0].split()[0])


def end_our_connection() -> None:
    parameters = connection.get_connection_params()
    with psycopg.connect(**{**parameters, "cursor_factory": psycopg.Cursor}) as another:
        ours = connection.connection.info.backend_pid
        another.execute("SELECT pg_terminate_backend(%s, 5000)", [ours])
