"""Doing something with several rows of a list at once."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest

from whatsapp_bot.refusals import NotAllowed

NAMED = 3


def do_with_each(
    request: HttpRequest, chosen: Iterable[Any], done: str, verb: Callable[[Any], None]
) -> int:
    """Do it with each, and say with how many it was done and why not with the others.

    Each has a `number`. done: what they are then. Returns with how many it was done.
    """
    count = 0
    left_alone: defaultdict[str, list[str]] = defaultdict(list)
    for one in chosen:
        try:
            verb(one)
            count += 1
        except NotAllowed as refused:
            left_alone[str(refused)].append(one.number)
    for why, numbers in left_alone.items():
        messages.warning(request, f"{_named(numbers)}: {why}")
    if count:
        messages.success(request, f"{count:,} {'is' if count == 1 else 'are'} {done}.")
    return count


def _named(numbers: list[str]) -> str:
    """All of them, or the first ones and how many others there are."""
    others = len(numbers) - NAMED
    if others <= 0:
        return ", ".join(numbers)
    return f"{', '.join(numbers[:NAMED])} and {others:,} more"
