"""Signing in with a password and a code from a phone."""

import re
from base64 import b32decode
from datetime import UTC, datetime, timedelta
from io import StringIO
from urllib.parse import urlencode

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from config.access.cleaning import forget_old_sign_ins

pytestmark = pytest.mark.django_db
LOGIN = reverse("admin:login")
CODE = reverse("second_factor:page")
SET_UP = reverse("second_factor:set_up")
PROVE = reverse("second_factor:prove")
NEW_CODES = reverse("second_factor:recovery_codes")
ORDERS = reverse("admin:orders_order_changelist")
PASSWORD = "long and easy"  # noqa: S105


@pytest.fixture(autouse=True)
def _switched_on(settings) -> None:
    settings.ADMIN_SECOND_FACTOR = True


@pytest.fixture
def clock():
    with time_machine.travel(datetime(2026, 3, 2, 8, 0, tzinfo=UTC), tick=False) as clock:
        yield clock


@pytest.fixture
def nomsa(clock) -> User:
    user = User.objects.create_user("nomsa", password=PASSWORD, is_staff=True)
    user.groups.add(Group.objects.get(name="Managers"))
    return user


def password(name: str = "nomsa", to: str = ORDERS) -> Client:
    """A browser in which somebody has given their password."""
    browser = Client()
    path = f"{LOGIN}?{urlencode({'next': to})}"
    given = {"username": name, "password": PASSWORD, "next": to}
    assert browser.post(path, given).status_code == 302
    return browser


def shown_by(secret: str) -> str:
    """What the phone shows now."""
    return f"{TOTP(b32decode(secret)).token():06}"


def secret_on(page: str) -> str:
    return re.search(r"<code[^>]*>([A-Z2-7 ]+)</code>", page)[1].replace(" ", "")


def recovery_codes_on(page: str) -> list[str]:
    return re.findall(r">(\d{4} \d{4} \d{4})<", page)


@pytest.fixture
def set_up(nomsa, clock) -> tuple[str, list[str]]:
    """The secret in the phone, and the recovery codes on paper."""
    browser = password()
    secret = secret_on(browser.get(SET_UP).content.decode())
    done = browser.post(SET_UP, {"code": shown_by(secret)})
    clock.shift(timedelta(seconds=30))
    return secret, recovery_codes_on(done.content.decode())


def is_in(browser: Client) -> bool:
    return browser.get(ORDERS).status_code == 200


# Setting up ---------------------------------------------------------------------------------------


def test_the_first_sign_in_sets_up_a_phone(nomsa):
    browser = password()
    to_code = browser.get(ORDERS)
    assert to_code.status_code == 302
    assert to_code.url.startswith(CODE)
    to_set_up = browser.get(to_code.url)
    assert to_set_up.url.startswith(SET_UP)
    page = browser.get(to_set_up.url).content.decode()
    assert "<svg" in page
    assert not is_in(browser)

    secret = secret_on(page)
    wrong = browser.post(SET_UP, {"code": "000000"})
    assert "This code is not right" in wrong.content.decode()
    assert secret_on(wrong.content.decode()) == secret
    assert not TOTPDevice.objects.filter(confirmed=True).exists()


def test_there_is_no_list_yet_that_a_code_could_be_from(nomsa):
    for code in ("0000", "1234 5678 9012"):
        page = password().post(SET_UP, {"code": code}).content.decode()
        assert "The code that the app shows has six digits." in page


def test_on_the_phone_itself_a_link_opens_the_app(nomsa):
    page = password().get(SET_UP).content.decode()
    link = re.search(r'href="(otpauth://totp/Andon%3Anomsa\?[^"]*)"', page)[1]
    assert f"secret={secret_on(page)}&amp;" in link


def test_with_the_code_it_is_done_and_ten_recovery_codes_are_shown_once(set_up, nomsa):
    secret, codes = set_up
    assert len(set(codes)) == 10
    assert TOTPDevice.objects.get().confirmed
    browser = password()
    assert browser.post(CODE, {"code": shown_by(secret)}).status_code == 302
    page = browser.get(CODE).content.decode()
    assert "10 recovery codes are left" in page
    assert not recovery_codes_on(page)
    assert secret not in page


def test_the_secret_of_one_session_is_not_that_of_another(nomsa):
    """Else whoever knew the password for a moment would know the codes of later."""
    first, second = password(), password()
    one = secret_on(first.get(SET_UP).content.decode())
    other = secret_on(second.get(SET_UP).content.decode())
    assert one != other
    assert secret_on(second.get(SET_UP).content.decode()) == other


def test_two_browsers_do_not_hinder_each_other(nomsa):
    first, second = password(), password()
    secret = secret_on(first.get(SET_UP).content.decode())
    second.get(SET_UP)
    first.post(SET_UP, {"code": shown_by(secret)})
    assert is_in(first)
    # It has to give the code of the phone that there is now.
    to_code = second.post(SET_UP, {"code": "123456"}, follow=True)
    assert to_code.request["PATH_INFO"] == CODE
    assert "Another phone has been set up in the meantime" in to_code.content.decode()
    assert TOTPDevice.objects.count() == 1


def test_a_phone_that_was_never_set_up_is_forgotten_with_its_session(nomsa, clock, settings):
    password().get(SET_UP)
    forget_old_sign_ins()
    assert TOTPDevice.objects.exists()
    clock.shift(timedelta(seconds=settings.SESSION_COOKIE_AGE + 1))
    forget_old_sign_ins()
    assert not TOTPDevice.objects.exists()


def test_one_that_is_set_up_is_not(set_up, clock, settings):
    clock.shift(timedelta(seconds=settings.SESSION_COOKIE_AGE + 1))
    forget_old_sign_ins()
    assert TOTPDevice.objects.get().confirmed


def test_who_has_a_phone_cannot_set_up_another_by_the_password_alone(set_up):
    browser = password()
    for answer in (browser.get(SET_UP), browser.post(SET_UP, {"code": "123456"})):
        assert answer.status_code == 302
        assert answer.url.startswith(CODE)
    assert browser.post(NEW_CODES).status_code == 302
    assert TOTPDevice.objects.count() == 1


def test_a_new_phone_takes_the_place_of_the_old_one(set_up, clock):
    old, codes = set_up
    browser = password()
    browser.post(CODE, {"code": shown_by(old)})
    clock.shift(timedelta(seconds=30))
    browser.post(PROVE, {"code": shown_by(old)})
    page = browser.get(SET_UP).content.decode()
    assert "neither do your recovery codes" in page
    assert f'href="{CODE}">Back' in page
    new = secret_on(page)
    assert is_in(browser)
    clock.shift(timedelta(seconds=30))
    done = browser.post(SET_UP, {"code": shown_by(new)}).content.decode()
    assert recovery_codes_on(done) != codes
    assert "The recovery codes that you had before do not work any more" in done
    assert is_in(browser)
    clock.shift(timedelta(seconds=30))
    for code, gets_in in ((shown_by(old), False), (codes[0], False)):
        another = password()
        another.post(CODE, {"code": code})
        assert is_in(another) == gets_in
    clock.shift(timedelta(minutes=5))
    another = password()
    another.post(CODE, {"code": shown_by(new)})
    assert is_in(another)


# Proving it once more -----------------------------------------------------------------------------


def test_an_open_browser_is_not_enough_for_another_phone(set_up, clock):
    secret, codes = set_up
    browser = password()
    browser.post(CODE, {"code": shown_by(secret)})
    clock.shift(timedelta(seconds=30))
    for answer in (browser.get(SET_UP), browser.post(SET_UP, {"code": "123456"})):
        assert answer.url.startswith(PROVE)
    assert "not right" in browser.post(PROVE, {"code": "000000"}).content.decode()
    browser.post(PROVE, {"password": PASSWORD})
    assert browser.get(SET_UP).url.startswith(PROVE)
    assert browser.post(PROVE, {"code": codes[0]}).url.startswith(SET_UP)
    assert browser.get(SET_UP).status_code == 200
    clock.shift(timedelta(minutes=16))
    assert browser.get(SET_UP).url.startswith(PROVE)


def test_whose_phone_is_lost_needs_one_recovery_code_and_not_two(set_up):
    _secret, codes = set_up
    browser = password()
    browser.post(CODE, {"code": codes[0]})
    assert browser.get(SET_UP).status_code == 200


def test_nor_is_it_for_a_first_phone(nomsa, clock):
    """In a session from before there was a second factor, say."""
    browser = password()
    clock.shift(timedelta(minutes=16))
    page = browser.get(browser.get(CODE).url, follow=True)
    assert "type your password once more" in page.content.decode()
    assert "This is not your password" in browser.post(PROVE, {"password": "x"}).content.decode()
    assert browser.get(SET_UP).status_code == 302
    to_set_up = browser.post(PROVE, {"password": PASSWORD, "next": ORDERS})
    assert browser.get(to_set_up.url).context["next"] == ORDERS


def test_nobody_guesses_the_password_there(nomsa, clock, settings):
    browser = password()
    clock.shift(timedelta(minutes=16))
    tries = [
        browser.post(PROVE, {"password": "wrong"}).status_code
        for _ in range(settings.AXES_FAILURE_LIMIT)
    ]
    assert tries[-1] == 429
    assert browser.post(PROVE, {"password": PASSWORD}).status_code == 429


def test_who_has_a_phone_proves_nothing_by_the_password(set_up):
    browser = password()
    assert browser.post(PROVE, {"password": PASSWORD}).url.startswith(CODE)
    assert browser.get(SET_UP).url.startswith(CODE)


# Signing in ---------------------------------------------------------------------------------------


def test_the_code_leads_where_one_wanted_to_go(set_up):
    browser = password()
    to_code = browser.get(ORDERS).url
    page = browser.get(to_code)
    assert page.context["next"] == ORDERS
    before = browser.session.session_key
    answer = browser.post(
        CODE, {"code": f" {shown_by(set_up[0])[:3]} {shown_by(set_up[0])[3:]}", "next": ORDERS}
    )
    assert (answer.status_code, answer.url) == (302, ORDERS)
    assert is_in(browser)
    assert browser.session.session_key != before


@pytest.mark.parametrize(
    "away", ["https://evil.example.com/", "//evil.example.com", "javascript:x"]
)
def test_and_never_elsewhere(set_up, away):
    answer = password().post(CODE, {"code": shown_by(set_up[0]), "next": away})
    assert answer.url == reverse("admin:index")


@pytest.mark.parametrize(
    "path", [ORDERS, "/admin/", "/simulator/", "/files/1/", "/admin/password_change/", NEW_CODES]
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_by_the_password_alone_one_gets_nowhere(set_up, path, method):
    answer = getattr(password(), method)(path)
    assert answer.status_code in (302, 405)
    if answer.status_code == 302:
        assert answer.url.startswith(CODE)


def test_a_page_learns_that_the_code_is_missing_before_it_is_sent(set_up):
    """signed_in.js asks there; what was posted would be gone: see above."""
    User.objects.update(is_superuser=True)
    whole = password()
    whole.post(CODE, {"code": shown_by(set_up[0]), "next": ORDERS})
    page = whole.get(reverse("admin:orders_order_add")).content.decode()
    (asks,) = re.findall('data-asks="(.+?)"', page)
    assert whole.get(asks).status_code == 200
    assert password().get(asks).url.startswith(CODE)


def test_one_may_sign_out_half_way(set_up):
    browser = password()
    browser.post(reverse("admin:logout"))
    assert browser.get(CODE).url.startswith(LOGIN)


def test_a_code_is_good_for_one_sign_in(set_up):
    code = shown_by(set_up[0])
    first, second = password(), password()
    first.post(CODE, {"code": code})
    second.post(CODE, {"code": code})
    assert is_in(first)
    assert not is_in(second)


def test_a_code_of_a_minute_ago_is_too_old(set_up, clock):
    code = shown_by(set_up[0])
    clock.shift(timedelta(seconds=61))
    browser = password()
    browser.post(CODE, {"code": code})
    assert not is_in(browser)


def test_the_code_of_somebody_else_is_wrong(set_up):
    thabo = User.objects.create_user("thabo", password=PASSWORD, is_staff=True)
    TOTPDevice.objects.create(user=thabo, name="Phone")
    browser = password("thabo")
    browser.post(CODE, {"code": shown_by(set_up[0])})
    browser.post(CODE, {"code": set_up[1][0]})
    assert browser.get("/admin/").status_code == 302


@pytest.mark.parametrize("code", ["", "12345", "abcdef", "1234567", "١٢٣٤٥٦", "\x00", "9" * 4000])
def test_what_is_no_code_is_refused_in_words(set_up, code):
    answer = password().post(CODE, {"code": code})
    assert answer.status_code == 200
    assert answer.context["form"].errors["code"]


def test_guessing_has_to_wait_longer_each_time(set_up, clock):
    browser = password()
    for _ in range(4):
        assert "not right" in browser.post(CODE, {"code": "000000"}).content.decode()
        clock.shift(timedelta(seconds=10))
    browser.post(CODE, {"code": "000000"})
    soon = browser.post(CODE, {"code": shown_by(set_up[0])})
    assert "Please wait 16 seconds" in soon.content.decode()
    assert not is_in(browser)
    clock.shift(timedelta(seconds=17))
    browser.post(CODE, {"code": shown_by(set_up[0])})
    assert is_in(browser)


def test_after_one_wrong_code_it_is_one_second(set_up, clock):
    browser = password()
    browser.post(CODE, {"code": "000000"})
    soon = browser.post(CODE, {"code": shown_by(set_up[0])}).content.decode()
    assert (
        "After a wrong code one has to wait, longer each time. Please wait 1 second, then" in soon
    )
    clock.shift(timedelta(seconds=2))
    browser.post(CODE, {"code": shown_by(set_up[0])})
    assert is_in(browser)


# Recovery codes -----------------------------------------------------------------------------------


def test_a_recovery_code_lets_in_once(set_up):
    _secret, codes = set_up
    browser = password()
    answer = browser.post(CODE, {"code": codes[0]}, follow=True)
    assert "9 recovery codes are left" in answer.content.decode()
    assert is_in(browser)
    again = password()
    said = again.post(CODE, {"code": codes[0].replace(" ", "-")}).content.decode()
    assert "or it has been used: each is good once" in said
    assert not is_in(again)


def test_new_ones_end_the_old_ones(set_up, clock):
    secret, codes = set_up
    browser = password()
    browser.post(CODE, {"code": shown_by(secret)})
    asked = browser.get(NEW_CODES).content.decode()
    assert "The ones that you have now stop working." in asked
    assert not recovery_codes_on(browser.post(NEW_CODES).content.decode())
    assert not recovery_codes_on(browser.post(NEW_CODES, {"code": "000000"}).content.decode())
    clock.shift(timedelta(seconds=30))
    page = browser.post(NEW_CODES, {"code": shown_by(secret)}).content.decode()
    new = recovery_codes_on(page)
    assert len(new) == 10
    assert "you had before do not work any more" in page
    old = password()
    old.post(CODE, {"code": codes[0]})
    assert not is_in(old)


# Looking after it ---------------------------------------------------------------------------------


@pytest.fixture
def administrator() -> Client:
    """Who has given a code already."""
    user = User.objects.create_user("boss", password=PASSWORD, is_staff=True)
    user.groups.add(Group.objects.get(name="Administrators"))
    phone = TOTPDevice.objects.create(user=user, name="Phone")
    browser = Client()
    browser.force_login(user)
    session = browser.session
    session["otp_device_id"] = phone.persistent_id
    session.save()
    return browser


def test_an_administrator_resets_a_lost_phone(administrator, set_up, nomsa):
    inside = password()
    inside.post(CODE, {"code": shown_by(set_up[0])})
    assert is_in(inside)
    page = administrator.get(reverse("admin:auth_user_change", args=[nomsa.pk]))
    reset = reverse("admin:auth_user_reset_second_factor", args=[nomsa.pk])
    assert f'href="{reset}" target="_blank"' in page.content.decode()
    assert "Reset the second factor of nomsa?" in administrator.get(reset).content.decode()
    assert is_in(inside)
    done = administrator.post(reset, follow=True).content.decode()
    assert "is signed out everywhere, and sets up another phone at the next sign-in" in done
    assert LogEntry.objects.filter(change_message__contains="second factor was reset").exists()
    for path in (ORDERS, CODE, SET_UP):
        assert inside.get(path).url.startswith(LOGIN)
    assert is_in(administrator)
    assert password().get(CODE).url.startswith(SET_UP)


def test_their_own_they_look_after_with_a_code(administrator):
    boss = User.objects.get(username="boss")
    reset = reverse("admin:auth_user_reset_second_factor", args=[boss.pk])
    for answer in (administrator.get(reset), administrator.post(reset)):
        assert answer.url == CODE
    assert TOTPDevice.objects.filter(user=boss).exists()


def test_nobody_else_does(set_up, nomsa):
    helper = User.objects.create_user("helper", is_staff=True)
    helper.groups.add(Group.objects.get(name="Managers"))
    browser = Client()
    browser.force_login(helper)
    reset = reverse("admin:auth_user_reset_second_factor", args=[nomsa.pk])
    browser.post(reset)
    assert browser.get(reset).status_code in (302, 403)
    assert TOTPDevice.objects.filter(user=nomsa).exists()


def test_the_secrets_are_not_in_the_admin(administrator):
    User.objects.filter(username="boss").update(is_superuser=True)
    for path in ("/admin/otp_totp/totpdevice/", "/admin/otp_static/staticdevice/"):
        assert administrator.get(path).status_code == 404


def test_a_command_for_when_nobody_can_sign_in(set_up):
    inside, out = password(), StringIO()
    call_command("forget_second_factor", "nomsa", stdout=out)
    assert inside.get(CODE).url.startswith(LOGIN)
    call_command("forget_second_factor", "nomsa", stdout=out)
    assert "sets up another phone" in out.getvalue()
    assert "nothing to forget" in out.getvalue()
    assert not TOTPDevice.objects.exists()
    with pytest.raises(CommandError):
        call_command("forget_second_factor", "nobody")


# Where it is switched off -------------------------------------------------------------------------


def test_where_it_is_off_the_password_is_enough(set_up, settings):
    settings.ADMIN_SECOND_FACTOR = False
    browser = password()
    assert is_in(browser)
    assert "Second factor" not in browser.get("/admin/").content.decode()
    for path in (CODE, PROVE, SET_UP, NEW_CODES):
        assert browser.get(path).status_code == 404


def test_strangers_and_those_who_are_no_staff(nomsa):
    assert Client().get(CODE).url.startswith(LOGIN)
    nomsa.is_staff = False
    nomsa.save()
    browser = Client()
    browser.force_login(nomsa)
    assert browser.get(CODE).status_code == 403


@pytest.mark.usefixtures("read_once")
def test_the_webhook_knows_nothing_of_it(phone, django_assert_max_num_queries):
    phone.say("hi")
    with django_assert_max_num_queries(8):  # four, and what begins and ends the transaction
        phone.say("menu")
