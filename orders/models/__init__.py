from orders.models.customer import Customer, CustomerLink
from orders.models.factory import Line, Shift
from orders.models.keys import order_key
from orders.models.lookup import WrongLookup
from orders.models.order import Order, OrderLine
from orders.models.run import ProductionRun

__all__ = [
    "Customer",
    "CustomerLink",
    "Line",
    "Order",
    "OrderLine",
    "ProductionRun",
    "Shift",
    "WrongLookup",
    "order_key",
]
