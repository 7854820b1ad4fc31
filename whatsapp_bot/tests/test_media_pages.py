"""What staff see of the files that people sent, and what their browsers are told."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from django.utils.http import content_disposition_header

from whatsapp_bot.models import Contact, Media, Message
from whatsapp_bot.tests import files
from whatsapp_bot.tests.staff import may

pytestmark = pytest.mark.django_db
LIST = reverse("admin:whatsapp_bot_media_changelist")


@pytest.fixture(autouse=True)
def _storage(settings):
    in_memory = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    settings.STORAGES = {**settings.STORAGES, "default": in_memory}


@pytest.fixture
def there(contact: Contact) -> Callable[..., Media]:
    """A file of a message, stored unless it is said otherwise."""

    def make(content: bytes = files.JPEG, content_type: str = "image/jpeg", **more) -> Media:
        message = Message.objects.create(
            contact=contact,
            direction="in",
            kind="image",
            status="received",
            details={"FileName": more.pop("name", "")},
        )
        media = Media(
            message=message,
            **{"status": "stored", "content_type": content_type, "size": len(content)} | more,
        )
        if media.is_stored:
            media.file = default_storage.save(media.new_place(), ContentFile(content))
            if content_type.startswith("image/"):
                media.thumbnail = default_storage.save(media.new_place(), ContentFile(files.JPEG))
        media.save()
        return media

    return make


def address(media: Media) -> str:
    return reverse("file", args=[media.pk])


def small(media: Media) -> str:
    return reverse("thumbnail", args=[media.pk])


def get(client: Client, path: str, **headers: str):
    return client.get(path, headers=headers)


def content(response) -> bytes:
    return b"".join(response.streaming_content)


# The files ----------------------------------------------------------------------------------------


def test_nobody_else_sees_them(there):
    media = there()
    for path in (address(media), small(media)):
        away = get(Client(), path)
        assert away.status_code == 302
        assert away["Location"].startswith(reverse("admin:login"))
        assert get(may("view_message"), path).status_code == 403
        User.objects.all().delete()
    somebody = User.objects.create_user("somebody")
    somebody.user_permissions.add(Permission.objects.get(codename="view_media"))
    client = Client()
    client.force_login(somebody)
    assert get(client, address(media)).status_code == 403


def test_a_picture_is_shown(there):
    media = there()
    client = may("view_media", "view_message")
    for path in (address(media), small(media)):
        shown = get(client, path)
        assert content(shown) == files.JPEG
        assert shown["Content-Type"] == "image/jpeg"
        assert shown["Content-Disposition"].startswith("inline")
        assert shown["X-Content-Type-Options"] == "nosniff"
        policy = shown["Content-Security-Policy"].split("; ")
        assert {"default-src 'none'", "sandbox"} < set(policy)
        assert "script" not in shown["Content-Security-Policy"]
        assert shown["Cache-Control"] == "private, no-store"
        assert client.head(path)["Content-Length"] == str(len(files.JPEG))


@pytest.mark.parametrize("kind", ["image/png", "image/webp", "image/jpeg"])
def test_a_picture_that_was_not_made_anew_is_saved_and_says_why(there, kind):
    media = there(b"x", kind, why="It has too many pixels.")
    Media.objects.update(thumbnail="")
    client = may("view_media", "view_message")
    assert get(client, address(media))["Content-Disposition"].startswith("attachment")
    page = client.get(reverse("admin:whatsapp_bot_message_change", args=[media.message_id]))
    assert "1\xa0byte · It has too many pixels." in page.content.decode()


@pytest.mark.parametrize(
    "kind",
    ["application/pdf", "text/plain", "text/vcard", "text/html", "image/svg+xml", "image/heic", ""],
)
def test_what_is_no_picture_sound_or_film_is_saved(there, kind):
    media = there(b"x", kind, name="a plan.html")
    answer = get(may("view_media", "view_message"), address(media))
    assert answer["Content-Disposition"].startswith("attachment")
    assert "html" not in answer["Content-Disposition"] or not kind or kind == "text/html"


@pytest.mark.parametrize(
    ("called", "kind", "name"),
    [
        ("plan.pdf", "application/pdf", "plan.pdf"),
        ("plan.pdf.exe", "application/pdf", "plan.pdf.pdf"),
        ("../../etc/passwd", "text/plain", "passwd.txt"),
        ('a"; x=\r\nSet-Cookie: y.csv', "text/csv", "a_; x=_Set-Cookie_ y.csv"),
        ("план 5%.pdf", "application/pdf", "план 5_.pdf"),
        ("a" * 300, "application/pdf", "a" * 80 + ".pdf"),
        ("...", "application/pdf", "file-{pk}.pdf"),
        ("", "audio/ogg", "file-{pk}.ogg"),
    ],
)
def test_it_is_called_as_the_person_called_it_and_ends_as_it_is(there, called, kind, name):
    media = there(b"x", kind, name=called)
    assert media.name == name.format(pk=media.pk)
    answer = get(may("view_media", "view_message"), address(media))
    assert answer["Content-Disposition"] == content_disposition_header(
        kind != "audio/ogg", media.name
    )


def test_there_is_none(there):
    client = may("view_media", "view_message")
    waiting, sound, gone = there(status="waiting"), there(b"x", "audio/ogg"), there()
    default_storage.delete(gone.file.name)
    for path in (
        address(waiting),
        small(sound),
        address(gone),
        "/files/999/",
        f"/files/{10**30}/",
    ):
        assert get(client, path).status_code == 404


@pytest.mark.parametrize(
    ("asked", "part", "said"),
    [
        ("bytes=0-1", b"01", "bytes 0-1/10"),
        ("bytes=8-", b"89", "bytes 8-9/10"),
        ("bytes=8-99", b"89", "bytes 8-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=-99", b"0123456789", "bytes 0-9/10"),
    ],
)
def test_players_ask_for_parts(there, asked, part, said):
    media = there(b"0123456789", "audio/ogg")
    answer = get(may("view_media", "view_message"), address(media), range=asked)
    assert (answer.status_code, content(answer)) == (206, part)
    assert (answer["Content-Range"], answer["Content-Length"]) == (said, str(len(part)))
    assert answer["Content-Type"] == "audio/ogg"


@pytest.mark.parametrize("asked", ["bytes=", "bytes=-", "bytes=a-b", "bytes=0-1,3-4", "lines=1-2"])
def test_other_ranges_are_all_of_it(there, asked):
    answer = get(
        may("view_media", "view_message"), address(there(b"0123456789", "audio/ogg")), range=asked
    )
    assert (answer.status_code, content(answer)) == (200, b"0123456789")
    assert answer["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=5-4", "bytes=-0"])
def test_parts_that_are_not_there(there, asked):
    answer = get(
        may("view_media", "view_message"), address(there(b"0123456789", "audio/ogg")), range=asked
    )
    assert (answer.status_code, answer["Content-Range"]) == (416, "bytes */10")


# The admin ----------------------------------------------------------------------------------------


@pytest.fixture
def media(there) -> dict[str, Media]:
    return {
        "picture": there(url="https://api.twilio.com/secret"),
        "sound": there(files.VOICE_NOTE, "audio/ogg"),
        "film": there(files.iso_media(b"isom"), "video/mp4"),
        "plan": there(files.PDF, "application/pdf", name="<b>plan.pdf"),
        "missing": there(status="missing", content_type="", said_type="image/jpeg", why="No luck."),
        "refused": there(status="refused", content_type="", said_type="x/<b>", why="It is a page."),
        "waiting": there(status="waiting", content_type=""),
    }


def test_the_list_shows_them_and_why_one_is_not_there(media, admin_client):
    page = get(admin_client, LIST).content.decode()
    assert small(media["picture"]) in page
    assert "No luck." in page
    assert "could not be had" in page
    assert "<b>" not in page
    assert "api.twilio.com" not in page
    only = get(admin_client, f"{LIST}?status__exact=missing").content.decode()
    assert "No luck." in only
    assert "It is a page." not in only


def test_its_page_has_a_button_to_try_again(media, admin_client):
    page = reverse("admin:whatsapp_bot_media_change", args=[media["missing"].pk])
    again = reverse("admin:whatsapp_bot_media_try_again", args=[media["missing"].pk])
    assert f'formaction="{again}"' in get(admin_client, page).content.decode()
    assert get(admin_client, again).status_code == 405
    answer = admin_client.post(again, follow=True)
    assert "1 file is being fetched again." in answer.content.decode()
    assert "formaction" not in answer.content.decode()
    media["missing"].refresh_from_db()
    assert media["missing"].status == "waiting"
    assert "nothing to try again" in admin_client.post(again, follow=True).content.decode()


def test_the_list_can_try_several_again(media, admin_client):
    chosen = {"action": "try_again", "_selected_action": [one.pk for one in media.values()]}
    answer = admin_client.post(LIST, chosen, follow=True)
    assert "2 files are being fetched again." in answer.content.decode()
    assert Media.objects.filter(status="waiting").count() == 3
    assert Media.objects.filter(status="stored").count() == 4


def test_who_may_only_look_cannot(media):
    client = may("view_media", "view_message")
    one = media["missing"]
    page = get(client, reverse("admin:whatsapp_bot_media_change", args=[one.pk]))
    assert page.status_code == 200
    assert "formaction" not in page.content.decode()
    again = reverse("admin:whatsapp_bot_media_try_again", args=[one.pk])
    assert client.post(again).status_code == 403
    client.post(LIST, {"action": "try_again", "_selected_action": [one.pk]})
    one.refresh_from_db()
    assert one.status == "missing"


def test_trying_again_needs_the_token_of_the_page(media, admin_user):
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)
    again = reverse("admin:whatsapp_bot_media_try_again", args=[media["missing"].pk])
    assert client.post(again).status_code == 403


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("picture", '<img src="/files/{pk}/small/" alt="Picture file-{pk}.jpg, opens large"'),
        ("sound", '<audio controls preload="none" src="/files/{pk}/"'),
        ("film", '<video controls preload="metadata" src="/files/{pk}/"'),
        ("plan", ">_b_plan.pdf</a>"),
        ("missing", "Picture could not be had: No luck."),
        ("refused", "File refused: It is a page."),
        ("waiting", "being fetched</a>"),
    ],
)
def test_its_message_and_its_report_show_it(media, name, shown, admin_client, contact):
    from defects.models import DefectReport

    one = media[name]
    Message.objects.exclude(pk=one.message_id).delete()
    report = DefectReport.objects.file(reported_by=contact, description="The seal leaks")
    report.attach([one.message_id])
    for page in (
        reverse("admin:whatsapp_bot_message_change", args=[one.message_id]),
        reverse("admin:defects_defectreport_change", args=[report.pk]),
    ):
        html = get(admin_client, page).content.decode()
        assert shown.format(pk=one.pk) in html
        assert "api.twilio.com" not in html
        is_gone = name in ("missing", "refused")
        assert (">Try again</a>" in html) == is_gone


def test_reports_hide_files_from_who_may_not_see_them(media, contact):
    from defects.models import DefectReport

    report = DefectReport.objects.file(reported_by=contact, description="The seal leaks")
    report.attach([media["picture"].message_id])
    client = may("view_defectreport", "view_attachment")
    page = get(client, reverse("admin:defects_defectreport_change", args=[report.pk]))
    assert page.status_code == 200
    assert small(media["picture"]) not in page.content.decode()
