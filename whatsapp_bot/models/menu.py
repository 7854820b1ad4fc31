from collections.abc import Iterable

from django.db import models

from whatsapp_bot.addresses import MAIN, MAIN_MENU, MENU
from whatsapp_bot.models.contact import Contact, Role
from whatsapp_bot.recent import Recent
from whatsapp_bot.whatsapp_text import alike, digits_to_number, preview


class Menu(models.Model):
    key = models.SlugField(unique=True, help_text="What menu items and flows call it by.")
    text = models.TextField(help_text="What stands above the numbered items.")

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.key

    @property
    def address(self) -> str:
        return f"{MENU}:{self.key}"

    def add_item(self, label: str, opens: str) -> "MenuItem":
        """Put an item on the menu, above the way back; the one that is there already stays."""
        there = self.items.filter(opens=opens).first()
        if there:
            return there
        items = list(self.items.all())
        last = items[-1] if items and items[-1].menu_opened else None
        position = items[-1].position + 10 if items else 10
        if last:
            position = last.position
            last.position += 10
            last.save(update_fields=["position"])
        return self.items.create(label=MenuItem.shortened(label), opens=opens, position=position)

    def other_called(self, label: str, opens: str) -> "MenuItem | None":
        """The item with this label that opens something else, if there is one."""
        others = self.items.exclude(opens=opens)
        return others.filter(label__iexact=MenuItem.shortened(label)).first()


class MenuItem(models.Model):
    class Audience(models.TextChoices):
        EVERYONE = "everyone", "everyone"
        CUSTOMERS = Role.CUSTOMER, "customers"
        WORKERS = Role.WORKER, "workers"

    menu = models.ForeignKey(Menu, models.CASCADE, related_name="items")
    position = models.PositiveSmallIntegerField("place", default=0)
    label = models.CharField(max_length=24, help_text="24 characters fit a WhatsApp list.")
    opens = models.CharField(max_length=120)
    audience = models.CharField(
        "shown to", max_length=10, choices=Audience, default=Audience.EVERYONE
    )

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.label

    @property
    def menu_opened(self) -> str:
        """The key of the menu that it opens; "" where that is something else."""
        flow, _, key = self.opens.partition(":")
        return key if flow == MENU else ""

    @classmethod
    def shortened(cls, label: str) -> str:
        return preview(label, cls._meta.get_field("label").max_length)

    def is_for(self, contact: Contact) -> bool:
        return self.audience in (self.Audience.EVERYONE, contact.role)


class Page(models.Model):
    """A text that a menu item opens."""

    key = models.SlugField(unique=True, help_text="What menu items call it by.")
    title = models.CharField(max_length=80)
    text = models.TextField()

    class Meta:
        verbose_name = "text page"
        ordering = ["title"]

    def __str__(self) -> str:
        return self.title

    @property
    def address(self) -> str:
        return f"page:{self.key}"


def problems_with(key: str, items: Iterable[MenuItem], there: Iterable[str]) -> list[str]:
    """Why the menu `key` cannot have these items, in sentences.

    there: the addresses of everything that an item may open.
    """
    items, there, own = list(items), set(there), Menu(key=key).address
    elsewhere = [item for item in items if item.opens != own]
    problems = [
        f"“{item.label}” leads nowhere: what it opens is not there."
        for item in elsewhere
        if item.opens not in there
    ]
    if key != MAIN:
        problems += [
            f"“{item.label}” leads into this menu itself." for item in items if item.opens == own
        ]
    if not any(item.audience == MenuItem.Audience.EVERYONE for item in elsewhere):
        problems.append(
            "This menu leads nowhere: add an item for everyone that opens something else."
        )
    problems += [
        f"“{label}” is there twice: nobody could tell the two apart."
        for label in alike([item.label for item in items])
    ]
    problems += [
        f"“{item.label}” would be taken for the number of an item."
        for item in items
        if 1 <= (digits_to_number(item.label) or 0) <= len(items)
    ]
    return problems or _ways_back(key, items)


def _ways_back(key: str, items: list[MenuItem]) -> list[str]:
    """Which menus would have no way back to the main menu that everyone sees."""
    ways: dict[str, set[str]] = {}
    others = MenuItem.objects.exclude(menu__key=key).select_related("menu")
    for menu, item in [(key, item) for item in items] + [(one.menu.key, one) for one in others]:
        ways.setdefault(menu, set())
        if item.menu_opened and item.audience == MenuItem.Audience.EVERYONE:
            ways[menu].add(item.menu_opened)
    home = {MAIN}
    while found := {menu for menu, leads in ways.items() if leads & home} - home:
        home |= found
    lost = sorted(set(ways) - home)
    if key in lost:
        return ["This menu has no way back: add an item for everyone that opens the main menu."]
    return [f"The menu {menu} would have no way back to the main menu." for menu in lost]


@Recent
def menus() -> dict[str, tuple[Menu, list[MenuItem]]]:
    """All menus with their items in order, by key."""
    every = Menu.objects.prefetch_related("items")
    return {menu.key: (menu, list(menu.items.all())) for menu in every}


def opened_for(contact: Contact) -> set[str]:
    """The addresses that the menus open for this contact, from the main menu on."""
    items = {menu.address: items for menu, items in menus().values()}
    opened: set[str] = set()
    ahead = {MAIN_MENU}
    while ahead:
        opened |= ahead
        of_these = [item for address in ahead for item in items.get(address, [])]
        ahead = {item.opens for item in of_these if item.is_for(contact)} - opened
    return opened


@Recent
def pages() -> dict[str, Page]:
    """All text pages, by key."""
    return {page.key: page for page in Page.objects.all()}
