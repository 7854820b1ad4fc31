"""Who works with reports."""

from django.contrib.auth.models import Permission, User


def colleague(name: str, **values: str) -> User:
    """Somebody of the staff who may open reports, and so be given one."""
    user = User.objects.create_user(name, is_staff=True, **values)
    user.user_permissions.add(Permission.objects.get(codename="view_defectreport"))
    return user
