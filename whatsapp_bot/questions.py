"""Form fields as chat asks them: with our sentences, and forgiving about how people write."""

from typing import Any

from django import forms

from whatsapp_bot import texts

LONGEST_ANSWER = 4000


class LongText(forms.CharField):
    """Words, up to LONGEST_ANSWER characters."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("max_length", LONGEST_ANSWER)
        messages = {
            "required": texts.ANSWER_NEEDED,
            "max_length": texts.ANSWER_TOO_LONG(limit=options["max_length"]),
        }
        super().__init__(error_messages=messages, **options)
