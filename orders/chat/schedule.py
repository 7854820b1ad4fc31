"""What is made when: by day, line and shift."""

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import islice
from typing import Any, ClassVar

from django import forms
from django.utils import timezone
from django.utils.formats import date_format

from orders import texts
from orders.models import Line, PinnedLine, ProductionRun, Shift
from orders.models.run import ProductionRunQuerySet
from whatsapp_bot.dialog import Answers
from whatsapp_bot.flows import Flow, Gone, Open, Outcome, Say, page_number, register
from whatsapp_bot.questions import Form, MenuField
from whatsapp_bot.shipped import ship_item
from whatsapp_bot.whatsapp_text import length, preview

ship_item("main", 30, "View production schedule", "orders.schedule")

LINES_A_PAGE = 8
OWN_RUNS_SHOWN = 5
LONGEST_PAGE = 1300
ALL = "all"


class Days(StrEnum):
    """Which days somebody may choose."""

    TODAY = "today"
    TOMORROW = "tomorrow"
    WEEK = "week"

    def dates(self) -> list[date]:
        first, count = {"today": (0, 1), "tomorrow": (1, 1), "week": (0, 7)}[self]
        return [timezone.localdate() + timedelta(days=first + ahead) for ahead in range(count)]


LABELS = {Days.TODAY: texts.TODAY, Days.TOMORROW: texts.TOMORROW, Days.WEEK: texts.WEEK}
HEADINGS = {
    Days.TODAY: texts.SCHEDULE_TODAY,
    Days.TOMORROW: texts.SCHEDULE_TOMORROW,
    Days.WEEK: texts.SCHEDULE,
}


class Asking(Flow):
    """One of the questions that lead to the schedule. The argument says what is chosen already."""

    is_menu = True

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self.chosen = self.argument.split(":") if self.argument else []

    def build_form(self, answers: Answers) -> forms.Form:
        choices = self.choices()
        if not choices:
            return Form(answers)
        return Form(answers, {"choice": MenuField(label=self.question(), choices=choices)})

    def question(self) -> str:
        raise NotImplementedError

    def choices(self) -> list[tuple[str, str]]:
        """What can be chosen; nothing, when there is nothing to ask."""
        raise NotImplementedError


@register("orders.schedule")
class Schedule(Asking):
    """Asks for the days. A worker with a line of their own sees what it makes today at once."""

    title = "View production schedule"

    @cached_property
    def is_for_them(self) -> bool:
        return may_see(self)

    def choices(self) -> list[tuple[str, str]]:
        if not self.is_for_them:
            return []
        days = [(days, label()) for days, label in LABELS.items()]
        return [*days, (MyLine.name, texts.PIN_MY_LINE())] if self.contact.is_worker else days

    def question(self) -> str:
        line = Line.objects.pinned_by(self.contact) if self.contact.is_worker else None
        own = f"{_today_on(line)}\n\n" if line else ""
        return f"{own}{texts.SCHEDULE_DAYS()}"

    def done(self, form: forms.Form) -> Outcome:
        choice = form.cleaned_data.get("choice")
        if not choice:
            return Say(texts.SCHEDULE_NOT_FOR_YOU())
        if choice == MyLine.name:
            return Open(choice)
        return Open(f"{ScheduleLine.name if self.contact.is_worker else Runs.name}:{choice}")


class ChoosingLine(Asking):
    """Asks for a line, the own one first. What is `chosen` comes before the page."""

    before_page: ClassVar = 0

    @property
    def page(self) -> int:
        return page_number("".join(self.chosen[self.before_page :]))

    @cached_property
    def own(self) -> Line | None:
        return Line.objects.pinned_by(self.contact)

    @cached_property
    def lines(self) -> list[Line]:
        """The lines from this page on."""
        lines = sorted(Line.objects.all(), key=lambda line: line != self.own)
        return lines[(self.page - 1) * LINES_A_PAGE :]

    def line_choices(self) -> list[tuple[str, str]]:
        return [
            (str(line.pk), texts.OWN_LINE(line=line.name) if line == self.own else line.name)
            for line in self.lines[:LINES_A_PAGE]
        ]

    @property
    def more(self) -> str:
        following = [self.name, *self.chosen[: self.before_page], str(self.page + 1)]
        return ":".join(following) if len(self.lines) > LINES_A_PAGE else ""


@register("orders.schedule.line")
class ScheduleLine(ChoosingLine):
    """Asks a worker for the line, when there are several. The argument: days and page."""

    before_page = 1

    def question(self) -> str:
        return texts.SCHEDULE_LINE()

    def choices(self) -> list[tuple[str, str]]:
        if self.page == 1 and len(self.lines) < 2:
            return []
        return [*self.line_choices(), (ALL, texts.ALL_LINES())]

    def done(self, form: forms.Form) -> Outcome:
        line = form.cleaned_data.get("choice", ALL)
        return Open(f"{ScheduleShift.name}:{self.chosen[0]}:{line}")


@register("orders.schedule.shift")
class ScheduleShift(Asking):
    """Asks a worker for the shift, when there are any. The argument: days and line."""

    def question(self) -> str:
        return texts.SCHEDULE_SHIFT()

    def choices(self) -> list[tuple[str, str]]:
        shifts = [(str(shift.pk), str(shift)) for shift in Shift.objects.all()]
        return [*shifts, (ALL, texts.ALL_SHIFTS())] if shifts else []

    def done(self, form: forms.Form) -> Outcome:
        shift = form.cleaned_data.get("choice", ALL)
        return Open(":".join([Runs.name, *self.chosen, shift]))


@register("orders.my_line")
class MyLine(ChoosingLine):
    """A worker pins a line, or takes the pin away. The argument is the page."""

    title = "My line: pin it or change it"

    def question(self) -> str:
        return texts.MY_LINE()

    def choices(self) -> list[tuple[str, str]]:
        if not self.contact.is_worker:
            return []
        return [*self.line_choices(), *([(ALL, texts.NO_LINE())] if self.own else [])]

    def done(self, form: forms.Form) -> Outcome:
        choice = form.cleaned_data.get("choice")
        if not self.contact.is_worker:
            return Say(texts.PINNING_NOT_FOR_YOU())
        if not choice:
            return Say(texts.NO_LINES())
        if choice == ALL:
            PinnedLine.objects.filter(contact=self.contact).delete()
            return Say(texts.UNPINNED())
        line = Line.objects.get(pk=choice)
        line.pin_for(self.contact)
        return Say(texts.PINNED(line=line.name))


@register("orders.schedule.runs")
class Runs(Flow):
    """The schedule itself. The argument: days, line, shift and page, all but the days optional."""

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        days, line, shift, page = [*self.argument.split(":"), *[""] * 3][:4]
        try:
            self.days = Days(days)
        except ValueError:
            raise Gone(self.argument) from None
        self.line = _chosen(Line, line)
        self.shift = _chosen(Shift, shift)
        self.page = page_number(page)

    def done(self, form: forms.Form) -> Outcome:
        if not may_see(self):
            return Say(texts.SCHEDULE_NOT_FOR_YOU())
        runs = ((day, self.runs(day)) for day in self.dates())
        pages = list(islice(schedule_pages(runs), self.page + 1))
        if not pages:
            all_week = self.days == Days.WEEK and not (self.line or self.shift)
            empty = texts.SCHEDULE_EMPTY() if all_week else texts.SCHEDULE_EMPTY_THEN()
            return Say(empty, trail=self.place.trail)
        narrowed = ", ".join(str(one) for one in (self.line, self.shift) if one)
        heading = "\n".join(filter(None, [HEADINGS[self.days](), narrowed]))
        page = pages[min(self.page, len(pages)) - 1]
        more = self._more() if len(pages) > self.page else ""
        return Say(f"{heading}\n\n{page}", more, self.place.trail)

    def _more(self) -> str:
        line, shift = (str(one.pk) if one else ALL for one in (self.line, self.shift))
        return ":".join([self.name, self.days, line, shift, str(self.page + 1)])

    def dates(self) -> list[date]:
        """The days to show: yesterday too, while the shift that began then is at work."""
        dates = self.days.dates()
        yesterday = dates[0] - timedelta(days=1)
        if self.shift and self.days != Days.TOMORROW:
            at_work = self.shift.hours(yesterday)[1] > timezone.now()
            return [yesterday, *dates] if at_work else dates
        return dates

    def runs(self, day: date) -> list[ProductionRun]:
        """What they may see of this day."""
        runs = ProductionRun.objects.visible_to(self.contact).select_related("line")
        if self.line:
            runs = runs.filter(line=self.line)
        if self.shift:
            return list(runs.during(*self.shift.hours(day)))
        return runs_of(day, runs, self.dates()[0])

    @classmethod
    def addresses(cls) -> Iterable[tuple[str, str]]:
        return [
            (f"{cls.name}:{days}", f"Production schedule: {label().casefold()}")
            for days, label in LABELS.items()
        ]


def may_see(flow: Flow) -> bool:
    """The schedule is for workers, and for customers: those see the runs of their orders."""
    return flow.contact.is_worker or flow.contact.customer_links.exists()


def runs_of(day: date, runs: ProductionRunQuerySet, first: date) -> list[ProductionRun]:
    return [run for run in runs.between(day, day) if run.is_listed(day, first)]


def schedule_pages(by_day: Iterable[tuple[date, list[ProductionRun]]]) -> Iterator[str]:
    """The runs by day, as texts that fit a message each; a day goes on under its heading again."""
    page: list[str] = []
    room = LONGEST_PAGE
    for day, runs in by_day:
        heading = f"*{date_format(day, 'l j F')}*"
        headed = False
        for line in (in_words(run, day) for run in runs):
            room -= length(line) + length(heading) + 3
            if room < 0 and page:
                yield "\n".join(page)
                page, room, headed = [], LONGEST_PAGE, False
            if not headed:
                page += ["", heading] if page else [heading]
                headed = True
            page.append(line)
    if page:
        yield "\n".join(page)


def in_words(run: ProductionRun, day: date) -> str:
    return texts.SCHEDULE_RUN(
        begins=_time(run.begins, day),
        ends=_time(run.ends, day),
        line=run.line.name,
        quantity=run.quantity,
        product=preview(run.product, 60),
        status=texts.RUN_STATUS[ProductionRun.Status(run.status)](),
    )


def _today_on(line: Line) -> str:
    """What a line makes today, in short."""
    today = timezone.localdate()
    runs = runs_of(today, line.runs.select_related("line"), today)
    shown = [in_words(run, today) for run in runs[:OWN_RUNS_SHOWN]] or [texts.MY_LINE_EMPTY()]
    if len(runs) > OWN_RUNS_SHOWN:
        shown.append(texts.MY_LINE_MORE(count=len(runs) - OWN_RUNS_SHOWN))
    return "\n".join([texts.MY_LINE_TODAY(line=line.name), *shown])


def _chosen(model: Any, key: str) -> Any:
    """The row that part of an address names; None for all of them. Raises Gone."""
    if key in ("", ALL):
        return None
    row = model.objects.filter(pk=key).first() if re.fullmatch(r"\d{1,18}", key) else None
    if not row:
        raise Gone(key)
    return row


def _time(moment: datetime, day: date) -> str:
    """The time, with its day when it is not the one that it stands under: `22:00`, `Tue 06:00`."""
    local = timezone.localtime(moment)
    return date_format(local, "H:i" if local.date() == day else "D H:i")
