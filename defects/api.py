"""Defect reports and their review, for other systems."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet, ModelViewSet

from defects.models import (
    CorrectiveAction,
    DefectCategory,
    DefectReport,
    Disposition,
    Note,
    Severity,
    Status,
)
from defects.models.review import colleagues
from orders.api import LineName, OfOrder, OrderNumber
from whatsapp_bot import api_base
from whatsapp_bot.api import FileSerializer
from whatsapp_bot.api_base import ChangedMeanwhile, ModelSerializer, Serializer, Username

SEES = ["defects.view_defectreport"]
CHANGES = ["defects.change_defectreport"]
REVIEWS = ["defects.review_defectreport", *CHANGES]
SEES_PHOTOS = [*SEES, "whatsapp_bot.view_media"]
NUMBER = "DEF-[0-9]+(-[0-9]+)?"


class Colleague(Username):
    default_error_messages = {"does_not_exist": "Nobody of the staff is called {value}."}

    def __init__(self, **options: Any) -> None:
        super().__init__(queryset=colleagues(), **options)


class CategorySerializer(ModelSerializer):
    class Meta:
        model = DefectCategory
        fields = ["id", "name", "position", "is_active"]


class CategoryViewSet(ModelViewSet):
    """What kinds of defect there are. One that reports have is retired instead of deleted."""

    queryset = DefectCategory.objects.all()
    serializer_class = CategorySerializer
    filterset_fields = ["is_active"]
    ordering = ["position", "name"]
    lookup_value_regex = r"\d{1,18}"
    http_method_names = ["get", "post", "patch", "delete", "head"]


# Reports ------------------------------------------------------------------------------------------


class DispositionSerializer(ModelSerializer):
    class Meta:
        model = Disposition
        fields = ["id", "kind", "quantity", "reason"]

    def validate_kind(self, kind: str) -> str:
        others = Disposition.objects.filter(report=self.context["report"], kind=kind)
        if self.instance:
            others = others.exclude(pk=self.instance.pk)
        if others.exists():
            raise serializers.ValidationError("This disposition is there already.")
        return kind


class ActionSerializer(ModelSerializer):
    owner = Colleague()
    done_by = Username(read_only=True)
    verified_by = Username(read_only=True)
    state = serializers.ChoiceField(["open", "overdue", "done", "verified"], read_only=True)

    class Meta:
        model = CorrectiveAction
        fields = [
            "id",
            "what",
            "owner",
            "due_on",
            "state",
            "done_at",
            "done_by",
            "verified_at",
            "verified_by",
        ]
        read_only_fields = ["done_at", "verified_at"]


class AnswerSerializer(serializers.Serializer):
    name = serializers.CharField()
    question = serializers.CharField()
    answer = serializers.CharField()


class ReportSerializer(ModelSerializer):
    form = serializers.SlugRelatedField("key", read_only=True, allow_null=True)
    answers = AnswerSerializer(many=True, read_only=True)
    reporter_name = serializers.CharField(source="reported_by.name", read_only=True)
    order = OrderNumber(required=False, allow_null=True)
    line = LineName(required=False, allow_null=True)
    category_name = serializers.CharField(
        source="category.name", read_only=True, default=None, allow_null=True
    )
    assignee = Colleague(required=False, allow_null=True)
    duplicate_of = serializers.SlugRelatedField("number", read_only=True, allow_null=True)
    decided_by = Username(read_only=True)

    class Meta:
        model = DefectReport
        fields = [
            "number",
            "status",
            "severity",
            "description",
            "form",
            "answers",
            "reported_by",
            "reporter_name",
            "order",
            "line",
            "part",
            "lot",
            "category",
            "category_name",
            "assignee",
            "due_on",
            "inspected",
            "nonconforming",
            "containment",
            "cause",
            "duplicate_of",
            "created_at",
            "updated_at",
            "acknowledged_at",
            "decided_at",
            "decided_by",
            "closed_at",
        ]
        read_only_fields = [
            "number",
            "status",
            "description",
            "reported_by",
            "created_at",
            "updated_at",
            "acknowledged_at",
            "decided_at",
            "closed_at",
        ]

    def validate_category(self, category: DefectCategory | None) -> DefectCategory | None:
        is_new = self.instance is None or category != self.instance.category
        if category and is_new and not category.is_active:
            raise serializers.ValidationError("This category is retired.")
        return category


class WholeReportSerializer(ReportSerializer):
    """With what belongs to it, and its version."""

    dispositions = DispositionSerializer(many=True, read_only=True)
    actions = ActionSerializer(many=True, read_only=True)
    version = serializers.CharField(
        read_only=True, help_text="Which state it is: changes with anything above."
    )

    of_others = (
        *("reporter_name", "category_name", "decided_by"),
        "actions",  # which become overdue
    )

    class Meta(ReportSerializer.Meta):
        fields = [*ReportSerializer.Meta.fields, "dispositions", "actions", "version"]


class NoteSerializer(ModelSerializer):
    author = Username(read_only=True)

    class Meta:
        model = Note
        fields = ["id", "text", "author", "created_at"]


class ReportFilter(filters.FilterSet):
    status = filters.MultipleChoiceFilter(choices=Status.choices, distinct=False)
    severity = filters.MultipleChoiceFilter(choices=Severity.choices, distinct=False)
    open = filters.BooleanFilter(method="only_open", label="What somebody has to see to, or not.")
    assignee = filters.CharFilter("assignee__username")
    line = filters.CharFilter("line__name")
    order = OfOrder()
    created_since = filters.IsoDateTimeFilter("created_at", "gte")
    created_before = filters.IsoDateTimeFilter("created_at", "lt")
    updated_since = filters.IsoDateTimeFilter("updated_at", "gte")

    class Meta:
        model = DefectReport
        fields = ["category", "reported_by"]

    def only_open(self, reports: QuerySet, name: str, wanted: bool) -> QuerySet:
        return reports.open() if wanted else reports.over()


IF_MATCH = OpenApiParameter(
    "If-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The `ETag` that was read: refused with 412 when it has changed since.",
)


class Reason(Serializer):
    reason = serializers.CharField(max_length=500)


class Original(Serializer):
    of = serializers.SlugRelatedField(
        "number", queryset=DefectReport.objects.all(), help_text="The number of the other report."
    )


class Assignment(Serializer):
    assignee = Colleague(allow_null=True)


class Categorisation(Serializer):
    category = serializers.PrimaryKeyRelatedField(
        queryset=DefectCategory.objects.filter(is_active=True)
    )


step = partial(
    api_base.step,
    answer=WholeReportSerializer,
    parameters=[IF_MATCH],
    needs=REVIEWS,
    filterset_class=None,
)
step_of_action = partial(api_base.step, answer=ActionSerializer)


class ReportViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Defect reports. They are made on WhatsApp, and reviewed here as in the admin."""

    queryset = DefectReport.objects.select_related(
        "form", "reported_by", "order", "line", "category", "assignee", "decided_by", "duplicate_of"
    )
    serializer_class = ReportSerializer
    filterset_class = ReportFilter
    ordering = ["updated_at", "id"]
    lookup_field = "number"
    lookup_value_regex = NUMBER
    needs: list[str] = []

    def get_serializer_class(self) -> type[serializers.BaseSerializer]:
        return ReportSerializer if self.action == "list" else WholeReportSerializer

    def list(self, request: Request, *args: Any, **options: Any) -> Response:
        """The one that was changed least lately comes first: so `updated_since` finds all."""
        return super().list(request, *args, **options)

    def retrieve(self, request: Request, *args: Any, **options: Any) -> Response:
        """With dispositions, actions and, as `ETag`, its version."""
        return self._answer(self.get_object())

    @extend_schema(parameters=[IF_MATCH])
    def partial_update(self, request: Request, *args: Any, **options: Any) -> Response:
        """What was found out in the review. A report that is over has to be opened again first."""

        def amend(report: DefectReport) -> None:
            found = self.get_serializer(report, data=request.data, partial=True)
            found.is_valid(raise_exception=True)
            report.amend(request.user, **found.validated_data)

        return self._take(amend)

    # The steps ----------------------------------------------------------------------------------

    @step()
    def acknowledge(self, request: Request, **_: Any) -> Response:
        """Somebody of the team has seen it. The reporter is told."""
        return self._take(lambda report: report.acknowledge(request.user))

    @step()
    def begin_review(self, request: Request, **_: Any) -> Response:
        """Somebody looks into it; whoever does so is the assignee, unless there is one."""
        return self._take(lambda report: report.begin_review(request.user))

    @step()
    def decide(self, request: Request, **_: Any) -> Response:
        """What becomes of the parts is decided, as its dispositions say. The reporter is told."""
        return self._take(lambda report: report.decide(request.user))

    @step()
    def close(self, request: Request, **_: Any) -> Response:
        """All is done and verified. The reporter is told."""
        return self._take(lambda report: report.close(request.user))

    @step(Reason)
    def dismiss(self, request: Request, **_: Any) -> Response:
        """There is no defect: it is unfounded."""
        reason = api_base.said(request, Reason)["reason"]
        return self._take(lambda report: report.dismiss(request.user, reason))

    @step(Original)
    def mark_duplicate(self, request: Request, **_: Any) -> Response:
        """It is known from another report, whose news its reporter now hears as well."""
        original = api_base.said(request, Original)["of"]
        return self._take(lambda report: report.mark_duplicate(request.user, original))

    @step(Reason)
    def reopen(self, request: Request, **_: Any) -> Response:
        """It is not over after all: back to the review."""
        reason = api_base.said(request, Reason)["reason"]
        return self._take(lambda report: report.reopen(request.user, reason))

    @step(Assignment)
    def assign(self, request: Request, **_: Any) -> Response:
        """Somebody is to see to it; null: nobody."""
        assignee = api_base.said(request, Assignment)["assignee"]
        return self._take(lambda report: report.assign(request.user, assignee))

    @step(Categorisation)
    def categorise(self, request: Request, **_: Any) -> Response:
        """Say what kind of defect it is."""
        category = api_base.said(request, Categorisation)["category"]
        return self._take(lambda report: report.categorise(request.user, category))

    # What belongs to it -------------------------------------------------------------------------

    @extend_schema(responses=FileSerializer(many=True))
    @action(detail=True, needs=SEES_PHOTOS, pagination_class=None, filterset_class=None)
    def photos(self, request: Request, **_: Any) -> Response:
        """Photos, voice notes and documents of the report, with where to fetch them."""
        files, context = self.get_object().files, self.get_serializer_context()
        return Response(FileSerializer(files, many=True, context=context).data)

    # --------------------------------------------------------------------------------------------

    def _take(self, step: Callable[[DefectReport], None]) -> Response:
        """Do it with the report, unless it is not what was read any more."""
        with transaction.atomic():
            report = self.get_object()
            check_version(self.request, report)
            step(report)
        return self._answer(self.get_object())

    def _answer(self, report: DefectReport) -> Response:
        answer = Response(self.get_serializer(report).data)
        answer["ETag"] = f'"{answer.data["version"]}"'
        return answer


def check_version(request: Request, report: DefectReport) -> None:
    """Raises ChangedMeanwhile when somebody has changed the report since it was read."""
    wanted = request.headers.get("If-Match", "*").removeprefix("W/").strip('"')
    if wanted == "*":
        return
    # Held until the change is made, so that nobody comes in between.
    DefectReport.objects.select_for_update(no_key=True).get(pk=report.pk)
    if wanted != report.version:
        changes = [
            {"who": one.who, "what": one.what, "was": one.before, "now": one.after}
            for one in report.changes_since(wanted)
        ]
        raise ChangedMeanwhile(version=report.version, changes=changes)


class PartViewSet(ModelViewSet):
    """Rows that belong to a report, whose number stands in the address before them."""

    ordering = ["id"]
    lookup_value_regex = r"\d{1,18}"
    http_method_names = ["get", "post", "patch", "delete", "head"]
    added_by = REVIEWS

    @property
    def needs(self) -> list[str]:
        return SEES if self.request.method in SAFE_METHODS else self.added_by

    def get_queryset(self) -> QuerySet:
        rows = super().get_queryset().filter(report__number=self.kwargs.get("report", ""))
        return rows.select_related("report")

    def list(self, request: Request, *args: Any, **options: Any) -> Response:
        get_object_or_404(DefectReport, number=self.kwargs["report"])
        return super().list(request, *args, **options)

    def held(self) -> DefectReport:
        """The report, which nobody else changes until the change is made."""
        reports = DefectReport.objects.select_for_update(no_key=True)
        report = get_object_or_404(reports, number=self.kwargs["report"])
        check_version(self.request, report)
        return report

    @transaction.atomic
    def create(self, request: Request, *args: Any, **options: Any) -> Response:
        self.of = self.held()
        return super().create(request, *args, **options)

    @transaction.atomic
    def partial_update(self, request: Request, *args: Any, **options: Any) -> Response:
        self.of = self.held()
        return super().partial_update(request, *args, **options)

    @transaction.atomic
    def destroy(self, request: Request, *args: Any, **options: Any) -> Response:
        self.held()
        return super().destroy(request, *args, **options)

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "report": getattr(self, "of", None)}

    def perform_create(self, serializer: serializers.BaseSerializer) -> None:
        serializer.save(report=self.of)


OF_REPORT = OpenApiParameter(
    "report",
    OpenApiTypes.STR,
    OpenApiParameter.PATH,
    pattern=f"^{NUMBER}$",
    description="The number of the report.",
)


@extend_schema(parameters=[OF_REPORT])
class DispositionViewSet(PartViewSet):
    """What is done with so many of the parts, until it is decided."""

    queryset = Disposition.objects.all()
    serializer_class = DispositionSerializer


@extend_schema(parameters=[OF_REPORT])
class ActionViewSet(PartViewSet):
    """What is done so that it does not happen again, until the report is closed."""

    queryset = CorrectiveAction.objects.select_related("owner", "done_by", "verified_by")
    serializer_class = ActionSerializer

    @step_of_action()
    def finish(self, request: Request, **_: Any) -> Response:
        """It has been done."""
        return self._take(lambda action: action.finish(request.user))

    @step_of_action()
    def verify(self, request: Request, **_: Any) -> Response:
        """Somebody else has seen that it was done, and works."""
        return self._take(lambda action: action.verify(request.user))

    @step_of_action()
    def take_back(self, request: Request, **_: Any) -> Response:
        """It is not done after all."""
        return self._take(lambda action: action.take_back(request.user))

    @transaction.atomic
    def _take(self, step: Callable[[CorrectiveAction], None]) -> Response:
        self.held()
        action = self.get_object()
        step(action)
        return Response(self.get_serializer(action).data)


@extend_schema(parameters=[OF_REPORT])
class NoteViewSet(PartViewSet):
    """What colleagues write about a report, for each other. The reporter never sees it."""

    queryset = Note.objects.select_related("author")
    serializer_class = NoteSerializer
    http_method_names = ["get", "post", "head"]
    added_by = CHANGES

    def perform_create(self, serializer: serializers.BaseSerializer) -> None:
        serializer.instance = self.of.note(self.request.user, serializer.validated_data["text"])
