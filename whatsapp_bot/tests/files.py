"""Files to try it with: harmless ones of every kind, and dangerous ones."""

import bz2
import struct
import zlib
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

from PIL import Image
from PIL.ImageCms import ImageCmsProfile, createProfile

SAMPLES = Path(__file__).parent.parent / "static" / "simulator" / "samples"
GPS = b"GPS says Hall 3"


def picture(
    kind: str = "JPEG", size: tuple[int, int] = (900, 300), mode: str = "RGB", **more
) -> bytes:
    written = BytesIO()
    Image.new(mode, size).save(written, kind, **more)
    return written.getvalue()


def photo_with_place(kind: str = "JPEG") -> bytes:
    """A photo that tells where it was taken, and that it lies on its side."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = GPS.decode()
    exif.get_ifd(0x8825)[1] = "S"
    exif.get_ifd(0x8825)[2] = (33.0, 55.0, 7.0)
    return picture(kind, (900, 300), exif=exif)


def profile_of_swapped_colours() -> bytes:
    """A profile of colours in which red is what blue is to others."""
    profile = ImageCmsProfile(createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"xXYZ").replace(b"bXYZ", b"rXYZ").replace(b"xXYZ", b"bXYZ")


def in_several_scans(jpeg: bytes) -> bytes:
    """A JPEG that says that its colours come one after the other."""
    return jpeg.replace(b"\xff\xda\0\x0c\3", b"\xff\xda\0\x08\1")


def of_scans(count: int) -> bytes:
    """A JPEG that brings its last details again and again: `count` scans more than it needs."""
    jpeg = picture(size=(64, 64), progressive=True)
    last = jpeg.rindex(b"\xff\xda")
    return jpeg[:-2] + jpeg[last:-2] * count + jpeg[-2:]


def zipped(*names: str, content: bytes = b"<xml/>") -> bytes:
    written = BytesIO()
    with ZipFile(written, "w") as archive:
        for name in names:
            archive.writestr(name, content)
    return written.getvalue()


def chunk(name: bytes, content: bytes) -> bytes:
    """A part of a PNG."""
    check = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + check


def png_that_says(width: int, height: int) -> bytes:
    """A PNG whose header promises a size that its content does not have."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = zlib.compress(b"\0" * 1000)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            chunk(b"IDAT", content),
            chunk(b"IEND", b""),
        )
    )


def iso_media(brand: bytes) -> bytes:
    return struct.pack(">I", 20) + b"ftyp" + brand + b"\0\0\0\0" + brand + b"\0\0\0\x08mdat"


def old_office(*parts: str) -> bytes:
    names = b"".join(part.encode("utf-16-le") + b"\0" * 20 for part in parts)
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504 + names


JPEG = picture()
GIF = picture("GIF", mode="P")
PDF = (SAMPLES / "drawing.pdf").read_bytes()
VOICE_NOTE = (SAMPLES / "voice-note.ogg").read_bytes()
MP3 = (b"\xff\xfb\x90\x00" + b"\0" * 413) * 3
AAC = (b"\xff\xf1\x50\x80\x0c\x9f\xfc" + b"\0" * 93) * 3
DOCX = zipped("[Content_Types].xml", "word/document.xml")
CARD = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Søren\r\nEND:VCARD\r\n".encode()
OFFICE = "application/vnd.openxmlformats-officedocument."

HARMLESS = {
    "JPEG": (JPEG, "image/jpeg"),
    "PNG": (picture("PNG"), "image/png"),
    "WebP": (picture("WEBP"), "image/webp"),
    "GIF": (GIF, "image/gif"),
    "AVIF": (picture("AVIF"), "image/avif"),
    "HEIC": (iso_media(b"heic"), "image/heic"),
    "voice note": (VOICE_NOTE, "audio/ogg"),
    "AMR": (b"#!AMR\n" + b"\x3c" * 100, "audio/amr"),
    "MP3": (MP3, "audio/mpeg"),
    "MP3 with a title": (b"ID3\4\0\0\0\0\0\x05title" + MP3, "audio/mpeg"),
    "AAC": (AAC, "audio/aac"),
    "M4A": (iso_media(b"M4A "), "audio/mp4"),
    "MP4": (iso_media(b"isom"), "video/mp4"),
    "3GP": (iso_media(b"3gp4"), "video/3gpp"),
    "QuickTime": (iso_media(b"qt  "), "video/quicktime"),
    "PDF": (PDF, "application/pdf"),
    "Word": (DOCX, OFFICE + "wordprocessingml.document"),
    "Excel": (
        zipped("[Content_Types].xml", "xl/workbook.xml"),
        OFFICE + "spreadsheetml.sheet",
    ),
    "PowerPoint": (
        zipped("[Content_Types].xml", "ppt/presentation.xml"),
        OFFICE + "presentationml.presentation",
    ),
    "old Word": (old_office("Root Entry", "WordDocument"), "application/msword"),
    "old Excel": (old_office("Root Entry", "Workbook"), "application/vnd.ms-excel"),
    "text": ("Gap < 5 mm, “lid” \N{WARNING SIGN}\n".encode(), "text/plain"),
    "contact": (CARD, "text/vcard"),
    "text that begins like a program": (b"MZANSI plant: bearing noise", "text/plain"),
    "text that begins like a script": (b"#!!! The line stands still", "text/plain"),
    "text that begins like bzip2": (b"BZhelp us", "text/plain"),
    "text that begins like a cabinet": (b"MSCF is the supplier", "text/plain"),
    "text that begins like a page": (b"<Serial> 123, <Lot> 5", "text/plain"),
    "text with umlauts in brackets": ("<Müller> sagt, <5 mm>".encode(), "text/plain"),
    "text of a batch file": (b"@echo off\r\ndel x\r\n", "text/plain"),
    "text in UTF-16": ("Gap < 5 mm, “lid”\r\n".encode("utf-16"), "text/plain"),
    "text in UTF-16, the other way round": ("\ufeffGap".encode("utf-16-be"), "text/plain"),
    "contact in UTF-16": (CARD.decode().encode("utf-16"), "text/vcard"),
}
"""What each is taken for."""

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
PAGE = b"<!DOCTYPE html><script>alert(1)</script>"

DANGEROUS = {
    "empty": b"",
    "SVG": SVG,
    "SVG after a remark": b"\xef\xbb\xbf  <!-- a -->" + SVG,
    "XML": b'<?xml version="1.0"?><a/>',
    "HTML": PAGE,
    "HTML after words": b"Dear all,\n" + PAGE,
    "HTML without a head": b"<b>Dear all</b>, please see below",
    "HTML that does something": b"<a href=javascript:alert(1)>here",
    "HTML that does something, without a space": b"<a/onclick=alert(1)>here",
    "XML without a head": b"<order><line/>" + b" " * 2000 + b"</order>",
    "bare element": b"<order />",
    "UTF-16 with control characters": "a\0b".encode("utf-16"),
    "half of UTF-16": b"\xff\xfea",
    "UTF-16 and page": b"\xff\xfe" + PAGE + b" " * (len(PAGE) % 2),
    "bzip2": bz2.compress(b"text"),
    "bzip2 of nothing": bz2.compress(b""),
    "tar": b"a.txt".ljust(257, b"0") + b"ustar  \0",
    "HTML in UTF-16": PAGE.decode().encode("utf-16"),
    "program for Windows": b"MZ\x90\0\3\0\0\0",
    "program for Linux": b"\x7fELF\2\1\1\0",
    "script": b"#!/bin/sh\nrm -rf ~\n",
    "zip": zipped("a.txt"),
    "7z": b"7z\xbc\xaf\x27\x1c\0\4",
    "gzip": b"\x1f\x8b\x08\0",
    "zip after a program": b"\0\1\2" + DOCX,
    "Java": zipped("[Content_Types].xml", "word/document.xml", "META-INF/MANIFEST.MF"),
    "Word with macros": zipped("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"),
    "Word with something behind it": DOCX + PAGE,
    "old Word with macros": old_office("WordDocument", "_VBA_PROJECT"),
    "installer": old_office("Root Entry", "Binary"),
    "RTF": rb"{\rtf1 hello}",
    "bytes": bytes(range(256)),
    "GIF and script": b"GIF89a/*" + GIF[8:] + b"*/=alert(1)//",
    "GIF and assignment": b"GIF89a=1;" + GIF[9:],
    "GIF and page": GIF + PAGE,
    "JPEG and page": JPEG + b"<html><body>",
    "JPEG and script": JPEG[:4] + b"/*" + JPEG[6:] + b"*/=alert(1)/*",
    "JPEG and zip": JPEG + zipped("a.txt"),
    "JPEG and PDF": JPEG[:20] + PDF + JPEG[20:],
    "JPEG and PHP": JPEG + b"<?php system($_GET[0]);",
    "PDF and zip": PDF + zipped("a.txt"),
    "page and PDF": b"<html>" + PDF,
    "PDF with a page in front": b"%PDF-1.4\n<html><script>alert(1)</script>\n" + PDF,
    "PDF with a page behind": PDF + PAGE,
    "voice note and page": VOICE_NOTE + PAGE,
    "MP4 and archive": iso_media(b"isom") + zipped("a.txt"),
}
"""What is refused by its kind alone."""

BROKEN_PICTURES = {
    "cut off": JPEG[: len(JPEG) // 2],
    "cut off PNG": picture("PNG")[:-30],
    "header alone": b"\xff\xd8\xff\xe0",
    "shorter than it says": png_that_says(1000, 1000),
    "without an area": png_that_says(0, 0),
}

TOO_LARGE_PICTURES = {
    "12,000 x 12,000": picture("PNG", (12_000, 12_000), "1"),
    "one pixel too many": picture("PNG", (8_001, 5_000), "1"),
    "says to be immense": png_that_says(2**31 - 1, 2**31 - 1),
}
