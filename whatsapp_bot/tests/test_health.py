import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder

pytestmark = pytest.mark.django_db


def test_it_is_well(client):
    response = client.get("/health/")
    assert response.status_code == 200
    assert response.json() == {"database": "ok", "migrations": "applied"}


def test_it_misses_a_migration(client):
    MigrationRecorder.Migration.objects.filter(app="defects").delete()
    response = client.get("/health/")
    assert response.status_code == 503
    assert response.json() == {"database": "ok", "migrations": "missing"}


def test_it_cannot_reach_the_database(client, monkeypatch):
    def away(*_, **__):
        raise OperationalError("away")

    monkeypatch.setattr(connection, "cursor", away)
    monkeypatch.setattr(connection, "close", lambda: None)
    response = client.get("/health/")
    assert response.status_code == 503
    assert response.json() == {"database": "unreachable"}
