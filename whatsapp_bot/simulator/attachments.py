"""What can be sent besides words, as Twilio describes it to a webhook."""

import re
import secrets
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.templatetags.static import static
from django.urls import reverse

from whatsapp_bot.inbound import File, Kind
from whatsapp_bot.simulator.errors import CannotDo

EXAMPLES = {
    Kind.IMAGE: ("simulator/samples/part.jpg", "image/jpeg"),
    Kind.AUDIO: ("simulator/samples/voice-note.ogg", "audio/ogg"),
    Kind.VIDEO: ("simulator/samples/part.jpg", "video/mp4"),
    Kind.DOCUMENT: ("simulator/samples/drawing.pdf", "application/pdf"),
}
"""For each kind a file to go without choosing one. A picture has to do for the video."""

ENDINGS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "application/pdf": "pdf",
}
LARGEST = 16 * 1024 * 1024

_PLACE = re.compile(r"\s*(-?\d{1,3}(?:\.\d+)?)\s*[,; ]\s*(-?\d{1,3}(?:\.\d+)?)\s*")
_FOLDER = "simulator"
_OWN_FILE = re.compile(r".*/(ME[0-9a-f]{32}\.(?:jpg|png|webp|pdf))", re.DOTALL)


def parameters_for(kind: str, text: str = "", file: File | None = None) -> dict[str, str]:
    """Twilio's parameters for a message of this kind.

    text: the words; a picture's caption; a document's name; a location's latitude and longitude.
    Without `file`, an example goes. Raises CannotDo when it cannot be sent.
    """
    if kind not in Kind.values:
        raise CannotDo("There is no such kind of message.")
    if kind == Kind.TEXT:
        return {"Body": text}
    if kind == Kind.LOCATION:
        return {"MessageType": kind, **_place(text)}
    if kind == Kind.OTHER:
        return {"MessageType": "contacts", "Body": ""}
    file = file or example(Kind(kind))
    if kind == Kind.DOCUMENT:
        text = text or "drawing.pdf"
    return {
        "MessageType": kind,
        "Body": "" if kind == Kind.AUDIO else text,
        "NumMedia": "1",
        "MediaUrl0": file.url,
        "MediaContentType0": file.content_type,
    }


def _place(text: str) -> dict[str, str]:
    found = _PLACE.fullmatch(text or "-26.2041, 28.0473")
    if not found:
        raise CannotDo("A location is a latitude and a longitude, such as -26.2041, 28.0473.")
    return {"Body": "", "Latitude": found[1], "Longitude": found[2]}


def example(kind: Kind) -> File:
    path, content_type = EXAMPLES[kind]
    return File(settings.PUBLIC_URL + static(path), content_type)


def store(upload: UploadedFile) -> File:
    """Keep a file where the simulator's pages find it, under a name that cannot be guessed.

    Raises CannotDo when it is of another type than ENDINGS, empty, or too large.
    """
    content_type = upload.content_type or ""
    if content_type not in ENDINGS:
        raise CannotDo("Only JPEG, PNG and WebP pictures and PDF documents can be sent.")
    if not upload.size:
        raise CannotDo("That file is empty.")
    if upload.size > LARGEST:
        raise CannotDo("That file is too large: WhatsApp takes up to 16 MB.")
    name = f"ME{secrets.token_hex(16)}.{ENDINGS[content_type]}"
    default_storage.save(f"{_FOLDER}/{name}", upload)
    return File(settings.PUBLIC_URL + reverse("simulator:file", args=[name]), content_type)


def stored(name: str) -> tuple[str, str]:
    """Where the file with this name is in the storage, and its content type."""
    types = {ending: content_type for content_type, ending in ENDINGS.items()}
    return f"{_FOLDER}/{name}", types[name.rpartition(".")[2]]


def path_here(url: str) -> str:
    """The path of a file that this server has itself; "" for any other."""
    path = url.removeprefix(settings.PUBLIC_URL)
    own = (static("simulator/samples/"), reverse("simulator:page") + "files/")
    return path if path != url and path.startswith(own) else ""


def read_here(url: str) -> bytes | None:
    """The content of a file that this server has itself; None for any other."""
    for path, _ in EXAMPLES.values():
        if url == settings.PUBLIC_URL + static(path):
            return Path(finders.find(path)).read_bytes()
    found = _OWN_FILE.fullmatch(path_here(url))
    if not found or not default_storage.exists(f"{_FOLDER}/{found[1]}"):
        return None
    with default_storage.open(f"{_FOLDER}/{found[1]}") as file:
        return file.read()
