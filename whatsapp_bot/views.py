import time

import structlog
from django.conf import settings
from django.db import Error, InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET

from whatsapp_bot import receiving
from whatsapp_bot.inbound import Incoming
from whatsapp_bot.locked import LOCKED, is_locked
from whatsapp_bot.migrated import missing_migrations
from whatsapp_bot.models import Message
from whatsapp_bot.twilio import webhook as twilio

log = structlog.get_logger("whatsapp_bot")

WORTH_A_SECOND_TRY = 2.0
"""Seconds within which a connection was found dead, and not the database."""


@csrf_exempt
def webhook(request: HttpRequest) -> HttpResponse:
    """Twilio brings a message and takes the reply with it."""
    started = time.monotonic()
    try:
        incoming = twilio.read(request)
    except twilio.Refused as refused:
        return _refuse("webhook", refused)
    try:
        answer = _receive(incoming, started)
    except Exception as error:
        # Nothing is stored: anything but a refusal to take the message would lose it.
        return _try_again("message not taken", incoming.sid, error)
    log.info(
        "turn",
        sid=incoming.sid,
        flow=answer.flow,
        outcome=answer.outcome,
        ms=round((time.monotonic() - started) * 1000, 1),
    )
    by_answer = answer.replies if settings.TWILIO_REPLY_WITH == "twiml" else []
    return HttpResponse(twilio.twiml(by_answer), content_type="text/xml", charset="utf-8")


@csrf_exempt
def status(request: HttpRequest) -> HttpResponse:
    """Twilio reports what became of a message of ours."""
    try:
        report = twilio.read_report(request)
    except twilio.Refused as refused:
        return _refuse("status", refused)
    try:
        known = Message.objects.take_report(report)
    except (OperationalError, InterfaceError) as error:
        return _try_again("report not taken", report.sid, error)
    log.info("status", sid=report.sid, status=report.word, code=report.error_code, known=known)
    return HttpResponse(status=204)


def _refuse(door: str, refused: twilio.Refused) -> HttpResponse:
    if not refused.is_a_try:
        log.warning(f"{door} refused", status=refused.status, why=refused.why)
    return HttpResponse(
        refused.why, status=refused.status, content_type="text/plain", headers=refused.headers
    )


def _try_again(event: str, sid: str, error: Exception) -> HttpResponse:
    if is_locked(error):
        log.warning(event, sid=sid, why=LOCKED)
    else:
        log.error(event, sid=sid, exc_info=error)
    return HttpResponse("Please try again.", status=503, content_type="text/plain")


def _receive(incoming: Incoming, started: float) -> receiving.Answer:
    """A connection that died since the last request gets a second try with a new one.

    Should the first try have been committed after all, the second finds a duplicate.
    """
    try:
        return receiving.receive(incoming)
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block or time.monotonic() - started > WORTH_A_SECOND_TRY:
            raise
        connection.close()
        return receiving.receive(incoming)


@require_GET
def health(request: HttpRequest) -> JsonResponse:
    """200 when the database answers and is up to date, else 503 and what is wrong."""
    try:
        behind = missing_migrations()
    except Error:
        connection.close()
        return JsonResponse({"database": "unreachable"}, status=503)
    migrations = "missing" if behind else "applied"
    return JsonResponse({"database": "ok", "migrations": migrations}, status=503 if behind else 200)
