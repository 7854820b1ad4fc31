"""Two months in the life of the demo's factory: reports with what became of them, and messages."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from django.utils import timezone

from defects.models import (
    Change,
    DefectCategory,
    DefectReport,
    Disposition,
    ReportForm,
    Severity,
    Status,
)
from defects.models.audit import changes_between
from orders.models import Line, Order
from whatsapp_bot.delivery import Status as Delivery
from whatsapp_bot.models import Contact, Message
from whatsapp_bot.models.contact import Role

DAYS = 60
# Category: how often it comes, how many parts it spoils at a time, and what people say of it.
CATEGORIES = {
    "Surface": (34, 8, ["Scratches on the lid", "Paint comes off at the edge", "Dent in the side"]),
    "Dimension": (22, 24, ["Bore is 0.3 mm too wide", "Bracket does not fit the jig"]),
    "Assembly": (14, 5, ["A screw is missing", "Bearing sits the wrong way round"]),
    "Material": (9, 40, ["Porous casting", "Sheet is thinner than on the drawing"]),
    "Labelling": (7, 12, ["Two boxes with the wrong label", "Lot number cannot be read"]),
    "Packaging": (5, 6, ["Boxes were wet", "Foil torn on the whole pallet"]),
    "Function": (3, 3, ["Pump does not start on the test bench", "Gear is loud"]),
}
SEVERITIES = {Severity.MINOR: 55, Severity.MAJOR: 35, Severity.CRITICAL: 10}
LINES = {"Line 1": 5, "Line 2": 3, "Line 3": 2}
# Hour at which reports are made: the night shift sees less.
HOURS = [*range(6, 14)] * 4 + [*range(14, 22)] * 3 + [22, 23, 0, 1, 2, 3, 4, 5]
WENT_WRONG = [63024, 63016, 63016, 63033]
TALK = [
    (90, "hi", "What would you like to do?"),
    (60, "2", "What would you like to report?"),
    (30, "1", "Please describe the defect:"),
]
PRICE = Decimal("-0.005")


class Past:
    """Makes it up, the same with every `chance` of the same seed."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.now = timezone.now()
        self.numbers: set[str] = set()

    def make(self) -> None:
        self.categories = [
            DefectCategory.objects.get_or_create(name=name, defaults={"position": place * 10})[0]
            for place, name in enumerate(CATEGORIES, 1)
        ]
        self.lines = {line.name: line for line in Line.objects.all()}
        self.orders = list(Order.objects.order_by("pk")[:10])
        self.people = list(Contact.objects.filter(role=Role.WORKER).order_by("pk"))
        self.form = ReportForm.objects.get(key="defect")
        reports = DefectReport.objects.bulk_create(self.reports())
        self.decide(reports)
        self.record(reports)
        Message.objects.bulk_create(self.messages(reports))

    # Reports -------------------------------------------------------------------------------------

    def reports(self) -> Iterator[DefectReport]:
        """Fewer on weekends, and somewhat fewer since the middle: something was done about it."""
        for days_ago in range(DAYS, 0, -1):
            day = timezone.localtime(self.now) - timedelta(days=days_ago)
            usual = 1 if day.weekday() > 4 else 5 if days_ago > DAYS / 2 else 4
            hours = sorted(self.chance.choices(HOURS, k=self.chance.randint(usual // 2, 2 * usual)))
            for hour in hours:
                minute, second = self.chance.randrange(60), self.chance.randrange(60)
                made = day.replace(hour=hour, minute=minute, second=second, microsecond=0)
                yield self.report(made)
        yield self.report(self.now - timedelta(hours=2), Severity.CRITICAL)

    def report(self, made: datetime, unseen: str = "") -> DefectReport:
        """unseen: the severity of one that nobody has looked at yet."""
        weights = [often for often, _, _ in CATEGORIES.values()]
        place = self.chance.choices(range(len(CATEGORIES)), weights)[0]
        _, parts, sayings = list(CATEGORIES.values())[place]
        severity = self.chance.choices(list(SEVERITIES), list(SEVERITIES.values()))[0]
        line = self.chance.choices(list(LINES), list(LINES.values()))[0]
        report = DefectReport(
            number=self.number(timezone.localtime(made)),
            created_at=made,
            reported_by=self.chance.choice(self.people),
            form=self.form,
            description=self.chance.choice(sayings),
            line=self.lines[line] if self.chance.random() < 0.9 else None,
            order=self.chance.choice([None, *self.orders]),
            severity=severity,
            category=self.categories[place],
            nonconforming=self.chance.randint(1, 2 * parts),
        )
        report.inspected = report.nonconforming * self.chance.randint(2, 8)
        if unseen:
            report.severity = unseen
        else:
            self.review(report)
        report.rank()
        return report

    def number(self, made: datetime) -> str:
        stem = number = f"DEF-{made:%Y%m%d%H%M%S}"
        while number in self.numbers:
            number = f"{stem}-{len(self.numbers)}"
        self.numbers.add(number)
        return number

    def review(self, report: DefectReport) -> None:
        """Take it as far as it would be by now: critical ones are seen to at once."""
        haste = {Severity.CRITICAL: 0.25, Severity.MAJOR: 1.0, Severity.MINOR: 1.6}[report.severity]
        seen = report.created_at + self.about(hours=5 * haste)
        decided = seen + self.about(hours=40 * haste)
        closed = decided + self.about(hours=100 * haste)
        if seen > self.now:
            report.category, report.nonconforming, report.inspected = None, None, None
            report.severity = report.severity if report.severity != Severity.MINOR else ""
            return
        report.status, report.acknowledged_at = Status.ACKNOWLEDGED, seen
        if self.chance.random() < 0.06:
            report.status = Status.UNFOUNDED
        elif decided > self.now:
            is_new = self.now - seen < timedelta(days=1)
            report.status = Status.ACKNOWLEDGED if is_new else Status.IN_REVIEW
        else:
            report.status, report.decided_at = Status.DECIDED, decided
            if closed <= self.now:
                report.status, report.closed_at = Status.CLOSED, closed

    def about(self, hours: float) -> timedelta:
        """Mostly less, and now and then much more."""
        return timedelta(hours=hours * self.chance.lognormvariate(0, 0.8))

    def decide(self, reports: list[DefectReport]) -> None:
        kinds = [Disposition.Kind.REWORK, Disposition.Kind.SCRAP, Disposition.Kind.REPAIR]
        Disposition.objects.bulk_create(
            Disposition(
                report=report, kind=self.chance.choice(kinds), quantity=report.nonconforming
            )
            for report in reports
            if report.decided_at
        )

    def record(self, reports: list[DefectReport]) -> None:
        """The history of each: made, and what it is now."""
        now_so = [(report.status, report) for report in reports]
        for report in reports:
            report._history_date = report.created_at
            report.status = Status.REPORTED
        made = DefectReport.history.bulk_history_create(reports)
        for status, report in now_so:
            report.status = status
            steps = [report.closed_at, report.decided_at, report.acknowledged_at]
            report._history_date = next(filter(None, steps), report.created_at)
        reviewed = [report for status, report in now_so if status != Status.REPORTED]
        now = DefectReport.history.bulk_history_create(reviewed, update=True)
        before = {row.id: row for row in made}
        Change.objects.bulk_create(
            change
            for row, report in zip(now, reviewed, strict=True)
            for change in changes_between(before[row.id], row, report)
        )

    # Messages ------------------------------------------------------------------------------------

    def messages(self, reports: list[DefectReport]) -> list[Message]:
        """What was said for each report, and what we told of it; in the order of time."""
        said: list[Message] = []
        for report in reports:
            made = report.created_at
            for before, text, reply in (*TALK, (0, report.description, report.number)):
                said.append(self.heard(report, made - timedelta(seconds=before), text))
                said.append(self.told(report, made - timedelta(seconds=before - 2), reply))
            for step in (report.acknowledged_at, report.decided_at, report.closed_at):
                if step:
                    said.append(self.told(report, step, f"News of {report.number}"))
        return sorted(said, key=lambda message: message.created_at)

    def heard(self, report: DefectReport, at: datetime, text: str) -> Message:
        return self.message(
            report, at, direction=Message.Direction.IN, body=text, status=Delivery.RECEIVED
        )

    def told(self, report: DefectReport, at: datetime, text: str) -> Message:
        failed = self.chance.random() < 0.02
        return self.message(
            report,
            at,
            direction=Message.Direction.OUT,
            body=text,
            status=Delivery.FAILED if failed else Delivery.READ,
            error_code=self.chance.choice(WENT_WRONG) if failed else None,
        )

    def message(self, report: DefectReport, at: datetime, **values: Any) -> Message:
        """Twilio's bill comes after some days."""
        billed = values["status"] != Delivery.FAILED and self.now - at > timedelta(days=3)
        return Message(
            contact_id=report.reported_by_id,
            sid=f"SM{self.chance.getrandbits(128):032x}",
            created_at=at,
            price=PRICE if billed else None,
            price_unit="USD" if billed else "",
            **values,
        )
