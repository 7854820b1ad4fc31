"""What browsers may do with our pages."""

from functools import cache

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

FOR_UNFOLD = {"script-src": [SELF, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]}
"""Alpine, which Unfold is made with, evaluates attributes and sets styles."""


class ContentSecurityPolicy(CSPMiddleware):
    """The policy of the settings, and under `/admin/` what the theme needs beside it.

    A view may send one of its own.
    """

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
