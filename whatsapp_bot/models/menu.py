from django.db import models

from whatsapp_bot.models.contact import Contact, Role
from whatsapp_bot.recent import Recent


class Menu(models.Model):
    key = models.SlugField(unique=True, help_text="What menu items and flows call it by.")
    text = models.TextField(help_text="What stands above the numbered items.")

    def __str__(self) -> str:
        return self.key


class MenuItem(models.Model):
    class Audience(models.TextChoices):
        EVERYONE = "everyone", "everyone"
        CUSTOMERS = Role.CUSTOMER, "customers"
        WORKERS = Role.WORKER, "workers"

    menu = models.ForeignKey(Menu, models.CASCADE, related_name="items")
    position = models.PositiveSmallIntegerField(default=0)
    label = models.CharField(max_length=24, help_text="24 characters fit a WhatsApp list.")
    opens = models.CharField(max_length=120)
    audience = models.CharField(
        "shown to", max_length=10, choices=Audience, default=Audience.EVERYONE
    )

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.label

    def is_for(self, contact: Contact) -> bool:
        return self.audience in (self.Audience.EVERYONE, contact.role)


@Recent
def menus() -> dict[str, tuple[Menu, list[MenuItem]]]:
    """All menus with their items in order, by key."""
    every = Menu.objects.prefetch_related("items")
    return {menu.key: (menu, list(menu.items.all())) for menu in every}
