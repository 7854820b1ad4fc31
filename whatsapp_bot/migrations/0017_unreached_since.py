from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("whatsapp_bot", "0016_asked_for"),
    ]

    operations = [
        migrations.AddField(
            model_name="channel",
            name="unreached_since",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
