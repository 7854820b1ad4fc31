from urllib.parse import parse_qsl

from django.db import migrations, models


def said_by_parameters(apps, schema_editor):
    """Of exports that were made before: what was asked for, since no list is there to say it."""
    exports = apps.get_model("defects", "Export").objects.exclude(query="")
    for export in exports.iterator():
        asked = parse_qsl(export.query, keep_blank_values=True)
        export.filters = "; ".join(f"{name}: {value}" for name, value in asked)
        export.save(update_fields=["filters"])


class Migration(migrations.Migration):
    dependencies = [
        ("defects", "0008_fewer_index_entries"),
    ]

    operations = [
        migrations.AlterField(
            model_name="export",
            name="query",
            field=models.CharField(blank=True, max_length=4000),
        ),
        migrations.AddField(
            model_name="export",
            name="filters",
            field=models.TextField(blank=True, default=""),
            preserve_default=False,
        ),
        migrations.RunPython(said_by_parameters, migrations.RunPython.noop, elidable=True),
    ]
