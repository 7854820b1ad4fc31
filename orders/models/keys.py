import re
import unicodedata
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

LONGEST_KEY = 60
SHORTEST_IN_WORDS = 4
"""A shorter number among words says how many, and not which."""
_DASHES = r"\-\u2010-\u2015\u2212\ufe58\ufe63\uff0d"
_IGNORED = re.compile(rf"[\s\u00ad\u200b{_DASHES}]+")
_DASHED = re.compile(rf"(?<!\s)\s*[{_DASHES}]\s*")
_AROUND = ".,;:!?#*()\"'“”‘’…"


def order_key(number: str) -> str:
    """An order number as it is compared: without case, spaces and dashes."""
    plain = _IGNORED.sub("", unicodedata.normalize("NFKC", number)).upper()
    return plain[:LONGEST_KEY]  # some letters unfold to several


def keys_in(words: str) -> list[str]:
    """What the number is compared as that these words are, or the one that they hold.

    Of several they hold none: that would be several tries.
    """
    parts = parts_of(words)
    numbers = [place for place, part in enumerate(parts) if any(map(str.isdecimal, part))]
    keys = [order_key(words)]
    if len(numbers) == 1:
        (place,) = numbers
        named = [parts[place], "".join(parts[max(place - 1, 0) : place + 1])]
        keys += [key for key in map(order_key, named) if len(key) >= SHORTEST_IN_WORDS]
    return keys


def parts_of(words: str) -> list[str]:
    """The words, each without what stands around it. A number is one, with its dashes."""
    return [part.strip(_AROUND) for part in _DASHED.sub("-", words).split()]


class KeyField(models.CharField):
    """Another field, `of`, as it is compared. It follows that field whenever a row is saved.

    Where it may be null it is, for an empty field: many may have none, and each other is unique.
    """

    def __init__(self, *, of: str, **options: Any) -> None:
        self.of = of
        super().__init__(
            **{**options, "editable": False, "max_length": LONGEST_KEY, "unique": True}
        )

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        name, path, args, options = super().deconstruct()
        for fixed in ("editable", "max_length", "unique"):
            del options[fixed]
        return name, path, args, {**options, "of": self.of}

    def pre_save(self, model_instance: models.Model, add: bool) -> str | None:
        key = order_key(getattr(model_instance, self.of)) or (None if self.null else "")
        setattr(model_instance, self.attname, key)
        return key


def refuse_alike(row: models.Model, *, of: str, what: str) -> None:
    """Raise ValidationError where the field `of` reads like that of another row, or like nothing.

    what: the field with its article, as the sentence begins. An empty field is like no other.
    """
    written = getattr(row, of)
    key = order_key(written)
    if written and not key:
        raise ValidationError({of: f"{what} needs a letter or a digit."})
    alike = key and type(row)._default_manager.filter(key=key).exclude(pk=row.pk).first()
    if alike:
        noun = row._meta.verbose_name
        raise ValidationError(
            {of: f"There is {_article(noun)} {noun} {getattr(alike, of)} already."}
        )


def _article(noun: str) -> str:
    return "an" if noun[0] in "aeiou" else "a"
