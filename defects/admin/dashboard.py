"""The first page of the admin: the figures of a period, each with the list behind it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from defects.dashboard import (
    CARRIED,
    CURRENCY,
    FOUNDED,
    MOST_PRODUCTS,
    Day,
    Figures,
    Group,
    Period,
    figures,
)
from defects.models import DefectReport, Severity, Status
from defects.models.review import OPEN
from whatsapp_bot.models import Message

MOST_DAYS = 2 * 366
EARLIEST = date(2000, 1, 1)
WEEKS_FROM = 92
"""Days from which on a trend goes by weeks."""
DEFAULT = "30"
PRESETS = {
    "7": "7 days",
    DEFAULT: "30 days",
    "90": "90 days",
    "month": "Last month",
    "year": "This year",
}
STEPS = {"acknowledged": "Acknowledged", "decided": "Decided", "closed": "Closed"}


# The period --------------------------------------------------------------------------------------


class DateInput(forms.DateInput):
    """The browser's own field for a date. It would not show what is none, so a text field does."""

    input_type = "date"

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        if not _is_date(context["widget"]["value"]):
            context["widget"]["type"] = "text"
        return context


def _is_date(text: str | None) -> bool:
    try:
        return not text or bool(date.fromisoformat(text))
    except ValueError:
        return False


class DayField(forms.DateField):
    widget = DateInput

    def __init__(self, label: str) -> None:
        super().__init__(label=label, input_formats=["%Y-%m-%d"])
        self.widget.format = "%Y-%m-%d"
        self.error_messages["required"] = f"Which day is it {label}?"

    def to_python(self, value: Any) -> date | None:
        try:
            return super().to_python(value)
        except forms.ValidationError:
            example = timezone.localdate().isoformat()
            raise forms.ValidationError(f"“{value}” is no date such as {example}.") from None


class PeriodForm(forms.Form):
    """From one day to another. Days that have not come yet are left out."""

    since = DayField("from")
    until = DayField("to")

    def clean(self) -> dict[str, Any]:
        super().clean()
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and (problem := self._problem(since, until)):
            raise forms.ValidationError(problem)
        return self.cleaned_data

    def _problem(self, since: date, until: date) -> str:
        if since > until:
            return "The first day is after the last one."
        if since > timezone.localdate():
            return "These days have not come yet."
        if since < EARLIEST:
            return f"There is nothing before {EARLIEST.year}."
        if (until - since).days >= MOST_DAYS:
            return "That is too long: choose two years at most."
        return ""

    @property
    def period(self) -> Period:
        last = min(self.cleaned_data["until"], timezone.localdate())
        return Period(self.cleaned_data["since"], last)


def _preset(name: str) -> Period:
    match name:
        case "month":
            return Period.last_month()
        case "year":
            return Period.this_year()
    return Period.of_days(int(name))


def _chosen(request: HttpRequest) -> tuple[str, Period, PeriodForm]:
    """The preset, if it is one, the period, and the form in which it is or was chosen."""
    if "since" in request.GET or "until" in request.GET:
        form = PeriodForm(request.GET)
        if form.is_valid():
            return "", form.period, form
        return "", _preset(DEFAULT), form
    asked = request.GET.get("range", DEFAULT)
    name = asked if asked in PRESETS else DEFAULT
    period = _preset(name)
    return name, period, PeriodForm(initial={"since": period.first, "until": period.last})


# The lists behind the figures --------------------------------------------------------------------


class Lists:
    """Where the rows behind a figure are; "" for who may not see them."""

    def __init__(self, request: HttpRequest) -> None:
        self._reports = self._path(request, DefectReport)
        self._messages = self._path(request, Message)

    @staticmethod
    def _path(request: HttpRequest, model: type[Model]) -> str:
        options = model._meta
        if not admin.site._registry[model].has_view_or_change_permission(request):
            return ""
        return reverse(f"admin:{options.app_label}_{options.model_name}_changelist")

    def reports(
        self, within: Period | None = None, at: str = "created_at", **lookups: object
    ) -> str:
        return _with(self._reports, {**lookups, **_dates(within, at)})

    def founded(self, within: Period, **lookups: object) -> str:
        return self.reports(within, status__in=",".join(FOUNDED), **lookups)

    def messages(self, within: Period, **lookups: object) -> str:
        return _with(self._messages, {**lookups, **_dates(within, "created_at")})


def _dates(within: Period | None, at: str) -> dict[str, object]:
    if within is None:
        return {}
    return {f"{at}__date__gte": within.first, f"{at}__date__lte": within.last}


def _with(path: str, lookups: dict[str, object]) -> str:
    return f"{path}?{urlencode(lookups, safe=',')}" if path else ""


# What is shown -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cell:
    """A number: as it is drawn, as it is read, and the list behind it."""

    value: float
    text: str
    link: str = ""

    @classmethod
    def of(cls, count: int, link: str = "") -> "Cell":
        """A count. Behind nothing is no list."""
        return cls(count, f"{count:,}", link if count else "")


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    cells: list[Cell]
    short: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """A table, and how it is drawn.

    about: what one sees in it, in a sentence. columns: their names. drawn: how many of the columns
    are; the others are in the table only.
    """

    name: str
    kind: str
    title: str
    about: str
    head: str
    columns: list[str]
    rows: list[Row]
    drawn: int = 1
    note: str = ""
    note_link: str = ""


@dataclass(frozen=True, slots=True)
class Tile:
    """One number, and what to know of it."""

    title: str
    text: str
    link: str
    about: str = ""
    about_link: str = ""
    is_bad: bool = False


@dataclass
class Page:
    """The figures of a period with their links, for whoever asks."""

    shown: Figures
    lists: Lists
    period: Period = field(init=False)

    def __post_init__(self) -> None:
        self.period = self.shown.period

    @property
    def dates(self) -> str:
        first, last = self.period.first, self.period.last
        if first == last:
            return _day(first)
        begins = f"{first:%-d %B}" if first.year == last.year else _day(first)
        return f"{begins} to {_day(last)}"

    @property
    def tiles(self) -> list[Tile]:
        shown, lists, period = self.shown, self.lists, self.period
        critical = {"status__exact": Status.REPORTED, "severity__exact": Severity.CRITICAL}
        dismissed = ",".join([Status.UNFOUNDED, Status.DUPLICATE])
        tiles = [
            Tile(
                "Open now",
                f"{shown.open_count:,}",
                lists.reports(status__in=",".join(OPEN)),
                f"{shown.unseen_critical:,} critical, not acknowledged"
                if shown.unseen_critical
                else "no critical one waits",
                lists.reports(**critical) if shown.unseen_critical else "",
                is_bad=bool(shown.unseen_critical),
            ),
            Tile(
                "Reported",
                f"{shown.reported:,}",
                lists.reports(period),
                f"{shown.dismissed:,} unfounded or duplicates" if shown.dismissed else "",
                lists.reports(period, status__in=dismissed),
            ),
            Tile("Closed", f"{shown.closed:,}", lists.reports(period, "closed_at")),
            Tile(
                "Nonconforming parts",
                f"{shown.parts:,}",
                lists.founded(period, nonconforming__gte=1),
                f"in {shown.with_parts:,} {'report' if shown.with_parts == 1 else 'reports'}",
            ),
            Tile(
                "Messages not delivered",
                f"{shown.failed:,}",
                lists.messages(period, failed="open"),
                f"of {shown.sent:,} sent",
                is_bad=bool(shown.failed),
            ),
        ]
        return [*tiles, *self._costs()]

    def _costs(self) -> list[Tile]:
        return [
            Tile(
                "Cost of messages",
                f"{cost.currency} {cost.total:,.2f}",
                self.lists.messages(self.period),
                f"{cost.estimated:,.2f} of it estimated" if cost.estimated else "as billed",
            )
            for cost in self.shown.costs
        ]

    @property
    def charts(self) -> dict[str, Chart]:
        charts = [
            self._open(),
            self._trend(),
            self._pareto_of_reports(),
            self._pareto_of_parts(),
            self._lines(),
            self._shifts(),
            self._products(),
            self._messages(),
        ]
        return {chart.name.replace("-", "_"): chart for chart in charts}

    def _open(self) -> Chart:
        severities = [*reversed(Severity), ""]
        rows = [
            Row(status.label, [self._open_cell(status, severity) for severity in severities])
            for status in OPEN
        ]
        return Chart(
            name="open",
            kind="stacked",
            title="Open now",
            about="Reports that somebody has to do something about, however old they are.",
            head="status",
            columns=[Severity(one).label if one else "no severity" for one in severities],
            rows=rows,
            drawn=len(severities),
        )

    def _open_cell(self, status: Status, severity: str) -> Cell:
        wanted = {"severity__exact": severity} if severity else {"severity__in": ""}
        count = self.shown.open.get((status, severity), 0)
        return Cell.of(count, self.lists.reports(status__exact=status, **wanted))

    def _trend(self) -> Chart:
        lists = self.lists
        rows = [
            Row(
                name,
                [
                    Cell.of(sum(one.reported for one in days), lists.reports(within)),
                    Cell.of(sum(one.closed for one in days), lists.reports(within, "closed_at")),
                ],
                short,
            )
            for name, short, within, days in self._stretches()
        ]
        return Chart(
            name="trend",
            kind="trend",
            title=f"Reported and closed {self._each}",
            about="When the bars are higher than the line, the open reports grow in number.",
            head=self._each.removeprefix("each "),
            columns=["reported", "closed"],
            rows=rows,
            drawn=2,
        )

    def _messages(self) -> Chart:
        In, Out = Message.Direction.IN, Message.Direction.OUT
        rows = [
            Row(
                name,
                [
                    Cell.of(sum(day.received for day in days), self._said(within, In)),
                    Cell.of(sum(day.sent for day in days), self._said(within, Out)),
                ],
                short,
            )
            for name, short, within, days in self._stretches()
        ]
        return Chart(
            name="messages",
            kind="lines",
            title=f"Messages {self._each}",
            about=f"{self.shown.received:,} came in and {self.shown.sent:,} went out.",
            head=self._each.removeprefix("each "),
            columns=["in", "out"],
            rows=rows,
            drawn=2,
        )

    def _said(self, within: Period, direction: str) -> str:
        return self.lists.messages(within, direction__exact=direction)

    @property
    def _each(self) -> str:
        return "each week" if len(self.shown.days) > WEEKS_FROM else "each day"

    def _stretches(self) -> Iterable[tuple[str, str, Period, list[Day]]]:
        """The days, or weeks when they are many: name, short name, period, and what happened."""
        if self._each == "each day":
            for one in self.shown.days:
                day = one.day
                yield f"{day:%a %-d %b %Y}", f"{day:%-d %b}", Period(day, day), [one]
            return
        weeks: dict[date, list[Day]] = {}
        for one in self.shown.days:
            weeks.setdefault(one.day - timedelta(days=one.day.weekday()), []).append(one)
        for days in weeks.values():
            first, last = days[0].day, days[-1].day
            yield f"{first:%-d %b} – {_short(last)}", f"{first:%-d %b}", Period(first, last), days

    def _pareto_of_reports(self) -> Chart:
        rows = [
            self._ranked(group, Cell.of(group.count, self._in_category(group)))
            for group in self.shown.by_count()
        ]
        without = self.shown.uncategorised
        return Chart(
            name="pareto-reports",
            kind="pareto",
            title="Which defects come most often",
            about=_vital_few(rows, "reports"),
            head="category",
            columns=["reports", "share of all up to here"],
            rows=rows,
            drawn=2,
            note=f"{without.count:,} without a category are left out." if without else "",
            note_link=self.lists.founded(self.period, category__isnull=True) if without else "",
        )

    def _pareto_of_parts(self) -> Chart:
        rows = [
            self._ranked(group, Cell.of(group.parts, self._in_category(group)))
            for group in self.shown.by_parts()
        ]
        without = self.shown.uncategorised
        left_out = without.parts if without else 0
        return Chart(
            name="pareto-parts",
            kind="pareto",
            title="Which defects spoil most parts",
            about=_vital_few(rows, "nonconforming parts"),
            head="category",
            columns=["nonconforming parts", "share of all up to here"],
            rows=rows,
            drawn=2,
            note=f"{left_out:,} parts without a category are left out." if left_out else "",
            note_link=self.lists.founded(self.period, category__isnull=True) if left_out else "",
        )

    def _ranked(self, group: Group, size: Cell) -> Row:
        return Row(group.name, [size, Cell(100 * group.share, f"{group.share:.0%}")])

    def _in_category(self, group: Group) -> str:
        return self.lists.founded(self.period, category__id__exact=group.key)

    def _lines(self) -> Chart:
        def link(group: Group) -> str:
            of = {"line__id__exact": group.key} if group.key else {"line__isnull": True}
            return self.lists.founded(self.period, **of)

        about = "The line at which the defect was seen."
        return self._by("line", about, self.shown.lines, link)

    def _shifts(self) -> Chart:
        def link(group: Group) -> str:
            return self.lists.founded(self.period, shift=group.key or "none")

        about = "The shift in which the report was made."
        return self._by("shift", about, self.shown.shifts, link)

    def _products(self) -> Chart:
        def link(group: Group) -> str:
            return self.lists.founded(self.period, product=group.key)

        products, without = self.shown.products, self.shown.founded - self.shown.ordered
        about = "The product of the order that the report names."
        if len(products) == MOST_PRODUCTS:
            about += f" The {MOST_PRODUCTS} that come most often."
        left_out = f"{without:,} without an order are left out." if without else ""
        unnamed = self.lists.founded(self.period, order__isnull=True) if without else ""
        return self._by("product", about, products, link, note=left_out, note_link=unnamed)

    def _by(self, head: str, about: str, groups: list[Group], link: Any, **note: str) -> Chart:
        return Chart(
            name=f"{head}s",
            kind="bars",
            title=f"By {head}",
            about=about,
            head=head,
            columns=["reports", "nonconforming parts"],
            rows=[
                Row(
                    group.name,
                    [Cell.of(group.count, link(group)), Cell(group.parts, f"{group.parts:,}")],
                )
                for group in groups
            ],
            **note,
        )

    @property
    def times(self) -> list[dict[str, Any]]:
        return [
            {
                "step": title,
                "count": Cell.of(took.count, self.lists.reports(self.period, f"{step}_at")),
                "median": in_words(took.median),
                "most": in_words(took.most),
            }
            for step, title in STEPS.items()
            for took in [self.shown.took[step]]
        ]

    @property
    def failures(self) -> list[tuple[str, Cell]]:
        return [
            (failure.reason, Cell.of(failure.count, self._failed(failure.code)))
            for failure in self.shown.failures
        ]

    def _failed(self, code: int | None) -> str:
        why = {"error_code__exact": code} if code else {"error_code__isnull": True}
        return self.lists.messages(self.period, failed="open", **why)

    @property
    def costs(self) -> list[dict[str, Any]]:
        rows = []
        for cost in self.shown.costs:
            unit = {"price_unit__exact": cost.currency, "price__isnull": False}
            billed = self.lists.messages(self.period, **unit)
            unbilled = {"price__isnull": True, "status__in": ",".join(CARRIED)}
            estimated = self.lists.messages(self.period, **unbilled)
            rows += [
                ("billed", cost.billed, Cell.of(cost.billed_count, billed), cost.currency),
                ("estimated", cost.estimated, Cell.of(cost.estimated_count, estimated), CURRENCY),
            ]
        return [
            {"what": what, "amount": f"{currency} {amount:,.2f}", "count": count}
            for what, amount, count, currency in rows
            if count.value
        ]


def _vital_few(rows: list[Row], what: str) -> str:
    """What a Pareto chart tells, in a sentence."""
    if not rows:
        return "Nothing has a category yet."
    few = next(place for place, row in enumerate(rows, 1) if row.cells[1].value >= 79.5)
    share = rows[few - 1].cells[1].text
    if few == 1:
        return f"{rows[0].name} alone makes {share} of all {what}."
    if few == len(rows):
        return f"{rows[0].name} leads with {rows[0].cells[1].text} of all {what}."
    return f"The first {few} of {len(rows)} categories make {share} of all {what}."


def in_words(span: timedelta | None) -> str:
    """A time as people say it: 25 minutes, 5.5 hours, 3 days."""
    if span is None:
        return "–"
    minutes = span.total_seconds() / 60
    for unit, length, most in (("minute", 1, 60), ("hour", 60, 48 * 60), ("day", 1440, None)):
        if most is None or round(minutes) < most:
            number = minutes / length
            text = f"{number:.0f}" if unit == "minute" else f"{number:,.1f}".removesuffix(".0")
            return f"{text} {unit}" if text == "1" else f"{text} {unit}s"
    raise AssertionError


def _day(day: date) -> str:
    return date_format(day, "j F Y")


def _short(day: date) -> str:
    return date_format(day, "j M Y")


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The admin's first page, with the figures for who may see them."""
    if not request.user.has_perm("defects.view_dashboard"):
        return context
    preset, period, form = _chosen(request)
    return {
        **context,
        "title": "Dashboard",
        "dashboard": Page(figures(period), Lists(request)),
        "preset": preset,
        "presets": PRESETS,
        "period_form": form,
        "zone": timezone.get_current_timezone_name(),
    }
