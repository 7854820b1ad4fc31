"""Which label is meant by words that are only near to it, as they are after a typing error."""

import re

from rapidfuzz import fuzz

# Measured on the shipped menus: typos score 75 and more, unrelated sentences 54 and less.
NEAR_ENOUGH = 70
CLEARLY_NEARER = 5
SHORT_LABEL = 3
_NUMBER = re.compile(r"\d+")
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
    if not set(_NUMBER.findall(words)) <= set(_NUMBER.findall(label)):
        return 0.0
    if len(words) == 1:
        return 100.0 * label.startswith(words)
    within = fuzz.partial_ratio(words, label) if 4 <= len(words) < len(label) else 0
    return max(
        fuzz.token_sort_ratio(words, label),
        0.9 * fuzz.token_set_ratio(words, label) if _is_about(words, label) else 0,
        0.9 * within,
    )


def _denies(words: str, label: str) -> bool:
    """Does one say no where the other does not? "Unsafe" and "not safe" are no "Safe"."""
    if _DENIES.search(words) and not _DENIES.search(label):
        return True
    shared = set(label.split()) - set(words.split())
    return any(word in shared for word in _OPPOSITE.sub("", words).split())


def _is_about(words: str, label: str) -> bool:
    """Are `words` hardly more than the label? "Dent and scratch" is no "Scratch"."""
    labelled = label.split()
    return len(words.split()) <= (2 * len(labelled) if len(labelled) > 1 else 1)
