"""What the front desk says by itself."""

from whatsapp_bot.wording import Notice, Text, places

places |= {"bot": "Anywhere", "help": "Help & support", "staff": "From staff"}

FIRST = Text(
    "bot.first",
    "👋 Welcome! I am the chatbot of our front desk.",
    about="Above the answer, when the first message of somebody new asks for something already. "
    "Who only says hello is greeted by the main menu.",
)
NOT_UNDERSTOOD = Text(
    "bot.not_understood",
    "Sorry, I did not get that. Please choose a number:",
    about="Above a menu, when the answer was none of its items.",
)
NOT_AN_OPTION = Text(
    "bot.not_an_option",
    "Sorry, that is not one of the choices. Please send one of the numbers.",
    about="When the answer to a question was none of its choices.",
)
UNREADABLE = Text(
    "bot.unreadable",
    "Sorry, I cannot read that kind of message. Please write to me in words.",
    about="After a contact card, a sticker, a reaction or something that we do not know. Below it "
    "comes the question again, if one was asked.",
)
EARLIER = Text(
    "bot.earlier",
    "That was an earlier question. Send *back* to return to the one before, or go on with this "
    "one:",
    about="When somebody replies with a number or a choice to an earlier message of ours, by "
    "swiping it. Below it comes the question that is open.",
)
EARLIER_DONE = Text(
    "bot.earlier.done",
    "Thank you! That question is no longer open.",
    about="The same, above the main menu, when no question is open.",
)
ANSWER_NEEDED = Text(
    "bot.answer_needed",
    "I need an answer to this one.",
    about="When somebody skips a question that has to be answered.",
)
PICTURE_NEEDED = Text(
    "bot.picture_needed",
    "Sorry, I need a picture here.",
    about="After words where a photo was asked for.",
)
TOO_LITTLE = Text(
    "bot.too_little",
    "Sorry, that tells me too little. A few words are enough. Or send *menu* to leave.",
    about="Above the question, after ok, 2, ? or the like where a defect is to be described or a "
    "message to be left. Who sends the same letters or digits again is taken at their word.",
)
YES = Text("bot.yes", "Yes", about="A choice of a yes or no question.")
NO = Text("bot.no", "No", about="A choice of a yes or no question.")
ANSWER_TOO_LONG = Text(
    "bot.answer_too_long",
    "That is too long for me. Please keep it under {limit} characters.",
    about="When an answer has more characters than we store.",
)
WAY_OUT = Text(
    "bot.way_out",
    "Or send *menu* for the main menu, *cancel* to drop this.",
    about="After three wrong answers to one question.",
)
EXAMPLE = Text(
    "bot.example",
    "For example: {example}",
    about="After three wrong answers, when the question has an example.",
)
EXAMPLE_OF_WORDS = Text(
    "bot.example.words", "a few words, as to a colleague", about="The example for words."
)
EXAMPLE_OF_PICTURE = Text(
    "bot.example.picture",
    "tap 📎 or the camera, and send a photo",
    about="The example for a photo.",
)
OPTIONAL = Text(
    "bot.optional",
    "Send *skip* to leave this out.",
    about="Below a question that need not be answered.",
)
MORE = Text("bot.more", "Send *more* to see more.", about="Below a list of choices that goes on.")
MORE_OR_MENU = Text(
    "bot.more_or_menu",
    "Send *more* to see more, or *menu* for the main menu.",
    about="Below a list that goes on.",
)
NO_MORE = Text(
    "bot.no_more", "That is all there is.", about="After *more*, when all has been shown."
)
GO_ON = Text(
    "bot.go_on",
    "Send *menu* for the main menu.",
    about="Below an answer that ends a conversation.",
)
CHANGED = Text(
    "bot.changed",
    "All right, I have changed that to “{answer}”.",
    about="After *no wait, line 3* or the like, which is about the choice just made. Below it "
    "comes the question again.",
)
KEPT = Text(
    "bot.kept",
    "📎 Got it, I will add that to your report.",
    about="When a picture, voice note, document or location comes while a report is being written.",
)
ADDED = Text(
    "bot.added",
    "I will add that to your report. Please choose as well:",
    about="After a sentence where one of several choices was asked for in a report. Below it comes "
    "the question again.",
)
CANNOT_LISTEN = Text(
    "bot.cannot_listen",
    "I cannot listen to it, so please write a few words as well.",
    about="After that, where it is a voice note. Below it comes the question again.",
)
CANNOT_LISTEN_TO_A_CHOICE = Text(
    "bot.cannot_listen.choice",
    "I cannot listen to it, so please send one of the numbers.",
    about="The same, where the question has choices.",
)
CANNOT_LISTEN_TO_AN_ANSWER = Text(
    "bot.cannot_listen.answer",
    "I cannot listen to it, so please write the answer.",
    about="The same, where a number, a date or the like is asked for.",
)
PUT_ASIDE = Text(
    "bot.put_aside",
    "I have kept what you began. Choose it again to go on with it.",
    about="Above the main menu or the help, when somebody leaves a report half-way, and after "
    "*stop*.",
)
YOU_ARE_WELCOME = Text("bot.welcome", "You are welcome! 🙂", about="After thanks.")
GOODBYE = Text("bot.goodbye", "Goodbye! 🙂", about="After a goodbye.")
NOTED = Text("bot.noted", "👍", about="After an ok, when nothing was asked.")
ALL_RIGHT = Text(
    "bot.all_right", "All right.", about="When there is nothing to add to what was just sent."
)
SENT_ALREADY = Text(
    "bot.sent_already",
    "It has reached our team already. Is something wrong with it? Tell me in a few words, and I "
    "will add that.",
    about="After *cancel* or *back*, when something has just been submitted.",
)
TELL_ME = Text(
    "bot.tell_me",
    "Please tell me in a few words, or send a photo, and I will add it.",
    about="After a yes, when something has just been submitted.",
)
CANCELLED = Text(
    "bot.cancelled",
    "Cancelled. Nothing was submitted.",
    about="After *cancel*, above the main menu.",
)
EXPIRED = Text(
    "bot.expired",
    "It has been a while, so we start again here.",
    about="Above the main menu, when somebody answers after a long silence.",
)
GONE = Text(
    "bot.gone",
    "Sorry, that is no longer available.",
    about="Above the main menu, when what was under way has been removed.",
)
NO_MENU = Text(
    "bot.no_menu",
    "Thank you for your message. Nothing can be chosen here right now; our team can read it.",
    about="When there is no main menu to show.",
)
TROUBLE = Text(
    "bot.trouble",
    "Sorry, something went wrong on our side. Your message is stored. "
    "Please try again, or send *menu*.",
    about="When a message could not be handled. It is stored all the same.",
)
RESUME = Text(
    "bot.resume",
    "You have something unfinished: “{preview}”. Shall we go on with it?",
    about="Offers what was left half-way.",
)
RESUME_CONTINUE = Text("bot.resume.continue", "Continue", about="A choice of that offer.")
RESUME_START_OVER = Text("bot.resume.start_over", "Start over", about="A choice of that offer.")

STOPPED = Text(
    "bot.stopped",
    "All right, we will send you no more news. We still answer when you write. "
    "Send *start* to hear from us again.",
    about="After *stop* or *unsubscribe*.",
)
STARTED = Text(
    "bot.started",
    "Welcome back! We will tell you again when there is news for you.",
    about="Above the main menu, after *start* of somebody who had stopped.",
)
OPTED_OUT = Text(
    "bot.opted_out",
    "By the way: our own messages to you are switched off. Send *start* to hear from us again.",
    about="Once, below an answer, when WhatsApp told us that somebody stopped or blocked us.",
)
TOO_FAST = Text(
    "bot.too_fast",
    "That is a lot at once! I have stored your messages; please go on in a minute.",
    about="Once, when somebody sends more than 60 messages in a minute.",
)

EMERGENCY = Text(
    "help.emergency",
    "🚨 Is somebody in danger? Call the emergency number now, and warn those around you. "
    "I am a machine. I have passed this on to our team, but it may be some time before anybody "
    "reads it.",
    about="Above all else, after words that sound like a fire, a gas leak or somebody hurt. Write "
    "into it which numbers to call.",
)
HELP = Text(
    "help.text",
    "*Help & support*\n"
    "Send a number to choose. Send *menu* at any time for the main menu, *back* to correct your "
    "last answer, *cancel* to drop what you began.\n"
    "Our team is here Monday to Friday, 08:00 to 17:00.",
    about="How to use the bot, and your opening hours.",
)
HELP_LEAVE_MESSAGE = Text(
    "help.leave_message", "Leave a message for our team", about="A choice below the help."
)
HELP_BACK = Text("help.back", "Back to menu", about="A choice below the help.")
HELP_ASK = Text(
    "help.ask",
    "What would you like to tell our team?",
    about="Asks for the message to leave for the team.",
)
HELP_KEPT = Text(
    "help.kept",
    "📎 Got it, our team will see that as well.",
    about="After a picture or the like while a message for the team is being written.",
)
HELP_STORED = Text(
    "help.stored",
    "✅ Thank you! Our team has your message. Its number is {number}.",
    about="After a message for the team.",
)
PASS_ON = Text(
    "help.words",
    "Sorry, I cannot answer that myself. Shall I pass it on to our team?",
    about="After a sentence that we do not understand, and that answers no question.",
)
PASS_ON_FILE = Text(
    "help.file",
    "📎 Thank you, I have that. Shall I pass it on to our team?",
    about="After a picture, voice note, document or location that comes with nothing under way, "
    "where a defect is not what it may show.",
)
PASS_ON_YES = Text("help.words.yes", "Yes, pass it on", about="A choice of that question.")
PASS_ON_NO = Text("help.words.no", "No, show me the menu", about="A choice of that question.")
HELP_MORE = Text(
    "help.more",
    "Thank you! I have passed that on to our team.",
    about="After a reply to what staff wrote, or more words or pictures for the team.",
)

LATE = Notice(
    "bot.late",
    "Sorry, I was away for a while, and your message reached me only now. If you still need me, "
    "just send *menu*.",
    about="Once, to somebody whose message reached us too late to be answered, as after an outage.",
)
LATE_FOR_TEAM = Notice(
    "bot.late.team",
    "Sorry, I was away for a while, and your message reached me only now. "
    "I have passed it on to our team.",
    about="Once, to somebody whose message reached us too late to be answered, and is now left for "
    "the team: a file, a reply to staff, or what sounds like an emergency, say.",
)
APOLOGIES = (LATE, LATE_FOR_TEAM)
"""They go within the 24 hours alone."""

STAFF_MESSAGE = Notice(
    "staff.message", "{text}", about="What staff write to a person.", required=True
)
