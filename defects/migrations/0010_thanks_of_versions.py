from django.db import migrations, models


def as_they_were_said(apps, schema_editor):
    """Until now the thanks of a form were those of each of its versions."""
    for form in apps.get_model("defects", "ReportForm").objects.exclude(thanks=""):
        apps.get_model("defects", "FormVersion").objects.filter(form=form).update(
            thanks=form.thanks
        )


class Migration(migrations.Migration):
    dependencies = [
        ("defects", "0009_export_filters"),
    ]

    operations = [
        migrations.AddField(
            model_name="formversion",
            name="thanks",
            field=models.CharField(blank=True, max_length=500),
        ),
        migrations.AlterField(
            model_name="reportform",
            name="title",
            field=models.CharField(
                help_text="For staff, and on menus that it is put on from now on.", max_length=80
            ),
        ),
        migrations.RunPython(as_they_were_said, migrations.RunPython.noop, elidable=True),
    ]
