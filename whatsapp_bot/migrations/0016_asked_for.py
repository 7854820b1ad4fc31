from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("whatsapp_bot", "0015_no_bulk"),
    ]

    operations = [
        migrations.AddField(
            model_name="media",
            name="asked_for",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
    ]
