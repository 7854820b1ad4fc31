"""A question as a message: what was wrong, what is asked, and what there is to choose from."""

import re

from whatsapp_bot import texts
from whatsapp_bot.dialog import Turn
from whatsapp_bot.flows import Flow
from whatsapp_bot.whatsapp_text import paragraphs

TOO_MANY_WRONG = 3
_NUMBERED = re.compile(r"^\d+\. (.+)$", re.MULTILINE)


def in_words(flow: Flow, turn: Turn) -> str:
    """The question of a turn as a message.

    After too many answers in a row that were not accepted, it names the way out.
    """
    ask = turn.reply
    error = [ask.error] if ask.error else []
    if turn.state.wrong >= TOO_MANY_WRONG:
        error += [texts.EXAMPLE(example=ask.example)] if ask.example else []
        error += [] if flow.is_menu else [texts.WAY_OUT()]
    hints = [texts.OPTIONAL()] if ask.optional else []
    hints += [texts.MORE()] if flow.more else []
    return paragraphs(
        "\n".join(error),
        "\n".join(part for part in (ask.question, ask.help_text) if part),
        "\n".join(f"{number}. {label}" for number, (_, label) in enumerate(ask.options, 1)),
        "\n".join(hints),
    )


def choices_in(told: str) -> list[list[str]]:
    """The choices that a message of ours gave, as pairs of a key and a label."""
    return [[label.casefold(), label] for label in _NUMBERED.findall(told)]
