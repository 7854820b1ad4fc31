"""What a page is opened with, and brings back when it is posted."""

from hashlib import blake2b


def fingerprint(*values: object) -> str:
    """A short string that differs when anything of the values does."""
    return blake2b(repr(values).encode(errors="replace"), digest_size=12).hexdigest()


def id_in(text: str) -> int:
    """The id of a row that was brought back; 0, which none has, when it is none."""
    return int(text) if text.isdecimal() and len(text) < 19 else 0
