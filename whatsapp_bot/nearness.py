"""Which label is meant by words that are only near to it, as they are after a typing error."""

import re

from rapidfuzz import fuzz

from whatsapp_bot.vocabulary import amiss_in

# Measured on the shipped menus: typos score 75 and more, unrelated sentences 54 and less.
NEAR_ENOUGH = 70
CLEARLY_NEARER = 5
SHORT_LABEL = 3
FEW_WORDS = 2
A_TYPING_ERROR = 80
"""What a word scores with one sign too few is more, and `rotor` for `motor` is just as much."""
LONG_ENOUGH = 5
"""Of a word of so many letters one may be another letter, though not the first one."""
_WORD_OF_ITS_OWN = re.compile(
    r"belts|black|blank|block|bolts|brake|break|broke|chain|chair|clean|clear|crack|crane"
    r"|crank|crash|creak|crush|drift|drill|drive|drove|flame|flare|flash|flood|floor|flour"
    r"|flush|frame|front|frost|glass|gloss|grade|grand|grate|grind|label|laser|later|layer"
    r"|level|lever|light|medal|metal|meter|motor|paint|parts|place|plane|plant|plate|point"
    r"|ports|print|radio|rails|rains|ratio|river|rivet|rotor|rough|round|scale|scrap|seals"
    r"|seams|seats|shade|shaft|shake|shape|share|sharp|sheer|sheet|shelf|shell|shift|shirt"
    r"|short|slice|slide|small|smell|smile|smoke|space|spare|spark|spell|spike|spill|spoke"
    r"|stack|stage|stain|stair|stale|stall|state|steal|steel|stick|still|stock|stone|store"
    r"|strap|stuck|tight|torch|touch|trace|track|trade|trick|truck|value|valve|wafer|water"
    r"|while|white"
)
"""One of those of a factory that read like each other: a `shift` is no shaft."""
_SOUNDS = (("ph", "f"), ("ck", "k"), ("c", "k"), ("x", "ks"), ("igh", "i"))
_SILENT = re.compile(r"(?<=[^\Waeiou])e\b")
_NUMBER = re.compile(r"\d+|(?<= )[a-z]$")
"""Also the letter that a line or a hall has instead."""
_DENIES = re.compile(
    r"\b(?:non|not|none|never|nothing|nobody|neither|nor|without|cannot"
    r"|(?<!part )(?<!order )(?<!serial )(?<!item )(?<!lot )(?<!batch )no(?! *\d)"
    r"|(?:ca|wo|do|does|did|is|are|was|were|has|have|had|could|would|should|must|need)n ?t)\b"
)
_OPPOSITE = re.compile(
    r"\b(?:(?:un|non|dis|mis)(?=\w{3})"
    r"|in(?=correct|complete|accurate|active|sufficient|secure|visible|valid|adequate|operable)"
    r"|im(?=possible|proper|mobile|perfect|balanced)|ir(?=regular|relevant|reparable))"
)


def nearest(keys: list[str], labels: list[str], words: str) -> str | None:
    """The key whose label is near to `words`, unless another one is about as near."""
    scored = sorted(zip((_nearness(words, label) for label in labels), keys, strict=True))
    scores = [0.0, *(score for score, _ in scored)]
    if scores[-1] < NEAR_ENOUGH or scores[-1] - scores[-2] < CLEARLY_NEARER:
        return None
    return scored[-1][1]


def _nearness(words: str, label: str) -> float:
    """How near `words` are to `label`, 0 to 100.

    rapidfuzz's WRatio would do but for one thing: it finds any sentence near that shares a word
    such as "a" or "back" with the label. Numbers are no typing errors of each other.
    """
    if len(words) > 1 and len(label) <= SHORT_LABEL:
        return 0.0  # "not" and "now" are no "No"
    if _denies(words, label) or _denies(label, words):
        return 0.0
    if not set(_NUMBER.findall(words)) <= {*_NUMBER.findall(label), *label.split()}:
        return 0.0
    if len(words) == 1:
        return 100.0 * label.startswith(words)
    within = fuzz.partial_ratio(words, label) if 4 <= len(words) < len(label) else 0
    near = max(
        fuzz.token_sort_ratio(words, label),
        0.9 * fuzz.token_set_ratio(words, label) if _is_about(words, label) else 0,
        0.9 * within,
    )
    near = 100.0 if _sound(words) == _sound(label) else near
    return 0.0 if near >= NEAR_ENOUGH and _says_otherwise(words, label) else near


def _denies(words: str, label: str) -> bool:
    """Does one say no where the other does not? "Unsafe" and "not safe" are no "Safe"."""
    if _DENIES.search(words) and not _DENIES.search(label):
        return True
    shared = set(label.split()) - set(words.split())
    return any(word in shared for word in _OPPOSITE.sub("", words).split())


def _says_otherwise(words: str, label: str) -> bool:
    return _says_another_word(words.split(), label.split()) or _tells_of_more(words, label)


def _says_another_word(said: list[str], labelled: list[str]) -> bool:
    """Is one of them no word of a label of few, though it reads alike? "Belt" is no "Bolt"."""
    if len(labelled) > FEW_WORDS:
        return False
    # The wrong letter may be that of another line or hall: "presb" is no "Press A".
    has_letter = any(len(word) == 1 for word in labelled)
    is_meant = _is_word if has_letter else _is_word_or_misspelt
    if len(said) <= len(labelled):
        known = [*labelled, "".join(labelled)]
        return not all(any(is_meant(one, word) for word in known) for one in said)
    return not all(any(is_meant(one, word) for one in said) for word in labelled)


def _is_word(said: str, word: str) -> bool:
    """Is it this word, its beginning, longer than it, or this word with a typing error?"""
    if said == word or (len(said) > 1 and word.startswith(said)):
        return True
    if len(word) > SHORT_LABEL and said.startswith(word):
        return True
    # A sign is missing or too many, or two have changed places.
    return fuzz.ratio(said, word) > A_TYPING_ERROR or sorted(said) == sorted(word)


def _is_word_or_misspelt(said: str, word: str) -> bool:
    return _is_word(said, word) or (len(word) >= LONG_ENOUGH and _is_misspelt(said, word))


def _is_misspelt(said: str, word: str) -> bool:
    """Does it sound like the word, or is one letter another one? `Foto` and `majer` are such."""
    if _WORD_OF_ITS_OWN.fullmatch(said):
        return False
    if _sound(said) == _sound(word):
        return True
    others = sum(one != other for one, other in zip(said, word, strict=False))
    return len(said) == len(word) and said[0] == word[0] and others == 1


def _sound(words: str) -> str:
    """What is spoken, roughly: `krack` sounds like `crack`, and `nite` like `night`."""
    for written, spoken in _SOUNDS:
        words = words.replace(written, spoken)
    return _SILENT.sub("", words)


def _tells_of_more(words: str, label: str) -> bool:
    """Is something amiss of which the label knows nothing? "Line 2 stopped" names line 2 still.

    "Production stopped" asks for no "Production schedule".
    """
    amiss = amiss_in(words)
    if not amiss or "report" in words or set(label.split()) <= set(words.split()):
        return False
    return not all(word[:3] in label for word in amiss.split())


def _is_about(words: str, label: str) -> bool:
    """Are `words` hardly more than the label? "Dent and scratch" is no "Scratch"."""
    labelled = label.split()
    return len(words.split()) <= (2 * len(labelled) if len(labelled) > 1 else 1)
