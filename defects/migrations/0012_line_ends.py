from django.db import migrations
from django.db.models import F, Value
from django.db.models.functions import Replace

CRLF, LF = "\r\n", "\n"
TYPED = [("DefectReport", "containment"), ("DefectReport", "cause"), ("Question", "choices")]


def end_lines_as_they_are_stored_now(apps, schema_editor):
    """Browsers end lines otherwise: at the next save they would count as changed."""
    for model, field in TYPED:
        rows = apps.get_model("defects", model).objects.filter(**{f"{field}__contains": CRLF})
        rows.update(**{field: Replace(F(field), Value(CRLF), Value(LF))})
    for version in apps.get_model("defects", "FormVersion").objects.iterator():
        asked = [
            {**question, "choices": question.get("choices", "").replace(CRLF, LF)}
            for question in version.questions
        ]
        if asked != version.questions:
            version.questions = asked
            version.save(update_fields=["questions"])


class Migration(migrations.Migration):
    dependencies = [("defects", "0011_names")]

    operations = [
        migrations.RunPython(
            end_lines_as_they_are_stored_now, migrations.RunPython.noop, elidable=True
        ),
    ]
