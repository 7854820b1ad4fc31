"""Reading what other systems send."""

import json
from collections import Counter
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

from whatsapp_bot.whatsapp_text import clean

DEEPEST = 20
"""Lists and objects within each other. Ours need four."""


class TooLarge(APIException):
    status_code = 413
    default_detail = "This is more than fits into one request."


class JSONParser(BaseParser):
    """JSON in UTF-8, within limits, with texts that are clean."""

    media_type = "application/json"

    def parse(self, stream: IO[bytes], media_type: Any = None, parser_context: Any = None) -> Any:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise TooLarge
        try:
            said = json.loads(
                body.decode("utf-8-sig"), parse_constant=_refuse, object_pairs_hook=_each_once
            )
        except RecursionError:
            raise ParseError("It is nested too deep.") from None
        except ValueError as wrong:
            raise ParseError(f"This is not JSON: {wrong}") from None
        return cleaned(said)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, of which nothing is lost."""
    said = dict(pairs)
    if len(said) < len(pairs):
        twice = next(
            name for name, count in Counter(name for name, _ in pairs).items() if count > 1
        )
        raise ValueError(f"{json.dumps(twice)} is twice in one object")
    return said


def cleaned(said: Any, depth: int = 0) -> Any:
    """All of it with clean texts. Raises ParseError for what no text may have in it."""
    if depth > DEEPEST:
        raise ParseError("It is nested too deep.")
    match said:
        case str():
            return _clean(said)
        case list():
            return [cleaned(one, depth + 1) for one in said]
        case dict():
            return {_clean(name): cleaned(one, depth + 1) for name, one in said.items()}
    return said


def _clean(text: str) -> str:
    if "\0" in text or not _can_be_written(text):
        raise ParseError("There is a character that no text has: NUL, or half of a pair.")
    return clean(text, len(text))


def _can_be_written(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
