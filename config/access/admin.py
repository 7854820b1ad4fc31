"""Who may sign in here, and what they may do.

Nobody gives more than they have: whoever looks after users would else be able to do everything.
"""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_tasks_db.models import DBTaskResult
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from config.access import second_factor
from config.access.deleting import Deleted, Rows, in_words
from config.access.rights import beyond, carrying, may_look_after, permissions_of
from whatsapp_bot.admin.looks import LINK
from whatsapp_bot.admin.others import AmongOthers, FormAmongOthers

admin.site.unregister([User, Group])
# Their secrets are nobody's business.
admin.site.unregister([TOTPDevice, StaticDevice])
# Tasks only wake the worker: there is nothing to be done with them by hand.
admin.site.unregister(DBTaskResult)

STAYS = (
    "their name stays with what they made here, such as exports, imports and API tokens. Instead, "
    "untick “Active” on their page: then they cannot sign in any more."
)


class GivesNoMoreThanOwn(AmongOthers):
    """Offers the groups and permissions only that somebody has all of."""

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        if db_field.name == "groups":
            options["queryset"] = Group.objects.exclude(permissions__in=beyond(request.user))
        elif db_field.name in ("permissions", "user_permissions"):
            own = permissions_of(request.user)
            options["queryset"] = own.select_related("content_type")
        return super().formfield_for_manytomany(db_field, request, **options)


class NewUserForm(UserCreationForm):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # Django's speaks of other ways to sign in, which there are none of here.
        told = "Disabled: for another system, which comes with an API token and never signs in."
        self.fields["usable_password"].help_text = told


class UserForm(FormAmongOthers, UserChangeForm):
    """What somebody may do is not given back by a page that was opened before it was taken away."""


@admin.register(User)
class UserAdmin(GivesNoMoreThanOwn, DjangoUserAdmin):
    form = UserForm
    rows_watched = ("groups", "user_permissions")
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "full_name", "in_groups", "is_active", "is_staff", "last_login"]
    list_filter = ["groups", "is_active", "is_staff", "is_superuser"]
    filter_horizontal: list[str] = []  # two boxes side by side are too wide for the page
    readonly_fields = ["second_factor", "last_login", "date_joined"]
    add_fieldsets = [
        (None, {"fields": ["username", "usable_password", "password1", "password2"]}),
        ("What they may do", {"fields": ["is_staff", "groups"]}),
    ]

    def get_fieldsets(
        self, request: HttpRequest, obj: User | None = None
    ) -> list[tuple[str | None, dict[str, Any]]]:
        if obj is None:
            return self.add_fieldsets
        signing_in = ["username", "password", "is_active"]
        if settings.ADMIN_SECOND_FACTOR:
            signing_in.append("second_factor")
        return [
            ("Signing in", {"fields": signing_in}),
            ("What they may do", {"fields": ["is_staff", "groups"]}),
            ("The person", {"fields": ["first_name", "last_name", "email"]}),
            ("Times", {"fields": ["last_login", "date_joined"]}),
            (
                "Beside their groups",
                {"classes": ["collapse"], "fields": ["user_permissions", "is_superuser"]},
            ),
        ]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"is_staff": True, **super().get_changeform_initial_data(request)}

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        only_theirs = [] if request.user.is_superuser else ["is_superuser"]
        return [*super().get_readonly_fields(request, obj), *only_theirs]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description="name", empty_value="–")
    def full_name(self, user: User) -> str | None:
        return user.get_full_name() or None

    @admin.display(description="groups")
    def in_groups(self, user: User) -> str:
        everything = ["everything"] if user.is_superuser else []
        return ", ".join([*everything, *(group.name for group in user.groups.all())]) or "–"

    # Who may ------------------------------------------------------------------------------------

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        may = super().has_change_permission(request, obj)
        return may and (obj is None or may_look_after(request.user, obj))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        may = super().has_delete_permission(request, obj)
        return may and (obj is None or self._may_go(request, obj))

    def _may_go(self, request: HttpRequest, user: User) -> bool:
        return user != request.user and may_look_after(request.user, user)

    # Deleting -----------------------------------------------------------------------------------

    def get_deleted_objects(self, objs: Rows, request: HttpRequest) -> Deleted:
        *found, lacking, protected = super().get_deleted_objects(objs, request)
        is_free = not (lacking or protected)
        reasons = {user: self._why_not(request, user, is_free=is_free) for user in objs}
        in_the_way = in_words({user: why for user, why in reasons.items() if why})
        return *found, lacking, in_the_way or protected

    def _why_not(self, request: HttpRequest, user: User, *, is_free: bool) -> str:
        if user == request.user:
            return "this is you."
        if not may_look_after(request.user, user):
            return "they may do what you may not. Ask a superuser."
        if is_free:
            return ""
        *_, lacking, protected = super().get_deleted_objects([user], request)
        return STAYS if lacking or protected else ""

    # The second factor --------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        reset = self.admin_site.admin_view(self.reset_second_factor)
        name = "auth_user_reset_second_factor"
        return [path("<int:pk>/reset-second-factor/", reset, name=name), *super().get_urls()]

    @admin.display(description="second factor")
    def second_factor(self, user: User) -> SafeString | str:
        """The question is in a tab of its own: what was typed here is not lost."""
        if not second_factor.has_phone(user):
            return "No phone yet: they set one up the next time they come"
        return format_html(
            'A phone is set up. <a href="{}" target="_blank" rel="noopener" class="{}">'
            "Reset: the phone is lost</a> (asks first, in a new tab)",
            reverse("admin:auth_user_reset_second_factor", args=[user.pk]),
            LINK,
        )

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def reset_second_factor(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks, and then does it."""
        user = self.get_object(request, str(pk))
        if not self.has_change_permission(request, user):
            raise PermissionDenied
        if user is None:
            raise Http404
        if user == request.user:  # they give a code for that
            return redirect("second_factor:page")
        if request.method == "POST":
            return self._reset(request, user)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Reset the second factor of {user}?",
            "person": user,
            "opts": self.opts,
        }
        return render(request, "access/reset.html", context)

    def _reset(self, request: HttpRequest, user: User) -> HttpResponse:
        second_factor.forget(user)
        self.log_change(request, user, "The second factor was reset.")
        done = f"{user} is signed out everywhere, and sets up another phone at the next sign-in."
        messages.success(request, done)
        return redirect("admin:auth_user_change", user.pk)


@admin.register(Group)
class GroupAdmin(GivesNoMoreThanOwn, DjangoGroupAdmin):
    rows_watched = ("permissions",)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_change_permission(request, obj) and self._is_within(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_delete_permission(request, obj) and self._is_within(request, obj)

    def _is_within(self, request: HttpRequest, group: Group | None) -> bool:
        return group is None or not beyond(request.user).filter(group=group).exists()

    # Deleting -----------------------------------------------------------------------------------

    def get_deleted_objects(self, objs: Rows, request: HttpRequest) -> Deleted:
        """Says who is in them, and does not list each permission that they have."""
        *_, lacking, protected = super().get_deleted_objects(objs, request)
        groups = Group.objects.filter(pk__in=[group.pk for group in objs])
        people = User.objects.filter(groups__in=groups).distinct().count()
        rows = [f"{one}: {_people(one.people)}" for one in groups.annotate(people=Count("user"))]
        counts = {"groups": len(rows), "people in them, who stay and may do less": people}
        return rows, counts, lacking, in_words(self._why_not(request, objs)) or protected

    def _why_not(self, request: HttpRequest, groups: Rows) -> dict[Group, str]:
        mightier = [group for group in groups if not self._is_within(request, group)]
        own = carrying(request.user, groups)
        return {
            **dict.fromkeys(mightier, "it lets people do what you may not. Ask a superuser."),
            **dict.fromkeys(own, "you would lose what it lets you do. Ask a superuser."),
        }


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count or 'no'} people"


from config.access import tokens  # noqa: E402, F401
