from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("whatsapp_bot", "0014_mail_of_alarms"),
    ]

    operations = [
        migrations.AlterField(
            model_name="message",
            name="priority",
            field=models.PositiveSmallIntegerField(
                choices=[(0, "reply"), (1, "notice")], default=0
            ),
        ),
    ]
