"""Text as WhatsApp carries it: cleaned when it comes in, measured and split when it goes out."""

import re
import unicodedata
from collections.abc import Iterable, Iterator

MAX_LENGTH = 1600
"""The longest message that Twilio takes, in UTF-16 code units (an emoji counts as two or more)."""

# What no database, XML document or reader should have to bear: control characters other than
# tab and newline, lone surrogates, noncharacters, and the marks that turn the reading direction
# of what comes after them.
_UNWANTED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\u202a-\u202e\u2066-\u2069"
    + "".join(
        f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000)
    )
    + "]"
)
# The sign comes first, so that most of a text is passed over fast.
_MARK = re.compile(r"[*_~`](?:(?<![^\W_][*_~`])(?=\S)|(?<=\S[*_~`])(?![^\W_]))")
LONGEST_NUMBER = 20
"""With the signs around it that somebody may type."""
_KEYCAP = re.compile("(?<=\\d)[\ufe0f\u20e3]+")
DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d-"
_LOOKALIKES = {"*": "∗", "_": "ˍ", "~": "∼", "`": "ˋ"}


def clean(text: str, limit: int) -> str:
    """`text` without characters that break databases, XML or screens, cut at `limit` characters."""
    # Lines that are printable, as most are, have nothing unwanted.
    if not text.replace("\n", "").isprintable():
        text = _UNWANTED.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return text[:limit].strip()


def without_marks(text: str) -> str:
    """`text` with the marks replaced that WhatsApp would show as bold, italic and the like."""
    return _MARK.sub(lambda mark: _LOOKALIKES[mark[0]], text)


def length(text: str) -> int:
    """The length in UTF-16 code units, as WhatsApp counts."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def preview(text: str, limit: int = 60) -> str:
    """The beginning of `text` on one line, at most `limit` characters with its ellipsis."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def shortened(text: str, limit: int = MAX_LENGTH) -> str:
    """`text` in at most `limit` UTF-16 units: one that is longer ends after a word, with `…`."""
    return text if length(text) <= limit else f"{text[: _cut(text, limit - 1)].rstrip()}…"


def split(text: str, limit: int = MAX_LENGTH) -> list[str]:
    """`text` as messages of at most `limit` UTF-16 units, split at line ends where it can be."""
    if length(text) <= limit:
        return [text.strip()] if text.strip() else []
    return ["\n".join(lines).strip() for lines in paginate(_short_lines(text, limit), limit)]


def paginate(entries: Iterable[str], limit: int) -> list[list[str]]:
    """`entries` in order, in groups that joined by newlines have at most `limit` units each."""
    pages: list[list[str]] = []
    room = 0
    for entry in entries:
        room -= length(entry) + 1
        if room < 0:
            if not entry.strip():
                continue
            pages.append([])
            room = limit - length(entry)
        pages[-1].append(entry)
    return pages


def _short_lines(text: str, limit: int) -> Iterator[str]:
    for line in text.split("\n"):
        while length(line) > limit:
            end = _cut(line, limit)
            yield line[:end].rstrip()
            line = line[end:].lstrip()
        yield line


def _cut(line: str, limit: int) -> int:
    """Where to break a line that is too long: after a word, or where the room ends."""
    units = end = 0
    for end, character in enumerate(line):  # noqa: B007
        units += 1 + (character > "\uffff")
        if units > limit:
            break
    space = line.rfind(" ", end // 2, end)
    return space if space > 0 else end


def alike(labels: list[str]) -> list[str]:
    """Those that differ from an earlier one in their case at the most."""
    cased = [label.casefold() for label in labels]
    return [label for place, label in enumerate(labels) if cased[place] in cased[:place]]


def digits_to_number(text: str) -> int | None:
    """The number that somebody typed to choose: `2`, ` 2. `, `2!`, `２`, `٢`, `2️⃣`; else None."""
    if len(text) > LONGEST_NUMBER:
        return None
    match = re.fullmatch(r"\s*+\(?#?(\d{1,3})\s*+[.,;:!)-]*+\s*+", in_plain_signs(text))
    return int(match[1]) if match else None


def in_plain_signs(text: str) -> str:
    """`text` with our digits for those of any writing or key, and letters of the usual width."""
    if text.isascii():
        return text
    signs = _KEYCAP.sub("", unicodedata.normalize("NFKC", text))
    return "".join([str(int(sign)) if sign.isdecimal() else sign for sign in signs])


def without_accents(text: str) -> str:
    """`text` without what stands above, below or beside a letter: `días` is `dias`."""
    if text.isascii():
        return text
    signs = unicodedata.normalize("NFD", text)
    letters = "".join([sign for sign in signs if not unicodedata.category(sign).startswith("M")])
    return unicodedata.normalize("NFC", letters)


def paragraphs(*parts: str) -> str:
    """Those of the parts that say something, with an empty line between."""
    return "\n\n".join(part for part in parts if part)
