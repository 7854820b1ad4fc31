from orders.models.customer import Customer
from orders.models.factory import Line, PinnedLine, Shift
from orders.models.imports import Import
from orders.models.keys import order_key
from orders.models.link import CustomerLink, LinkingHour, UndoneLink
from orders.models.lookup import WrongLookup
from orders.models.order import Order, OrderLine
from orders.models.run import ProductionRun

__all__ = [
    "Customer",
    "CustomerLink",
    "Import",
    "Line",
    "LinkingHour",
    "Order",
    "OrderLine",
    "PinnedLine",
    "ProductionRun",
    "Shift",
    "UndoneLink",
    "WrongLookup",
    "order_key",
]
