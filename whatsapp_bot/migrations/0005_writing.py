from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("whatsapp_bot", "0004_reconcile"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="contact",
            options={"permissions": [("write_to_contact", "Can write to people on WhatsApp")]},
        ),
    ]
