"""Doing something with several rows of a list at once."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest

from whatsapp_bot.refusals import NotAllowed


def do_with_each(
    request: HttpRequest, chosen: Iterable[Any], done: str, verb: Callable[[Any], None]
) -> None:
    """Do it with each, and say with how many it was done and why not with the others.

    Each has a `number`. done: what they are then.
    """
    count = 0
    for one in chosen:
        try:
            verb(one)
            count += 1
        except NotAllowed as refused:
            messages.warning(request, f"{one.number}: {refused}")
    if count:
        messages.success(request, f"{count} {'is' if count == 1 else 'are'} {done}.")
