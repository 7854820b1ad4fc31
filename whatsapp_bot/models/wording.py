from django.db import models

from whatsapp_bot import wording
from whatsapp_bot.whatsapp_text import MAX_LENGTH, length


class Wording(models.Model):
    """How staff word one of the bot's sentences; empty: as it was shipped."""

    key = models.CharField(max_length=80)
    language = models.CharField(max_length=10, default="en")
    text = models.TextField(blank=True, help_text="Leave empty for the wording shown above.")
    updated_at = models.DateTimeField("last change", auto_now=True)

    class Meta:
        verbose_name = "text"
        ordering = ["key", "language"]
        constraints = [
            models.UniqueConstraint(fields=["key", "language"], name="wording_once_per_language")
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def declared(self) -> wording.Text | None:
        return wording.Text.declared.get(self.key)

    @property
    def default(self) -> str:
        return self.declared.default if self.declared else ""

    @property
    def about(self) -> str:
        return self.declared.about if self.declared else ""

    def problem_with(self, text: str) -> str:
        """Why this cannot be the wording, in a sentence; "" when it can."""
        known = self.declared.placeholders if self.declared else frozenset()
        unknown = wording.placeholders_in(text) - known
        if unknown:
            braced = ", ".join(f"{{{name}}}" for name in sorted(unknown))
            allowed = ", ".join(f"{{{name}}}" for name in sorted(known)) or "none"
            return f"{braced} cannot be filled in here. Placeholders of this text: {allowed}."
        if length(text) > MAX_LENGTH:
            return f"A message holds {MAX_LENGTH} characters, this text has {length(text)}."
        return ""
