"""What is in a cell, as people write it: whole numbers, days, moments, choices and texts.

A widget turns a cell into a value. What it cannot make sense of it refuses with a ValueError, whose
text says what is wrong and what to do. An empty cell is None, which leaves things as they are;
what is to be emptied is a matter of the column.

Some cells mean one thing or another, such as 03/04/2026. Then the rest of the column tells:
a widget looks at all of it first.
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta, tzinfo
from functools import cached_property, lru_cache
from typing import Any

from django.utils import timezone
from import_export.widgets import Widget

from orders.importing.tables import NOT_WORKED_OUT, Cell
from orders.models import order_key
from orders.models.keys import LONGEST_KEY
from orders.models.order import MOST_PIECES
from whatsapp_bot.whatsapp_text import clean

EMPTY = "(empty)"
"""Written in a cell, it empties what is there: an empty cell leaves that as it is."""
YEARS = range(2000, 2101)
_ERRORS = {
    # English; elsewhere some are the same.
    *("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!"),
    *("#BUSY!", "#FIELD!", "#ERROR!", "#GETTING_DATA"),
    # German, Dutch
    *("#NV", "#BEZUG!", "#WERT!", "#ZAHL!", "#ÜBERLAUF!", "#KALK!", "#FELD!"),
    *("#N/B", "#VERW!", "#WAARDE!", "#DEEL/0!", "#NAAM?", "#LEEG!", "#GETAL!", "#OVERLOOP!"),
    # French, Italian
    *("#VALEUR!", "#NOM?", "#NUL!", "#NOMBRE!", "#PROPAGATION!", "#CHAMP!"),
    *("#N/D", "#RIF!", "#VALORE!", "#NOME?", "#NULLO!", "#ESPANSIONE!", "#CAMPO!"),
    # Spanish, where most have a ¡ or ¿ as well; Portuguese
    *("#VALOR!", "#NOMBRE?", "#NULO!", "#DESBORDAMIENTO!", "#N/DISP", "#NÚM!", "#DESPEJAR!"),
    # Polish, Czech, Russian, Turkish
    *("#N/D!", "#ADR!", "#ARG!", "#DZIEL/0!", "#NAZWA?", "#ZERO!", "#LICZBA!", "#ROZLANIE!"),
    *("#ODKAZ!", "#HODNOTA!", "#DĚLENÍ_NULOU!", "#NÁZEV?", "#ČÍSLO!", "#NENÍ_K_DISPOZICI"),
    *("#Н/Д", "#ССЫЛКА!", "#ЗНАЧ!", "#ДЕЛ/0!", "#ИМЯ?", "#ПУСТО!", "#ЧИСЛО!"),
    *("#YOK", "#BAŞV!", "#DEĞER!", "#SAYI/0!", "#AD?", "#BOŞ!", "#SAYI!"),
    # Swedish, Danish and Norwegian, Finnish
    *("#SAKNAS!", "#REFERENS!", "#VÄRDEFEL!", "#DIVISION/0!", "#NAMN?", "#SKÄRNING!", "#OGILTIGT!"),
    *("#I/T", "#REFERENCE!", "#VÆRDI!", "#VERDI!", "#NAVN?"),
    *("#PUUTTUU!", "#VIITTAUS!", "#ARVO!", "#JAKO/0!", "#NIMI?", "#TYHJÄ!", "#LUKU!"),
}
"""What a spreadsheet shows for a formula that went wrong. `#URGENT!` is what people write."""
_TOO_NARROW = re.compile("#{3,}")
"""What it shows of a number or a day that its column has no room for."""


def quoted(value: Any) -> str:
    """A cell in a sentence."""
    text = " ".join(as_shown(value).split())
    return f"“{text[:40]}…”" if len(text) > 41 else f"“{text}”"


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """A word as it is compared: its letters and digits, without case."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in folded if character.isalnum())


def empties(cell: Cell) -> bool:
    """Is what is there to be emptied?"""
    return isinstance(cell, str) and "(" in cell and cell.strip().casefold() == EMPTY


class CellWidget(Widget):
    """question: what the column leaves open, as long as it does: one of `choices`.

    choice: what was chosen, or what the column tells by itself.
    """

    choices: dict[str, str] = {}
    choice = ""

    def look(self, cell: Cell) -> None:
        """Learn from a cell how the column is written."""

    def is_open(self) -> bool:
        """Does the column not tell how it is written?"""
        return False

    def is_same(self, one: Cell, other: Cell) -> bool:
        """Do two rows say the same of what they are both of?"""
        return one == other or str(one).strip().casefold() == str(other).strip().casefold()

    def clean(self, value: Cell, row: Any = None, **kwargs: Any) -> Any:
        if isinstance(value, str):
            is_plain = value.isascii() and value.isprintable()
            value = value.strip() if is_plain else clean(value, len(value))
            if value == NOT_WORKED_OUT:
                raise ValueError(
                    "There is a formula in it that was not worked out when the file was saved. "
                    "Please save it anew with your spreadsheet program, and choose it again."
                )
            if value[:1] == "#":
                _refuse_error(value)
            if empties(value):
                raise ValueError("It cannot be emptied. Please write what it is to be.")
        if value is None or value == "":
            return None
        return self.understand(value, row)

    def understand(self, value: Any, row: Any) -> Any:
        raise NotImplementedError


def _refuse_error(text: str) -> None:
    if re.sub("[¡¿]", "", text) in _ERRORS:
        raise ValueError(
            f"There is an error of the spreadsheet in it, {text}. "
            "Please mend its formula, or write the value."
        )
    if _TOO_NARROW.fullmatch(text):
        raise ValueError(
            "Its column was too narrow to show it. Please widen the column, and save it anew."
        )


class Text(CellWidget):
    """longest: characters. With `lines` it may have several of them."""

    def __init__(self, longest: int, *, lines: bool = False) -> None:
        super().__init__()
        self.longest, self.lines = longest, lines

    def understand(self, value: Any, row: Any) -> str:
        if isinstance(value, str) and "  " not in value and value.isprintable():
            return self._fitting(value)
        if isinstance(value, date | time | timedelta):
            raise ValueError(
                f"The spreadsheet has made a date of it: {as_shown(value)}. "
                "Please give the cell the format “text”, and write it again."
            )
        text = _as_written(value)
        if not self.lines:
            text = " ".join(text.split())
        return self._fitting(text)

    def _fitting(self, text: str) -> str:
        if len(text) > self.longest:
            raise ValueError(
                f"It has {len(text):,} characters, and {self.longest:,} are the most. "
                "Please shorten it."
            )
        return text


_SHORTENED = re.compile(r"\d+(?:[.,]\d+)?E\+\d+", re.IGNORECASE)
"""As `4,50001E+09` and `1E+12`: its last digits are gone."""


class Reference(Text):
    """What an order, a run or a customer is known by."""

    def __init__(self) -> None:
        super().__init__(LONGEST_KEY)

    def understand(self, value: Any, row: Any) -> str:
        number = super().understand(value, row)
        if _SHORTENED.fullmatch(number):
            raise ValueError(
                f"{quoted(number)}: the spreadsheet has shortened it. Please give the column the "
                "format “text” or “0”, and save it anew."
            )
        return number

    def key_of(self, cell: Cell) -> str:
        """What it is compared as; "" when the cell is empty, or makes no sense."""
        try:
            return order_key(self.clean(cell) or "")
        except ValueError:
            return ""

    def is_same(self, one: Cell, other: Cell) -> bool:
        return super().is_same(one, other) or self.key_of(one) == self.key_of(other)


def _as_written(value: Any) -> str:
    """A number without the `.0` that spreadsheets keep it with."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value).strip()


def as_shown(cell: Cell) -> str:
    """A cell much as its spreadsheet shows it: a day has no time there."""
    if isinstance(cell, datetime):
        return f"{cell:%-d %b %Y}" if cell.time() == time.min else f"{cell:%-d %b %Y, %H:%M}"
    if isinstance(cell, date):
        return f"{cell:%-d %b %Y}"
    return "" if cell is None else _as_written(cell)


# Numbers ------------------------------------------------------------------------------------------

_SPACES = re.compile(r"[\s\u00a0\u2009\u202f'’]")
_UNITS = r"(?:pcs?|pieces?|units?|ea(?:ch)?|st(?:[kc]|ück|ueck)?|x)\.?"
_WRITTEN = re.compile(rf"([+-]?)(\d[\d.,]*)(?:{_UNITS})?", re.IGNORECASE)
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:([.,])\d{3})(?:\1\d{3})*")


class Whole(CellWidget):
    """A whole number: 1200, 1.200, 1,200, 1 200, 1200,0 or 1200 pcs."""

    choices = {
        "thousands": "1,000 is a thousand",
        "decimals": "1,000 is one",
    }

    def __init__(self, *, least: int = 0) -> None:
        super().__init__()
        self.least = least
        self._tells_thousands = self._tells_decimals = self._is_unclear = False

    def look(self, cell: Cell) -> None:
        """Only 1,000 and the like may be one or a thousand, when there is nothing else."""
        if not isinstance(cell, str):
            return
        found = _WRITTEN.fullmatch(_SPACES.sub("", cell))
        if not found:
            return
        digits = found[2]
        if not re.search(r"[.,]", digits) or ("." in digits and "," in digits):
            self._tells_thousands |= "." not in digits and "," not in digits
        elif not _THOUSANDS.fullmatch(digits):
            self._tells_decimals = True
        elif digits.endswith("000") and len(re.findall(r"[.,]", digits)) == 1:
            self._is_unclear = True
        else:
            self._tells_thousands = True

    def is_open(self) -> bool:
        return self._is_unclear and not (self._tells_thousands or self._tells_decimals)

    def understand(self, value: Any, row: Any) -> int:
        number = self._number(value)
        if number is None:
            raise ValueError(
                f"{quoted(value)} is no whole number. Please write how many, such as 1200."
            )
        if number < 0:
            raise ValueError(f"{quoted(value)} is below zero. Please write how many, such as 1200.")
        if number < self.least:
            raise ValueError(f"{quoted(value)} is too little. Please write how many, such as 1200.")
        if number > MOST_PIECES:
            raise ValueError(f"{quoted(value)} is too large. At most it is {MOST_PIECES:,}.")
        return number

    def _number(self, value: Any) -> int | None:
        if isinstance(value, bool):
            return None
        if isinstance(value, int):
            return value
        if isinstance(value, float):
            return int(value) if value.is_integer() else None
        if not isinstance(value, str):
            return None
        found = _WRITTEN.fullmatch(_SPACES.sub("", value))
        whole = self._whole(found[2]) if found else None
        if found is None or whole is None or len(whole) > 15:
            return None
        return int(whole) * (-1 if found[1] == "-" else 1)

    def _whole(self, digits: str) -> str | None:
        """The digits before the decimals; None when there are decimals, or no order in it."""
        means_decimals = self.choice == "decimals" or (
            self._tells_decimals and not self._tells_thousands and not self.choice
        )
        if digits.isdecimal():
            return digits
        if _THOUSANDS.fullmatch(digits) and not means_decimals:
            return re.sub("[.,]", "", digits)
        before, after = re.split(r"[.,](?=\d*$)", digits, maxsplit=1)
        if after.strip("0"):
            return None
        if before.isdecimal():
            return before
        is_grouped = _THOUSANDS.fullmatch(before) and before[-4] != digits[len(before)]
        return re.sub("[.,]", "", before) if is_grouped else None


# Days and moments ---------------------------------------------------------------------------------

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar",
            "feb february februar",
            "mar march mär märz mrz",
            "apr april",
            "may mai",
            "jun june juni",
            "jul july juli",
            "aug august",
            "sep sept september",
            "oct october okt oktober",
            "nov november",
            "dec december dez dezember",
        ),
        1,
    )
    for name in names.split()
}
_YEAR_FIRST = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})|(\d{4})(\d\d)(\d\d)")
_BY_DOTS = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4}|\d\d)")
_EITHER = re.compile(r"(\d{1,2})([/-])(\d{1,2})\2(\d{4}|\d\d)")
_DAY_AND_NAME = re.compile(r"(\d{1,2})(?:st|nd|rd|th|\.)?[\s-]*([^\W\d_]+)[.,]?[\s-]*(\d{4}|\d\d)")
_NAME_AND_DAY = re.compile(r"([^\W\d_]+)\.?[\s-]*(\d{1,2})(?:st|nd|rd|th)?,?[\s-]+(\d{4}|\d\d)")
_WEEKDAY = re.compile(r"^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*[.,]?\s+", re.IGNORECASE)
_CLOCK = r"(\d{1,2})(?::|h)(\d\d)(?::(\d\d)(?:\.\d+)?)?\s*(?:([ap])\.?m\.?)?"
_ZONE = r"Z|[+-](?:0\d|1[0-4]):?[0-5]\d"
_TIME = re.compile(rf"[ T,]+(?:at )?{_CLOCK}({_ZONE})?$", re.IGNORECASE)
_TIME_ALONE = re.compile(rf"^\s*{_CLOCK}$", re.IGNORECASE)
_SERIAL = re.compile(r"\d{5}(?:\.0+)?")
_DAY_ZERO = date(1899, 12, 30)
_ONE_DAY = timedelta(days=1)
_HOW_DAYS = "Please write a day such as 2026-12-24 or 24 Dec 2026"


class Day(CellWidget):
    """A day, however it is written; of a moment, its day in the factory."""

    choices = {
        "day": "03/04/2026 is 3 April",
        "month": "03/04/2026 is March 4",
    }

    def __init__(self) -> None:
        super().__init__()
        self._day_first = self._month_first = self._is_unclear = False

    def look(self, cell: Cell) -> None:
        if not isinstance(cell, str):
            return
        found = _EITHER.match(_WEEKDAY.sub("", cell.strip()))
        if found:
            first, second = int(found[1]), int(found[3])
            self._day_first |= first > 12
            self._month_first |= second > 12
            self._is_unclear |= first <= 12 and second <= 12 and first != second

    def is_open(self) -> bool:
        return self._is_unclear and self._day_first == self._month_first

    def understand(self, value: Any, row: Any) -> date:
        day, clock, zone = self._written(value), _clock(value, _TIME), _zone(value)
        return timezone.localdate(_at(day, clock, zone)) if clock is not None and zone else day

    def _written(self, value: Any) -> date:
        """The day as it is written there, in whichever zone."""
        if isinstance(value, datetime):
            return self._likely(value.date(), value)
        if isinstance(value, date):
            return self._likely(value, value)
        day = None
        if isinstance(value, str):
            day = _day(value, self.has_month_first)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            day = _day(_as_written(value), self.has_month_first)
        if day is None:
            raise ValueError(f"{quoted(value)} is no day. {_HOW_DAYS}, or leave the cell empty.")
        return self._likely(day, value)

    @property
    def has_month_first(self) -> bool:
        if self.choice:
            return self.choice == "month"
        return self._month_first and not self._day_first

    @staticmethod
    def _likely(day: date, value: Any) -> date:
        if day.year not in YEARS:
            raise ValueError(f"{quoted(value)} is in the year {day.year}. {_HOW_DAYS}.")
        return day


@lru_cache(maxsize=4096)
def _day(text: str, has_month_first: bool) -> date | None:
    text = _WEEKDAY.sub("", _TIME.sub("", text.strip()))
    try:
        if found := _YEAR_FIRST.fullmatch(text):
            year, month, day = (found[1], found[3], found[4]) if found[1] else found.group(5, 6, 7)
            return date(int(year), int(month), int(day))
        if found := _BY_DOTS.fullmatch(text):
            return date(_year(found[3]), int(found[2]), int(found[1]))
        if found := _EITHER.fullmatch(text):
            day, month = (found[3], found[1]) if has_month_first else (found[1], found[3])
            return date(_year(found[4]), int(month), int(day))
        if found := _DAY_AND_NAME.fullmatch(text):
            return date(_year(found[3]), _MONTHS[found[2].casefold()], int(found[1]))
        if found := _NAME_AND_DAY.fullmatch(text):
            return date(_year(found[3]), _MONTHS[found[1].casefold()], int(found[2]))
        if _SERIAL.fullmatch(text):
            return _DAY_ZERO + timedelta(days=int(text[:5]))
    except (ValueError, KeyError):
        return None
    return None


def _year(text: str) -> int:
    return int(text) + (2000 if len(text) == 2 else 0)


class Moment(Day):
    """A day and a time of the factory's, unless it says of which zone.

    A time alone is of the row's day, which `day` reads.
    """

    day: Day | None = None
    is_time = False
    """Was the last cell a time alone?"""

    def clean(self, value: Cell, row: Any = None, **kwargs: Any) -> datetime | None:
        self.is_time = False
        return super().clean(value, row, **kwargs)

    def understand(self, value: Any, row: Any) -> datetime:
        alone = _clock(value, _TIME_ALONE)
        self.is_time = alone is not None
        if alone is not None:
            day = self.day.clean((row or {}).get("day")) if self.day else None
            if not day:
                raise ValueError(f"{quoted(value)} has no day. {_HOW_MOMENTS}.")
            return _at(day, alone, self._factory)
        day = self._written(value)
        clock = _clock(value.time() if isinstance(value, datetime) else value, _TIME)
        if clock is None:
            raise ValueError(f"{quoted(value)} has no time. {_HOW_MOMENTS}.")
        return _at(day, clock, _zone(value) or self._factory)

    @cached_property
    def _factory(self) -> tzinfo:
        """The factory's zone: to ask for it anew takes half as long as to read a moment."""
        return timezone.get_current_timezone()


_HOW_MOMENTS = "Please write a day and a time, such as 2026-12-24 06:00"


def _at(day: date, clock: timedelta, zone: tzinfo) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min) + clock, zone)


def _zone(value: Any) -> tzinfo | None:
    """The zone that is written behind a time: `Z` or `+02:00`; None where there is none."""
    found = _TIME.search(str(value))
    return datetime.strptime(found[5].upper(), "%z").tzinfo if found and found[5] else None


def _clock(value: Any, pattern: re.Pattern[str]) -> timedelta | None:
    """What a clock shows, from 00:00 to 24:00, as the time since midnight."""
    if isinstance(value, time):
        return timedelta(hours=value.hour, minutes=value.minute, seconds=value.second)
    if isinstance(value, timedelta):
        clock = timedelta(seconds=round(value.total_seconds()))
        return clock if timedelta() <= clock <= _ONE_DAY else None
    return _clock_in(str(value), pattern)


@lru_cache(maxsize=4096)
def _clock_in(text: str, pattern: re.Pattern[str]) -> timedelta | None:
    found = pattern.search(text)
    if not found:
        return None
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    if found[4]:
        hour = hour % 12 + (12 if found[4].lower() == "p" else 0)
    clock = timedelta(hours=hour, minutes=minute, seconds=second)
    return clock if minute < 60 and second < 60 and clock <= _ONE_DAY else None


# Choices ------------------------------------------------------------------------------------------


class Choice(CellWidget):
    """One of a few words. also: other words for them."""

    def __init__(self, of: Iterable[tuple[str, str]], also: dict[str, str]) -> None:
        super().__init__()
        self.labels = dict(of)
        self._meant = {plain(word): value for word, value in also.items()}
        for value, label in self.labels.items():
            self._meant |= {plain(value): value, plain(label): value}

    def understand(self, value: Any, row: Any) -> str:
        meant = self._meant.get(plain(str(value)))
        if meant is None:
            *others, last = self.labels.values()
            raise ValueError(
                f"{quoted(value)} is not known. Please write {', '.join(others)} or {last}."
            )
        return meant
