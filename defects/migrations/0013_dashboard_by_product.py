from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("defects", "0012_line_ends")]

    operations = [
        migrations.RemoveIndex(model_name="defectreport", name="defect_report_created"),
        migrations.AddIndex(
            model_name="defectreport",
            index=models.Index(
                fields=["created_at", "status", "category", "line", "nonconforming", "order"],
                name="defect_report_created",
            ),
        ),
    ]
