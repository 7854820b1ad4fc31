"""What browsers may do with our pages."""

from functools import cache

from csp.constants import HEADER, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from csp.utils import build_policy
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

from config.straight import views_for_twilio

FOR_UNFOLD = {"script-src": [SELF, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]}
"""Alpine, which Unfold is made with, evaluates attributes and sets styles."""


class ContentSecurityPolicy(CSPMiddleware):
    """The policy of the settings, and under `/admin/` what the theme needs beside it.

    A view may send one of its own.
    """

    def process_request(self, request: HttpRequest) -> None:
        # What it gives to a request has that request, a circle that only the collector breaks.
        if request.path_info not in views_for_twilio():
            super().process_request(request)

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if request.path_info in views_for_twilio():
            response.headers.setdefault(HEADER, _policy_of_settings())
            return response
        return super().process_response(request, response)

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if request.path_info.startswith(_path_of_admin()):
            parts.replace = {**FOR_UNFOLD, **(parts.replace or {})}
        return parts


@cache
def _path_of_admin() -> str:
    return reverse("admin:index")


@cache
def _policy_of_settings() -> str:
    return build_policy()
