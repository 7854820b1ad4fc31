"""The page and the list of reports, as staff work with them; and what a reporter hears of it."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from defects.models import DefectCategory, DefectReport
from defects.tests.people import colleague
from whatsapp_bot.delivery import Status
from whatsapp_bot.inbound import Kind
from whatsapp_bot.models import Conversation, Message, Wording
from whatsapp_bot.recent import forget_all
from whatsapp_bot.tests.staff import browser, may

pytestmark = pytest.mark.django_db


@pytest.fixture
def report(say):
    for text in ("hi", "2", "1", "Deep scratch on the *cover*"):
        say(text)
    while not DefectReport.objects.exists():
        say("skip")
    return DefectReport.objects.get()


@pytest.fixture
def page(report):
    return reverse("admin:defects_defectreport_change", args=[report.pk])


@pytest.fixture
def shown(admin_client, page):
    return lambda: admin_client.get(page).content.decode()


@pytest.fixture
def post(admin_client, report, page):
    """Post the report's page as it stands, with these fields; what it says then."""

    def post(client: Client = admin_client, **fields: object) -> str:
        report.refresh_from_db()
        return client.post(page, {**as_shown(report), **fields}, follow=True).content.decode()

    return post


@pytest.fixture
def step(post):
    return lambda name, **fields: post(step=name, **fields)


def as_shown(report: DefectReport) -> dict[str, object]:
    """What the page's form holds when nothing was changed."""
    names = ["severity", "part", "lot", "containment", "cause"]
    form: dict[str, object] = {name: getattr(report, name) for name in names}
    for name in ("category_id", "assignee_id", "order_id", "line_id", "due_on"):
        form[name.removesuffix("_id")] = getattr(report, name) or ""
    for name in ("inspected", "nonconforming"):
        form[name] = "" if getattr(report, name) is None else getattr(report, name)
    for part in ("dispositions", "actions", "attachments"):
        form |= {f"{part}-TOTAL_FORMS": 0, f"{part}-INITIAL_FORMS": 0}
    return {**form, "as_opened": report.version}


def quiet() -> None:
    """The reporter last wrote two days ago."""
    Conversation.objects.update(heard_at=timezone.now() - timedelta(days=2))


def told() -> list[str]:
    news = Message.objects.filter(notice__startswith="news.").order_by("pk")
    return list(news.values_list("notice", flat=True))


def test_whoever_is_blocked_is_not_told_and_staff_know_before(report, shown, step):
    report.reported_by.block()
    assert "the reporter is not told: we have blocked the person." in shown()
    assert "The reporter is not told: we have blocked the person." in step("acknowledge")
    assert not told()


def test_a_step_is_told(report, shown, step, fake_twilio, deliver):
    assert "When it becomes acknowledged, the reporter is told. It goes at once." in shown()
    text = step("acknowledge")
    assert f"{report.number} is acknowledged." in text
    assert "The reporter is told. queued." in text.replace("Queued", "queued")
    deliver()
    (sent,) = fake_twilio.sent
    assert report.number in sent.body
    assert Message.objects.get(notice="news.acknowledged").written_by.username == "admin"


def test_and_once(report, step):
    step("acknowledge")
    assert "It is acknowledged already." in step("acknowledge")
    assert told() == ["news.acknowledged"]


def test_from_reported_to_closed(clock, report, step, post, shown):
    step("acknowledge")
    step("begin_review")
    category = DefectCategory.objects.create(name="Surface")
    text = step("decide")
    assert "It needs a disposition" in text
    text = post(
        step="decide",
        severity="major",
        category=category.pk,
        nonconforming=10,
        **{
            "dispositions-TOTAL_FORMS": 1,
            "dispositions-0-kind": "scrap",
            "dispositions-0-quantity": 4,
        },
    )
    assert "The dispositions are for 4 parts, but 10 are nonconforming" in text
    report.refresh_from_db()
    assert (report.severity, report.nonconforming) == ("major", 10), "what was typed is kept"
    disposition = report.dispositions.get()
    others = colleague("ben")
    text = post(
        step="decide",
        **rows("dispositions", {"id": disposition.pk, "kind": "scrap", "quantity": 10}),
        **rows("actions", {"what": "New tool guide", "owner": others.pk}, first=0),
    )
    assert "is decided" in text
    action = report.actions.get()
    assert "is not verified yet" in step("close")
    text = post(action_step=f"finish:{action.pk}")
    assert "The action is done." in text
    assert "to be verified by somebody else" in text
    assert f'value="verify:{action.pk}"' not in text
    assert "Somebody else has to verify it" in post(action_step=f"verify:{action.pk}")
    type(action).objects.update(done_by=others)
    text = shown()
    assert f'value="verify:{action.pk}"' in text
    assert "to be verified by somebody else" not in text
    assert "The action is verified." in post(action_step=f"verify:{action.pk}")
    assert "Closed by" not in text
    text = step("close")
    assert "is closed" in text
    assert f"Closed by admin, {date_format(timezone.localtime(), 'j M Y')}" in text
    report.refresh_from_db()
    assert report.status == "closed"
    assert told() == ["news.acknowledged", "news.decided", "news.closed"]


def rows(part, *values, first=1):
    """A formset's fields; first: how many of the rows were there before."""
    form = {f"{part}-TOTAL_FORMS": len(values), f"{part}-INITIAL_FORMS": first}
    for place, row in enumerate(values):
        form |= {f"{part}-{place}-{name}": value for name, value in row.items()}
    return form


@pytest.mark.parametrize("changes", [(), ("change_defectreport",)])
def test_who_reviews_but_does_not_change_reports_changes_no_parts_of_them(report, post, changes):
    """Their page can be posted all the same, since they may write on it."""
    ben = may("view_defectreport", "review_defectreport", "write_to_contact", *changes)
    post(
        ben,
        **rows("dispositions", {"kind": "scrap", "quantity": 1}, first=0),
        **rows("actions", {"what": "New tool guide", "owner": colleague("thabo").pk}, first=0),
    )
    assert report.dispositions.exists() == bool(changes)
    assert report.actions.exists() == bool(changes)


@pytest.mark.parametrize(
    ("name", "fields", "sentence"),
    [
        ("begin_review", {}, "it has to be acknowledged first"),
        ("decide", {}, "it has to be in review first"),
        ("close", {}, "it has to be decided first"),
        ("dismiss", {"reason_dismiss": " "}, "Why is it unfounded?"),
        ("mark_duplicate", {"duplicate": "DEF-1"}, "There is no report DEF-1."),
        ("mark_duplicate", {}, "Which report is it a duplicate of?"),
        ("reopen", {"reason_reopen": "x"}, "it has to be decided or closed or unfounded"),
        ("delete", {}, "You may not do that."),
        ("save", {}, "You may not do that."),
    ],
)
def test_what_is_not_allowed_says_why(report, step, name, fields, sentence):
    assert sentence in step(name, **fields)
    report.refresh_from_db()
    assert report.status == "reported"
    assert not told()


def test_unfounded_duplicate_and_opened_again(report, step):
    kept = DefectReport.objects.file(reported_by=report.reported_by, description="The first")
    assert "is unfounded" in step("dismiss", reason_dismiss="As drawn")
    assert "As drawn" in step("reopen", reason_reopen="Not as drawn")
    assert "is a duplicate" in step("mark_duplicate", duplicate=kept.number.lower())
    report.refresh_from_db()
    assert report.duplicate_of == kept
    step("reopen", reason_reopen="Another one")
    assert "is a duplicate" in step("mark_duplicate", duplicate=kept.number.removeprefix("DEF-"))


def test_of_two_at_one_report_the_second_is_told_and_overwrites_nothing(
    report, post, admin_client, page
):
    opened = as_shown(report)
    ben = browser(User.objects.create_superuser("ben"))
    post(ben, severity="minor", cause="Worn tool")
    text = admin_client.post(
        page, {**opened, "severity": "critical", "lot": "L-7"}
    ).content.decode()
    assert "This was changed since you opened it" in text
    assert re.search(r"ben, [^:]+:\d\d: severity, from “–” to “minor”", text)
    assert "from “–” to “Worn tool”" in text
    assert 'value="L-7"' in text
    report.refresh_from_db()
    assert (report.severity, report.lot) == ("minor", "")
    report.refresh_from_db()
    again = {**opened, "severity": "critical", "lot": "L-7", "as_opened": report.version}
    admin_client.post(page, again)
    report.refresh_from_db()
    assert (report.severity, report.lot) == ("critical", "L-7")


def test_a_page_that_does_not_say_what_it_was_opened_with_overwrites_nothing(
    report, post, admin_client, page
):
    post(severity="minor")
    form = as_shown(report)
    del form["as_opened"]
    text = admin_client.post(page, {**form, "severity": "critical"}).content.decode()
    assert "This was changed since you opened it" in text
    report.refresh_from_db()
    assert report.severity == "minor"


def test_the_page_shows_what_was_changed_by_whom_and_through_which_door(post, step, shown):
    post(severity="minor")
    step("acknowledge")
    text = shown().partition("What was changed")[2]
    for part in ("severity", "minor", "acknowledged", "admin"):
        assert part in text


def test_no_more_are_nonconforming_than_were_inspected(report, post):
    sentence = "3 cannot be nonconforming when only 2 were inspected."
    text = post(inspected=2, nonconforming=3, cause="A worn tool guide")
    assert text.count(sentence) == 1
    assert "A worn tool guide" in text, "what was typed is kept"
    report.refresh_from_db()
    assert (report.inspected, report.nonconforming) == (None, None)
    post(nonconforming=3)
    assert sentence in post(inspected=2)


def test_what_was_counted_wrongly_before_keeps_nobody_from_the_rest(report, post):
    DefectReport.objects.update(inspected=2, nonconforming=3)
    post(cause="A worn tool guide")
    report.refresh_from_db()
    assert report.cause == "A worn tool guide"


def test_a_note_is_for_colleagues(report, post, shown):
    post(new_note="Ask the night shift <b>first</b>")
    assert "Ask the night shift &lt;b&gt;first&lt;/b&gt;" in shown()
    assert report.notes.get().author.username == "admin"
    assert not told()


def test_what_was_said_begins_with_the_report(report, say, shown):
    say("Deep scratch on the *cover*")
    before, about = shown().split("talk-about")
    assert "Deep scratch on the *cover*" in about.partition("talk-bubble")[0]
    assert ">hi<" in before
    assert "talk-scrolls" in before


def test_or_with_what_was_said_last_before_it(report, shown):
    DefectReport.objects.update(description="Chosen, and never typed")
    about = shown().split("talk-about")[1]
    assert "Deep scratch on the *cover*" in about.partition("talk-bubble")[0]


def test_what_is_done_stays(report, post, admin_user):
    action = report.actions.create(what="x", owner=admin_user)
    action.finish(admin_user)
    row = {"id": action.pk, "what": "x", "owner": admin_user.pk, "DELETE": "on"}
    assert "What is done stays" in post(**rows("actions", row))
    assert report.actions.exists()


def test_outside_the_window_it_waits(shown, step):
    quiet()
    assert "the reporter is told. It waits until the person writes to us, and goes then." in shown()
    assert "The reporter is told. waits until" in step("acknowledge").replace("Waits", "waits")
    assert Message.objects.get(notice="news.acknowledged").status == Status.WAITING


def test_what_is_switched_off_is_not_told(shown, step):
    Wording.objects.filter(key="news.acknowledged").update(switched_off=True)
    forget_all()
    assert "the reporter is not told: this text is switched off." in shown()
    assert "The reporter is not told: this text is switched off." in step("acknowledge")
    assert not told()


def test_nor_is_somebody_who_has_stopped_our_messages(report, say, shown, step):
    say("stop")
    stopped = "the reporter is not told: the person has stopped our messages."
    assert stopped in shown()
    assert stopped in step("acknowledge").replace("The reporter", "the reporter")
    assert not told()


def test_a_question_is_asked_and_its_answer_filed(
    report, shown, post, say, page, admin_client, deliver, fake_twilio
):
    assert "Ask the reporter" in shown()
    assert "It is on its way." in post(to_send="How *many* parts?", send="send")
    deliver()
    (sent,) = fake_twilio.sent
    assert sent.body.endswith("How ∗many∗ parts?")
    assert report.number in say("Twelve")
    text = shown().partition("attachments-group")[2]
    for part in ("How ∗many∗ parts?", "admin", "sent", "Twelve", "/admin/whatsapp_bot/message/"):
        assert part in text


def test_save_with_a_question_in_the_box_saves_and_asks_nothing(report, post):
    text = post(severity="minor", to_send="How many?")
    assert "You have not sent your message yet." in text
    assert "How many?</textarea>" in text
    assert not told()
    report.refresh_from_db()
    assert report.severity == ""


def test_a_question_has_at_most_a_thousand_characters(post):
    assert "A message holds 1000 characters" in post(to_send="x" * 1001, send="send")
    assert not told()


def test_who_may_not_write_asks_nothing(page):
    client = may("view_defectreport", "change_defectreport")
    assert "Ask the reporter" not in client.get(page).content.decode()
    assert client.post(page, {"to_send": "How many?", "send": "send"}).status_code == 403


def test_who_may_not_review_takes_no_step(report, page, post):
    client = may("view_defectreport", "change_defectreport")
    assert 'name="step"' not in client.get(page).content.decode()
    assert "You may not do that." in post(client, step="acknowledge")
    report.refresh_from_db()
    assert report.status == "reported"


def test_who_may_only_look_changes_nothing(report, page):
    client = may("view_defectreport")
    assert client.get(page).status_code == 200
    assert client.post(page, {**as_shown(report), "step": "acknowledge"}).status_code == 403


def test_what_was_reported_is_no_markup(report, shown):
    DefectReport.objects.update(description="<b id=x>Scratch</b>")
    report.reported_by.name = "<i>Nomsa</i>"
    report.reported_by.save()
    text = shown()
    assert "<b id=x>" not in text
    assert "<i>Nomsa" not in text


def test_who_may_not_read_messages_sees_the_report_without_them(client, shown, report, page):
    manager = User.objects.create_user("manager", is_staff=True)
    manager.groups.add(Group.objects.get(name="Managers"))
    client.force_login(manager)
    seen = client.get(page).content.decode()
    assert report.number in seen
    assert "What was said" in shown()
    assert "What was said" not in seen


# The list -----------------------------------------------------------------------------------------


@pytest.fixture
def listed(admin_client):
    def listed(**query: str) -> str:
        return admin_client.get(reverse("admin:defects_defectreport_changelist"), query)

    return listed


@pytest.fixture
def some(report, admin_user):
    """A critical one, one at work, and one that is over."""
    values = {"reported_by": report.reported_by}
    made = [DefectReport.objects.file(description=f"No {n}", **values) for n in range(3)]
    critical, at_work, over = made
    critical.severity = "critical"
    critical.save()
    at_work.acknowledge(admin_user)
    at_work.assign(admin_user, admin_user)
    over.dismiss(admin_user, "no")
    return made


def found(response):
    return list(response.context["cl"].result_list)


def test_the_list_begins_with_what_is_urgent(listed, some, report):
    critical, at_work, over = some
    assert found(listed()) == [critical, report, at_work, over]


def test_tabs_and_filters(clock, listed, some, report):
    critical, at_work, over = some
    assert found(listed(at_work="mine")) == [at_work]
    assert set(found(listed(at_work="open"))) == {critical, at_work, report}
    assert found(listed(at_work="open", severity__exact="critical")) == [critical]
    assert found(listed(status__exact="unfounded")) == [over]
    assert found(listed(photo="yes")) == []
    assert len(found(listed(photo="no"))) == 4
    today = timezone.localdate().isoformat()
    assert len(found(listed(created_at_from=today, created_at_to=today))) == 4
    assert found(listed(created_at_from="2001-01-01", created_at_to="2001-01-02")) == []


@pytest.mark.parametrize(("said_type", "with_photo"), [("image/jpeg", 1), ("application/pdf", 0)])
def test_a_photo_is_one_however_it_was_sent(listed, some, said_type, with_photo):
    critical = some[0]
    document = Message.objects.create(contact=critical.reported_by, kind=Kind.DOCUMENT)
    critical.attachments.create(message=document)
    document.media.create(said_type=said_type)
    assert [len(found(listed(photo=photo))) for photo in ("yes", "no")] == [
        with_photo,
        4 - with_photo,
    ]


@pytest.mark.parametrize("words", ["Deep scratch", "scratch DEEP", "DEF-"])
def test_search(listed, report, words):
    assert found(listed(q=words)) == [report]


def test_search_by_reporter_and_order(listed, report):
    assert found(listed(q=report.reported_by.phone)) == [report]
    assert found(listed(q="nobody")) == []


def test_what_nobody_has_said_yet_is_a_dash(listed, report):
    html = listed().content.decode()
    assert re.findall(r'<td class="field-how_bad[^>]*>(.*?)</td>', html) == ["–"]


def act(client, name, reports, **fields):
    form = {"action": name, "_selected_action": [report.pk for report in reports], **fields}
    path = reverse("admin:defects_defectreport_changelist")
    return client.post(path, form, follow=True).content.decode()


def test_several_at_once(admin_client, some, report, admin_user):
    critical, _, over = some
    text = act(admin_client, "acknowledge", [*some, report])
    assert "2 are acknowledged." in text
    assert "Who reported them is told" in text
    assert f"{over.number}: It is unfounded" in text
    assert "Choose whom" in act(admin_client, "assign", [critical])
    assert "1 is assigned to admin." in act(
        admin_client, "assign", [critical], assignee=admin_user.pk
    )
    category = DefectCategory.objects.create(name="Surface")
    text = act(admin_client, "categorise", [critical, over], category=category.pk)
    assert "1 is now in the category Surface." in text
    assert "open it again" in text
    critical.refresh_from_db()
    assert (critical.assignee, critical.category) == (admin_user, category)


def test_many_that_are_left_alone_take_one_line(admin_client, report):
    closed = [
        DefectReport.objects.file(reported_by=report.reported_by, description="x", status="closed")
        for _ in range(5)
    ]
    text = act(admin_client, "acknowledge", closed)
    assert text.count("It is closed, so it cannot become acknowledged") == 1
    assert " and 2 more: It is closed" in text
    assert "is told" not in text


def test_a_retired_category_stays_where_it_is_and_is_offered_no_more(report, post, shown):
    old = DefectCategory.objects.create(name="Old one", is_active=False)
    assert "Old one" not in shown()
    DefectReport.objects.update(category=old)
    assert "Old one" in shown()


def test_history_is_what_was_changed_by_whomever(admin_client, report, page):
    there = admin_client.get(reverse("admin:defects_defectreport_history", args=[report.pk]))
    assert there.url == f"{page}#history"
    assert 'id="history"' in admin_client.get(page).content.decode()
