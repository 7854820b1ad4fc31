from django.db import models

from whatsapp_bot import wording


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
