from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0007_api_indexes")]

    operations = [
        migrations.AlterModelOptions(
            name="customerlink",
            options={
                "verbose_name": "link to a customer",
                "verbose_name_plural": "links to customers",
            },
        ),
        migrations.AlterModelOptions(
            name="pinnedline",
            options={"verbose_name": "worker's line", "verbose_name_plural": "workers' lines"},
        ),
    ]
