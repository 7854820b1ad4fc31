"""Does somebody ask in words how an order stands? Told by the text alone: nothing is looked up."""

import re

from orders.models.keys import each_in, parts_of, with_word_before
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
_IT = (
    r"(?:it|they|them|these|those|everything"
    r"|(?:my|our|the|these|those) (?:\w+ )?(?:goods|stuff|parts?|pieces|items?|products?))"
)
_COMES = (
    r"(?:ready|finished|completed?|shipp(?:ed|ing)|dispatched|sent|delivered|arriv(?:e|ed|ing)"
    r"|coming|late|delayed|on (?:its|the|their) way|on time|here yet|done yet)"
)
_ASKS_OF_IT = re.compile(
    rf"{_OPENING}(?:where|how far) (?:is|are|s|re) {_IT}(?: now| please)?$"
    rf"|\bwhen (?:is|are|will|does|do|did|can|should) {_IT} (?:be )?"
    rf"(?:{_COMES}|come|ship|leave)(?: please)?$"
    r"|\bwhen (?:can|will|do|should|could) (?:i|we) (?:get|have|receive|expect|collect|fetch)"
    rf" {_IT}(?: please)?$"
    rf"|\bwhen (?:do|will|can|are) you (?:ship|deliver|send|dispatch)(?:ing)?(?: {_IT})?$"
    rf"|\bhow long (?:will|does|do) {_IT} take$"
    rf"|{_OPENING}(?:why )?(?:is|are|has|have|will|was|were) {_IT} "
    rf"(?:(?:been|be|come|arrive|still|already|running|going to be) )*{_COMES}(?: yet| please)?$"
)
"""What a customer may ask of an order, which a worker may ask of anything."""
_ASKS_IN_SHORT = re.compile(rf"\b(?:where|when|news|updates?)\b|{_HOW_FAR}")
_COMPLAINS = re.compile(
    rf"\b(?:{DAMAGED}|defect|wrong|scrap|replac|return|refund|complain|report|repair|rework)"
)
"""Who says so speaks of what is wrong with the parts, and not of when they come."""
_WANTS_A_CHANGE = re.compile(
    r"\b(?:cancel|change|increase|reduce|postpone|speed up|expedite|add (?:to|more))\b"
)
"""Who says so does not ask how the order stands, and must not think that it is done."""
_ASKS_FOR_A_CHANGE = re.compile(rf"{_OPENING}(?:(?:is there )?any|did|why)\b")
"""`Any change on ORD-1001?` and `did you cancel it?` do ask."""
_AROUND_A_NUMBER = re.compile(
    r"(?:hi|hello|please|pls|my|our|the|orders?|ord|number|no|nr|num|its?|is|s|for|of|on|about"
    r"|where|what|when|any|news|updates?|status|and|or|also|too|now|today|asap|urgent(?:ly)?"
    r"|thanks?|you|i|we|need|want|to|know|check|can|get|\w*\d\w*)"
)
"""What may stand around an order's number, and say nothing else."""
_ORDERS_SOMETHING = re.compile(
    r"\b(?:i|we|you|(?:want|need) to) order\b|\b(?:want|need|get) order \d{1,3}\b(?! \d)"
)
"""As in `can we order today?` and `need to order 50`."""
_IS_ONE = re.compile(
    rf"(?:when )?(?:is|has|was|will) \d[\d ]*\b(?: be| been)? {_HOW_FAR}(?: yet| please)*"
)
"""One, and not so many parts, of which one would ask: are they ready?"""
_NUMBER_WITH_LETTERS = re.compile(r"[^\W\d_](?=[\w-]*\d)[\w-]*")
_NUMBER = re.compile(rf"{_NUMBER_WITH_LETTERS.pattern}|\d{{4,}}(?:-\d+)?")


def asks_about_an_order(text: str) -> bool:
    """Is it a question how an order stands, or a delivery, whether it names one or not?"""
    clauses, words = _clauses(text), words_in(text)
    if clauses and "order" in words.split() and names_an_order(text):
        return True
    if any(map(_is_asked, clauses)):
        return True
    in_short = clauses and "?" in text and len(words.split()) <= SHORT
    return bool(in_short and _is_about_one(words) and _ASKS_IN_SHORT.search(words))


def may_ask_about_an_order(text: str) -> bool:
    """Is it `when does it ship?`, `is it late?` or `where are my parts?`, if orders are at all?"""
    return any(map(_ASKS_OF_IT.search, _clauses(text)))


def _clauses(text: str) -> list[str]:
    """The words of each clause of what may be a question for an order."""
    if len(text) > LONGEST_QUESTION or _COMPLAINS.search(text.casefold()):
        return []
    return [words_in(clause) for clause in _CLAUSES.split(text)]


def _is_asked(words: str) -> bool:
    return _is_about_one(words) and bool(_ASKS.search(words))


def _is_about_one(words: str) -> bool:
    return speaks_of_orders(words) or any(map(str.isdecimal, words))


def speaks_of_orders(text: str) -> bool:
    return bool(_ORDER.search(text.casefold()))


def wants_a_change(text: str) -> bool:
    words = words_in(text)
    return bool(_WANTS_A_CHANGE.search(words) and not _ASKS_FOR_A_CHANGE.search(words))


def numbers_meant(text: str) -> list[str]:
    """Where nothing but numbers are said, those that may be of orders; else what looks like one."""
    return each_in(text) if names_an_order(text) else numbers_in(text)


def names_an_order(text: str) -> bool:
    """Is it an order's number, with nothing but `my order is no.` and the like around it?"""
    words = words_in(text)
    if _ORDERS_SOMETHING.search(words):
        return False
    return bool(_IS_ONE.fullmatch(words)) or all(map(_AROUND_A_NUMBER.fullmatch, words.split()))


def number_in(text: str) -> str:
    """What looks like the number of one order; "" for none or several."""
    numbers = numbers_in(text)
    return numbers[0] if len(numbers) == 1 else ""


def numbers_in(text: str) -> list[str]:
    """What looks like the number of an order, each with the word before it.

    `ORD-1001` does, and `1001` where orders are spoken of; `20`, `500kg` and `24/11/2026` do not.
    """
    parts = parts_of(text)
    alike = _NUMBER if speaks_of_orders(text) else _NUMBER_WITH_LETTERS
    places = [place for place, part in enumerate(parts) if len(part) > 3 and alike.fullmatch(part)]
    return [with_word_before(parts, place) for place in places]
