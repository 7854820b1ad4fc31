from django.contrib.postgres.indexes import BrinIndex
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("whatsapp_bot", "0007_alarm"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="message",
            index=BrinIndex(fields=["created_at"], name="message_created"),
        ),
    ]
