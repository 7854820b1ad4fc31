"""Does somebody tell of an emergency, where minutes count? Told by a few sure words alone.

Each line below is one way to say it, in the words that `words_in` gives. For another language add
what is never said of a machine: a battery may be dead, and a lamp burns.
"""

import re

_HERE = r"(?:at|in|on|near|by|next|under|behind|inside|outside|here|now|please|pls|help)\b"
_PERSON = (
    r"(?:someone|somebody|people|persons?|m[ae]n|wom[ae]n|guys?|workers?|operators?|colleagues?"
    r"|drivers?|visitors?|mates?|boss|friends?|he|she|they|we|i)"
    r"(?: (?:is|s|are|re|am|m|was|were|been|got|has|have|just|badly|seriously|very))*"
)
_NO_PARTS = r"(?<!they were )(?<!they are )(?<!they re )(?<!they got )"
"""As in `they were crushed in transport`."""
_LIMB = (
    r"(?:(?:his|her|my|their) (?:hand|arm|finger|leg|foot|head|hair|eye)s?"
    r"|s (?:hand|finger|leg|hair)s?)"
)
"""Of a robot or a tool it may also be the arm or the head: `the robot's arm is stuck`."""
_BURNABLE = r"(?:motor|machine|press|panel|cabinet|battery|forklift|building|hall|warehouse|roof)"

_FIRE = (
    # And not their extinguishers, doors and drills; a kiln may be fired.
    r"on fire|caught fire|catching fire|burning down|^fire$|(?:a|big|is|s) fire$",
    rf"(?<!we )(?<!to )(?<!you )fire (?:fire|{_HERE})",
    r"(?:help|urgent|electrical|machine|motor|panel|battery) fire$",
    r"^fire (?:line|hall|machine|press|warehouse|building|office) ?\w*$",
    r"(?:there|full of|lots? of|much)(?: is| s)? smoke|smoke (?:coming|everywhere|in|from)|^smoke$",
    rf"{_BURNABLE}(?: is| s)? (?:smoking|burning(?! (?:smell|hot|oil)))",
    r"(?:^|(?:an|was|big|loud) )explosion(?! (?:proof|risk|hazard))|exploded",
    r"gas (?:leak|is leaking)(?! (?:test|detect|alarm|sensor|check))|leaking gas",
    r"smells?(?: \w+)? gas|smell of gas|(?:chemical|acid|ammonia|chlorine) (?:spill|leak)",
)
_HURT = (
    rf"{_PERSON} (?:hurt|injured|wounded|bleeding|dying|trapped|unconscious|fainted)",
    rf"{_PERSON} (?:collapsed|passed out|fell (?:from|off|down))",
    rf"{_PERSON} {_NO_PARTS}(?:crushed|burn(?:t|ed)(?! (?:the|a|some|out|parts?|pieces?)\b))",
    rf"{_PERSON} (?:shocked by|hit by (?:the |a )?(?:forklift|truck|crane))",
    r"(?:forklift|truck|crane)(?: has| just)? hit (?:the |a )?(?:worker|man|woman|person)",
    rf"{_PERSON} dead(?! (?:tired|wrong|sure|serious))",
    rf"{_PERSON} stuck in (?:the |a )?(?:machine|press|lift|elevator|conveyor)",
    r"i(?: have| ve)? (?:hurt|cut|burnt|burned|broke|crushed|injured) (?:my|myself)",
    rf"{_LIMB}(?: is| are| got)? (?:stuck|trapped|caught|crushed|cut off|bleeding|burn(?:t|ed))",
    rf"(?:caught|crushed|trapped|cut off|lost|broke) {_LIMB}"
    r"(?! (?:drill|glove|saw|jack|tool|truck)s?)",
    r"(?:acid|chemicals?|metal|something) in (?:his|her|my) eyes?",
    r"fell (?:from|off|down) (?:the |a )?(?:ladder|roof|scaffold(?:ing)?|stairs)",
    r"bleeding (?:badly|heavily|a lot)|man down|heart attack|chest pain",
    r"electric shock|electrocuted",
    r"(?:not|stopped) breathing|(?:can ?not|can t) breathe|kill myself|suicide",
)
_CALLS = (
    r"(?:call|send|need|want|get)(?: \w+){0,2} (?:ambulance|paramedics?)|^ambulance",
    r"(?:call|send|need)(?: \w+){0,2} (?:firefighters|fire (?:brigade|department|fighters))",
    r"there (?:is|s|was|has been|s been) an?(?: \w+)? accident|^accident(?:$| (?:at|in|on))",
    r"forklift accident|needs? (?:a )?(?:doctor|medic|first aid)(?! (?:box|cabinet|kit|training))",
    r"call (?:112|911|999)",
    rf"emergency(?:$| {_HERE})",
)
_ELSEWHERE = (
    r"^brand$|n brand (?:in|by|op)|seergekry|beseer|bewusteloos|ambulans",  # Afrikaans
    r"kunomlilo|umlilo|ulimele|balimele|ulimalile|i ambulense",  # Zulu
    r"^feuer|(?:es|halle|presse|maschine|motor) brennt|verletzt|bewusstlos|krankenwagen|notarzt"
    r"|^(?:arbeits)?unfall|einen unfall",  # German
    r"fuego|incendio|fuga de gas|herid[oa]s?|sangrando|ambulancia|^accidente",  # Spanish
    r"pozar|^pali sie$|rann[ya]|nieprzytomn[ya]|karetk[aei]|^wypadek",  # Polish
    r"incendie|fuite de gaz|blessee?s?|inconsciente?",  # French
)
_DENIED = (
    r"(?:no|not|nobody|never|without|isn t|wasn t|in case of|kein|keine|niemand|nicht|geen|nadie"
    r"|nikt|nie)(?: (?:an?|any|one|is|was|real|on|ist|wurde|esta))? "
)
"""Before it: `no gas leak`, `not a fire`, `nobody was hurt`."""
_EMERGENCY = re.compile(
    rf"\b(?P<denied>{_DENIED})?(?:{'|'.join(_FIRE + _HURT + _CALLS + _ELSEWHERE)})\b"
)
_SHORTEST = len("fire")


def tells_of_emergency(words: str) -> bool:
    """Do these words, as `words_in` gives them, tell of one? Rather once too often."""
    return len(words) >= _SHORTEST and any(
        not found["denied"] for found in _EMERGENCY.finditer(words)
    )
