"""A small factory to try things with, made relative to today."""

import secrets
from argparse import ArgumentParser
from datetime import datetime, time, timedelta
from itertools import cycle
from random import Random
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from defects.management.past import Past
from defects.models import DefectReport, Question, ReportForm
from orders.models import Customer, CustomerLink, Line, Order, OrderLine, ProductionRun, Shift
from orders.models.factory import moment_of
from whatsapp_bot.models import Contact, Menu
from whatsapp_bot.models.contact import Role
from whatsapp_bot.simulator.people import CAST
from whatsapp_bot.simulator.phone import Phone, quietly

PRODUCTS = ["Steel bracket", "Pump housing", "Gear wheel 40T", "Bearing cover", "Control box"]
CUSTOMERS = [
    ("Acme Tractors", "K-20417"),
    ("Blue Pumps", "K-30582"),
    ("Coastal Cranes", "K-41193"),
]
SEVERAL = ("ORD-1031", [("Steel bracket", 400), ("Bearing cover", 150), ("Control box", 50)])
CONTACTS = [
    ("+15550100001", None, "Worker, Line 1", Role.WORKER),
    ("+15550100002", None, "Worker, Line 2", Role.WORKER),
    ("+15550100011", None, "Buyer at Acme", Role.CUSTOMER),
    ("+15550100012", None, "Buyer at Blue Pumps", Role.CUSTOMER),
    (None, "ZA.0a1b2c3d4e5f", "Planner at Coastal", Role.CUSTOMER),
]
CONVERSATIONS = [
    ("+15550100001", ["hi", "2", "1", "Scratch on the front of the housing, about 5 cm long"]),
    ("+15550100002", ["hi", "2", "1", "Two brackets have holes that are not round"]),
    ("+15550100001", ["2", "1", "Oil leaks from the press at the end of the line"]),
    ("+15550100011", ["hi", "2", "1", "Three control boxes arrived with a broken lid"]),
    ("+15550100012", ["hi", "4", "1", "Can we get half of ORD-1005 a week earlier?"]),
    ("+15550100021", ["Hello, is this the factory?"]),
]
FORMS = {
    "hazard": (
        "Report a safety hazard",
        [
            {"name": "what", "text": "What is the hazard?", "example": "Oil on the floor"},
            {
                "name": "severity",
                "kind": "choice",
                "text": "How bad is it?",
                "choices": "Minor\nMajor\nCritical",
            },
            {
                "name": "stopped",
                "kind": "yes_no",
                "text": "Has the work there been stopped?",
                "only_when": "severity",
                "equals": "Critical",
            },
            {
                "name": "line",
                "kind": "choice",
                "text": "Which line is it at?",
                "choices": "Line 1\nLine 2\nLine 3\nSomewhere else",
            },
            {
                "name": "photo",
                "kind": "photo",
                "text": "Please send me a photo of it.",
                "required": False,
            },
        ],
    ),
    "delivery": (
        "Delivery complaint",
        [
            {"name": "order", "kind": "order", "text": "Which order was it?"},
            {"name": "what", "text": "What was wrong with it?", "example": "Two boxes were wet"},
            {
                "name": "quantity",
                "kind": "number",
                "text": "How many parts are concerned?",
                "example": "12",
            },
        ],
    ),
}
LOGINS = {
    "staff": None,
    "reviewer": "Reviewers",
    "editor": "Editors",
    "clerk": "Order clerks",
    "manager": "Managers",
    "administrator": "Administrators",
}


class Command(BaseCommand):
    help = "Load a small factory to try things with. Does nothing where there is data already."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--anyway", action="store_true", help="Also where DEBUG is false.")

    @transaction.atomic
    def handle(self, *, anyway: bool = False, **options: Any) -> None:
        if not (settings.DEBUG or anyway):
            raise CommandError("DEBUG is false here: made-up data is for trying things out.")
        if Customer.objects.exists():
            self.stdout.write("There is data already: no demo data loaded.")
            return
        self.chance = Random(7)  # noqa: S311
        self.make_orders()
        self.make_runs()
        self.make_order_for_several()
        self.make_contacts()
        self.make_forms()
        Past(self.chance).make()
        with quietly():
            self.hold_conversations()
        self.stdout.write("Demo data loaded.")
        name, reference = CUSTOMERS[0]
        self.stdout.write(
            f"To link yourself to {name} as somebody new: order {SEVERAL[0]}, reference {reference}"
        )
        self.make_logins()

    def make_orders(self) -> None:
        customers = [Customer.objects.create(name=n, reference=r) for n, r in CUSTOMERS]
        today = timezone.localdate()
        for count in range(30):
            status = Order.Status.values[count % len(Order.Status.values)]
            over = status in (Order.Status.SHIPPED, Order.Status.DELIVERED, Order.Status.CANCELLED)
            days = -self.chance.randint(1, 20) if over else self.chance.randint(2, 30)
            Order.objects.create(
                number=f"ORD-{1001 + count}",
                customer=customers[count % len(customers)],
                customer_reference=f"PO-{self.chance.randint(10000, 99999)}",
                product=PRODUCTS[count % len(PRODUCTS)],
                quantity=self.chance.randrange(100, 1000, 50),
                due_date=today + timedelta(days=days),
                status=status,
                notes="Waiting for your drawing." if status == Order.Status.ON_HOLD else "",
            )

    def make_runs(self) -> None:
        """Two shifts a day on three lines, from a week ago to a week ahead."""
        lines = [Line.objects.create(name=f"Line {number}") for number in (1, 2, 3)]
        for name, hour in (("Early", 6), ("Late", 14), ("Night", 22)):
            Shift.objects.create(name=name, begins=time(hour), ends=time((hour + 8) % 24))
        made = Order.objects.filter(status__in=Order.Status.made()).order_by("due_date")
        due = Order.objects.order_by("due_date")
        at_work = due.filter(status=Order.Status.IN_PRODUCTION)
        planned = due.filter(status=Order.Status.PLANNED)
        before, now, after = (
            cycle([*orders, None]) for orders in (made, at_work, at_work | planned)
        )
        today = timezone.localdate()
        for days in range(-7, 8):
            for line in lines:
                for hour in (6, 14):
                    order = next(before if days < -1 else now if days < 1 else after)
                    day = today + timedelta(days=days)
                    begins = moment_of(day, time(hour))
                    self.make_run(order, line, begins)

    def make_run(self, order: Order | None, line: Line, begins: datetime) -> None:
        ends = begins + timedelta(hours=8)
        done = min(max((timezone.now() - begins) / (ends - begins), 0.0), 1.0)
        quantity = order.quantity // 5 if order else 200
        product = order.product if order else self.chance.choice(PRODUCTS)
        Status = ProductionRun.Status
        ProductionRun.objects.create(
            order=order,
            line=line,
            product=product,
            begins=begins,
            ends=ends,
            quantity=quantity,
            made=int(quantity * done),
            scrapped=self.chance.randint(0, 4) if done else 0,
            status=Status.FINISHED if done == 1 else Status.RUNNING if done else Status.PLANNED,
        )

    def make_order_for_several(self) -> None:
        """One product made, one under way, one planned: together they promise a date."""
        number, products = SEVERAL
        now = timezone.now()
        order = Order.objects.create(
            number=number,
            customer=Customer.objects.earliest("pk"),
            customer_reference="PO-70031",
            product="to be said by its lines",
            quantity=0,
            due_date=timezone.localdate() + timedelta(days=12),
        )
        for product, quantity in products:
            OrderLine.objects.create(order=order, product=product, quantity=quantity)
        line = Line.objects.latest("pk")
        days = [(-3, "finished", 1.0), (0, "running", 0.4), (4, "planned", 0.0)]
        for order_line, (day, status, done) in zip(order.lines.all(), days, strict=True):
            begins = now + timedelta(days=day, hours=-2)
            ProductionRun.objects.create(
                order_line=order_line,
                line=line,
                product=order_line.product,
                begins=begins,
                ends=begins + timedelta(hours=8),
                quantity=order_line.quantity,
                made=int(order_line.quantity * done),
                status=status,
            )

    def make_contacts(self) -> None:
        customers = iter(Customer.objects.order_by("pk"))
        lines = iter(Line.objects.order_by("pk"))
        for phone, user_id, name, role in CONTACTS:
            contact = Contact.objects.create(phone=phone, user_id=user_id, name=name, role=role)
            if role == Role.CUSTOMER:
                CustomerLink.objects.create(contact=contact, customer=next(customers))
            elif role == Role.WORKER:
                next(lines).pin_for(contact)

        buyer = CAST["customer"]
        contact, _ = Contact.objects.get_or_create(
            phone=buyer.address, defaults={"name": buyer.name, "role": buyer.role}
        )
        CustomerLink.objects.create(contact=contact, customer=Customer.objects.earliest("pk"))

    def make_forms(self) -> None:
        """Two more report forms, published and on the defect menu."""
        menu = Menu.objects.get(key="defects")
        for key, (title, questions) in FORMS.items():
            form = ReportForm.objects.create(key=key, title=title)
            for place, question in enumerate(questions, 1):
                Question.objects.create(form=form, position=10 * place, **question)
            form.publish()
            menu.add_item(title, form.address)

    def hold_conversations(self) -> None:
        """Have people say things, as they would: through the webhook."""
        begun = timezone.now()
        names = {phone or user_id: name for phone, user_id, name, _ in CONTACTS}
        for address, sayings in CONVERSATIONS:
            phone = Phone(address, names.get(address, ""))
            for said in sayings:
                phone.say(said)
        at_first_line = DefectReport.objects.filter(created_at__gte=begun).order_by("pk")[:2]
        for report in at_first_line:
            report.line = Line.objects.first()
            report.save(update_fields=["line"])

    def make_logins(self) -> None:
        """One who may do everything, and one for each group."""
        for name, group in LOGINS.items():
            if User.objects.filter(username=name).exists():
                continue
            password = secrets.token_urlsafe(9)
            user = User.objects.create_user(
                name, password=password, is_staff=True, is_superuser=group is None
            )
            user.groups.set(Group.objects.filter(name=group))
            self.stdout.write(f"Login: {name:14} password: {password}")
