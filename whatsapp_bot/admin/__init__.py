from whatsapp_bot.admin import files, people, sending, wording
from whatsapp_bot.admin.log import LogAdmin

__all__ = ["LogAdmin", "files", "people", "sending", "wording"]
