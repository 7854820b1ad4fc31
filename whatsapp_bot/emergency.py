"""Does somebody tell of an emergency, where minutes count? Told by a few sure words alone."""

import re

_WHERE = r"(?:at|in|on|near|by|next|under|behind|inside|outside|here|now|please|pls|help)\b"
_PERSON = (
    r"(?:someone|somebody|people|person|man|woman|guy|worker|operator|colleague|driver|visitor"
    r"|mate|boss|friend|he|she|they|we|i)"
)
_IS = r"(?: (?:is|s|are|re|am|m|was|were|been|got|has|have|just|badly|seriously|very))*"
_OUR = r"(?:his|her|my|their|s)"
_LIMB = r"(?:hand|arm|finger|leg|foot|head|hair)s?"
_FIRES = (
    # And not their extinguishers, doors and drills; a kiln may be fired.
    r"on fire|caught fire|catching fire|burning down|^fire$|(?:a|big|is|s) fire$",
    rf"(?<!we )(?<!to )(?<!you )fire (?:fire|{_WHERE})",
    r"(?:help|urgent|electrical|machine|motor|panel|battery) fire$",
    r"^fire (?:line|hall|machine|press|warehouse|building|office) ?\w*$",
    r"(?:there|full of|lots? of|much)(?: is| s)? smoke|smoke (?:coming|everywhere|in|from)",
    r"(?:motor|machine|press|panel|cabinet|battery|forklift)(?: is| s)? smoking",
    r"(?:^|(?:an|was|big|loud) )explosion(?! (?:proof|risk|hazard))|exploded",
    r"gas (?:leak|is leaking)(?! (?:test|detect|alarm|sensor|check))|leaking gas",
    r"smells?(?: \w+)? gas|smell of gas|(?:chemical|acid|ammonia|chlorine) (?:spill|leak)",
    r"^feuer|es brennt|fuego|incendio|incendie|pożar|umlilo",
)
_HARM = (
    "hurt|injured|bleeding|dying|trapped|unconscious|electrocuted|fainted|collapsed",
    "burn(?:t|ed)(?! (?:the|a|some|part|piece))|dead(?! (?:tired|wrong|sure|serious))",
    "stuck in (?:the |a )?(?:machine|press|lift|elevator|conveyor)",
)
_PEOPLE = (
    rf"{_PERSON}{_IS} (?:{'|'.join(_HARM)})",
    r"i(?: have| ve)? (?:hurt|cut|burnt|burned|broke|crushed|injured) (?:my|myself)",
    rf"{_OUR} {_LIMB}(?: is| are| got)? (?:stuck|trapped|caught|crushed|cut off)",
    r"bleeding (?:badly|heavily|a lot)|man down|heart attack|electric shock",
    r"(?:not|stopped) breathing|(?:can ?not|can t) breathe|kill myself|suicide",
)
_CALLS = (
    r"(?:call|send|need|want|get)(?: \w+){0,2} (?:ambulance|paramedics?)|^ambulance",
    r"(?:call|send|need)(?: \w+){0,2} (?:firefighters|fire (?:brigade|department|fighters))",
    r"there (?:is|s|was|has been|s been) an?(?: \w+)? accident|^accident (?:at|in|on)",
    rf"emergency(?:$| {_WHERE})",
)
_EMERGENCY = re.compile(rf"\b(?:{'|'.join(_FIRES + _PEOPLE + _CALLS)})\b")
_DENIES = re.compile(
    r"\b(?:no|not|nobody|never|without|isn t|wasn t|in case of)"
    r"(?: (?:an?|any|one|is|was|real|on))? $"
)
"""Before it: `no gas leak`, `not a fire`, `nobody was hurt`."""


def tells_of_emergency(words: str) -> bool:
    """Do these words, as `words_in` gives them, tell of one? Rather once too often."""
    return any(not _DENIES.search(words, 0, found.start()) for found in _EMERGENCY.finditer(words))
