"""Where the second factor is given, set up and looked after."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from config.access import second_factor
from config.access.forms import CodeForm

View = Callable[[HttpRequest], HttpResponse]


def for_staff(view: View) -> View:
    """For staff who gave their password, where there is a second factor."""

    @wraps(view)
    @never_cache
    @sensitive_post_parameters("code")
    def guarded(request: HttpRequest) -> HttpResponse:
        if not settings.ADMIN_SECOND_FACTOR:
            raise Http404
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        if not request.user.is_staff:
            raise PermissionDenied
        return view(request)

    return guarded


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff
def page(request: HttpRequest) -> HttpResponse:
    """Asks for the code; who has given it sees what there is to look after."""
    if request.user.is_verified():
        left = second_factor.recovery_codes_left(request.user)
        return _page(request, "second_factor", "Second factor", left=left)
    if not second_factor.has_phone(request.user):
        return redirect(_with_next(request, "second_factor:set_up"))
    form = CodeForm(request.POST or None)
    if form.is_valid():
        verdict = second_factor.judge(request.user, form.cleaned_data["code"])
        if verdict.device:
            second_factor.complete(request, verdict.device)
            _remind_of_recovery_codes(request, verdict)
            return redirect(_next(request))
        form.add_error("code", verdict.why)
    return _page(request, "code", "Your code", form=form)


def _remind_of_recovery_codes(request: HttpRequest, verdict: second_factor.Verdict) -> None:
    if verdict.device in second_factor.phones_of(request.user):
        return
    left = second_factor.recovery_codes_left(request.user)
    codes = "1 recovery code is" if left == 1 else f"{left or 'No'} recovery codes are"
    advice = "Is your phone lost? Set up another one under “Second factor”."
    messages.warning(request, f"{codes} left. {advice}")


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff
def set_up(request: HttpRequest) -> HttpResponse:
    """A first phone, or another one for who has given the code of the one before."""
    if second_factor.has_phone(request.user) and not request.user.is_verified():
        return redirect(_with_next(request, "second_factor:page"))
    phone = second_factor.phone_being_set_up(request)
    form = CodeForm(request.POST or None)
    if form.is_valid():
        verdict = second_factor.confirm(request, phone, form.cleaned_data["code"])
        if verdict.device:
            second_factor.complete(request, verdict.device)
            return _codes(request)
        form.add_error("code", verdict.why)
    shown = {"picture": second_factor.as_picture(phone), "secret": second_factor.as_text(phone)}
    return _page(request, "set_up", "Set up your phone", form=form, **shown)


@require_POST
@for_staff
def recovery_codes(request: HttpRequest) -> HttpResponse:
    return _codes(request)


def _codes(request: HttpRequest) -> HttpResponse:
    """New recovery codes. They are in this answer and nowhere else."""
    codes = second_factor.new_recovery_codes(request.user)
    return _page(request, "recovery_codes", "Your recovery codes", codes=codes)


def _page(request: HttpRequest, name: str, title: str, **context: Any) -> HttpResponse:
    around = {**admin.site.each_context(request), "title": title, "next": _next(request)}
    return render(request, f"access/{name}.html", {**around, **context})


def _next(request: HttpRequest) -> str:
    """Where somebody wanted to go, if that is here."""
    there = request.POST.get("next") or request.GET.get("next") or ""
    is_here = url_has_allowed_host_and_scheme(
        there, {request.get_host()}, require_https=request.is_secure()
    )
    return there if is_here else reverse("admin:index")


def _with_next(request: HttpRequest, name: str) -> str:
    return redirect_to_login(_next(request), reverse(name)).url
