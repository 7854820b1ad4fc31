"""Staff make report forms: drafts, versions, conditions."""

import re
from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse

from defects.models import DefectReport, FormVersion, Question, ReportForm, problems_in
from orders.models import Line
from whatsapp_bot.models import Menu, MenuItem
from whatsapp_bot.recent import forget_all
from whatsapp_bot.tests.database import all_at_once
from whatsapp_bot.tests.staff import may, page_of, shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def hazard():
    """A form with a condition, not published yet."""
    form = ReportForm.objects.create(key="hazard", title="Safety hazard")
    questions = [
        {"name": "severity", "kind": "choice", "text": "How bad?", "choices": "Minor\nCritical"},
        {"name": "stopped", "kind": "yes_no", "text": "Stopped?", "only_when": "severity", "equals": "critical"},
        {"name": "what", "text": "What is it?"},
    ]  # fmt: skip
    for place, question in enumerate(questions):
        Question.objects.create(form=form, position=place, **question)
    return form


def begin(say, key="defect"):
    say("hi")
    say("2")
    return say(ReportForm.objects.get(key=key).title if key != "defect" else "1")


def put_on_menu(form):
    MenuItem.objects.filter(opens="defects.history").first().menu.add_item(form.title, form.address)
    forget_all()


def test_a_condition_decides_what_is_asked(say, hazard):
    hazard.publish()
    put_on_menu(hazard)
    begin(say, "hazard")
    assert "Stopped?" in say("Critical")
    assert say("yes") == "What is it?"
    say("Oil on the floor")
    assert [one["name"] for one in DefectReport.objects.get().answers] == [
        "severity",
        "stopped",
        "what",
    ]
    begin(say, "hazard")
    assert say("Minor") == "What is it?"


def test_going_back_over_a_condition_leaves_out_what_it_decided(say, hazard):
    hazard.publish()
    put_on_menu(hazard)
    begin(say, "hazard")
    say("Critical")
    say("yes")
    say("back")
    say("back")
    assert say("Minor") == "What is it?"
    say("Oil on the floor")
    assert [one["name"] for one in DefectReport.objects.get().answers] == ["severity", "what"]


def test_a_draft_is_asked_of_nobody(say, hazard, defect_form):
    defect_form.questions.update(text="What is wrong?")
    put_on_menu(hazard)
    assert begin(say) == "Please describe the defect:"
    say("cancel")
    say("2")
    assert say("Safety hazard").startswith("Sorry, that is no longer available.")


def test_who_is_in_the_middle_goes_on_and_answers_given_count(say, two_questions):
    begin(say)
    assert say("Bent frame") == "How many parts?"
    Question.objects.create(
        form=two_questions, position=15, name="side", text="Which side?", required=False
    )
    two_questions.publish()
    forget_all()
    assert two_questions.people_in_the_middle() == 1
    assert say("3").startswith("Which side?")
    assert "Defect Submitted" in say("left")
    report = DefectReport.objects.get()
    assert [one["answer"] for one in report.answers] == ["Bent frame", "left", "3"]


def test_an_answer_that_no_longer_fits_is_asked_again(say, two_questions):
    begin(say)
    say("Bent frame")
    two_questions.questions.filter(name="parts").update(position=1)
    two_questions.questions.filter(name="description").update(kind="number")
    two_questions.publish()
    forget_all()
    assert say("3") == "Please describe the defect:"


def test_one_can_go_back_to_an_earlier_version(say, two_questions, admin_user):
    first = two_questions.versions.get(number=1)
    two_questions.go_back_to(first, admin_user)
    forget_all()
    assert two_questions.live.number == 3
    assert two_questions.live.published_by == admin_user
    assert not two_questions.draft_differs
    begin(say)
    assert "Defect Submitted" in say("Bent frame")


def test_publishing_the_same_again_makes_no_version(defect_form):
    defect_form.publish()
    assert defect_form.versions.count() == 1


def test_a_form_without_questions_is_not_published(defect_form):
    defect_form.questions.all().delete()
    with pytest.raises(ValidationError, match="at least one question"):
        defect_form.publish()


@pytest.mark.parametrize(
    ("questions", "problem"),
    [
        ([{"kind": "choice", "choices": "one"}], "A choice needs at least two lines"),
        (
            [{"kind": "choice", "choices": "0\n1\n2\n10"}],
            "“1” would be taken for the number of another line.",
        ),
        ([{"kind": "choice", "choices": "\n".join(f"Line {n}" for n in range(101))}], "it has 101."),
        ([{"kind": "choice", "choices": "Short\n" + "x" * 61}], "has more than 60 characters."),
        ([{"kind": "choice", "choices": "Yes\nNo\nyes"}], "“yes” is there twice"),
        ([{}, {"name": "a"}], "There is another question with the name a."),
        ([{"only_when": "b", "equals": "x"}, {"name": "b"}], "No question before this one has the name b."),
        ([{"only_when": "a", "equals": "x"}], "A question cannot depend on its own answer."),
        ([{}, {"name": "b", "only_when": "a", "equals": "x"}], "a has no fixed answers"),
        ([{"kind": "yes_no"}, {"name": "b", "only_when": "a", "equals": "maybe"}], "maybe is no answer to a. Its answers: yes, no."),
        ([{"kind": "yes_no"}, {"name": "b", "only_when": "a"}], "A condition needs both"),
    ],
)  # fmt: skip
def test_questions_that_make_no_sense_together_are_refused(questions, problem):
    made = [Question(**{"name": "a", "text": "?"} | question) for question in questions]
    ((field, sentence),) = problems_in(made).values()
    assert problem in sentence
    Question._meta.get_field(field)


def post_form(client, form, questions, **more):
    """Save a form in the admin with these questions, as its page would."""
    data = {
        "title": form.title if form else "New form",
        "questions-TOTAL_FORMS": len(questions),
        "questions-INITIAL_FORMS": 0,
        **more,
    }
    for number, question in enumerate(questions):
        question = {"kind": "text", "required": "on", "position": number, **question}
        data |= {f"questions-{number}-{name}": value for name, value in question.items()}
    name = "admin:defects_reportform_"
    path = reverse(f"{name}change", args=[form.pk]) if form else reverse(f"{name}add")
    return client.post(path, data, follow=True).content.decode()


def test_a_form_is_made_published_and_put_on_a_menu_at_once(admin_client, say):
    menu = MenuItem.objects.get(opens="defects.history").menu
    page = post_form(
        admin_client,
        None,
        [{"name": "what", "text": "What happened?"}],
        key="new",
        publish="1",
        on_menu=menu.pk,
    )
    assert "Version 1 is what people are asked now." in page
    assert "It is on the menu defects." in page
    say("hi")
    say("2")
    assert say("new form") == "What happened?"


@pytest.mark.parametrize("lacks", ["change_menu", "add_menuitem", ""])
def test_only_who_may_change_menus_puts_a_form_on_one(defect_form, lacks):
    menu = Menu.objects.get(key="main")
    editing = {"view_reportform", "change_reportform", "view_question", "add_question"}
    editor = may(*editing, *({"change_menu", "add_menuitem"} - {lacks}))
    assert ("Put it on the menu" in shown(editor, page_of(defect_form))) == (not lacks)
    posted = {"on_menu": menu.pk, "publish": "1"}
    post_form(editor, defect_form, [{"name": "what", "text": "What?"}], **posted)
    defect_form.refresh_from_db()
    assert defect_form.live.number == 2
    assert menu.items.filter(opens=defect_form.address).exists() == (not lacks)


def test_a_form_is_not_put_on_a_menu_before_it_is_published(admin_client):
    menu = MenuItem.objects.get(opens="defects.history").menu
    page = post_form(
        admin_client, None, [{"name": "what", "text": "What?"}], key="new", on_menu=menu.pk
    )
    assert "save the form without a menu first" in page
    assert not ReportForm.objects.filter(key="new").exists()


def test_a_refused_form_is_shown_with_its_reason_and_loses_nothing(admin_client):
    page = post_form(
        admin_client, None, [{"name": "what", "text": "Kept?", "kind": "choice"}], key="new"
    )
    assert "A choice needs at least two lines" in page
    assert "Kept?" in page
    assert not ReportForm.objects.filter(key="new").exists()


def test_a_form_is_withdrawn_in_the_admin(admin_client, defect_form, say):
    begin(say)
    page = post_form(admin_client, defect_form, [{"name": "x", "text": "?"}], withdraw="1")
    assert "since the menu defects would lead nowhere" in page
    assert "was changed successfully" in page
    defect_form.refresh_from_db()
    assert defect_form.live
    MenuItem.objects.filter(opens=defect_form.address).delete()
    page = post_form(admin_client, defect_form, [{"name": "y", "text": "?"}], withdraw="1")
    assert "Nobody is asked any more." in page
    page = admin_client.get(reverse("admin:defects_reportform_change", args=[defect_form.pk]))
    assert "Nothing any more: it was withdrawn." in page.content.decode()
    defect_form.refresh_from_db()
    assert defect_form.live is None
    assert say("Scratch").startswith("Sorry, that is no longer available.")


def test_the_history_tells_who_published_went_back_and_withdrew(admin_client, defect_form):
    menu = MenuItem.objects.get(opens=defect_form.address).menu
    first = defect_form.live
    post_form(admin_client, defect_form, [{"text": "?", "name": "x"}], publish="1")
    versions = reverse("admin:defects_formversion_changelist")
    admin_client.post(versions, {"action": "go_back", "_selected_action": [first.pk]})
    menu.items.filter(opens=defect_form.address).delete()
    post_form(admin_client, defect_form, [{"text": "?", "name": "y"}], withdraw="1")
    again = [{"text": "Again?", "name": "z"}]
    post_form(admin_client, defect_form, again, publish="1", on_menu=menu.pk)

    def history(row):
        path = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_history", args=[row.pk])
        return admin_client.get(path).content.decode()

    of_form = history(defect_form)
    told = ["Published as version 2.", "Gone back to version 1.", "Withdrawn."]
    assert [one for one in told if one not in of_form] == []
    assert f"The form “{defect_form}” was put on it." in history(menu)


def test_an_earlier_version_is_chosen_in_the_admin(admin_client, two_questions):
    first = two_questions.versions.get(number=1)
    path = reverse("admin:defects_formversion_changelist")
    page = admin_client.post(
        path, {"action": "go_back", "_selected_action": [first.pk]}, follow=True
    )
    assert "People are asked again what Defect, version 1 asked." in page.content.decode()
    two_questions.refresh_from_db()
    assert two_questions.live.questions == first.questions


@pytest.mark.parametrize("by", ["action", "button"])
def test_whoever_goes_back_is_asked_before_a_draft_is_lost(admin_client, two_questions, by):
    first = two_questions.versions.get(number=1)
    two_questions.questions.create(name="when", text="Since when?", kind="date", position=99)
    every = reverse("admin:defects_formversion_changelist")
    asked = {"action": "go_back", "_selected_action": [first.pk]}
    if by == "action":
        page = admin_client.post(every, asked).content.decode()
    else:
        own = reverse("admin:defects_formversion_change", args=[first.pk])
        page = admin_client.post(own, {"go_back_here": "1"}).content.decode()
    assert "Since when? <em>(date; required)</em>" in page
    two_questions.refresh_from_db()
    assert two_questions.live.number == 2
    assert two_questions.questions.filter(name="when").exists()

    def agree(page):
        (seen,) = re.findall('name="drops_draft" value="(.+?)"', page)
        answer = admin_client.post(every, {**asked, "drops_draft": seen}, follow=True)
        return answer.content.decode()

    two_questions.questions.filter(name="when").update(text="Since which day?")
    page = agree(page)
    assert "Since which day? <em>(date; required)</em>" in page, "changed since they were asked"
    assert two_questions.questions.filter(name="when").exists()

    assert "People are asked again what Defect, version 1 asked." in agree(page)
    two_questions.refresh_from_db()
    assert two_questions.live.questions == first.questions
    assert not two_questions.questions.filter(name="when").exists()


def test_a_version_was_published_on_a_day_of_the_factory(admin_client, defect_form, settings):
    settings.TIME_ZONE = "Africa/Johannesburg"
    at = datetime(2026, 11, 23, 22, 30, tzinfo=UTC)
    FormVersion.objects.filter(form=defect_form).update(published_at=at)
    page = admin_client.get(reverse("admin:defects_reportform_change", args=[defect_form.pk]))
    assert "Version 1, published 24 November 2026." in page.content.decode()


def test_a_version_cannot_be_changed_or_deleted(admin_client, defect_form):
    version = FormVersion.objects.get(form=defect_form)
    before = version.questions
    change = reverse("admin:defects_formversion_change", args=[version.pk])
    admin_client.post(change, {"questions": "[]", "number": 7})
    version.refresh_from_db()
    assert (version.questions, version.number) == (before, 1)
    delete = reverse("admin:defects_formversion_delete", args=[version.pk])
    assert admin_client.post(delete, {"post": "yes"}).status_code == 403


def test_a_draft_is_tried_in_the_simulator_and_nothing_comes_of_it(admin_client, hazard):
    tried = admin_client.get(reverse("admin:defects_reportform_try_draft", args=[hazard.pk]))
    assert tried.url == "/simulator/?open=draft:hazard"
    whom = {"whom": "+99900000003"}
    admin_client.post(reverse("simulator:open"), {**whom, "address": "draft:hazard"})

    def say(text):
        said = admin_client.post(reverse("simulator:say"), {**whom, "text": text, "kind": "text"})
        return said.json()["messages"][-1]["text"]

    assert say("I would like to try the draft").startswith("How bad?")
    assert say("Minor") == "What is it?"
    done = say("Oil")
    assert "Nothing was submitted" in done
    assert "How bad? Minor\nWhat is it? Oil" in done
    assert not DefectReport.objects.exists()


def test_nobody_else_gets_to_a_draft(say, hazard, admin_client):
    page = admin_client.get(reverse("admin:whatsapp_bot_menu_add")).content.decode()
    assert "report:defect" in page
    assert "draft:" not in page


def test_a_form_has_thanks_of_its_own(say, defect_form):
    defect_form.thanks = "Thank you! We come at once. {number}"
    defect_form.save()
    forget_all()
    begin(say)
    assert say("Dent").startswith("✅ Defect Submitted!"), "it is a draft until it is published"
    defect_form.publish()
    forget_all()
    begin(say)
    reply = say("Dent")
    assert reply.startswith("Thank you! We come at once. DEF-")
    assert "Send a photo now and I will add it." in reply


def test_one_goes_back_to_earlier_thanks(defect_form):
    first = defect_form.live
    defect_form.thanks = "Thank you! {number}"
    defect_form.save()
    assert defect_form.draft_differs
    assert defect_form.publish().number == 2
    assert not defect_form.draft_differs
    defect_form.go_back_to(first)
    defect_form.refresh_from_db()
    assert (defect_form.thanks, defect_form.live.thanks, defect_form.live.number) == ("", "", 3)


def test_thanks_have_no_half_placeholders():
    with pytest.raises(ValidationError, match=r"is written \{number\}"):
        ReportForm(key="x", title="x", thanks="Thanks, {number").full_clean()


def test_thanks_have_only_the_number_to_fill_in():
    with pytest.raises(ValidationError, match=r"Only \{number\} can be filled in"):
        ReportForm(key="x", title="x", thanks="Thanks, {name}").full_clean()


def test_who_was_asked_for_a_photo_is_not_asked_for_another(say, phone, defect_form):
    Question.objects.create(
        form=defect_form, position=20, name="photo", kind="photo", text="Photo:"
    )
    defect_form.publish()
    forget_all()
    begin(say)
    say("Scratch")
    assert "Send a photo now" not in phone.send("image")[0]


def test_a_line_that_was_chosen_is_the_reports_line(say, defect_form):
    line = Line.objects.create(name="Line 2")
    Question.objects.create(
        form=defect_form,
        position=20,
        name="line",
        kind="choice",
        text="Where?",
        choices="Line 1\nLine 2",
    )
    defect_form.publish()
    forget_all()
    begin(say)
    say("Scratch")
    say("line 2")
    assert DefectReport.objects.get().line == line


def test_a_question_without_a_place_comes_last(admin_client):
    questions = [
        {"name": "b", "text": "Second?", "position": ""},
        {"name": "a", "text": "First?", "position": "10"},
    ]
    post_form(admin_client, None, questions, key="new")
    form = ReportForm.objects.get(key="new")
    assert [question.name for question in form.questions.all()] == ["a", "b"]


def test_one_goes_back_on_the_page_of_a_version(admin_client, two_questions):
    first = two_questions.versions.get(number=1)
    path = reverse("admin:defects_formversion_change", args=[first.pk])
    page = admin_client.get(path).content.decode()
    assert "Please describe the defect:" in page
    admin_client.post(path, {"go_back_here": "1"})
    two_questions.refresh_from_db()
    assert two_questions.live.questions == first.questions


@pytest.mark.parametrize("codenames", [["change_formversion"], ["change_reportform"]])
def test_only_who_may_change_the_form_goes_back(two_questions, codenames):
    first = two_questions.versions.get(number=1)
    editor = may("view_formversion", *codenames)
    assert "Go back to this version" not in shown(editor, page_of(first))
    editor.post(page_of(first), {"go_back_here": "1"})
    every = reverse("admin:defects_formversion_changelist")
    editor.post(every, {"action": "go_back", "_selected_action": [first.pk]})
    two_questions.refresh_from_db()
    assert two_questions.live.number == 2


def test_on_the_page_of_a_version_there_is_nothing_to_save(admin_client, two_questions):
    page = shown(admin_client, page_of(two_questions.live))
    assert 'name="go_back_here"' in page
    assert 'name="_save"' not in page
    assert 'name="_continue"' not in page


@pytest.fixture
def posted(admin_client, two_questions):
    """Save the questions of the form with these names, and return what they are called then."""

    def post(*names, delete=(), **more):
        questions = list(two_questions.questions.all())
        rows = [
            {"id": question.pk, "text": question.text, "name": name}
            for question, name in zip(questions, names, strict=False)
        ] + [{"text": "New?", "name": name} for name in names[len(questions) :]]
        for place in delete:
            rows[place]["DELETE"] = "on"
        page = post_form(
            admin_client, two_questions, rows, **{"questions-INITIAL_FORMS": len(questions)}, **more
        )
        assert "successfully" in page
        return {one.text: one.name for one in two_questions.questions.all()}

    return post


def test_a_question_without_a_name_is_named_by_its_words_and_stays_so(posted, two_questions):
    first, second = two_questions.questions.values_list("text", flat=True)
    named = {first: "a", second: "b", "New?": "new"}
    assert posted("a", "b", "") == named
    two_questions.questions.filter(name="new").update(text="Reworded?")
    assert posted("", "", "") == {first: "a", second: "b", "Reworded?": "new"}


def test_words_without_letters_make_no_name(admin_client):
    page = post_form(admin_client, None, [{"name": "", "text": "什么?"}], key="new")
    assert "Give it one: its words have no letters from a to z." in page


def test_names_of_questions_are_swapped_and_taken_over(posted, two_questions):
    first, second = two_questions.questions.values_list("text", flat=True)
    assert posted("a", "b") == {first: "a", second: "b"}
    assert posted("b", "a") == {first: "b", second: "a"}
    assert posted("c", "b") == {first: "c", second: "b"}
    assert posted("b", "b", delete=[1]) == {first: "b"}
    assert posted("x", "b") == {first: "x", "New?": "b"}


def test_a_name_that_somebody_else_has_given_meanwhile(admin_client, two_questions):
    page = post_form(admin_client, two_questions, [{"name": "where", "text": "Where?"}])
    assert "successfully" in page
    page = post_form(admin_client, two_questions, [{"name": "where", "text": "Where exactly?"}])
    assert "Somebody else has added a question with the name where." in page
    assert "Where exactly?" in page


def test_a_draft_that_is_gone_cannot_be_tried(admin_client):
    for pk in ("999999", "9" * 23, "x", "0", "-1"):
        path = reverse("admin:defects_reportform_try_draft", args=[pk])
        assert admin_client.get(path).status_code == 404


def test_a_form_is_not_put_beside_an_item_of_its_name(admin_client, hazard):
    menu = MenuItem.objects.get(opens="defects.history").menu
    questions = [{"name": "more", "text": "What happened?"}]
    more = {"on_menu": menu.pk, "publish": "1", "title": "View Defect History"}
    page = post_form(admin_client, hazard, questions, **more)
    assert "“View defect history” on the menu defects opens something else already" in page
    assert not menu.items.filter(opens=hazard.address).exists()
    menu.add_item("Safety hazard", hazard.address)
    more["title"] = "Safety hazard"
    assert "It is on the menu defects." in post_form(admin_client, hazard, questions, **more)


def test_what_staff_type_is_cleaned(admin_client):
    choices = "Tw\x0bo\r\nThree\u202e\ufffe parts"
    questions = [{"name": "a", "text": "How\x0b many\u202e?", "kind": "choice", "choices": choices}]
    post_form(admin_client, None, questions, key="new", title="N\u202eew")
    question = Question.objects.get(form__key="new")
    assert (question.form.title, question.text) == ("New", "How many?")
    assert question.choices == "Two\nThree parts"


def test_a_report_of_which_everything_was_skipped_has_the_name_of_its_form(say, defect_form):
    defect_form.questions.all().delete()
    Question.objects.create(
        form=defect_form, name="count", kind="number", text="How many?", required=False
    )
    defect_form.publish()
    forget_all()
    begin(say)
    assert "Defect Submitted" in say("skip")
    assert DefectReport.objects.get().description == defect_form.title


@pytest.mark.parametrize(
    ("kind", "said", "shown"),
    [("choice", "2", "Two"), ("number", "12", "12"), ("yes_no", "yes", "Defect")],
)
def test_what_was_begun_is_known_by_its_answers(say, defect_form, kind, said, shown):
    defect_form.questions.update(position=90)
    Question.objects.create(
        form=defect_form, position=1, name="first", kind=kind, text="?", choices="One\nTwo"
    )
    defect_form.publish()
    forget_all()
    begin(say)
    say(said)
    say("menu")
    say("2")
    assert f"“{shown}”" in say("1")


@pytest.mark.django_db(transaction=True)
def test_two_who_publish_and_go_back_at_once(two_questions):
    versions = list(two_questions.versions.all())

    def go_back(version):
        with transaction.atomic():
            ReportForm.objects.get(pk=two_questions.pk).go_back_to(version)

    for _ in range(3):
        all_at_once(go_back, versions)
    two_questions.refresh_from_db()
    assert two_questions.live.questions == two_questions.draft()


def test_who_saves_the_title_takes_back_no_version(admin_client, defect_form, monkeypatch):
    """Somebody else publishes between the moments when the form is read and when it is stored."""
    save = ReportForm.save

    def save_after_another(form, *how, **more):
        if not form.title.startswith("Published"):
            other = ReportForm.objects.get(pk=form.pk)
            other.title = "Published meanwhile"
            Question.objects.create(form=other, name="more", text="More?")
            other.publish()
        save(form, *how, **more)

    monkeypatch.setattr(ReportForm, "save", save_after_another)
    questions = [
        {"id": one.pk, "text": one.text, "name": one.name} for one in defect_form.questions.all()
    ]
    data = {"title": "New title", "questions-INITIAL_FORMS": 1}
    assert "successfully" in post_form(admin_client, defect_form, questions, **data)
    monkeypatch.undo()
    defect_form.refresh_from_db()
    assert (defect_form.title, defect_form.live.number) == ("New title", 2)
