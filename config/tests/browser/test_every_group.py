"""Somebody of each group goes through the sidebar, and knocks at the doors of the others."""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.utils.html import strip_tags
from playwright.sync_api import BrowserContext, Page, Response, expect

from config.tests.browser.conftest import session
from config.tests.browser.test_pages import HAS_ROOM, assert_fits
from config.tests.test_who_may_what import GROUPS, IN_THE_SIDEBAR

pytestmark = pytest.mark.browser

# Who may do everything has every link. The first page and one's own password are for all.
EVERYBODYS = ["/admin/", "/admin/password_change/"]


@pytest.fixture
def somebody_of(
    base: str, editor: User, new_context: Callable[..., BrowserContext]
) -> Callable[..., BrowserContext]:
    """A browser in which somebody of the group is signed in; of none, when there is no such."""

    def sign_in(letter: str, refused: Sequence[str] = (), **options: Any) -> BrowserContext:
        user, _ = User.objects.get_or_create(username=f"user-{letter}", is_staff=True)
        user.groups.set(Group.objects.filter(name=GROUPS.get(letter, "")))
        addresses = [base + path for path in refused]
        context = new_context(signed_in=False, refused=addresses, **options)
        context.add_cookies([{"name": "sessionid", "value": session(user), "url": base}])
        return context

    return sign_in


def links_of(page: Page, base: str) -> dict[str, str]:
    """The sidebar: where its links lead, and what they are called."""
    page.goto(f"{base}/admin/")
    links = page.locator("#nav-sidebar-apps a").evaluate_all(
        "links => links.map((link) => [link.getAttribute('href'),"
        " link.querySelector('span:not(.material-symbols-outlined)').textContent])"
    )
    return {path: title.strip() for path, title in links}


@pytest.fixture
def everywhere(base: str, somebody_of: Callable[..., BrowserContext]) -> dict[str, str]:
    """All links of the sidebar, with something to be seen on each page."""
    call_command("demo", "--anyway", verbosity=0)
    everywhere = links_of(somebody_of("A").new_page(), base)
    assert len(everywhere) > 20
    return everywhere


@pytest.mark.parametrize("letter", [*GROUPS, "N"])
def test_each_walks_through_the_sidebar_and_is_kept_out_of_the_rest(
    base: str,
    somebody_of: Callable[..., BrowserContext],
    everywhere: dict[str, str],
    letter: str,
):
    wrong: list[str] = []

    def note(response: Response) -> None:
        if response.status >= 400 and not response.request.is_navigation_request():
            wrong.append(f"{response.status} {response.url}")

    context = somebody_of(letter, viewport={"width": 1400, "height": 844})
    context.on("response", note)
    page = context.new_page()
    mine = links_of(page, base)
    if letter in IN_THE_SIDEBAR:
        assert ", ".join(mine.values()) == IN_THE_SIDEBAR[letter]
    for path in (*EVERYBODYS, *mine):
        answer = page.goto(base + path)
        assert (answer.status, urlsplit(page.url).path) == (200, path.partition("?")[0])
        expect(page.locator("main, #main, #chat").first).to_be_visible()
        lists = page.locator("#result_list")
        assert lists.evaluate_all(f"lists => lists.every({HAS_ROOM})"), f"{path} has no room"

    others = [path for path in everywhere if path not in mine]
    for path in others:
        refused = context.request.get(base + path)
        assert refused.status == 403, path
        said = strip_tags(refused.text())
        assert "This page is not for you to open." in said
        assert f"You are signed in as user-{letter}" in said
    if others:
        # On a phone, and every other one in the dark.
        scheme = "dark" if letter in "EN" else "light"
        size = {"width": 390, "height": 844}
        context = somebody_of(letter, others[-1:], color_scheme=scheme, viewport=size)
        context.on("response", note)
        page = context.new_page()
        page.goto(base + others[-1])
        expect(page.get_by_role("heading")).to_have_text("This page is not for you to open.")
        expect(page.get_by_text(f"You are signed in as user-{letter}")).to_be_visible()
        assert_fits(page, scheme)
        page.get_by_role("link", name="To the first page").click()
        page.wait_for_url(f"{base}/admin/")
    assert not wrong
