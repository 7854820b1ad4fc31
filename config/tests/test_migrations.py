"""Between `migrate` and the restart the version before goes on writing rows."""

from django.apps import apps
from django.db.migrations import AddField, CreateModel, Migration
from django.db.migrations.loader import MigrationLoader

OURS = {"config", "defects", "orders", "whatsapp_bot"}
BEFORE_THAT_WAS_THE_RULE = {
    ("defects", "0002_review"),
    ("defects", "0007_updated_at"),
    ("orders", "0002_lines_and_stamps"),
    ("orders", "0004_linking"),
    ("whatsapp_bot", "0002_sending"),
    ("whatsapp_bot", "0003_media"),
}


def test_who_does_not_know_of_a_column_can_write_all_the_same():
    loader = MigrationLoader(None)
    models = loader.project_state().models
    refused = [
        f"{app} {name}: {model}.{column}"
        for (app, name), migration in loader.disk_migrations.items()
        if is_ours(app) and (app, name) not in BEFORE_THAT_WAS_THE_RULE
        for model, column in added(migration)
        # A later migration may have mended it, or dropped it.
        if (of_model := models.get((app, model)))
        and (field := of_model.fields.get(column))
        and not (field.null or field.has_db_default() or field.many_to_many)
    ]
    assert refused == []


def is_ours(app: str) -> bool:
    return apps.get_app_config(app).name.split(".")[0] in OURS


def added(migration: Migration) -> list[tuple[str, str]]:
    """The columns that it adds to tables which are there, each with its model."""
    new = {made.name_lower for made in migration.operations if isinstance(made, CreateModel)}
    return [
        (add.model_name_lower, add.name)
        for add in migration.operations
        if isinstance(add, AddField) and add.model_name_lower not in new
    ]
