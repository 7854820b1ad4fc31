from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import models


def of_staff(
    on_delete: Callable[..., None] = models.SET_NULL, *, related_name: str = "+", **options: Any
) -> models.ForeignKey:
    """A column for somebody of the staff, which may be empty."""
    return models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete,
        null=True,
        blank=True,
        related_name=related_name,
        **options,
    )
