from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("defects", "0013_dashboard_by_product"),
    ]

    operations = [
        migrations.AlterField(
            model_name="export",
            name="filters",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.AlterField(
            model_name="formversion",
            name="thanks",
            field=models.CharField(blank=True, db_default="", default="", max_length=500),
        ),
    ]
