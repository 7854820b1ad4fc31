from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.utils import timezone
from knox.models import AbstractAuthToken, get_digest_token
from knox.settings import CONSTANTS

from config.access.rights import may_look_after


class ShippedGroup(models.Model):
    """What a group that the product comes with was given so far, so that it gets it only once.

    group: None once staff have deleted it. given: permissions such as `orders.view_order`.
    """

    key = models.CharField(max_length=150, unique=True)
    group = models.OneToOneField(Group, models.SET_NULL, null=True)
    given = models.JSONField(default=list)

    def __str__(self) -> str:
        return self.key


class TokenQuerySet(models.QuerySet["Token"]):
    def with_digest(self, digest: str) -> "Token | None":
        return self.select_related("user", "made_by").filter(digest=digest).first()


class Token(AbstractAuthToken):
    """Lets another system do what `user` may do, until it expires or is revoked.

    The token itself is known only to whoever made it: what is stored is its digest. The rows stay,
    as the log of who let in what.
    """

    PREFIX = "andon_"
    """What all begin with, so that they are recognised where they do not belong."""
    USE_NOTED_EVERY = timedelta(minutes=5)

    id = models.BigAutoField(primary_key=True)
    digest = models.CharField(max_length=CONSTANTS.DIGEST_LENGTH, unique=True, editable=False)
    token_key = models.CharField("begins with", max_length=25, editable=False)
    name = models.CharField(max_length=80, help_text="Which system uses it, and what for.")
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+"
    )
    created = models.DateTimeField("made", default=timezone.now, editable=False)
    expiry = models.DateTimeField("valid until")
    last_used_at = models.DateTimeField("last used", null=True, editable=False)
    revoked_at = models.DateTimeField("revoked", null=True, editable=False)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+"
    )

    objects = TokenQuerySet.as_manager()

    class Meta:
        verbose_name = "API token"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "name"],
                condition=models.Q(revoked_at=None),
                name="token_name_once_a_user",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def mint(self) -> str:
        """Give it a secret, and store it. Returns the secret, which is nowhere else."""
        self.digest, secret = get_digest_token(self.PREFIX)
        self.token_key = secret[: CONSTANTS.TOKEN_KEY_LENGTH]
        self.save()
        return secret

    @property
    def state(self) -> str:
        """valid, expired, revoked, or refused for what its user or its maker may do by now."""
        return self._ended or ("refused" if self.why_refused() else "valid")

    @property
    def _ended(self) -> str:
        if self.revoked_at:
            return "revoked"
        return "expired" if timezone.now() >= self.expiry else ""

    def why_refused(self) -> str:
        """A sentence for whoever uses it; "" when it is good."""
        if self._ended:
            return f"This token is {self._ended}."
        if not (self.user.is_active and self.user.is_staff):
            return "The user of this token may not sign in any more."
        return "" if self.made_by == self.user else self._why_its_maker_may_not()

    def _why_its_maker_may_not(self) -> str:
        """Whoever made it for somebody else may have kept it."""
        maker = self.made_by
        if not (maker and maker.is_active and maker.is_staff):
            return "Who made this token may not sign in any more: make another one."
        if not may_look_after(maker, self.user):
            return "Its user may do more by now than who made this token: make another one."
        return ""

    def note_use(self) -> None:
        """Note that it was used just now; not each time, which would be a write for each read."""
        now = timezone.now()
        if self.last_used_at is None or now - self.last_used_at >= self.USE_NOTED_EVERY:
            type(self).objects.filter(pk=self.pk).update(last_used_at=now)

    def revoke(self, by: Any) -> bool:
        """Have it open nothing any more; False when it was revoked already."""
        valid = type(self).objects.filter(pk=self.pk, revoked_at=None)
        return bool(valid.update(revoked_at=timezone.now(), revoked_by=by))
