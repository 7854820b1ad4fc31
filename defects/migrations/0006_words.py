from django.db import migrations

from whatsapp_bot.search import word_index


class Migration(migrations.Migration):
    dependencies = [
        ("defects", "0005_change"),
    ]

    operations = [
        word_index("defect_report_words", "defects_defectreport", "description", "number"),
    ]
