from django.apps import AppConfig
from django.db.models.signals import post_migrate


class DefectsConfig(AppConfig):
    name = "defects"

    def ready(self) -> None:
        from defects.models import Attachment
        from defects.shipped import create_report_form
        from whatsapp_bot.models.media import seen_with

        seen_with["defects.view_defectreport"] = lambda: Attachment.objects.values("message")
        post_migrate.connect(create_report_form, sender=self)
