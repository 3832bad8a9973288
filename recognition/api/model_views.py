"""The registry of models as the API tells it: every version, its files to take away, and putting one into service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models.fields.files import FieldFile
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from rest_framework import mixins, serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from recognition import registry
from recognition.api import filters
from recognition.errors import NoFile
from recognition.models import Activation, ModelVersion

# Another installation may give the same number to another model, so a cache asks before it uses what it has.
REVALIDATE = "public, no-cache"
FILES = {"onnx": "file", "keras": "keras_file"}


class ModelSerializer(serializers.ModelSerializer[ModelVersion]):
    """A version; `files` holds the addresses of those that it has."""

    in_service = serializers.SerializerMethodField()
    files = serializers.SerializerMethodField()

    class Meta:
        model = ModelVersion
        fields = (
            *("id", "sha256", "size", "test_accuracy", "temperature", "uncertain_below", "created_at"),
            *("in_service", "files"),
        )

    def get_in_service(self, model: ModelVersion) -> bool:
        return bool(model.pk == self.context["serving"])

    def get_files(self, model: ModelVersion) -> dict[str, str]:
        return {
            kind: reverse(f"model-{kind}", args=[model.pk]) for kind, field in FILES.items() if getattr(model, field)
        }


class ModelViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[ModelVersion]):
    """GET /api/models/ (newest first) and GET /api/models/<id>/."""

    queryset = ModelVersion.objects.all()
    serializer_class = ModelSerializer

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "serving": Activation.current_model_id()}

    def activate(self, request: Request, pk: int) -> Response:
        """POST /api/models/<id>/activate/: put it into service; again changes nothing. 409 when its file is refused."""
        model = self.get_object()
        registry.activate(model, by=request.user)
        return Response(self.get_serializer(model).data)

    def onnx(self, request: Request, pk: int) -> HttpResponseBase:
        """GET /api/models/<id>/onnx/: for any runtime that reads ONNX."""
        return download(request, self.get_object(), "onnx")

    def keras(self, request: Request, pk: int) -> HttpResponseBase:
        """GET /api/models/<id>/keras/: to go on training, with keras.models.load_model."""
        return download(request, self.get_object(), "keras")

    def filters(self, request: Request, pk: int) -> HttpResponseBase:
        """GET /api/models/<id>/filters/: both convolutions as float32 (recognition.api.filters), 208 kB."""
        model = self.get_object()
        return conditional(request, model, "filters", lambda: filters.filters(model))


def download(request: Request, model: ModelVersion, kind: str) -> HttpResponseBase:
    """Return one of a model's files as an attachment. Raises NoFile and StorageUnavailable."""
    response = conditional(request, model, kind, lambda: content_of(getattr(model, FILES[kind])))
    response["Content-Disposition"] = f'attachment; filename="digits-model-{model.pk}.{kind}"'
    return response


def conditional(request: Request, model: ModelVersion, kind: str, read: Callable[[], bytes]) -> HttpResponseBase:
    """Return what `read` gives, or 304 without reading when the client has it.

    The ETag is the model's SHA-256, so it changes when another model gets the same number.
    """
    etag = f'"{model.sha256}.{kind}"'
    response = get_conditional_response(request._request, etag=etag)
    if response is None:
        response = HttpResponse(read(), content_type="application/octet-stream")
    response["ETag"] = etag
    response["Cache-Control"] = REVALIDATE
    return response


def content_of(file: FieldFile) -> bytes:
    """Raises NoFile and StorageUnavailable."""
    if not file:
        raise NoFile
    try:
        with file.open("rb") as opened:
            content: bytes = opened.read()
    except OSError as error:
        raise NoFile from error
    return content
