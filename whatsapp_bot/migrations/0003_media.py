import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("whatsapp_bot", "0002_sending"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="media",
            options={"verbose_name": "file"},
        ),
        migrations.RenameField(
            model_name="media",
            old_name="content_type",
            new_name="said_type",
        ),
        migrations.AlterField(
            model_name="media",
            name="said_type",
            field=models.CharField(blank=True, max_length=100, verbose_name="kind, as Twilio says"),
        ),
        migrations.AddField(
            model_name="media",
            name="status",
            field=models.CharField(
                choices=[
                    ("waiting", "being fetched"),
                    ("stored", "stored"),
                    ("missing", "could not be had"),
                    ("refused", "refused"),
                ],
                default="waiting",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="media",
            name="why",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="media",
            name="content_type",
            field=models.CharField(blank=True, max_length=100, verbose_name="kind"),
        ),
        migrations.AddField(
            model_name="media",
            name="size",
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name="size in bytes"),
        ),
        migrations.AddField(
            model_name="media",
            name="file",
            field=models.FileField(blank=True, upload_to=""),
        ),
        migrations.AddField(
            model_name="media",
            name="thumbnail",
            field=models.FileField(blank=True, upload_to=""),
        ),
        migrations.AddField(
            model_name="media",
            name="attempts",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="media",
            name="try_at",
            # What is there already is fetched as soon as a worker runs.
            field=models.DateTimeField(
                blank=True,
                default=django.utils.timezone.now,
                null=True,
                verbose_name="next try",
            ),
        ),
        migrations.AddField(
            model_name="media",
            name="fetched_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="media",
            name="deleted_at_twilio",
            field=models.DateTimeField(blank=True, null=True, verbose_name="deleted at Twilio"),
        ),
        migrations.AddIndex(
            model_name="media",
            index=models.Index(
                condition=models.Q(("try_at__isnull", False)),
                fields=["try_at", "id"],
                name="media_due",
            ),
        ),
    ]
