"""What we tell somebody about a report of theirs, without being asked."""

from whatsapp_bot.wording import Notice, places

places |= {"news": "News of a report"}

NEWS = {
    "acknowledged": Notice(
        "news.acknowledged",
        "👀 Our team has seen your report {number} (“{preview}”) and is looking into it.",
        about="To the reporter, when a report is acknowledged.",
    ),
    "decided": Notice(
        "news.decided",
        "We have decided what to do about your report {number} (“{preview}”), and are dealing with "
        "it. Thank you for telling us!",
        about="To the reporter, when it is decided what becomes of the parts.",
    ),
    "closed": Notice(
        "news.closed",
        "✅ Your report {number} (“{preview}”) is closed. Thank you for your help!",
        about="To the reporter, when a report is closed.",
    ),
}
"""By the status that a report has now."""

QUESTION = Notice(
    "news.question",
    "A question about your report {number} (“{preview}”):\n{question}",
    about="To the reporter, when staff ask something about a report.",
    required=True,
)
