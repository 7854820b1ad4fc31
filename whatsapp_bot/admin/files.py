"""How the files that people sent are shown to staff."""

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST
from unfold.admin import TabularInline
from unfold.decorators import display

from whatsapp_bot.admin.log import LogAdmin
from whatsapp_bot.admin.long_list import LongList
from whatsapp_bot.admin.looks import LINK, button_to
from whatsapp_bot.admin.searching import SearchedByWords
from whatsapp_bot.models import Media


def shown(media: Media) -> SafeString:
    """The file on a page: a small picture, a player, a link to save it, or why there is none."""
    if not media.is_stored:
        return _not_there(media)
    link = reverse("file", args=[media.pk])
    if media.thumbnail:
        return _picture(media, height="10rem")
    if media.family == "audio":
        return format_html(
            '<audio controls preload="none" src="{}" aria-label="{}"'
            ' style="width: 16rem; max-width: 100%"></audio>',
            link,
            f"Voice note {media.name}",
        )
    if media.family == "video":
        return format_html(
            '<video controls preload="metadata" src="{}" aria-label="{}" class="rounded-default"'
            ' style="width: 16rem; max-width: 100%; max-height: 16rem"></video>',
            link,
            f"Video {media.name}",
        )
    about = " · ".join(filter(None, [size_of(media), media.why]))
    return format_html("{} <span>{}</span>", _link(media), about)


def listed(media: Media) -> SafeString | str:
    """The file in a row of a list, where there is little room."""
    if not media.is_stored:
        return "–"
    if media.thumbnail:
        return _picture(media, height="2.25rem")
    if media.family in ("audio", "video"):
        # The player is on its page: opened by itself it is in a sandbox, and does not play.
        page = reverse("admin:whatsapp_bot_media_change", args=[media.pk])
        return format_html('<a href="{}" class="{}">{}</a>', page, LINK, media.name)
    return _link(media)


def size_of(media: Media) -> str | None:
    return None if media.size is None else filesizeformat(media.size)


def _picture(media: Media, height: str) -> SafeString:
    return format_html(
        '<a href="{}" target="_blank" rel="noopener" class="inline-block"><img src="{}" alt="{}"'
        ' loading="lazy" class="rounded-default" style="max-height: {}; max-width: 12rem"></a>',
        reverse("file", args=[media.pk]),
        reverse("thumbnail", args=[media.pk]),
        f"Picture {media.name}, opens large",
        height,
    )


def _link(media: Media) -> SafeString:
    return format_html(
        '<a href="{}" target="_blank" rel="noopener" class="{}">{}</a>',
        reverse("file", args=[media.pk]),
        LINK,
        media.name,
    )


def _not_there(media: Media) -> SafeString:
    page = reverse("admin:whatsapp_bot_media_change", args=[media.pk])
    what = {"image": "Picture", "audio": "Voice note", "video": "Video"}.get(media.family, "File")
    if media.can_be_tried_again:
        return format_html(
            '{} {}: {} <a href="{}" class="{}">Try again</a>',
            what,
            media.get_status_display(),
            media.why,
            page,
            LINK,
        )
    return format_html('{} is <a href="{}" class="{}">being fetched</a>.', what, page, LINK)


class MediaInline(TabularInline):
    model = Media
    extra = 0
    fields = ["preview", "size_in_words", "status"]
    readonly_fields = fields
    can_delete = False
    show_change_link = True

    @admin.display(description="file")
    def preview(self, media: Media) -> SafeString:
        return shown(media)

    @admin.display(description="size", empty_value="–")
    def size_in_words(self, media: Media) -> str | None:
        return size_of(media)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Media)
class MediaAdmin(SearchedByWords, LongList, LogAdmin):
    """Nothing of it is changed by hand; what could not be had can be fetched again."""

    list_display = ["small", "what", "state", "size_in_words", "why", "message", "said_at"]
    list_display_links = ["what"]
    list_filter = ["status", "content_type"]
    list_select_related = ["message"]
    list_per_page = 50
    search_fields = ["message__sid"]
    search_help_text = "Name or number of who sent it, or SID of the message"
    ordering = ["-pk"]
    actions = ["try_again"]
    fields = [
        "preview",
        "status",
        "why",
        "again",
        "content_type",
        "said_type",
        "size_in_words",
        "message",
        "attempts",
        "try_at",
        "fetched_at",
        "deleted_at_twilio",
    ]
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        again = self.admin_site.admin_view(require_POST(self.try_one_again))
        name = "whatsapp_bot_media_try_again"
        return [path("<int:pk>/try-again/", again, name=name), *super().get_urls()]

    @admin.display(description="file")
    def small(self, media: Media) -> SafeString | str:
        return listed(media)

    @admin.display(description="file")
    def preview(self, media: Media) -> SafeString | str:
        return shown(media) if media.is_stored else "–"

    @admin.display(description="kind", ordering="content_type")
    def what(self, media: Media) -> str:
        return str(media)

    @display(
        description="state",
        ordering="status",
        label={"waiting": "info", "stored": "success", "missing": "warning", "refused": "danger"},
    )
    def state(self, media: Media) -> tuple[str, str]:
        return media.status, media.get_status_display()

    @admin.display(description="size", ordering="size", empty_value="–")
    def size_in_words(self, media: Media) -> str | None:
        return size_of(media)

    @admin.display(description="sent", ordering="pk")
    def said_at(self, media: Media) -> datetime:
        return media.message.created_at

    @admin.display(description="try again")
    def again(self, media: Media) -> SafeString | str:
        if not media.can_be_tried_again:
            return "–"
        address = reverse("admin:whatsapp_bot_media_try_again", args=[media.pk])
        return button_to(address, "Try again")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Media]:
        media = super().get_queryset(request)
        # Who may see none at all is told so, and not that one is gone.
        return media.shown_to(request.user) if self.has_view_permission(request) else media

    def get_list_display(self, request: HttpRequest) -> list[str]:
        return [column for column in self.list_display if self._may_see(request, column)]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [field for field in self.fields if self._may_see(request, field)]

    def _may_see(self, request: HttpRequest, name: str) -> bool:
        """May they see this column or field? A message says more than its files."""
        if name == "message":
            return request.user.has_perm("whatsapp_bot.view_message")
        return name != "again" or self.has_try_again_permission(request)

    def has_try_again_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("whatsapp_bot.change_media")

    @admin.action(description="Try again to fetch them", permissions=["try_again"])
    def try_again(self, request: HttpRequest, media: QuerySet[Media]) -> None:
        self._try_again(request, media)

    def try_one_again(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not self.has_try_again_permission(request):
            raise PermissionDenied
        self._try_again(request, Media.objects.filter(pk=pk))
        return redirect("admin:whatsapp_bot_media_change", pk)

    def _try_again(self, request: HttpRequest, media: QuerySet[Media]) -> None:
        if count := media.try_again():
            files = "1 file is" if count == 1 else f"{count} files are"
            messages.success(request, f"{files} being fetched again.")
        else:
            messages.info(request, "There was nothing to try again.")
