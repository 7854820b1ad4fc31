import re
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.sql.compiler import SQLCompiler

from whatsapp_bot.whatsapp_text import DASHES, in_plain_signs

LONGEST_KEY = 60
"""Of what orders, customers and runs are known by: as it is written, and as it is compared."""
SHORTEST_IN_WORDS = 4
"""A shorter number among words says how many, and not which."""
BETWEEN = f" \u00a0\u00ad\u2009\u200b\u202f{DASHES}"
"""What people and their keyboards put between the parts of a number."""
_IGNORED = re.compile(rf"[\s{BETWEEN}]+")
_DASHED = re.compile(rf"(?<!\s)\s*[{DASHES}]\s*")
_AROUND = ".,;:!?#*()\"'“”‘’…"
_WORD_BEFORE = re.compile(r"^[^\W\d_]*[.#:]+(?=\d)")
"""As in `no.1001` and `order#1001`."""
_PIECES = re.compile(r"\d+|[^\W\d_]+")


def order_key(number: str) -> str:
    """An order number as it is compared: without case, spaces and dashes, in our digits."""
    plain = _IGNORED.sub("", in_plain_signs(number)).upper()
    return plain[:LONGEST_KEY]  # some letters unfold to several


def product_key(product: str) -> str:
    """A product as it is compared: without case, and however it is spaced."""
    return " ".join(product.casefold().split())


def keys_in(words: str) -> list[str]:
    """What the number is compared as that these words are, or the one that they hold.

    Of several they hold none: that would be several tries.
    """
    parts = parts_of(words)
    numbers = _numbers_among(parts)
    keys = [order_key(words)]
    if len(numbers) == 1:
        (place,) = numbers
        named = [parts[place], "".join(parts[max(place - 1, 0) : place + 1])]
        keys += [key for key in map(order_key, named) if len(key) >= SHORTEST_IN_WORDS]
    return keys


def end_in(words: str) -> str:
    """The end of a number that these words are, or hold: `1001`, `no. 1001`; "" for none.

    It begins with a digit. Of several numbers they hold none.
    """
    parts = parts_of(words)
    numbers = _numbers_among(parts)
    key = order_key(_WORD_BEFORE.sub("", parts[numbers[0]])) if len(numbers) == 1 else ""
    return key if len(key) >= SHORTEST_IN_WORDS and key[0].isdecimal() else ""


def each_in(words: str) -> list[str]:
    """The numbers that these words hold, but for those that say how many."""
    parts = parts_of(words)
    long = [n for n in _numbers_among(parts) if len(order_key(parts[n])) >= SHORTEST_IN_WORDS]
    return [with_word_before(parts, place) for place in long]


def with_word_before(parts: list[str], place: int) -> str:
    """The number at this place, with the word before it, where that is no number itself."""
    before = parts[max(place - 1, 0) : place]
    return " ".join([*(before if not _numbers_among(before) else []), parts[place]])


def ends_in(number: str, end: str) -> bool:
    """Is that the end of this number? `1001` is one of `ORD-01001`, and none of `ORD-21001`."""
    pieces = _PIECES.findall(in_plain_signs(number).upper())
    ends = ("".join(pieces[place:]).lstrip("0") for place in range(len(pieces)))
    return end.lstrip("0") in ends


def _numbers_among(parts: list[str]) -> list[int]:
    """The places of what has a digit."""
    return [place for place, part in enumerate(parts) if any(map(str.isdecimal, part))]


def parts_of(words: str) -> list[str]:
    """The words, each without what stands around it. A number is one, with its dashes."""
    return [part.strip(_AROUND) for part in _DASHED.sub("-", words).split()]


class LastFour(models.Func):
    """The last four signs of a key. They are written out, so that an index can stand on them."""

    output_field = models.CharField()
    template = "RIGHT(%(expressions)s, 4)"

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **options: Any
    ) -> Any:
        return self.as_sql(compiler, connection, template="SUBSTR(%(expressions)s, -4)", **options)


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
