"""How small things look on all pages of the admin: links, buttons and labels."""

from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

LINK = "text-primary-600 dark:text-primary-500 underline"
BUTTON = (
    "bg-primary-600 border border-transparent cursor-pointer font-medium px-3 py-2 rounded-default "
    "text-white"
)


def label(text: str, colour: str = "") -> SafeString:
    return render_to_string("unfold/helpers/label.html", {"text": text, "variant": colour})


def button_to(address: str, text: str) -> SafeString:
    """A button that belongs to the form around it, and posts to an address of its own."""
    return format_html(
        '<button type="submit" formaction="{}" formmethod="post" class="{}">{}</button>',
        address,
        BUTTON,
        text,
    )
