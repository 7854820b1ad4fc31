from datetime import timedelta

from django.db import migrations
from django.db.models import F


def keep_for_a_day(apps, schema_editor):
    """What failed or was given up before it was looked at would be kept for ever."""
    kept = apps.get_model("orders", "Import").objects.exclude(file="").filter(expires_at=None)
    kept.update(expires_at=F("created_at") + timedelta(days=1))


class Migration(migrations.Migration):
    dependencies = [("orders", "0013_what_was_before")]

    operations = [migrations.RunPython(keep_for_a_day, migrations.RunPython.noop, elidable=True)]
