"""Against guessing passwords: who is asking, and what they see after too many wrong ones.

django-axes counts by user name and address.
"""

from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

HOME_OF_ONE = 64
"""Bits of an IPv6 address that one household has; it may use any of the rest."""


def client_address(request: HttpRequest) -> str | None:
    """From where somebody comes, as the last of our proxies saw it; a network with IPv6."""
    seen_by_us = request.META.get("REMOTE_ADDR", "")
    seen = [*request.headers.get("X-Forwarded-For", "").split(","), seen_by_us]
    # What stands further left the visitor may have written.
    for place in (settings.PROXIES + 1, 1):
        address = seen[-place].strip() if place <= len(seen) else ""
        if known := _normal(address):
            return known
    return None


def _normal(text: str) -> str | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ip_network((int(address), HOME_OF_ONE), strict=False).network_address)


def locked_out(
    request: HttpRequest, response: HttpResponse | None, credentials: dict[str, Any] | None
) -> HttpResponse:
    """The page for somebody who has been wrong too often: how long to wait."""
    minutes = max(1, ceil(_seconds_left(request, credentials) / 60))
    context = {
        **admin.site.each_context(request),
        "title": "Please wait",
        "tries": settings.AXES_FAILURE_LIMIT,
        "minutes": minutes,
    }
    page = render(request, "access/locked_out.html", context, status=429)
    page["Retry-After"] = str(minutes * 60)
    page["Cache-Control"] = "no-store"
    return page


def _seconds_left(request: HttpRequest, credentials: dict[str, Any] | None) -> float:
    tries = AxesProxyHandler.get_implementation().get_user_attempts(request, credentials)
    moments = [moment for few in tries for moment in few.values_list("attempt_time", flat=True)]
    if not moments:
        return 0
    return (max(moments) + settings.AXES_COOLOFF_TIME - timezone.now()).total_seconds()
