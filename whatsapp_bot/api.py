"""The people on WhatsApp, what they left for the team, and their files, for other systems."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.viewsets import GenericViewSet

from whatsapp_bot import api_base, files
from whatsapp_bot.api_base import Anything, ModelSerializer, Serializer, Username
from whatsapp_bot.models import Contact, HelpRequest, Media, Message
from whatsapp_bot.models.contact import LONGEST_SENT

SEES_FILES = ["whatsapp_bot.view_media"]
SEES_MESSAGES = ["whatsapp_bot.view_contact", "whatsapp_bot.view_message"]
ANSWERS = ["whatsapp_bot.view_helprequest", "whatsapp_bot.write_to_contact"]
CHANGES = ["whatsapp_bot.change_helprequest"]
ROW = r"\d{1,18}"


# Files --------------------------------------------------------------------------------------------


class FileSerializer(ModelSerializer):
    content_type = serializers.CharField(help_text="What it is; empty until it is stored.")
    file = serializers.SerializerMethodField(help_text="Where it is fetched, with the token.")
    small = serializers.SerializerMethodField(help_text="A small picture, where there is one.")

    class Meta:
        model = Media
        fields = ["id", "status", "why", "content_type", "size", "file", "small", "fetched_at"]

    @extend_schema_field({"type": "string", "format": "uri", "nullable": True})
    def get_file(self, media: Media) -> str | None:
        return self._link("media-detail", media) if media.is_stored else None

    @extend_schema_field({"type": "string", "format": "uri", "nullable": True})
    def get_small(self, media: Media) -> str | None:
        return self._link("media-small", media) if media.thumbnail else None

    def _link(self, name: str, media: Media) -> str:
        return reverse(name, [media.pk], request=self.context["request"])


class FileViewSet(GenericViewSet):
    """What people sent, as Andon stored it: served as files, of which browsers run nothing."""

    queryset = Media.objects.filter(status=Media.Status.STORED).select_related("message")
    renderer_classes = [Anything]
    lookup_value_regex = ROW
    needs = SEES_FILES

    def get_queryset(self) -> QuerySet[Media]:
        return super().get_queryset().shown_to(self.request.user)

    @extend_schema(responses={(200, "*/*"): OpenApiTypes.BINARY})
    def retrieve(self, request: Request, **_: Any) -> HttpResponse:
        """The file. `Range` fetches a part of it."""
        return files.whole(request, self.get_object())

    @extend_schema(responses={(200, "image/jpeg"): OpenApiTypes.BINARY})
    @action(detail=True, pagination_class=None)
    def small(self, request: Request, **_: Any) -> HttpResponse:
        """A small picture of it."""
        return files.small(request, self.get_object())


# People -------------------------------------------------------------------------------------------


class ContactSerializer(ModelSerializer):
    last_heard = serializers.DateTimeField(
        source="conversation.heard_at", read_only=True, default=None, allow_null=True
    )

    class Meta:
        model = Contact
        fields = [
            "id",
            "name",
            "phone",
            "user_id",
            "role",
            "language",
            "last_heard",
            "written_at",
            "opted_out_at",
            "blocked_at",
            "created_at",
        ]
        read_only_fields = [
            "name",
            "phone",
            "user_id",
            "written_at",
            "opted_out_at",
            "blocked_at",
            "created_at",
        ]


class MessageSerializer(ModelSerializer):
    written_by = Username(read_only=True)

    class Meta:
        model = Message
        fields = ["id", "direction", "kind", "body", "status", "written_by", "created_at"]


class ContactFilter(filters.FilterSet):
    created_since = filters.IsoDateTimeFilter("created_at", "gte")

    class Meta:
        model = Contact
        fields = ["role", "phone", "user_id"]


class ContactViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """People on WhatsApp. They become known when they write."""

    queryset = Contact.objects.select_related("conversation")
    serializer_class = ContactSerializer
    filterset_class = ContactFilter
    ordering = ["id"]
    lookup_value_regex = ROW
    needs: list[str] = []

    @transaction.atomic
    def partial_update(self, request: Request, *args: Any, **options: Any) -> Response:
        """Change the role or the language."""
        contact = self.get_object()
        changed = self.get_serializer(contact, data=request.data, partial=True)
        changed.is_valid(raise_exception=True)
        for name, value in changed.validated_data.items():
            setattr(contact, name, value)
        # What the person does meanwhile stays.
        contact.save(update_fields=list(changed.validated_data))
        return Response(self.get_serializer(contact).data)

    @extend_schema(responses=MessageSerializer(many=True))
    @action(
        detail=True,
        needs=SEES_MESSAGES,
        filterset_class=None,
        serializer_class=MessageSerializer,
        ordering=["-id"],
    )
    def messages(self, request: Request, **_: Any) -> Response:
        """What was said, the last first."""
        said = self.get_object().messages.select_related("written_by")
        return self.get_paginated_response(
            self.get_serializer(self.paginate_queryset(said), many=True).data
        )


# Help requests ------------------------------------------------------------------------------------


class HelpRequestSerializer(ModelSerializer):
    state = serializers.ChoiceField(["open", "taken", "answered"])
    taken_by = Username(read_only=True)
    answered_by = Username(read_only=True)

    class Meta:
        model = HelpRequest
        fields = [
            "number",
            "contact",
            "text",
            "state",
            "created_at",
            "taken_by",
            "taken_at",
            "answered_by",
            "answered_at",
        ]


class HelpRequestFilter(filters.FilterSet):
    is_taken = filters.BooleanFilter("taken_by", "isnull", exclude=True)
    created_since = filters.IsoDateTimeFilter("created_at", "gte")

    class Meta:
        model = HelpRequest
        fields = ["status", "contact"]


class Letter(Serializer):
    text = serializers.CharField(max_length=LONGEST_SENT)


class Taking(Serializer):
    over = serializers.BooleanField(
        default=False, help_text="Also when a colleague has it, who then has it no more."
    )


step = partial(api_base.step, answer=HelpRequestSerializer, needs=CHANGES, filterset_class=None)


class HelpRequestViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """What people left for the team, and who of the team sees to it."""

    queryset = HelpRequest.objects.select_related("taken_by", "answered_by")
    serializer_class = HelpRequestSerializer
    filterset_class = HelpRequestFilter
    ordering = ["id"]
    lookup_field = "number"
    lookup_value_regex = r"HELP-\d+(-\d+)?"
    needs: list[str] = []

    @step(Taking)
    def take(self, request: Request, **_: Any) -> Response:
        """See to it."""
        over = api_base.said(request, Taking)["over"]
        return self._take(lambda asked: asked.take(request.user, over=over))

    @step()
    def hand_back(self, request: Request, **_: Any) -> Response:
        """Not see to it after all: anybody may take it."""
        return self._take(lambda asked: asked.hand_back(request.user))

    @step()
    def mark_answered(self, request: Request, **_: Any) -> Response:
        """It needs no answer of ours any more: somebody has called, say."""
        return self._take(lambda asked: asked.mark_answered(request.user))

    @step()
    def reopen(self, request: Request, **_: Any) -> Response:
        """It is not answered after all. Whoever had taken it has it again."""
        return self._take(lambda asked: asked.reopen(request.user))

    @extend_schema(request=Letter, responses=MessageSerializer(many=True))
    @action(
        detail=True, methods=["post"], needs=ANSWERS, filterset_class=None, pagination_class=None
    )
    def answer(self, request: Request, **_: Any) -> Response:
        """Write the answer to whoever asked: on WhatsApp, as one message or several.

        The same again within a minute is not sent again, and has the same answer.
        """
        text = api_base.said(request, Letter)["text"]
        sent = self.get_object().answer_once(text, request.user)
        return Response(MessageSerializer(sent, many=True).data)

    def _take(self, step: Callable[[HelpRequest], None]) -> Response:
        asked = self.get_object()
        step(asked)
        return Response(self.get_serializer(asked).data)
