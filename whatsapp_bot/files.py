"""Showing staff the files that people sent: our own copies, through Django's storage.

They are as people made them, so browsers are told to run nothing of what is in them.
"""

import re
from collections.abc import Callable
from functools import wraps

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models.fields.files import FieldFile
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from whatsapp_bot.models import Media

SHOWN = re.compile(r"image/(jpeg|png|webp)|audio/[\w.+-]+|video/[\w.+-]+")
"""What a browser may show; everything else is saved."""

HEADERS = {
    # Browsers lay out a picture that is opened by itself with styles of their own.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-store",
}
_ONE_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})", re.ASCII)


View = Callable[..., HttpResponse]


def for_staff(view: View) -> View:
    """Only for who may look at the file; `view` gets it, and it is stored."""

    @wraps(view)
    @require_safe
    def guarded(request: HttpRequest, pk: int) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.path, reverse("admin:login"))
        if not (request.user.is_staff and request.user.has_perm("whatsapp_bot.view_media")):
            raise PermissionDenied
        shown = Media.objects.shown_to(request.user)
        stored = shown.filter(status=Media.Status.STORED).select_related("message")
        return view(request, get_object_or_404(stored, pk=pk))

    return guarded


@for_staff
def file(request: HttpRequest, media: Media) -> HttpResponse:
    """The file. Its name is no part of the address: people's names end up in those of files."""
    return whole(request, media)


@for_staff
def thumbnail(request: HttpRequest, media: Media) -> HttpResponse:
    return small(request, media)


def whole(request: HttpRequest, media: Media) -> HttpResponse:
    is_saved = media.is_picture_as_it_came or not SHOWN.fullmatch(media.content_type)
    disposition = content_disposition_header(is_saved, media.name) or "inline"
    return _answer(request, media.file, media.content_type, disposition)


def small(request: HttpRequest, media: Media) -> HttpResponse:
    return _answer(request, media.thumbnail, "image/jpeg", "inline")


def _answer(
    request: HttpRequest, stored: FieldFile, content_type: str, disposition: str
) -> HttpResponse:
    """All of it, or the one range that is asked for: Safari plays nothing without."""
    headers = {**HEADERS, "Content-Type": content_type, "Content-Disposition": disposition}
    headers["Accept-Ranges"] = "bytes"
    try:
        size = stored.size
        opened = stored.open("rb")
    except (OSError, ValueError):  # no thumbnail, or gone from the storage
        raise Http404 from None
    wanted = _range(request.headers.get("Range", ""), size)
    first, last = wanted or (0, size - 1)
    if first > last and wanted:
        opened.close()
        return HttpResponse(status=416, headers={**HEADERS, "Content-Range": f"bytes */{size}"})
    response = FileResponse(_Part(opened, first, last), status=206 if wanted else 200)
    # Afterwards, since the response guesses headers of its own.
    headers["Content-Length"] = str(last - first + 1)
    if wanted:
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    for name, value in headers.items():
        response[name] = value
    return response


def _range(header: str, size: int) -> tuple[int, int] | None:
    """The first and the last byte that are asked for; None for the whole file."""
    found = _ONE_RANGE.fullmatch(header.strip())
    if not found or not (found[1] or found[2]):
        return None
    if not found[1]:
        return max(0, size - int(found[2])), size - 1
    return int(found[1]), min(int(found[2]), size - 1) if found[2] else size - 1


class _Part:
    """A file from its byte `first` to its byte `last`."""

    def __init__(self, opened: FieldFile, first: int, last: int) -> None:
        opened.seek(first)
        self._left = last - first + 1
        self._opened = opened
        self.close = opened.close

    def read(self, size: int) -> bytes:
        part = self._opened.read(min(size, self._left))
        self._left -= len(part)
        return part
