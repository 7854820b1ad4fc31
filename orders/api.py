"""Orders, customers and production, for other systems."""

from typing import Any

from rest_framework import serializers

from orders.models import Order


class OrderNumber(serializers.SlugRelatedField):
    """An order by its number, whose case, spaces and dashes do not count."""

    default_error_messages = {"does_not_exist": "There is no order {value}."}

    def __init__(self, **options: Any) -> None:
        if not options.get("read_only"):
            options.setdefault("queryset", Order.objects.all())
        super().__init__(slug_field="number", **options)

    def to_internal_value(self, data: Any) -> Order:
        found = Order.objects.numbered(data).first() if isinstance(data, str) else None
        if not found:
            self.fail("does_not_exist", value=data)
        return found
