import re
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import PurePath

from django.contrib.auth.models import AbstractBaseUser
from django.db import models
from django.utils import timezone

from whatsapp_bot import tasks
from whatsapp_bot.models.contact import Contact
from whatsapp_bot.models.message import Message
from whatsapp_bot.search import has, ids_of, with_each_word

WAITS = (1, 2, 5, 20, 90, 600, 3000)
"""Seconds after the first try, the second, and so on: a file is often not there in its first
second, and one that is not there after an hour will not come."""

MOST_OF_ONE = 300
"""Files of one person that are fetched within a day: each may have 16 MB."""
A_DAY = timedelta(days=1)
OF_BLOCKED = "We have blocked the person. To have it, unblock them, and then try again."
TOO_MANY = f"The person sent more than {MOST_OF_ONE} files within a day. Try again to have it."

ENDINGS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/heic": "heic",
    "audio/ogg": "ogg",
    "audio/amr": "amr",
    "audio/mpeg": "mp3",
    "audio/aac": "aac",
    "audio/mp4": "m4a",
    "audio/3gpp": "3gp",
    "video/mp4": "mp4",
    "video/3gpp": "3gp",
    "video/quicktime": "mov",
    "application/pdf": "pdf",
    "application/msword": "doc",
    "application/vnd.ms-excel": "xls",
    "application/vnd.ms-powerpoint": "ppt",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "text/plain": "txt",
    "text/csv": "csv",
    "text/vcard": "vcf",
}
"""The kinds of files that are kept, and how their names end."""

_FORBIDDEN_IN_NAMES = re.compile(r'[\x00-\x1f<>:"/\\|?*%#]+')


seen_with: dict[str, Callable[[], models.QuerySet]] = {}
"""Permissions, each with the ids of the messages whose files are seen by who has it."""


class MediaQuerySet(models.QuerySet["Media"]):
    def shown_to(self, user: AbstractBaseUser) -> "MediaQuerySet":
        """For who sees all messages every file, else those of what they see, such as reports."""
        if user.has_perm("whatsapp_bot.view_message"):
            return self
        seen = models.Q(pk__in=[])
        for permission, messages in seen_with.items():
            if user.has_perm(permission):
                seen |= models.Q(message__in=messages())
        return self.filter(seen)

    def due(self, now: datetime) -> "MediaQuerySet":
        """What is to be fetched, or to be deleted at the carrier, the longest overdue first."""
        return self.filter(try_at__lte=now).order_by("try_at", "pk")

    def pictures(self) -> "MediaQuerySet":
        """Those that are pictures, also as a document; until they are here, as the carrier says."""
        is_one, is_said = models.Q(content_type__startswith="image/"), models.Q(content_type="")
        return self.filter(is_one | is_said & models.Q(said_type__startswith="image/"))

    def with_words(self, text: str) -> "MediaQuerySet":
        """Those of which each word says who sent them, or is the SID of their message."""

        def says_it(word: str) -> models.Q:
            people = ids_of(Contact.objects.filter(has(word, "name", "phone", "user_id")))
            return models.Q(message__contact__in=people) | models.Q(message__sid=word)

        return with_each_word(self, text, says_it)

    def try_again(self) -> int:
        """Have those fetched anew that could not be had; how many that are."""
        count = self.filter(status__in=[Media.Status.MISSING, Media.Status.REFUSED]).update(
            status=Media.Status.WAITING,
            attempts=0,
            try_at=timezone.now(),
            why="",
            asked_for=True,
        )
        if count:
            tasks.wake(tasks.fetch_files)
        return count


class Media(models.Model):
    """A file that came with a message: where the carrier has it, and our own copy.

    said_type, content_type: what the carrier said it is, and what it is. size: bytes of our copy.
    file: while it waits, the place that the last try was given; nothing need be there.
    try_at: when something is next to be done, which is fetching it or deleting the carrier's copy.
    asked_for: staff want it, however many the person sent.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", "being fetched"
        STORED = "stored", "stored"
        MISSING = "missing", "could not be had"
        REFUSED = "refused", "refused"

    message = models.ForeignKey(Message, models.CASCADE, related_name="media", db_index=False)
    position = models.PositiveSmallIntegerField(default=0)
    url = models.TextField("URL")
    said_type = models.CharField("kind, as Twilio says", max_length=100, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING)
    why = models.CharField(max_length=200, blank=True)
    content_type = models.CharField("kind", max_length=100, blank=True)
    size = models.PositiveIntegerField("size in bytes", null=True, blank=True)
    file = models.FileField(blank=True)
    thumbnail = models.FileField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    try_at = models.DateTimeField("next try", default=timezone.now, null=True, blank=True)
    fetched_at = models.DateTimeField(null=True, blank=True)
    deleted_at_twilio = models.DateTimeField("deleted at Twilio", null=True, blank=True)
    asked_for = models.BooleanField(default=False, db_default=False, editable=False)

    objects = MediaQuerySet.as_manager()

    class Meta:
        verbose_name = "file"
        constraints = [
            models.UniqueConstraint(fields=["message", "position"], name="media_position_once")
        ]
        indexes = [
            models.Index(
                fields=["try_at", "id"],
                name="media_due",
                condition=models.Q(try_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.content_type or self.said_type or "file"

    @property
    def is_stored(self) -> bool:
        return self.status == self.Status.STORED

    @property
    def can_be_tried_again(self) -> bool:
        return self.status in (self.Status.MISSING, self.Status.REFUSED)

    def why_not_fetched(self) -> str:
        """Why it stays at the carrier, a sentence for staff; "" when it is to be fetched."""
        if self.message.contact.is_blocked:
            return OF_BLOCKED
        is_first_try = self.attempts <= 1
        return TOO_MANY if is_first_try and not self.asked_for and self._is_one_too_many() else ""

    def _is_one_too_many(self) -> bool:
        """Has the person sent as many already, in the day before, that are or will be here?"""
        said, since = self.message.contact.messages, self.message.created_at - A_DAY
        before = said.filter(created_at__lt=since).order_by("-pk").values_list("pk", flat=True)
        # From there on, since by the moment alone all that they ever said would be looked through.
        files = Media.objects.filter(message__gt=before.first() or 0, pk__lt=self.pk)
        files = files.filter(message__contact=self.message.contact_id, asked_for=False)
        fetched = files.exclude(status=Media.Status.REFUSED)
        return fetched[:MOST_OF_ONE].count() == MOST_OF_ONE

    @property
    def family(self) -> str:
        """`image`, `audio`, `video`, `application` or `text`: what it is, else what was said."""
        return (self.content_type or self.said_type).partition("/")[0]

    @property
    def is_picture_as_it_came(self) -> bool:
        """Is it a picture that was not made anew, which all others are?"""
        return self.family == "image" and not self.thumbnail

    @property
    def name(self) -> str:
        """What it is called when it is saved; how it ends follows from what it is."""
        called = PurePath(self.message.file_name).name or f"file-{self.pk}"
        ending = ENDINGS.get(self.content_type, "")
        stem = PurePath(called).stem if PurePath(called).suffix else called
        stem = _FORBIDDEN_IN_NAMES.sub("_", stem).strip(". ")[:80] or f"file-{self.pk}"
        return f"{stem}.{ending}" if ending else stem

    def new_place(self) -> str:
        """A place in the storage that nobody can guess, and whose name does not say what it is."""
        return f"files/{timezone.now():%Y/%m}/{secrets.token_hex(16)}"

    def back_off(self, slower: int = 1) -> timedelta | None:
        """How long to wait before the next try; None when it has had all its tries."""
        if self.attempts > len(WAITS):
            return None
        return timedelta(seconds=WAITS[max(self.attempts, 1) - 1] * slower)
