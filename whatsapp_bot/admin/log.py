"""What was said, in the admin."""

from typing import Any

from django.http import HttpRequest

from whatsapp_bot.admin.base import ModelAdmin


class LogAdmin(ModelAdmin):
    """For what people said: it can be read, and neither made up nor changed nor deleted."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
