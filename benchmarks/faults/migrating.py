"""Columns are added and dropped while the version that does not know them is at work."""

import time

from django.db import connection
from django.db.migrations import AddField, RemoveField
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import CharField

from benchmarks.faults.product import Product
from benchmarks.faults.reckoning import answered_again, reckon, unbroken
from benchmarks.faults.scenarios import Run
from benchmarks.faults.traffic import Traffic

TABLES = (
    ("whatsapp_bot", "message"),
    ("whatsapp_bot", "conversation"),
    ("whatsapp_bot", "contact"),
    ("defects", "defectreport"),
)
EVERY = 0.5


def run(run: Run) -> list[str]:
    rounds = 20 if run.long else 3
    took = []
    with Product(run.folder) as product, Traffic(product.twilio) as traffic:
        state = MigrationLoader(connection).project_state()
        for number in range(rounds):
            for app, change in changes(number):
                time.sleep(EVERY)
                began = time.monotonic()
                state = migrate(app, change, state)
                took.append(time.monotonic() - began)
        answered = traffic.await_answer()
    print(f"  {len(took)} columns added or dropped, each within {max(took):.2f} s")
    print(traffic.in_words())
    return [*reckon(traffic, failures=()), *answered_again(answered), *unbroken(product)]


def changes(number: int) -> list[tuple[str, Operation]]:
    """Columns that may be empty or that the database fills, since who writes knows of neither.

    First all are added, then all dropped.
    """
    columns = [
        (app, table, f"added_{number}_{kind}", field)
        for app, table in TABLES
        for kind, field in enumerate(
            (CharField(max_length=20, null=True), CharField(max_length=20, db_default=""))
        )
    ]
    added = [(app, AddField(table, name, field)) for app, table, name, field in columns]
    return added + [(app, RemoveField(table, name)) for app, table, name, _ in columns]


def migrate(app: str, change: Operation, before: ProjectState) -> ProjectState:
    """As `manage.py migrate` does it."""
    after = before.clone()
    change.state_forwards(app, after)
    with connection.schema_editor(atomic=True) as editor:
        change.database_forwards(app, editor, before, after)
    return after
