from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("whatsapp_bot", "0012_language_codes"),
    ]

    operations = [
        migrations.AddField(
            model_name="channel",
            name="worked_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
