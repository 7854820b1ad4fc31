"""What users may do, compared: nobody gives more than they have."""

from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import Q, QuerySet


def permissions_of(user: Any) -> QuerySet[Permission]:
    """What somebody may do, also once they are made active again."""
    if user.is_superuser:
        return Permission.objects.all()
    own = Permission.objects.filter(Q(user=user.pk) | Q(group__user=user.pk))
    return Permission.objects.filter(pk__in=own.values("pk"))


def beyond(user: Any) -> QuerySet[Permission]:
    """What somebody may not do, and so not give."""
    return Permission.objects.exclude(pk__in=permissions_of(user).values("pk"))


def may_look_after(user: Any, other: Any) -> bool:
    """May they do all that the other one may?"""
    if user.is_superuser:
        return True
    can_more = beyond(user).filter(pk__in=permissions_of(other).values("pk"))
    return not other.is_superuser and not can_more.exists()
