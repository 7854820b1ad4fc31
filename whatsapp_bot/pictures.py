"""Pictures, taken apart and put together anew: what is kept is what can be seen, and no more.

Where it was taken, by whom and with what (EXIF, XMP, comments) is gone, and so is whatever was
hidden behind the picture's end.
"""

import re
import struct
import threading
import warnings
from contextlib import suppress
from io import BytesIO

from PIL import Image, ImageCms, ImageOps
from PIL.JpegImagePlugin import JpegImageFile

from whatsapp_bot.sniffing import Harmful

with suppress(ImportError):
    import pillow_heif

    pillow_heif.register_heif_opener()

MOST_PIXELS = 40_000_000
"""As they are worked on. Measured, they take 180 MB for a JPEG, 310 MB for one lying on its side,
and at most 360 MB: for a GIF, an AVIF, or a PNG that one can see through."""
MOST_OF_WEBP = 10_000_000
"""Each takes two to three times as much, since its decoder holds every picture thrice."""
MOST_SCANS = 64
"""Of a JPEG. The decoder goes over all of it for each, and cameras and programs write about ten."""
THUMBNAIL = 400
"""Pixels of the longer side."""

BROKEN = "It is a picture that cannot be read: it is damaged or was cut off."
AS_IT_CAME = "It cannot be shown here, so it is kept as it came, with all that is hidden in it."
TOO_MANY_SCANS = "It is a picture that is made to take hours to be read."
TOO_MANY_PIXELS = f"It has too many pixels. {AS_IT_CAME}"

Image.MAX_IMAGE_PIXELS = MOST_PIXELS
# Pillow only warns of more; nobody would read that.
warnings.simplefilter("error", Image.DecompressionBombWarning)

_READERS = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
    "image/avif": "AVIF",
    "image/heic": "HEIF",
}
_KEPT_AS = {"image/png": "image/png", "image/gif": "image/png", "image/webp": "image/webp"}
_WRITERS = {
    "image/jpeg": ("JPEG", {"L", "RGB"}),
    "image/png": ("PNG", {"1", "L", "LA", "P", "RGB", "RGBA", "I;16"}),
    "image/webp": ("WEBP", {"RGB", "RGBA"}),
}

_SCAN = b"\xff\xda"
_END_OF_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")

_one_at_a_time = threading.Lock()
"""Several large pictures at once would take more memory than a small machine has."""


class CannotRead(Exception):
    """A picture that is not taken apart here. why: a sentence for staff."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def cleaned(content: bytes, kind: str) -> tuple[str, bytes, bytes]:
    """The picture as it is kept: its content type, itself, and a small one of it as JPEG.

    JPEG, PNG and WebP stay what they are; GIF becomes PNG, and others JPEG. Of a moving picture
    the first frame stays. Raises Harmful when it is damaged or would take hours, and CannotRead
    when it is of a kind that this installation of Pillow does not know, or would take too much
    memory.
    """
    Image.init()
    if _READERS[kind] not in Image.OPEN:
        raise CannotRead(AS_IT_CAME)
    if kind == "image/jpeg" and _has_too_many_scans(content):
        raise Harmful(TOO_MANY_SCANS)
    with _one_at_a_time:
        try:
            return _cleaned(content, kind)
        except (CannotRead, MemoryError):
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise CannotRead(TOO_MANY_PIXELS) from None
        except Exception:
            # Whatever a codec stumbles over: each has errors of its own.
            raise Harmful(BROKEN) from None


def _cleaned(content: bytes, kind: str) -> tuple[str, bytes, bytes]:
    kept_as = _KEPT_AS.get(kind, "image/jpeg")
    with _opened(content, kind) as picture:
        if _pixels(picture) > (MOST_OF_WEBP if kind == "image/webp" else MOST_PIXELS):
            raise CannotRead(TOO_MANY_PIXELS)
        picture.load()
        ImageOps.exif_transpose(picture, in_place=True)
        seen = _in_colours_for(_in_srgb(picture), kept_as)
        return kept_as, _written(seen, kept_as), _written(_small(seen), "image/jpeg", quality=80)


def _opened(content: bytes, kind: str) -> Image.Image:
    """Of which the header alone has been read."""
    if kind != "image/jpeg":
        return Image.open(BytesIO(content), formats=[_READERS[kind]])
    picture = JpegImageFile(BytesIO(content))  # of any size, unlike Image.open
    if _pixels(picture) > MOST_PIXELS and _is_in_one_scan(content):
        part = 2 if _pixels(picture) <= 4 * MOST_PIXELS else 4
        picture.draft(None, (picture.width // part, picture.height // part))
    return picture


def _pixels(picture: Image.Image) -> int:
    return picture.width * picture.height


def _is_in_one_scan(content: bytes) -> bool:
    """Is a JPEG read from top to bottom once? Else all of it is held meanwhile, in full size."""
    at, colours = 2, 0
    while True:
        marker, length = struct.unpack_from(">HH", content, at)
        if marker == 0xFFDA:
            return content[at + 4] == colours
        if marker in (0xFFC0, 0xFFC1):  # The other kinds may come in several.
            colours = content[at + 9]
        elif marker < 0xFFC2 or 0xFFD0 <= marker <= 0xFFD9 or marker == 0xFFFF:
            return False  # They have no length, and where the next one is nobody knows.
        at += 2 + length


def _has_too_many_scans(jpeg: bytes) -> bool:
    """Does it go over itself again and again? Nobody else's files do, and a few bytes suffice."""
    # A film may be hidden behind it, in which anything looks like a scan here and there.
    return jpeg.count(_SCAN) > MOST_SCANS and _scans(jpeg) > MOST_SCANS


def _scans(jpeg: bytes) -> int:
    """How many there are up to its end; at most, where the parts cannot be told from each other."""
    at, scans = 2, 0
    while at + 4 <= len(jpeg) and scans <= MOST_SCANS:
        marker, length = struct.unpack_from(">HH", jpeg, at)
        if marker == 0xFFD9:
            break
        if marker < 0xFFC0 or 0xFFD0 <= marker <= 0xFFD8 or marker == 0xFFFF:
            return scans + jpeg.count(_SCAN, at)
        at += 2 + length
        if marker == 0xFFDA:
            scans += 1
            end = _END_OF_SCAN.search(jpeg, at)
            at = end.start() if end else len(jpeg)
    return scans


_IN_SRGB = {"RGB": "RGB", "RGBA": "RGBA", "CMYK": "RGB"}


def _in_srgb(picture: Image.Image) -> Image.Image:
    """In the colours that it has without its profile, which is not kept."""
    profile, mode = picture.info.get("icc_profile"), _IN_SRGB.get(picture.mode)
    # The one colour that stands for nothing would become another.
    if not profile or not mode or "transparency" in picture.info:
        return picture
    with suppress(ImageCms.PyCMSError):  # The profile is broken, or one for other pictures.
        converted = ImageCms.profileToProfile(
            picture,
            BytesIO(profile),
            ImageCms.createProfile("sRGB"),
            outputMode=mode,
            inPlace=mode == picture.mode,
        )
        return converted or picture
    return picture


def _in_colours_for(picture: Image.Image, kind: str) -> Image.Image:
    """In colours that files of this kind can have."""
    if picture.mode in _WRITERS[kind][1]:
        return picture
    return picture.convert(
        "RGBA" if picture.has_transparency_data and kind != "image/jpeg" else "RGB"
    )


def _small(picture: Image.Image) -> Image.Image:
    """At most THUMBNAIL pixels wide and high, on white where one can see through."""
    if picture.mode == "I;16":
        picture = picture.point(lambda value: value / 256).convert("L")
        picture.info = {}  # What is transparent in it is one of 65,536 greys.
    has_alpha = picture.mode in ("LA", "RGBA")
    if picture.mode in ("1", "P") or (picture.has_transparency_data and not has_alpha):
        picture = picture.convert("RGBA")
    scale = min(1, THUMBNAIL / max(picture.size))
    size = [max(1, round(side * scale)) for side in picture.size]
    small = picture.resize(size, reducing_gap=2)
    if small.has_transparency_data:
        white = Image.new("RGBA", small.size, "white")
        small = Image.alpha_composite(white, small.convert("RGBA"))
    return small.convert("RGB")


def _written(picture: Image.Image, kind: str, quality: int = 90) -> bytes:
    """Pixels alone: writers would add what they find in `info`."""
    picture.info = {name: value for name, value in picture.info.items() if name == "transparency"}
    written = BytesIO()
    picture.save(written, _WRITERS[kind][0], quality=quality)
    return written.getvalue()
