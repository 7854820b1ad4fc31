from whatsapp_bot.admin import accounts, people, wording
from whatsapp_bot.admin.people import LogAdmin

__all__ = ["LogAdmin", "accounts", "people", "wording"]
