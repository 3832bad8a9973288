"""/api/corrections/: send a correction, take it back, list them, and count them."""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import QueryDict
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from digits_site.web.errors import InvalidParameter, unknown_choice
from digits_site.web.limits.client_address import client_address
from digits_site.web.openapi.errors import raises
from digits_site.web.pagination import PageNumberPagination
from recognition import errors
from recognition.api.correction_serializers import (
    CORRECTION_REQUEST,
    LABEL_TEXT,
    CorrectionSerializer,
    CorrectionSummarySerializer,
    DeletedSerializer,
    SentCorrectionSerializer,
)
from recognition.api.examples import SEVEN, example
from recognition.api.parsing.drawings import DrawingJSONParser, ImageParser, drawing_from, prepare
from recognition.api.permissions import OWN_ACCOUNT, MayDelete, MayReview, may_review
from recognition.api.throttles import CorrectionThrottle
from recognition.api.views import DRAWING_ERRORS, MODEL, PREDICTION_ERRORS, model_from
from recognition.corrections.collecting import collect, hash_sender
from recognition.corrections.counting import is_full, summary
from recognition.corrections.labels import parse_label, parse_label_text
from recognition.corrections.retention import delete
from recognition.corrections.undo import is_undo_token, undo_token
from recognition.imaging import EncodedImage, find_candidates
from recognition.models import Correction
from recognition.prediction.digits import predict_candidates

DIGITS = [str(digit) for digit in range(10)]
UNDO = OpenApiParameter("undo", str, description="The token of the 201. A JSON body may hold it instead.")
FILTERS = [
    OpenApiParameter(
        "state", {"type": "string", "enum": Correction.State.values}, description="Only with this status."
    ),
    OpenApiParameter("label", LABEL_TEXT, description="Only with this label; `null`: no digit."),
    OpenApiParameter(
        "predicted", {"type": "integer", "minimum": 0, "maximum": 9}, description="Only with this prediction."
    ),
]
CREATION_ERRORS = (
    *(*PREDICTION_ERRORS, *DRAWING_ERRORS, errors.MissingDrawing),
    *(errors.InvalidLabel, errors.CorrectionsClosed, errors.CorrectionsFull),
)


class CorrectionPagination(PageNumberPagination):
    page_size_query_param = "page_size"
    max_page_size = 100


def label_from(request: Request) -> int:
    """Return the label in the JSON body, in a form's field or in `?label=`. Raises InvalidLabel."""
    data: Any = request.data
    if isinstance(data, dict) and "label" in data:
        is_form = isinstance(data, QueryDict)
        return parse_label_text(data["label"]) if is_form else parse_label(data["label"])
    return parse_label_text(request.query_params.get("label"))


def source_from(request: Request) -> Correction.Source:
    data: Any = request.data
    is_page = isinstance(data, dict) and data.get("source") == Correction.Source.PAGE
    return Correction.Source.PAGE if is_page else Correction.Source.API


class CorrectionViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Correction]):
    """Sending is open where CORRECTIONS_OPEN; listing is for reviewers; taking back is for both."""

    queryset = Correction.objects.select_related("account", "decided_by").order_by("-pk")
    serializer_class = CorrectionSerializer
    pagination_class = CorrectionPagination
    parser_classes = (DrawingJSONParser, MultiPartParser, ImageParser)
    is_open = True  # a session without its CSRF token is anonymous (SessionAuthentication)

    def get_permissions(self) -> list[BasePermission]:
        needed = {"list": MayReview, "destroy_of_account": MayDelete}.get(self.action)
        return [needed()] if needed else []

    def get_throttles(self) -> list[BaseThrottle]:
        return [CorrectionThrottle()] if self.action == "create" and settings.CORRECTION_RATE else []

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Apply `?state=`, `?label=` and `?predicted=`. Raises InvalidParameter for values that do not exist."""
        query = self.request.query_params
        if "state" in query:
            if query["state"] not in Correction.State.values:
                raise unknown_choice("state", query["state"], Correction.State.values)
            queryset = queryset.filter(state=query["state"])
        if "label" in query:
            queryset = queryset.filter(label=parse_label_text(query["label"]))
        if "predicted" in query:
            if query["predicted"] not in DIGITS:
                raise unknown_choice("predicted", query["predicted"], DIGITS, kind="digit")
            queryset = queryset.filter(predicted=query["predicted"])
        return queryset

    @extend_schema(
        operation_id="listCorrections",
        tags=["corrections"],
        summary="List the corrections, newest first.",
        description="Needs the permission to change a correction, in every mode.",
        parameters=FILTERS,
    )
    @raises(InvalidParameter, errors.InvalidLabel)
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(
        operation_id="createCorrection",
        tags=["corrections"],
        summary="Say which digit a drawing shows.",
        description="The 28x28 picture that the network saw is kept, never the upload. Where corrections are reviewed, "
        "one is `pending` until a reviewer decides. Open to everybody where `CORRECTIONS_OPEN`; limited by "
        "`CORRECTION_RATE`.",
        parameters=[
            OpenApiParameter("label", LABEL_TEXT, description="For a picture as the body."),
            OpenApiParameter("model", MODEL.type, description="The model whose answer is corrected."),
        ],
        request=CORRECTION_REQUEST,
        responses={
            201: OpenApiResponse(SentCorrectionSerializer, "Stored."),
            200: OpenApiResponse(SentCorrectionSerializer, "The same picture has the same label already."),
        },
        examples=example({"drawing": SEVEN, "label": 7}),  # as predicted, so that a network learns nothing new from it
    )
    @raises(*CREATION_ERRORS)
    def create(self, request: Request) -> Response:
        is_reviewer = may_review(request)
        if not settings.CORRECTIONS_OPEN and not is_reviewer:
            raise errors.CorrectionsClosed
        is_accepted = is_reviewer or not settings.CORRECTIONS_REVIEWED
        if not is_accepted and is_full():
            raise errors.CorrectionsFull
        picture, label = drawing_from(request), label_from(request)
        drawing = prepare(EncodedImage(picture), find_candidates)
        model = model_from(request)
        [prediction] = predict_candidates(model, [drawing.found])
        account = request.user if request.user.is_authenticated else None
        correction, created = collect(
            prediction.candidate.digit,
            label,
            prediction,
            model=model.version,
            source=source_from(request),
            account=account,
            sender=hash_sender(client_address(request)),
            accepted=is_accepted,
            decided_by=account if is_reviewer else None,
        )
        answer = SentCorrectionSerializer(correction).data
        return Response({**answer, "undo": undo_token(correction.pk)}, 201) if created else Response(answer)

    @extend_schema(
        operation_id="deleteCorrection",
        tags=["corrections"],
        summary="Undo a correction.",
        description="For reviewers; within an hour also for its sender, with the `undo` token of the 201.",
        parameters=[UNDO],
        responses={204: OpenApiResponse(None, "It is deleted.")},
    )
    @raises(errors.NoCorrection)
    def destroy(self, request: Request, pk: int) -> Response:
        if not may_review(request) and not is_undo_token(undo_from(request), pk):
            raise errors.NoCorrection
        if not Correction.objects.filter(pk=pk).delete()[0]:
            raise errors.NoCorrection
        return Response(status=204)

    @extend_schema(
        operation_id="deleteCorrectionsOfAccount",
        tags=["corrections"],
        summary="Delete all corrections of an account.",
        description="For reviewers. Every account may delete its own: `me`.",
        parameters=[OpenApiParameter("account", str, required=True, description="A user name, or `me`.")],
        responses={200: DeletedSerializer},
    )
    @raises(InvalidParameter)
    def destroy_of_account(self, request: Request) -> Response:
        name = request.query_params.get("account")
        if not name or "\0" in name:  # PostgreSQL refuses to compare with a NUL
            raise ValidationError({"account": ["Name the account whose corrections are deleted."]})
        name = request.user.get_username() if name == OWN_ACCOUNT else name
        return Response({"deleted": delete(Correction.objects.filter(account__username=name))})


def undo_from(request: Request) -> object:
    """Return the token in `?undo=` or in the JSON body, or None."""
    if "undo" in request.query_params:
        return request.query_params["undo"]
    has_body = int(request.META.get("CONTENT_LENGTH") or 0)
    return request.data.get("undo") if has_body and isinstance(request.data, dict) else None


class SummaryView(APIView):
    """Count the corrections. Open to everybody in every mode."""

    authentication_classes = ()

    @extend_schema(
        operation_id="getCorrectionSummary",
        tags=["corrections"],
        summary="Count the accepted and the pending corrections by label.",
        responses=CorrectionSummarySerializer,
    )
    def get(self, request: Request) -> Response:
        return Response(summary())
