from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("defects", "0002_review"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="defectreport",
            index=models.Index(fields=["acknowledged_at"], name="defect_report_acknowledged"),
        ),
        migrations.AddIndex(
            model_name="defectreport",
            index=models.Index(fields=["decided_at"], name="defect_report_decided"),
        ),
        migrations.AddIndex(
            model_name="defectreport",
            index=models.Index(fields=["closed_at"], name="defect_report_closed"),
        ),
    ]
