"""The API of past runs: the list, one run, and its test digits."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db.models import DurationField, ExpressionWrapper, F, QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from digits_site.web.errors import InvalidParameter, unknown_choice
from digits_site.web.openapi.errors import raises
from digits_site.web.pagination import PageNumberPagination
from recognition.api.examples import example
from training.api.permissions import MayDescribe
from training.api.schema import IllustratedComparisonSerializer, TestDigitsSerializer
from training.errors import DigitsUnavailable, NoComparison, NoPredictions
from training.history import evaluation
from training.history.description import describe, has_tag, mentions
from training.models import NEWEST_FIRST, Status, TrainingRun, TrainingRunQuerySet
from training.parameters.description import ChangedDescription, normalize_tag
from training.serializers import RunSerializer, RunSummarySerializer, represent

# The values of `?ordering=`; a `-` before one reverses the order.
ORDERINGS = {
    "id": F("pk"),
    "status": F("status"),
    "preset": F("preset"),
    "test_accuracy": F("test_accuracy"),
    "epochs": F("finished_epochs"),
    "requested_by": F("requested_by__username"),
    "queued_at": F("queued_at"),
    "duration": ExpressionWrapper(F("finished_at") - F("started_at"), DurationField()),
}

BOOLEANS = {"true": True, "false": False}
MAX_WORDS = 10  # in `?search=` and of `?tag=`: each is a condition of the query
TEST_DIGITS = 10_000
INCLUDABLE = ("epochs",)  # the values of `?include=`


class RunPagination(PageNumberPagination):
    page_size_query_param = "page_size"
    max_page_size = 100


class DigitsQuery(serializers.Serializer[Any]):
    """The test digits of one cell of the confusion matrix, or without `label` and `predicted` all misread ones."""

    label = serializers.IntegerField(min_value=0, max_value=9, default=None)  # type: ignore[assignment]
    predicted = serializers.IntegerField(min_value=0, max_value=9, default=None)
    limit = serializers.IntegerField(min_value=1, max_value=200, default=60)
    offset = serializers.IntegerField(min_value=0, max_value=TEST_DIGITS, default=0, help_text="Digits to skip.")


def page_links(request: Request, count: int, offset: int, limit: int, **_: Any) -> dict[str, str | None]:
    """Return the addresses of the next and the previous page, as DRF's LimitOffsetPagination names them."""

    def link(to: int) -> str:
        address = replace_query_param(request.build_absolute_uri(), "limit", limit)
        return replace_query_param(address, "offset", to)

    return {
        "next": link(offset + limit) if offset + limit < count else None,
        "previous": link(max(0, offset - limit)) if offset else None,
    }


def limited(parameter: str, words: Iterable[str]) -> list[str]:
    """Return each word once. Raises InvalidParameter for more than MAX_WORDS."""
    found = list(dict.fromkeys(words))
    if len(found) > MAX_WORDS:
        raise InvalidParameter(f"{parameter}: Give at most {MAX_WORDS} words.", field=parameter)
    return found


LIST_PARAMETERS = [
    OpenApiParameter("status", {"type": "string", "enum": Status.values}, description="Only runs with this status."),
    OpenApiParameter("tag", {"type": "string"}, description="Only runs with this tag; repeat it for several."),
    OpenApiParameter(
        "search",
        {"type": "string"},
        description="Only runs with these words in name, notes, tags, preset or account.",
    ),
    OpenApiParameter("baseline", {"type": "boolean"}, description="`true`: only the baseline."),
    OpenApiParameter(
        "ordering",
        {"type": "string", "enum": [f"{sign}{name}" for name in ORDERINGS for sign in ("", "-")]},
        description="A leading `-` means descending order.",
    ),
    OpenApiParameter(
        "include", {"type": "string", "enum": list(INCLUDABLE)}, description="`epochs`: each run with its epochs."
    ),
]


@extend_schema_view(retrieve=extend_schema(operation_id="getRun", tags=["runs"], summary="Get a run."))
class RunViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[TrainingRun]):
    queryset = TrainingRun.objects.with_account()
    serializer_class = RunSerializer
    pagination_class = RunPagination

    def get_permissions(self) -> Any:
        return [MayDescribe()] if self.action == "partial_update" else super().get_permissions()

    def get_serializer_class(self) -> type[RunSerializer]:
        return RunSerializer if self.detail else RunSummarySerializer

    def get_serializer_context(self) -> dict[str, Any]:
        """Add the `include` parameter. Raises InvalidParameter for an unknown one."""
        include = self.request.query_params.getlist("include")
        if not self.detail and not set(include) <= set(INCLUDABLE):
            raise unknown_choice("include", ", ".join(include), INCLUDABLE)
        if getattr(self, "swagger_fake_view", False):  # the OpenAPI document describes all keys
            include = list(INCLUDABLE)
        return {**super().get_serializer_context(), "include": include}

    def filter_queryset(self, queryset: TrainingRunQuerySet) -> QuerySet[Any]:  # type: ignore[override]
        if self.detail:
            return queryset
        given = self.request.query_params
        queryset = queryset.with_finished_epochs()
        if (status := given.get("status")) is not None:
            if status not in Status.values:
                raise unknown_choice("status", status, Status.values)
            queryset = queryset.filter(status=status)
        queryset = queryset.filter(*map(has_tag, limited("tag", map(normalize_tag, given.getlist("tag")))))
        if (baseline := given.get("baseline")) is not None:
            if baseline not in BOOLEANS:
                raise unknown_choice("baseline", baseline, list(BOOLEANS))
            queryset = queryset.filter(is_baseline=BOOLEANS[baseline])
        words = limited("search", given.get("search", "").split())
        return self.ordered(queryset.filter(*map(mentions, words)))

    def ordered(self, queryset: TrainingRunQuerySet) -> QuerySet[Any]:
        """Sort by `?ordering=`: runs without the value come last, and equal ones newest first."""
        ordering = self.request.query_params.get("ordering")
        if ordering is None:
            return queryset.newest_first()
        expression = ORDERINGS.get(ordering.removeprefix("-"))
        if expression is None:
            raise unknown_choice("ordering", ordering, [*ORDERINGS, "one of these after a minus sign"])
        queryset = queryset.annotate(sorted_by=expression)
        by = F("sorted_by").desc(nulls_last=True) if ordering.startswith("-") else F("sorted_by").asc(nulls_last=True)
        return queryset.order_by(by, *NEWEST_FIRST)

    @extend_schema(
        operation_id="listRuns", tags=["runs"], summary="List the runs, newest first.", parameters=LIST_PARAMETERS
    )
    @raises(InvalidParameter)
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(
        operation_id="describeRun",
        tags=["runs"],
        summary="Change a run's name, notes or tags, or choose it as the baseline; what is absent stays.",
        request={"application/json": ChangedDescription},
        responses=RunSerializer,
        examples=example({"name": "More epochs", "tags": ["keep"]}),
    )
    @raises(InvalidParameter)
    def partial_update(self, request: Request, pk: int) -> Response:
        run, given = self.get_object(), ChangedDescription(data=request.data)
        given.is_valid(raise_exception=True)
        describe(run, given.validated_data, by=request.user)
        return Response(represent(self.get_object()))

    @extend_schema(
        operation_id="listRunDigits",
        tags=["runs"],
        summary="List the misread test digits, or those of a cell of the confusion matrix, most confident first.",
        parameters=[DigitsQuery],
        responses=TestDigitsSerializer,
    )
    @raises(InvalidParameter, NoPredictions, DigitsUnavailable)
    def digits(self, request: Request, pk: int) -> Response:
        query = DigitsQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        found = evaluation.most_confident(self.get_object(), **query.validated_data)
        return Response(found | page_links(request, found["count"], **query.validated_data))

    @extend_schema(
        operation_id="getRunComparison",
        tags=["runs"],
        summary="Get the comparison of a run's model with the model it started from, with pictures.",
        description="Pictures of corrections are for accounts that may view corrections; in local mode, for all.",
        responses=IllustratedComparisonSerializer,
    )
    @raises(NoComparison, DigitsUnavailable)
    def comparison(self, request: Request, pk: int) -> Response:
        may_view = settings.LOCAL or request.user.has_perm("recognition.view_correction")
        return Response(evaluation.comparison_of(self.get_object(), with_corrections=may_view))
