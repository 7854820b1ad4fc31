"""What a list is narrowed to, for its page."""

from django import template

from whatsapp_bot.narrowed import narrowed

register = template.Library()
register.filter("narrowed", narrowed)
