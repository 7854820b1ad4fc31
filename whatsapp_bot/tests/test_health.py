import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder

from config.straight import Application
from whatsapp_bot.migrated import needed_migrations

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


def test_a_version_that_is_installed_meanwhile_is_for_the_next_start(
    client, monkeypatch, tmp_path, settings
):
    needed_migrations.cache_clear()
    Application()
    (tmp_path / "of_tomorrow").mkdir()
    (tmp_path / "of_tomorrow/__init__.py").touch()
    (tmp_path / "of_tomorrow/0001_new.py").write_text("import a_package_of_tomorrow")
    monkeypatch.syspath_prepend(tmp_path)
    settings.MIGRATION_MODULES = {**settings.MIGRATION_MODULES, "orders": "of_tomorrow"}
    assert client.get("/health/").status_code == 200


def test_it_cannot_reach_the_database(client, monkeypatch):
    def away(*_, **__):
        raise OperationalError("away")

    monkeypatch.setattr(connection, "cursor", away)
    monkeypatch.setattr(connection, "close", lambda: None)
    response = client.get("/health/")
    assert response.status_code == 503
    assert response.json() == {"database": "unreachable"}
