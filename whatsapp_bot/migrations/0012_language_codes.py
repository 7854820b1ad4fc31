import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("whatsapp_bot", "0011_fewer_index_entries"),
    ]

    operations = [
        migrations.AlterField(
            model_name="contact",
            name="language",
            field=models.CharField(
                blank=True,
                help_text="A code such as en or de, or with a country: en-za. Empty: the usual one.",
                max_length=10,
                validators=[
                    django.core.validators.RegexValidator(
                        "^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*\\Z",
                        "This is no code of a language, such as en or en-za.",
                    )
                ],
            ),
        ),
    ]
