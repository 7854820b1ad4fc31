from django.apps import AppConfig
from django.db.models.signals import post_migrate


class DefectsConfig(AppConfig):
    name = "defects"

    def ready(self) -> None:
        from defects.shipped import create_report_form

        post_migrate.connect(create_report_form, sender=self)
