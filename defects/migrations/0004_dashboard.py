from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("defects", "0003_export"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="defectreport", name="defect_report_created"),
        migrations.AddIndex(
            model_name="defectreport",
            index=models.Index(
                fields=["created_at", "status", "category", "line", "nonconforming"],
                name="defect_report_created",
            ),
        ),
        migrations.AddIndex(
            model_name="defectreport",
            index=models.Index(
                fields=["acknowledged_at", "created_at"], name="defect_report_acknowledged"
            ),
        ),
        migrations.AddIndex(
            model_name="defectreport",
            index=models.Index(fields=["decided_at", "created_at"], name="defect_report_decided"),
        ),
        migrations.AddIndex(
            model_name="defectreport",
            index=models.Index(fields=["closed_at", "created_at"], name="defect_report_closed"),
        ),
    ]
