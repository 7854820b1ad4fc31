from collections.abc import Iterator
from datetime import datetime
from itertools import groupby, islice, pairwise
from operator import attrgetter
from typing import Any

import django.db.models.deletion
from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations, models
from django.utils import timezone
from django.utils.formats import date_format

OF = ["defectreport", "disposition", "correctiveaction"]
CALLED_BY = {"user": "username", "order": "number", "defectreport": "number", "reportform": "title"}
AT_ONCE = 1000


def take_from_histories(apps: Apps, schema_editor: Any) -> None:
    """What was changed before changes were kept one by one."""
    Change = apps.get_model("defects", "Change")
    for of in OF:
        changes = (Change(of=of, **values) for values in _changes(apps, of))
        while batch := list(islice(changes, AT_ONCE)):
            Change.objects.bulk_create(batch)


def _changes(apps: Apps, of: str) -> Iterator[dict[str, Any]]:
    rows = apps.get_model("defects", f"historical{of}").objects.order_by("id", "history_id")
    rows = rows.select_related("history_user").iterator(AT_ONCE)
    numbers = apps.get_model("defects", "DefectReport").objects
    own = [field.name for field in apps.get_model("defects", of)._meta.fields if _is_told(field)]
    for _, group in groupby(rows, attrgetter("id")):
        history = list(group)
        fields = [field for field in history[0]._meta.fields if field.name in own]
        is_report = of == "defectreport"
        report_id = history[0].id if is_report else history[0].report_id
        about = {
            "report_id": report_id,
            "number": numbers.filter(pk=report_id).values_list("number", flat=True).first()
            or getattr(history[-1], "number", "–"),
            "part": "" if is_report else _part(history[-1]),
        }
        for row in history:
            if row.history_type == "-" or (row.history_type == "+" and not is_report):
                place = "before" if row.history_type == "-" else "after"
                name = about["number"] if is_report else _part(row)
                yield {**about, **_who(row), place: name}
        for older, newer in pairwise(history):
            for field in fields:
                before, after = (getattr(row, field.attname) for row in (older, newer))
                if before != after and newer.history_type == "~":
                    yield {
                        **about,
                        **_who(newer),
                        "field": field.name,
                        "before": _in_words(field, before),
                        "after": _in_words(field, after),
                    }


def _is_told(field: models.Field) -> bool:
    return not field.primary_key and (field.editable or field.is_relation)


def _part(row: Any) -> str:
    if hasattr(row, "quantity"):
        return f"{row.get_kind_display()}: {row.quantity}"
    return row.what[:60]


def _who(row: Any) -> dict[str, Any]:
    who = row.history_user.username if row.history_user else ""
    return {"at": row.history_date, "by": row.history_user, "who": who, "door": row.door}


def _in_words(field: models.Field, value: Any) -> str:
    if value in (None, ""):
        return ""
    if field.is_relation:
        called = CALLED_BY.get(field.related_model._meta.model_name, "name")
        found = field.related_model._base_manager.filter(pk=value)
        return found.values_list(called, flat=True).first() or f"one that is gone ({value})"
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(value, datetime):
        return date_format(timezone.localtime(value), "j M Y, H:i")
    return str(value)


class Migration(migrations.Migration):
    dependencies = [
        ("defects", "0004_dashboard"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Change",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(db_index=True, max_length=32, verbose_name="report")),
                ("at", models.DateTimeField()),
                ("who", models.CharField(blank=True, max_length=150, verbose_name="by")),
                (
                    "door",
                    models.CharField(
                        choices=[
                            ("admin", "admin"),
                            ("whatsapp", "WhatsApp"),
                            ("api", "API"),
                            ("command", "command or background work"),
                        ],
                        max_length=10,
                        verbose_name="through",
                    ),
                ),
                (
                    "of",
                    models.CharField(
                        choices=[
                            ("defectreport", "report"),
                            ("disposition", "disposition"),
                            ("correctiveaction", "corrective action"),
                        ],
                        max_length=20,
                    ),
                ),
                ("part", models.CharField(blank=True, max_length=100)),
                ("field", models.CharField(blank=True, max_length=50)),
                ("before", models.TextField(blank=True, verbose_name="from")),
                ("after", models.TextField(blank=True, verbose_name="to")),
                (
                    "by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "report",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="defects.defectreport",
                    ),
                ),
            ],
            options={
                "ordering": ["-at", "-pk"],
                "indexes": [
                    models.Index(fields=["-at", "-id"], name="change_at"),
                    models.Index(fields=["report", "-at", "-id"], name="change_report"),
                    models.Index(fields=["by", "-at", "-id"], name="change_by"),
                    models.Index(fields=["door", "-at", "-id"], name="change_door"),
                    models.Index(fields=["of", "field", "-at", "-id"], name="change_field"),
                ],
            },
        ),
        migrations.RunPython(take_from_histories, migrations.RunPython.noop, elidable=True),
    ]
