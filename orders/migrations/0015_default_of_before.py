from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0014_files_of_failed_imports"),
    ]

    operations = [
        migrations.AlterField(
            model_name="import",
            name="before",
            field=models.FileField(blank=True, db_default="", default="", editable=False),
        ),
    ]
