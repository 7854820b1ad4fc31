"""Reporting defects, and what became of one's own reports."""

import re
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from django import forms
from django.utils import timezone

from defects import texts
from defects.models import DefectReport, Question, ReportForm, report_forms
from defects.questions import YesOrDescription, answer_in_words, field_for, may_describe_unasked
from orders.chat.asking import LONGEST_QUESTION
from orders.models import Line, Order
from whatsapp_bot.addresses import MAIN_MENU
from whatsapp_bot.dialog import Answers, words_in
from whatsapp_bot.flows import Flow, Gone, Open, Outcome, Say, register
from whatsapp_bot.inbound import Kind
from whatsapp_bot.models import Contact, Message
from whatsapp_bot.models.contact import Role
from whatsapp_bot.models.menu import opened_for
from whatsapp_bot.numbered import number_of_ours
from whatsapp_bot.questions import FEWEST_WORDS, Form, tells_nothing
from whatsapp_bot.shipped import ship_item, ship_menu
from whatsapp_bot.whatsapp_text import preview
from whatsapp_bot.wording import fill, in_full

ship_item("main", 20, "Report a defect", "menu:defects")
ship_menu("defects", "*Defects*\nWhat would you like to do?")
ship_item("defects", 10, "Report a defect", "report:defect")
ship_item("defects", 20, "View defect history", "defects.history")
ship_item("defects", 30, "Back to menu", MAIN_MENU)

REPORTS_A_PAGE = 5
_ASKS = re.compile(r"\?|\b(?:status|news|updates?|how|what|when|where|any)\b", re.IGNORECASE)
_ASKS_BACK = re.compile(
    r"\?\s*$|\b(?:status|news|updates?)\b|\byet\W*$"
    r"|^(?:is|are|has|have|did|was|will) (?:it|that|this|they|you|any|some)",
    re.IGNORECASE,
)
_ASKS_FOR_OWN = re.compile(
    r"\b(?:status|news|updates?|happen(?:ed|s|ing)|progress|where|how|see|show|seen|fixed"
    r"|look(?:ed)?)\b.*\b(?:(?:my|our) (?:\w+ )?(?:reports?|complaints?)"
    r"|reports? (?:that )?i (?:made|sent|filed))\b"
)


@register("report")
class Report(Flow):
    """A report form, asked question by question. The argument is the form's key."""

    takes_attachments = True
    takes_more_words = True
    resumable = True

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        try:
            self.report_form, self.questions = report_forms()[self.argument]
        except KeyError:
            raise Gone(self.argument) from None

    def build_form(self, answers: Answers) -> forms.Form:
        due = [one for one in self.questions if one.is_due(self.questions, answers)]
        describes = first_text(due)
        return Form(
            answers,
            {
                one.name: field_for(one, self.contact, describes=one.name == describes)
                for one in due
            },
        )

    def done(self, form: forms.Form) -> Outcome:
        report = DefectReport.objects.file(
            reported_by=self.contact,
            form=self.report_form,
            description=self._description(form),
            answers=self._answers(form),
            order=next((a for a in form.cleaned_data.values() if isinstance(a, Order)), None),
            line=self._line(form),
        )
        kept = self.place.take_kept()
        report.attach(kept)
        self.place.expect_more(
            report.reply_address, self.message.created_at, report.PICTURES_FOLLOW_WITHIN
        )
        return Say(self._thanks(report, kept))

    def _thanks(self, report: DefectReport, kept: list[int]) -> str:
        own = self.report_form.live.thanks
        thanks = (
            fill(own, {"number": report.number}) if own else texts.SUBMITTED(number=report.number)
        )
        asks_photo = any(question.kind == Question.Kind.PHOTO for question in self.questions)
        if asks_photo or (kept and Message.objects.filter(pk__in=kept).to_look_at().exists()):
            return thanks
        return f"{thanks}\n\n{texts.ADD_A_PHOTO()}"

    def _line(self, form: forms.Form) -> Line | None:
        """The production line that was chosen, if a choice was one."""
        kinds = {question.name: question.kind for question in self.questions}
        chosen = [
            answer
            for name, answer in form.cleaned_data.items()
            if kinds[name] == Question.Kind.CHOICE and answer
        ]
        return Line.objects.filter(name__in=chosen).first() if chosen else None

    def preview(self, answers: Answers) -> str:
        words = answers.get(first_text(self.questions) or "", "")
        kinds = {one.kind: answers[one.name] for one in self.questions if answers.get(one.name)}
        told = ", ".join(kinds[kind] for kind in Question.TOLD_BY_ANSWER if kind in kinds)
        pictures = not answers or Question.Kind.PHOTO in kinds
        return preview(words or told or ("📎" if pictures else self.report_form.title), 40)

    def _answers(self, form: forms.Form) -> list[dict[str, str]]:
        """The questions that were asked, as they were worded, with their answers."""
        return [
            {
                "name": question.name,
                "question": question.text,
                "answer": answer_in_words(field, form.cleaned_data[question.name]),
            }
            for question in self.questions
            if (field := form.fields.get(question.name))
        ]

    def _description(self, form: forms.Form) -> str:
        """The answer to the first question that wants words; without one, all answers.

        When every question was skipped, the title of the form.
        """
        name = first_text(question for question in self.questions if question.name in form.fields)
        if name and form.cleaned_data[name]:
            return form.cleaned_data[name]
        answers = [one["answer"] for one in self._answers(form) if one["answer"]]
        return ", ".join(answers) or self.report_form.title

    @classmethod
    def addresses(cls) -> Iterable[tuple[str, str]]:
        return [(form.address, f"Report form: {form.title}") for form, _ in report_forms().values()]


@register("draft")
class Draft(Report):
    """A form's draft, for staff to try: nothing comes of it. No menu opens it."""

    resumable = False

    def __init__(self, *about: Any) -> None:
        Flow.__init__(self, *about)
        self.report_form = ReportForm.objects.filter(key=self.argument).first()
        if not self.report_form:
            raise Gone(self.argument)
        self.questions = list(self.report_form.questions.all())

    def done(self, form: forms.Form) -> Outcome:
        self.place.take_kept()
        answers = [f"{one['question']} {one['answer'] or '–'}" for one in self._answers(form)]
        return Say(texts.DRAFT_DONE(answers="\n".join(answers)))

    @classmethod
    def addresses(cls) -> Iterable[tuple[str, str]]:
        return []


def first_text(questions: Iterable[Question]) -> str | None:
    """The name of the first question that wants words."""
    texts = (question.name for question in questions if question.kind == Question.Kind.TEXT)
    return next(texts, None)


@register("defects.attach")
class Attach(Flow):
    """Files what was sent with the report just made. The argument is its id."""

    @classmethod
    def claims(cls, contact: Contact, message: Message) -> str | None:
        report = message.has_attachment and DefectReport.objects.just_made_by(contact)
        return f"{cls.name}:{report.pk}" if report else None

    def done(self, form: forms.Form) -> Outcome:
        report = DefectReport.objects.by(self.contact).get(pk=self.argument)
        report.attach([self.message.pk])
        return Say(texts.ATTACHED(**report.in_short))


@register("defects.reply")
class Reply(Flow):
    """Files what is said about a report, or in reply to what we told of it. The argument is its id.

    A reply is known by the message that it quotes, or by coming soon after what we told. Who asks
    how the report stands is told that as well.
    """

    @classmethod
    def claims_reply(cls, contact: Contact, message: Message) -> str | None:
        report = DefectReport.objects.quoted_by(contact, message.quoted_sid)
        return report.reply_address if report else None

    def done(self, form: forms.Form) -> Outcome:
        report = DefectReport.objects.by(self.contact).filter(pk=self.argument).first()
        if not report:
            return Open(MAIN_MENU)
        report.attach([self.message.pk])
        replies = self.place.expects_reply or not self.message.has_attachment
        asks = _ASKS_BACK.search(self.message.body) and not self._answers_us()
        self.place.note_answer(report.reply_address)
        if not replies:
            return Say(texts.ATTACHED(**report.in_short))
        if asks:
            return Say(texts.QUESTION_FILED(number=report.number, status=status_of(report)))
        return Say(texts.REPLY_FILED(number=report.number))

    def _answers_us(self) -> bool:
        """Is it about a question of ours, and not about how the report stands?"""
        return bool(self.place.expected(self.message.created_at, asks=True))


@register("defects.picture")
class ReportWithPicture(Flow):
    """Asks whether a picture that came with nothing under way is to be reported.

    A worker is asked so about a voice note and the like as well, and a customer never: what they
    send is for the team.
    """

    takes_attachments = True
    when_kept = texts.PICTURE_TOO

    @classmethod
    def offers(cls, contact: Contact, message: Message) -> str | None:
        if not message.has_attachment or contact.role == Role.CUSTOMER:
            return None
        return cls.name if contact.is_worker or Kind(message.kind).is_picture else None

    def build_form(self, answers: Answers) -> forms.Form:
        return Form(answers, {"report": YesOrDescription(label=texts.PICTURE())})

    def done(self, form: forms.Form) -> Outcome:
        answer = form.cleaned_data["report"]
        if answer == "no":
            self.place.take_kept()
            return Say(texts.PICTURE_DROPPED())
        if not report_forms():
            return Say(texts.NO_FORM())
        report_form, questions = next(iter(report_forms().values()))
        self.place.drop_stale(timezone.now())
        words = self._caption() if answer == "yes" else answer
        name = first_text(questions)
        return Open(
            report_form.address,
            before="" if self.place.kept else texts.PICTURE_TOO_OLD(),
            answers={name: words} if name and words else {},
        )

    def _caption(self) -> str:
        """The words that came with the picture, if they tell something."""
        kept = [one["message"] for one in self.place.kept]
        captions = Message.objects.filter(pk__in=kept).order_by("pk").values_list("body", flat=True)
        return next((caption for caption in captions if not tells_nothing(caption)), "")


@register("defects.words")
class ReportWords(Flow):
    """Asks a worker whether words that came with nothing under way are to be reported.

    The argument is the id of their message. Who does not answer finds them in the report later.
    """

    takes_attachments = True
    when_kept = texts.PICTURE_TOO

    @classmethod
    def offers(cls, contact: Contact, message: Message) -> str | None:
        if not (contact.is_worker and may_describe_unasked(message.body)):
            return None
        return f"{cls.name}:{message.pk}" if form_for_words(contact) else None

    def build_form(self, answers: Answers) -> forms.Form:
        return Form(answers, {"report": YesOrDescription(label=texts.WORDS())})

    def done(self, form: forms.Form) -> Outcome:
        answer = form.cleaned_data["report"]
        there = form_for_words(self.contact)
        if there:
            # It may have been left for the help before.
            address, name = there
            self.place.take_back(address, {name: self._words("yes")})
        if answer == "no":
            self.place.take_kept()
            return Say(texts.WORDS_DROPPED())
        if not there:
            return Say(texts.NO_FORM())
        if self.place.has_aside(address):
            self._leave_at(address, name, answer)
            return Open(address)
        return Open(address, answers={name: self._words(answer)})

    def leave(self) -> str:
        there = form_for_words(self.contact)
        if not there:
            return ""
        self._leave_at(*there)
        return texts.WORDS_KEPT()

    def _leave_at(self, address: str, name: str, answer: str = "yes") -> None:
        self.place.give_aside(address, {name: self._words(answer)}, self._said)

    def _words(self, answer: str) -> str:
        """What was said, and what was added to it instead of a yes."""
        return self._said.body if answer == "yes" else f"{self._said.body}\n{answer}"

    @cached_property
    def _said(self) -> Message:
        return self.contact.messages.get(pk=self.argument)


def form_for_words(contact: Contact) -> tuple[str, str] | None:
    """The address of the form for words that nobody asked for, and the question they answer.

    It is the first that the contact's menus open and that asks everybody for words.
    """
    opened = opened_for(contact)
    for report_form, questions in report_forms().values():
        name = first_text(one for one in questions if not one.only_when)
        if name and report_form.address in opened:
            return report_form.address, name
    return None


@register("defects.history")
class History(Flow):
    """A person's own reports, newest first. The argument is the id that the page begins below."""

    title = "View defect history"

    def done(self, form: forms.Form) -> Outcome:
        page = DefectReport.objects.page(self.contact, REPORTS_A_PAGE + 1, self.argument)
        if not page:
            return Say(texts.HISTORY_EMPTY())
        more = f"{self.name}:{page[-2].pk}" if len(page) > REPORTS_A_PAGE else ""
        shown = map(in_words, page[:REPORTS_A_PAGE])
        return Say("\n\n".join([texts.HISTORY(), *shown]), more)


@register("defects.tell")
class Tell(Flow):
    """How one's own report stands, for somebody who asks out of the blue. The argument is its id.

    What else is said about a report that is named belongs to it.
    """

    @classmethod
    def claims(cls, contact: Contact, message: Message) -> str | None:
        if message.has_attachment:
            return None
        number = number_of_ours(message.body)
        if not number:
            asks = _asks_for_own(message.body)
            return History.name if asks and History.name in opened_for(contact) else None
        report = DefectReport.objects.by(contact).filter(number=number).first()
        if not report:
            return None
        asks = len(message.body.split()) <= FEWEST_WORDS or _ASKS.search(message.body)
        return f"{cls.name}:{report.pk}" if asks else report.reply_address

    def done(self, form: forms.Form) -> Outcome:
        report = DefectReport.objects.by(self.contact).filter(pk=self.argument).first()
        return Say(in_words(report)) if report else Open(MAIN_MENU)


def _asks_for_own(text: str) -> bool:
    """Does somebody ask in words for their own reports? Nobody does so at length."""
    return len(text) <= LONGEST_QUESTION and bool(_ASKS_FOR_OWN.search(words_in(text)))


def in_words(report: DefectReport) -> str:
    return texts.HISTORY_REPORT(
        number=report.number,
        preview=preview(report.description),
        date=in_full(timezone.localdate(report.created_at)),
        status=status_of(report),
    )


def status_of(report: DefectReport) -> str:
    return texts.REPORT_STATUS[DefectReport.Status(report.status)]()
