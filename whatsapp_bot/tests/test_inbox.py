"""Help requests: somebody of the team takes one, answers it, and no two do so unknowingly."""

import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from whatsapp_bot.models import Contact, HelpRequest, Message
from whatsapp_bot.recent import forget_all
from whatsapp_bot.refusals import NotAllowed
from whatsapp_bot.tests.database import statements
from whatsapp_bot.tests.staff import browser, page_of, posted, shown, staff

pytestmark = pytest.mark.django_db
INBOX = "/admin/whatsapp_bot/helprequest/"
MAY = ["view_helprequest", "change_helprequest", "write_to_contact", "view_message"]


@pytest.fixture
def thandi() -> User:
    return colleague("thandi")


@pytest.fixture
def pieter() -> User:
    return colleague("pieter")


def colleague(name: str) -> User:
    return staff(name, *MAY)


@pytest.fixture
def asked(say) -> HelpRequest:
    for text in ("hi", "4", "1", "Where are you?"):
        say(text)
    return HelpRequest.objects.get()


def again(asked: HelpRequest) -> HelpRequest:
    """The same, as a colleague has it in another place."""
    return HelpRequest.objects.get(pk=asked.pk)


def refuses(step, *said, **how) -> str:
    with pytest.raises(NotAllowed) as refused:
        step(*said, **how)
    (reason,) = refused.value.reasons
    return reason


# The steps ---------------------------------------------------------------------------------------


def test_one_takes_it_and_hands_it_back(asked, thandi, pieter):
    asked.take(thandi)
    other = again(asked)
    assert (other.state, other.taken_by) == ("taken", thandi)
    assert other.taken_at
    assert refuses(other.take, thandi) == "You have it already."
    assert refuses(other.hand_back, pieter) == "thandi has it, and you do not."
    other.hand_back(thandi)
    assert again(asked).state == "open"
    assert refuses(other.hand_back, thandi) == "Nobody has taken it."


def test_nobody_takes_it_from_a_colleague_unless_on_purpose(asked, thandi, pieter):
    stale = again(asked)
    asked.take(thandi)
    assert refuses(stale.take, pieter) == "thandi has it. Take it over if you are to see to it."
    assert again(asked).taken_by == thandi
    stale.take(pieter, over=True)
    assert again(asked).taken_by == pieter


def test_who_answers_is_kept_and_it_can_be_undone(asked, thandi, pieter):
    asked.take(thandi)
    again(asked).answer("In Durban.", pieter)
    asked.refresh_from_db()
    assert (asked.state, asked.answered_by, asked.taken_by) == ("answered", pieter, thandi)
    assert asked.answered_at
    assert refuses(asked.take, pieter) == "It is answered: open it again to take it."
    assert refuses(asked.hand_back, thandi) == "It is answered already."
    asked.reopen(thandi)
    assert (asked.state, asked.answered_by, asked.answered_at) == ("taken", None, None)
    assert refuses(asked.reopen, thandi) == "It is open already."


def test_it_needs_no_message_to_be_answered(asked, thandi):
    asked.mark_answered(thandi)
    assert (asked.state, asked.answered_by) == ("answered", thandi)
    assert not asked.answers
    assert refuses(asked.mark_answered, thandi) == "It is answered already."


def test_of_two_who_answer_at_once_the_second_is_told(asked, thandi, pieter):
    stale = again(asked)
    asked.answer("In Durban.", thandi)
    assert refuses(stale.answer, "In Cape Town.", pieter) == (
        "thandi has answered it since you opened it."
    )
    again(asked).answer("At the harbour.", pieter)
    assert [message.body for message in asked.answers] == ["In Durban.", "At the harbour."]


def test_so_is_who_answers_what_a_colleague_has_taken_meanwhile(asked, thandi, pieter):
    seen = asked.version
    again(asked).take(thandi)
    latest = again(asked)
    assert refuses(latest.answer, "In Durban.", pieter, seen=seen) == (
        "thandi has taken it since you opened it."
    )
    latest.answer("In Durban.", thandi, seen=seen)


def test_who_leaves_has_taken_nothing(asked, thandi):
    asked.take(thandi)
    thandi.delete()
    assert again(asked).state == "open"


# The page ----------------------------------------------------------------------------------------


def version_in(page: str) -> str:
    return re.search(r'name="as_opened" value="([^"]+)"', page)[1]


def test_the_page_shows_the_conversation_around_it(asked, say, thandi):
    say("And when are you open?")
    text = shown(browser(thandi), page_of(asked))
    assert text.count("talk-about") == 1
    assert "Where are you?" in text.partition("talk-about")[2]
    assert "And when are you open?" in text
    assert "It goes at once." in text


def test_the_page_of_an_answered_one_shows_the_answer(asked, thandi):
    asked.answer("In Durban, at the harbour.", thandi)
    about = shown(browser(thandi), page_of(asked)).split("talk-about")[1:]
    assert len(about) == 2
    assert "Where are you?" in about[0]
    assert "In Durban, at the harbour." in about[1]


def test_steps_on_the_page_are_taken_and_noted(asked, thandi):
    client, page = browser(thandi), page_of(asked)
    assert f"{asked.number} is taken." in posted(client, page, step="take")
    text = shown(client, page)
    assert "Taken by you" in text
    assert 'value="hand_back"' in text
    assert 'value="take"' not in text
    posted(client, page, step="hand_back")
    posted(client, page, step="mark_answered")
    assert "Answered by thandi" in shown(client, page)
    posted(client, page, step="reopen")
    assert again(asked).state == "open"
    notes = [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]
    assert notes == ["Taken.", "Handed back.", "Marked as answered.", "Open again."]


def test_the_page_of_what_a_colleague_has_offers_to_take_it_over(asked, thandi, pieter):
    asked.take(thandi)
    client, page = browser(pieter), page_of(asked)
    text = shown(client, page)
    assert "Taken by thandi" in text
    assert 'value="take_over"' in text
    assert "thandi has it." in posted(client, page, step="take")
    posted(client, page, step="take_over", as_opened=version_in(text))
    assert again(asked).taken_by == pieter


def test_a_step_on_a_page_from_before_is_not_taken(asked, thandi, pieter):
    client, page = browser(pieter), page_of(asked)
    seen = version_in(shown(client, page))
    asked.answer("In Durban.", thandi)
    text = posted(client, page, step="mark_answered", as_opened=seen)
    assert "thandi has answered it since you opened it." in text
    assert again(asked).answered_by == thandi


def test_an_answer_on_a_page_from_before_is_kept_and_not_sent(asked, thandi, pieter):
    client, page = browser(pieter), page_of(asked)
    seen = version_in(shown(client, page))
    asked.answer("In Durban.", thandi)
    form = {"to_send": "In Cape Town.", "send": "send"}
    text = posted(client, page, **form, as_opened=seen)
    assert "thandi has answered it since you opened it. Nothing was sent" in text
    assert "In Cape Town.</textarea>" in text
    assert "In Durban." in text
    assert asked.answers.count() == 1
    posted(client, page, **form, as_opened=version_in(text))
    assert [message.body for message in asked.answers] == ["In Durban.", "In Cape Town."]


def test_a_button_that_is_pressed_twice_answers_once(asked, thandi):
    client, page = browser(thandi), page_of(asked)
    form = {"to_send": "In Durban.", "send": "send", "as_opened": version_in(shown(client, page))}
    posted(client, page, **form)
    assert "it was not sent again" in posted(client, page, **form)
    assert asked.answers.count() == 1


def test_what_is_written_is_not_lost_by_a_step(asked, thandi):
    text = posted(browser(thandi), page_of(asked), step="take", to_send="Half a")
    assert "You have not sent your message yet." in text
    assert "Half a</textarea>" in text
    assert again(asked).state == "open"


def test_who_may_only_look_takes_no_step(asked, thandi):
    thandi.user_permissions.set(Permission.objects.filter(codename="view_helprequest"))
    client = browser(thandi)
    text = shown(client, page_of(asked))
    assert 'name="step"' not in text
    assert "talk-bubble" not in text
    assert client.post(page_of(asked), {"step": "take"}).status_code == 403
    assert again(asked).state == "open"


# The list ----------------------------------------------------------------------------------------


@pytest.fixture
def inbox(asked, thandi, pieter) -> dict[str, HelpRequest]:
    """One of each kind; the first is the oldest."""
    contact, now = asked.contact, timezone.now()
    asked.delete()
    kinds = ["open", "mine", "taken", "answered", "waits"]
    for age, kind in zip((1, 2, 3, 9, 5), kinds, strict=True):
        at = now - timedelta(hours=age)
        HelpRequest.objects.create(number=f"HELP-{kind}", contact=contact, text=kind, created_at=at)
    found = {kind: HelpRequest.objects.get(text=kind) for kind in kinds}
    found["mine"].take(thandi)
    found["taken"].take(pieter)
    found["answered"].answer("Yes.", pieter)
    return found


def listed(client: Client, query: str = "") -> list[str]:
    text = shown(client, f"{INBOX}{query}").partition("result_list")[2]
    return list(dict.fromkeys(re.findall(r">\s*HELP-(\w+)\s*<", text)))


@pytest.mark.parametrize(
    ("query", "there"),
    [
        ("?inbox=open", ["waits", "open"]),
        ("?inbox=mine", ["mine"]),
        ("?inbox=taken", ["taken", "mine"]),
        ("?inbox=answered", ["answered"]),
        ("", ["waits", "taken", "mine", "open", "answered"]),
    ],
)
def test_the_list_has_what_waits_longest_first(inbox, thandi, query, there):
    assert listed(browser(thandi), query) == there


def test_it_says_who_has_it_and_how_old_it_is(inbox, thandi):
    text = re.sub(r"\s+", " ", shown(browser(thandi), INBOX))
    assert "5 hours" in text
    assert "pieter" in text
    assert "answered after 9 hours" in text


def test_several_are_taken_and_given_back_and_each_refusal_says_why(inbox, thandi):
    client = browser(thandi)
    form = {"_selected_action": [one.pk for one in inbox.values()]}
    text = client.post(INBOX, {**form, "action": "take"}, follow=True).content.decode()
    assert "2 are yours." in text
    assert "HELP-mine: You have it already." in text
    assert "HELP-taken: pieter has it." in text
    assert "HELP-answered: It is answered" in text
    text = client.post(INBOX, {**form, "action": "hand_back"}, follow=True).content.decode()
    assert "3 are open again." in text


def test_the_sidebar_counts_what_nobody_has_taken(inbox, thandi):
    forget_all()
    assert badge(shown(browser(thandi), "/admin/")) == "2"
    HelpRequest.objects.update(taken_by=thandi)
    forget_all()
    assert badge(shown(browser(thandi), "/admin/")) is None
    HelpRequest.objects.update(taken_by=None)
    thandi.user_permissions.clear()
    forget_all()
    assert "Help requests" not in shown(browser(thandi), "/admin/")


def badge(page: str) -> str | None:
    after = page.partition("<span>Help requests</span>")[2].partition("</a>")[0]
    return after.partition('">')[2].partition("</span>")[0].strip() or None


# Their cost --------------------------------------------------------------------------------------


def fill(contact: Contact, by: User, count: int) -> None:
    """So many messages and help requests more, each taken and answered by somebody."""
    for number in range(count):
        message = Message.objects.create(
            contact=contact, direction="in", body=f"{number}?", status="received"
        )
        request = HelpRequest.objects.create(
            number=f"HELP-{message.pk}", contact=contact, message=message, text=message.body
        )
        request.take(by)
        if number % 2:
            request.mark_answered(by)
            contact.send("Yes.", by)


def test_the_pages_cost_no_more_when_there_is_more(admin_client, asked, thandi):
    every = reverse("admin:whatsapp_bot_helprequest_changelist")
    pages = [page_of(asked), page_of(asked.contact), every, f"{every}?inbox=answered"]

    def cost(page: str) -> int:
        forget_all()
        return len(statements(lambda: shown(admin_client, page)))

    asked.take(thandi)
    fill(asked.contact, thandi, 4)
    few = [cost(page) for page in pages for _ in "12"][1::2]  # some is read once and kept
    fill(asked.contact, thandi, 60)
    assert [cost(page) for page in pages] == few
    assert max(few) <= 20, few
