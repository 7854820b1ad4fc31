from whatsapp_bot.admin import accounts, files, people, sending, wording
from whatsapp_bot.admin.log import LogAdmin

__all__ = ["LogAdmin", "accounts", "files", "people", "sending", "wording"]
