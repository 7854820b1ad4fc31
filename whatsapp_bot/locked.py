"""Somebody else is changing the same, for longer than one waits for it: nothing is wrong then."""

from django.db import OperationalError

LOCKED = "Somebody else is changing this."
LOCK_NOT_AVAILABLE, DEADLOCK = "55P03", "40P01"


def is_locked(error: Exception) -> bool:
    """Has it waited in vain for what somebody else is changing?"""
    of_postgresql = getattr(error.__cause__, "sqlstate", "") in (LOCK_NOT_AVAILABLE, DEADLOCK)
    return isinstance(error, OperationalError) and (of_postgresql or "is locked" in str(error))
