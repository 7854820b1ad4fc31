"""What a review refuses, each through the model and on the page: nothing of it may happen."""

from html import unescape

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from defects.models import (
    Change,
    CorrectiveAction,
    DefectCategory,
    DefectReport,
    Disposition,
    NotAllowed,
    Severity,
    Status,
)
from defects.models.review import colleagues
from defects.tests.people import a_report, colleague
from defects.tests.test_report_page import act, as_shown, rows
from whatsapp_bot.models import Message

pytestmark = pytest.mark.django_db
Kind = Disposition.Kind
LEADS = {
    "acknowledge": (Status.ACKNOWLEDGED, [Status.REPORTED]),
    "begin_review": (Status.IN_REVIEW, [Status.ACKNOWLEDGED]),
    "decide": (Status.DECIDED, [Status.IN_REVIEW]),
    "close": (Status.CLOSED, [Status.DECIDED]),
    "dismiss": (Status.UNFOUNDED, [Status.REPORTED, Status.ACKNOWLEDGED, Status.IN_REVIEW]),
    "mark_duplicate": (Status.DUPLICATE, [Status.REPORTED, Status.ACKNOWLEDGED, Status.IN_REVIEW]),
    "reopen": (
        Status.IN_REVIEW,
        [Status.DECIDED, Status.CLOSED, Status.UNFOUNDED, Status.DUPLICATE],
    ),
}


@pytest.fixture
def ben():
    return colleague("ben")


def become(report, **values):
    """It has come so far, in whatever way."""
    for name, value in values.items():
        setattr(report, name, value)
    report.save()


def everything(report):
    """All that a step could change."""
    return (
        DefectReport.objects.filter(pk=report.pk).values().get(),
        list(Disposition.objects.values()),
        list(CorrectiveAction.objects.values()),
        report.notes.count(),
        Message.objects.count(),
        Change.objects.count(),
    )


@pytest.fixture(params=["model", "page"])
def refusal(request, report, admin_client, admin_user):
    """Take a step that is refused; what is said of it. Nothing has changed."""

    def by_model(step, said):
        stored = DefectReport.objects.get(pk=report.pk)
        with pytest.raises(NotAllowed) as refused:
            getattr(stored, step)(admin_user, *said)
        return " ".join(refused.value.reasons)

    def on_page(step, said):
        beside = {}
        if step in ("dismiss", "reopen"):
            beside = {f"reason_{step}": said[0]}
        elif step == "mark_duplicate":
            beside = {"duplicate": said[0].number if said[0] else ""}
        return posted(admin_client, report, step=step, **beside)

    def refusal(step, *said):
        before = everything(report)
        sentences = {"model": by_model, "page": on_page}[request.param](step, said)
        assert everything(report) == before
        return sentences

    return refusal


def posted(client, report, **fields):
    path = reverse("admin:defects_defectreport_change", args=[report.pk])
    stored = DefectReport.objects.get(pk=report.pk)
    return unescape(client.post(path, {**as_shown(stored), **fields}, follow=True).content.decode())


# Each step from each wrong status -----------------------------------------------------------------


@pytest.mark.parametrize("step", LEADS)
def test_a_step_is_taken_from_where_it_begins_and_from_nowhere_else(
    step, report, new_phone, refusal
):
    to, begins = LEADS[step]
    said = {
        "dismiss": ["As drawn"],
        "reopen": ["Not as drawn"],
        "mark_duplicate": [a_report(new_phone)],
    }.get(step, [])
    wrong = [status for status in Status if status not in begins]
    assert len(wrong) >= 3
    for status in wrong:
        become(report, status=status)
        sentences = refusal(step, *said)
        if status == to:
            assert f"It is {to.label} already." in sentences
        else:
            assert f"It is {status.label}, so it cannot become {to.label}" in sentences


# Deciding -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("nonconforming", "dispositions", "sentence"),
    [
        (10, [], "It needs a disposition"),
        (None, [(Kind.SCRAP, 10, "")], "How many parts are nonconforming?"),
        (10, [(Kind.SCRAP, 4, "")], "for 4 parts, but 10 are nonconforming"),
        (10, [(Kind.SCRAP, 4, ""), (Kind.REWORK, 7, "")], "for 11 parts, but 10"),
        (10, [(Kind.SCRAP, 10, ""), (Kind.REPAIR, 0, "")], "How many parts are for repair?"),
        (10, [(Kind.USE_AS_IS, 10, "")], "To use parts as they are wants a reason."),
        (10, [(Kind.USE_AS_IS, 10, "  ")], "To use parts as they are wants a reason."),
        (0, [(Kind.SCRAP, 0, "")], "How many parts are for scrap?"),
    ],
)
def test_what_stands_against_a_decision(report, refusal, nonconforming, dispositions, sentence):
    stand(report, Status.IN_REVIEW, nonconforming, dispositions)
    assert sentence in refusal("decide")


def stand(report, status, nonconforming, dispositions, **values):
    for kind, quantity, reason in dispositions:
        report.dispositions.create(kind=kind, quantity=quantity, reason=reason)
    become(report, status=status, nonconforming=nonconforming, **values)


# Closing ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lacks", "sentence"),
    [
        ("severity", "It needs a severity."),
        ("category", "It needs a category."),
        ("disposition", "It needs a disposition"),
        ("reason", "To use parts as they are wants a reason."),
        ("done", "The action “New tool guide” is not verified yet."),
        ("verified", "The action “New tool guide” is not verified yet."),
        ("all", "It needs a severity.|It needs a category.|It needs a disposition|not verified"),
    ],
)
def test_what_stands_against_closing(report, refusal, ben, lacks, sentence):
    def has(what):
        return lacks not in (what, "all")

    action = report.actions.create(what="New tool guide", owner=ben)
    if has("done"):
        action.finish(ben)
    if has("done") and has("verified"):
        action.verify(User.objects.create_user("carl"))
    reason = "Within tolerance" if has("reason") else ""
    stand(
        report,
        Status.DECIDED,
        10,
        [(Kind.USE_AS_IS, 10, reason)] if has("disposition") else [],
        severity=Severity.MAJOR if has("severity") else "",
        category=DefectCategory.objects.create(name="Surface") if has("category") else None,
    )
    sentences = refusal("close")
    for one in sentence.split("|"):
        assert one in sentences


# Duplicates and reasons ---------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["dismiss", "reopen"])
@pytest.mark.parametrize("reason", ["", " \n "])
def test_a_reason_is_wanted(report, refusal, step, reason):
    if step == "reopen":
        become(report, status=Status.CLOSED)
    asks = {"dismiss": "Why is it unfounded?", "reopen": "Why is it opened again?"}
    assert asks[step] in refusal(step, reason)


def test_a_duplicate_is_of_another_report(report, new_phone, refusal, request):
    assert "A report cannot be a duplicate of itself." in refusal("mark_duplicate", report)
    of_nothing = refusal("mark_duplicate", None)
    assert "Which report is it a duplicate of?" in of_nothing or "There is no report" in of_nothing
    # Nor in a circle: the other one is a duplicate of this one.
    other = a_report(new_phone)
    other.mark_duplicate(None, report)
    assert "A report cannot be a duplicate of itself." in refusal("mark_duplicate", other)


# Corrective actions -------------------------------------------------------------------------------


@pytest.fixture(params=["model", "page"])
def action_refusal(request, report, admin_client, admin_user):
    """As `refusal`, for a step of the report's one action."""

    def by_model(verb):
        with pytest.raises(NotAllowed) as refused:
            getattr(CorrectiveAction.objects.get(), verb)(admin_user)
        return str(refused.value)

    def on_page(verb):
        action = CorrectiveAction.objects.get()
        return posted(admin_client, report, action_step=f"{verb}:{action.pk}")

    def refusal(verb):
        before = everything(report)
        sentences = {"model": by_model, "page": on_page}[request.param](verb)
        assert everything(report) == before
        return sentences

    return refusal


@pytest.mark.parametrize(
    ("owner", "done_by", "sentence"),
    [
        ("ben", None, "It has to be done before it can be verified."),
        ("admin", "ben", "Somebody else has to verify it than who owns it or has done it."),
        ("ben", "admin", "Somebody else has to verify it than who owns it or has done it."),
        ("admin", "admin", "Somebody else has to verify it than who owns it or has done it."),
    ],
)
def test_it_is_verified_when_done_and_by_somebody_else(
    report, ben, admin_user, action_refusal, owner, done_by, sentence
):
    staff = {"ben": ben, "admin": admin_user}
    action = report.actions.create(what="New tool guide", owner=staff[owner])
    if done_by:
        action.finish(staff[done_by])
    assert sentence in action_refusal("verify")


def test_who_has_verified_it_does_not_become_its_owner(report, ben, admin_user, admin_client):
    action = report.actions.create(what="New tool guide", owner=ben)
    action.finish(ben)
    action.verify(admin_user)
    action.owner = admin_user
    with pytest.raises(NotAllowed, match="cannot be its owner"):
        action.save()
    row = {"id": action.pk, "what": "New tool guide", "owner": admin_user.pk}
    assert "cannot be its owner" in posted(admin_client, report, **rows("actions", row))
    assert CorrectiveAction.objects.get().owner == ben
    carl = colleague("carl")
    posted(admin_client, report, **rows("actions", {**row, "owner": carl.pk}))
    assert CorrectiveAction.objects.get().owner == carl


def test_once_is_enough(report, ben, action_refusal):
    action = report.actions.create(what="New tool guide", owner=ben)
    action.finish(ben)
    assert "It is done already." in action_refusal("finish")
    action.verify(User.objects.create_user("carl"))
    assert "It is verified already." in action_refusal("verify")


@pytest.mark.parametrize("verb", ["finish", "verify", "take_back"])
def test_a_closed_report_keeps_its_actions(report, ben, action_refusal, verb):
    report.actions.create(what="New tool guide", owner=ben)
    become(report, status=Status.CLOSED)
    assert "The report is closed: open it again" in action_refusal(verb)


def test_a_closed_report_gets_and_loses_none(report, ben, admin_client):
    action = report.actions.create(what="New tool guide", owner=ben)
    DefectReport.objects.update(status=Status.CLOSED)
    action.what = "Another"
    # Also by who still holds the report as it was.
    for step in (
        action.save,
        action.delete,
        lambda: report.actions.create(what="One more", owner=ben),
    ):
        with pytest.raises(NotAllowed, match="The report is closed"):
            step()
    own = {"id": action.pk, "what": "Another", "owner": ben.pk}
    for row, first in ((own, 1), ({**own, "DELETE": "on"}, 1), ({**own, "id": ""}, 0)):
        posted(admin_client, report, **rows("actions", row, first=first))
    assert CorrectiveAction.objects.get().what == "New tool guide"


def test_what_is_done_is_not_removed(report, ben, admin_client):
    action = report.actions.create(what="New tool guide", owner=ben)
    stale = CorrectiveAction.objects.get()
    action.finish(ben)
    with pytest.raises(NotAllowed, match="it stays"):
        stale.delete()
    with pytest.raises(NotAllowed, match="done already"):
        stale.finish(ben)
    row = {"id": action.pk, "what": "x", "owner": ben.pk, "DELETE": "on"}
    assert "What is done stays" in posted(admin_client, report, **rows("actions", row))
    assert CorrectiveAction.objects.get().what == "New tool guide"


# What is decided or closed ------------------------------------------------------------------------


@pytest.mark.parametrize("status", [Status.DECIDED, Status.CLOSED])
def test_dispositions_stay_as_they_were_decided(report, admin_client, status):
    held = report.dispositions.create(kind=Kind.SCRAP, quantity=10)
    DefectReport.objects.update(status=status, nonconforming=10)
    held.quantity = 4
    # Also by who still holds the report as it was.
    for step in (
        held.save,
        held.delete,
        lambda: report.dispositions.create(kind=Kind.REWORK, quantity=1),
    ):
        with pytest.raises(NotAllowed, match="open it again"):
            step()
    own = {"id": held.pk, "kind": "scrap", "quantity": 4}
    new = {"id": "", "kind": "rework", "quantity": 1}
    for row, first in ((own, 1), ({**own, "DELETE": "on"}, 1), (new, 0)):
        posted(admin_client, report, **rows("dispositions", row, first=first))
    posted(admin_client, report, nonconforming=3)
    assert Disposition.objects.values_list("kind", "quantity").get() == ("scrap", 10)
    report.refresh_from_db()
    assert report.nonconforming == 10


@pytest.mark.parametrize("status", [Status.CLOSED, Status.UNFOUNDED, Status.DUPLICATE])
def test_what_is_over_is_neither_assigned_nor_categorised(report, ben, admin_client, status):
    surface = DefectCategory.objects.create(name="Surface")
    DefectReport.objects.update(status=status)
    for step, about in (("assign", ben), ("categorise", surface)):
        with pytest.raises(NotAllowed, match="open it again to change it"):
            getattr(report, step)(ben, about)
    for step, field in (("assign", {"assignee": ben.pk}), ("categorise", {"category": surface.pk})):
        text = unescape(act(admin_client, step, [report], **field))
        assert f"{report.number}: It is {status.label}: open it again to change it." in text
    posted(admin_client, report, assignee=ben.pk, category=surface.pk, severity="minor", cause="x")
    report.refresh_from_db()
    assert (report.assignee, report.category, report.severity, report.cause) == (None, None, "", "")


def test_an_empty_note_is_none(report, ben, admin_client):
    with pytest.raises(NotAllowed, match=r"What is the note\?"):
        report.note(ben, "  ")
    posted(admin_client, report, new_note="  ")
    assert not report.notes.exists()


def test_a_report_is_given_to_nobody_who_cannot_open_it(ben):
    User.objects.create_user("editor", is_staff=True)
    User.objects.create_user("clerk", is_superuser=True, is_staff=True)
    User.objects.create_user("gone", is_superuser=True, is_staff=True, is_active=False)
    assert [one.username for one in colleagues()] == ["ben", "clerk"]
