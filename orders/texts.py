"""What the bot says about orders and production."""

from orders.models import Order, ProductionRun
from whatsapp_bot.wording import Text, places

places |= {"orders": "Order status", "schedule": "Production schedule"}

CHOOSE = Text(
    "orders.choose",
    "Which order would you like to know about? Choose a number below or send an order number.",
    about="Asks a customer with open orders.",
)
CHOOSE_ONLY = Text(
    "orders.choose_only",
    "Several numbers did not work, so please wait until {time} before you send another one. "
    "You can still choose one of these:",
    about="Asks a customer with open orders after five wrong order numbers within an hour.",
)
NUMBER = Text(
    "orders.number",
    "Please send me the order number.",
    about="Asks for an order number.",
)
NOT_FOUND = Text(
    "orders.not_found",
    "I cannot find that order for you. Please check the number, it looks like ORD-1001. "
    "If it is right, send *menu* and choose help: our team will look into it.",
    about="The one answer to every order number that does not exist or is somebody else's.",
)
WAIT = Text(
    "orders.wait",
    "That did not work several times. Please try again after {time}, or send *menu* and choose "
    "help: our team will look into it.",
    about="After five wrong order numbers within an hour.",
)
STATUS = Text(
    "orders.status",
    "*Order {number}*\nProduct: {product}\nQuantity: {quantity}\nProgress: {made} of {quantity} "
    "made\nDue date: {due}\nStatus: {status}",
    about="The answer to an order number.",
)
NOTES = Text("orders.notes", "Note: {notes}", about="Below it, when the order has notes.")
NO_DUE_DATE = Text("orders.no_due_date", "not set yet", about="In place of a missing due date.")

ORDER_STATUS = {
    status: Text(f"orders.status.{status}", wording, about=f"An order that is {status.label}.")
    for status, wording in {
        Order.Status.RECEIVED: "received, not planned yet",
        Order.Status.PLANNED: "planned for production",
        Order.Status.IN_PRODUCTION: "in production",
        Order.Status.READY: "ready to be shipped",
        Order.Status.SHIPPED: "on its way",
        Order.Status.DELIVERED: "delivered",
        Order.Status.ON_HOLD: "on hold, please ask our team",
        Order.Status.CANCELLED: "cancelled",
    }.items()
}

SCHEDULE = Text(
    "schedule.heading",
    "*Production in the next 7 days*",
    about="Above the production schedule.",
)
SCHEDULE_RUN = Text(
    "schedule.run",
    "{begins}–{ends} {line}: {quantity} × {product}, {status}",
    about="A line of the production schedule.",
)
SCHEDULE_EMPTY = Text(
    "schedule.empty",
    "Nothing is planned for the next 7 days.",
    about="When there is nothing to show.",
)
SCHEDULE_NOT_FOR_YOU = Text(
    "schedule.not_for_you",
    "The production schedule is for our workers and customers, and I do not know you yet. "
    "Please send *menu* and choose help: our team will connect you.",
    about="To people who are neither workers nor linked to a customer.",
)
RUN_STATUS = {
    status: Text(f"schedule.status.{status}", status.label, about=f"A run that is {status.label}.")
    for status in ProductionRun.Status
}
