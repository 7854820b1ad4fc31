"""How people tell of an emergency: patterns for what `words_in` gives, one way of saying it each.

For another language add what is never said of a machine: a battery may be dead, and a lamp burns.
"""

from whatsapp_bot.vocabulary import PLACE

_HERE = r"(?:at|in|on|near|by|next|under|behind|inside|outside|here|now|please|pls|help)\b"
_AT_A_PLACE = rf"(?:{PLACE}) (?:\d+|[a-z])"
_THE = r"(?:the |an? )?"
_VEHICLE = rf"{_THE}(?:forklift|truck|crane)"
_MACHINE_WITH_JAWS = (
    r"(?:machine|press|lift|elevator|conveyor|belt|rollers?|drill|lathe|chuck|gears)"
)
_IN_A_MACHINE = rf"in {_THE}{_MACHINE_WITH_JAWS}"
_UNDER_A_LOAD = rf"under {_THE}(?:forklift|truck|crane|pallets?|load|press|machine|beam|rack)"
_BURNABLE = r"(?:motor|machine|press|panel|cabinet|battery|forklift|building|hall|warehouse|roof)"
_NO_BURNER = (
    r"(?!(?: of| the| an?)*(?: gas| kiln)? (?:burner|furnace|kiln|oven|boiler|torch|pilot)s?)"
)
_SOMEBODY = (
    r"(?:someone|somebody|people|persons?|m[ae]n|wom[ae]n|guys?|workers?|operators?|colleagues?"
    r"|(?<!led )(?<!motor )(?<!servo )(?<!stepper )(?<!screw )(?<!printer )drivers?"
    r"|visitors?|mates?|friends?)"
)
PERSON = (
    rf"(?:{_SOMEBODY}|boss|he|she|they|we|i)"
    r"(?: (?:is|s|are|re|am|m|was|were|been|got|has|have|just|badly|seriously|very))*"
)
_NO_PARTS = r"(?<!they )(?<!they were )(?<!they are )(?<!they re )(?<!they got )(?<!they have )"
"""As in `they were crushed in transport` and `they fell into the gearbox`."""
_LIMB = (
    r"(?:(?:his|her|my|their) (?:hand|arm|finger|leg|foot|head|hair|eye)s?"
    r"|s (?:hand|finger|leg|hair)s?)"
)
"""Of a robot or a tool it may also be the arm or the head: `the robot's arm is stuck`."""
_PART = r"(?:hand|arm|finger|leg|foot|toe|head|eye)s?"
_ONE_PART = r"(?:an?|one|two|three|four|\d) (?:hand|arm|finger|leg|eye|toe)s?"
_NO_TOOL = (
    r"(?! (?:drill|glove|saw|jack|tool|truck|brake|guard|pump|scanner|lamp|set|joint|gasket|wheel"
    r"|lever|pedal|switch|glasse|protection)s?)"
)
_NO_TABLE = r"(?! (?:of|off (?:the|a)|on (?:the |a )?(?:robot|gripper|table|chair|stand))\b)"
"""As in `someone broke a leg off the table`."""
_NO_PAPER = (
    r"(?! (?:reports?|forms?|books?|logs?|sheets?|register|statistics|investigation|insurance"
    r"|prevention|training|drill|rate|free|risks?))"
)

FIRE = (
    # And not their extinguishers, doors and drills; a kiln may be fired.
    r"on fire",
    r"caught fire",
    r"catching fire",
    r"burning down",
    r"^fire$",
    r"(?:a|big|huge|is|s) fire$",
    rf"(?<!we )(?<!to )(?<!you )fire (?:fire|{_HERE})",
    r"(?:help|urgent|electrical|machine|motor|panel|battery) fire$",
    r"^fire (?:line|hall|machine|press|warehouse|building|office) ?\w*$",
    r"(?:there|full of|lots? of|much)(?: is| s)? smoke",
    r"smoke (?:coming|everywhere|in|from)",
    r"^smoke$",
    rf"{_BURNABLE}(?: is| s)? (?:smoking|burning(?! (?:smell|hot|oil)))",
    r"(?:^|(?:an|was|big|loud) )explosion(?! (?:proof|risk|hazard))",
    r"exploded",
    rf"^flames(?:$| (?:coming|(?:at|on|out)\b{_NO_BURNER}))",
    r"flames (?:coming|everywhere|shooting)",
    rf"flames (?:in|from){_NO_BURNER}",
    r"in flames",
    r"gas (?:leak(?:s|ing|age)?|(?:is |s )(?:leaking|escaping)|escaping)"
    r"(?! (?:test|detect|alarm|sensor|check))",
    r"leaking gas",
    rf"gas smells?(?:$| (?:from|{_HERE}))",
    r"smells?(?: \w+)? gas",
    r"smell of gas",
    r"(?:chemical|acid|ammonia|chlorine) (?:spill|leak)",
)
OF_A_PERSON = (
    r"hurt",
    r"injured",
    r"wounded",
    r"bleeding",
    r"dying",
    r"trapped",
    r"unconscious",
    r"fainted",
    r"choking(?! the)",
    r"suffocating",
    r"drowning(?! in (?!the |a ))",
    r"collapsed(?! (?:the|an?|some)\b)",
    r"passed out",
    rf"{_NO_PARTS}died(?! out)",
    rf"{_NO_PARTS}fell(?:$| (?:from|off|down|into|in the)\b)",
    rf"{_NO_PARTS}unresponsive",
    rf"{_NO_PARTS}run over(?! by \d)",
    rf"{_NO_PARTS}(?:crushed|burn(?:t|ed))"
    r"(?! (?:the|an?|some|out|parts?|pieces?|one|two|three|\d+)\b)",
    r"shocked by",
    rf"hit by {_VEHICLE}",
    rf"stuck {_IN_A_MACHINE}",
    rf"{_NO_PARTS}stuck {_UNDER_A_LOAD}",
    rf"{_NO_PARTS}stuck between (?:the |two )?(?:roller|pallet|machine|forklift|truck|rack)s?",
    rf"{_NO_PARTS}lying on the (?:floor|ground)",
    r"no pulse",
    r"cut (?:himself|herself|myself|themselves)",
    r"dead(?! (?:tired|wrong|sure|serious))",
    r"(?:having |had )?an? (?:seizure|heart attack)(?! of)",
    r"an? (?:electric )?shock from",
    r"an?(?: \w+)? accident" + _NO_PAPER,
    rf"(?:cut|crushed|smashed|broke|lost|burn(?:t|ed)|hurt|hit) (?:(?:his|her|their) {_PART}"
    rf"|{_ONE_PART}){_NO_TOOL}{_NO_TABLE}",
)
"""What is said of a person right before it."""
HURT = (
    r"^(?:help )?(?:unconscious|unresponsive|trapped|hurt|injured)$",
    rf"^(?:help )?trapped {_UNDER_A_LOAD}",
    r"^(?:help )?(?:stuck|trapped) in (?:the |a )?(?:lift|elevator)",
    r"(?:^(?:an?|one|two|three|four|several|many|\d+) |^)(?:people )?injur(?:ed|y)"
    rf"(?:$| (?:{_SOMEBODY}|line|hall|press|{_HERE}))",
    rf"unconscious {_SOMEBODY}",
    r"^dead (?:man|person|body)$",
    rf"^(?:help )?{_SOMEBODY} down(?:$| (?:{_HERE}|{_AT_A_PLACE}))",
    r"man down",
    rf"(?:{_SOMEBODY}|he|she)(?: is| s)? (?:not|isn t) moving(?! (?:the|an?|it|them|any)\b)",
    rf"{_SOMEBODY}(?: is| s)? {_UNDER_A_LOAD}",
    rf"{_VEHICLE}(?: has| just)? hit (?:{_THE}{_SOMEBODY}|me|him|her|us)\b{_NO_TOOL}",
    rf"^(?:was |got |been )hit by {_VEHICLE}",
    rf"(?:ran|drove) over (?:{_THE}{_SOMEBODY}|him|me)\b",
    rf"(?:ran|drove) over (?:his|her|my) (?:foot|leg|hand)s?{_NO_TOOL}",
    r"^(?:was |got )?run over by(?! \d)",
    r"i(?: have| ve)? (?:hurt|cut|burnt|burned|broke|crushed|injured) (?:my|myself)",
    rf"i hit my {_PART}{_NO_TOOL}",
    rf"^(?:help )?(?:hurt|cut|burnt|burned|crushed|injured) (?:my|his|her) {_PART}{_NO_TOOL}",
    rf"^(?:help )?(?:lost|cut off) {_ONE_PART}{_NO_TOOL}",
    rf"{_LIMB}(?: is| are| got)? "
    r"(?:stuck|trapped|caught|crushed|cut off|gone|bleeding|burn(?:t|ed))",
    rf"(?:his|her|my) (?:{_PART}|hair)(?: is| are| got)?(?: still)? {_IN_A_MACHINE}",
    rf"(?:^|^help |{PERSON} )(?:hand|finger|leg|foot)s?(?: is| are| got)? "
    r"(?:stuck|trapped|caught|crushed|cut off)"
    r"(?! (?:in trans(?:port|it)|(?:on|at) (?:the |a )?(?:robot|gripper|gauge|clock|meter)))",
    rf"hair(?: is| got)? (?:stuck|trapped|caught) {_IN_A_MACHINE}",
    rf"(?:caught|crushed|trapped|cut off|lost|broke) {_LIMB}{_NO_TOOL}",
    r"(?:his|her|my) (?:hand|arm|finger|leg|foot|toe|nose|rib)s?(?: is| are)? broken",
    r"(?:he|she|worker|operator|someone|somebody)(?: s| has)?(?: got)? a broken "
    rf"(?:hand|arm|finger|leg|foot|rib){_NO_TOOL}",
    r"(?:acid|chemicals?|metal|something) in (?:his|her|my) eyes?",
    r"(?:acid|chemicals?) (?:on|in) (?:(?:his|her|my|the) )?(?:skin|face|hands?|eyes?)",
    r"fell (?:from|off|down) (?:the |a )?(?:ladder|roof|scaffold(?:ing)?|stairs)",
    r"(?:lots? of|much|losing|there is|there s) blood(?! pressure)",
    r"blood everywhere",
    r"^blood$",
    r"(?:is|s|are|got) (?:(?:badly|seriously) )?(?:hurt|injured|unconscious)",
    r"^[^\W\d]+ (?:fainted|passed out)",
    # By name, where it is not of ink, or of a valve.
    r"^(?!(?:it|this|that|paint|ink|dye|colou?r|valve|pump|seal|brake|hydraulics?|system) )"
    r"[^\W\d]+ (?:is|s) bleeding(?:$| (?:and|badly|heavily|a lot)\b)",
    r"and (?:is |s )?bleeding$",
    r"bleeding (?:badly|heavily|a lot|(?:hand|finger|arm|leg|head)s?)",
    r"heart attack",
    r"having a stroke",
    r"chest pains?",
    r"electric shock",
    r"electrocuted",
    r"(?:not|isn t|wasn t|hasn t|stopped|no longer)(?: been)? breathing",
    r"(?:can ?not|could not|does not|did not|(?:ca|could|does|did)n t) breathe",
    r"(?:can ?not|can t) get out(?:$| of the (?:lift|elevator|building|hall))",
    r"kill myself",
    r"suicide",
)
_DOCTOR = r"(?:doctor|medic|paramedics?|first aid(?:er)?)"
CALLS = (
    r"(?:call|send|need|want|get)(?: \w+){0,2} (?:ambulance|paramedics?)",
    r"^(?:(?:please|pls|help) )*ambulance",
    r"(?:call|send|need)(?: \w+){0,2} (?:firefighters|fire (?:brigade|department|fighters))",
    r"call (?:112|911|999)",
    rf"^(?:(?:please|pls|help) )*{_DOCTOR}$",
    rf"(?<!the ){_DOCTOR} (?:needed|now|please|pls|urgently)"
    rf"(?:$| (?:{_HERE}|come|to|hurry|quick|{_AT_A_PLACE}))",
    r"needs? (?:a )?(?:doctor|medic|first aid)(?! (?:box|cabinet|kit|training|blade|s)\b)",
    r"(?:there (?:is|s|was|has been|s been)|had|saw) an?(?: \w+)? accident" + _NO_PAPER,
    r"(?:serious|terrible|bad|forklift) accident" + _NO_PAPER,
    r"^accident(?:$| (?:at|in|on))",
    rf"(?<!by )accident (?:happened|here|now)(?:$| {_HERE})",
    rf"^accident {_AT_A_PLACE}(?:$| {_HERE})",
    rf"^{_AT_A_PLACE} accident(?:$| {_HERE})",
    rf"^s ?o ?s(?:$| (?:sos|line|hall|press|machine|{_HERE}))",
    rf"emergency(?:$| {_HERE}| {_AT_A_PLACE}$)",
)
AFRIKAANS = (r"^brand$", r"n brand (?:in|by|op)", "seergekry", "beseer", "bewusteloos", "ambulans")
ZULU = ("kunomlilo", "umlilo", "ulimele", "balimele", "ulimalile", "i ambulense")
GERMAN = (
    *(r"^feuer", r"(?:es|halle|presse|maschine|motor) brennt", "verletzt", "bewusstlos"),
    *("krankenwagen", "notarzt", r"^(?:arbeits)?unfall", "einen unfall"),
)
SPANISH = (
    *("fuego", "incendio", "fuga de gas", "herid[oa]s?", "sangrando", "ambulancia"),
    r"^accidente",
)
POLISH = ("pozar", "^pali sie$", "rann[ya]", "nieprzytomn[ya]", "karetk[aei]", "^wypadek")
FRENCH = ("incendie", "fuite de gaz", "blessee?s?", "inconsciente?")
ELSEWHERE = AFRIKAANS + ZULU + GERMAN + SPANISH + POLISH + FRENCH

DENIED = (
    r"(?:no(?! (?:an?|he|she|they|we|i|someone|somebody|my|his|her|their) )"
    r"|(?:not|none|noone|nobody|never|without|(?:is|was|has|have)n t|in case of|kein|keine|niemand"
    r"|nicht|geen|nadie|nikt|nie))(?: (?:an?|any|one|is|was|real|on|ist|wurde|esta))? "
)
"""Before it: `no gas leak`, `not a fire`, `nobody was hurt`. `No he is hurt` does tell of one."""
