"""Does somebody tell of an emergency, where minutes count? Told by the words alone."""

import re

from whatsapp_bot.dialog import words_in
from whatsapp_bot.emergency_words import CALLS, DENIED, ELSEWHERE, FIRE, HURT, OF_A_PERSON, PERSON

_WAYS = "|".join((*FIRE, *HURT, *CALLS, *ELSEWHERE))
_EMERGENCY = re.compile(
    rf"\b(?P<denied>{DENIED})?(?:{_WAYS}|{PERSON} (?:{'|'.join(OF_A_PERSON)}))\b"
)
_NO_BY_ITSELF = re.compile(r"\b(?:no|not|nie|not? a (?:drill|joke))\s*[,.;!?\n]", re.IGNORECASE)
"""`No, fire!` and `Not a drill! Fire!` tell of one all the same."""
_CALLS_BY_A_SIGN = re.compile(r"[🆘🚑]")
MOST_WORDS_BESIDE_A_SIGN = 3


def tells_of_emergency(text: str) -> bool:
    """Does somebody tell of one? Rather once too often."""
    words = words_in(_NO_BY_ITSELF.sub(" ", text))
    if any(not found["denied"] for found in _EMERGENCY.finditer(words)):
        return True
    return bool(_CALLS_BY_A_SIGN.search(text)) and words.count(" ") < MOST_WORDS_BESIDE_A_SIGN
