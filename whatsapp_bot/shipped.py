"""The menus that the product comes with. Each app names its items in `chat.py`; staff change them.

They become rows after `migrate`, when there are no menus yet.
"""

from dataclasses import dataclass, field

from django.apps import apps as every_app
from django.apps.registry import Apps


@dataclass
class ShippedMenu:
    key: str
    text: str
    items: dict[int, tuple[str, str]] = field(default_factory=dict)


menus: dict[str, ShippedMenu] = {}


def ship_menu(key: str, text: str) -> None:
    menus[key] = ShippedMenu(key, text)


def ship_item(menu: str, position: int, label: str, opens: str) -> None:
    """Put an item on a shipped menu.

    Raises ValueError when the place is taken.
    """
    items = menus[menu].items
    if position in items:
        raise ValueError(f"{items[position][0]} is in place {position} of {menu} already")
    items[position] = (label, opens)


def create_menus(*, using: str, apps: Apps = every_app, **_: object) -> None:
    """Receiver of `post_migrate`: make rows of the shipped menus unless there are any."""
    try:
        Menu = apps.get_model("whatsapp_bot", "Menu")
        MenuItem = apps.get_model("whatsapp_bot", "MenuItem")
    except LookupError:  # migrated back to nothing
        return
    if Menu.objects.using(using).exists():
        return
    for shipped in menus.values():
        menu = Menu.objects.using(using).create(key=shipped.key, text=shipped.text)
        MenuItem.objects.using(using).bulk_create(
            MenuItem(menu=menu, position=position, label=label, opens=opens)
            for position, (label, opens) in sorted(shipped.items.items())
        )


def create_wordings(*, using: str, apps: Apps = every_app, **_: object) -> None:
    """Receiver of `post_migrate`: a row for each declared text, so that staff find it."""
    from whatsapp_bot.wording import Text

    try:
        Wording = apps.get_model("whatsapp_bot", "Wording")
    except LookupError:  # migrated back to nothing
        return
    Wording.objects.using(using).bulk_create(
        (Wording(key=key) for key in sorted(Text.declared)), ignore_conflicts=True
    )
