from whatsapp_bot.admin import files, help_requests, people, sending, wording
from whatsapp_bot.admin.log import LogAdmin

__all__ = ["LogAdmin", "files", "help_requests", "people", "sending", "wording"]
