"""What a file is, by what is in it. What its sender or anybody else says of it is not believed.

Only kinds that are known are taken, and none that is something else besides: a file that one
program shows as a picture, and another one runs, is refused.
"""

import codecs
import re
import struct
from io import BytesIO
from zipfile import BadZipFile, ZipFile

OFFICE = "application/vnd.openxmlformats-officedocument."
PICTURES = {"image/jpeg", "image/png", "image/webp", "image/gif", "image/avif", "image/heic"}

A_PROGRAM = "It is a program or a script."
AN_ARCHIVE = "It is an archive: what is in it cannot be looked at here."
A_PAGE = "It is a web page, a drawing with markup (SVG) or XML, which can carry scripts."
MACROS = "It is an Office document with macros, which are programs."
TWO_THINGS = "It is two things at once ({one} and {other}), as only dangerous files are."
UNKNOWN = "It is of no kind that is taken here."

_NAMES = {"image": "picture", "audio": "sound", "video": "film", "text": "text"}

_MARKUP = re.compile(
    rb"<(?:!doctype\s|html[\s>]|script[\s>/]|iframe[\s>]|body[\s>]|svg\s+[a-z:]+=|svg>"
    rb"|img\s+[a-z]+=|\?php|\?xml-stylesheet)",
    re.IGNORECASE,
)
# People put words in brackets too, but neither give them values nor close them again.
_BEGINS_AS_MARKUP = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*+<"
    rb"(?:[?/]|![-a-z\[]|([a-z][^\s<>/]{0,50}+)(?:[\s/]+[^\s<>=/]++\s*=|[^<>]*/>|.*</\1))",
    re.IGNORECASE | re.DOTALL,
)
_SCRIPT_IN_COMMENT = re.compile(rb"\*/[\x20-\x7e]{4}")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")

# A text may begin with letters that are a kind's own: then what no text has behind them is needed.
_PROGRAM = re.compile(
    rb"MZ.[\x00\x01]|\x7fELF|#![ \t]*/|\xca\xfe\xba\xbe|dex\n\d{3}\x00|\x00asm"
    rb"|L\x00\x00\x00\x01\x14\x02\x00|[\xce\xcf]\xfa\xed\xfe|\xfe\xed\xfa[\xce\xcf]",
    re.DOTALL,
)
_ARCHIVE = re.compile(
    rb"Rar!\x1a\x07|7z\xbc\xaf\x27\x1c|\x1f\x8b|BZh[1-9](?:1AY&SY|\x17rE8P\x90)|\xfd7zXZ\x00"
    rb"|MSCF\x00{4}|\x28\xb5\x2f\xfd|xar!\x00|!<arch>\n|.{257}ustar[\x00 ]",
    re.DOTALL,
)

_UTF_16 = codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP, _ZIP_ENTRY, _ZIP_END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_LARGEST_LIST = 1_000_000
"""Bytes of the list of what is in a zip: reading one takes ten times as much memory."""

_BEGINNINGS = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    **dict.fromkeys((b"GIF87a", b"GIF89a"), "image/gif"),
    **dict.fromkeys((b"#!AMR\n", b"#!AMR-WB\n"), "audio/amr"),
    b"%PDF-": "application/pdf",
}
_BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"), "image/heic"),
    **dict.fromkeys((b"avif", b"avis"), "image/avif"),
    **dict.fromkeys((b"M4A ", b"M4B "), "audio/mp4"),
    **dict.fromkeys((b"3gp4", b"3gp5", b"3gp6", b"3gp7", b"3gr6", b"3gs6"), "video/3gpp"),
    **dict.fromkeys((b"3g2a", b"3ge6", b"3gg6"), "video/3gpp"),
    **dict.fromkeys((b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42"), "video/mp4"),
    **dict.fromkeys((b"avc1", b"dash", b"M4V ", b"MSNV", b"mmp4"), "video/mp4"),
    b"qt  ": "video/quicktime",
}


class Harmful(Exception):
    """A file that is not taken. why: a sentence for staff."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def kind_of(content: bytes, said: str = "") -> str:
    """The content type of a file that can be taken. Raises Harmful for any other.

    said: the type that its sender claims. It decides only between what nobody can tell apart:
    sound and film in the same container, a table and a text.
    """
    if not content:
        raise Harmful("It is empty.")
    kind = _binary(content) or _text(content, said)
    if kind.startswith("video/") and said.startswith("audio/") and kind != "video/quicktime":
        kind = kind.replace("video/", "audio/")
    _be_one_thing(content, kind)
    return kind


def _binary(content: bytes) -> str | None:
    """The kind that the first bytes tell. Raises Harmful; None when it may be a text."""
    for beginning, kind in _BEGINNINGS.items():
        if content.startswith(beginning):
            return kind
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:8] == b"ftyp" and content[8:12] in _BRANDS:
        return _BRANDS[content[8:12]]
    if content.startswith(b"OggS") and re.search(rb"OpusHead|\x01vorbis|Speex   ", content[:200]):
        return "audio/ogg"
    if content.startswith(_ZIP):
        return _office(content)
    if content.startswith(_OLE):
        return _old_office(content)
    if _PROGRAM.match(content):
        raise Harmful(A_PROGRAM)
    if _ARCHIVE.match(content):
        raise Harmful(AN_ARCHIVE)
    return _stream_of_sound(content)


def _stream_of_sound(content: bytes) -> str | None:
    """MP3 and AAC have no header of the file: one frame follows the other."""
    start = 0
    if content.startswith(b"ID3") and len(content) > 10:
        size = content[6:10]
        start = 10 + (size[0] << 21 | size[1] << 14 | size[2] << 7 | size[3])
    for kind, length in (("audio/aac", _aac_frame), ("audio/mpeg", _mp3_frame)):
        first = length(content, start)
        if first and (start + first == len(content) or length(content, start + first)):
            return kind
    return None


def _aac_frame(content: bytes, at: int) -> int:
    """Bytes of the ADTS frame that begins there; 0 when none does."""
    head = content[at : at + 7]
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
        return 0
    size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return size if size > 7 else 0


_BIT_RATES = {  # kbit/s of layer III
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
}
_SAMPLE_RATES = {
    3: (44100, 48000, 32000, 0),
    2: (22050, 24000, 16000, 0),
    0: (11025, 12000, 8000, 0),
}


def _mp3_frame(content: bytes, at: int) -> int:
    """Bytes of the frame of MPEG audio, layer III, that begins there; 0 when none does."""
    head = content[at : at + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return 0
    version = head[1] >> 3 & 3
    if version not in _SAMPLE_RATES:
        return 0
    bits = _BIT_RATES[1 if version == 3 else 2][head[2] >> 4] * 1000
    rate = _SAMPLE_RATES[version][head[2] >> 2 & 3]
    if not bits or not rate:
        return 0
    return (144 if version == 3 else 72) * bits // rate + (head[2] >> 1 & 1)


def _office(content: bytes) -> str:
    """A zip that is a document of Word, Excel or PowerPoint, and nothing else."""
    end = _zip_end(content)
    if end is None or end[1] != len(content):
        raise Harmful(AN_ARCHIVE)
    try:
        with ZipFile(BytesIO(content)) as archive:
            names = {entry.filename for entry in archive.infolist()}
    except (BadZipFile, ValueError, OSError, NotImplementedError, struct.error):
        raise Harmful(AN_ARCHIVE) from None
    if "[Content_Types].xml" not in names:
        raise Harmful(AN_ARCHIVE)
    if any(re.search("vbaproject|macrosheets", name, re.IGNORECASE) for name in names):
        raise Harmful(MACROS)
    if names & {"META-INF/MANIFEST.MF", "AndroidManifest.xml", "classes.dex"}:
        raise Harmful(A_PROGRAM)
    for main, kind in {
        "word/document.xml": "wordprocessingml.document",
        "xl/workbook.xml": "spreadsheetml.sheet",
        "ppt/presentation.xml": "presentationml.presentation",
    }.items():
        if main in names:
            return OFFICE + kind
    raise Harmful(AN_ARCHIVE)


def _old_office(content: bytes) -> str:
    """A document of Word, Excel or PowerPoint before 2007: its parts are named in UTF-16."""

    def has(name: str) -> bool:
        return name.encode("utf-16-le") in content

    if has("_VBA_PROJECT"):
        raise Harmful(MACROS)
    if has("WordDocument"):
        return "application/msword"
    if has("Workbook") or has("Book\0"):
        return "application/vnd.ms-excel"
    if has("PowerPoint Document"):
        return "application/vnd.ms-powerpoint"
    raise Harmful(UNKNOWN)


def _zip_end(content: bytes) -> tuple[int, int] | None:
    """Where the list of a zip's entries begins, and where the zip ends; None without a zip.

    A zip is found from its end, whatever stands before it. Raises Harmful when its list is so
    long that reading it would take too much memory.
    """
    at = content.rfind(_ZIP_END, max(0, len(content) - 65_600))
    if at < 0 or at + 22 > len(content):
        return None
    size, comment = struct.unpack_from("<I4xH", content, at + 12)
    if at > 20 and content[at - 20 : at - 16] == b"PK\x06\x07":
        raise Harmful(AN_ARCHIVE)  # A zip of more than 4 GB, or one that pretends.
    if not 46 <= size <= at or content[at - size : at - size + 4] != _ZIP_ENTRY:
        return None
    if size > _LARGEST_LIST:
        raise Harmful(AN_ARCHIVE)
    return at - size, at + 22 + comment


def _text(content: bytes, said: str) -> str:
    if content.startswith(_UTF_16):
        content = _in_utf_8(content)
    begin = content[:1000].removeprefix(codecs.BOM_UTF8).lstrip()
    if _BEGINS_AS_MARKUP.match(content):
        raise Harmful(A_PAGE)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        if not said.startswith("text/"):
            raise Harmful(UNKNOWN) from None
        text = content.decode("cp1252", errors="replace")
    if _CONTROLS.search(text) or begin.startswith(b"{\\rtf"):
        raise Harmful(UNKNOWN)
    if _MARKUP.search(content):
        raise Harmful(A_PAGE)
    if begin[:11].upper() == b"BEGIN:VCARD":
        return "text/vcard"
    return "text/csv" if said.partition(";")[0].strip().lower() == "text/csv" else "text/plain"


def _in_utf_8(content: bytes) -> bytes:
    try:
        return content.decode("utf-16").encode()
    except UnicodeDecodeError:
        raise Harmful(UNKNOWN) from None


def _be_one_thing(content: bytes, kind: str) -> None:
    """Raises Harmful when it could be taken for something else as well."""
    name = _NAMES.get(kind.partition("/")[0], "PDF")
    if kind.startswith(("application/vnd.", "application/msword")):
        return
    if kind.startswith("text/") and not content.startswith(_UTF_16):
        return  # It has no control characters, which everything else does.
    if _zip_end(content):
        raise Harmful(TWO_THINGS.format(one=name, other="archive"))
    if kind != "application/pdf" and b"%PDF-" in content[:1100]:
        raise Harmful(TWO_THINGS.format(one=name, other="PDF"))
    # Documents may quote markup inside; before its first page, or after its end, none belongs.
    parts = [content]
    if kind == "application/pdf":
        parts = [content[:1100], content[max(0, content.rfind(b"%%EOF")) :]]
    if any(_MARKUP.search(part) for part in parts):
        raise Harmful(TWO_THINGS.format(one=name, other="web page"))
    commented = content[6:8] == b"/*" if kind == "image/gif" else content[4:6] == b"/*"
    assigned = kind == "image/gif" and content[6:7] == b"="
    if kind in PICTURES and (assigned or (commented and _SCRIPT_IN_COMMENT.search(content))):
        raise Harmful(TWO_THINGS.format(one=name, other="script"))
