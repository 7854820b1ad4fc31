"""How messages leave: our number, and the message templates."""

from django.contrib import admin
from unfold.admin import ModelAdmin

from whatsapp_bot.admin.people import LogAdmin
from whatsapp_bot.models import Channel, MessageTemplate


@admin.register(Channel)
class ChannelAdmin(LogAdmin):
    list_display = ["number", "stopped_at", "trouble"]
    search_fields = ["number"]

    @admin.display(description="why", empty_value="–")
    def trouble(self, channel: Channel) -> str:
        return channel.trouble


@admin.register(MessageTemplate)
class MessageTemplateAdmin(ModelAdmin):
    list_display = ["__str__", "language", "content_sid", "approval", "checked_at"]
    list_filter = ["approval", "language"]
    search_fields = ["notice", "content_sid", "body"]
    readonly_fields = ["reason", "checked_at"]
