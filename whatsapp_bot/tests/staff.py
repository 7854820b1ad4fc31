"""Staff who may do this and that, what their browsers show, and what waits for them."""

from django.contrib.auth.models import Permission, User
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from whatsapp_bot.models import HelpRequest


def staff(name: str, *codenames: str) -> User:
    """Somebody who may do what is named, and no more."""
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


def browser(user: User) -> Client:
    """Theirs, signed in."""
    client = Client()
    client.force_login(user)
    return client


def may(*codenames: str) -> Client:
    """The browser of a clerk who may do what is named."""
    return browser(staff("clerk", *codenames))


def page_of(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def shown(client: Client, path: str) -> str:
    return client.get(path).content.decode()


def posted(client: Client, path: str, **fields: str) -> str:
    """What the page says after a post."""
    return client.post(path, fields, follow=True).content.decode()


def waiting() -> list[str]:
    """What the team has not answered."""
    return [one.text for one in HelpRequest.objects.unanswered().order_by("pk")]
