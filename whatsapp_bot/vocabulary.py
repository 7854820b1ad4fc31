"""What a whole message amounts to that is one of our words, said in one of many ways."""

import re
import unicodedata

PHRASES = {
    "hello": (
        *("hi", "hey", "hi there", "hello there", "good morning", "good afternoon", "good evening"),
        *("good day", "greetings", "hallo", "goeie more"),
        *("goeie dag", "goeiemore", "sawubona", "sanibonani", "molo", "dumela", "hola", "bonjour"),
        *("buenos dias", "buenas tardes", "buenas", "bom dia", "boa tarde", "ola", "oi", "salut"),
        *("ciao", "guten tag", "guten morgen", "moin", "servus", "czesc", "dzien dobry", "jambo"),
        *("habari", "merhaba", "namaste", "salaam", "hoi", "goedemorgen", "goedendag"),
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
        *("unsubscribe", "stop all", "stopall", "opt out", "optout", "stop messages"),
        *("stop sending me this", "stop sending me messages", "stop sending messages"),
        *("stop texting me", "do not message me", "don t message me", "dont message me"),
        *("no more messages", "unsubscribe me", "stop writing to me", "stop messaging me"),
        *("stopp", "staak", "abmelden", "afmelden", "wypisz", "darme de baja"),
    ),
    "start": (),
    "back": ("go back", "terug", "zuruck", "volver", "atras", "retour", "wstecz", "voltar"),
    "skip": (),
    "cancel": (
        *("never mind", "nevermind", "forget it", "forget that", "cancel that", "cancel it"),
        *("delete it", "delete that", "delete my report", "delete the report", "cancel my report"),
        *("cancel this", "undo", "quit", "kanselleer", "cancelar", "abbrechen"),
        *("annuler", "anuluj"),
    ),
    "thanks": (
        *("thank you", "thank you very much", "thanks a lot", "many thanks", "thx", "thank u"),
        *("thank you so much", "thanks so much", "thanks again", "great thanks", "ok thanks", "❤"),
        *("okay thanks", "ok thank you", "okay thank you", "ok thx", "cheers", "🙏", "dankie"),
        *("baie dankie", "danke", "dank je", "gracias", "merci", "grazie", "obrigado", "obrigada"),
        *("dziekuje", "ngiyabonga", "enkosi", "asante", "شكرا", "ty", "tnx"),
    ),
    "bye": (
        *("bye bye", "goodbye", "good bye", "good night", "see you", "ok bye", "totsiens"),
        *("thanks bye", "bye thanks", "thank you bye", "ok thanks bye"),
        *("adios", "tschuss", "au revoir"),
    ),
    "ok": (
        *("okay", "k", "kk", "okey", "alright", "all right", "got it", "noted"),
        *("👍", "👌", "😊", "🙂"),
    ),
    "yes": (
        *("yes please", "yes please do", "please do", "yeah", "yep", "yup", "yess", "sure", "y"),
        *("yes do it", "do it", "go ahead", "sure go ahead", "of course", "i think so", "yes i do"),
        *("ja", "yebo", "si", "oui", "tak", "sim"),
    ),
    "no": (
        *("no thanks", "no thank you", "nope", "nah", "not now", "nothing", "nothing more"),
        *("that is all", "that s all", "thats all", "that s it", "none", "no need"),
        *("that is all thanks", "that s all thanks", "thats all thanks", "no photo thanks"),
        *("no photo", "no photos", "no picture", "no pictures", "i have no photo", "i have none"),
        *("nee", "nein", "non", "nao", "nee dankie", "nein danke", "no gracias", "nie dziekuje"),
        *("n", "nie", "cha", "👎"),
    ),
}
"""By the word that each amounts to: how people say it, without accents."""
_MEANT = {phrase: word for word, phrases in PHRASES.items() for phrase in (word, *phrases)}
DAMAGED = r"(?:broke|crack|damag|fault|scratch|dent|bent)"
"""What a word begins with that says of parts or machines that they are damaged."""
LONGEST_PHRASE = 80
_BEFORE = re.compile(r"^(?:(?:please|pls|hi|hello|hey|there|ok|okay|just) )+")
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
_REFUSES = re.compile(
    r"(?:(?:no|nope|nah|sorry|please|pls|thanks|thank you) )*"
    r"(?:(?:(?:(?:i|we) )?(?:do not|don t|dont) (?:want|need|report|send|pass|do|bother)"
    r"|(?:(?:it s|its|that s) )?not (?:needed|necessary|required))"
    r"(?: (?:it|that|this|them|anything|to|be|report(?:ed)?|pass(?:ed)?|on))*"
    r"|(?:(?:it s|its|that s) )?not yet"
    r"|(?:leave|forget|drop|ignore) (?:it|that|this)"
    r"|(?:no|nope|nah) (?:thanks|thank you|show me(?: the)?(?: main)?(?: menu)?)"
    r"|(?:no|nope|nah) (?:it s|its|all) (?:fine|ok|okay|good))"
    r"(?: (?:please|thanks|thank you|any ?more|yet|(?:for )?now|later|menu))*"
    r"(?: (?:it s|its|all) (?:fine|ok|okay|good|fixed|done))?"
    r"(?: (?:i|we) (?:(?:will|ll|have|ve) )?(?:call|fix(?:ed)?|do)(?: (?:it|that|them))?)?"
    r"(?: (?:already|myself|ourselves|please|thanks|thank you))*"
)
"""`please don't report that`, `no thanks, I will call`. What else may follow is no part of a no:
`not yet fixed`, `don't bother, call me`. `No guard on the press` is none."""


def meant_by(words: str) -> str:
    """The word of ours that `words`, a whole message, amount to; else `words`."""
    if len(words) > LONGEST_PHRASE:
        return words
    plain = _without_accents(words)
    said = _AFTER.sub("", plain)
    return next(filter(None, map(_MEANT.get, (plain, said, _BEFORE.sub("", said)))), words)


def asks_for_a_person(words: str) -> bool:
    """Is this the whole message: somebody of the team is wanted?"""
    if len(words) > LONGEST_PHRASE:
        return False
    return bool(_ASKS_FOR_A_PERSON.fullmatch(_BEFORE.sub("", _AFTER.sub("", words))))


def refuses(words: str) -> bool:
    """Is this no, in a sentence, to what was offered?"""
    return len(words) <= LONGEST_PHRASE and bool(_REFUSES.fullmatch(words))


def _without_accents(words: str) -> str:
    if words.isascii():
        return words
    signs = unicodedata.normalize("NFD", words)
    return "".join(sign for sign in signs if not unicodedata.combining(sign))
