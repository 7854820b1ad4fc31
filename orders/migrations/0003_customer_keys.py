from django.db import migrations

from orders.models.keys import LONGEST_KEY, order_key


def fill_in(apps, schema_editor):
    """Give each customer its key; of two with one reference, the later one's gets a number."""
    Customer = apps.get_model("orders", "Customer")
    taken = set()
    for customer in Customer.objects.exclude(reference="").order_by("pk").iterator():
        stem, count = customer.reference, 1
        while order_key(customer.reference) in taken:
            count += 1
            suffix = f" ({count})"
            customer.reference = f"{stem[: LONGEST_KEY - len(suffix)]}{suffix}"
        customer.save()
        taken.add(customer.key)


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0002_lines_and_stamps"),
    ]

    operations = [
        migrations.RunPython(fill_in, migrations.RunPython.noop),
    ]
