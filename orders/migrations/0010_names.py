from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0009_quantities"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="wronglookup",
            options={"verbose_name": "wrong order number"},
        ),
    ]
