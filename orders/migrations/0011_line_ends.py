from django.db import migrations
from django.db.models import F, Value
from django.db.models.functions import Replace

CRLF, LF = Value("\r\n"), Value("\n")


def end_lines_as_they_are_stored_now(apps, schema_editor):
    """Browsers end lines otherwise: at the next save they would count as changed."""
    orders = apps.get_model("orders", "Order").objects.filter(notes__contains="\r\n")
    orders.update(notes=Replace(F("notes"), CRLF, LF))


class Migration(migrations.Migration):
    dependencies = [("orders", "0010_names")]

    operations = [
        migrations.RunPython(
            end_lines_as_they_are_stored_now, migrations.RunPython.noop, elidable=True
        ),
    ]
