"""The simulator, as somebody uses it."""

from urllib.parse import quote

from playwright.sync_api import Locator, Page, expect

from whatsapp_bot.simulator.people import CAST


class Handset:
    """The phone on the simulator's page."""

    def __init__(self, page: Page, base: str) -> None:
        self.page = page
        self.base = base
        self.box = page.locator("#box")
        self.theirs = page.locator("#log .row.theirs")
        self.mine = page.locator("#log .row.mine")

    def open(self, whom: str = "worker") -> None:
        """Type as one of the cast."""
        person = CAST[whom]
        self.page.goto(f"{self.base}/simulator/#{quote(person.address)}")
        expect(self.page.locator("#whom")).to_have_text(person.name)
        self.wait_until_read()

    def wait_until_read(self) -> None:
        """Wait until what was said earlier is there."""
        expect(
            self.page.locator("#start:visible, #log:not([aria-busy]) .row").first
        ).to_be_visible()

    @property
    def last(self) -> Locator:
        return self.theirs.last.locator(".words")

    def say(self, text: str) -> str:
        """Type it, send it, and read the reply."""
        before = self.theirs.count()
        self.box.fill(text)
        self.box.press("Enter")
        return self.reply_after(before)

    def tap(self, label: str) -> str:
        """Tap the option with this label, whatever its number."""
        before = self.theirs.count()
        options = self.theirs.last.get_by_role("button")
        labels = [text.partition(". ")[2] for text in options.all_inner_texts()]
        options.nth(labels.index(label)).click()
        return self.reply_after(before)

    def send_picture(self, caption: str = "") -> str:
        before = self.theirs.count()
        self.page.get_by_role("button", name="Attach").click()
        self.page.get_by_role("menuitem", name="Example picture").click()
        self.box.fill(caption)
        self.box.press("Enter")
        return self.reply_after(before)

    def reply_after(self, before: int) -> str:
        self.theirs.nth(before).wait_for()
        return self.last.inner_text()
