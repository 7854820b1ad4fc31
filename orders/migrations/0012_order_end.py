from django.db import migrations, models

import orders.models.keys


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0011_line_ends"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="order",
            index=models.Index(orders.models.keys.LastFour("key"), name="order_end"),
        ),
    ]
