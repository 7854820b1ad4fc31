"""The second factor: a code from somebody's phone, asked for after the password.

Whoever has given the password only is signed in by half: every page leads to the one that asks for
the code, or that sets a phone up. The codes themselves are django-otp's.
"""

import re
import secrets
from base64 import b32encode
from binascii import unhexlify
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import time
from typing import Any

import django_otp
import qrcode
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import pluralize
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from qrcode.image.svg import SvgPathImage

RECOVERY_CODES = 10
DIGITS_OF_RECOVERY = 12
"""A phone's keyboard for numbers is then good for both kinds of code."""
BEING_SET_UP = "second_factor_being_set_up"
PROVEN_AT = "second_factor_proven_at"
A_MOMENT = 15 * 60
"""Seconds in which an app for codes is found and installed."""
OPEN = {
    "admin:login",
    "admin:logout",
    "second_factor:page",
    "second_factor:prove",
    "second_factor:set_up",
}
"""The pages for those who are signed in by half; these look after themselves."""

NOT_RIGHT = "This code is not right."
NOT_OF_PHONE = f"{NOT_RIGHT} A phone shows a new one every 30 seconds."
NOT_OF_PAPER = "This code is not on your newest list, or it has been used: each is good once."
IN_THE_MEANTIME = "Another phone has been set up in the meantime."

Answer = Callable[[HttpRequest], HttpResponse]
Device = TOTPDevice | StaticDevice


# Who has to ---------------------------------------------------------------------------------------


def is_missing(request: HttpRequest) -> bool:
    """Does the code still have to be given? Reads the session only where there is one."""
    if not settings.ADMIN_SECOND_FACTOR or settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return False
    return request.user.is_authenticated and not request.user.is_verified()


class ask_for_the_code:  # noqa: N801
    """Middleware: leads those who are signed in by half to the page that asks for the code."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponse | None:
        if not is_missing(request) or request.resolver_match.view_name in OPEN:
            return None
        # What was posted is gone; there may be no page at its address.
        there = request.get_full_path() if request.method == "GET" else reverse("admin:index")
        return redirect_to_login(there, reverse("second_factor:page"))


# Codes --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a code: the device that it is of, or why there is none."""

    device: Device | None = None
    why: str = ""


def phones_of(user: User) -> Any:
    return TOTPDevice.objects.filter(user=user, confirmed=True)


def has_phone(user: User) -> bool:
    return phones_of(user).exists()


@transaction.atomic
def judge(user: User, code: str) -> Verdict:
    """Is that a code of the user's phone, or one of the recovery codes, which then is used up?"""
    is_recovery = len(code) == DIGITS_OF_RECOVERY
    devices = StaticDevice.objects.filter(user=user) if is_recovery else phones_of(user)
    # Locked, so that one code does not let two in.
    return _try_out(devices.select_for_update().first(), code)


def _try_out(device: Device | None, code: str) -> Verdict:
    if not device:
        return Verdict(why=NOT_RIGHT)
    may, hindrance = device.verify_is_allowed()
    if not may:
        return Verdict(why=_wait_until(hindrance))
    if device.verify_token(code):
        return Verdict(device)
    return Verdict(why=NOT_OF_PAPER if isinstance(device, StaticDevice) else NOT_OF_PHONE)


def _wait_until(hindrance: dict[str, Any]) -> str:
    moment: datetime = hindrance["locked_until"]
    seconds = max(1, round((moment - timezone.now()).total_seconds()))
    minutes = -(-seconds // 60)
    wait = f"{seconds} second{pluralize(seconds)}" if seconds < 90 else f"{minutes} minutes"
    return (
        f"After a wrong code one has to wait, longer each time. Please wait {wait}, then try again."
    )


def complete(request: HttpRequest, device: Device) -> None:
    """From now on the session is one of somebody who gave the code."""
    request.session.cycle_key()
    django_otp.login(request, device)
    if isinstance(device, StaticDevice):
        # Whose phone is lost may have no other code to prove it with.
        note_proof(request)
    else:
        request.session.pop(PROVEN_AT, None)


# Proving it once more -----------------------------------------------------------------------------


def note_proof(request: HttpRequest, **_: Any) -> None:
    """Somebody has just given their password, or a code. Receiver of `user_logged_in` as well."""
    request.session[PROVEN_AT] = time()


def is_proven(request: HttpRequest) -> bool:
    """Was it a moment ago that somebody proved who they are? Their browser may be left open."""
    return time() - request.session.get(PROVEN_AT, 0) < A_MOMENT


# Setting up ---------------------------------------------------------------------------------------


def phone_being_set_up(request: HttpRequest) -> TOTPDevice:
    """The one that this session is setting up: nobody else has seen its secret."""
    waiting = TOTPDevice.objects.filter(user=request.user, confirmed=False)
    phone = waiting.filter(pk=request.session.get(BEING_SET_UP)).first()
    if not phone:
        phone = TOTPDevice.objects.create(user=request.user, name="Phone", confirmed=False)
        request.session[BEING_SET_UP] = phone.pk
    return phone


def forget_unfinished() -> None:
    """Forget the phones of sessions that have ended before they were set up."""
    long_ago = timezone.now() - timedelta(seconds=settings.SESSION_COOKIE_AGE)
    TOTPDevice.objects.filter(confirmed=False, created_at__lt=long_ago).delete()


@transaction.atomic
def confirm(request: HttpRequest, phone: TOTPDevice, code: str) -> Verdict:
    """Make it the user's only phone, if the code is one that it shows."""
    User.objects.select_for_update().get(pk=request.user.pk)
    if has_phone(request.user) and not request.user.is_verified():
        return Verdict(why=IN_THE_MEANTIME)
    verdict = _try_out(phone, code)
    if verdict.device:
        TOTPDevice.objects.filter(user=request.user).exclude(pk=phone.pk).delete()
        phone.confirmed = True
        phone.save()
        request.session.pop(BEING_SET_UP, None)
    return verdict


@transaction.atomic
def new_recovery_codes(user: User) -> list[str]:
    """Ten codes, each good for once. Those from before are good for nothing any more."""
    device, _made = StaticDevice.objects.get_or_create(user=user, defaults={"name": "Paper"})
    device.token_set.all().delete()
    codes = [f"{secrets.randbelow(10**DIGITS_OF_RECOVERY):012}" for _ in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=device, token=code) for code in codes)
    return [" ".join(re.findall("....", code)) for code in codes]


def recovery_codes_left(user: User) -> int:
    return StaticToken.objects.filter(device__user=user).count()


@transaction.atomic
def forget(user: User) -> bool:
    """Forget the user's phone and recovery codes, and sign them out everywhere.

    Was there anything to forget?
    """
    phones, _ = TOTPDevice.objects.filter(user=user).delete()
    codes, _ = StaticDevice.objects.filter(user=user).delete()
    _end_sessions_of(user)
    return bool(phones or codes)


def _end_sessions_of(user: User) -> None:
    """Whoever sits at one of them would else set up a phone of their own."""
    open_ones = Session.objects.filter(expire_date__gt=timezone.now())
    theirs = [one.pk for one in open_ones if one.get_decoded().get(SESSION_KEY) == str(user.pk)]
    Session.objects.filter(pk__in=theirs).delete()


def as_picture(phone: TOTPDevice) -> SafeString:
    """The secret as a QR code, an SVG; its only content is the outline of squares."""
    code = qrcode.make(phone.config_url, image_factory=SvgPathImage, box_size=10, border=2)
    return mark_safe(code.to_string(encoding="unicode"))  # nosec B308 B703  # noqa: S308


def as_text(phone: TOTPDevice) -> str:
    """The secret as somebody types it."""
    return " ".join(re.findall(".{1,4}", b32encode(unhexlify(phone.key)).decode().rstrip("=")))
