"""Who works with reports, and one to work with."""

from collections.abc import Callable

from django.contrib.auth.models import Permission, User

from defects.models import DefectReport
from whatsapp_bot.models import Contact
from whatsapp_bot.simulator.phone import Phone


def colleague(name: str, **values: str) -> User:
    """Somebody of the staff who may open reports, and so be given one."""
    user = User.objects.create_user(name, is_staff=True, **values)
    user.user_permissions.add(Permission.objects.get(codename="view_defectreport"))
    return user


def a_report(new_phone: Callable[[], Phone], **values: object) -> DefectReport:
    contact = Contact.objects.create(phone=new_phone().address)
    return DefectReport.objects.file(reported_by=contact, description="Deep scratch", **values)
