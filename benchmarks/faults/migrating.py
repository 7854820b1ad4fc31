"""Columns are added and dropped while the version that does not know them is at work."""

import time
from typing import TYPE_CHECKING

from django.db import connection, models

from benchmarks.faults.product import Product
from benchmarks.faults.reckoning import reckon, some
from benchmarks.faults.traffic import Traffic
from defects.models import DefectReport
from whatsapp_bot.models import Contact, Conversation, Message

if TYPE_CHECKING:
    from benchmarks.faults.__main__ import Run

TABLES = (Message, Conversation, Contact, DefectReport)
EVERY = 0.5


def run(run: "Run") -> list[str]:
    rounds = 20 if run.long else 3
    took = []
    with Product(run.folder) as product, Traffic(product.twilio) as traffic:
        for number in range(rounds):
            columns = [column for table in TABLES for column in new_columns(table, number)]
            for column in columns:
                time.sleep(EVERY)
                took.append(change("add_field", column))
            for column in columns:
                time.sleep(EVERY)
                took.append(change("remove_field", column))
        time.sleep(EVERY)
    failed = [one for told in traffic.told for one in told.tries if not one.is_good]
    print(
        f"  {len(took)} columns added or dropped, each within {max(took):.2f} s; "
        f"{len(traffic.told)} messages in {traffic.took:.0f} s, {len(failed)} error answers, "
        f"the longest wait for an answer: {max(one.waited for one in traffic.told):.2f} s"
    )
    return [
        *reckon(traffic),
        *some((one.status or "no answer" for one in failed), "answers were errors"),
    ]


def new_columns(table: type[models.Model], number: int) -> list[models.Field]:
    """One that may be empty, and one that the database fills: who writes knows of neither."""
    columns = [
        models.CharField(max_length=20, null=True),
        models.CharField(max_length=20, db_default=""),
    ]
    for kind, column in enumerate(columns):
        column.set_attributes_from_name(f"added_{number}_{kind}")
        column.model = table
    return columns


def change(what: str, column: models.Field) -> float:
    """As a migration does it; the seconds it took."""
    began = time.monotonic()
    with connection.schema_editor(atomic=True) as editor:
        getattr(editor, what)(column.model, column)
    return time.monotonic() - began
