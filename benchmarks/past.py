"""Two years in the life of a large factory, for measuring what staff open.

One row in COPIES is made with the models; PostgreSQL makes the others itself, like it and a little
later. What points to a row then points to its copy in the copies.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from django.contrib.auth.models import User
from django.core.management.color import no_style
from django.db import connection
from django.db.models import DateTimeField, Model
from django.utils import timezone

from defects.models import (
    Attachment,
    DefectCategory,
    DefectReport,
    ReportForm,
    Severity,
    Status,
)
from defects.models.audit import Change, Door
from orders.models import Customer, Line, Order, Shift, order_key
from whatsapp_bot.delivery import Status as Delivery
from whatsapp_bot.inbound import Kind
from whatsapp_bot.models import Contact, Conversation, HelpRequest, Media, Message
from whatsapp_bot.models.contact import Role

BATCH = 5_000
COPIES = 50
OVER = timedelta(days=2 * 365)
PHOTOS = 0.4
PEOPLE, WORKERS, ORDERS, CUSTOMERS, HELP_REQUESTS = 20_000, 5_000, 50_000, 500, 20_000

# How often each comes. A word that nearly every report has, and one that very few have.
DEFECTS = {"Scratch": 40, "Dent": 25, "Oil leak": 20, "Wrong label": 14, "Porosity": 0.1}
PARTS = {"housing": 60, "gear cover": 20, "pump": 10, "bracket": 9, "bush": 1}
PLACES = ["front", "lower edge", "left side", "thread", "flange", "inside", "seal"]
FIRST_NAMES = ["Thandi", "Sipho", "Nomsa", "Pieter", "Lerato", "Ayesha", "Johan", "Zanele"]
LAST_NAMES = ["Dlamini", "Nkosi", "Botha", "Naidoo", "van Wyk", "Mokoena", "Khumalo", "Petersen"]


@dataclass
class Past:
    """All of it, the same each time. reports: how many; the others follow from that."""

    reports: int
    chance: Random = field(default_factory=lambda: Random(1))  # noqa: S311
    now: datetime = field(default_factory=timezone.now)

    def make(self) -> None:
        self.copies = COPIES if connection.vendor == "postgresql" else 1
        self._make_surroundings()
        made = list(self._reports())
        said = sorted(self._said(made), key=lambda one: one[0].created_at)
        for place, (message, *_) in enumerate(said, 1):
            message.pk = place * self.copies
        filed = [(message, report) for message, report in said if report]
        photos = [message for message, _ in said if message.kind == Kind.IMAGE]
        self._store(DefectReport, made)
        self._store(Message, [message for message, _ in said])
        self._store(Attachment, [Attachment(message=one, report=of) for one, of in filed])
        self._store(Media, [_photo(message) for message in photos])
        self._store(DefectReport.history.model, list(self._history(made)))
        self._store(Change, list(self._changes(made)))
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")

    def _make_surroundings(self) -> None:
        chance = self.chance
        for name, hour in (("Early", 6), ("Late", 14), ("Night", 22)):
            Shift.objects.create(name=name, begins=f"{hour:02}:00", ends=f"{(hour + 8) % 24:02}:00")
        self.categories = [DefectCategory.objects.create(name=f"Category {n}") for n in range(12)]
        self.lines = [Line.objects.create(name=f"Line {n}") for n in range(8)]
        self.staff = [User.objects.create_user(f"engineer{n}", is_staff=True) for n in range(10)]
        self.form = ReportForm.objects.get(key="defect")
        people = Contact.objects.bulk_create(
            (
                Contact(
                    phone=f"+2782{n:07}",
                    name=f"{chance.choice(FIRST_NAMES)} {chance.choice(LAST_NAMES)} {n}",
                    role=Role.WORKER if n < WORKERS else Role.CUSTOMER,
                )
                for n in range(PEOPLE)
            ),
            batch_size=BATCH,
        )
        self.workers = people[:WORKERS]
        Conversation.objects.bulk_create(
            (Conversation(contact=one, heard_at=self.now) for one in people), batch_size=BATCH
        )
        customers = [Customer.objects.create(name=f"Customer {n}") for n in range(CUSTOMERS)]
        self.orders = Order.objects.bulk_create(
            (
                Order(
                    number=f"AB-{n:06}",
                    key=order_key(f"AB-{n:06}"),
                    customer=chance.choice(customers),
                    product=f"Pump {n % 300}",
                    quantity=100,
                )
                for n in range(ORDERS)
            ),
            batch_size=BATCH,
        )
        HelpRequest.objects.bulk_create(
            (
                HelpRequest(
                    number=f"HELP-{n}",
                    contact=chance.choice(people),
                    text=f"Please call me about order AB-{n:06}",
                    status=HelpRequest.Status.ANSWERED if n % 50 else HelpRequest.Status.OPEN,
                )
                for n in range(HELP_REQUESTS)
            ),
            batch_size=BATCH,
        )

    # Reports -------------------------------------------------------------------------------------

    def _reports(self) -> Iterator[DefectReport]:
        """Evenly over time; most of those that are open are among the last."""
        chance, count = self.chance, self.reports // self.copies
        for n in range(count):
            made = self.now - OVER * (1 - n / count)
            report = DefectReport(
                pk=(n + 1) * self.copies,
                number=f"DEF-{made:%Y%m%d%H%M%S}-{n}",
                reported_by=chance.choice(self.workers),
                form=self.form,
                description=f"{_one_of(chance, DEFECTS)} on the {_one_of(chance, PARTS)}, "
                f"{chance.choice(PLACES)}, about {chance.randrange(1, 90)} mm, lot {n}",
                order=chance.choice(self.orders) if chance.random() < 0.3 else None,
                line=chance.choice([None, *self.lines]),
                severity=chance.choices(Severity.values, (6, 3, 1))[0],
                category=chance.choice([None, *self.categories]),
                part=f"P-{n % 1000}",
                inspected=100,
                nonconforming=chance.randrange(50),
                created_at=made,
                **self._review(made),
            )
            report.answers = [
                {"name": "description", "question": "Describe it", "answer": report.description}
            ]
            report.rank()
            yield report

    def _review(self, made: datetime) -> dict[str, Any]:
        chance, now = self.chance, self.now
        seen = made + timedelta(hours=chance.lognormvariate(1, 1))
        decided = seen + timedelta(hours=chance.lognormvariate(3, 1))
        closed = decided + timedelta(hours=chance.lognormvariate(4, 1))
        if seen > now:
            return {}
        known = {"acknowledged_at": seen, "assignee": chance.choice([None, *self.staff])}
        if chance.random() < 0.05:
            return {**known, "status": Status.UNFOUNDED}
        if decided > now:
            return {**known, "status": Status.ACKNOWLEDGED}
        if closed > now:
            return {**known, "status": Status.DECIDED, "decided_at": decided}
        return {**known, "status": Status.CLOSED, "decided_at": decided, "closed_at": closed}

    def _history(self, reports: list[DefectReport]) -> Iterator[Model]:
        """Of each report that it was made, and what it is now."""
        rows = [
            row
            for report in reports
            for row in (
                (report.created_at, "+", report, Status.REPORTED),
                (report.closed_at or report.acknowledged_at, "~", report, report.status),
            )
            if row[0]
        ]
        model = DefectReport.history.model
        names = [one.attname for one in model.tracked_fields]
        for at, kind, report, status in sorted(rows, key=lambda row: row[0]):
            values = {name: getattr(report, name) for name in names}
            yield model(
                **{**values, "status": status},
                history_date=at,
                history_type=kind,
                history_user=self.chance.choice(self.staff) if kind == "~" else None,
            )

    def _changes(self, reports: list[DefectReport]) -> Iterator[Change]:
        """Who acknowledged and decided each report, as it is told to whoever looks for it."""
        for report in reports:
            steps = {
                Status.ACKNOWLEDGED: report.acknowledged_at,
                Status.DECIDED: report.decided_at,
                Status.CLOSED: report.closed_at,
            }
            before = Status.REPORTED
            for status, at in steps.items():
                if at:
                    by = self.chance.choice(self.staff)
                    yield Change(
                        report=report,
                        number=report.number,
                        at=at,
                        by=by,
                        who=by.username,
                        door=Door.ADMIN,
                        of=Change.Of.REPORT,
                        field="status",
                        before=before.label,
                        after=status.label,
                    )
                    before = status

    # Messages ------------------------------------------------------------------------------------

    def _said(self, reports: list[DefectReport]) -> Iterator[tuple[Message, DefectReport | None]]:
        """What was said for each report, with the report when it is filed with it."""
        for report in reports:
            at = report.created_at
            yield self._heard(report, at, body=report.description), None
            yield self._told(report, at, f"Thank you. Your report is {report.number}."), None
            if self.chance.random() < PHOTOS:
                yield self._heard(report, at + timedelta(minutes=2), kind=Kind.IMAGE), report
            if report.acknowledged_at:
                news = f"Your report {report.number} has been seen."
                yield self._told(report, report.acknowledged_at, news), report

    def _heard(self, report: DefectReport, at: datetime, **values: Any) -> Message:
        return self._message(report, at, Message.Direction.IN, Delivery.RECEIVED, **values)

    def _told(self, report: DefectReport, at: datetime, body: str) -> Message:
        if self.chance.random() < 0.01:
            code = self.chance.choice([63016, 63024])
            return self._message(
                report, at, Message.Direction.OUT, Delivery.FAILED, body=body, error_code=code
            )
        return self._message(report, at, Message.Direction.OUT, Delivery.READ, body=body)

    def _message(
        self, report: DefectReport, at: datetime, direction: str, status: str, **values: Any
    ) -> Message:
        """Twilio's bill comes after some days."""
        billed = status != Delivery.FAILED and self.now - at > timedelta(days=3)
        return Message(
            contact_id=report.reported_by_id,
            direction=direction,
            status=status,
            sid=f"SM{self.chance.getrandbits(128):032x}",
            price=Decimal("-0.005") if billed else None,
            price_unit="USD" if billed else "",
            created_at=at,
            **values,
        )

    # Storing -------------------------------------------------------------------------------------

    def _store(self, model: type[Model], rows: list[Any]) -> None:
        """The rows, in the order of their ids, with the ids that leave room for their copies."""
        for place, row in enumerate(rows, 1):
            row.pk = place * self.copies
        model._base_manager.bulk_create(rows, batch_size=BATCH)
        if self.copies > 1:
            with without_indexes(model):
                self._multiply(model)
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), [model]):
                cursor.execute(statement)

    def _multiply(self, model: type[Model]) -> None:
        """Copy all rows, evenly over the time between one and the next."""
        apart = OVER.total_seconds() / self.reports
        columns = {one.column: f'"{one.column}"' for one in model._meta.concrete_fields}
        columns |= {
            one.column: f"\"{one.column}\" + INTERVAL '{apart} seconds' * copy"
            for one in model._meta.concrete_fields
            if isinstance(one, DateTimeField)
        }
        columns |= {name: unlike for name, unlike in UNLIKE.items() if name in columns}
        columns |= {name: f'"{name}" + copy' for name in _ids(model)}
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) "  # noqa: S608
                f"SELECT {', '.join(columns.values())} "
                f"FROM {model._meta.db_table}, generate_series(1, {self.copies - 1}) AS copy"
            )


@contextmanager
def without_indexes(model: type[Model]) -> Iterator[None]:
    """They are made anew at the end, which takes less than to keep them up with each row."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes "
            "WHERE tablename = %s AND indexdef NOT LIKE 'CREATE UNIQUE%%'",
            [model._meta.db_table],
        )
        indexes = dict(cursor.fetchall())
        for name in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        yield
        cursor.execute("SET maintenance_work_mem = '512MB'")
        for definition in indexes.values():
            cursor.execute(definition)


UNLIKE = {
    "number": "number || '-' || copy",
    "sid": "'SM' || md5(sid || copy)",
    # Ends with the number of a lot.
    "description": "description || copy",
}


def _ids(model: type[Model]) -> list[str]:
    """The columns with ids of rows that are copied too."""
    copied = (DefectReport, Message)
    return [
        one.column
        for one in model._meta.concrete_fields
        if one.primary_key
        or one.related_model in copied
        or (one.name == "id" and model is DefectReport.history.model)
    ]


def _photo(message: Message) -> Media:
    return Media(
        message=message,
        status=Media.Status.STORED,
        said_type="image/jpeg",
        content_type="image/jpeg",
        size=200_000,
        file=f"files/{message.pk}",
        thumbnail=f"files/{message.pk}-small",
        try_at=None,
    )


def _one_of(chance: Random, often: dict[str, float]) -> str:
    return chance.choices(list(often), list(often.values()))[0]
