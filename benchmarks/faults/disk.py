"""The disk is full: the one with people's files, or the database's as well."""

import io
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from benchmarks.faults.databases import small_disk
from benchmarks.faults.product import Product
from benchmarks.faults.reckoning import all_fetched, ours, reckon, some, wait_until
from benchmarks.faults.traffic import Person, Told, Traffic
from whatsapp_bot import fake_twilio
from whatsapp_bot.models import Media

if TYPE_CHECKING:
    from benchmarks.faults.__main__ import Run

FULL_FOR = 10
SPACE_FOR_FILES = 8_000_000
"""Bytes."""
UNTIL_STORED = 200
"""Seconds: what was tried in vain some times is tried again after a minute and a half."""


def files(run: "Run") -> list[str]:
    """No space for files: words are answered as ever, and pictures are stored later."""
    media = run.folder / "media"
    media.mkdir()
    with small_disk(media, SPACE_FOR_FILES), Product(run.folder) as product:
        with Traffic(product.twilio, rate=20) as traffic:
            photographer = Photographer(traffic, media)
            with full(media):
                photographer.keep_sending(FULL_FOR)
            refused = sum(not one.is_good for told in traffic.told for one in told.tries)
        return [
            *photographer.tell_and_reckon("for files"),
            *reckon(traffic),
            *some([refused] if refused else [], "messages were refused for want of it"),
        ]


def everything(run: "Run") -> list[str]:
    """No space for the database either: nothing is acknowledged that is not stored."""
    with Product(run.folder) as product:
        with Traffic(product.twilio, rate=20, gives_up=0.5) as traffic:
            photographer = Photographer(traffic, run.folder / "media")
            with full(run.folder):
                photographer.keep_sending(FULL_FOR)
            if run.cluster:
                run.cluster.start_again()
            answered = traffic.await_answer()
        told = [*traffic.told, *photographer.told]
        sids = {one.sid for one in told}
        wait_until(lambda: ours().filter(sid__in=sids).count() == len(sids), UNTIL_STORED)
        tries = [one for message in told for one in message.tries]
        print(
            f"  {sum(one.status == 503 for one in tries)} of {len(tries)} were refused with 503; "
            f"when there was space again somebody was answered after {answered:.1f} s"
        )
        return [
            *photographer.tell_and_reckon("at all"),
            *reckon(traffic, undisturbed=False),
            *all_fetched(told),
            *([] if any(one.status == 503 for one in tries) else ["nobody was refused"]),
        ]


class Photographer:
    """Sends pictures, of which each has to be stored in the end: in the folder `kept`."""

    def __init__(self, traffic: Traffic, kept: Path) -> None:
        self.traffic = traffic
        self.kept = kept
        self.people = [Person(f"+2787{n:07}") for n in range(20)]
        self.told: list[Told] = []

    def keep_sending(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            picture = fake_twilio.Media("image/jpeg", noise())
            person = self.people[len(self.told) % len(self.people)]
            self.told.append(self.traffic.write(person, "Look", [picture]))
            self.traffic.bring(self.told[-1])
            time.sleep(0.5)

    def tell_and_reckon(self, what: str) -> list[str]:
        """Wait until all are stored."""
        before = self._stored()
        began = time.monotonic()
        wait_until(lambda: self._stored() == len(self.told), UNTIL_STORED)
        took = time.monotonic() - began
        print(
            f"  no space {what} for {FULL_FOR} s, in which {len(self.told)} pictures came; "
            f"{before} were stored by then, and {self._stored()} after {took:.0f} s"
        )
        missing = Media.objects.exclude(status=Media.Status.STORED)
        wrong = [f"{one.pk} is {one.status} after {one.attempts} tries" for one in missing]
        stored = Media.objects.filter(status=Media.Status.STORED)
        cut = [one.pk for one in stored if (self.kept / one.file.name).stat().st_size != one.size]
        return [
            *some(wrong, "pictures are not stored"),
            *some(cut, "pictures are not there in full"),
            *([] if self._stored() == len(self.told) else ["some have no row"]),
            *([] if before < len(self.told) else ["there was space, so nothing is shown"]),
        ]

    def _stored(self) -> int:
        sids = [one.sid for one in self.told]
        stored = Media.objects.filter(message__sid__in=sids, status=Media.Status.STORED)
        return stored.count()


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
