"""How long does the database take for pages of the API, with a million orders, two million runs?

    python -m benchmarks.api [--orders 1000000] [--runs 2000000] [--write]

For PostgreSQL. Makes a test database beside that of DATABASE_URL, as the tests do, fills it as
`benchmarks.orders` does, and removes it again. Prints for each call what the database takes for all
its statements, the token's and the permissions' included: planning and execution, the slowest of
several times, as EXPLAIN ANALYZE has it, and the plans. Exits with 1 when one takes ten
milliseconds or more.
"""

from datetime import timedelta

from benchmarks.orders import Questions, measure_at, parser  # isort: skip  Sets Django up.

from django.contrib.auth.models import Group, User
from django.utils import timezone
from rest_framework.test import APIClient

from config.access.models import Token
from config.api.paging import cursor_at
from orders.models import Order, ProductionRun


def system() -> APIClient:
    """Another system, which may read all that managers may."""
    user = User.objects.create_user("system", is_staff=True)
    user.groups.add(Group.objects.get(name="Managers"))
    tomorrow = timezone.now() + timedelta(days=1)
    token = Token(user=user, made_by=user, name="benchmark", expiry=tomorrow)
    client = APIClient(HTTP_AUTHORIZATION=f"Bearer {token.mint()}")
    client.get("/api/v1/orders/?page_size=1")  # its first use is noted
    return client


def calls() -> dict[str, str]:
    """Addresses, by what is asked."""
    today, now = timezone.localdate(), timezone.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    lately = Order.objects.order_by("-updated_at")[2000].updated_at.isoformat().replace("+", "%2B")
    runs = ProductionRun.objects.order_by("-updated_at")[2000]
    since = runs.updated_at.isoformat().replace("+", "%2B")
    middle = cursor_at(
        Order.objects.order_by("pk")[Order.objects.count() // 2], ["updated_at", "id"]
    )
    return {
        "an order": "orders/ORD-500000/",
        "the first page of all orders": "orders/",
        "what changed lately, orders": f"orders/?updated_since={lately}",
        "a page in the middle of all orders": f"orders/?cursor={middle}",
        "the orders of a customer": "orders/?customer=K-7",
        "orders that are open": "orders/?status=in_production",
        "orders of a customer's own number": "orders/?customer_reference=PO-4711",
        "orders that are due today": f"orders/?due_from={today}&due_until={today}",
        "the first page of all runs": "runs/",
        "what changed lately, runs": f"runs/?updated_since={since}",
        "the runs of an order": "runs/?order=ORD-500000",
        "runs that are planned": "runs/?status=planned",
        "the next runs of a line": f"runs/?line=Line 7&status=planned&ends_after={now}",
        "a run": "runs/MO-1000000/",
        "customers": "customers/",
    }


def questions() -> Questions:
    client = system()
    return {
        title: lambda path=path: client.get(f"/api/v1/{path}") for title, path in calls().items()
    }


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--plans", action="store_true", help="show every plan")
    given = options.parse_args()
    measure_at(given, questions, "api", plans=given.plans)


if __name__ == "__main__":
    main()
