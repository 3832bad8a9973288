"""The registry of models in the API: every version, its files, and putting one into service."""

from collections.abc import Callable
from typing import Any

from django.db.models import Prefetch
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, viewsets
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from digits_site.accounts.permissions import channel_of
from digits_site.web.errors import InvalidParameter
from digits_site.web.openapi.errors import raises
from recognition import registry
from recognition.api import weights
from recognition.api.examples import example
from recognition.api.serializers import BINARY, MODEL_FILES, ActivationParameters, ModelSerializer
from recognition.api.weights import DENSE, FILTERS, layout
from recognition.errors import ModelRejected, NoFile, StorageUnavailable, WorseThanChampion
from recognition.models import Comparison, ModelVersion, first_run, in_service
from recognition.prediction.classifier import registered_bytes

# Another installation may give the same ID to another model, so a cache must revalidate.
REVALIDATE = "public, no-cache"
FILES = {"onnx", "keras", "filters", "dense"}  # the actions that return one


def file_schema(operation_id: str, summary: str) -> Callable[[Any], Any]:
    return extend_schema(
        operation_id=operation_id,
        tags=["models"],
        summary=summary,
        description="The `ETag` holds the model's SHA-256. `If-None-Match` gets 304 if the file is still the same.",
        responses={
            (200, "application/octet-stream"): OpenApiResponse(BINARY, "The file."),
            304: OpenApiResponse(None, "The client's copy is current."),
        },
    )


@extend_schema_view(
    list=extend_schema(operation_id="listModels", tags=["models"], summary="List the models, newest first."),
    retrieve=extend_schema(operation_id="getModel", tags=["models"], summary="Get a model."),
)
class ModelViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[ModelVersion]):
    """Every version, newest first, and what can be done with one."""

    queryset = ModelVersion.objects.annotate(in_service=in_service(), run=first_run()).prefetch_related(
        Prefetch("comparisons", Comparison.objects.defer("examples"))
    )
    serializer_class = ModelSerializer
    parser_classes = [*viewsets.GenericViewSet.parser_classes, FormParser, MultiPartParser]

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """Take any Accept header for the files, which no renderer writes."""
        return super().perform_content_negotiation(request, force or self.action in FILES)

    @extend_schema(
        operation_id="activateModel",
        tags=["models"],
        summary="Put a model into service.",
        description="Needs the permission to add an activation, in every mode. Repeating it changes nothing.",
        request={parser.media_type: ActivationParameters for parser in parser_classes},
        responses=ModelSerializer,
        examples=example({"reason": ""}),
    )
    @raises(ModelRejected, WorseThanChampion, InvalidParameter)
    def activate(self, request: Request, pk: int) -> Response:
        parameters = ActivationParameters(data=request.data)
        parameters.is_valid(raise_exception=True)
        reason, via = parameters.validated_data["reason"], channel_of(request)
        registry.activate(self.get_object(), by=request.user, via=via, reason=reason)
        return self.retrieve(request, pk)

    @file_schema("getModelONNX", "Download the ONNX file.")
    @raises(NoFile, StorageUnavailable)
    def onnx(self, request: Request, pk: int) -> HttpResponseBase:
        return download(request, self.get_object(), "onnx")

    @file_schema("getModelKeras", "Download the Keras file, without the optimizer.")
    @raises(NoFile, StorageUnavailable)
    def keras(self, request: Request, pk: int) -> HttpResponseBase:
        return download(request, self.get_object(), "keras")

    @file_schema("getModelFilters", f"Download the convolutions as little-endian float32: {layout(FILTERS)}.")
    @raises(NoFile, ModelRejected)
    def filters(self, request: Request, pk: int) -> HttpResponseBase:
        model = self.get_object()
        return conditional(request, model, "filters", lambda: weights.filters(registered_bytes(model)))

    @file_schema("getModelDense", f"Download the dense layers as little-endian float32: {layout(DENSE)}.")
    @raises(NoFile, ModelRejected)
    def dense(self, request: Request, pk: int) -> HttpResponseBase:
        model = self.get_object()
        return conditional(request, model, "dense", lambda: weights.dense(registered_bytes(model)))


def download(request: Request, model: ModelVersion, kind: str) -> HttpResponseBase:
    """Return one of a model's files as an attachment. Raises NoFile and StorageUnavailable."""
    response = conditional(request, model, kind, lambda: registry.content_of(getattr(model, MODEL_FILES[kind])))
    response["Content-Disposition"] = f'attachment; filename="digits-model-{model.pk}.{kind}"'
    return response


def conditional(request: Request, model: ModelVersion, kind: str, read: Callable[[], bytes]) -> HttpResponseBase:
    """Return the content, or 304 without reading it if the client has it already."""
    etag = f'"{model.sha256}.{kind}"'
    response = get_conditional_response(request._request, etag=etag)
    if response is None:
        response = HttpResponse(read(), content_type="application/octet-stream")
    response["ETag"] = etag
    response["Cache-Control"] = REVALIDATE
    return response
