"""From one database to another, as docs/production.md has it: from SQLite to PostgreSQL."""

from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.management.color import no_style
from django.core.management.sql import sql_flush
from django.db import connection, transaction
from django.db.models import Model

from defects.management import past


def everything() -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables; those that only join two others may have new keys."""
    return {model._meta.label: rows(model) for model in apps.get_models(include_auto_created=True)}


def rows(model: type[Model]) -> list[dict[str, Any]]:
    fields = [field.attname for field in model._meta.concrete_fields]
    if model._meta.auto_created:
        fields.remove("id")
    return list(model._base_manager.order_by(*fields).values(*fields))


@pytest.mark.django_db(transaction=True)
def test_all_rows_arrive_as_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(past, "DAYS", 10)  # rows of every kind, and no more of each than that
    call_command("demo", anyway=True, verbosity=0)
    before = everything()
    file = tmp_path / "all.xml"
    call_command("dumpdata", format="xml", exclude=["sessions"], output=str(file))
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in sql_flush(no_style(), connection):
            cursor.execute(statement)
    call_command("loaddata", file, verbosity=0)
    after = everything()
    assert after["whatsapp_bot.Message"]
    assert [name for name in after if after[name] != before[name]] == []
