from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("defects", "0010_thanks_of_versions"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="change",
            options={
                "ordering": ["-at", "-pk"],
                "verbose_name": "change of a report",
                "verbose_name_plural": "changes of reports",
            },
        ),
    ]
