"""What is well with this installation and what is not, and how to mend it.

Each check yields findings in words for whoever looks after the machine. None of them changes
anything, sends anything, or tells a token or a person's number; but what Twilio says of our message
templates is stored.
"""

import errno
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import requests
import structlog
from django.conf import settings
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.mail import get_connection
from django.db import Error, connection
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince

from whatsapp_bot.checks import has_mail_server, place_of_database
from whatsapp_bot.delivery import Status
from whatsapp_bot.left_lying import left_lying_since
from whatsapp_bot.migrated import later_migrations, missing_migrations
from whatsapp_bot.models import Channel, Media, Message, MessageTemplate
from whatsapp_bot.models.message import tried_for
from whatsapp_bot.outage import DOES_NOT_ANSWER, IS_IT_THERE, in_a_line
from whatsapp_bot.reconcile import OVERLAP
from whatsapp_bot.texts import APOLOGIES
from whatsapp_bot.twilio import account, rest, webhook
from whatsapp_bot.twilio.rest import Unreachable
from whatsapp_bot.webhook_addresses import SANDBOX, differences, wanted, why_no_sender
from whatsapp_bot.wording import Notice, Text

log = structlog.get_logger("whatsapp_bot")

CLOCK_MAY_DIFFER = 10
TROUBLE_MAY_LAST = timedelta(hours=6)
GOES_WITHIN = timedelta(minutes=10)
WHERE_FILES_ARE = "Is MEDIA_ROOT mounted, or MEDIA_STORAGE_URL right, and the same on all machines?"
IS_TWILIO_THERE = (
    "Does this machine reach https://api.twilio.com? See also https://status.twilio.com"
)
START_THE_WORKER = "Start `manage.py worker`, or look at its log: systemctl status andon-worker"


class State(StrEnum):
    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """about: what was looked at. says: one sentence. mend: what to do, "" for nothing."""

    about: str
    state: State
    says: str
    mend: str = ""


Findings = Iterator[Finding]


def examine() -> Findings:
    """Look at everything, one thing after the other."""
    for check in (
        names_in_env,
        debug,
        database,
        shared_cache,
        twilio,
        signature_round_trip,
        message_templates,
        sending,
        worker,
        storage,
        mail,
    ):
        yield from _guarded(check)


def _guarded(check: Callable[[], Findings]) -> Findings:
    about = check.__name__.replace("_", " ")
    try:
        yield from check()
    except Unreachable as error:
        yield Finding(about, State.WRONG, f"It could not be checked: {error}")
    except Error:
        says = "It could not be checked, since the database does not answer as it should."
        yield Finding(about, State.WRONG, says)
    except Exception as error:
        log.error("a check stumbled", check=about, exc_info=error)
        yield Finding(about, State.WRONG, f"It could not be checked: {type(error).__name__}.")


# This machine ------------------------------------------------------------------------------------


def names_in_env() -> Findings:
    about = "settings"
    not_known = [name for name, meant in settings.NOT_SETTINGS.items() if not meant]
    for name, meant in settings.NOT_SETTINGS.items():
        if meant:
            says = f"{name} is no setting, and does nothing."
            mend = f"Is {meant} meant? Correct it in .env, and restart."
            yield Finding(about, State.WARNING, says, mend)
    if not_known:
        says = f"Andon itself does not read {', '.join(not_known)}."
        yield Finding(about, State.NOTE, says, "Is it for something else? .env.example has ours.")
    if not settings.NOT_SETTINGS:
        yield Finding(about, State.OK, "Every name in .env is known.")


def debug() -> Findings:
    if not settings.DEBUG:
        yield Finding("debug", State.OK, "DEBUG is off.")
    elif account.is_real():
        says = "DEBUG is on: whoever causes an error sees its details."
        yield Finding("debug", State.WARNING, says, "Set DEBUG=false in .env, and restart.")
    else:
        yield Finding("debug", State.NOTE, "DEBUG is on, as is right for a trial.")


def database() -> Findings:
    try:
        missing, later = missing_migrations(), later_migrations()
    except Error as error:
        says = DOES_NOT_ANSWER.format(why=in_a_line(error))
        yield Finding("database", State.WRONG, says, IS_IT_THERE)
        return
    if missing:
        says = "The database is not as this version needs it."
        yield Finding("database", State.WRONG, says, "Run `manage.py migrate`, and restart.")
    elif later:
        names = ", ".join(" ".join(one) for one in sorted(later))
        says = f"The database is of a later version than this program: it has {names}."
        mend = "Install that version again. To go back: A new version, in docs/production.md."
        yield Finding("database", State.WARNING, says, mend)
    else:
        says = f"{_name_of_database()} answers, and all migrations are applied."
        yield Finding("database", State.OK, says)


def _name_of_database() -> str:
    about = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"SQLite, {place_of_database()},"
    return f"PostgreSQL, {about['NAME']} at {about['HOST'] or 'this machine'},"


def shared_cache() -> Findings:
    about = "cache"
    if not settings.CACHE_URL:
        says = "None is shared: each worker of the web server counts requests for itself."
        yield Finding(about, State.OK, says)
        return
    if cache.keeps(f"doctor:{secrets.token_hex(8)}"):
        yield Finding(about, State.OK, "Redis keeps what it is given.")
    else:
        says = "Redis keeps nothing: requests to the API are not counted, and not limited."
        mend = "Is it running, and not full? Is CACHE_URL right?"
        yield Finding(about, State.WRONG, says, mend)


def storage() -> Findings:
    try:
        is_kept = _is_kept(secrets.token_bytes(64))
    except OSError as error:
        says = f"A file could not be kept: {error.strerror or type(error).__name__}."
        mend = f"{settings.MEDIA_ROOT} must belong to the user that Andon runs as."
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            mend = f"Make room where {settings.MEDIA_ROOT} is: what people sent is stored then."
        yield Finding("storage", State.WRONG, says, mend)
        return
    if is_kept:
        yield Finding("storage", State.OK, "A file was written, read and deleted.")
    else:
        yield Finding("storage", State.WRONG, "A file was not read back as it was written.")
    last = Media.objects.filter(status=Media.Status.STORED).order_by("-pk").first()
    if last and not default_storage.exists(last.file.name):
        says = "The last file that was stored is not here."
        yield Finding("storage", State.WRONG, says, WHERE_FILES_ARE)


def _is_kept(content: bytes) -> bool:
    """Is a file read back as it was written? Nothing of it stays. Raises OSError."""
    name = f"doctor-{secrets.token_hex(8)}"
    try:
        default_storage.save(name, ContentFile(content))
        with default_storage.open(name) as file:
            return file.read() == content
    finally:
        with suppress(OSError):
            default_storage.delete(name)


def mail() -> Findings:
    if not settings.ADMINS:
        says = "Nobody is told by mail when somebody tells of an emergency, or nothing can be sent."
        mend = "Set ALARM_EMAILS in .env: addresses with commas between them."
        yield Finding("mail", State.WARNING, says, mend)
    if not has_mail_server():
        says = "There is no mail server: mails go nowhere."
        mend = "Set EMAIL_URL in .env, such as smtp+tls://user:password@host:587"
        yield Finding("mail", State.WARNING, says, mend)
        return
    try:
        server = get_connection()
        server.open()
        server.close()
    except OSError as error:  # Those of smtplib are some, too.
        says = f"The mail server did not let us in: {type(error).__name__}."
        yield Finding("mail", State.WRONG, says, "Correct EMAIL_URL in .env, and restart.")
    else:
        yield Finding("mail", State.OK, "The mail server lets us in.")


# Twilio ------------------------------------------------------------------------------------------


def twilio() -> Findings:
    if not account.is_there():
        says = "There is no Twilio account: only the simulator talks to the bot."
        state = State.NOTE if settings.DEBUG else State.WRONG
        yield Finding("Twilio", state, says, "To begin: A real phone, in the README.")
        return
    if settings.TWILIO_API_URL:
        yield _pretended()
    try:
        ours = rest.account()
    except Unreachable as error:
        wrong_keys = error.status in (401, rest.NOT_KNOWN)
        mend = (
            "Copy TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN from the first page of the console."
            if wrong_keys
            else IS_TWILIO_THERE
        )
        yield Finding("Twilio account", State.WRONG, str(error), mend)
        return
    if ours.status == "active":
        yield Finding("Twilio account", State.OK, "It knows us, and is active.")
    else:
        says, mend = f"The account is {ours.status}.", "The console says why, and what to do."
        yield Finding("Twilio account", State.WRONG, says, mend)
    yield _clock(ours.ahead)
    yield from _sender()


def _pretended() -> Finding:
    says = f"Messages go to {settings.TWILIO_API_URL} and not to Twilio."
    if not account.is_real():
        return Finding("Twilio", State.NOTE, says)
    mend = "Take TWILIO_API_URL out of .env, and restart: what follows is not of Twilio either."
    return Finding("Twilio", State.WARNING, says, mend)


def _clock(ahead: float) -> Finding:
    if abs(ahead) <= CLOCK_MAY_DIFFER:
        return Finding("clock", State.OK, "It agrees with Twilio's.")
    way = "behind" if ahead > 0 else "ahead of"
    says = f"Our clock is {abs(ahead):.0f} seconds {way} Twilio's."
    return Finding("clock", State.WRONG, says, "Have it set by NTP: timedatectl set-ntp true")


def _sender() -> Findings:
    sender = rest.sender()
    if not sender:
        by_hand = settings.TWILIO_WHATSAPP_NUMBER == SANDBOX
        if by_hand:
            says = "It is Twilio's sandbox, whose addresses Twilio does not tell."
            yield Finding("sender", State.NOTE, says, why_no_sender())
        else:
            says = "Our number is no WhatsApp sender of this account."
            yield Finding("sender", State.WRONG, says, why_no_sender())
        return
    yield _standing(sender.status)
    wrong = differences(sender.webhooks, wanted(settings.PUBLIC_URL))
    for name, (there, ours) in wrong.items():
        says = f"{name}: Twilio has {there or 'none'} and should have {ours}"
        mend = f"Is PUBLIC_URL right? Then `manage.py connect {settings.PUBLIC_URL}`."
        yield Finding("webhooks", State.WRONG, says, mend)
    if not wrong:
        yield Finding("webhooks", State.OK, "Twilio calls us at the right addresses.")


def _standing(status: str) -> Finding:
    match status:
        case "ONLINE":
            return Finding("sender", State.OK, "Our number is online.")
        case "ONLINE:UPDATING":  # So it is for a while after `connect`.
            says = "Our number is online, and Twilio is carrying out a change to it."
            return Finding("sender", State.NOTE, says)
    says = f"Our number is {status or 'in no state'} at WhatsApp."
    mend = "The console says why: Messaging → Senders → WhatsApp senders."
    return Finding("sender", State.WRONG, says, mend)


def signature_round_trip() -> Findings:
    """Send ourselves what looks like a message from Twilio, but for somebody else: it is refused.

    That the reason is not the signature shows that one of Twilio's would be accepted.
    """
    if not account.is_there():
        return  # Nobody calls us at that address.
    about = "signature"
    url = settings.PUBLIC_URL + reverse("webhook")
    parameters = {
        "MessageSid": "SM" + "0" * 32,
        "AccountSid": settings.TWILIO_ACCOUNT_SID,
        "From": f"whatsapp:{webhook.NOBODY}",
        "To": f"whatsapp:{webhook.NOBODY}",
        "Body": "Is the signature of a message that comes this way all right?",
    }
    signed = {"X-Twilio-Signature": webhook.signature(url, parameters)}
    try:
        answer = requests.post(url, parameters, headers=signed, timeout=10, allow_redirects=False)
    except requests.exceptions.SSLError:
        says = f"{settings.PUBLIC_URL} has no certificate that is valid."
        yield Finding(about, State.WRONG, says, "Twilio needs one as browsers do: renew it.")
    except requests.exceptions.RequestException:
        says = f"{settings.PUBLIC_URL} cannot be reached from this machine."
        mend = "Is Andon running, and the proxy? Does PUBLIC_URL name it?"
        state = State.WRONG if account.is_real() else State.WARNING
        yield Finding(about, state, says, mend)
    else:
        why = answer.text[:100].strip() if answer.status_code == 403 else ""
        yield _judged(about, answer, why)


def _judged(about: str, answer: requests.Response, why: str) -> Finding:
    if why == "another number":
        return Finding(about, State.OK, "A signed message to PUBLIC_URL arrives unharmed.")
    if why == "wrong signature":
        says = "A signed message to PUBLIC_URL arrives, but its signature does not fit any more."
        mend = (
            "A proxy on the way changes the path, or the web server was started with another "
            "PUBLIC_URL or TWILIO_AUTH_TOKEN: restart it. In nginx, proxy_pass has no path."
        )
    elif why == "another account":
        says = "What answers at PUBLIC_URL was started with another account."
        mend = "Restart the web server, so that it reads .env anew."
    elif answer.is_redirect:
        says = f"PUBLIC_URL leads on to {answer.headers['Location']}, where messages are lost."
        mend = "Set PUBLIC_URL to the address that answers itself, and run `manage.py connect`."
    elif answer.status_code >= 500:
        says = f"The proxy answers {answer.status_code}: it does not reach Andon."
        mend = "Is the web server running? systemctl status andon"
    else:
        says = f"Something else answers at PUBLIC_URL: {answer.status_code}."
        mend = "Does PUBLIC_URL, with its path, lead to Andon?"
    return Finding(about, State.WRONG, says, mend)


def message_templates() -> Findings:
    about = "message templates"
    templates = list(MessageTemplate.objects.all())
    if account.is_there():
        for template in templates:
            yield _template(about, template)
    approved = {one.notice for one in templates if one.approval == one.Approval.APPROVED}
    needing_one = [one for one in Notice.all() if one not in APOLOGIES]
    if others := [_named(one.key) for one in needing_one if one.key not in approved]:
        says = (
            "Outside the 24 hours after somebody wrote, what has no approved one waits until the "
            f"person writes again: {', '.join(others)}."
        )
        yield Finding(about, State.NOTE, says)


def _named(notice: str) -> str:
    """A notice by its key, and as the admin calls it."""
    declared = Text.declared.get(notice)
    return f"“{declared.about.rstrip('.')}” ({notice})" if declared else notice


def _template(about: str, template: MessageTemplate) -> Finding:
    approval = MessageTemplate.Approval
    name = f"{_named(template.notice)} in {template.language}"
    content = template.learn_approval()
    if template.approval == approval.APPROVED and content.body.strip() != template.body.strip():
        says = f"{name} is worded otherwise at Twilio: “{content.body}”"
        mend = "Correct the wording in the admin: our log should hold what people read."
        return Finding(about, State.WARNING, says, mend)
    match template.approval:
        case approval.APPROVED:
            return Finding(about, State.OK, f"{name} is approved.")
        case approval.PENDING:
            return Finding(about, State.NOTE, f"{name} is being looked at by Meta.")
        case approval.UNSUBMITTED:
            says = f"{name} has not been submitted. {template.reason}".strip()
            return Finding(about, State.WARNING, says, "Submit it in the console: Content Builder.")
        case _:
            says = f"{name} is {template.get_approval_display()}. {template.reason}".strip()
            return Finding(about, State.WARNING, says, "Change it, and submit it again.")


# The work in the background ----------------------------------------------------------------------


def sending() -> Findings:
    channel = Channel.objects.ours()
    if channel.stopped_at:
        says = f"Twilio takes nothing from us: {channel.trouble}"
        yield Finding("sending", State.WRONG, says, "It goes on by itself once that is mended.")
    elif says := _in_vain():
        yield Finding("sending", State.WARNING, says, IS_TWILIO_THERE)
    waiting = Message.objects.filter(status=Status.WAITING).count()
    if waiting:
        wait = "message waits" if waiting == 1 else "messages wait"
        says = f"{waiting} {wait} until the person writes."
        yield Finding("sending", State.NOTE, says)
    since = timezone.now() - timedelta(days=1)
    failed = Message.objects.failed().filter(created_at__gte=since).count()
    if failed:
        says = f"{failed} message{'s' if failed > 1 else ''} of the last day failed."
        yield Finding("sending", State.WARNING, says, "The admin says why, message by message.")
    if not (channel.stopped_at or failed):
        yield Finding("sending", State.OK, "No message of the last day failed.")
    if tried_for() < TROUBLE_MAY_LAST:
        tries_take = _for(timezone.now() - tried_for())
        says = f"While Twilio has trouble, a message is tried for {tries_take}, and fails then."
        mend = "Take SEND_ATTEMPTS out of .env, and restart: then it is half a day."
        yield Finding("sending", State.NOTE, says, mend)


def _in_vain() -> str:
    """What is tried time and again: where no connection comes about, nothing fails of that."""
    tried = Message.objects.tried_in_vain(timezone.now() - GOES_WITHIN)
    oldest = tried.order_by("created_at").first()
    if not oldest:
        return ""
    count = tried.count()
    have = "message has" if count == 1 else "messages have"
    return (
        f"{count} {have} been tried in vain; the oldest was written {_for(oldest.created_at)} ago."
    )


def worker() -> Findings:
    channel, now = Channel.objects.ours(), timezone.now()
    if since := left_lying_since(channel):
        says = f"Something has been due for {_for(since)}, and nobody has taken it up."
        yield Finding("worker", State.WRONG, says, START_THE_WORKER)
    elif account.is_there() and (says := _asked_too_long_ago(channel, now)):
        yield Finding("worker", State.WRONG, says, START_THE_WORKER)
    else:
        yield Finding("worker", State.OK, "Nothing is left lying.")


def _asked_too_long_ago(channel: Channel, now: datetime) -> str:
    if not channel.reconciled_at:
        return "Twilio has never been asked for what we missed."
    asked_at = channel.reconciled_at + OVERLAP
    if now - asked_at > timedelta(minutes=3 * settings.RECONCILE_EVERY_MINUTES):
        return f"Twilio was last asked for what we missed {_for(asked_at)} ago."
    return ""


def _for(moment: datetime) -> str:
    return timesince(moment, depth=1).replace("\xa0", " ")
