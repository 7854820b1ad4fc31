"""Who may do what through the API: as in the admin, by Django's permissions."""

from typing import Any

from rest_framework.permissions import DjangoModelPermissions
from rest_framework.request import Request

VIEW = ["%(app_label)s.view_%(model_name)s"]


class AsInTheAdmin(DjangoModelPermissions):
    """The permissions that a view says it `needs`, or else those for its model and the method."""

    perms_map = {**DjangoModelPermissions.perms_map, "GET": VIEW, "HEAD": VIEW, "OPTIONS": VIEW}

    def has_permission(self, request: Request, view: Any) -> bool:
        if not (request.user and request.user.is_staff):
            return False
        if needed := getattr(view, "needs", ()):
            return request.user.has_perms(needed)
        return super().has_permission(request, view)
