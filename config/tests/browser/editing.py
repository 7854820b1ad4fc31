"""The admin, as an editor uses it."""

from django.db.models import Model
from playwright.sync_api import Locator, Page, Route, expect

from defects.models import ReportForm
from whatsapp_bot.models import Menu, Wording

ROWS = {"Menu item": "items", "Question": "questions"}

TIME_FLIES = """() => {
  const { setTimeout } = window;
  window.setTimeout = (then) => setTimeout(then, 1);
  let now = 0;
  performance.now = () => (now += 60_000);
}"""


class Editing:
    """The pages on which staff shape what the bot says."""

    def __init__(self, page: Page, base: str) -> None:
        self.page = page
        self.base = base

    def open(self, path: str) -> None:
        """A page of the admin, such as `whatsapp_bot/menu/add/`."""
        self.page.goto(f"{self.base}/admin/{path}")

    def text(self, key: str) -> None:
        """The page of one of the bot's texts."""
        self.page_of(Wording.objects.get(key=key))

    def menu(self, key: str) -> None:
        self.page_of(Menu.objects.get(key=key))

    def form(self, key: str) -> None:
        self.page_of(ReportForm.objects.get(key=key))

    def page_of(self, row: Model) -> None:
        self.open(f"{row._meta.app_label}/{row._meta.model_name}/{row.pk}/change/")

    def find(self, model: str, words: str) -> None:
        """Search in a list, and open the first that is found."""
        self.open(f"{model}/")
        search = self.page.locator("#searchbar")
        search.fill(words)
        search.press("Enter")
        self.page.wait_for_url("**q=**")
        self.page.locator("#result_list a[href*=change]").first.click()
        self.page.wait_for_url("**/change/**")

    def field(self, name: str) -> Locator:
        return self.page.locator(f"[name='{name}']")

    def fill(self, **values: str) -> None:
        """Fill in fields by their names."""
        for name, value in values.items():
            field = self.field(name)
            if field.evaluate("field => field.tagName") == "SELECT":
                field.select_option(value)
            else:
                field.fill(value)

    def choose(self, name: str, label: str) -> None:
        self.field(name).select_option(label=label)

    @property
    def bubble(self) -> Locator:
        return self.page.locator(".bubble")

    def add(self, what: str, **values: str) -> str:
        """Add a menu item or a question, with these values; returns what its fields begin with."""
        number = int(self.field(f"{ROWS[what]}-TOTAL_FORMS").input_value())
        self.page.get_by_text(f"Add another {what}").click()
        row = f"{ROWS[what]}-{number}-"
        self.fill(**{f"{row}{name}": value for name, value in values.items()})
        return row

    def row(self, what: str, called: str, **values: str) -> str:
        """Change the one that is called so; returns what its fields begin with."""
        column = {"Menu item": "label", "Question": "text"}[what]
        own = f"input[name^={ROWS[what]}-][name$=-{column}]"
        found = self.page.locator(own).evaluate_all(
            "(inputs, called) => inputs.find((input) => input.value === called).name", called
        )
        row = found.removesuffix(column)
        self.fill(**{f"{row}{name}": value for name, value in values.items()})
        return row

    def remove(self, what: str, called: str) -> None:
        """Mark the menu item or question for removal."""
        box = f"[name='{self.row(what, called)}DELETE']"
        self.page.locator(f"label:has({box})").click()

    def press(self, button: str) -> None:
        """Press one of the buttons at the end of the page, and wait for what comes of it."""
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=button, exact=True).click()

    def posts_of_two_presses(self, button: str, *, late: bool = False) -> int:
        """Hit a button twice before anything comes of it; how often the page is sent.

        late: the second time after long waiting, and nothing comes of it at all.
        """
        page, posts = self.page, []
        if late:
            page.evaluate(TIME_FLIES)

        def hold(route: Route) -> None:
            posts.append(route) if route.request.method == "POST" else route.continue_()

        page.route("**", hold)
        place = page.get_by_role("button", name=button, exact=True).bounding_box()
        with page.expect_request(lambda request: request.method == "POST"):
            page.mouse.click(place["x"] + 9, place["y"] + 9)
        page.mouse.click(place["x"] + 9, place["y"] + 9)
        page.wait_for_timeout(500)
        posts[0].fulfill(status=204) if late else posts[0].continue_()
        return len(posts)

    def save(self, button: str = "Save", says: str = "successfully") -> None:
        """Save, and see that it is saved."""
        self.press(button)
        expect(self.page.get_by_text(says).first).to_be_visible()
