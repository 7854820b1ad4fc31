"""What signing in leaves behind, and who takes it away."""

from axes.models import AccessAttempt
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from config.access.second_factor import forget_unfinished
from whatsapp_bot.sweep import every


@every(3600)
def forget_old_sign_ins() -> None:
    """Wrong tries that no longer count, and sessions that have ended, with what they began."""
    long_ago = timezone.now() - settings.AXES_COOLOFF_TIME
    AccessAttempt.objects.filter(attempt_time__lt=long_ago).delete()
    call_command("clearsessions")
    forget_unfinished()
