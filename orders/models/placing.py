"""Which lines an order is to have, where some of them say no position."""

from itertools import count
from typing import TYPE_CHECKING, Any

from orders.models.keys import product_key

if TYPE_CHECKING:
    from orders.models.order import OrderLine


def placed(wanted: list[dict[str, Any]], stored: "list[OrderLine]") -> dict[int, dict[str, Any]]:
    """The wanted lines by their positions.

    One that says none takes the first of these that is free:

    1. the position of a stored line with the same product and quantity;
    2. that of a stored line with the same product;
    3. its place in the list, also where another product was; if that is taken, the next position
       further back at which nothing was.
    """
    positions = [line.get("position") for line in wanted]
    left = {line.position: line for line in stored if line.position not in positions}
    for is_alike in (_is_same, _is_of_same_product):
        for place, line in enumerate(wanted):
            if positions[place] is None:
                alike = (at for at, one in left.items() if is_alike(one, line))
                positions[place] = next(alike, None)
                left.pop(positions[place], None)
    for place, position in enumerate(positions):
        if position is None:
            free = (at for at in count(place + 1) if at not in positions)
            positions[place] = next(at for at in free if at == place + 1 or at not in left)
    return {at: {**line, "position": at} for at, line in zip(positions, wanted, strict=True)}


def _is_same(stored: "OrderLine", wanted: dict[str, Any]) -> bool:
    return _is_of_same_product(stored, wanted) and stored.quantity == wanted["quantity"]


def _is_of_same_product(stored: "OrderLine", wanted: dict[str, Any]) -> bool:
    return product_key(stored.product) == product_key(wanted["product"])
