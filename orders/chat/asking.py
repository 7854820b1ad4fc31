"""Does somebody ask in words how an order stands? Told by the text alone: nothing is looked up."""

import re

from orders.models.keys import parts_of
from whatsapp_bot.dialog import words_in
from whatsapp_bot.vocabulary import DAMAGED

LONGEST_QUESTION = 200
SHORT = 6
_CLAUSES = re.compile(r"[.!?;,\n]+(?:\s+(?!\d)|$)")
_ORDER = re.compile(
    r"\b(?:(?<!out of )(?<!in )orders?|ord|po|deliver(?:y|ies)"
    r"|shipments?|parcels?|packages?|consignments?)\b"
)
_OPENING = r"^(?:(?:hi|hello|hey|there|please|and|so|but|good (?:morning|day|afternoon)) )*"
_HOW_FAR = (
    r"\b(?:ready|finished|done|made|completed?|produced|shipped|dispatched|sent|delivered"
    r"|arriv(?:e|ed|ing)|coming|here|collected|late|delayed|on (?:its|the) way|on time"
    r"|in production|started)\b"
)
_ASKS = re.compile(
    r"\b(?:where|how far|how long|how soon) (?:is|are|s|re|has|have|will)\b"
    r"|\bwhen (?:is|are|s|re|will|ll|can|could|do|does|did|has|have|would|should)\b"
    r"|\bwhat (?:about|happened (?:to|with)|(?:is|s) happening (?:to|with))\b"
    r"|\b(?:know|tell me|tell us|ask|check|see|wondering) (?:where|when|how far)"
    r" (?:my|our|the|this|order|ord|it|(?:\w+ )?\w*\d\w*)\b"
    rf"|\b(?:know|tell me|tell us|ask|check|see|wondering) (?:if|whether)\b.*{_HOW_FAR}"
    r"|\b(?:news|updates?)(?: please)? (?:of|on|about|for|from|regarding|with) (?:\w+ ){0,4}\w+$"
    r"|\b(?:any|what) (?:news|updates?)\b|\b(?:status|eta)(?: (?:of|on|about|for)\b|(?: please)?$)"
    r"|\b(?:what|what is|what s|check|know|get|give me|send me) (?:the )?(?:\w+ )?(?:status|eta)\b"
    r"|\b(?:status|eta)(?: \w{1,5})? \w*\d\w*(?: please)?$"
    r"|\b(?:track|trace) (?:my|our|the|order|ord|\w*\d)"
    rf"|\bhow many\b.*{_HOW_FAR}|\bhow (?:is|are|s) .*\b(?:doing|going|coming|getting)\b"
    rf"|{_OPENING}(?:why )?(?:is|are|has|have|did|will|was)\b.*{_HOW_FAR}"
)
_COMES = re.compile(
    rf"{_HOW_FAR}|\b(?:ship|deliver|dispatch|arrive|come|get|have|receive|expect|collect|pick|take)\b"
)
_OF_THEIRS = re.compile(
    r"\b(?:it|they|them|those|everything|goods|stuff|parts?|pieces|items?|products?"
    r"|ship|deliver|dispatch)\b"
)
"""What a customer may call an order in a question of when it comes."""
_ASKS_IN_SHORT = re.compile(rf"\b(?:where|when|news|updates?)\b|{_HOW_FAR}")
_COMPLAINS = re.compile(
    rf"\b(?:{DAMAGED}|defect|wrong|scrap|replac|return|refund|complain|report|repair|rework)"
)
"""Who says so speaks of what is wrong with the parts, and not of when they come."""
_AROUND_A_NUMBER = re.compile(
    r"(?:hi|hello|please|pls|my|our|the|orders?|ord|number|no|nr|num|its?|is|s|for|of|on|about"
    r"|where|what|any|news|updates?|status|\w*\d\w*)"
)
"""What may stand around an order's number, and say nothing else."""
_IS_ONE = re.compile(
    rf"(?:when )?(?:is|has|was|will) \d[\d ]*\b(?: be| been)? {_HOW_FAR}(?: yet| please)*"
)
"""One, and not so many parts, of which one would ask: are they ready?"""
_NUMBER_WITH_LETTERS = re.compile(r"[^\W\d_](?=[\w-]*\d)[\w-]*")
_NUMBER = re.compile(rf"{_NUMBER_WITH_LETTERS.pattern}|\d{{4,}}(?:-\d+)?")


def asks_about_an_order(text: str) -> bool:
    """Is it a question how an order stands, or a delivery, whether it names one or not?"""
    if len(text) > LONGEST_QUESTION or _COMPLAINS.search(text.casefold()):
        return False
    words = words_in(text)
    if "order" in words.split() and names_an_order(text):
        return True
    if any(_is_asked(words_in(clause)) for clause in _CLAUSES.split(text)):
        return True
    in_short = "?" in text and len(words.split()) <= SHORT
    return in_short and _is_about_one(words) and bool(_ASKS_IN_SHORT.search(words))


def may_ask_about_an_order(text: str) -> bool:
    """Is it `when does it ship?`, `is it late?` or `where are my parts?`, if orders are at all?"""
    if len(text) > LONGEST_QUESTION or _COMPLAINS.search(text.casefold()):
        return False
    clauses = map(words_in, _CLAUSES.split(text))
    return any(
        _ASKS.search(words)
        and _OF_THEIRS.search(words)
        and (_COMES.search(words) or words.startswith("where"))
        for words in clauses
    )


def _is_asked(words: str) -> bool:
    return _is_about_one(words) and bool(_ASKS.search(words))


def _is_about_one(words: str) -> bool:
    return speaks_of_orders(words) or any(map(str.isdecimal, words))


def speaks_of_orders(text: str) -> bool:
    return bool(_ORDER.search(text.casefold()))


def names_an_order(text: str) -> bool:
    """Is it an order's number, with nothing but `my order is no.` and the like around it?

    Who begins with `for` tells what something else is for.
    """
    words = words_in(text)
    if words.startswith("for "):
        return False
    return bool(_IS_ONE.fullmatch(words)) or all(map(_AROUND_A_NUMBER.fullmatch, words.split()))


def number_in(text: str) -> str:
    """What looks like the number of one order, with the word before it; "" for none or several.

    `ORD-1001` does, and `1001` where orders are spoken of; `20`, `500kg` and `24/11/2026` do not.
    """
    parts = parts_of(text)
    alike = _NUMBER if speaks_of_orders(text) else _NUMBER_WITH_LETTERS
    places = [place for place, part in enumerate(parts) if len(part) > 3 and alike.fullmatch(part)]
    return " ".join(parts[max(places[0] - 1, 0) : places[0] + 1]) if len(places) == 1 else ""
