from whatsapp_bot.admin import accounts, people, sending, wording
from whatsapp_bot.admin.people import LogAdmin

__all__ = ["LogAdmin", "accounts", "people", "sending", "wording"]
