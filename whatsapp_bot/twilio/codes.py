"""Twilio's error codes: what we do about each, and what it means in words for staff.

From Twilio's error dictionary. Codes that are not here are refusals.
"""

from enum import Enum


class Treat(Enum):
    SETUP = "our account or sender is not set up"
    LATER = "try again later"
    NOT_TODAY = "our account may send no more within a day"
    OPTED_OUT = "the person does not want to hear from us"
    WINDOW = "the 24-hour window is closed"
    TEMPLATE = "the message template cannot be used"
    ONCE_MORE = "try once more"
    GIVE_UP = "never"


_CODES: dict[int, tuple[Treat, str]] = {
    20003: (Treat.SETUP, "Twilio does not accept our account SID and auth token."),
    20005: (Treat.SETUP, "Our Twilio account is not active."),
    30002: (Treat.SETUP, "Our Twilio account is suspended."),
    20404: (Treat.SETUP, "Twilio does not know our account or sender."),
    63001: (Treat.SETUP, "WhatsApp does not accept our sender: its registration is not complete."),
    63007: (Treat.SETUP, "Our number is not a WhatsApp sender of this Twilio account."),
    20429: (Treat.LATER, "Twilio had too many requests from us."),
    63012: (Treat.LATER, "WhatsApp had a fault."),
    63017: (Treat.LATER, "WhatsApp had too many messages from our number."),
    63018: (Treat.LATER, "WhatsApp had too many messages from our number to this person."),
    30001: (Treat.LATER, "Twilio had too many messages of ours waiting."),
    21611: (Treat.LATER, "Twilio had too many messages of ours waiting."),
    63038: (Treat.NOT_TODAY, "Our account has sent as many messages within 24 hours as it may."),
    30454: (Treat.NOT_TODAY, "Our trial account has sent as many messages as it may."),
    21610: (Treat.OPTED_OUT, "The person has stopped our messages."),
    63014: (Treat.OPTED_OUT, "The person has blocked our number, or wants no messages of ours."),
    63033: (Treat.OPTED_OUT, "The person has blocked our number."),
    63016: (Treat.WINDOW, "More than 24 hours have passed since the person wrote."),
    63019: (Treat.ONCE_MORE, "Twilio could not fetch the file to send."),
    21620: (Treat.ONCE_MORE, "Twilio could not fetch the file to send."),
    21211: (Treat.GIVE_UP, "There is no such phone number."),
    21614: (Treat.GIVE_UP, "This phone number cannot have messages."),
    63003: (Treat.GIVE_UP, "This phone number is not on WhatsApp."),
    63024: (Treat.GIVE_UP, "This phone number is not on WhatsApp."),
    21617: (Treat.GIVE_UP, "The message is too long."),
    63008: (
        Treat.GIVE_UP,
        "Something is wrong with our WhatsApp sender, or with the address of the person.",
    ),
    63015: (
        Treat.GIVE_UP,
        "The number is Twilio's sandbox, and the person has not joined it in the last three days: "
        "ask them to send the join code again.",
    ),
    63005: (Treat.GIVE_UP, "WhatsApp did not accept the content of the message."),
    63013: (Treat.GIVE_UP, "The message breaks a rule of WhatsApp."),
    63021: (Treat.GIVE_UP, "WhatsApp did not accept the content of the message."),
    21654: (Treat.TEMPLATE, "There is no content for this message template at Twilio."),
    21655: (Treat.TEMPLATE, "Twilio does not know this message template."),
    63027: (Treat.TEMPLATE, "WhatsApp has no such message template in this language."),
    63040: (Treat.TEMPLATE, "Meta has rejected the message template."),
    63041: (Treat.TEMPLATE, "Meta has paused the message template."),
    63042: (Treat.TEMPLATE, "Meta has switched the message template off."),
    21656: (Treat.GIVE_UP, "The variables do not fit the message template."),
    92002: (Treat.GIVE_UP, "The message template is not valid."),
    92007: (Treat.GIVE_UP, "The message template is not valid."),
    63049: (Treat.GIVE_UP, "WhatsApp chose not to deliver the message."),
}


def treatment(code: int | None) -> Treat:
    """What we do about this error."""
    return _CODES[code][0] if code in _CODES else Treat.GIVE_UP


def in_words(code: int) -> str:
    """The error in a sentence for staff, with its number, by which it can be looked up."""
    sentence = _CODES[code][1] if code in _CODES else "Twilio refused the message."
    return f"{sentence} (Twilio {code})"
