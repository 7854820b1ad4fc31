"""What customers and workers may ask for: orders, a link to their company, the schedule."""

from orders.chat import linking, schedule, status

__all__ = ["linking", "schedule", "status"]
