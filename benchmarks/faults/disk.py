"""The disk is full: the one with people's files, or the database's as well."""

import io
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db.models import QuerySet
from PIL import Image

from benchmarks.faults.databases import small_disk
from benchmarks.faults.product import Product
from benchmarks.faults.reckoning import (
    answered_again,
    each_taken,
    fetched_within,
    no_other_deaths,
    reckon,
    settled_within,
)
from benchmarks.faults.scenarios import Run
from benchmarks.faults.traffic import Told, Traffic, wait_until
from benchmarks.faults.verdicts import some, unless
from whatsapp_bot import fake_twilio
from whatsapp_bot.models import Media

FULL_FOR = 10
SPACE_FOR_FILES = 8_000_000
"""Bytes."""
UNTIL_STORED = 200
"""Seconds: what was tried in vain some times is tried again after a minute and a half."""


def files(run: Run) -> list[str]:
    """No space for files: words are answered as ever, and pictures are stored later."""
    media = run.folder / "media"
    media.mkdir()
    with small_disk(media, SPACE_FOR_FILES):
        with Product(run.folder) as product:
            with Traffic(product.twilio, rate=20) as traffic:
                photographer = Photographer(traffic, media)
                with full(media):
                    photographer.keep_sending(FULL_FOR)
                    before = photographer.stored()
            pictures = photographer.tell_and_reckon("for files", before)
        print(traffic.in_words())
        return [
            *pictures,
            *reckon(traffic, failures=()),
            *each_taken(photographer.told),
            *no_other_deaths(product),
        ]


def everything(run: Run) -> list[str]:
    """No space for the database either: nothing is acknowledged that is not stored."""
    with Product(run.folder) as product:
        with Traffic(product.twilio, rate=20, gives_up=0.5) as traffic:
            photographer = Photographer(traffic, run.folder / "media")
            with full(run.folder):
                photographer.keep_sending(FULL_FOR)
            if run.cluster:
                run.cluster.start_again()
            before = photographer.stored()
            answered = traffic.await_answer()
        missing = fetched_within(UNTIL_STORED, traffic.told)
        unsent = settled_within(UNTIL_STORED)
        pictures = photographer.tell_and_reckon("at all", before)
    print(traffic.in_words())
    print(f"  when there was space again somebody was answered after {answered:.1f} s")
    return [
        *pictures,
        *reckon(traffic, undisturbed=False),
        *missing,
        *unsent,
        *unless(traffic.failed, "nobody was refused"),
        *answered_again(answered),
        *no_other_deaths(product),
    ]


class Photographer:
    """Sends pictures, of which each has to be stored in the end: in the folder `kept`."""

    def __init__(self, traffic: Traffic, kept: Path) -> None:
        self.traffic = traffic
        self.kept = kept
        self.people = [traffic.somebody(f"+2787{n:07}") for n in range(20)]
        self.told: list[Told] = []

    def keep_sending(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            picture = fake_twilio.Media("image/jpeg", noise())
            person = self.people[len(self.told) % len(self.people)]
            self.told.append(self.traffic.write(person, "Look", [picture]))
            self.traffic.bring(self.told[-1])
            time.sleep(0.5)

    def tell_and_reckon(self, what: str, before: int) -> list[str]:
        """Wait until all are stored. before: how many were when there was space again."""
        began = time.monotonic()
        wait_until(lambda: self.stored() == len(self.told), UNTIL_STORED)
        took = time.monotonic() - began
        print(
            f"  no space {what} for {FULL_FOR} s, in which {len(self.told)} pictures came; "
            f"{before} were stored by then, and {self.stored()} after {took:.0f} s"
        )
        return self.all_stored(before)

    def all_stored(self, before: int) -> list[str]:
        """What is wrong with them. before: how many were stored while there was no space."""
        theirs = self._pictures()
        missing = theirs.exclude(status=Media.Status.STORED)
        wrong = [f"{one.pk} is {one.status} after {one.attempts} tries" for one in missing]
        stored = theirs.filter(status=Media.Status.STORED)
        cut = [one.pk for one in stored if (self.kept / one.file.name).stat().st_size != one.size]
        return [
            *some(wrong, "pictures are not stored"),
            *some(cut, "pictures are not there in full"),
            *unless(self.stored() == len(self.told), "some have no row"),
            *unless(before < len(self.told), "there was space, so nothing is shown"),
        ]

    def _pictures(self) -> QuerySet[Media]:
        return Media.objects.filter(message__sid__in=[one.sid for one in self.told])

    def stored(self) -> int:
        return self._pictures().filter(status=Media.Status.STORED).count()


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """Leaves no space in the file system of this folder, until the block ends."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1_000_000, 4096):
            try:
                while file.write(b"\1" * size) == size:
                    pass
            except OSError:
                continue
        try:
            yield
        finally:
            os.ftruncate(file.fileno(), 0)
    ballast.unlink()


def noise() -> bytes:
    """A picture of some 300 KB."""
    picture = io.BytesIO()
    Image.frombytes("RGB", (400, 300), os.urandom(400 * 300 * 3)).save(picture, "JPEG", quality=95)
    return picture.getvalue()
