from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import models
from django.utils import timezone

from whatsapp_bot import wording
from whatsapp_bot.whatsapp_text import MAX_LENGTH, length


class WordingQuerySet(models.QuerySet["Wording"]):
    def declared(self) -> "WordingQuerySet":
        """Without the rows of texts that this version does not say any more."""
        return self.filter(key__in=wording.Text.declared)


class Wording(models.Model):
    """How staff word one of the bot's sentences; empty: as it was shipped.

    reworded_default: the default at the time of the last change, to notice when a later version
    brings another one.
    """

    key = models.CharField(max_length=80)
    language = models.CharField(max_length=10, default="en")
    text = models.TextField("wording", blank=True)
    switched_off = models.BooleanField(default=False, help_text="Then it is not sent at all.")
    reworded_default = models.TextField(blank=True, editable=False)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False
    )
    changed_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = WordingQuerySet.as_manager()

    class Meta:
        verbose_name = "text"
        ordering = ["key", "language"]
        constraints = [
            models.UniqueConstraint(fields=["key", "language"], name="wording_once_per_language")
        ]

    def __str__(self) -> str:
        return self.about or self.key

    @property
    def declared(self) -> wording.Text | None:
        return wording.Text.declared.get(self.key)

    @property
    def default(self) -> str:
        return self.declared.default if self.declared else ""

    @property
    def about(self) -> str:
        return self.declared.about if self.declared else ""

    @property
    def place(self) -> str:
        return self.declared.place if self.declared else ""

    @property
    def can_be_switched_off(self) -> bool:
        """Is it something that we begin to say, and may as well not?"""
        return isinstance(self.declared, wording.Notice) and not self.declared.required

    @property
    def placeholders(self) -> list[str]:
        """What can be filled in, with its braces."""
        names = self.declared.placeholders if self.declared else frozenset()
        return [f"{{{name}}}" for name in sorted(names)]

    @property
    def now(self) -> str:
        """What the bot says."""
        return self.text or self.default

    @property
    def default_is_newer(self) -> bool:
        """Has a later version brought another default than the one that staff changed?"""
        return bool(self.text) and self.reworded_default != self.default

    def reword(self, text: str, user: AbstractBaseUser | None) -> None:
        """Have the bot say `text`; the default, or nothing, is back to the default."""
        self.text = "" if text == self.default else text
        self.reworded_default = self.default if self.text else ""
        self._save_as_changed("text", "reworded_default", user=user)

    def switch(self, *, on: bool, user: AbstractBaseUser | None) -> None:
        """Have the notice sent, or not at all."""
        self.switched_off = not on
        self._save_as_changed("switched_off", user=user)

    def _save_as_changed(self, *fields: str, user: AbstractBaseUser | None) -> None:
        self.changed_by, self.changed_at = user, timezone.now()
        self.save(update_fields=[*fields, "changed_by", "changed_at"])

    def problem_with(self, text: str) -> str:
        """Why this cannot be the wording, in a sentence; "" when it can."""
        unknown = wording.placeholders_in(text) - frozenset(
            self.declared.placeholders if self.declared else ()
        )
        if unknown:
            braced = ", ".join(f"{{{name}}}" for name in sorted(unknown))
            allowed = ", ".join(self.placeholders) or "none"
            return f"{braced} cannot be filled in here. Placeholders of this text: {allowed}."
        if self.declared and (wrong := wording.half_filled(text, self.declared.placeholders)):
            return wrong
        if length(text) > MAX_LENGTH:
            return f"A message holds {MAX_LENGTH} characters, this text has {length(text)}."
        return ""
