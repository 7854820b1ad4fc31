from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("whatsapp_bot", "0017_unreached_since"),
    ]

    operations = [
        migrations.AddField(
            model_name="channel",
            name="mail_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
