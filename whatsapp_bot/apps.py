from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules


class WhatsappBotConfig(AppConfig):
    name = "whatsapp_bot"
    verbose_name = "WhatsApp"

    def ready(self) -> None:
        from whatsapp_bot import checks, shipped  # noqa: F401

        autodiscover_modules("chat")
        post_migrate.connect(shipped.create_menus, sender=self)
        post_migrate.connect(shipped.create_wordings, sender=self)
