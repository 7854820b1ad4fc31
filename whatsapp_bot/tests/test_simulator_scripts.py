"""Conversations saved as scripts, and replayed."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from whatsapp_bot.models import Contact, Conversation, Message
from whatsapp_bot.models.contact import Role
from whatsapp_bot.simulator import script
from whatsapp_bot.simulator.people import CAST, Person
from whatsapp_bot.simulator.script import Unreadable, masked, read, write

SHIPPED = sorted((Path(__file__).parent / "scripts").glob("*.txt"))
MENU = """\
as worker
> hi
< 👋 Welcome! How can we help you today?
|
| 1. Check order status
| 2. Report a defect
| 3. View production schedule
| 4. Get help & support
| 5. Back to menu
"""
Replay = Callable[..., tuple[bool, str]]


@pytest.fixture
def replay(tmp_path: Path) -> Replay:
    """Replay texts as files: did all go as written, and what was said about it."""

    def replay(*texts: str | bytes) -> tuple[bool, str]:
        files = [tmp_path / f"{number}.txt" for number in range(len(texts))]
        for file, text in zip(files, texts, strict=True):
            file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return run(*files)

    return replay


def run(*files: Path) -> tuple[bool, str]:
    out = StringIO()
    try:
        call_command("replay", *map(str, files), stdout=out)
    except CommandError:
        return False, out.getvalue()
    return True, out.getvalue()


# Replaying ----------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_shipped_scripts(file: Path) -> None:
    same, said = run(file)
    assert same, said


@pytest.mark.django_db
def test_nothing_of_it_stays(replay: Replay) -> None:
    assert replay(MENU)[0]
    assert not Contact.objects.exists()
    assert not Message.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_nothing_of_it_stays_outside_a_test(replay: Replay) -> None:
    """A test's own transaction must not be what makes it so."""
    same, _ = replay(MENU + "> 2\n< …\n> 1\n< …\n> [image]\n< …\n> Scratch\n< ✅ …\n| …\n")
    assert same
    assert not Contact.objects.exists()
    assert not Message.objects.exists()


@pytest.mark.django_db
def test_difference_is_named(replay: Replay) -> None:
    same, said = replay(MENU.replace("Report a defect", "Report a problem"))
    assert not same
    assert "line 6 differs" in said
    assert "expected: 2. Report a problem" in said
    assert "replied:  2. Report a defect" in said


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "line"),
    [
        (MENU + "| 6. And more\n", 10),
        (MENU.replace("| 5. Back to menu\n", ""), 8),
        (MENU + "< Another message\n", 10),
        ("as worker\n> hi\n", 2),
        ("as worker\n> hi\n< …\n> [location] over there\n< …\n", 4),
    ],
)
def test_more_or_less_than_expected(replay: Replay, text: str, line: int) -> None:
    same, said = replay(text)
    assert not same
    assert f"line {line} differs" in said


@pytest.mark.django_db
def test_the_others_are_replayed_all_the_same(replay: Replay) -> None:
    same, said = replay("as worker\n> hi\n< Hello\n", MENU)
    assert not same
    assert "1.txt: as written, 1 messages" in said


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text",
    [
        MENU.replace("How can we help you", "…"),
        MENU.replace("How can we help you", "..."),
        MENU.replace("| 2. Report a defect\n| 3. View production schedule\n", "| …\n"),
        "as worker\n> hi\n< …\n",
        "as worker\n> hi\n< …\n| 3. View …\n| …\n",
    ],
)
def test_anything_goes_for_the_wildcard(replay: Replay, text: str) -> None:
    same, said = replay(text)
    assert same, said


@pytest.mark.django_db
def test_as_other_editors_write(replay: Replay) -> None:
    windows = b"\xef\xbb\xbf# From Windows\r\n\r\n" + MENU.replace("\n", "\r\n").encode()
    assert replay(windows)[0]


@pytest.mark.django_db
def test_two_people_keep_apart(replay: Replay) -> None:
    same, said = replay(
        "as worker\n> hi\n< …\n> 2\n< *Defects*\n| …\n"
        "as no number\n> hi\n< 👋 …\n| …\n"
        "as worker\n> 1\n< Please describe the defect:\n"
    )
    assert same, said


@pytest.mark.django_db
def test_contact_is_who_it_is_but_begins_anew(contact: Contact, say: Callable) -> None:
    contact.role = Role.WORKER
    contact.save()
    say("hi")
    say("2")
    conversation = Conversation.objects.get()
    assert script.replay(read(f"as {contact.phone}\n> 2\n< 👋 …\n| …\n")) is None
    conversation_after = Conversation.objects.get()
    assert conversation_after.state == conversation.state
    assert Message.objects.count() == 4


@pytest.mark.django_db
def test_exit_status(tmp_path: Path) -> None:
    with pytest.raises(CommandError) as error:
        call_command("replay", str(tmp_path / "missing.txt"), stdout=StringIO())
    assert error.value.returncode == 1


@pytest.mark.django_db
def test_not_text(replay: Replay) -> None:
    same, said = replay(b"\xff\xfe\x00")
    assert not same
    assert "UTF-8" in said


# Reading ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("> hi", 1, "who writes"),
        ("as worker\n< hello", 2, "reply to"),
        ("as worker\n| more", 2, "go on from"),
        ("as worker\n> hi\nhello", 3, "begins with"),
    ],
)
def test_unreadable(text: str, line: int, why: str) -> None:
    with pytest.raises(Unreadable) as unreadable:
        read(text)
    assert unreadable.value.line == line
    assert why in unreadable.value.why


@pytest.mark.django_db
def test_unreadable_is_told(replay: Replay) -> None:
    same, said = replay("as boss\n> hi\n")
    assert not same
    assert "line 1: I do not know 'boss'" in said


@pytest.mark.parametrize(
    ("said", "body"),
    [
        ("> two\n| lines", "two\nlines"),
        (">tight", "tight"),
        (r"> \[image] is what I said", "[image] is what I said"),
        ("> [urgent] broken", "[urgent] broken"),
    ],
)
def test_what_is_said(said: str, body: str) -> None:
    (message,) = read(f"as worker\n{said}\n< …")
    assert message.parameters() == {"Body": body}


def test_attachment_is_said() -> None:
    (message,) = read("as worker\n> [image] the lid\n")
    parameters = message.parameters()
    assert (parameters["Body"], parameters["MessageType"]) == ("the lid", "image")
    assert parameters["MediaUrl0"]


# Writing ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("ID: DEF-20250119143022", "ID: DEF-…"),
        ("HELP-20250119143022-2.", "HELP-…."),
        ("19 January 2025, received", "…, received"),
        ("*Monday 24 November*", "*…*"),
        ("due 2025-01-19", "due …"),
        ("ORD-1001 and 3 May flies", "ORD-1001 and … flies"),
        ("Monday to Friday, 08:00 to 17:00", "Monday to Friday, 08:00 to 17:00"),
    ],
)
def test_masks(reply: str, expected: str) -> None:
    assert masked(reply) == expected


SAID = [
    {"text": "hi"},
    {"text": "2"},
    {"text": "1"},
    {"text": "a\nlong | story\n> with marks\n# in it"},
    {"kind": "image", "text": "the lid"},
    {"text": "[image] is what I said"},
    {"text": "\\ and <script>alert(1)</script> {0.__class__}"},
    {"text": "مرحبا"},
    {"text": "menu"},
    {"text": "4"},
    {"text": "1"},
    {"text": "x" * 3000},
    {"kind": "location", "text": "-26.2, 28.04"},
    {"kind": "document", "text": "plan.pdf"},
    {"kind": "audio"},
    {"kind": "other"},
]


@pytest.mark.django_db
@pytest.mark.parametrize("word", CAST)
def test_saved_is_replayed(tester: Client, word: str) -> None:
    address = CAST[word].address
    for values in SAID:
        tester.post("/simulator/say/", {"whom": address, **values}, secure=True)
    saved = tester.post("/simulator/script/", {"whom": address}, secure=True)
    assert "attachment" in saved["Content-Disposition"]
    text = saved.content.decode()
    assert f"as {word}" in text
    assert script.replay(read(text)) is None
    assert script.replay(read(text.replace("DEF-", "DFE-"))) is not None


@pytest.mark.django_db
def test_saved_from_a_message_on(contact: Contact, say: Callable) -> None:
    say("hi")
    say("hello")
    second = Message.objects.get(body="hello")
    text = write(Message.objects.filter(pk__gte=second.pk).order_by("pk"))
    assert "> hello" in text
    assert "> hi" not in text


@pytest.mark.django_db
def test_what_was_written_later_is_a_remark(contact: Contact, say: Callable) -> None:
    say("hi")
    Message.objects.create(contact=contact, direction="out", body="Your order\nis ready")
    text = write(Message.objects.order_by("pk"))
    assert text.endswith("# Your order\n# is ready\n")
    assert len(read(text)[0].replies) == 1


@pytest.mark.django_db
def test_nothing_to_save(tester: Client) -> None:
    whom = Person.new().address
    assert tester.post("/simulator/script/", {"whom": whom}, secure=True).status_code == 400
