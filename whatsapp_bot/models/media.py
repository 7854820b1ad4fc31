from django.db import models

from whatsapp_bot.models.message import Message


class Media(models.Model):
    """A file that came with a message: where it is, until it has been fetched."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="media", db_index=False)
    position = models.PositiveSmallIntegerField(default=0)
    url = models.TextField("URL")
    content_type = models.CharField(max_length=100, blank=True)

    class Meta:
        verbose_name_plural = "media"
        constraints = [
            models.UniqueConstraint(fields=["message", "position"], name="media_position_once")
        ]

    def __str__(self) -> str:
        return self.content_type or "file"
