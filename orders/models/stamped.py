from collections.abc import Iterable
from typing import Any, TypeVar

from django.db import models
from django.utils import timezone

from orders.models.keys import KeyField

M = TypeVar("M", bound=models.Model)


class StampedQuerySet(models.QuerySet[M]):
    """Rows that know when they were last changed, also when many are changed at once."""

    def update(self, **values: Any) -> int:
        return super().update(**{"updated_at": timezone.now(), **values})

    def bulk_create(
        self, objs: Iterable[M], *args: Any, update_fields: Iterable[str] | None = None, **how: Any
    ) -> list[M]:
        if update_fields:
            update_fields = _with_what_follows(self.model, update_fields)
        return super().bulk_create(objs, *args, update_fields=update_fields, **how)


class Stamped(models.Model):
    """What other systems ask for as `changed since`."""

    created_at = models.DateTimeField(editable=False, default=timezone.now)
    updated_at = models.DateTimeField("changed at", editable=False, auto_now=True)

    objects = StampedQuerySet.as_manager()

    class Meta:
        abstract = True
        # A row whose foreign key is set to NULL by a delete has changed too.
        base_manager_name = "objects"

    def save(self, *, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        if update_fields:
            update_fields = _with_what_follows(type(self), update_fields)
        super().save(update_fields=update_fields, **options)


def _with_what_follows(model: type[models.Model], names: Iterable[str]) -> set[str]:
    """These fields, and those that change with them."""
    names = set(names)
    keys = [one for one in model._meta.fields if isinstance(one, KeyField)]
    return {*names, "updated_at", *(key.name for key in keys if key.of in names)}
