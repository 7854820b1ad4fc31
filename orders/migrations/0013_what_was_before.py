from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0012_order_end")]

    operations = [
        migrations.RemoveIndex(model_name="import", name="import_to_delete"),
        migrations.AddField(
            model_name="import",
            name="before",
            field=models.FileField(blank=True, editable=False),
        ),
        migrations.AddIndex(
            model_name="import",
            index=models.Index(
                fields=["expires_at"],
                name="import_to_delete",
                condition=~models.Q(file="", wrong_rows="", before=""),
            ),
        ),
    ]
