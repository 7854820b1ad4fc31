"""What can be imported: orders, with their lines, and production runs.

django-import-export takes a row to a row of the database: it finds that one, or begins a new one,
fills in the columns and gathers what is wrong. Many are found and saved at once.
"""

from collections.abc import Iterable
from datetime import UTC, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from import_export.instance_loaders import BaseInstanceLoader
from import_export.resources import ModelResource
from import_export.results import RowResult

from orders.importing.columns import Column
from orders.importing.named import (
    CustomerCell,
    CustomerColumn,
    Customers,
    LineCell,
    OrderCell,
    OrderLineColumn,
)
from orders.importing.values import Choice, Day, Moment, Reference, Text, Whole
from orders.models import Order, OrderLine, ProductionRun
from orders.models.order import LONGEST_PRODUCT

BATCH = 1000
KEY = ""
"""Where a row keeps what it is matched by: no column is called so."""

Change = tuple[Column, Any, Any]
"""A column, what it says so far, and what it is to say."""


class Loader(BaseInstanceLoader):
    """Finds the rows of the database for many rows of a file at once."""

    def __init__(self, resource: "SheetResource") -> None:
        super().__init__(resource)
        self._found: dict[Any, Model] = {}

    def load(self, rows: Iterable[dict[str, Any]]) -> None:
        keys = {key for row in rows if (key := self.resource.key_of(row)) is not None}
        self._found = self.resource.find(keys)

    @property
    def found(self) -> Iterable[Any]:
        return self._found.values()

    def get_instance(self, row: dict[str, Any]) -> Model | None:
        return self._found.get(self.resource.key_of(row))


class SheetResource(ModelResource):
    """A kind of row that can be imported.

    After a row was taken `instance` is what came of it, and `changes` what it changes in one that
    was there before. is_locking: rows that are found stay as they are until the transaction ends.
    """

    class Meta:
        use_bulk = True
        skip_diff = True
        skip_unchanged = True
        clean_model_instances = False

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.columns: dict[str, Column] = self.fields
        self._filled = [column for column in self.columns.values() if column.attribute]
        (self.identity,) = self.get_import_id_fields()
        self.loader = Loader(self)
        self.is_locking = False
        self.instance: Any = None
        self.changes: list[Change] = []
        self._row: dict[str, Any] = {}
        self._before: list[Any] | None = None

    # Finding ------------------------------------------------------------------------------------

    def key_of(self, row: dict[str, Any]) -> Any:
        """What a row is matched by; None when that cell is empty, or makes no sense."""
        if KEY not in row:  # asked for again and again
            row[KEY] = self.columns[self.identity].widget.key_of(row.get(self.identity)) or None
        return row[KEY]

    def find(self, keys: set[Any]) -> dict[Any, Any]:
        return {one.key: one for one in self.rows().filter(key__in=keys)}

    def rows(self) -> QuerySet[Any]:
        rows = self.get_queryset().order_by("pk")
        if not self.is_locking:
            return rows
        # Others may name them meanwhile: who reports a defect of an order does not wait for us.
        return rows.select_for_update(of=("self",), no_key=True)

    # A row --------------------------------------------------------------------------------------

    def take(self, row: dict[str, Any], number: int) -> RowResult:
        """What a row comes to."""
        self.changes = []
        return self.import_row(row, self.loader, row_number=number)

    def get_import_fields(self) -> list[Column]:
        return self._filled

    def before_import_row(self, row: dict[str, Any], **kwargs: Any) -> None:
        self._row = row
        if self.key_of(row):
            return
        column = self.columns[self.identity]
        try:
            written = column.widget.clean(row.get(self.identity))
        except ValueError as error:
            raise ValidationError({self.identity: str(error)}) from None
        what = f"“{written}” has no letter or digit." if written else f"There is no {column.title}."
        raise ValidationError({self.identity: f"{what} Please write it, or take the row out."})

    def after_init_instance(
        self, instance: Any, new: bool, row: dict[str, Any], **kwargs: Any
    ) -> None:
        self.instance = instance
        self._before = None if new else [column.get_value(instance) for column in self._filled]

    def import_field(
        self, field: Column, instance: Any, row: dict[str, Any], *args: Any, **kwargs: Any
    ) -> None:
        # How its number is spelled here stays so.
        keeps = field.name == self.identity and self._before is not None
        if field.name in row and not keeps:
            field.save(instance, row)

    def skip_row(
        self, instance: Any, original: Any, row: dict[str, Any], errors: dict[str, Any]
    ) -> bool:
        if errors or self._before is None:
            return False
        self.changes = [
            (column, before, after)
            for column, before in zip(self._filled, self._before, strict=True)
            if (after := column.get_value(instance)) != before
        ]
        return not self.changes

    def validate_instance(
        self, instance: Any, errors: dict[str, Any] | None = None, validate_unique: bool = True
    ) -> None:
        errors = dict(errors or {})
        if self._before is None:
            for column in self._filled:
                is_missing = column.is_needed and column.get_value(instance) in (None, "")
                if is_missing and column.attribute not in errors:
                    errors[column.attribute] = self._missing(column)
        if not errors:
            self.check(instance)
        super().validate_instance(instance, errors, validate_unique)

    def check(self, instance: Any) -> None:
        """Raise ValidationError when its columns do not go together."""

    def _missing(self, column: Column) -> str:
        what = self._meta.model._meta.verbose_name
        if column.name in self._row:
            return f"It is empty, and a new {what} needs it. Please write the {column.title}."
        return (
            f"A new {what} needs it, and no column has it. Please say which column has the "
            f"{column.title}, or add one."
        )

    # Saving -------------------------------------------------------------------------------------

    def save(self) -> None:
        """Save what the rows that were taken came to."""
        rows = self._meta.model._default_manager
        rows.bulk_create(self.create_instances, batch_size=BATCH)
        rows.bulk_create(
            self.update_instances,
            batch_size=BATCH,
            update_conflicts=True,
            unique_fields=["id"],
            # What a row is known by stays: to write it would lock out who names the row.
            update_fields=[
                one.attribute for one in self._filled if one.column_name != self.identity
            ],
        )
        self.forget()

    def forget(self) -> None:
        self.create_instances.clear()
        self.update_instances.clear()


# Orders -------------------------------------------------------------------------------------------

_ORDER_STATUS = Choice(
    Order.Status.choices,
    {
        "new": "received",
        "open": "received",
        "scheduled": "planned",
        "in progress": "in_production",
        "wip": "in_production",
        "finished": "ready",
        "completed": "ready",
        "dispatched": "shipped",
        "sent": "shipped",
        "hold": "on_hold",
        "canceled": "cancelled",
    },
)
_ORDER_NUMBERS = (
    "order,order no,order number,order nr,order id,our order,our order no,our order number,"
    "sales order,sales order no,sales order number,so,so number,so no,"
    "auftrag,auftragsnummer,auftragsnr,auftrag nr,bestellnummer"
)
_PRODUCTS = (
    "item,article,part,product name,item name,item description,article name,description,"
    "product description,material,part no,part number,item no,item number,produkt,artikel,"
    "bezeichnung"
)
_QUANTITIES = "qty,amount,pcs,pieces,units,order qty,order quantity,ordered,menge,anzahl,stückzahl"
_OUR_ORDERS = "our po,our po no,our po number,our purchase order"
"""The order's own number to whoever wrote it, or their reference when they are the customer."""


class OrderResource(SheetResource):
    number = Column(
        "number",
        "order number",
        Reference(),
        f"no,work order,job,job no,job number,{_ORDER_NUMBERS}",
        perhaps=f"{_OUR_ORDERS},our ref,our reference,our no,our number",
        is_needed=True,
    )
    position = Column(
        "position",
        "line",
        Whole(),
        "pos,line no,line number,line item,item line,order line,position no,zeile",
        attribute=None,
    )
    customer = CustomerColumn(
        "customer",
        "customer",
        CustomerCell(),
        "customer name,client,client name,buyer,account name,sold to,ship to,company,kunde,"
        "kundenname",
        attribute="customer_id",
        is_needed=True,
    )
    customer_number = Column(
        "customer_number",
        "customer number",
        Reference(),
        "customer no,customer id,customer nr,customer code,account,account no,"
        "account number,debtor,debtor no,client no,client id,kundennummer,kunden nr,kdnr",
        attribute=None,
    )
    customer_reference = Column(
        "customer_reference",
        "customer's own reference",
        Reference(),
        "customer reference,customer ref,customer order,customer order no,customer order number,"
        "customer po,customer's order number,po,po no,po number,purchase order,"
        "purchase order no,purchase order number,your reference,your ref,reference,ref,"
        "kundenreferenz",
        perhaps=_OUR_ORDERS,
    )
    product = Column("product", "product", Text(LONGEST_PRODUCT), _PRODUCTS, is_needed=True)
    quantity = Column("quantity", "quantity", Whole(least=1), _QUANTITIES, is_needed=True)
    due_date = Column(
        "due_date",
        "due date",
        Day(),
        "due,due on,due by,due dt,delivery,delivery date,delivery dt,delivery due,del date,"
        "deliver by,deliver on,"
        "requested date,required date,required by,promised,promise date,promised date,ship date,"
        "ship dt,req date,deadline,liefertermin,lieferdatum,termin",
    )
    status = Column("status", "status", _ORDER_STATUS, "order status,state,stage")
    notes = Column(
        "notes",
        "notes for the customer",
        Text(5000, lines=True),
        # Not by "remarks" and the like: the customer would read what was written for colleagues.
        "customer notes,customer note,note to customer,notes to customer,hinweis für den kunden",
    )

    class Meta(SheetResource.Meta):
        model = Order
        import_id_fields = ("number",)
        fields = (
            "number",
            "position",
            "customer",
            "customer_number",
            "customer_reference",
            "product",
            "quantity",
            "due_date",
            "status",
            "notes",
        )

    def know(self, customers: Customers) -> None:
        self.columns["customer"].widget.customers = customers

    def import_field(
        self, field: Column, instance: Order, row: dict[str, Any], *args: Any, **kwargs: Any
    ) -> None:
        before = instance.status
        super().import_field(field, instance, row, *args, **kwargs)
        if field.column_name == "status" and instance.pk and _is_behind(instance.status, before):
            instance.status = before


def _is_behind(status: str, before: str) -> bool:
    """Has production led an order further than whoever wrote the file knows?"""
    led = Order.Status.led_by_production()
    return status in led and before in led and led.index(status) < led.index(before)


class OrderLineResource(SheetResource):
    """One of several products of an order.

    order: the one that the rows at hand are of, as long as it is in the database.
    """

    position = Column("position", "line", Whole(), is_needed=True)
    product = Column("product", "product", Text(LONGEST_PRODUCT), is_needed=True)
    quantity = Column("quantity", "quantity", Whole(least=1), is_needed=True)

    class Meta(SheetResource.Meta):
        model = OrderLine
        import_id_fields = ("position",)
        fields = ("position", "product", "quantity")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.order: Order | None = None

    def load(self, orders: Iterable[Order]) -> None:
        """Find all lines of these orders."""
        self.of: dict[int, dict[int, OrderLine]] = {order.pk: {} for order in orders}
        for line in self.rows().filter(order__in=list(self.of)):
            self.of[line.order_id][line.position] = line

    def position_of(self, row: dict[str, Any]) -> Any:
        """Which line it is; what is written there when that makes no sense."""
        try:
            return self.columns["position"].widget.clean(row["position"])
        except ValueError:
            return row["position"]

    def get_instance(self, instance_loader: Any, row: dict[str, Any]) -> OrderLine | None:
        return self.of[self.order.pk].get(self.position_of(row)) if self.order else None

    def before_import_row(self, row: dict[str, Any], **kwargs: Any) -> None:
        self._row = row
        if row["position"] in (None, ""):
            raise ValidationError(
                {"position": "Other rows of this order have a line. Please number this one too."}
            )


# Production runs ----------------------------------------------------------------------------------

_RUN_STATUS = Choice(
    ProductionRun.Status.choices,
    {
        "scheduled": "planned",
        "in progress": "running",
        "started": "running",
        "done": "finished",
        "completed": "finished",
        "canceled": "cancelled",
    },
)


class ProductionRunResource(SheetResource):
    """Runs. With a day in a column of its own, start and end may be times of that day.

    names_lines: do the rows at hand say which line of their order they are for?
    """

    identity = "reference"
    names_lines = False

    reference = Column(
        "reference",
        "run number",
        Reference(),
        "run,run no,run id,production run,production order,production order no,work order,"
        "work order no,wo,wo no,job,job no,job number,batch,batch no,number,no,ref,"
        "fertigungsauftrag",
        is_needed=True,
    )
    order = Column("order", "order", OrderCell(), _ORDER_NUMBERS)
    order_line = OrderLineColumn(
        "order_line",
        "line of the order",
        Whole(),
        "order line no,order line number,order position,order pos,order item,auftragsposition",
    )
    line = Column(
        "line",
        "production line",
        LineCell(),
        "line name,machine,work centre,work center,workstation,resource,linie,maschine",
        is_needed=True,
    )
    product = Column("product", "product", Text(LONGEST_PRODUCT), _PRODUCTS, is_needed=True)
    day = Column("day", "day", Day(), "date,production date,planned date,datum,tag", attribute=None)
    begins = Column(
        "begins",
        "planned start",
        Moment(),
        "start,starts,begin,from,start time,start date,planned begin,planned start date,beginn",
        is_needed=True,
    )
    ends = Column(
        "ends",
        "planned end",
        Moment(),
        "end,finish,to,until,end time,end date,planned finish,planned end date,ende",
        is_needed=True,
    )
    quantity = Column(
        "quantity",
        "quantity planned",
        Whole(),
        f"planned,planned quantity,planned qty,target,{_QUANTITIES}",
        is_needed=True,
    )
    made = Column("made", "made", Whole(), "produced,done,good,good parts,quantity made,actual")
    scrapped = Column("scrapped", "scrapped", Whole(), "scrap,rejects,rejected,ausschuss")
    status = Column("status", "status", _RUN_STATUS, "run status,state,stage")

    class Meta(SheetResource.Meta):
        model = ProductionRun
        import_id_fields = ("reference",)
        fields = (
            "reference",
            "order",
            "order_line",
            "line",
            "product",
            "day",
            "begins",
            "ends",
            "quantity",
            "made",
            "scrapped",
            "status",
        )

    def find(self, keys: set[Any]) -> dict[Any, Any]:
        runs = self.rows().filter(key__in=keys).select_related("line", "order", "order_line")
        if self.names_lines:
            runs = runs.prefetch_related("order__lines")
        return {one.key: one for one in runs}

    def before_import_row(self, row: dict[str, Any], **kwargs: Any) -> None:
        super().before_import_row(row, **kwargs)
        for name in ("begins", "ends"):
            self.columns[name].widget.day = self.columns["day"].widget

    def import_instance(self, instance: ProductionRun, row: dict[str, Any], **kwargs: Any) -> None:
        super().import_instance(instance, row, **kwargs)
        if instance.order_line and instance.order_line.order_id != instance.order_id:
            instance.order_line = None
        is_time = self.columns["ends"].widget.is_time
        if is_time and instance.begins and instance.ends <= instance.begins:
            instance.ends += timedelta(days=1)
        # In another zone, what comes twice when clocks are set back equals nothing that is stored.
        for name in ("begins", "ends"):
            if moment := getattr(instance, name):
                setattr(instance, name, moment.astimezone(UTC))

    def check(self, instance: ProductionRun) -> None:
        if instance.ends <= instance.begins:
            raise ValidationError(
                {"ends": "A run has to end after it begins. Please mend its start or its end."}
            )
