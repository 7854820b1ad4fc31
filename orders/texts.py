"""What the bot says about orders and production."""

from orders.models import Order, ProductionRun
from orders.models.progress import Next
from whatsapp_bot.wording import Text, places

places |= {
    "orders": "Order status",
    "linking": "Linking oneself",
    "schedule": "Production schedule",
}

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
WHICH = Text(
    "orders.which",
    "Several orders end like that. Please choose one:",
    about="Asks which of one's own orders is meant, after the last digits of several.",
)
WHICH_OF_REFERENCE = Text(
    "orders.which_of_reference",
    "Several of your orders have that number. Please choose one:",
    about="Asks the same, after the customer's own number for several orders.",
)
NOT_FOUND = Text(
    "orders.not_found",
    "I cannot find that order for you. Please check it: our numbers look like ORD-1001. "
    "If it is right, send *help*: our team will look into it.",
    about="The one answer to every order number that does not exist or is somebody else's.",
)
NOT_FOUND_AMONG = Text(
    "orders.not_found_among",
    "I cannot find {numbers} for you. Please check the number.",
    about="Below how some orders stand, when others were asked for in the same message that do not "
    "exist or are somebody else's.",
)
WAIT = Text(
    "orders.wait",
    "That did not work several times. Please try again after {time}, or send *help*: our team "
    "will look into it.",
    about="After five wrong order numbers within an hour.",
)
STATUS = Text(
    "orders.status",
    "*Order {number}*\nProduct: {product}\nQuantity: {quantity}\nProgress: {made} of {quantity} "
    "made\nDue date: {due}\nStatus: {status}",
    about="The answer to an order number.",
)
STATUS_OF_LINES = Text(
    "orders.status_of_lines",
    "*Order {number}*\n{lines}\nProgress: {made} of {quantity} made\nDue date: {due}\n"
    "Status: {status}",
    about="The answer to the number of an order for several products.",
)
LINE = Text(
    "orders.line",
    "• {product}: {made} of {quantity} made",
    about="One of the products of that order.",
)
MORE_LINES = Text(
    "orders.more_lines",
    "… and {count} more products",
    about="Below the first products of that order, when it has many.",
)
NEXT_STEP = Text("orders.next_step", "Next step: {step}", about="Below it, until it is over.")
PROMISED = Text(
    "orders.promised",
    "We expect to have it made by {date}",
    about="Below it, when its production runs, or else the due date, tell.",
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

NEXT = {
    step: Text(f"orders.next.{step}", wording, about=f"The next step: {step.label}.")
    for step, wording in {
        Next.PLAN: "we plan its production",
        Next.BEGIN: "production begins on {date}",
        Next.GO_ON: "production continues on {date}",
        Next.MAKE: "we make the rest",
        Next.FINISH: "we get it ready to be shipped",
        Next.SHIP: "shipping",
        Next.DELIVER: "delivery",
        Next.DECIDE: "our team decides how it goes on",
    }.items()
}

LINK_ME = Text(
    "linking.offer",
    "I am a customer: link me to my company",
    about="A choice below the question for an order number, for people who are not linked yet.",
)
LINK_NUMBER = Text(
    "linking.number",
    "Please send me the number of one of your company's orders. In full, it looks like ORD-1001.",
    about="Asks somebody who wants to be linked to a customer.",
)
LINK_REFERENCE = Text(
    "linking.reference",
    "And your customer reference? It is on our order confirmations and invoices.",
    about="Asks for it after the order number.",
)
LINK_NO_NUMBER = Text(
    "linking.no_number",
    "I need the number, such as ORD-1001. If you do not have it, send *help*.",
    about="Above the question for the order number, after words without any digit, such as *I do "
    "not know*. They are no try to find a number out.",
)
LINKED = Text(
    "linking.done",
    "✅ Thank you! You are linked to {customer} now, and can ask for its orders at any time.",
    about="When number and reference belong together. Below it comes the order.",
)
LINK_WRONG = Text(
    "linking.wrong",
    "I cannot link you with that. Please check both, the order number and the customer reference. "
    "If they are right, send *help*: our team will look into it.",
    about="The one answer to everything that does not link, whatever the reason.",
)
LINKED_ALREADY = Text(
    "linking.already",
    "You are linked to your company already. If that is wrong, send *help*: our team will look "
    "into it.",
    about="To somebody who wants to be linked and is.",
)
LINK_NOT_NEEDED = Text(
    "linking.not_needed",
    "You need no link: as a worker you can ask for any order.",
    about="To a worker who wants to be linked.",
)

SCHEDULE_DAYS = Text(
    "schedule.days", "Which days would you like to see?", about="Asks who wants the schedule."
)
TODAY = Text("schedule.days.today", "Today", about="A choice of days.")
TOMORROW = Text("schedule.days.tomorrow", "Tomorrow", about="A choice of days.")
WEEK = Text("schedule.days.week", "The next 7 days", about="A choice of days.")
SCHEDULE_LINE = Text("schedule.line", "Which line?", about="Asks a worker, when there are several.")
ALL_LINES = Text("schedule.line.all", "All lines", about="A choice of lines.")
OWN_LINE = Text(
    "schedule.line.own", "{line} (my line)", about="A choice of lines: the one that was pinned."
)
SCHEDULE_SHIFT = Text(
    "schedule.shift", "Which shift?", about="Asks a worker, when there are shifts."
)
ALL_SHIFTS = Text("schedule.shift.all", "The whole day", about="A choice of shifts.")
PIN_MY_LINE = Text(
    "schedule.my_line", "My line: choose or change it", about="A worker's choice below the days."
)
MY_LINE_TODAY = Text(
    "schedule.my_line.today",
    "*{line} today*",
    about="Above what is made on the line that a worker pinned, before the question.",
)
MY_LINE_EMPTY = Text(
    "schedule.my_line.empty", "Nothing is planned.", about="When there is nothing today."
)
MY_LINE_MORE = Text(
    "schedule.my_line.more", "… and {count} more", about="When there is more than it shows."
)
MY_LINE = Text(
    "schedule.my_line.which",
    "Which line do you work at? You will see it first.",
    about="Asks a worker for the line to pin.",
)
NO_LINE = Text("schedule.my_line.none", "No line of my own", about="A choice: takes the pin away.")
PINNED = Text("schedule.my_line.pinned", "📌 {line} is your line now.", about="After that.")
UNPINNED = Text(
    "schedule.my_line.unpinned", "You have no line of your own any more.", about="After that."
)
NO_LINES = Text(
    "schedule.no_lines", "No lines are set up yet.", about="When there is no line to pin."
)
PINNING_NOT_FOR_YOU = Text(
    "schedule.my_line.not_for_you",
    "Only our workers have a line of their own.",
    about="To others who want to pin a line.",
)
SCHEDULE = Text(
    "schedule.heading",
    "*Production in the next 7 days*",
    about="Above the production schedule.",
)
SCHEDULE_TODAY = Text(
    "schedule.heading.today", "*Production today*", about="Above the schedule of today."
)
SCHEDULE_TOMORROW = Text(
    "schedule.heading.tomorrow", "*Production tomorrow*", about="Above the schedule of tomorrow."
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
SCHEDULE_EMPTY_THEN = Text(
    "schedule.empty.then",
    "Nothing is planned for that time.",
    about="The same for a day, a line or a shift.",
)
SCHEDULE_NOT_FOR_YOU = Text(
    "schedule.not_for_you",
    "The production schedule is for our workers and customers, and I do not know you yet. "
    "If you are a customer, ask for your order first: there you can link yourself. Everybody else "
    "please send *help*: our team will connect you.",
    about="To people who are neither workers nor linked to a customer.",
)
RUN_STATUS = {
    status: Text(f"schedule.status.{status}", status.label, about=f"A run that is {status.label}.")
    for status in ProductionRun.Status
}
