"""The simulator: a phone on a web page, for everybody in DEBUG and else for staff who may use it.

Whom somebody types as, and what, travels in the body of a POST, since addresses end up in logs.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from whatsapp_bot import flows
from whatsapp_bot.fingerprint import id_in
from whatsapp_bot.models.contact import Role, is_made_up
from whatsapp_bot.simulator import attachments
from whatsapp_bot.simulator import history as shown
from whatsapp_bot.simulator import people as everybody
from whatsapp_bot.simulator import script as scripts
from whatsapp_bot.simulator.errors import CannotDo
from whatsapp_bot.simulator.people import Person

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'"
)

View = Callable[..., HttpResponse]


def may_use(request: HttpRequest) -> bool:
    """Everybody in DEBUG, otherwise staff with the permission for it."""
    user = request.user
    return settings.DEBUG or (user.is_staff and user.has_perm("whatsapp_bot.use_simulator"))


def may_meet_everybody(request: HttpRequest) -> bool:
    """May they type as people who are real, and read what those have said?"""
    return settings.DEBUG or request.user.has_perm("whatsapp_bot.view_message")


def person_at(request: HttpRequest) -> Person:
    """As whom somebody wants to type.

    Raises CannotDo.
    """
    person = Person.at(request.POST.get("whom", ""), request.POST.get("name", ""))
    if not (is_made_up(person.address) or may_meet_everybody(request)):
        raise CannotDo("You may type as people of the simulator only, and not as real ones.")
    return person


def for_testers(view: View) -> View:
    """For those who may use it. What cannot be done is told as JSON, with a 400."""

    @wraps(view)
    @never_cache
    def guarded(request: HttpRequest, **arguments: Any) -> HttpResponse:
        if not may_use(request):
            if request.user.is_authenticated:
                raise PermissionDenied
            return redirect_to_login(request.path, reverse("admin:login"))
        try:
            return view(request, **arguments)
        except CannotDo as error:
            return JsonResponse({"error": str(error)}, status=400)

    return guarded


@require_GET
@for_testers
def page(request: HttpRequest) -> HttpResponse:
    response = render(request, "simulator/page.html", {"roles": Role})
    response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return response


@require_POST
@for_testers
def people(request: HttpRequest) -> JsonResponse:
    """As whom one can type: the cast, and the contacts that are looked for."""
    found = everybody.found(
        request.POST.get("words", ""), only_made_up=not may_meet_everybody(request)
    )
    return JsonResponse({"cast": everybody.cast(), "found": [person.as_json() for person in found]})


@require_POST
@for_testers
def new_person(request: HttpRequest) -> JsonResponse:
    role = request.POST.get("role", Role.UNKNOWN)
    if role not in Role.values:
        raise CannotDo("There is no such role.")
    hides_number = "hides_number" in request.POST
    person = Person.new(request.POST.get("name", ""), role, hides_number=hides_number)
    person.be_known()
    return JsonResponse(person.as_json())


@require_POST
@for_testers
def open_at(request: HttpRequest) -> JsonResponse:
    """Have the person's next message open an address, such as the draft of a form."""
    person = person_at(request)
    address = request.POST.get("address", "")
    if not flows.is_there(address):
        raise CannotDo("What you want to try is not there any more.")
    person.open(address)
    return JsonResponse(person.as_json())


@require_POST
@for_testers
def history(request: HttpRequest) -> JsonResponse:
    """The conversation of a person: its end, or what is before or after a message."""
    person = person_at(request)
    contact = person.contact()
    before, after = (_number(request, name) for name in ("before", "after"))
    if not contact:
        page = {"messages": [], "earlier": False}
    elif after:
        page = shown.page_after(contact, after)
    else:
        page = shown.page_before(contact, before)
    return JsonResponse({"person": person.as_json(), **page})


@require_POST
@for_testers
def say(request: HttpRequest) -> JsonResponse:
    """Send a message through the webhook: what became of it, and how it went there and back."""
    person = person_at(request)
    file = attachments.store(request.FILES["file"]) if "file" in request.FILES else None
    exchange = person.say(
        **attachments.parameters_for(
            request.POST.get("kind", "text"), request.POST.get("text", ""), file
        )
    )
    if not exchange.accepted:
        answer = {"error": exchange.trouble, "exchange": exchange.as_json()}
        return JsonResponse(answer, status=502)
    messages = shown.said_and_replied(exchange.sid)
    return JsonResponse({"messages": messages, "exchange": exchange.as_json()})


@require_POST
@for_testers
def script(request: HttpRequest) -> HttpResponse:
    """The conversation from one message on, as a script to keep."""
    contact = person_at(request).contact()
    if not contact:
        raise CannotDo("Nothing has been said yet.")
    messages = contact.messages.select_related("contact").order_by("pk")
    text = scripts.write(messages.filter(pk__gte=_number(request, "begin")))
    name = f"conversation-{timezone.localtime():%Y%m%d-%H%M%S}.txt"
    return HttpResponse(
        text,
        content_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_GET
@for_testers
def file(request: HttpRequest, name: str) -> FileResponse:
    """A file that was sent in the simulator."""
    path, content_type = attachments.stored(name)
    if not default_storage.exists(path):
        raise Http404
    response = FileResponse(default_storage.open(path), content_type=content_type)
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _number(request: HttpRequest, name: str) -> int:
    """A message's id among what was posted; 0 without one."""
    return id_in(request.POST.get(name, ""))
