"""Who may do what through the API: as in the admin, by Django's permissions."""

from typing import Any

from rest_framework.permissions import DjangoModelPermissions
from rest_framework.request import Request

from config.api.filtering import refuse_parameters

VIEW = ["%(app_label)s.view_%(model_name)s"]


class AsInTheAdmin(DjangoModelPermissions):
    """The permissions that a view says it `needs`, or else those for its model and the method.

    What nobody may do in this way, since its address says more than is heeded, is refused as well.
    """

    perms_map = {**DjangoModelPermissions.perms_map, "GET": VIEW, "HEAD": VIEW, "OPTIONS": VIEW}

    def has_permission(self, request: Request, view: Any) -> bool:
        if not self._may(request, view):
            return False
        refuse_parameters(request, view)
        return True

    def _may(self, request: Request, view: Any) -> bool:
        if not (request.user and request.user.is_staff):
            return False
        if needed := getattr(view, "needs", ()):
            return request.user.has_perms(needed)
        return super().has_permission(request, view)
