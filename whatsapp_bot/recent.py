"""What staff edit and the bot reads at every turn: kept per process, at most two seconds old."""

import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

MAX_AGE = 2.0
"""Seconds after which an edit is live in every process."""


class Recent(Generic[T]):
    """What `load()` returned at most MAX_AGE seconds ago. To be used as a decorator.

    Nothing tells the other processes of an edit: to read a few short tables again now and then
    costs less than to ask at every turn whether they have changed.
    """

    every: "list[Recent]" = []

    def __init__(self, load: Callable[[], T]) -> None:
        self.load = load
        self.__doc__ = load.__doc__
        self.loaded_at = float("-inf")
        self.value: T
        self.every.append(self)

    def __call__(self) -> T:
        now = time.monotonic()
        if now - self.loaded_at > MAX_AGE:
            self.value = self.load()
            self.loaded_at = now  # as old as the beginning of its reading
        return self.value

    def forget(self) -> None:
        self.loaded_at = float("-inf")


def forget_all() -> None:
    """Read everything again at its next use."""
    for recent in Recent.every:
        recent.forget()
