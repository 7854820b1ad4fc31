"""Editing what the bot says, with a look at how WhatsApp will show it."""

from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminTextareaWidget

from whatsapp_bot.admin.cleaned import CleanCharField
from whatsapp_bot.whatsapp_text import MAX_LENGTH, length
from whatsapp_bot.wording import placeholders_in


class BubbleTextarea(UnfoldAdminTextareaWidget):
    """A text area with the message beside it as a bubble, and its length against the limit.

    shows: what else the bubble needs to know, by the names of its data attributes.
    """

    class Media:
        css = {"all": ["whatsapp_bot/bubble.css"]}
        js = ["simulator/marks.js", "whatsapp_bot/bubble.js"]

    def __init__(self, *, limit: int = MAX_LENGTH, **shows: str) -> None:
        super().__init__(attrs={"rows": 6, "dir": "auto"})
        self.limit = limit
        self.shows = shows

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        return format_html(
            '<div class="bubble-editor" data-limit="{}"{}>{}'
            '<p class="bubble-length"></p>'
            '<div class="bubble-phone"><div class="bubble" dir="auto" role="img"'
            ' tabindex="0" aria-label="Preview"></div></div></div>',
            self.limit,
            forms.utils.flatatt({f"data-{name}": value for name, value in self.shows.items()}),
            super().render(name, value, attrs, renderer),
        )


class SayableField(CleanCharField):
    """A text that fits a WhatsApp message.

    with_items: the bubble shows the labels of the page's menu items as well. fills_in: whether it
    may have placeholders; which ones, its form knows. limit: in characters as WhatsApp counts.
    """

    def __init__(
        self,
        *,
        with_items: bool = False,
        fills_in: bool = False,
        limit: int = MAX_LENGTH,
        widget: BubbleTextarea | None = None,
        **options: Any,
    ) -> None:
        shows = {"items": "items"} if with_items else {}
        super().__init__(widget=widget or BubbleTextarea(limit=limit, **shows), **options)
        self.fills_in = fills_in
        self.limit = limit

    @property
    def _holds(self) -> str:
        beside = " beside the words around it" if self.limit < MAX_LENGTH else ""
        return f"A message holds {self.limit} characters{beside}"

    def validate(self, value: str) -> None:
        super().validate(value)
        if length(value) > self.limit:
            raise forms.ValidationError(f"{self._holds}, this text has {length(value)}.")
        names = sorted(placeholders_in(value))
        if names and not self.fills_in:
            raise forms.ValidationError(
                f"Nothing can be filled in here: {{{names[0]}}} would be sent as it stands."
            )
