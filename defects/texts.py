"""What the bot says about defect reports."""

from defects.models import DefectReport
from whatsapp_bot.wording import Text, places

places |= {"defects": "Reporting a defect", "history": "A person's own reports"}

SUBMITTED = Text(
    "defects.submitted",
    "✅ Defect Submitted! ID: {number}",
    about="After a report has been submitted, unless its form has thanks of its own.",
)
ADD_A_PHOTO = Text(
    "defects.add_a_photo",
    "Send a photo now and I will add it.",
    about="Below that, when the form did not ask for a photo.",
)
DRAFT_DONE = Text(
    "defects.draft_done",
    "✅ That was the draft. Nothing was submitted. You answered:\n{answers}",
    about="After the draft of a form has been tried in the simulator.",
)
WHAT_IS_WRONG = Text(
    "defects.what_is_wrong",
    "Sorry, I need to know what is wrong. A few words are enough. For anything else, send *menu*.",
    about="Above the question, after *Where is my order?*, *Report a defect* or the like where a "
    "defect is to be described. Who sends the same again is taken at their word.",
)
ATTACHED = Text(
    "defects.attached",
    "📎 Added to your report {number}, “{preview}”.",
    about="After a picture, voice note, document or location that follows a report.",
)
REPLY_FILED = Text(
    "defects.reply_filed",
    "Thank you! I have added that to your report {number}.",
    about="After somebody replied to what we told about a report.",
)
QUESTION_FILED = Text(
    "defects.question_filed",
    "Your report {number}: {status}. I have added your question, so that our team sees it.",
    about="The same, when they asked something, such as *Is it fixed yet?*, after news of it.",
)
PICTURE = Text(
    "defects.picture",
    "📎 Thank you, I have that. Would you like to report a defect with it?",
    about="After a picture, voice note, document or location of a worker, or a picture of somebody "
    "unknown, that comes with nothing under way.",
)
PICTURE_TOO = Text(
    "defects.picture.too",
    "📎 I have that one as well.",
    about="After another one, while that question is open.",
)
PICTURE_DROPPED = Text(
    "defects.picture.dropped",
    "All right, no report then.",
    about="After a no to that question.",
)
PICTURE_TOO_OLD = Text(
    "defects.picture.too_old",
    "That was a while ago, so please send it once more with this report.",
    about="Above the first question, after a yes that came more than 30 minutes late.",
)
WORDS = Text(
    "defects.words",
    "Thank you for telling me! Shall I report that as a defect?",
    about="After words of a worker that may be a defect, with nothing under way.",
)
WORDS_DROPPED = Text(
    "defects.words.dropped",
    "All right, nothing was reported.",
    about="After a no to that question.",
)
WORDS_KEPT = Text(
    "defects.words.kept",
    "I have kept what you wrote. You can still report it from the menu.",
    about="When somebody turns to the menu, or to the help, instead of answering that question.",
)
NO_FORM = Text(
    "defects.no_form",
    "Defects cannot be reported here right now. Please send *help* and leave our team a message.",
    about="After a yes to one of these questions, when no report form is published.",
)
WRONG_NUMBER = Text(
    "defects.wrong_number",
    "Sorry, I need one number, such as 12.",
    about="After an answer that should be a number.",
)
BELOW_ZERO = Text(
    "defects.below_zero",
    "Sorry, that number cannot be below 0.",
    about="After a number below 0, where the question's example is not below 0 either.",
)
WRONG_DATE = Text(
    "defects.wrong_date",
    "Sorry, I do not understand that date. Please send day, month and year, or *today* or "
    "*yesterday*.",
    about="After an answer that should be a date.",
)
WRONG_ORDER = Text(
    "defects.wrong_order",
    "I cannot find that order for you. Please check the number.",
    about="After an order number in a report that does not exist or is somebody else's.",
)

HISTORY = Text("history.heading", "*Your reports*", about="Above a person's own reports.")
HISTORY_EMPTY = Text(
    "history.empty",
    "You have not reported anything yet.",
    about="When somebody without reports asks for theirs.",
)
HISTORY_REPORT = Text(
    "history.report",
    "{number}\n{preview}\n{date}, {status}",
    about="One report in that list.",
)
REPORT_STATUS = {
    status: Text(f"history.status.{status}", wording, about=f"A report that is {status.label}.")
    for status, wording in {
        DefectReport.Status.REPORTED: "received, waiting for our team",
        DefectReport.Status.ACKNOWLEDGED: "seen by our team",
        DefectReport.Status.IN_REVIEW: "being looked into",
        DefectReport.Status.DECIDED: "decided, being dealt with",
        DefectReport.Status.CLOSED: "closed",
        DefectReport.Status.UNFOUNDED: "checked, no defect found",
        DefectReport.Status.DUPLICATE: "known already from another report",
    }.items()
}
