from whatsapp_bot.models.channel import Channel
from whatsapp_bot.models.contact import Contact
from whatsapp_bot.models.conversation import Conversation
from whatsapp_bot.models.help_request import HelpRequest
from whatsapp_bot.models.media import Media
from whatsapp_bot.models.menu import Menu, MenuItem, Page
from whatsapp_bot.models.message import Message
from whatsapp_bot.models.template import MessageTemplate
from whatsapp_bot.models.wording import Wording

__all__ = [
    "Channel",
    "Contact",
    "Conversation",
    "HelpRequest",
    "Media",
    "Menu",
    "MenuItem",
    "Message",
    "MessageTemplate",
    "Page",
    "Wording",
]
