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
from django.views.csrf import csrf_failure
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from config.access import second_factor
from config.access.forms import CodeForm, FirstCodeForm, PasswordForm

View = Callable[[HttpRequest], HttpResponse]


def for_staff(view: View) -> View:
    """For staff who gave their password, where there is a second factor."""

    @wraps(view)
    @never_cache
    @sensitive_post_parameters("code", "password")
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
    if device := _device_of(request, form):
        second_factor.complete(request, device)
        _remind_of_recovery_codes(request, device)
        return redirect(_next(request))
    return _page(request, "code", "Your code", form=form)


def _device_of(request: HttpRequest, form: CodeForm) -> second_factor.Device | None:
    """What the code in the form is of; else the form says why it is of nothing."""
    if not form.is_valid():
        return None
    verdict = second_factor.judge(request.user, form.cleaned_data["code"])
    if not verdict.device:
        form.add_error("code", verdict.why)
    return verdict.device


def _remind_of_recovery_codes(request: HttpRequest, device: second_factor.Device) -> None:
    if device in second_factor.phones_of(request.user):
        return
    left = second_factor.recovery_codes_left(request.user)
    codes = "1 recovery code is" if left == 1 else f"{left or 'No'} recovery codes are"
    advice = "Is your phone lost? Set up another one under “Second factor”."
    messages.warning(request, f"{codes} left. {advice}")


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff
def prove(request: HttpRequest) -> HttpResponse:
    """Asks once more for a code, or for the password while there is no phone."""
    if _is_half_way(request):
        return redirect(_with_next(request, "second_factor:page"))
    if second_factor.has_phone(request.user):
        form = CodeForm(request.POST or None)
        is_right = _device_of(request, form)
    else:
        form = PasswordForm(request, request.POST or None)
        is_right = form.is_valid()
    if is_right:
        second_factor.note_proof(request)
        return redirect(_with_next(request, "second_factor:set_up"))
    return _page(request, "prove", "Is it you?", form=form)


def _is_half_way(request: HttpRequest) -> bool:
    """Do they have a phone, and did not give its code yet?"""
    return second_factor.has_phone(request.user) and not request.user.is_verified()


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff
def set_up(request: HttpRequest) -> HttpResponse:
    """A first phone, or another one, for who proved a moment ago who they are."""
    if _is_half_way(request):
        if request.method == "POST":
            messages.warning(request, second_factor.IN_THE_MEANTIME)
        return redirect(_with_next(request, "second_factor:page"))
    if not second_factor.is_proven(request):
        return redirect(_with_next(request, "second_factor:prove"))
    phone = second_factor.phone_being_set_up(request)
    form = FirstCodeForm(request.POST or None)
    if form.is_valid():
        verdict = second_factor.confirm(request, phone, form.cleaned_data["code"])
        if verdict.device:
            second_factor.complete(request, verdict.device)
            messages.success(request, "Your phone is set up.")
            return _codes(request)
        form.add_error("code", verdict.why)
    shown = {
        "picture": second_factor.as_picture(phone),
        "secret": second_factor.as_text(phone),
        "address": phone.config_url,
    }
    which = "another" if request.user.is_verified() else "your"
    return _page(request, "set_up", f"Set up {which} phone", form=form, **shown)


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Asks for a code once more, and says what becomes of the recovery codes from before."""
    form = CodeForm(request.POST or None)
    if _device_of(request, form):
        return _codes(request)
    return _page(request, "new_recovery_codes", "New recovery codes", form=form)


def _codes(request: HttpRequest) -> HttpResponse:
    """New recovery codes. They are in this answer and nowhere else."""
    before = second_factor.recovery_codes_left(request.user)
    codes = second_factor.new_recovery_codes(request.user)
    return _page(request, "recovery_codes", "Your recovery codes", codes=codes, before=before)


def out_of_date(request: HttpRequest, reason: str = "") -> HttpResponse:
    """For a form with an old token. Who has signed in in another window need not do it again."""
    if request.path == reverse("admin:login") and request.user.is_staff:
        return redirect(_next(request))
    return csrf_failure(request, reason)


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
