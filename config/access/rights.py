"""What users may do, compared: nobody gives more than they have."""

from typing import Any

from django.contrib.auth.models import Group, Permission
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


def carrying(user: Any, groups: Any) -> QuerySet[Group]:
    """Those of the groups through which somebody may do what they could not without them all."""
    if user.is_superuser:
        return Group.objects.none()
    others = user.groups.exclude(pk__in=[group.pk for group in groups])
    kept = Permission.objects.filter(Q(user=user.pk) | Q(group__in=others))
    lost = permissions_of(user).exclude(pk__in=kept.values("pk"))
    return user.groups.exclude(pk__in=others.values("pk")).filter(permissions__in=lost).distinct()
