"""What a file is, and what is kept of a picture."""

from io import BytesIO

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image
from PIL.ImageCms import ImageCmsProfile, createProfile

from whatsapp_bot import pictures, sniffing
from whatsapp_bot.models.media import ENDINGS
from whatsapp_bot.sniffing import Harmful, kind_of
from whatsapp_bot.tests import files


def refusal(content: bytes, said: str = "image/jpeg") -> str:
    with pytest.raises(Harmful) as refused:
        pictures.cleaned(content, kind_of(content, said))
    return refused.value.why


def why_not_read(content: bytes) -> str:
    with pytest.raises(pictures.CannotRead) as raised:
        pictures.cleaned(content, kind_of(content))
    return raised.value.why


@pytest.mark.parametrize(("content", "kind"), files.HARMLESS.values(), ids=files.HARMLESS)
@pytest.mark.parametrize("said", ["", "text/html", "image/jpeg", "application/octet-stream"])
def test_what_is_taken(content, kind, said):
    assert kind_of(content, said) == kind


@pytest.mark.parametrize("content", files.DANGEROUS.values(), ids=files.DANGEROUS)
@pytest.mark.parametrize("said", ["image/jpeg", "text/plain", "application/pdf"])
def test_what_is_not(content, said):
    with pytest.raises(Harmful) as refused:
        kind_of(content, said)
    assert refused.value.why.startswith("It ")
    assert refused.value.why.endswith(".")


def test_the_reason_is_told():
    why = {name: refusal(content) for name, content in files.DANGEROUS.items()}
    assert why["SVG"] == why["HTML"] == why["XML"] == why["page and PDF"] == sniffing.A_PAGE
    assert why["script"] == why["program for Linux"] == why["Java"] == sniffing.A_PROGRAM
    assert why["zip"] == why["7z"] == sniffing.AN_ARCHIVE
    assert why["Word with macros"] == why["old Word with macros"] == sniffing.MACROS
    assert "(picture and archive)" in why["JPEG and zip"]
    assert "(picture and PDF)" in why["JPEG and PDF"]
    assert "(picture and script)" in why["GIF and script"]
    assert "(PDF and web page)" in why["PDF with a page behind"]


def test_what_nobody_can_tell_apart_is_what_the_sender_says():
    assert kind_of(files.iso_media(b"isom"), "audio/mp4") == "audio/mp4"
    assert kind_of(files.iso_media(b"3gp4"), "audio/3gpp") == "audio/3gpp"
    assert kind_of(b"a;b\n1;2\n", "text/csv; charset=utf-8") == "text/csv"
    assert kind_of("Größe\n".encode("cp1252"), "text/plain") == "text/plain"
    assert refusal("Größe\n".encode("cp1252"), "image/jpeg") == sniffing.UNKNOWN


def test_a_zip_with_a_list_that_is_too_long_is_not_read():
    listed = files.zipped(*(f"word/{n:0100}" for n in range(8_000)))
    assert len(listed) < 4_000_000
    assert refusal(listed) == sniffing.AN_ARCHIVE


@given(content=st.binary(max_size=400), begin=st.sampled_from([b"", *files.DANGEROUS.values()]))
@example(content=b"", begin=b"PK\x05\x06" + b"\xff" * 18)
@example(content=b"PK\x05\x06" + b"\xff" * 18, begin=files.JPEG)
def test_whatever_comes_is_taken_or_refused(content, begin):
    try:
        kind = kind_of(begin[:200] + content, "text/plain")
        if kind in sniffing.PICTURES:
            pictures.cleaned(begin[:200] + content, kind)
    except (Harmful, pictures.CannotRead):
        return
    assert kind in {*ENDINGS, *sniffing.PICTURES}


# Pictures -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_where_a_photo_was_taken_is_gone_and_it_stands_upright(kind):
    before = files.photo_with_place(kind)
    assert files.GPS in before
    content_type, kept, small = pictures.cleaned(before, kind_of(before))
    assert content_type == f"image/{kind.lower()}"
    for content, size in ((kept, (300, 900)), (small, (133, 400))):
        opened = Image.open(BytesIO(content))
        assert opened.size == size
        assert not opened.getexif()
        assert b"Exif" not in content
        assert b"eXIf" not in content
        assert files.GPS not in content


def test_profiles_remarks_and_what_is_behind_the_end_are_gone():
    before = files.picture(icc_profile=b"a profile of colours", comment=b"a remark") + b"hidden"
    _, kept, _ = pictures.cleaned(before, "image/jpeg")
    assert not any(word in kept for word in (b"profile", b"remark", b"hidden"))
    before = files.picture("PNG", icc_profile=b"a profile of colours") + b"hidden"
    _, kept, _ = pictures.cleaned(before, "image/png")
    assert b"iCCP" not in kept
    assert b"hidden" not in kept


@pytest.mark.parametrize(
    ("kind", "mode"), [("JPEG", "RGB"), ("PNG", "RGB"), ("PNG", "RGBA"), ("WEBP", "RGBA")]
)
def test_colours_look_as_they_did_with_their_profile(kind, mode):
    written = BytesIO()
    red = Image.new(mode, (20, 20), "red")
    red.save(written, kind, icc_profile=files.profile_of_swapped_colours())
    for content in pictures.cleaned(written.getvalue(), f"image/{kind.lower()}")[1:]:
        r, g, b = Image.open(BytesIO(content)).convert("RGB").getpixel((9, 9))
        assert (r < 50, g < 50, b > 200) == (True, True, True)


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGB"])
def test_a_profile_for_other_pictures_is_ignored(mode):
    profile = ImageCmsProfile(createProfile("LAB")).tobytes()
    before = Image.new(mode, (20, 20))
    written = BytesIO()
    before.save(written, "JPEG", icc_profile=profile)
    _, kept, _ = pictures.cleaned(written.getvalue(), "image/jpeg")
    expected, colour = (Image.open(BytesIO(one)) for one in (written.getvalue(), kept))
    assert colour.convert("RGB").getpixel((9, 9)) == expected.convert("RGB").getpixel((9, 9))


def test_the_transparent_colour_of_a_picture_with_a_profile_stays_so():
    profile = files.profile_of_swapped_colours()
    before = files.picture("PNG", icc_profile=profile, transparency=(0, 0, 0))
    _, kept, _ = pictures.cleaned(before, "image/png")
    assert Image.open(BytesIO(kept)).convert("RGBA").getpixel((9, 9))[3] == 0


@pytest.mark.parametrize("more", [{}, {"transparency": 100}])
def test_greys_of_16_bits_are_greys_in_small_too(more):
    written = BytesIO()
    Image.new("I;16", (20, 20), 0x8000).save(written, "PNG", **more)
    _, kept, small = pictures.cleaned(written.getvalue(), "image/png")
    assert Image.open(BytesIO(kept)).getpixel((9, 9)) == 0x8000
    assert Image.open(BytesIO(small)).getpixel((9, 9)) == (0x80, 0x80, 0x80)


@pytest.mark.parametrize(
    ("kind", "mode", "kept_as", "kept_mode"),
    [
        ("JPEG", "CMYK", "image/jpeg", "RGB"),
        ("JPEG", "L", "image/jpeg", "L"),
        ("PNG", "RGBA", "image/png", "RGBA"),
        ("PNG", "P", "image/png", "P"),
        ("PNG", "1", "image/png", "1"),
        ("PNG", "I;16", "image/png", "I;16"),
        ("GIF", "P", "image/png", "P"),
        ("WEBP", "RGBA", "image/webp", "RGBA"),
        ("AVIF", "RGB", "image/jpeg", "RGB"),
        ("AVIF", "RGBA", "image/jpeg", "RGB"),
    ],
)
def test_every_sort_of_picture_is_made_anew(kind, mode, kept_as, kept_mode):
    before = files.picture(kind, mode=mode)
    content_type, kept, small = pictures.cleaned(before, kind_of(before))
    assert (content_type, kind_of(kept)) == (kept_as, kept_as)
    assert Image.open(BytesIO(kept)).size == (900, 300)
    assert kind_of(small) == "image/jpeg"


def test_of_a_moving_picture_the_first_frame_stays():
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    for kind in ("GIF", "WEBP", "PNG"):
        written = BytesIO()
        frames[0].save(written, kind, save_all=True, append_images=frames[1:])
        _, kept, _ = pictures.cleaned(written.getvalue(), kind_of(written.getvalue()))
        opened = Image.open(BytesIO(kept))
        assert getattr(opened, "n_frames", 1) == 1
        assert opened.convert("RGB").getpixel((1, 1))[0] > 200


@pytest.mark.parametrize("content", files.BROKEN_PICTURES.values(), ids=files.BROKEN_PICTURES)
def test_damaged_pictures_are_refused(content):
    assert refusal(content) == pictures.BROKEN


@pytest.mark.parametrize("content", files.TOO_LARGE_PICTURES.values(), ids=files.TOO_LARGE_PICTURES)
def test_pictures_of_too_many_pixels_are_not_taken_apart(content):
    assert why_not_read(content) == pictures.TOO_MANY_PIXELS


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_webp_may_have_fewer_pixels_than_others(mode, monkeypatch):
    monkeypatch.setattr(pictures, "MOST_OF_WEBP", 10_000)
    pictures.cleaned(files.picture("WEBP", (100, 100), mode), "image/webp")
    assert why_not_read(files.picture("WEBP", (101, 100), mode)) == pictures.TOO_MANY_PIXELS
    pictures.cleaned(files.picture("PNG", (101, 100), mode), "image/png")


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize(
    ("size", "kept_size"),
    [((100, 100), (100, 100)), ((199, 101), (100, 51)), ((400, 300), (100, 75))],
)
def test_a_photo_of_too_many_pixels_is_read_smaller(size, kept_size, mode, monkeypatch):
    monkeypatch.setattr(pictures, "MOST_PIXELS", 10_000)
    _, kept, _ = pictures.cleaned(files.picture(size=size, mode=mode), "image/jpeg")
    assert Image.open(BytesIO(kept)).size == kept_size


def test_it_stands_upright_even_so(monkeypatch):
    monkeypatch.setattr(pictures, "MOST_PIXELS", 100_000)
    _, kept, _ = pictures.cleaned(files.photo_with_place("JPEG"), "image/jpeg")
    assert Image.open(BytesIO(kept)).size == (150, 450)


def test_of_two_photos_in_one_file_the_first_is_read_smaller(monkeypatch):
    monkeypatch.setattr(pictures, "MOST_PIXELS", 10_000)
    written = BytesIO()
    first, second = (Image.new("RGB", (200, 100), colour) for colour in ("red", "blue"))
    first.save(written, "MPO", save_all=True, append_images=[second])
    _, kept, _ = pictures.cleaned(written.getvalue(), kind_of(written.getvalue()))
    opened = Image.open(BytesIO(kept))
    assert opened.size == (100, 50)
    assert opened.getpixel((1, 1))[0] > 200


@pytest.mark.parametrize(
    "content",
    [
        files.picture(size=(500, 400)),
        files.picture(size=(200, 100), progressive=True),
        files.in_several_scans(files.picture(size=(200, 100))),
        # Behind a marker without a length, another reader finds other things.
        files.JPEG[:2] + b"\xff\xd0" + files.JPEG[2:],
    ],
    ids=["a quarter is too large", "progressive", "several scans", "unclear"],
)
def test_a_photo_that_cannot_be_read_smaller_is_not_taken_apart(content, monkeypatch):
    monkeypatch.setattr(pictures, "MOST_PIXELS", 10_000)
    assert why_not_read(content) == pictures.TOO_MANY_PIXELS


@pytest.mark.parametrize(
    "filled",
    [b"", b"\xff", b"\xff\xd0"],
    ids=["plain", "filled", "with a marker that says nothing"],
)
def test_a_photo_that_would_take_hours_is_refused_before_it_is_read(filled, monkeypatch):
    monkeypatch.setattr(pictures, "_cleaned", None)
    bomb = files.of_scans(100).replace(b"\xff\xda", filled + b"\xff\xda")
    assert refusal(bomb) == pictures.TOO_MANY_SCANS


def test_a_photo_may_have_some_scans_and_what_looks_like_more():
    looks_so = b"\xff\xda" * 100
    film_behind = files.of_scans(20) + looks_so
    thumbnails_inside = files.picture(comment=looks_so)
    for content in (film_behind, thumbnails_inside):
        assert content.count(b"\xff\xda") > pictures.MOST_SCANS
        assert pictures.cleaned(content, kind_of(content))[0] == "image/jpeg"


def test_what_pillow_does_not_know_is_said():
    assert why_not_read(files.iso_media(b"heic")) == pictures.AS_IT_CAME
