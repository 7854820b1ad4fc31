"""What a whole message amounts to that is one of our words, said in one of many ways."""

import re
from functools import lru_cache

from whatsapp_bot.whatsapp_text import without_accents

PHRASES = {
    "hello": (
        *("hi", "hey", "hi there", "hello there", "good morning", "good afternoon", "good evening"),
        *("good day", "greetings", "hallo", "goeie more"),
        *("goeie dag", "goeiemore", "sawubona", "sanibonani", "molo", "dumela", "hola", "bonjour"),
        *("buenos dias", "buenas tardes", "buenas", "bom dia", "boa tarde", "ola", "oi", "salut"),
        *("ciao", "guten tag", "guten morgen", "moin", "servus", "czesc", "dzien dobry", "jambo"),
        *("habari", "merhaba", "namaste", "salaam", "hoi", "goedemorgen", "goedendag"),
        *("नमस्ते", "नमस्कार"),
    ),
    "menu": (
        *("main menu", "the menu", "show menu", "show me the menu", "open menu", "go to menu"),
        *("start over", "start again", "hoofmenu"),
    ),
    "help": (
        *("help me", "i need help", "i need some help"),
        *("can you help me", "can you help", "human", "agent", "a human", "real person"),
        *("hulp", "hilfe", "ayuda", "ayudame", "aide", "aiuto", "ajuda", "pomoc", "usizo"),
        *("help asseblief", "hulp asseblief", "hilfe bitte", "ayuda por favor", "ngicela usizo"),
    ),
    "stop": (
        *("unsubscribe", "stop all", "stopall", "opt out", "optout"),
        *("leave me alone", "unsubscribe me", "stop now", "remove me"),
        *("stopp", "staak", "abmelden", "afmelden", "wypisz", "darme de baja"),
    ),
    "start": (),
    "back": ("go back", "terug", "zuruck", "volver", "atras", "retour", "wstecz", "voltar"),
    "skip": ("skip it", "skip this", "slaan oor", "saltar", "omitir"),
    "cancel": (
        *("never mind", "nevermind", "forget it", "forget that", "cancel that", "cancel it"),
        *("delete it", "delete that", "delete my report", "delete the report", "cancel my report"),
        *("cancel this", "undo", "quit", "kanselleer", "cancelar", "abbrechen"),
        *("annuler", "anuluj"),
    ),
    "thanks": (
        *("thank you", "thank you very much", "thanks a lot", "many thanks", "thx", "thank u"),
        *("thank you so much", "thanks so much", "thanks again", "cheers", "❤", "🙏"),
        *("dankie", "dhanyavad", "shukriya", "धन्यवाद", "शुक्रिया"),
        *("baie dankie", "danke", "dank je", "gracias", "merci", "grazie", "obrigado", "obrigada"),
        *("dziekuje", "ngiyabonga", "enkosi", "asante", "شكرا", "ty", "tnx"),
    ),
    "bye": (
        *("goodbye", "good bye", "good night", "see you", "totsiens", "adios", "tschuss"),
        "au revoir",
    ),
    "ok": (
        *("okay", "k", "kk", "okey", "alright", "all right", "got it", "noted", "vale", "sharp"),
        *("great", "perfect", "cool", "super", "lekker", "done", "will do"),
        *("👍", "👌", "😊", "🙂"),
    ),
    "yes": (
        *("yes please", "please do", "yeah", "yep", "yup", "yess", "sure", "y"),
        *("do it", "go ahead", "of course", "i think so", "yes i do"),
        *("ja", "yebo", "si", "oui", "tak", "sim", "haan", "ji haan", "हाँ", "जी हाँ"),
    ),
    "no": (
        *("nope", "nah", "not now", "nothing", "nothing more", "no more"),
        *("that is all", "that s all", "that s it", "none", "no need"),
        *("no photo", "no photos", "no picture", "no pictures", "i have no photo", "i have none"),
        *("nee", "nein", "non", "nao", "n", "nie", "cha", "nahi", "nahin", "नहीं", "👎"),
    ),
}
"""By the word that each amounts to: how people say it, without accents."""
_MEANT = {
    without_accents(phrase): word
    for word, phrases in PHRASES.items()
    for phrase in (word, *phrases)
}
PLAIN_OK = ("ok", "okay", "okey", "k", "kk", "👍", "👌")
"""What may also say that something is so. `Noted` and `will do` only say that it was read."""
POLITE = ("ok", "hello", "thanks", "bye")
"""What is said around another word and means nothing more; of two of them the later one counts."""
_MISTYPED = {
    **dict.fromkeys(("mnu", "meun", "menue", "meny"), "menu"),
    **dict.fromkeys(("bck", "bakc", "backk"), "back"),
    **dict.fromkeys(("skp", "sikp", "skipp"), "skip"),
    **dict.fromkeys(("cancle", "cancl", "cansel", "cancell"), "cancel"),
    **dict.fromkeys(("hlep", "hepl", "hlp", "helpp"), "help"),
}
"""No words of their own: `black` and `pack` are no back, `ship` and `slip` no skip."""
DAMAGED = r"(?:broke|crack|damag|fault|scratch|dent|bent)"
"""What a word begins with that says of parts or machines that they are damaged."""
PLACE = "line|hall|press|machine|station|cell|robot|pump"
"""What a number or a letter follows that says where."""
_MACHINE = "machine|press|line|motor|conveyor|belt|pump|robot|forklift|crane|production"
_IS_AMISS = re.compile(
    rf"(?<!\bno )(?<!\bnot )\b(?:{DAMAGED}|leak|torn|stuck|jam|loose|overheat|stopp|burst|snapped"
    r"|blocked|rust|burn|smok)\w*|\b(?:not work\w*|no power)\b"
    rf"|\b(?:{_MACHINE}) (?:\w+ )?down\b|^(?:please )?stop (?:the )?(?:{_MACHINE})\b"
)
LONGEST_PHRASE = 80
_BEFORE = re.compile(r"^(?:(?:please|pls|hi|hello|hey|there|ok|okay|just) )+")
_FOR_WHAT = re.compile(r" for (?!nothing)(?:[^\W\d]+ ){0,3}[^\W\d]+$")
"""As in `thanks for your quick help`."""
_AFTER = re.compile(r"(?: (?:please|pls|plz|sir|madam|boss|man|bro|friend|team|all|everyone))+$")
_A_PERSON = (
    r"(?:(?:a|an|the|some|your|any|one of) )?(?:(?:real|live|actual|your) )?"
    r"(?:human|person|people|agent|someone|somebody|manager|supervisor|consultant|staff"
    r"|representative|sales|support|human being)(?: (?:there|real|else|in charge))?"
)
_ASKS_FOR_A_PERSON = re.compile(
    r"(?:(?:i|we) (?:(?:really|just|still) )?(?:want|need|would like|d like|wish|have|wanna)"
    r" (?:to )?|(?:can|could|may) (?:i|we) |let me )?"
    rf"(?:(?:speak|talk|chat|talking|speaking) (?:to|with) {_A_PERSON}"
    rf"|(?:get|connect|transfer|put) me (?:to |with |through to )?{_A_PERSON})"
    rf"|(?:i|we) (?:want|need|would like) {_A_PERSON}"
    r"|(?:(?:can|could|will|would) )?(?:(?:you|someone|somebody|anyone) )?(?:please )?"
    r"(?:call|phone|ring) me(?: back)?(?: now| today| urgently| asap)?"
    r"|(?:are you|is this|am i (?:talking|speaking|chatting) (?:to|with)) "
    r"(?:(?:a|an) )?(?:real )?(?:bot|robot|chatbot|machine|computer|human|person)"
    r"|(?:is )?(?:anyone|anybody|someone|somebody) (?:there|here)|anyone|anybody"
    r"|(?:what are )?(?:your |the )?(?:opening|office|working|business) (?:hours|times)"
    r"|what are your hours"
    r"|(?:when|what time) (?:do|are) you open|are you open(?: now| today)?"
)
"""Also whether one is there, and when."""
_SHORTEST_REQUEST = len("anyone")
_MESSAGES = (
    r"(?:(?:these|those|any|more|all|the|your) )*"
    r"(?:messages?|texts?|updates?|news|notifications?)"
)
_WANTS_NO_NEWS = re.compile(
    r"(?:(?:stop|do not|don t|never) (?:contact|messag|text|writ|spamm?|bother)(?:e|ing)?"
    r"(?: to)? (?:me|us)"
    r"|stop (?:contacting|messaging|texting|spamming)"
    rf"|(?:stop|do not|don t|never) sen[dt](?:ing)? (?:(?:me|us) )?{_MESSAGES}"
    r"|(?:stop|do not|don t) send(?:ing)? (?:me|us) (?:this|these|those|anything)"
    rf"|(?:stop|no more) {_MESSAGES}"
    rf"|(?:i|we) (?:do not|don t) want (?:to (?:get|receive) )?{_MESSAGES}"
    r"|(?:(?:i|we) (?:want|wish|need|would like|d like) to|(?:can|how can|how do) i|please)"
    r" (?:unsubscribe|opt out)(?: from (?:this|these|your|the|all)(?: (?:list|messages|news))?)?"
    r"|(?:remove me from|take me off) (?:your|the|this)(?: mailing)? list)"
    r"(?: (?:again|any ?more|ever))*"
)
"""`Stop texting the customer` and `don't contact me today` want something else."""
_IT = r"(?:its|(?:it|this|that)(?: is| s| was| has been)?)"
_REFUSES = re.compile(
    r"(?:(?:no|nope|nah|ok|okay|sorry|please|pls|thanks|thank you) )*"
    r"(?:(?:(?:(?:i|we) )?(?:do not|don t) (?:want|need|report|send|pass|do|bother)"
    r"|(?:(?:it s|its|that s) )?not (?:needed|necessary|required))"
    r"(?: (?:it|that|this|them|anything|to|be|report(?:ed)?|pass(?:ed)?|on))*"
    r"|(?:(?:it s|its|that s) )?not yet"
    r"|(?:leave|forget|drop|ignore) (?:it|that|this)(?: message)?"
    rf"|(?:{_IT} )?(?:not an?|no)(?: real)? (?:defect|fault)(?: at all)?"
    rf"|(?:{_IT}|everything|(?:the )?(?:{_MACHINE})(?: is| s)?)"
    r" (?:works?|working|runs|running|fine|ok|okay|good)(?: again(?: now)?| now)"
    rf"|{_IT} (?:already )?(?:fixed|repaired|solved|sorted)(?: again| already)?"
    rf"|(?:(?:{_IT}|(?:i|we)(?: have| ve)?) |(?=(?:reported )?already))(?:already )?reported"
    r"(?: (?:it|that|this))?(?: already)?(?: (?:this morning|today|yesterday|earlier|before))?"
    rf"|(?:(?:{_IT}|i m|i am) )?(?:just|only) (?:testing|an? test|trying)"
    r"(?: (?:please )?(?:ignore|forget) (?:it|that|this)(?: message)?)?"
    r"|(?:no|nope|nah) (?:thanks|thank you|show me(?: the)?(?: main)?(?: menu)?)"
    r"|(?:no|nope|nah) (?:it s|its|all) (?:fine|ok|okay|good))"
    r"(?: (?:please|thanks|thank you|sorry|any ?more|yet|(?:for )?now|later|menu))*"
    r"(?: (?:it s|its|all) (?:fine|ok|okay|good|fixed|done))?"
    r"(?: (?:i|we) (?:(?:will|ll|have|ve) )?(?:call|fix(?:ed)?|do)(?: (?:it|that|them))?)?"
    r"(?: (?:already|myself|ourselves|please|thanks|thank you))*"
)
"""`please don't report that`, `no thanks, I will call`. What else may follow is no part of a no:
`not yet fixed`, `don't bother, call me`. `No guard on the press` is none."""


def meant_by(words: str) -> str:
    """The word of ours that `words`, a whole message, amount to; else `words`."""
    return words if len(words) > LONGEST_PHRASE else _meant_by(words)


@lru_cache(maxsize=1000)
def _meant_by(words: str) -> str:
    """Asked several times a turn, of the same few words for most people."""
    said = _AFTER.sub("", words)
    meant = next(filter(None, map(_amounts_to, (words, said, _BEFORE.sub("", said)))), "")
    return meant or _thanks_for(words) or words


def _amounts_to(words: str) -> str:
    """What is meant by phrases that follow each other: `hola, buenos dias`, `ok thanks bye`."""
    found = "stop" if _WANTS_NO_NEWS.fullmatch(words) else _MEANT.get(words, "")
    spaces = [] if found else [place for place, sign in enumerate(words) if sign == " "]
    for space in spaces:
        first = _MEANT.get(words[:space])
        found = first and _both(first, _amounts_to(words[space + 1 :]))
        if found:
            break
    return found or ""


def _both(first: str, then: str) -> str:
    """What two words amount to together; "" where they contradict each other."""
    said = sorted({first, then}, key=lambda word: word in POLITE and 9 - POLITE.index(word))
    return said[0] if then and (len(said) == 1 or said[1] in POLITE) else ""


def _thanks_for(words: str) -> str:
    is_thanks = _FOR_WHAT.search(words) and _amounts_to(_FOR_WHAT.sub("", words)) == "thanks"
    return "thanks" if is_thanks else ""


def nearly_meant(words: str) -> str:
    """The word of ours that `words` are, but for a typing error: `mnu`, `cancle`; "" for none."""
    return _MISTYPED.get(words, "")


def only_notes(words: str) -> bool:
    """Is it an ok to what was told, and no answer to whether something is so?"""
    return meant_by(words) == "ok" and _AFTER.sub("", words) not in PLAIN_OK


def amiss_in(words: str) -> str:
    """What says that something is amiss; "" where nothing does. Who says so need not say more."""
    found = _IS_AMISS.search(words)
    return found[0] if found else ""


def asks_for_a_person(words: str) -> bool:
    """Is this the whole message: somebody of the team is wanted?"""
    if not _SHORTEST_REQUEST <= len(words) <= LONGEST_PHRASE:
        return False
    return bool(_ASKS_FOR_A_PERSON.fullmatch(_BEFORE.sub("", _AFTER.sub("", words))))


def refuses(words: str) -> bool:
    """Is this no, in a sentence, to what was offered?"""
    return len(words) <= LONGEST_PHRASE and bool(_REFUSES.fullmatch(words))
