"""API tokens in the admin: made for oneself, or for others by who may look after them.

What a token opens is what its user may do, so nobody gives more than they have.
"""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSelectWidget

from config.access.models import Token
from config.access.rights import may_look_after
from whatsapp_bot.admin.base import ModelAdmin
from whatsapp_bot.admin.looks import button_to

VALID_FOR = {30: "30 days", 90: "90 days", 180: "half a year", 365: "a year"}
SEES_ALL = "access.view_token"


class TokenForm(forms.ModelForm):
    days = forms.TypedChoiceField(
        label="Valid for",
        choices=list(VALID_FOR.items()),
        coerce=int,
        initial=90,
        widget=UnfoldAdminSelectWidget,
        help_text="Afterwards it opens nothing any more, and another one has to be made.",
    )

    maker: User

    def clean_user(self) -> User:
        user = self.cleaned_data["user"]
        if user != self.maker and not may_look_after(self.maker, user):
            raise forms.ValidationError(f"{user} may do what you may not.")
        return user

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        self.instance.user = self.cleaned_data.get("user", self.maker)
        same = Token.objects.filter(user=self.instance.user, revoked_at=None)
        if same.filter(name=self.cleaned_data.get("name", "")).exists():
            self.add_error("name", "There is a token of this name. Revoke it, or choose another.")
        return cleaned


@admin.register(Token)
class TokenAdmin(ModelAdmin):
    form = TokenForm
    list_display = ["name", "user", "begins", "state", "last_used_at", "expiry", "made_by"]
    list_select_related = ["user", "made_by"]
    search_fields = ["name", "user__username", "token_key"]
    search_help_text = "Name, user or how the token begins"
    ordering = ["-pk"]
    actions = ["revoke"]
    readonly_fields = [
        "name",
        "user",
        "begins",
        "state",
        "why",
        "created",
        "made_by",
        "last_used_at",
        "expiry",
        "revoked_at",
        "revoked_by",
        "end",
    ]

    # Who may ------------------------------------------------------------------------------------

    # Whoever may make one sees and revokes their own; the rest is for those who may see all.

    def get_queryset(self, request: HttpRequest) -> QuerySet[Token]:
        tokens = super().get_queryset(request)
        return tokens if request.user.has_perm(SEES_ALL) else tokens.filter(user=request.user)

    def has_view_permission(self, request: HttpRequest, obj: Token | None = None) -> bool:
        if super().has_view_permission(request, obj):
            return True
        return self.has_add_permission(request) and (obj is None or obj.user == request.user)

    def has_change_permission(self, request: HttpRequest, obj: Token | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Token | None = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest, obj: Token | None = None) -> bool:
        if request.user.has_perm("access.change_token"):
            return True
        return self.has_add_permission(request) and (obj is None or obj.user == request.user)

    def get_list_filter(self, request: HttpRequest) -> list[str]:
        return ["user"] if request.user.has_perm(SEES_ALL) else []

    # Making one ---------------------------------------------------------------------------------

    def get_fields(self, request: HttpRequest, obj: Token | None = None) -> list[str]:
        if obj is None:
            return ["name", *(["user"] if request.user.has_perm(SEES_ALL) else []), "days"]
        may_end = obj.state in ("valid", "refused") and self.has_revoke_permission(request, obj)
        return [name for name in self.readonly_fields if name != "end" or may_end]

    def get_readonly_fields(self, request: HttpRequest, obj: Token | None = None) -> list[str]:
        return self.readonly_fields if obj else []

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **more: Any):
        form = super().get_form(request, obj, change, **more)
        return type(form.__name__, (form,), {"maker": request.user})

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        one_button = {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().add_view(request, form_url, {**one_button, **(extra_context or {})})

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"user": request.user.pk, **super().get_changeform_initial_data(request)}

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        if db_field.name == "user":
            staff = User.objects.filter(is_active=True, is_staff=True)
            options["queryset"] = staff.order_by("username")
        return super().formfield_for_foreignkey(db_field, request, **options)

    def save_model(self, request: HttpRequest, obj: Token, form: TokenForm, change: bool) -> None:
        obj.made_by = request.user
        obj.expiry = timezone.now() + timedelta(days=form.cleaned_data["days"])
        request.secret = obj.mint()

    def response_add(self, request: HttpRequest, obj: Token, *_: Any) -> HttpResponse:
        """The secret. It is in this answer and nowhere else."""
        context = {
            **self.admin_site.each_context(request),
            "title": f"Your token {obj}",
            "token": obj,
            "secret": request.secret,
            "opts": self.opts,
        }
        return render(request, "access/token.html", context)

    # Looking at them ----------------------------------------------------------------------------

    @admin.display(description="begins with")
    def begins(self, token: Token) -> str:
        return f"{token.token_key}…"

    @display(
        description="state",
        label={"valid": "success", "expired": "warning", "revoked": "danger", "refused": "danger"},
    )
    def state(self, token: Token) -> str:
        return token.state

    @admin.display(description="why it opens nothing")
    def why(self, token: Token) -> str:
        return token.why_refused() or "–"

    # Revoking -----------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        revoke = self.admin_site.admin_view(require_POST(self.revoke_one))
        name = "access_token_revoke"
        return [path("<int:pk>/revoke/", revoke, name=name), *super().get_urls()]

    @admin.display(description="revoke")
    def end(self, token: Token) -> SafeString:
        address = reverse("admin:access_token_revoke", args=[token.pk])
        return button_to(address, "Revoke: it opens nothing any more")

    def revoke_one(self, request: HttpRequest, pk: int) -> HttpResponse:
        token = self.get_object(request, str(pk))
        if not self.has_revoke_permission(request, token):
            raise PermissionDenied
        if token is None:
            raise Http404
        self._revoke(request, [token])
        return redirect("admin:access_token_change", pk)

    @action(description="Revoke", permissions=["revoke"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[Token]) -> None:
        self._revoke(request, chosen)

    def _revoke(self, request: HttpRequest, tokens: Any) -> None:
        revoked = [token for token in tokens if token.revoke(request.user)]
        for token in revoked:
            self.log_change(request, token, "It was revoked.")
        if revoked:
            names = ", ".join(str(token) for token in revoked)
            messages.success(request, f"Revoked, and open nothing any more: {names}.")
        else:
            messages.info(request, "There was nothing to revoke.")
