"""What staff type is cleaned like what people write: of what breaks screens and databases."""

from typing import Any

from django import forms
from django.db import models

from whatsapp_bot.whatsapp_text import clean


class CleanCharField(forms.CharField):
    def to_python(self, value: Any) -> str | None:
        value = super().to_python(value)
        return clean(value, len(value)) if value else value


class CleansText:
    """A page, or rows on one, whose plain texts are cleaned."""

    def formfield_for_dbfield(self, field: models.Field, request: Any, **options: Any) -> Any:
        if type(field) in (models.CharField, models.TextField):
            options.setdefault("form_class", CleanCharField)
        return super().formfield_for_dbfield(field, request, **options)
