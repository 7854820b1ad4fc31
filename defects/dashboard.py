"""The figures of the dashboard: what happened in a period, and what is open now.

Everything is added up in the database, in a fixed number of statements. Days are those of the
factory's time zone. What was unfounded or a duplicate counts as reported, and as acknowledged if it
was that before; as nothing else.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from math import gcd
from pathlib import Path
from typing import Any
from zlib import crc32

from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import (
    Aggregate,
    Count,
    DateTimeField,
    DecimalField,
    DurationField,
    ExpressionWrapper,
    F,
    Field,
    FloatField,
    Func,
    Q,
    QuerySet,
    Sum,
    Value,
)
from django.db.models.functions import Abs
from django.utils import timezone

from defects.models import DefectCategory, DefectReport, Severity, Status
from defects.models.review import OPEN
from orders.models import Line, Shift
from orders.models.factory import midnight
from whatsapp_bot.delivery import Status as Delivery
from whatsapp_bot.models import Message
from whatsapp_bot.twilio import codes

MINUTE = timedelta(minutes=1)

KEPT_SECONDS = 30
"""How long the figures of a period are shown again before they are added up anew."""

VERSION = crc32(Path(__file__).read_bytes())
"""Of what is kept: workers with another version of this file may share the cache."""

FOUNDED = [*OPEN, Status.CLOSED]
"""Of reports that are, or may yet turn out to be, a defect of their own."""

CARRIED = [Delivery.RECEIVED, Delivery.SENT, Delivery.DELIVERED, Delivery.READ]
"""Of messages that Twilio charges for."""

CURRENCY = "USD"
"""Of MESSAGE_COST: Twilio's own."""

MOST_PRODUCTS = 10
"""A factory may have thousands."""

SHARES = (0.5, 0.9)
"""Of which a time is told: half took so long at most, nine of ten so long."""


@dataclass(frozen=True, slots=True)
class Period:
    """From the first to the last day, both included."""

    first: date
    last: date

    @classmethod
    def of_days(cls, count: int) -> "Period":
        """The last so many days; today is one of them."""
        today = timezone.localdate()
        return cls(today - timedelta(days=count - 1), today)

    @classmethod
    def last_month(cls) -> "Period":
        last = timezone.localdate().replace(day=1) - timedelta(days=1)
        return cls(last.replace(day=1), last)

    @classmethod
    def this_year(cls) -> "Period":
        today = timezone.localdate()
        return cls(today.replace(month=1, day=1), today)

    @property
    def days(self) -> list[date]:
        count = (self.last - self.first).days + 1
        return [self.first + timedelta(days=number) for number in range(count)]

    def has(self, at: str) -> Q:
        """Is the moment in the field `at` within the period?"""
        begins, ends = midnight(self.first), midnight(self.last + timedelta(days=1))
        return Q(**{f"{at}__gte": begins, f"{at}__lt": ends})

    def grid(self, *times: time) -> "Grid":
        """Stretches so long that neither midnight nor one of these times is within one."""
        first, *others = [midnight(day) for day in [*self.days, self.last + timedelta(days=1)]]
        lengths = [(other - first.astimezone(UTC)) // MINUTE for other in others]
        return Grid(first, gcd(*lengths, *(60 * one.hour + one.minute for one in times)))


@dataclass(frozen=True, slots=True)
class Grid:
    """Stretches of so many minutes from a moment on, by which the database adds up.

    To ask of each row for the time in the factory's zone would take it most of its time.
    """

    origin: datetime
    minutes: int

    def stretch(self, at: str) -> "Stretch":
        """When the stretch begins that the moment in the field `at` is in."""
        return Stretch(at, origin=int(self.origin.timestamp()), width=60 * self.minutes)


class Stretch(Func):
    """The last moment before or at this one that is a number of times `width` after `origin`.

    Both in seconds.
    """

    output_field = DateTimeField()

    def as_postgresql(self, *about: Any, **options: Any) -> Any:
        template = "DATE_BIN('%(width)s s', %(expressions)s, TO_TIMESTAMP(%(origin)s))"
        return self.as_sql(*about, template=template, **options)

    def as_sqlite(self, *about: Any, **options: Any) -> Any:
        # Of 23:59:59.9995 and later it would else say midnight.
        whole = "SUBSTR(%(expressions)s, 1, 19)"
        seconds = f"STRFTIME('%%%%s', {whole}) - %(origin)s"
        begins = f"({seconds}) / %(width)s * %(width)s + %(origin)s"
        return self.as_sql(*about, template=f"DATETIME({begins}, 'unixepoch')", **options)


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    reported: int = 0
    closed: int = 0
    received: int = 0
    sent: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """The defects of a category, line, shift or product; key None: of none.

    parts: how many were nonconforming. share: of all up to this one, 0 to 1, when they are ranked.
    """

    key: int | str | None
    name: str
    count: int
    parts: int
    share: float = 0


@dataclass(frozen=True, slots=True)
class Took:
    """How long it took from the report to a step, for the steps of the period."""

    count: int
    median: timedelta | None
    most: timedelta | None


@dataclass(frozen=True, slots=True)
class Failure:
    code: int | None
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What messages cost: as billed, and estimated for those that are not billed yet."""

    currency: str
    billed: Decimal = Decimal(0)
    billed_count: int = 0
    estimated: Decimal = Decimal(0)
    estimated_count: int = 0

    @property
    def total(self) -> Decimal:
        return self.billed + self.estimated


@dataclass(frozen=True)
class Figures:
    """All that the dashboard shows of a period.

    open: by status and severity, of all reports and not only the period's. groups: by category,
    line and shift, each in the order in which staff keep them, at the end those that have none.
    products: the MOST_PRODUCTS that come most often. ordered: founded ones that name an order.
    """

    period: Period
    at: datetime
    is_empty: bool
    open: Mapping[tuple[str, str], int]
    days: list[Day]
    categories: list[Group]
    lines: list[Group]
    shifts: list[Group]
    products: list[Group]
    took: Mapping[str, Took]
    failures: list[Failure]
    costs: list[Cost]
    founded: int = field(default=0)
    parts: int = field(default=0)
    with_parts: int = field(default=0)
    ordered: int = field(default=0)

    @cached_property
    def open_count(self) -> int:
        return sum(self.open.values())

    @cached_property
    def unseen_critical(self) -> int:
        return self.open.get((Status.REPORTED, Severity.CRITICAL), 0)

    @cached_property
    def reported(self) -> int:
        return sum(day.reported for day in self.days)

    @cached_property
    def closed(self) -> int:
        return sum(day.closed for day in self.days)

    @cached_property
    def dismissed(self) -> int:
        return self.reported - self.founded

    @cached_property
    def failed(self) -> int:
        return sum(failure.count for failure in self.failures)

    @cached_property
    def received(self) -> int:
        return sum(day.received for day in self.days)

    @cached_property
    def sent(self) -> int:
        return sum(day.sent for day in self.days)

    def by_count(self) -> list[Group]:
        """The categories, most reports first, with the share of all up to each."""
        return _ranked(self.categories, lambda group: group.count)

    def by_parts(self) -> list[Group]:
        """The categories, most nonconforming parts first, with the share of all up to each."""
        return _ranked(self.categories, lambda group: group.parts)

    @property
    def uncategorised(self) -> Group | None:
        return next((group for group in self.categories if group.key is None), None)


def figures(period: Period) -> Figures:
    """The figures of the period, at most KEPT_SECONDS old."""
    key = f"dashboard:{period.first}:{period.last}:{timezone.localdate()}"
    return cache.get_or_set(key, lambda: count_up(period), KEPT_SECONDS, version=VERSION)


@transaction.atomic
def count_up(period: Period) -> Figures:
    """The figures of the period as they are now."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # Half a million times are put in order in memory then, and not on the disk.
            cursor.execute("SET LOCAL work_mem = '48MB'")
    shifts = list(Shift.objects.all())
    grid = period.grid(*(edge for shift in shifts for edge in (shift.begins, shift.ends)))
    made = [(timezone.localtime(begins), *counts) for begins, *counts in _made(period, grid)]
    founded = list(_founded_by_category_and_line(period))
    messages = list(_messages(period))
    return Figures(
        period=period,
        at=timezone.localtime(),
        is_empty=not made and not DefectReport.objects.exists(),
        open=_open(),
        days=_days(period, made, messages),
        categories=_named(DefectCategory.objects.all(), founded, "category"),
        lines=_named(Line.objects.all(), founded, "line"),
        shifts=_by_shift(shifts, made),
        products=_by_product(period),
        took={step: _took(f"{step}_at", period) for step in ("acknowledged", "decided", "closed")},
        failures=_failures(period),
        costs=_costs(messages),
        founded=sum(row["count"] for row in founded),
        parts=sum(row["parts"] or 0 for row in founded),
        with_parts=sum(row["with_parts"] for row in founded),
        ordered=sum(row["ordered"] for row in founded),
    )


# Reports -----------------------------------------------------------------------------------------


def _open() -> dict[tuple[str, str], int]:
    counted = DefectReport.objects.open().order_by()
    rows = counted.values_list("status", "severity").annotate(count=Count("*"))
    return {(status, severity): count for status, severity, count in rows}


def _made(period: Period, grid: Grid) -> QuerySet:
    """By stretch: how many reports were made, how many of them founded, and their parts."""
    founded = Q(status__in=FOUNDED)
    rows = DefectReport.objects.filter(period.has("created_at")).order_by()
    return (
        rows.annotate(begins=grid.stretch("created_at"))
        .values_list("begins")
        .annotate(
            count=Count("*"),
            founded=Count("status", filter=founded),
            parts=Sum("nonconforming", filter=founded, default=0),
        )
    )


def _days(period: Period, made: list[tuple[Any, ...]], messages: list[dict[str, Any]]) -> list[Day]:
    reported: Counter[date] = Counter()
    for begins, count, *_ in made:
        reported[begins.date()] += count
    closed = _closed(period)
    said: Counter[tuple[date, str]] = Counter()
    for row in messages:
        said[timezone.localdate(row["begins"]), row["direction"]] += row["count"]
    In, Out = Message.Direction.IN, Message.Direction.OUT
    return [
        Day(day, reported[day], closed[day], said[day, In], said[day, Out]) for day in period.days
    ]


def _closed(period: Period) -> Counter[date]:
    rows = DefectReport.objects.filter(period.has("closed_at")).order_by()
    stretches = rows.annotate(begins=period.grid().stretch("closed_at")).values_list("begins")
    closed: Counter[date] = Counter()
    for begins, count in stretches.annotate(count=Count("*")):
        closed[timezone.localdate(begins)] += count
    return closed


def _founded(period: Period) -> QuerySet[DefectReport]:
    made = DefectReport.objects.filter(period.has("created_at"), status__in=FOUNDED)
    return made.order_by()


def _founded_by_category_and_line(period: Period) -> QuerySet:
    rows = _founded(period).values("category", "line")
    return rows.annotate(
        count=Count("*"),
        parts=Sum("nonconforming"),
        with_parts=Count("status", filter=Q(nonconforming__gt=0)),
        ordered=Count("order"),
    )


def _by_product(period: Period) -> list[Group]:
    """By the product of the order that the report names."""
    products = _founded(period).filter(order__isnull=False).values_list("order__product")
    rows = products.annotate(count=Count("*"), parts=Sum("nonconforming", default=0))
    most = rows.order_by("-count", "order__product")[:MOST_PRODUCTS]
    return [Group(product, product, count, parts) for product, count, parts in most]


def _named(models: QuerySet, rows: list[dict[str, Any]], by: str) -> list[Group]:
    """The rows added up by one of their columns, under the names of those rows' models."""
    counts: Counter[int | None] = Counter()
    parts: Counter[int | None] = Counter()
    for row in rows:
        counts[row[by]] += row["count"]
        parts[row[by]] += row["parts"] or 0
    names = [(model.pk, str(model)) for model in models] + [(None, f"no {by}")]
    return [Group(key, name, counts[key], parts[key]) for key, name in names if counts[key]]


def _by_shift(shifts: list[Shift], made: list[tuple[Any, ...]]) -> list[Group]:
    """By the shift in which the report was made."""
    counts: Counter[int | None] = Counter()
    parts: Counter[int | None] = Counter()
    for begins, _, founded, spoilt in made:
        shift = Shift.at(begins.time(), shifts)
        counts[shift and shift.pk] += founded
        parts[shift and shift.pk] += spoilt
    names = [(shift.pk, str(shift)) for shift in shifts]
    names += [(None, "outside the shifts")] if shifts and counts[None] else []
    return [Group(key, name, counts[key], parts[key]) for key, name in names]


def _ranked(groups: Iterable[Group], size: Any) -> list[Group]:
    """Those that have a key and a size, the largest first, with the share of all up to each."""
    found = sorted((one for one in groups if one.key and size(one)), key=size, reverse=True)
    total, up_to = sum(map(size, found)), 0
    ranked = []
    for group in found:
        up_to += size(group)
        ranked.append(Group(group.key, group.name, group.count, group.parts, up_to / total))
    return ranked


# Times -------------------------------------------------------------------------------------------


class Percentiles(Aggregate):
    """The values below which the SHARES of all values are, as a list. PostgreSQL only."""

    function = "PERCENTILE_CONT"
    template = f"%(function)s(ARRAY{list(SHARES)}) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = Field()


def _took(step: str, period: Period) -> Took:
    rows = DefectReport.objects.filter(period.has(step)).order_by()
    took = ExpressionWrapper(F(step) - F("created_at"), output_field=DurationField())
    if connection.vendor == "postgresql":
        seconds = Func(Value("epoch"), took, function="DATE_PART", output_field=FloatField())
        found = rows.aggregate(count=Count("*"), shares=Percentiles(seconds))
        spans = [timedelta(seconds=share) for share in found["shares"] or []]
        return Took(found["count"], *(spans or [None, None]))
    ordered = rows.annotate(took=took).order_by("took").values_list("took", flat=True)
    count = rows.count()
    return Took(count, *(_percentile(ordered, count, share) for share in SHARES))


def _percentile(ordered: QuerySet, count: int, share: float) -> timedelta | None:
    """As PERCENTILE_CONT has it: between the two values next to the place, if it is between."""
    if not count:
        return None
    place = (count - 1) * share
    low = int(place)
    around = list(ordered[low : low + 2])
    return around[0] + (around[-1] - around[0]) * (place - low)


# Messages ----------------------------------------------------------------------------------------


def _messages(period: Period) -> QuerySet:
    """By stretch, direction and currency: how many, and what they cost as far as billed."""
    rows = Message.objects.filter(period.has("created_at")).order_by()
    return (
        rows.annotate(begins=period.grid().stretch("created_at"))
        .values("begins", "direction", "price_unit")
        .annotate(
            count=Count("*"),
            # Twilio writes what it takes with a minus.
            billed=Sum(Abs("price"), output_field=DecimalField()),
            billed_count=Count("price"),
            unbilled=Count("status", filter=Q(price=None, status__in=CARRIED)),
        )
    )


def _costs(messages: list[dict[str, Any]]) -> list[Cost]:
    billed: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for row in messages:
        if currency := row["price_unit"]:
            billed[currency] += row["billed"]
            counts[currency] += row["billed_count"]
    unbilled = sum(row["unbilled"] for row in messages)
    estimated = unbilled * Decimal(str(settings.MESSAGE_COST))
    currencies = dict.fromkeys([CURRENCY, *sorted(counts)])
    return [
        Cost(
            currency,
            Decimal(billed[currency]),
            counts[currency],
            *((estimated, unbilled) if currency == CURRENCY else ()),
        )
        for currency in currencies
    ]


def _failures(period: Period) -> list[Failure]:
    """Why messages did not arrive that were not sent again, the most frequent reason first."""
    failed = Message.objects.failed().filter(period.has("created_at")).order_by()
    rows = failed.values_list("error_code").annotate(count=Count("*")).order_by("-count")
    return [
        Failure(code, codes.in_words(code) if code else "Another reason.", count)
        for code, count in rows
    ]
