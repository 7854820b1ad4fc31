"""Pages in a real browser: Debian's Chromium, which may reach this machine and nothing else.

Its shell has no windows to draw, and takes two thirds of the time.
"""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings as project
from django.contrib.auth.models import Permission, User
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.db.models import Q
from django.test import Client
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect

from config.tests.browser.editing import Editing
from config.tests.browser.handset import Handset

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    # What a page asks of another machine is noticed below; this keeps it from leaving.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
# Milliseconds after which something that did not happen has failed, on a busy machine as well.
PATIENCE = 30_000
LOOKS = [(390, "light"), (1400, "dark")]
"""As what a page is opened; each page is then looked at in both widths."""
EDITED = ["wording", "menu", "menuitem", "page", "reportform", "question", "formversion"]
REVIEWED = ["defectreport", "defectcategory", "disposition", "correctiveaction", "media", "note"]
WRITTEN_ON = ["contact", "message", "helprequest", "defectreport", "attachment", "messagetemplate"]

SETTLED = """() => document.fonts.ready.then(() => new Promise((settled) => {
    requestAnimationFrame(() => requestAnimationFrame(settled));
}))"""


# What the Content-Security-Policy refused is a fault of the page, also when nobody sees it.
TELL_WHAT_WAS_REFUSED = """
    document.addEventListener("securitypolicyviolation", (refused) => console.error(
        `refused by the policy: ${refused.violatedDirective} ${refused.blockedURI}`
    ));
"""


def settle(page: Page) -> None:
    """Wait until what has loaded is laid out in its own fonts, and painted.

    Playwright's `networkidle` may never come for a page whose loading paused for half a second:
    https://github.com/microsoft/playwright/issues/42598.
    """
    page.evaluate(SETTLED)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests in the browser go last: from the first of them on, an event loop runs in the thread."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(scope="session", autouse=True)
def _chromium() -> None:
    if CHROMIUM:
        return
    reason = "There is no Chromium here (on Debian: apt install chromium-headless-shell)."
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session", autouse=True)
def _database_beside_playwright() -> Iterator[None]:
    """Playwright's event loop makes Django take these tests for asynchronous code."""
    expect.set_options(timeout=PATIENCE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield


@pytest.fixture(scope="session", autouse=True)
def _static_files_as_in_production() -> Iterator[None]:
    """The live server leaves them to WhiteNoise, so that the browser may keep them for a minute."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StaticFilesHandler, "_should_handle", lambda handler, path: False)
        yield


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": ARGUMENTS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """Nothing moves for the sake of those who look, and their day is the factory's."""
    its_own = {"reduced_motion": "reduce", "timezone_id": project.TIME_ZONE}
    return {**browser_context_args, **its_own}


@pytest.fixture
def base(live_server: Any, settings: Any) -> str:
    """The address of the server, which speaks plain HTTP here."""
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = False
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "127.0.0.1"]
    return live_server.url.replace("localhost", "127.0.0.1")


@pytest.fixture
def editor(transactional_db: None) -> User:
    """Somebody of the staff who may edit what the bot says, and nothing else."""
    editor = User.objects.create_user("editor", password="long and easy", is_staff=True)
    edits = Q(content_type__model__in=EDITED) | Q(codename="use_simulator")
    editor.user_permissions.set(Permission.objects.filter(edits))
    return editor


@pytest.fixture(params=LOOKS, ids=lambda look: "-".join(map(str, look)))
def look(request: pytest.FixtureRequest) -> tuple[int, str]:
    return request.param


@pytest.fixture
def clerk(editor: User) -> User:
    """The editor, who may write to people as well."""
    editor.user_permissions.add(*Permission.objects.filter(content_type__model__in=WRITTEN_ON))
    return editor


@pytest.fixture
def reviewer(clerk: User) -> User:
    """The clerk, who may review reports as well."""
    clerk.user_permissions.add(*Permission.objects.filter(content_type__model__in=REVIEWED))
    return clerk


@pytest.fixture
def new_context(
    base: str, editor: User, new_context: Callable[..., BrowserContext]
) -> Iterator[Callable[..., BrowserContext]]:
    """Every browser of these tests: the editor is signed in, and each fault and request noted.

    With `signed_in=False` nobody is. The addresses in `refused` are expected to be refused.
    """
    requests: list[str] = []
    faults: list[str] = []

    expected: set[str] = set()

    def note(message: ConsoleMessage) -> None:
        if "status of 429" in message.text:  # the page for those who have to wait
            return
        if "status of 403" in message.text and message.location["url"] in expected:
            return
        if message.type in ("error", "warning"):
            faults.append(f"{message.text} ({message.location['url']})")

    def make(
        *, signed_in: bool = True, refused: Iterable[str] = (), **options: Any
    ) -> BrowserContext:
        expected.update(refused)
        context = new_context(**options)
        context.set_default_timeout(PATIENCE)
        context.add_init_script(TELL_WHAT_WAS_REFUSED)
        context.on("request", lambda request: requests.append(request.url))
        context.on("weberror", lambda error: faults.append(str(error.error)))
        context.on("console", note)
        context.on("dialog", lambda dialog: (faults.append(dialog.message), dialog.dismiss()))
        if signed_in:
            context.add_cookies([{"name": "sessionid", "value": session(editor), "url": base}])
        return context

    yield make
    away = [url for url in requests if urlsplit(url).scheme not in ("data", "blob")]
    away = [url for url in away if urlsplit(url).hostname != "127.0.0.1"]
    assert requests, "nothing was asked of any server"
    assert not away, f"requests left this machine: {away}"
    assert not faults, f"the pages have faults: {faults}"


def session(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


@pytest.fixture
def editing(page: Page, base: str) -> Editing:
    """The editor at the admin."""
    return Editing(page, base)


@pytest.fixture
def handset(context: BrowserContext, base: str) -> Callable[..., Handset]:
    """A phone in a tab of its own."""

    def open_as(whom: str = "worker") -> Handset:
        phone = Handset(context.new_page(), base)
        phone.open(whom)
        return phone

    return open_as
