"""How what is wrong is put into words."""

from collections.abc import Iterable

A_FEW = 3
"""So many are named."""


def some(which: Iterable[object], what: str) -> list[str]:
    """One line with how many there are and the first of them; nothing when there are none."""
    found = list(which)
    if not found:
        return []
    return [f"{len(found)} {what}: {', '.join(map(str, found[:A_FEW]))}"]


def unless(is_right: object, what: str) -> list[str]:
    return [] if is_right else [what]
