"""Mails to those of the staff whom ALARM_EMAILS names."""

import structlog
from django.core.mail import mail_admins

log = structlog.get_logger("whatsapp_bot")


def tell_staff(subject: str, text: str) -> bool:
    """Mail it to them; False, and a line in the log, when no mail server takes it."""
    try:
        mail_admins(subject, text)
    except OSError as error:  # Those of smtplib are some, too.
        log.error("nobody could be told by mail", exc_info=error)
        return False
    return True
