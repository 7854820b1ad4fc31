"""The pages about the API, and the end of all addresses that lead nowhere."""

from typing import Any, NoReturn

from csp.constants import SELF
from csp.decorators import csp_update
from django.contrib.admin.views.decorators import staff_member_required
from django.urls import resolve
from django.utils.decorators import method_decorator
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import NotFound
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.views import APIView

from config.api.authentication import TokenAuthentication


class Description(SpectacularAPIView):
    """What there is, as OpenAPI: for other systems, and for the page below."""

    authentication_classes = [TokenAuthentication, SessionAuthentication]
    permission_classes = [IsAdminUser]


# Its icons are in its styles.
@method_decorator(csp_update({"img-src": [SELF, "data:"]}), name="dispatch")
@method_decorator(staff_member_required(login_url="admin:login"), name="dispatch")
class Documentation(SpectacularSwaggerSplitView):
    """The description as a page to read, and to try things on with a token."""

    authentication_classes = [SessionAuthentication]
    permission_classes = [IsAdminUser]
    template_name = "api/docs.html"


class Nowhere(APIView):
    permission_classes = [IsAdminUser]
    # There is nothing here that could be done in one way or another.
    default_response_headers: dict[str, str] = {}

    def initial(self, request: Request, *args: Any, **options: Any) -> NoReturn:
        super().initial(request, *args, **options)
        meant = resolve(f"{request.path_info}/").func
        lacks_slash = getattr(meant, "cls", None) is not Nowhere
        raise NotFound(
            "Addresses end in a slash." if lacks_slash else "There is nothing at this address."
        )
