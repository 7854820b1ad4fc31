"""Fetches the files that people sent, looks at what they are, and keeps them in the storage.

The rows are the truth, as in the outbox. A file is claimed in one transaction, fetched and stored
outside of any, and settled in another. What a worker that died has left is claimed again when the
claim runs out; the row names the place where it was to be stored, so nothing stays behind there.
"""

import time
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

import structlog
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from whatsapp_bot import pictures, sniffing
from whatsapp_bot.models import Media
from whatsapp_bot.models.media import WAITS
from whatsapp_bot.simulator import attachments
from whatsapp_bot.twilio import media as twilio

log = structlog.get_logger("whatsapp_bot")

KEPT_AT_TWILIO = timedelta(minutes=10)
"""How long Twilio keeps its copy beside ours: what was written is on the disk by then."""
SLOWER = 20
"""Deleting it there is no hurry: its tries go over a day instead of an hour."""

LONGEST_OUTAGE = timedelta(days=1)
TRIES_OF_OURS = 6
"""Tries that count while our own storage is full or away: from then on one every ten minutes."""

STUMBLED = "Something went wrong here."
BROKE_DOWN = "Fetching it broke down."


@dataclass(frozen=True, slots=True)
class Errand:
    """A file to fetch, or with `to_delete` the carrier's copy of one that is stored at `place`.

    place: where it is to be stored. before: where an earlier try may have left something.
    why_not: why it is not to be fetched after all.
    """

    media_id: int
    url: str
    said_type: str
    place: str
    before: str = ""
    why_not: str = ""
    size: int = 0
    to_delete: bool = False


@dataclass(frozen=True, slots=True)
class Stored:
    """It is in the storage, under these names."""

    content_type: str
    size: int
    file: str
    thumbnail: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """It is not taken, and trying again would not change that."""

    why: str


@dataclass(frozen=True, slots=True)
class Later:
    """It did not work this time.

    ours: for want of a place to store it, so it is tried for ever. outage: for trouble that need
    not be about this file, so it is tried for a day.
    """

    why: str = ""
    ours: bool = False
    outage: bool = False


@dataclass(frozen=True, slots=True)
class Deleted:
    """The carrier has it no more."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Our copy is not there in full, and the carrier's still is."""


Outcome = Stored | Refused | Later | Deleted | Lost


class NotStored(Exception):
    """Our own storage did not take it."""


def drain(seconds: float = 30) -> int:
    """Fetch what is due, beginning with no more after so long; how many were settled.

    Other workers may do the same at the same time.
    """
    ends = time.monotonic() + seconds
    flying: dict[Future[Outcome], Errand] = {}
    settled = 0
    while True:
        if time.monotonic() < ends:
            errands = claim(settings.FETCH_AT_ONCE - len(flying))
            flying |= {_fetchers().submit(_run, errand): errand for errand in errands}
        if not flying:
            return settled
        # A slow one does not keep those waiting that come meanwhile.
        done, _ = wait(flying, timeout=0.5, return_when=FIRST_COMPLETED)
        settle((flying.pop(future), future.result()) for future in done)
        settled += len(done)


@cache
def _fetchers() -> ThreadPoolExecutor:
    """The threads that talk to the carrier and the storage. They never touch the database."""
    return ThreadPoolExecutor(settings.FETCH_AT_ONCE, thread_name_prefix="fetcher")


# Claiming ----------------------------------------------------------------------------------------


@transaction.atomic
def claim(wanted: int) -> list[Errand]:
    """Take up to so many due files in hand, which nobody else takes until the claim runs out."""
    if wanted < 1:
        return []
    now = timezone.now()
    free = Media.objects.due(now).select_for_update(skip_locked=True, of=("self",))
    due = list(free.select_related("message__contact")[:wanted])
    errands = [errand for media in due if (errand := _take_in_hand(media))]
    Media.objects.bulk_update(due, ["attempts", "try_at", "file", "status", "why"])
    return errands


def _take_in_hand(media: Media) -> Errand | None:
    """What to do with it; None for nothing, or when every worker that had it has died of it."""
    if media.is_stored and not settings.TWILIO_DELETE_MEDIA:
        media.try_at = None  # It was stored when Twilio's copy was still to be deleted.
        return None
    if media.back_off() is None:
        _try_again(media, Later(BROKE_DOWN))
        return None
    media.attempts += 1
    media.try_at = timezone.now() + timedelta(seconds=settings.FETCH_CLAIM_SECONDS)
    return _to_delete(media) if media.is_stored else _to_fetch(media)


def _to_delete(media: Media) -> Errand:
    return Errand(
        media.pk,
        media.url,
        media.said_type,
        place=media.file.name,
        size=media.size or 0,
        to_delete=True,
    )


def _to_fetch(media: Media) -> Errand:
    before, media.file = media.file.name or "", media.new_place()
    return Errand(
        media.pk,
        media.url,
        media.said_type,
        place=media.file.name,
        before=before,
        why_not=media.why_not_fetched(),
    )


# Fetching ----------------------------------------------------------------------------------------


def _run(errand: Errand) -> Outcome:
    try:
        return _delete(errand) if errand.to_delete else _fetch(errand)
    except NotStored as error:
        log.error("a file could not be stored", media=errand.media_id, exc_info=error.__cause__)
        return Later(STUMBLED, ours=True)
    except Exception as error:
        log.error("a file could not be worked on", media=errand.media_id, exc_info=error)
        return Later(STUMBLED)


def _fetch(errand: Errand) -> Outcome:
    _clear_away(errand.before)
    if errand.why_not:
        return Refused(errand.why_not)
    try:
        content = attachments.read_here(errand.url)
        if content is None:
            content = twilio.fetch(errand.url)
        return _store(content, errand)
    except twilio.NotFetched as error:
        return Refused(error.why) if error.for_good else Later(error.why, outage=error.outage)
    except sniffing.Harmful as error:
        return Refused(error.why)


def _clear_away(place: str) -> None:
    """Whatever an earlier try left there. Raises NotStored."""
    try:
        _discard(place)
    except Exception as error:
        raise NotStored from error


def _store(content: bytes, errand: Errand) -> Stored:
    kind, small, why = sniffing.kind_of(content, errand.said_type), b"", ""
    if kind in sniffing.PICTURES:
        try:
            kind, content, small = pictures.cleaned(content, kind)
        except pictures.CannotRead as error:
            why = error.why
    try:
        file = default_storage.save(errand.place, ContentFile(content))
        thumbnail = small and default_storage.save(_small(errand.place), ContentFile(small))
    except Exception as error:
        with suppress(Exception):
            _discard(errand.place)
        raise NotStored from error
    return Stored(kind, len(content), file, thumbnail or "", why)


def _delete(errand: Errand) -> Outcome:
    """Have the carrier delete its copy, if ours is there in full."""
    is_there = default_storage.exists(errand.place)
    if not is_there or default_storage.size(errand.place) != errand.size:
        return Lost()
    try:
        twilio.delete(errand.url)
    except twilio.NotDeleted:
        return Later()
    return Deleted()


def _small(place: str) -> str:
    return f"{place}-small"


def _discard(place: str) -> None:
    if place:
        default_storage.delete(place)
        default_storage.delete(_small(place))


# Settling ----------------------------------------------------------------------------------------


def settle(results: Iterable[tuple[Errand, Outcome]]) -> None:
    """Note what became of what was claimed.

    Somebody else has it in hand whose claim ran out: what it stored is thrown away.
    """
    outcomes = {errand.media_id: (errand, outcome) for errand, outcome in results}
    too_late = dict(outcomes)
    with transaction.atomic():
        locked = Media.objects.select_for_update(of=("self",), no_key=True)
        found = locked.filter(pk__in=outcomes).select_related("message")
        for media in found.order_by("pk"):
            errand, outcome = outcomes[media.pk]
            if media.file.name == errand.place and media.is_stored == errand.to_delete:
                del too_late[media.pk]
                _note(media, outcome)
                media.save()
                log.info(
                    "file",
                    media=media.pk,
                    sid=media.message.sid,
                    outcome=type(outcome).__name__,
                    size=media.size,
                    why=media.why,
                )
    for errand, outcome in too_late.values():
        if isinstance(outcome, Stored):
            _discard(errand.place)


def _note(media: Media, outcome: Outcome) -> None:
    now = timezone.now()
    media.try_at = None
    match outcome:
        case Stored():
            media.status, media.why, media.attempts = Media.Status.STORED, outcome.why, 0
            media.content_type, media.size = outcome.content_type, outcome.size
            media.file, media.thumbnail = outcome.file, outcome.thumbnail
            media.fetched_at = now
            if settings.TWILIO_DELETE_MEDIA and twilio.is_at_twilio(media.url):
                media.try_at = now + KEPT_AT_TWILIO
        case Refused():
            media.status, media.why = Media.Status.REFUSED, outcome.why
        case Deleted():
            media.deleted_at_twilio = now
        case Lost():
            media.status, media.thumbnail = Media.Status.WAITING, ""
            media.attempts, media.try_at = 0, now
        case Later():
            _try_again(media, outcome)


def _try_again(media: Media, outcome: Later) -> None:
    if outcome.ours:
        media.attempts = min(media.attempts, TRIES_OF_OURS)
    elif outcome.outage and timezone.now() - media.message.created_at < LONGEST_OUTAGE:
        media.attempts = min(media.attempts, len(WAITS))
    wait = media.back_off(SLOWER if media.is_stored else 1)
    media.try_at = wait and timezone.now() + wait
    if media.is_stored:
        return
    media.why = outcome.why
    if wait is None:
        media.status = Media.Status.MISSING
        media.why = f"{outcome.why} It was tried {media.attempts} times."
